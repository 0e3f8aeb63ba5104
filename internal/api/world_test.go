package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/api"
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/cli"
	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/pgtest"
	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/web"
	"github.com/rolecall/rolecall/internal/webhook"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// world is the real API on a database of its own, with one environment to begin with. Its client is a caller with a
// key of that environment.
type world struct {
	*client
	db     *store.Store
	rules  *authz.Service
	keys   *operator.Service
	hooks  *webhook.Service
	worker *webhook.Worker
	clock  *clock
	env    id.Environment
	url    string

	handler http.Handler
	events  eventReader
}

// onBoth runs a test in a fresh world on each database.
func onBoth(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, newWorld(t, sqliteFile(t)))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, newWorld(t, postgresSchema(t)))
	})
}

// sqliteFile names a new file, in memory where the system has files in memory: these tests make thousands of commits
// and test none of their durability.
func sqliteFile(tb testing.TB) string {
	tb.Helper()
	folder, err := os.MkdirTemp("/dev/shm", "rolecall-api-")
	if err != nil {
		return "sqlite:" + filepath.Join(tb.TempDir(), "rolecall.db")
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(folder); err != nil {
			tb.Error(err)
		}
	})
	return "sqlite:" + filepath.Join(folder, "rolecall.db")
}

// postgresSchema names a new schema, with commits that do not wait for the disk.
func postgresSchema(tb testing.TB) string {
	tb.Helper()
	return pgtest.URL(tb) + "&synchronous_commit=off"
}

// opening lets one world at a time migrate its database: the lock that migrations take is one for a whole PostgreSQL
// database, whatever the schema, and whoever finds it taken comes back a second later.
var opening sync.Mutex

func open(tb testing.TB, location string) *store.Store {
	tb.Helper()
	opening.Lock()
	defer opening.Unlock()
	db, err := store.Open(context.Background(), location, store.Serve)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := db.Close(); err != nil {
			tb.Error(err)
		}
	})
	return db
}

func newWorld(tb testing.TB, location string) *world {
	tb.Helper()
	w := &world{db: open(tb, location), clock: newClock()}
	ids := id.NewSource(w.clock.now, nil)
	w.rules = authz.New(w.db, w.clock.now, ids)
	w.keys = operator.New(w.db, w.db.Fresh(), w.clock.now, ids)
	w.hooks = webhook.New(w.db, w.rules, w.clock.now, ids, webhook.Options{AllowPrivate: true})
	decisions := decision.New(w.rules, w.db, w.db.Fresh(), w.clock.now, decision.Options{})
	keepTerms(tb, w.db)
	door, err := api.New(w.rules, decisions, w.keys, w.hooks, cli.Version)
	if err != nil {
		tb.Fatal(err)
	}
	log := slog.New(alarm{tb})
	w.worker = webhook.NewWorker(w.hooks, log)
	router := web.NewRouter()
	door.Register(router)
	api.Health(router, func(r *http.Request) error { return w.db.Ping(r.Context()) }, log)
	w.handler = web.Wrap(router, log, ids)
	server := httptest.NewServer(w.handler)
	tb.Cleanup(server.Close)
	w.url = server.URL
	w.client, w.env = w.environment(tb, "production")
	w.events = eventReader{client: w.client, labels: map[string]string{}}
	tb.Cleanup(func() { w.events.finish(tb) })
	return w
}

// keepTerms lets a world answer from memory, as a server does, until its test ends.
func keepTerms(tb testing.TB, db *store.Store) {
	ctx, stop := context.WithCancel(context.Background())
	var keeping sync.WaitGroup
	keeping.Go(func() { db.KeepTerms(ctx) })
	tb.Cleanup(func() { stop(); keeping.Wait() })
}

// environment makes another environment and a client with a key of it.
func (w *world) environment(tb testing.TB, name string) (*client, id.Environment) {
	tb.Helper()
	env, err := w.rules.CreateEnvironment(context.Background(), name)
	if err != nil {
		tb.Fatal(err)
	}
	return w.keyed(tb, env.ID, "test key"), env.ID
}

// keyed makes another key of an environment and a client that has it.
func (w *world) keyed(tb testing.TB, env id.Environment, name string) *client {
	tb.Helper()
	return w.restricted(tb, operator.NewKey{Environment: env, Name: name})
}

// restricted makes a key with all that can be said about one, and a client that has it.
func (w *world) restricted(tb testing.TB, in operator.NewKey) *client {
	tb.Helper()
	key, value, err := w.keys.CreateKey(context.Background(), in)
	if err != nil {
		tb.Fatal(err)
	}
	return &client{tb: tb, url: w.url, key: value, keyID: key.ID, fanOut: func() {
		tb.Helper()
		if _, err := w.worker.FanOut(context.Background()); err != nil {
			tb.Error(err)
		}
	}}
}

// settle does all the work that follows changes, as the server does in the background.
func (w *world) settle() {
	w.tb.Helper()
	for {
		worked, err := w.rules.Work(context.Background(), "test")
		if err != nil {
			w.tb.Fatalf("working: %v", err)
		}
		if !worked {
			return
		}
	}
}

// fired says which events the requests since the last call caused, and no others.
func (w *world) fired(want ...string) {
	w.tb.Helper()
	w.events.expect(w.tb, want)
}

// prepared skips the events of what a test only needs to begin with.
func (w *world) prepared() { w.events.read(w.tb) }

// invited makes a membership pending, as an invitation will: nothing of the API does so yet.
func (w *world) invited(membership string) {
	w.tb.Helper()
	err := w.db.Update(context.Background(), func(tx authz.Tx) error {
		m, _, err := tx.Membership(w.env, id.Membership(membership))
		if err != nil {
			return err
		}
		m.Status = authz.StatusPending
		return tx.UpdateMembership(m)
	})
	if err != nil {
		w.tb.Fatal(err)
	}
}

// clock advances by a millisecond each time that it is read, so that no two changes share an instant, and by as much
// as a test likes.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)} }

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

// alarm is a log that fails the test when the server reports a defect.
type alarm struct{ tb testing.TB }

func (a alarm) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelError }
func (a alarm) WithAttrs([]slog.Attr) slog.Handler           { return a }
func (a alarm) WithGroup(string) slog.Handler                { return a }

func (a alarm) Handle(_ context.Context, r slog.Record) error {
	line := r.Message
	r.Attrs(func(at slog.Attr) bool { line += " " + at.String(); return true })
	a.tb.Errorf("the server logged an error: %s", line)
	return nil
}
