package pgtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	superuser = "rolecall"

	// readyTime covers initdb's work being written out and, on a restart, the
	// recovery from a crash, on a machine that is busy with other tests.
	readyTime = 60 * time.Second
	// stopTime is how long PostgreSQL may take to end before it is killed. It
	// gives its own children five seconds itself.
	stopTime = 20 * time.Second
	// retryTime lies between two tries to connect to a server that starts.
	retryTime = 20 * time.Millisecond

	// Ports are taken from below the range that systems hand out to outgoing
	// connections (from 32768 on Linux, from 49152 elsewhere), so that a
	// cluster that is stopped gets its own port back on a restart.
	lowestPort, portCount = 20000, 12000
	portTries             = 20
)

// A Cluster is a PostgreSQL server of its own, with its data. Its methods are
// called from one goroutine.
type Cluster struct {
	binaries string   // folder of initdb and postgres
	owner    *account // who runs them; nil is the user of the test
	folder   string
	password string
	port     int
	settings []string // of the server, as NAME=VALUE, beside those that every cluster has
	server   *process // nil while stopped
}

// Start makes a cluster for one test that needs to stop it. It is removed when
// the test ends.
func Start(tb testing.TB) *Cluster {
	tb.Helper()
	c, err := New()
	fail(tb, err)
	tb.Cleanup(func() {
		if err := c.Remove(); err != nil {
			tb.Error(err)
		}
	})
	return c
}

// URL is the address of the cluster's database, as its superuser. It stays the
// same over Stop and Restart.
func (c *Cluster) URL() string {
	u := url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(superuser, c.password),
		Host:     net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)),
		Path:     "/postgres",
		RawQuery: "sslmode=disable",
	}
	return u.String()
}

// Stop ends the server as a crash would: connections break in the middle of
// what they do, nothing is flushed. When it returns no process is left.
// Stopping a stopped server does nothing.
func (c *Cluster) Stop(tb testing.TB) {
	tb.Helper()
	if err := c.stop(); err != nil {
		tb.Fatal(err)
	}
}

// Restart starts the stopped server again, on the same port and data, and
// returns when it takes connections.
func (c *Cluster) Restart(tb testing.TB) {
	tb.Helper()
	if c.server != nil {
		tb.Fatal("the server runs: stop it first")
	}
	if err := c.start(); err != nil {
		tb.Fatalf("cannot restart PostgreSQL: %v", err)
	}
}

// New makes a cluster and starts it, for a program that is no test and ends it
// with Remove. After an error nothing is left of it.
func New() (*Cluster, error) {
	c, err := empty(rand.Text())
	if err != nil {
		return nil, err
	}
	err = c.initialize()
	if err == nil {
		err = c.startOnFreePort()
	}
	if err != nil {
		return nil, errors.Join(err, c.Remove())
	}
	return c, nil
}

// empty makes the folder of a cluster.
func empty(password string, settings ...string) (*Cluster, error) {
	binaries, err := findBinaries()
	if err != nil {
		return nil, err
	}
	owner, err := serverAccount()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp(temporaryFolder(owner), "rolecall-postgres-")
	if err != nil {
		return nil, err
	}
	c := &Cluster{binaries: binaries, owner: owner, folder: folder, password: password, settings: settings}
	if err := owner.own(folder); err != nil {
		return nil, errors.Join(err, c.Remove())
	}
	return c, nil
}

// initialize writes the data folder. Loopback is open to every user of the
// machine, so connections need the password.
func (c *Cluster) initialize() error {
	secret := filepath.Join(c.folder, "password")
	if err := os.WriteFile(secret, []byte(c.password+"\n"), 0o600); err != nil {
		return err
	}
	defer os.Remove(secret)
	if err := c.owner.own(secret); err != nil {
		return err
	}
	// --no-sync: what initdb writes need not survive the machine. It does not
	// touch the setting fsync of the server, which stays on.
	return c.run("initdb", "--no-locale", "-E", "UTF8", "-U", superuser,
		"--auth=scram-sha-256", "--pwfile="+secret, "--no-sync", "-D", c.data())
}

// run runs a program of PostgreSQL to its end.
func (c *Cluster) run(program string, arguments ...string) error {
	p, err := c.launch(program, arguments...)
	if err != nil {
		return fmt.Errorf("%s: %w", program, err)
	}
	<-p.ended
	if p.err != nil {
		return fmt.Errorf("%s: %w\n%s", program, p.err, c.logTail())
	}
	return nil
}

// startOnFreePort starts the server for the first time. Between finding a port
// free and taking it somebody else may have taken it; then another is tried.
func (c *Cluster) startOnFreePort() (err error) {
	for range portTries {
		c.port = lowestPort + mathrand.IntN(portCount)
		listener, listenErr := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)))
		if listenErr != nil {
			err = listenErr
			continue
		}
		listener.Close()
		if err = c.start(); err == nil || !strings.Contains(err.Error(), "Address already in use") {
			return err
		}
	}
	return err
}

// start runs the server on its port and waits until it takes connections.
func (c *Cluster) start() error {
	arguments := []string{"-D", c.data()}
	for _, setting := range append([]string{
		"listen_addresses=127.0.0.1", "port=" + strconv.Itoa(c.port), "unix_socket_directories=", "max_connections=200",
	}, c.settings...) {
		arguments = append(arguments, "-c", setting)
	}
	server, err := c.launch("postgres", arguments...)
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	c.server = server
	if err := c.ready(); err != nil {
		err = fmt.Errorf("%w\n%s", err, c.logTail())
		return errors.Join(err, c.stop())
	}
	return nil
}

// ready waits for the first connection that succeeds.
func (c *Cluster) ready() error {
	db, err := sql.Open("pgx", c.URL())
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), readyTime)
	defer cancel()
	retry := time.NewTicker(retryTime)
	defer retry.Stop()
	for {
		lastErr := db.PingContext(ctx)
		if lastErr == nil {
			return nil
		}
		select {
		case <-c.server.ended:
			return fmt.Errorf("postgres ended: %w", c.server.err)
		case <-ctx.Done():
			return fmt.Errorf("postgres takes no connections after %v: %w", readyTime, lastErr)
		case <-retry.C:
		}
	}
}

// stop is PostgreSQL's "immediate shutdown", and returns when it is gone.
func (c *Cluster) stop() error {
	server := c.server
	if server == nil {
		return nil
	}
	c.server = nil
	// An error here means that it has ended already.
	_ = server.cmd.Process.Signal(syscall.SIGQUIT)
	select {
	case <-server.ended:
		return nil
	case <-time.After(stopTime):
		_ = server.cmd.Process.Kill()
		<-server.ended
		return fmt.Errorf("postgres did not stop within %v and was killed\n%s", stopTime, c.logTail())
	}
}

// Remove stops the server and deletes the data.
func (c *Cluster) Remove() error {
	return errors.Join(c.stop(), os.RemoveAll(c.folder))
}

func (c *Cluster) data() string { return filepath.Join(c.folder, "data") }
func (c *Cluster) log() string  { return filepath.Join(c.folder, "log") }

// logTail is the end of what initdb and postgres have printed.
func (c *Cluster) logTail() string {
	const most = 4096
	f, err := os.Open(c.log())
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > most {
		_, _ = f.Seek(-most, io.SeekEnd)
	}
	text, _ := io.ReadAll(f)
	return string(text)
}

// launch starts a program of PostgreSQL as the cluster's owner, with what it
// prints appended to the log.
func (c *Cluster) launch(program string, arguments ...string) (*process, error) {
	log, err := os.OpenFile(c.log(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the program has its own copy
	cmd := exec.Command(filepath.Join(c.binaries, program), arguments...)
	cmd.Dir = c.folder // the test's own may be closed to the owner
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC", "PATH=" + os.Getenv("PATH")}
	cmd.SysProcAttr = attributes(c.owner)
	return launch(cmd)
}
