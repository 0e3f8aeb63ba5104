package server_test

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rolecall/rolecall/internal/pgtest"
	"github.com/rolecall/rolecall/internal/server"
)

// Two servers on one SQLite file would not see each other's locks on time: the second is refused, the first unharmed.
func TestTwoServersOnOneFile(t *testing.T) {
	t.Parallel()
	file := sqliteFile(t)
	first := start(t, server.Config{Database: "sqlite:" + file})
	for _, name := range []string{file, filepath.Join(filepath.Dir(file), ".", "x", "..", filepath.Base(file))} {
		_, err := try(t, server.Config{Database: "sqlite:" + name})
		if err == nil || !strings.Contains(err.Error(), "in use by another rolecall server") || !strings.Contains(err.Error(), "stop that one first") {
			t.Errorf("a second server on %s: %v", name, err)
		}
	}
	first.want(201, first.call(first.key, "POST", permissions, newPermission("a")))
	first.stop()
	second := start(t, server.Config{Database: "sqlite:" + file})
	second.want(200, second.call(first.key, "GET", permissions+"/a", ""))
}

// Two servers on one PostgreSQL are one: what either acknowledges, the other shows at once.
func TestTwoServersOnOnePostgreSQL(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	a := start(t, server.Config{Database: database})
	b := start(t, server.Config{Database: database})
	if b.key != "" {
		t.Errorf("the second server made a key: %s", b.out)
	}
	servers := []*running{a, b}
	cursor := ""
	for i := range 10 {
		one, other := servers[i%2], servers[(i+1)%2]
		slug := fmt.Sprintf("p%d", i)
		one.want(201, one.call(a.key, "POST", permissions, newPermission(slug), "Idempotency-Key", slug))
		other.want(200, other.call(a.key, "GET", permissions+"/"+slug, ""))
		replay := other.want(201, other.call(a.key, "POST", permissions, newPermission(slug), "Idempotency-Key", slug))
		if replay.header.Get("Idempotent-Replayed") != "true" {
			t.Error("the other server does not know the key")
		}
		events := other.want(200, other.call(a.key, "GET", "/events"+cursor, ""))
		if got := len(events.body["data"].([]any)); got != 1 {
			t.Errorf("%d new events: %s", got, events.raw)
		}
		cursor = "?after=" + events.body["data"].([]any)[0].(map[string]any)["id"].(string)
	}
	a.want(204, a.call(a.key, "DELETE", permissions+"/p0", ""))
	b.want(404, b.call(a.key, "GET", permissions+"/p0", ""))
}

// Servers that start together on an empty PostgreSQL migrate it once, make one environment, and all serve.
func TestServersStartedTogether(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	const key = "sk_test_the-key-of-all-replicas"
	servers := make([]*running, 3)
	problems := make([]error, len(servers))
	var all sync.WaitGroup
	for i := range servers {
		all.Go(func() { servers[i], problems[i] = try(t, server.Config{Database: database, APIKey: key}) })
	}
	all.Wait()
	for i, r := range servers {
		if problems[i] != nil {
			t.Fatal(problems[i])
		}
		r.want(200, r.call(key, "GET", roles, ""))
	}
	servers[0].want(201, servers[0].call(key, "POST", permissions, newPermission("a")))
	servers[2].want(200, servers[2].call(key, "GET", permissions+"/a", ""))
}

// used makes a database file with something in it.
func used(t *testing.T) (file, key string) {
	t.Helper()
	file = sqliteFile(t)
	r := start(t, server.Config{Database: "sqlite:" + file})
	for i := range 50 {
		r.want(201, r.call(r.key, "POST", permissions, newPermission(fmt.Sprint("p", i))))
	}
	r.stop()
	return file, r.key
}

// A file that is not, or no longer, what it should be is refused with what to do, and left as it is.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	alter := func(how string) func(*testing.T, string) {
		return func(t *testing.T, file string) { execute(t, file, how) }
	}
	for name, c := range map[string]struct {
		harm func(*testing.T, string)
		says []string
	}{
		"garbage":       {func(t *testing.T, file string) { write(t, file, 0, strings.Repeat("garbage!", 1000), true) }, []string{"damaged", "backup", "--database"}},
		"short garbage": {func(t *testing.T, file string) { write(t, file, 0, "x", true) }, []string{"damaged", "backup"}},
		"truncated":     {func(t *testing.T, file string) { truncate(t, file, 2) }, []string{"damaged", "backup"}},
		"nearly empty":  {func(t *testing.T, file string) { truncate(t, file, 100) }, []string{"damaged", "backup"}},
		"a page lost":   {func(t *testing.T, file string) { write(t, file, 4096, strings.Repeat("\xaa", 4096*4), false) }, []string{"damaged", "backup"}},
		"header only":   {func(t *testing.T, file string) { write(t, file, 0, "SQLite format 3\x00", true) }, []string{"damaged", "backup"}},
		"zeroes":        {func(t *testing.T, file string) { write(t, file, 0, strings.Repeat("\x00", 8192), true) }, []string{"damaged", "backup"}},
		"foreign":       {func(t *testing.T, file string) { foreign(t, file) }, []string{"another program", "--database"}},
		"newer":         {alter(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`), []string{"newer rolecall", "9999", "backup"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, _ := used(t)
			c.harm(t, file)
			before, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r, err := try(t, server.Config{Database: "sqlite:" + file})
			if err == nil {
				r.stop()
				t.Fatal("it started")
			}
			for _, word := range c.says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%v does not speak of %q", err, word)
				}
			}
			if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
				t.Errorf("the file was changed from %d to %d bytes, %v", len(before), len(after), err)
			}
			// The lock is free again: the right file in its place starts.
			if err := errors.Join(os.Remove(file), os.RemoveAll(file+"-wal"), os.RemoveAll(file+"-shm")); err != nil {
				t.Fatal(err)
			}
			start(t, server.Config{Database: "sqlite:" + file})
		})
	}
}

func write(t *testing.T, file string, at int64, content string, whole bool) {
	t.Helper()
	flags := os.O_WRONLY
	if whole {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(file, flags, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteAt([]byte(content), at)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, file string, part int64) {
	t.Helper()
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(file, info.Size()/part); err != nil {
		t.Fatal(err)
	}
}

func execute(t *testing.T, file, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(statement)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func foreign(t *testing.T, file string) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	execute(t, file, "CREATE TABLE bookmarks (url TEXT)")
}

// A newer PostgreSQL database is refused like a newer file.
func TestNewerPostgreSQL(t *testing.T) {
	t.Parallel()
	database := pgtest.URL(t)
	start(t, server.Config{Database: database}).stop()
	db, err := sql.Open("pgx", database)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := try(t, server.Config{Database: database}); err == nil || !strings.Contains(err.Error(), "newer rolecall") {
		t.Errorf("started with %v", err)
	}
}

// On a full disk reads go on and writes are answered 503; once there is room again, writes work without a restart, and
// what was acknowledged is there.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t)
	r := start(t, server.Config{Database: "sqlite:" + filepath.Join(disk, "rolecall.db")})
	r.want(201, r.call(r.key, "POST", permissions, newPermission("first")))
	ballast := fill(t, disk)

	acknowledged, refused := 0, 0
	for i := 0; refused < 3 && i < 2000; i++ {
		switch a := r.call(r.key, "POST", permissions, newPermission(fmt.Sprint("p", i))); a.status {
		case 201:
			acknowledged++
		case 503:
			refused++
			if a.body["code"] != "temporarily_unavailable" || a.header.Get("Retry-After") == "" {
				t.Errorf("503 with %s, Retry-After %q", a.raw, a.header.Get("Retry-After"))
			}
		default:
			t.Fatalf("a write on a full disk: %d %s\n%s", a.status, a.raw, r.log)
		}
	}
	if refused == 0 {
		t.Fatal("the disk did not become full")
	}
	r.want(200, r.call(r.key, "GET", permissions+"/first", ""))
	r.want(200, r.call(r.key, "GET", roles, ""))

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	r.until(201, r.key, "POST", permissions, newPermission("after"))
	r.want(200, r.call("", "GET", "/readyz", ""))
	for i := range acknowledged {
		r.want(200, r.call(r.key, "GET", permissions+"/"+fmt.Sprint("p", i), ""))
	}
	r.stop()
}

// fill writes until nothing more fits.
func fill(t *testing.T, folder string) string {
	t.Helper()
	f, err := os.Create(filepath.Join(folder, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{1 << 16, 1 << 12, 1} {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	return f.Name()
}

// While PostgreSQL is away everything that needs it is answered 503, and /readyz says so; when it is back, so is the
// server, without a restart.
func TestLostPostgreSQL(t *testing.T) {
	t.Parallel()
	cluster := pgtest.Start(t)
	r := start(t, server.Config{Database: cluster.URL()})
	r.want(201, r.call(r.key, "POST", permissions, newPermission("before")))
	for round := range 2 {
		cluster.Stop(t)
		for _, path := range []string{roles, permissions + "/before", "/events"} {
			a := r.want(503, r.call(r.key, "GET", path, ""))
			if a.body["code"] != "temporarily_unavailable" || a.header.Get("Retry-After") == "" || a.header.Get("X-Request-ID") == "" {
				t.Errorf("503 with %s %v", a.raw, a.header)
			}
		}
		r.want(503, r.call(r.key, "POST", permissions, newPermission("during")))
		r.want(503, r.call("", "GET", "/readyz", ""))
		r.want(200, r.call("", "GET", "/healthz", ""))
		cluster.Restart(t)
		r.until(200, "", "GET", "/readyz", "")
		r.until(200, r.key, "GET", permissions+"/before", "")
		r.want(404, r.call(r.key, "GET", permissions+"/during", ""))
		r.until(201, r.key, "POST", permissions, newPermission(fmt.Sprint("after", round)))
	}
	r.stop()
}

// A request under way when the server is told to stop is finished; new ones find nobody; the server ends without an
// error.
func TestDraining(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		r := start(t, server.Config{Database: database})
		conn, err := net.Dial("tcp", strings.TrimPrefix(r.address, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		body := newPermission("late")
		// The server answers 100 as soon as the handler reads the body, and so is in the middle of the request.
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n", permissions, r.key, len(body))
		interim := make([]byte, len("HTTP/1.1 100 Continue\r\n\r\n"))
		if _, err := io.ReadFull(conn, interim); err != nil || !strings.Contains(string(interim), "100") {
			t.Fatalf("%q, %v", interim, err)
		}
		r.cancel()
		r.log.await(t, "the order to stop", func(s string) bool { return strings.Contains(s, "stopping") })
		fmt.Fprint(conn, body)
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 201") {
			t.Errorf("the request under way: %q, %v", answer, err)
		}
		r.stop()
		if _, err := r.attempt(r.key, "GET", roles, ""); err == nil {
			t.Error("somebody still listens")
		}
		again := start(t, server.Config{Database: database})
		again.want(200, again.call(r.key, "GET", permissions+"/late", ""))
	})
}
