package pgtest

import (
	"bufio"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) { Main(m) }

func TestURLsAreIsolated(t *testing.T) {
	t.Parallel()
	first, second := open(t, URL(t)), open(t, URL(t))
	for i, db := range []*sql.DB{first, second} {
		run(t, db, "CREATE TABLE thing (id bigint)")
		for range i + 1 {
			run(t, db, "INSERT INTO thing VALUES (1)")
		}
	}
	for i, db := range []*sql.DB{first, second} {
		if got := count(t, db, "SELECT count(*) FROM thing"); got != i+1 {
			t.Errorf("schema %d has %d rows, want %d: the schemas are not apart", i, got, i+1)
		}
	}
}

func TestSchemaIsDroppedWithItsTest(t *testing.T) {
	t.Parallel()
	db := open(t, URL(t))
	var schema string
	t.Run("owner", func(t *testing.T) {
		u, err := url.Parse(URL(t))
		if err != nil {
			t.Fatal(err)
		}
		schema = u.Query().Get("search_path")
		run(t, db, "CREATE TABLE "+schema+".thing (id bigint)")
	})
	if got := count(t, db, "SELECT count(*) FROM pg_namespace WHERE nspname = $1", schema); got != 0 {
		t.Errorf("schema %s is still there after its test", schema)
	}
}

func TestServerOfAnotherOwner(t *testing.T) {
	c := Start(t)
	t.Setenv("ROLECALL_TEST_POSTGRES", c.URL()+"&application_name=tests")
	u, err := url.Parse(URL(t))
	if err != nil {
		t.Fatal(err)
	}
	db := open(t, u.String())
	if got := count(t, db, "SELECT count(*) FROM pg_namespace WHERE nspname = current_schema() AND nspname LIKE 'test_%'"); got != 1 {
		t.Error("URL did not make its schema in the server that was named")
	}
	if u.Query().Get("application_name") != "tests" {
		t.Errorf("URL dropped a parameter of the server's URL: %s", u.Redacted())
	}
}

func TestClusterIsDurableAndPrivate(t *testing.T) {
	t.Parallel()
	db := open(t, Start(t).URL())
	for name, want := range map[string]string{
		"fsync": "on", "synchronous_commit": "on", "server_encoding": "UTF8",
		"listen_addresses": "127.0.0.1", "unix_socket_directories": "",
	} {
		var got string
		if err := db.QueryRow("SELECT current_setting($1)", name).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestClusterWantsItsPassword(t *testing.T) {
	t.Parallel()
	u, err := url.Parse(Start(t).URL())
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(u.User.Username(), "guess")
	if err := execute(u.String(), "SELECT 1"); err == nil {
		t.Error("a stranger on this machine can connect without the password")
	}
}

func TestStopAndRestart(t *testing.T) {
	t.Parallel()
	c := Start(t)
	address := c.URL()
	db := open(t, address)
	run(t, db, "CREATE TABLE thing (id bigint)")
	run(t, db, "INSERT INTO thing VALUES (1)")
	unfinished, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := unfinished.Exec("INSERT INTO thing VALUES (2)"); err != nil {
		t.Fatal(err)
	}

	c.Stop(t)
	if err := unfinished.Commit(); err == nil {
		t.Error("a transaction went on after Stop")
	}
	if err := db.Ping(); err == nil {
		t.Error("the server takes connections after Stop")
	}
	wantNoProcess(t, c.folder)

	c.Restart(t)
	if c.URL() != address {
		t.Errorf("the address changed from %s to %s", address, c.URL())
	}
	if got := count(t, db, "SELECT count(*) FROM thing"); got != 1 {
		t.Errorf("%d rows after a crash, want the one that was committed", got)
	}
}

func TestFailureShowsTheServersOwnWords(t *testing.T) {
	t.Parallel()
	c := Start(t)
	c.Stop(t)
	if err := os.WriteFile(filepath.Join(c.data(), "postgresql.conf"), []byte("nonsense = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := c.start()
	if err == nil || !strings.Contains(err.Error(), `unrecognized configuration parameter "nonsense"`) {
		t.Errorf("got %v, want what postgres printed", err)
	}
}

// TestNothingIsLeftBehind runs this test binary again, which starts clusters
// and ends: as it should, and killed.
func TestNothingIsLeftBehind(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends the server of a test process that was killed")
	}
	URL(t) // where there is no PostgreSQL the test ends here
	for _, end := range []string{"exit", "kill"} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			child := exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.v")
			child.Env = append(os.Environ(), "PGTEST_CHILD="+end, "ROLECALL_TEST_POSTGRES=")
			child.Stderr = os.Stderr
			stdin, err := child.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			stdout, err := child.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := child.Start(); err != nil {
				t.Fatal(err)
			}
			var folders []string
			lines := bufio.NewScanner(stdout)
			for len(folders) < 2 && lines.Scan() {
				if _, folder, ok := strings.Cut(lines.Text(), "cluster in "); ok {
					folders = append(folders, folder)
				}
			}
			if end == "kill" {
				if err := child.Process.Kill(); err != nil {
					t.Error(err)
				}
			}
			stdin.Close()
			_, _ = io.Copy(io.Discard, stdout)
			if err := child.Wait(); err != nil && end == "exit" {
				t.Error(err)
			}
			if len(folders) < 2 {
				t.Fatalf("the child told of %d clusters, want 2", len(folders))
			}
			for _, folder := range folders {
				wantNoProcess(t, folder)
				if _, err := os.Stat(folder); end == "exit" && !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("%s is still there", folder)
				}
				os.RemoveAll(folder)
			}
		})
	}
}

// TestChild is the other process of TestNothingIsLeftBehind.
func TestChild(t *testing.T) {
	if os.Getenv("PGTEST_CHILD") == "" {
		t.Skip("runs as a part of TestNothingIsLeftBehind")
	}
	URL(t)
	fmt.Println("cluster in " + shared.cluster.folder)
	fmt.Println("cluster in " + Start(t).folder)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the parent lets go
}

// wantNoProcess waits until no process works in the folder. PostgreSQL's
// processes stay in their data folder, and name themselves as they like. There
// is nothing to wait on for processes that are not ours, so it looks again.
func wantNoProcess(t *testing.T, folder string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		return
	}
	var left []string
	for deadline := time.Now().Add(stopTime); time.Now().Before(deadline); time.Sleep(retryTime) {
		left = left[:0]
		processes, err := filepath.Glob("/proc/[0-9]*")
		if err != nil {
			t.Fatal(err)
		}
		for _, process := range processes {
			cwd, err := os.Readlink(process + "/cwd")
			if err == nil && strings.HasPrefix(cwd, folder) {
				left = append(left, process)
			}
		}
		if len(left) == 0 {
			return
		}
	}
	t.Errorf("processes left in %s: %v", folder, left)
}

func open(t *testing.T, address string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func run(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.Exec(statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func count(t *testing.T, db *sql.DB, query string, arguments ...any) (n int) {
	t.Helper()
	if err := db.QueryRow(query, arguments...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}
