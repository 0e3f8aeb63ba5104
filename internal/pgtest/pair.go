package pgtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A Pair is a PostgreSQL server and a standby that confirms each of its
// commits, so that nothing that was acknowledged is lost with the first.
type Pair struct {
	Primary, Standby *Cluster
}

// small keeps servers of a pair, of which a test has two, from taking much of
// the machine. Shared memory is in the data folder, where a kill leaves none
// behind.
var small = []string{"shared_buffers=16MB", "max_wal_size=128MB", "dynamic_shared_memory_type=mmap"}

const standbyName = "standby"

// StartPair makes a pair for one test. It is removed when the test ends.
func StartPair(tb testing.TB) *Pair {
	tb.Helper()
	p := &Pair{}
	tb.Cleanup(func() {
		for _, c := range []*Cluster{p.Standby, p.Primary} {
			if c == nil {
				continue
			}
			if err := c.Remove(); err != nil {
				tb.Error(err)
			}
		}
	})
	fail(tb, p.start())
	return p
}

func (p *Pair) start() error {
	password := rand.Text()
	var err error
	if p.Primary, err = empty(password, small...); err != nil {
		return err
	}
	if !program(filepath.Join(p.Primary.binaries, "pg_basebackup")) {
		return missingError("no pg_basebackup beside initdb and postgres")
	}
	if err := p.Primary.initialize(); err != nil {
		return err
	}
	if err := p.Primary.startOnFreePort(); err != nil {
		return err
	}
	if p.Standby, err = empty(password, append([]string{"cluster_name=" + standbyName}, small...)...); err != nil {
		return err
	}
	if err := p.copy(); err != nil {
		return err
	}
	if err := p.Standby.startOnFreePort(); err != nil {
		return err
	}
	return p.synchronize()
}

// copy makes the standby's data, with how it follows the primary.
func (p *Pair) copy() error {
	secret := filepath.Join(p.Standby.folder, "password")
	line := fmt.Sprintf("127.0.0.1:%d:*:%s:%s\n", p.Primary.port, superuser, p.Primary.password)
	if err := os.WriteFile(secret, []byte(line), 0o600); err != nil {
		return err
	}
	if err := p.Standby.owner.own(secret); err != nil {
		return err
	}
	return p.Standby.run("pg_basebackup", "--checkpoint=fast", "--no-sync", "--write-recovery-conf",
		"--create-slot", "--slot="+standbyName, "--pgdata="+p.Standby.data(),
		fmt.Sprintf("--dbname=host=127.0.0.1 port=%d user=%s passfile=%s sslmode=disable", p.Primary.port, superuser, secret))
}

// synchronize has the primary wait for the standby from now on. The standby
// does not inherit that: promoted, it is alone.
func (p *Pair) synchronize() error {
	db, err := sql.Open("pgx", p.Primary.URL())
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), readyTime)
	defer cancel()
	for _, statement := range []string{"ALTER SYSTEM SET synchronous_standby_names = '" + standbyName + "'", "SELECT pg_reload_conf()"} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	retry := time.NewTicker(retryTime)
	defer retry.Stop()
	for {
		var attached int
		err := db.QueryRowContext(ctx, "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'").Scan(&attached)
		if err != nil {
			return fmt.Errorf("waiting for the standby: %w\n%s", err, p.Standby.logTail())
		}
		if attached > 0 {
			return nil
		}
		<-retry.C
	}
}

// URL is the address of the pair: of whichever of the two takes writes. It
// stays the same over everything that happens to them.
func (p *Pair) URL() string {
	u, err := url.Parse(p.Primary.URL())
	if err != nil {
		panic(err) // made by us
	}
	u.Host = fmt.Sprintf("127.0.0.1:%d,127.0.0.1:%d", p.Primary.port, p.Standby.port)
	u.RawQuery += "&target_session_attrs=read-write"
	return u.String()
}

// Promote makes the standby take writes, and returns when it does.
func (p *Pair) Promote(tb testing.TB) {
	tb.Helper()
	if err := execute(p.Standby.URL(), "SELECT pg_promote(true)"); err != nil {
		tb.Fatalf("cannot promote the standby: %v", err)
	}
}

// Freeze stops all processes of a server in the middle of what they do. Their
// connections stay open, and nothing answers, until Kill.
func (c *Cluster) Freeze(tb testing.TB) {
	tb.Helper()
	if c.server == nil {
		tb.Fatal("the server does not run")
	}
	for _, id := range family(c.server.cmd.Process.Pid) {
		if err := syscall.Kill(id, syscall.SIGSTOP); err != nil && !errors.Is(err, syscall.ESRCH) {
			tb.Fatal(err)
		}
	}
}

// Kill ends a server with SIGKILL, and all its processes with it. When it
// returns no process is left.
func (c *Cluster) Kill(tb testing.TB) {
	tb.Helper()
	server := c.server
	if server == nil {
		tb.Fatal("the server does not run")
	}
	c.server = nil
	leavings := c.kernelMemory()
	for _, id := range family(server.cmd.Process.Pid) {
		_ = syscall.Kill(id, syscall.SIGKILL) // an error here means that it has ended already
	}
	<-server.ended
	leavings()
}
