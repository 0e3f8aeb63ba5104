// Package pgtest gives tests a real PostgreSQL.
//
// It owns the servers: it finds the binaries of the machine, makes a cluster
// in a temporary folder, reachable on loopback with a password that nobody
// else knows, and sees to it that neither process nor folder outlives the
// tests. Most tests share one server and take a schema of their own from URL;
// a test that breaks its server takes a whole one from Start.
//
// Tables and their contents it leaves to the tests. What PostgreSQL keeps per
// database and not per schema is shared by all tests of a process: advisory
// locks and the channels of NOTIFY.
package pgtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/rolecall/rolecall/internal/testneed"
)

// statementTime is how long making or dropping a schema may take on a busy
// machine. Dropping waits for locks, so a connection left open in a
// transaction shows as an error here instead of a hanging test.
const statementTime = 30 * time.Second

// shared is the one cluster of this test process, started when the first test
// asks for it. It is a variable of the package because TestMain, which stops
// it, has no other way to reach what a test has started.
var shared struct {
	once    sync.Once
	cluster *Cluster
	err     error
}

// Main runs the tests of a package and stops the shared server after them. A
// package that calls URL has it as its TestMain:
//
//	func TestMain(m *testing.M) { pgtest.Main(m) }
func Main(m *testing.M) {
	code := m.Run()
	// Nothing can be starting it any more, all tests are over.
	if c := shared.cluster; c != nil {
		if err := c.Remove(); err != nil {
			fmt.Fprintln(os.Stderr, "pgtest:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// URL returns a postgres:// URL whose search_path is a fresh schema, dropped
// when the test ends. Close what is opened with it before that: a Cleanup
// registered after this call is early enough.
//
// The server is the one that ROLECALL_TEST_POSTGRES names (a postgres:// URL),
// otherwise a private one. Where there is neither, the test ends here.
func URL(tb testing.TB) string {
	tb.Helper()
	server, err := serverURL()
	fail(tb, err)

	schema := "test_" + strings.ToLower(rand.Text())
	if err := execute(server, "CREATE SCHEMA "+schema); err != nil {
		tb.Fatalf("cannot make a schema: %v", err)
	}
	tb.Cleanup(func() {
		if err := execute(server, "DROP SCHEMA "+schema+" CASCADE"); err != nil {
			tb.Errorf("cannot drop schema %s, is a connection still open? %v", schema, err)
		}
	})

	u, err := url.Parse(server)
	if err != nil {
		tb.Fatalf("cannot read the server's URL: %v", err)
	}
	query := u.Query()
	query.Set("search_path", schema)
	u.RawQuery = query.Encode()
	return u.String()
}

// serverURL is the server that all calls of URL make their schemas in.
func serverURL() (string, error) {
	if server := os.Getenv("ROLECALL_TEST_POSTGRES"); server != "" {
		return server, nil
	}
	shared.once.Do(func() { shared.cluster, shared.err = New() })
	if shared.err != nil {
		return "", shared.err
	}
	return shared.cluster.URL(), nil
}

// fail ends the test when err says so: as a need that is not met where the
// machine has no PostgreSQL, as a failure otherwise.
func fail(tb testing.TB, err error) {
	tb.Helper()
	if missing, ok := errors.AsType[missingError](err); ok {
		testneed.Missing(tb, "PostgreSQL", string(missing))
	}
	if err != nil {
		tb.Fatalf("cannot start PostgreSQL: %v", err)
	}
}

// execute runs one statement over a connection of its own.
func execute(server, statement string) error {
	db, err := sql.Open("pgx", server)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), statementTime)
	defer cancel()
	_, err = db.ExecContext(ctx, statement)
	return err
}
