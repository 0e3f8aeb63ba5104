package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/pgtest"
	"github.com/rolecall/rolecall/internal/server"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// patience is how long something may take that happens at once on an idle machine.
const patience = 60 * time.Second

// running is a server in this process, with everything that it wrote.
type running struct {
	tb          testing.TB
	address     string // http://host:port
	key         string // the one it printed, if any
	metrics     string
	environment string
	dashboard   string // the link for the first owner, if any
	try         []string
	out, log    *transcript

	cancel context.CancelFunc
	ended  chan error
}

// transcript is what a server writes, kept while it is written.
type transcript struct {
	mu      sync.Mutex
	written bytes.Buffer
	lines   chan struct{} // gets a value, or is full, after each write
}

func newTranscript() *transcript { return &transcript{lines: make(chan struct{}, 1)} }

func (t *transcript) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case t.lines <- struct{}{}:
	default:
	}
	return t.written.Write(b)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.written.String()
}

// await waits until the transcript satisfies a condition.
func (t *transcript) await(tb testing.TB, what string, done func(string) bool) {
	tb.Helper()
	end := time.After(patience)
	for !done(t.String()) {
		select {
		case <-t.lines:
		case <-end:
			tb.Fatalf("waiting for %s in:\n%s", what, t)
		}
	}
}

// start runs a server until the test ends or stops it.
func start(tb testing.TB, c server.Config) *running {
	tb.Helper()
	r, err := try(tb, c)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// try runs a server, or says why it did not start.
func try(tb testing.TB, c server.Config) (*running, error) {
	tb.Helper()
	r := &running{tb: tb, out: newTranscript(), log: newTranscript(), ended: make(chan error, 1)}
	c.Out, c.Err, c.JSON, c.Version = r.out, r.log, true, "test"
	if c.Listen == "" {
		c.Listen = "127.0.0.1:0"
	}
	var ctx context.Context
	ctx, r.cancel = context.WithCancel(context.Background())
	go func() { r.ended <- server.Run(ctx, c) }()
	end := time.After(patience)
	for !strings.Contains(r.out.String(), "\n") {
		select {
		case <-r.out.lines:
		case err := <-r.ended:
			r.cancel()
			if err == nil {
				err = errors.New("the server ended without a word")
			}
			return r, err
		case <-end:
			r.cancel()
			tb.Fatalf("the server does not start: %s", r.log)
		}
	}
	var news struct {
		Address     string
		Metrics     string
		Environment string
		APIKey      string `json:"api_key"`
		Dashboard   string
		Try         []string
	}
	if err := json.Unmarshal([]byte(r.out.String()), &news); err != nil {
		r.cancel()
		return r, err
	}
	r.address, r.metrics, r.key, r.environment, r.dashboard, r.try = news.Address, news.Metrics, news.APIKey, news.Environment, news.Dashboard, news.Try
	tb.Cleanup(func() {
		if r.cancel != nil {
			r.stop()
		}
	})
	return r, nil
}

// stop ends the server in good order.
func (r *running) stop() {
	r.tb.Helper()
	r.cancel()
	r.cancel = nil
	select {
	case err := <-r.ended:
		if err != nil {
			r.tb.Errorf("the server ended with %v", err)
		}
	case <-time.After(patience):
		r.tb.Fatalf("the server does not stop: %s", r.log)
	}
}

// reply is what a server answered.
type reply struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

// call sends a request with a key; a body of "" sends none.
func (r *running) call(key, method, path, body string, headers ...string) reply {
	r.tb.Helper()
	a, err := r.attempt(key, method, path, body, headers...)
	if err != nil {
		r.tb.Fatalf("%s %s: %v", method, path, err)
	}
	return a
}

func (r *running) attempt(key, method, path, body string, headers ...string) (reply, error) {
	req, err := http.NewRequest(method, r.address+path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return reply{}, err
	}
	a := reply{status: resp.StatusCode, header: resp.Header, raw: string(raw)}
	if len(raw) > 0 && json.Unmarshal(raw, &a.body) != nil {
		return reply{}, errors.New("not JSON: " + string(raw))
	}
	return a, nil
}

// want fails the test unless a reply has a status.
func (r *running) want(status int, a reply) reply {
	r.tb.Helper()
	if a.status != status {
		r.tb.Fatalf("status %d, want %d: %s\n%s", a.status, status, a.raw, r.log)
	}
	return a
}

// until repeats a request until it has a status: it follows what happens outside of the server, such as a database that
// comes back, which nothing tells it.
func (r *running) until(status int, key, method, path, body string) reply {
	r.tb.Helper()
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	end := time.After(patience)
	for {
		a, err := r.attempt(key, method, path, body)
		if err == nil && a.status == status {
			return a
		}
		select {
		case <-retry.C:
		case <-end:
			r.tb.Fatalf("%s %s does not answer %d: %v %s\n%s", method, path, status, err, a.raw, r.log)
		}
	}
}

func sqliteFile(tb testing.TB) string { return filepath.Join(tb.TempDir(), "rolecall.db") }

const (
	roles       = "/authorization/roles"
	permissions = "/authorization/permissions"
)

func newPermission(slug string) string { return `{"slug":"` + slug + `","name":"n"}` }
