package watch_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/pgtest"
	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/watch"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// What waits is counted once in a while however often it is looked at, and a database that does not answer shows that it
// does not, instead of what it held before.
func TestQueues(t *testing.T) {
	t.Parallel()
	for name, location := range map[string]func() string{
		"sqlite":   func() string { return "sqlite:" + filepath.Join(t.TempDir(), "rolecall.db") },
		"postgres": func() string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			db, err := store.Open(t.Context(), location(), store.Serve)
			if err != nil {
				t.Fatal(err)
			}
			var past atomic.Int64
			now := func() time.Time { return time.Now().Add(time.Duration(past.Load())) }
			var asked atomic.Int64
			db.Observe(func(context.Context, store.Work) { asked.Add(1) })
			rules := authz.New(db, now, id.NewSource(now, nil))
			env, err := rules.CreateEnvironment(t.Context(), "e")
			if err != nil {
				t.Fatal(err)
			}
			caller := authz.Caller{Environment: env.ID, Actor: authz.SystemActor}
			emit := func(n int) { // events, which wait for a place: nobody works here
				t.Helper()
				for range n {
					if _, err := rules.CreatePermission(t.Context(), caller, authz.NewPermission{Slug: fmt.Sprint("p", past.Add(1)), Name: "n"}); err != nil {
						t.Fatal(err)
					}
				}
			}
			var log bytes.Buffer
			shown := watch.NewDatabase(db, now, slog.New(slog.NewTextHandler(&log, nil)))
			want := func(up, events int) {
				t.Helper()
				text := "# HELP rolecall_queue_up 1 if the queues could be counted when they were last looked at, else 0.\n# TYPE rolecall_queue_up gauge\nrolecall_queue_up " + fmt.Sprint(up) + "\n"
				if up == 1 {
					text += "# HELP rolecall_queue_length What waits to be done, by queue, counted every 5 seconds at most, up to 10000: a value of 10001 says more.\n# TYPE rolecall_queue_length gauge\n" +
						"rolecall_queue_length{queue=\"assignments\"} 0\nrolecall_queue_length{queue=\"jobs\"} 0\nrolecall_queue_length{queue=\"webhook_deliveries\"} 0\n" +
						fmt.Sprintf("rolecall_queue_length{queue=\"events\"} %d\n", events)
				}
				if err := testutil.CollectAndCompare(shown, strings.NewReader(text), "rolecall_queue_length", "rolecall_queue_up"); err != nil {
					t.Error(err)
				}
			}
			emit(2)
			before := asked.Load()
			want(1, 2)
			if asked.Load() != before+1 {
				t.Errorf("the database was asked %d times", asked.Load()-before)
			}
			emit(3)
			before = asked.Load()
			want(1, 2)
			if asked.Load() != before {
				t.Error("the database is asked each time")
			}
			past.Add(int64(time.Minute))
			want(1, 5)
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			past.Add(int64(time.Minute))
			want(0, 0)
			past.Add(int64(time.Minute))
			want(0, 0)
			if n := strings.Count(log.String(), "counting what waits"); n != 1 {
				t.Errorf("told %d times: %s", n, &log)
			}
		})
	}
}
