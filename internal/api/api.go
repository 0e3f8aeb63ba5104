// Package api is the door for programs: the JSON API. routes.go is the table of everything it serves; the files beside
// it hold one noun each. A handler decodes, calls one service and says how the result is shown, nothing more.
package api

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/web"
	"github.com/rolecall/rolecall/internal/webhook"
)

// API serves the JSON API over its services.
type API struct {
	rules     *authz.Service
	decisions *decision.Service
	keys      *operator.Service
	hooks     *webhook.Service
	document  []byte    // the OpenAPI document, as JSON
	rooms     sync.Pool // of *[]authz.Question, for batches: fresh memory for each costs more than to answer some of it
}

// New returns the API over its services. version goes into the OpenAPI document.
func New(rules *authz.Service, decisions *decision.Service, keys *operator.Service, hooks *webhook.Service, version string) (*API, error) {
	document, err := event.Encode(Document(version))
	if err != nil {
		return nil, err
	}
	return &API{
		rules: rules, decisions: decisions, keys: keys, hooks: hooks, document: document,
		rooms: sync.Pool{New: func() any { return new([]authz.Question) }},
	}, nil
}

// Register adds every route of the API to a router.
func (a *API) Register(r *web.Router) {
	for _, route := range Routes() {
		r.Handle(route.Method, route.Path, a.serve(route))
	}
	r.Handle(http.MethodGet, "/openapi.json", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		web.Write(w, http.StatusOK, a.document)
	}))
}

// request is one authenticated request on its way through a handler.
type request struct {
	*http.Request
	api    *API
	route  *Route
	caller authz.Caller
	org    id.Organization // of the path; empty where the path names none, which means the environment
	query  web.Query
	body   []byte
	table  func(io.Writer) error // writes an answer that is a CSV table; set by a handler
}

// handler answers a request with a status and an encoded body.
type handler func(*request) (status int, body []byte, err error)

// action makes a handler of a call and of how its result is shown. A nil show sends no body.
func action[Out any](call func(*request) (Out, error), show func(Out) any) handler {
	if show == nil {
		return answer(call, nil)
	}
	return answer(call, func(out Out) ([]byte, error) { return event.Encode(show(out)) })
}

// answer makes a handler of a call and of how its result is encoded. A nil encode sends no body.
func answer[Out any](call func(*request) (Out, error), encode func(Out) ([]byte, error)) handler {
	return func(r *request) (int, []byte, error) {
		render := func(out Out) (int, []byte, error) {
			if encode == nil {
				return r.route.Status, nil, nil
			}
			body, err := encode(out)
			return r.route.Status, body, err
		}
		if r.caller.Once != nil {
			r.caller.Once.Render = func(result any) (int, []byte, error) { return render(result.(Out)) }
		}
		out, err := call(r)
		if err != nil {
			return 0, nil, err
		}
		return render(out)
	}
}

// remove makes a handler of a call that has no result.
func remove(call func(*request) error) handler {
	return action(func(r *request) (struct{}, error) { return struct{}{}, call(r) }, nil)
}

// serve authenticates, reads and answers requests of one route.
func (a *API) serve(route Route) http.Handler {
	names := route.pathParameters()
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r, err := a.accept(w, req, &route, names)
		if err != nil {
			web.Refuse(w, err)
			return
		}
		status, body, err := route.handle(r)
		if err != nil {
			web.Refuse(w, err)
			return
		}
		if r.table != nil {
			web.Stream(w, status, "text/csv", r.table)
			return
		}
		web.Write(w, status, body)
	})
}

func (a *API) accept(w http.ResponseWriter, req *http.Request, route *Route, names []string) (*request, error) {
	value, err := bearer(req)
	if err != nil {
		return nil, err
	}
	key, err := a.keys.Authenticate(req.Context(), value)
	if err != nil {
		return nil, err
	}
	web.Note(w, slog.String("environment", string(key.Environment)), slog.String("api_key", string(key.ID)))
	r := &request{Request: req, api: a, route: route, caller: key.Caller}
	if r.query, err = web.ParseQuery(req.URL.RawQuery); err != nil {
		return nil, err
	}
	if err := r.readPath(names); err != nil {
		return nil, err
	}
	if err := r.readQuery(); err != nil {
		return nil, err
	}
	if route.Body != nil {
		began := time.Now()
		if r.body, err = web.ReadBody(w, req); err != nil {
			return nil, err
		}
		if time.Since(began) > prompt {
			if key, err = a.keys.Authenticate(req.Context(), value); err != nil {
				return nil, err
			}
			r.caller = key.Caller
		}
	}
	return r, r.once(key.ID)
}

// prompt is within what time a body arrives from a client that does not wait. The key of one that does is looked at again:
// it may have been revoked, or what it may grant deleted, since it was sent, and for how long is in the client's hands.
const prompt = 50 * time.Millisecond

// bearer reads the credential. Its scheme is matched in any case, as RFC 9110 wants.
func bearer(req *http.Request) (string, error) {
	scheme, value, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	value = strings.TrimSpace(value)
	if !strings.EqualFold(scheme, "Bearer") || value == "" {
		return "", fault.New(fault.Unauthorized, "unauthorized", "Send an API key as 'Authorization: Bearer <key>'.")
	}
	return value, nil
}

// readPath refuses parameters that cannot name anything, before they reach a database, and reads the organization.
func (r *request) readPath(names []string) (err error) {
	for _, name := range names {
		if v := r.PathValue(name); v == "" || !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
			return fault.New(fault.NotFound, fault.CodeNotFound, "Nothing has such a name (%s).", name)
		}
		if name == "organizationId" || name == "organization_id" { // the contract spells it either way
			r.org, err = pathID[id.Organization](r, name, "Organization")
		}
	}
	return err
}

// readQuery refuses what would be taken for something else than was meant: a parameter that is given twice and is no
// list, and a preview that this route does not have, or in another spelling, which would be the change itself.
func (r *request) readQuery() error {
	if len(r.query) == 0 {
		return nil
	}
	for _, p := range r.route.Parameters {
		if p.Kind != "array" && len(r.query[p.Name]) > 1 {
			return fault.BadField(p.Name, "must be given once")
		}
	}
	if r.Method == http.MethodGet || r.route.ReadOnly {
		return nil
	}
	for name := range r.query {
		if strings.EqualFold(strings.TrimSpace(name), "preview") && !(name == "preview" && r.route.previews()) {
			return fault.BadField(strings.TrimSpace(name), "is not a parameter of this operation: nothing was changed")
		}
	}
	return nil
}

// once prepares the receipt of a POST that may be repeated. Routes that change nothing keep none.
func (r *request) once(owner id.APIKey) error {
	key := r.Header.Get("Idempotency-Key")
	if key == "" || r.Method != http.MethodPost || r.route.ReadOnly {
		return nil
	}
	if len(key) > 255 || strings.ContainsFunc(key, func(c rune) bool { return c < ' ' || c > '~' }) {
		return fault.BadField("Idempotency-Key", "must be 1 to 255 printable ASCII characters")
	}
	sum := sha256.New()
	for _, part := range []string{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, string(r.body)} {
		sum.Write([]byte(part))
		sum.Write([]byte{0})
	}
	r.caller.Once = &authz.Once{Key: key, Owner: owner, Fingerprint: hex.EncodeToString(sum.Sum(nil))}
	return nil
}

// pathID reads a path parameter as an id. What cannot be one of ours is as unknown as one that is nobody's.
func pathID[T id.Any](r *request, name, noun string) (T, error) {
	parsed, ok := id.Parse[T](r.PathValue(name))
	if !ok {
		return "", fault.Missing(noun, r.PathValue(name))
	}
	return parsed, nil
}

// pageOf reads which part of a list is asked for. Cursors are ids of the type T.
func pageOf[T id.Any](r *request, fallback page.Order) (page.Request, error) {
	raw := page.Raw{Limit: r.query.Get("limit"), Order: r.query.Get("order"), Before: r.query.Get("before"), After: r.query.Get("after")}
	return page.Parse(raw, fallback, func(s string) bool { _, ok := id.Parse[T](s); return ok })
}

// List is the envelope of a list that is read in pages.
type List[T any] struct {
	Object   string   `json:"object" const:"list"`
	Data     []T      `json:"data"`
	Metadata Metadata `json:"list_metadata"`
}

// Metadata holds the cursors that lead on from a page.
type Metadata struct {
	Before *string `json:"before"`
	After  *string `json:"after"`
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// shown makes the envelope of a page.
func shown[T, J any](show func(T) J) func(page.Page[T]) any {
	return func(p page.Page[T]) any {
		l := List[J]{Object: "list", Data: make([]J, len(p.Items)), Metadata: Metadata{Before: optional(p.Before), After: optional(p.After)}}
		for i, item := range p.Items {
			l.Data[i] = show(item)
		}
		return l
	}
}

// Health adds /healthz, which answers while the process runs, and /readyz, which answers while ping succeeds.
func Health(r *web.Router, ping func(*http.Request) error, log *slog.Logger) {
	r.Handle(http.MethodGet, "/healthz", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		web.Write(w, http.StatusOK, []byte(`{"status":"ok"}`))
	}))
	r.Handle(http.MethodGet, "/readyz", http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if err := ping(req); err != nil {
			var known *fault.Error
			if !errors.As(err, &known) {
				log.Error("not ready", "error", err)
				err = fault.Down(err)
			}
			web.Refuse(w, err)
			return
		}
		web.Write(w, http.StatusOK, []byte(`{"status":"ready"}`))
	}))
}
