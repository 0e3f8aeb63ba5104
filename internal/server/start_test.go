package server_test

import (
	"net"
	"os"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/pgtest"
	"github.com/rolecall/rolecall/internal/server"
)

// onBoth runs a test on a new database of either kind.
func onBoth(t *testing.T, test func(t *testing.T, database string)) {
	t.Helper()
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, "sqlite:"+sqliteFile(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, pgtest.URL(t))
	})
}

// The first start makes an environment with a key, which it prints; later starts print none, and everything is kept.
func TestFirstAndLaterStarts(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		first := start(t, server.Config{Database: database})
		if first.key == "" || first.environment != "production" || strings.HasSuffix(first.address, ":0") {
			t.Fatalf("announced %s", first.out)
		}
		first.want(200, first.call("", "GET", "/healthz", ""))
		first.want(200, first.call("", "GET", "/readyz", ""))
		first.want(201, first.call(first.key, "POST", permissions, newPermission("a")))
		first.stop()
		second := start(t, server.Config{Database: database, APIKey: "another-key-0123456789"})
		if second.key != "" || second.environment != "" {
			t.Errorf("a later start announces %s", second.out)
		}
		second.want(200, second.call(first.key, "GET", permissions+"/a", ""))
		second.want(401, second.call("another-key-0123456789", "GET", roles, ""))
	})
}

// A key that was chosen works, and is not repeated anywhere.
func TestChosenKey(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		const chosen = "sk_test_chosen-by-the-operator"
		r := start(t, server.Config{Database: database, APIKey: chosen})
		r.want(200, r.call(chosen, "GET", roles, ""))
		r.stop()
		for _, written := range []string{r.out.String(), r.log.String()} {
			if strings.Contains(written, chosen) {
				t.Errorf("the key is repeated: %s", written)
			}
		}
	})
}

// A key that cannot be one is refused, and the start after that is a first start again: an installation is never left
// without a key.
func TestImpossibleChosenKey(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		if _, err := try(t, server.Config{Database: database, APIKey: "with blanks"}); err == nil || strings.Contains(err.Error(), "with blanks") {
			t.Errorf("started with %v", err)
		}
		r := start(t, server.Config{Database: database, APIKey: "sk_test_better"})
		r.want(200, r.call("sk_test_better", "GET", roles, ""))
	})
}

// A first start that fails makes no key: the next one is the first, and prints it.
func TestFirstStartThatCannotListen(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		taken, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer taken.Close()
		if _, err := try(t, server.Config{Database: database, Listen: taken.Addr().String()}); err == nil {
			t.Fatal("it started")
		}
		r := start(t, server.Config{Database: database})
		r.want(200, r.call(r.key, "GET", roles, ""))
	})
}

// The demo world can be asked with what it prints, at every start, and only the last printed key works.
func TestDemo(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		first := start(t, server.Config{Database: database, Demo: true})
		if len(first.try) != 3 || first.key == "" {
			t.Fatalf("announced %s", first.out)
		}
		for _, line := range first.try {
			if !strings.Contains(line, first.key) || !strings.Contains(line, first.address) {
				t.Errorf("cannot be pasted: %s", line)
			}
		}
		a := first.want(200, first.call(first.key, "GET", "/organizations", ""))
		if got := len(a.body["data"].([]any)); got != 3 {
			t.Errorf("%d organizations: %s", got, a.raw)
		}
		users := first.want(200, first.call(first.key, "GET", "/user_management/users?limit=100", ""))
		if got := len(users.body["data"].([]any)); got != 12 {
			t.Errorf("%d users", got)
		}
		first.stop()
		second := start(t, server.Config{Database: database, Demo: true})
		second.want(200, second.call(second.key, "GET", roles, ""))
		again := second.want(200, second.call(second.key, "GET", "/organizations", ""))
		if len(again.body["data"].([]any)) != 3 {
			t.Errorf("the demo world was made twice: %s", again.raw)
		}
		second.stop()
		third := start(t, server.Config{Database: database, Demo: true})
		third.want(401, third.call(second.key, "GET", roles, ""))
	})
}

// Wrong configuration is refused in words, without the password in it.
func TestWrongConfiguration(t *testing.T) {
	t.Parallel()
	taken := start(t, server.Config{Database: "sqlite:" + sqliteFile(t)})
	for name, c := range map[string]struct {
		config server.Config
		says   string
	}{
		"no database":        {server.Config{}, "sqlite:PATH"},
		"another database":   {server.Config{Database: "mysql://root:canary-password@localhost/x"}, "postgres://"},
		"no file":            {server.Config{Database: "sqlite:"}, "path of a file"},
		"a memory database":  {server.Config{Database: "sqlite::memory:"}, "path of a file"},
		"a folder":           {server.Config{Database: "sqlite:" + t.TempDir()}, "directory"},
		"a bad URL":          {server.Config{Database: "postgres://user:canary-password@[::1/x?%zz"}, "postgres://"},
		"nobody there":       {server.Config{Database: "postgres://user:canary-password@127.0.0.1:1/x?sslmode=disable"}, "127.0.0.1"},
		"an address in use":  {server.Config{Database: "sqlite:" + sqliteFile(t), Listen: strings.TrimPrefix(taken.address, "http://")}, "in use"},
		"not an address":     {server.Config{Database: "sqlite:" + sqliteFile(t), Listen: "nonsense"}, "listening"},
		"a folder not there": {server.Config{Database: "sqlite:/proc/nowhere/rolecall.db"}, "folder"},
	} {
		r, err := try(t, c.config)
		if err == nil {
			t.Errorf("%s: it started", name)
			r.stop()
			continue
		}
		if !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v does not speak of %q", name, err, c.says)
		}
		for _, written := range []string{err.Error(), r.out.String(), r.log.String()} {
			if strings.Contains(written, "canary-password") {
				t.Errorf("%s: the password is told: %s", name, written)
			}
		}
	}
}

// The file of a database is for its owner alone.
func TestFileIsPrivate(t *testing.T) {
	t.Parallel()
	file := sqliteFile(t)
	r := start(t, server.Config{Database: "sqlite:" + file})
	r.want(201, r.call(r.key, "POST", permissions, newPermission("a")))
	for _, name := range []string{file, file + "-wal", file + ".lock"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
}
