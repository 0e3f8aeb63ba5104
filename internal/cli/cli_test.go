package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/cli"
	"github.com/rolecall/rolecall/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// result is what a command did.
type result struct {
	code     int
	out, err string
}

func command(t *testing.T, args ...string) result {
	t.Helper()
	var out, err bytes.Buffer
	code := cli.Main(t.Context(), args, cli.Streams{Out: &out, Err: &err})
	return result{code, out.String(), err.String()}
}

// succeeds wants a command that works and says nothing on standard error.
func succeeds(t *testing.T, args ...string) string {
	t.Helper()
	r := command(t, args...)
	if r.code != 0 || r.err != "" {
		t.Fatalf("%q: exit %d\n%s%s", args, r.code, r.out, r.err)
	}
	return r.out
}

// fails wants a command that fails with a code and names the reason on standard error alone.
func fails(t *testing.T, code int, says string, args ...string) {
	t.Helper()
	r := command(t, args...)
	if r.code != code || !strings.Contains(r.err, says) || !strings.HasPrefix(r.err, "rolecall: ") || r.out != "" {
		t.Errorf("%q: exit %d, want %d with %q\nout: %s\nerr: %s", args, r.code, code, says, r.out, r.err)
	}
	if strings.Contains(r.err, "panic") || strings.Contains(r.err, ".go:") {
		t.Errorf("%q: %s", args, r.err)
	}
}

// decoded reads the one JSON value of an output.
func decoded[T any](t *testing.T, out string) (v T) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(out))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if _, err := dec.Token(); err != io.EOF {
		t.Errorf("more than one value: %s", out)
	}
	return v
}

func sqliteDatabase(t *testing.T) string {
	return "--database=sqlite:" + filepath.Join(t.TempDir(), "rolecall.db")
}

// onBoth runs a test with the flag of a new database of either kind.
func onBoth(t *testing.T, test func(t *testing.T, database string)) {
	t.Helper()
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); test(t, sqliteDatabase(t)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); test(t, "--database="+pgtest.URL(t)) })
}

func TestVersion(t *testing.T) {
	t.Parallel()
	if out := succeeds(t, "version"); !strings.HasPrefix(out, "rolecall "+cli.Version+" (") {
		t.Errorf("said %q", out)
	}
	v := decoded[struct{ Version, Go string }](t, succeeds(t, "version", "--json"))
	if v.Version != cli.Version || v.Go != runtime.Version() {
		t.Errorf("said %+v", v)
	}
}

// What is not understood is exit code 2, and says where help is.
func TestUsage(t *testing.T) {
	t.Parallel()
	database := sqliteDatabase(t)
	for _, args := range [][]string{
		{}, {"nonsense"}, {"serve", "--nonsense"}, {"serve", "extra"}, {"api-key"}, {"api-key", "create", database}, {"api-key", "revoke", database},
		{"environment", "create", database}, {"api-key", "create", "a", "b", database}, {"migrate", "--database"}, {"--version"}, {"version", "--json=maybe"},
	} {
		r := command(t, args...)
		if r.code != 2 || !strings.HasPrefix(r.err, "rolecall: ") || !strings.Contains(r.err, "--help") || r.out != "" {
			t.Errorf("%q: exit %d\nout: %s\nerr: %s", args, r.code, r.out, r.err)
		}
	}
}

func TestMigrate(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		first := decoded[struct{ Schema int64 }](t, succeeds(t, "migrate", "--json", database))
		if first.Schema < 1 {
			t.Errorf("schema %d", first.Schema)
		}
		if again := decoded[struct{ Schema int64 }](t, succeeds(t, "migrate", "--json", database)); again != first {
			t.Errorf("the second time: %+v, want %+v", again, first)
		}
		if out := succeeds(t, "migrate", database); !strings.Contains(out, "schema") {
			t.Errorf("said %q", out)
		}
	})
}

type environmentLine struct {
	ID, Name  string
	CreatedAt time.Time `json:"created_at"`
}

func TestEnvironments(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		fails(t, 1, "start the server first", "environment", "list", database)
		succeeds(t, "migrate", database)
		if out := succeeds(t, "environment", "list", "--json", database); strings.TrimSpace(out) != "[]" {
			t.Errorf("none are %q", out)
		}
		made := decoded[environmentLine](t, succeeds(t, "environment", "create", "staging", "--json", database))
		if made.Name != "staging" || !strings.HasPrefix(made.ID, "environment_") || made.CreatedAt.IsZero() {
			t.Errorf("made %+v", made)
		}
		if out := succeeds(t, "environment", "create", "Größe 2", database); !strings.Contains(out, "Größe 2") {
			t.Errorf("said %q", out)
		}
		listed := decoded[[]environmentLine](t, succeeds(t, "environment", "list", "--json", database))
		if len(listed) != 2 || listed[0] != made || listed[1].Name != "Größe 2" {
			t.Errorf("listed %+v", listed)
		}
		if out := succeeds(t, "environment", "list", database); !strings.Contains(out, "staging") || !strings.Contains(out, made.ID) || strings.Count(out, "\n") != 3 {
			t.Errorf("said %q", out)
		}
		fails(t, 1, "exists already", "environment", "create", "staging", database)
		fails(t, 1, "must not be empty", "environment", "create", " ", database)
		fails(t, 1, "at most", "environment", "create", strings.Repeat("n", 49), database)
	})
}

// A failed command says in words what was wrong, without passwords.
func TestFailures(t *testing.T) {
	t.Parallel()
	fails(t, 1, "sqlite:PATH", "environment", "list", "--database=nonsense")
	fails(t, 1, "path of a file", "migrate", "--database=sqlite:")
	unreachable := "--database=postgres://user:canary-password@127.0.0.1:1/x?sslmode=disable"
	for _, args := range [][]string{{"environment", "list", unreachable}, {"api-key", "create", "x", unreachable}, {"migrate", unreachable}, {"serve", "--listen=127.0.0.1:0", unreachable}, {"migrate", "--database=postgres://user:canary-password@[::1"}} {
		r := command(t, args...)
		if r.code != 1 || strings.Contains(r.err+r.out, "canary-password") || r.err == "" {
			t.Errorf("%q: exit %d: %s", args, r.code, r.err)
		}
	}
}

// serving runs a server until the test ends and returns its address and key.
func serving(t *testing.T, database string) (address, key string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	read, write := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Main(ctx, []string{"serve", "--json", "--listen=127.0.0.1:0", database}, cli.Streams{Out: write, Err: io.Discard})
		write.Close()
	}()
	var news struct {
		Address string
		APIKey  string `json:"api_key"`
	}
	if err := json.NewDecoder(read).Decode(&news); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("the server ended with %d", code)
		}
	})
	return news.Address, news.APIKey
}
