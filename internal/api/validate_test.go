package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/rolecall/rolecall/internal/api"
)

// served is the document as the first world served it, shared because reading it takes longer than most tests.
var served struct {
	once sync.Once
	doc  *openapi3.T
	err  error
}

func document(tb testing.TB, url string) *openapi3.T {
	tb.Helper()
	served.once.Do(func() {
		resp, err := http.Get(url + "/openapi.json")
		if err != nil {
			served.err = err
			return
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			served.err = err
			return
		}
		served.doc, served.err = openapi3.NewLoader().LoadFromData(raw)
	})
	if served.err != nil {
		tb.Fatalf("the document of the API: %v", served.err)
	}
	return served.doc
}

// routeOf finds the route that serves a request, the way that the documents says: literal segments before parameters.
func routeOf(method, escapedPath string) (found api.Route, ok bool) {
	literals := -1
	for _, r := range api.Routes() {
		if n, matches := matching(r.Path, escapedPath); r.Method == method && matches && n > literals {
			found, ok, literals = r, true, n
		}
	}
	return found, ok
}

func matching(pattern, path string) (literals int, ok bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return 0, false
	}
	for i, w := range want {
		switch {
		case strings.HasPrefix(w, "{"):
			if got[i] == "" || got[i] == "." || got[i] == ".." {
				return 0, false
			}
		case w != got[i]:
			return 0, false
		default:
			literals++
		}
	}
	return literals, true
}

// validated remembers what was found valid: most refusals are the same few again and again.
var validated sync.Map

// validate checks an answer against the document: a documented status, the documented body, and no key beside those of
// the documented type.
func validate(tb testing.TB, c *client, req *http.Request, a answer) {
	tb.Helper()
	if req.Method == http.MethodHead {
		return // GET without the body
	}
	route, ok := routeOf(req.Method, req.URL.EscapedPath())
	if !ok {
		if code := a.status; code != 404 && code != 405 && !beside(req.URL.Path) {
			tb.Errorf("%s: answered %d without being in the table of routes", a.call, code)
		}
		return
	}
	sum := sha256.Sum256(append([]byte(route.Method+route.Path+http.StatusText(a.status)), a.raw...))
	if _, done := validated.Load(sum); done {
		return
	}
	doc := document(tb, c.url)
	item := doc.Paths.Find(route.Path)
	if item == nil || item.GetOperation(route.Method) == nil {
		tb.Errorf("the document lacks %s %s", route.Method, route.Path)
		return
	}
	err := openapi3filter.ValidateResponse(tb.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: req,
			Route:   &routers.Route{Spec: doc, Path: route.Path, PathItem: item, Method: route.Method, Operation: item.GetOperation(route.Method)},
		},
		Status: a.status, Header: a.header, Body: io.NopCloser(bytes.NewReader(a.raw)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
	if err != nil {
		tb.Errorf("%s: the answer is not what the document says: %v\n%s", a.call, err, a.raw)
		return
	}
	if a.status == route.Status && !a.table() {
		exactly(tb, req, route, a)
	}
	validated.Store(sum, true)
}

// beside names what is served and not part of the table.
func beside(path string) bool {
	return path == "/openapi.json" || path == "/healthz" || path == "/readyz"
}

// exactly refuses keys that the documented type lacks: the schemas allow them, for the sake of clients.
func exactly(tb testing.TB, req *http.Request, route api.Route, a answer) {
	tb.Helper()
	if route.Answer != nil && strings.Contains(a.call, "preview=true") {
		route.Answer = api.Impact{}
	}
	if route.Answer == nil {
		if len(a.raw) > 0 {
			tb.Errorf("%s: a body where none is documented: %s", a.call, a.raw)
		}
		return
	}
	dec := json.NewDecoder(bytes.NewReader(a.raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(reflect.New(reflect.TypeOf(route.Answer)).Interface()); err != nil {
		tb.Errorf("%s: the answer is not a %T: %v: %s", a.call, route.Answer, err, a.raw)
	}
}
