package store_test

import (
	"context"
	"flag"
	"path/filepath"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/pgtest"
	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/store/storetest"
)

// everydayChecks is how many random worlds each property gets where nobody asks for more (-rapid.checks=1000): each
// world is a database of its own.
const everydayChecks = "12"

func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", everydayChecks); err != nil { // before the command line is read, which overrides it
		panic(err)
	}
	pgtest.Main(m)
}

// databases are the two that every test of the contract runs on.
var databases = map[string]func(testing.TB) string{
	"sqlite":   func(tb testing.TB) string { return "sqlite:" + filepath.Join(tb.TempDir(), "rolecall.db") },
	"postgres": pgtest.URL,
}

func open(tb testing.TB, location string) *store.Store {
	tb.Helper()
	s, err := store.Open(context.Background(), location, store.Serve)
	if err != nil {
		tb.Fatalf("opening the database: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("closing the database: %v", err)
		}
	})
	return s
}

func onEach(t *testing.T, test func(*testing.T, *store.Store)) {
	for name, location := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t, location(t)))
		})
	}
}

func TestContract(t *testing.T) {
	for name, location := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(tb testing.TB) authz.DB { return open(tb, location(tb)) })
			storetest.RunPeople(t, func(tb testing.TB) operator.Store { return open(tb, location(tb)) })
			storetest.RunLoaders(t, func(tb testing.TB) storetest.LoaderDB { return open(tb, location(tb)) })
			storetest.RunWebhooks(t, func(tb testing.TB) storetest.WebhookDB { return open(tb, location(tb)) })
		})
	}
}
