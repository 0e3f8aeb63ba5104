package webhook_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/pgtest"
	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/webhook"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// patience is how long something may take that happens at once on an idle machine.
const patience = 60 * time.Second

// room is the rules about webhooks over a real database, with a clock that the test moves.
type room struct {
	*webhook.Service
	t        *testing.T
	db       *store.Store
	location string
	rules    *authz.Service
	clock    *clock
	ids      *id.Source
	c        authz.Caller
	worker   *webhook.Worker
}

var databases = map[string]func(testing.TB) string{
	"sqlite":   func(tb testing.TB) string { return "sqlite:" + filepath.Join(tb.TempDir(), "rolecall.db") },
	"postgres": pgtest.URL,
}

// onBoth runs a test on each database. Addresses of this machine are allowed.
func onBoth(t *testing.T, test func(r *room)) {
	t.Helper()
	t.Parallel()
	for name, location := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newRoom(t, location(t), webhook.Options{AllowPrivate: true}))
		})
	}
}

func newRoom(t *testing.T, location string, o webhook.Options) *room {
	t.Helper()
	db, err := store.Open(context.Background(), location, store.Serve)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &room{t: t, db: db, location: location, clock: &clock{at: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)}}
	r.ids = id.NewSource(r.clock.now, nil)
	r.rules = authz.New(db, r.clock.now, r.ids)
	r.Service = webhook.New(db, r.rules, r.clock.now, r.ids, o)
	r.worker = r.newWorker()
	r.c.Environment = r.environment("production")
	r.c.Actor = event.Actor{ID: "tester", Source: "api"}
	return r
}

func (r *room) newWorker() *webhook.Worker { return webhook.NewWorker(r.Service, slog.New(alarm{r.t})) }

func (r *room) environment(name string) id.Environment {
	r.t.Helper()
	e, err := r.rules.CreateEnvironment(r.t.Context(), name)
	r.check(err)
	return e.ID
}

func (r *room) check(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// step delivers what is due.
func (r *room) step() {
	r.t.Helper()
	r.check(r.worker.Step(r.t.Context()))
}

// endpoint makes an endpoint that gets events about permissions.
func (r *room) endpoint(url string, events ...string) webhook.Endpoint {
	r.t.Helper()
	if events == nil {
		events = []string{"permission.created", "permission.deleted"}
	}
	e, err := r.CreateEndpoint(r.t.Context(), r.c, webhook.NewEndpoint{URL: url, Events: events})
	r.check(err)
	return e
}

// permission causes an event and returns its id.
func (r *room) permission(slug string) id.Event {
	r.t.Helper()
	_, err := r.rules.CreatePermission(r.t.Context(), r.c, authz.NewPermission{Slug: slug, Name: "<" + slug + ">"})
	r.check(err)
	return r.lastEvent().ID
}

func (r *room) lastEvent() event.Event {
	r.t.Helper()
	p, err := r.rules.ListEvents(r.t.Context(), r.c, authz.EventFilter{}, page.Request{Limit: 1, Order: page.Desc})
	r.check(err)
	return p.Items[0]
}

// deliveries lists all deliveries to an endpoint, the oldest first.
func (r *room) deliveries(e webhook.Endpoint) []webhook.Delivery {
	r.t.Helper()
	var all []webhook.Delivery
	for q := (page.Request{Limit: 100, Order: page.Asc}); ; {
		p, err := r.ListDeliveries(r.t.Context(), r.c, e.ID, webhook.DeliveryFilter{}, q)
		r.check(err)
		all = append(all, p.Items...)
		if p.After == "" {
			return all
		}
		q.After = p.After
	}
}

// only is the one delivery to an endpoint, with its log.
func (r *room) only(e webhook.Endpoint) webhook.LoggedDelivery {
	r.t.Helper()
	all := r.deliveries(e)
	if len(all) != 1 {
		r.t.Fatalf("%d deliveries, want 1: %+v", len(all), all)
	}
	d, err := r.Delivery(r.t.Context(), r.c, e.ID, all[0].ID)
	r.check(err)
	return d
}

func (r *room) status(e webhook.Endpoint) webhook.Status {
	r.t.Helper()
	now, err := r.Endpoint(r.t.Context(), r.c, e.ID)
	r.check(err)
	return now.Status
}

// change changes an endpoint.
func (r *room) change(e webhook.Endpoint, in webhook.EndpointChange) webhook.Endpoint {
	r.t.Helper()
	changed, err := r.UpdateEndpoint(r.t.Context(), r.c, e.ID, in)
	r.check(err)
	return changed
}

// receiver is somebody's server that takes webhooks.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []received
	answer http.HandlerFunc // nil takes everything
}

type received struct {
	method, path string
	header       http.Header
	body         []byte
	event        event.Envelope
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	x := &receiver{}
	x.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Errorf("reading a webhook: %v", err)
		}
		g := received{method: req.Method, path: req.URL.Path, header: req.Header.Clone(), body: body}
		if err := json.Unmarshal(body, &g.event); err != nil {
			t.Errorf("a webhook is no event: %v: %s", err, body)
		}
		x.mu.Lock()
		x.got = append(x.got, g)
		answer := x.answer
		x.mu.Unlock()
		if answer != nil {
			answer(w, req)
		}
	}))
	t.Cleanup(x.Close)
	return x
}

func (x *receiver) answers(h http.HandlerFunc) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.answer = h
}

// fails answers everything with a status.
func fails(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, fmt.Sprint("no ", status), status) }
}

// all is what came so far.
func (x *receiver) all() []received {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Clone(x.got)
}

// events is the ids of what came so far, sorted.
func (x *receiver) events() []id.Event {
	var ids []id.Event
	for _, g := range x.all() {
		ids = append(ids, g.event.ID)
	}
	slices.Sort(ids)
	return ids
}

// clock advances by a millisecond each time that it is read, and by as much as a test likes.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(time.Millisecond)
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// alarm is a log that fails the test when the worker reports a problem.
type alarm struct{ t *testing.T }

func (alarm) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }
func (a alarm) WithAttrs([]slog.Attr) slog.Handler         { return a }
func (a alarm) WithGroup(string) slog.Handler              { return a }

func (a alarm) Handle(_ context.Context, r slog.Record) error {
	line := r.Message
	r.Attrs(func(at slog.Attr) bool { line += " " + at.String(); return true })
	a.t.Errorf("the worker logged: %s", line)
	return nil
}

// count counts the rows of a table.
func (r *room) count(table string) (n int) {
	r.t.Helper()
	driver, source := "pgx", r.location
	if path, file := strings.CutPrefix(r.location, "sqlite:"); file {
		driver, source = "sqlite", path
	}
	db, err := sql.Open(driver, source)
	r.check(err)
	defer db.Close()
	r.check(db.QueryRow(`SELECT count(*) FROM ` + table).Scan(&n))
	return n
}

// manyEvents makes events of one type, without what they would be about.
func (r *room) manyEvents(n int) []event.Event {
	all := make([]event.Event, n)
	for i := range all {
		all[i] = event.Event{
			ID: id.New[id.Event](r.ids), Environment: r.c.Environment, Type: event.PermissionCreated,
			Data: []byte(`{}`), Context: []byte(`{}`), CreatedAt: r.clock.now(),
		}
	}
	return all
}

// openAgain opens the database once more, as another process would. SQLite takes one process alone.
func openAgain(r *room) *store.Store {
	r.t.Helper()
	db, err := store.Open(context.Background(), r.location, store.Serve)
	r.check(err)
	r.t.Cleanup(func() {
		if err := db.Close(); err != nil {
			r.t.Error(err)
		}
	})
	return db
}

var discard = slog.New(slog.DiscardHandler)

// crashing is a store whose process dies at a moment: from then on it stores nothing.
type crashing struct {
	*store.Store
	dead atomic.Bool
}

func (c *crashing) die() { c.dead.Store(true) }

var errDead = errors.New("the process is dead")

func (c *crashing) WorkWebhooks(ctx context.Context, fn func(webhook.Tx) error) error {
	if c.dead.Load() {
		return errDead
	}
	return c.Store.WorkWebhooks(ctx, fn)
}
