// Package sdk_test lets the official WorkOS SDK for Node drive a real server:
// the scenarios are the *.test.mjs files beside this one.
//
// To run one of them by hand, start a server with an empty database and
//
//	ROLECALL_ADDRESS=http://127.0.0.1:8080 ROLECALL_API_KEY=sk_... node --test events.test.mjs
package sdk_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	// The server is built and run as a program of its own. This import makes it
	// a part of what "go test" compares before it answers from its cache.
	_ "github.com/rolecall/rolecall/internal/cli"
	"github.com/rolecall/rolecall/internal/pgtest"
	"github.com/rolecall/rolecall/internal/testneed"
)

// Far more than is needed on a slow machine: a hang must end before the whole
// "go test" is ended, which would leave servers behind.
const (
	scenarioTime = 3 * time.Minute
	startTime    = 30 * time.Second
	stopTime     = 30 * time.Second
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// TestSDK runs every scenario file on both databases. Each file has a server
// with a fresh database for itself, so that it may count on what lists hold,
// and change what belongs to the whole environment.
func TestSDK(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs many servers and waits for retries of the SDK")
	}
	node, folder := testneed.NodeSDK(t)
	scenarios, err := filepath.Glob(filepath.Join(folder, "*.test.mjs"))
	if err != nil || len(scenarios) == 0 {
		t.Fatalf("no scenarios in %s: %v", folder, err)
	}
	binary := build(t)

	databases := []struct {
		name string
		url  func(*testing.T) string
	}{
		{"SQLite", func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "rolecall.db") }},
		{"PostgreSQL", func(t *testing.T) string { return pgtest.URL(t) }},
	}
	for _, database := range databases {
		t.Run(database.name, func(t *testing.T) {
			for _, scenario := range scenarios {
				name := filepath.Base(scenario)
				t.Run(strings.TrimSuffix(name, ".test.mjs"), func(t *testing.T) {
					t.Parallel()
					s := start(t, binary, database.url(t))
					runScenario(t, node, folder, name, s)
				})
			}
		})
	}
}

func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "rolecall")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	out, err := exec.Command("go", "build", "-o", binary, "github.com/rolecall/rolecall/cmd/rolecall").CombinedOutput()
	if err != nil {
		t.Fatalf("cannot build the server: %v\n%s", err, out)
	}
	return binary
}

// runScenario runs one file under Node's test runner, in Node's own process: a
// child of it would outlive a scenario that hangs.
func runScenario(t *testing.T, node, folder, file string, s *server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), scenarioTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "--test-reporter=spec", file)
	cmd.Dir = folder
	cmd.Env = environment("ROLECALL_ADDRESS="+s.address, "ROLECALL_API_KEY="+s.key, "NO_COLOR=1")
	cmd.WaitDelay = 5 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if ctx.Err() != nil {
		err = fmt.Errorf("ended after %v: %w", scenarioTime, err)
	}
	if err != nil {
		t.Errorf("%s: %v\n%s\nThe server's log:\n%s", file, err, out.Bytes(), s.log.tail(40))
		return
	}
	t.Logf("%s", out.Bytes())
}

// A server is a running "rolecall serve" with a database for itself.
type server struct {
	address, key string
	log          *record
}

// start runs a server until the test ends, and then requires of it that it ends
// in good order, that nothing went wrong inside of it, and that it kept its key
// out of its log.
func start(t *testing.T, binary, database string) *server {
	t.Helper()
	s := &server{key: "sk_test_" + rand.Text(), log: new(record)}
	cmd := exec.Command(binary, "serve", "--json", "--webhook-allow-private") // receivers are on this machine
	cmd.Env = environment("ROLECALL_LISTEN=127.0.0.1:0", "ROLECALL_DATABASE="+database, "ROLECALL_API_KEY="+s.key)
	cmd.Stderr = s.log
	cmd.WaitDelay = 5 * time.Second
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("cannot start the server: %v", err)
	}
	t.Cleanup(func() { s.stop(t, cmd) })

	defer endAfter(startTime, cmd).Stop()
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		t.Fatalf("the server did not say within %v where it listens: %v\n%s", startTime, err, s.log.tail(200))
	}
	var news struct {
		Address string `json:"address"`
	}
	if err := json.Unmarshal(line, &news); err != nil || news.Address == "" {
		t.Fatalf("the server announced itself with %q: %v", line, err)
	}
	s.address = news.Address
	return s
}

func (s *server) stop(t *testing.T, cmd *exec.Cmd) {
	err := cmd.Process.Signal(syscall.SIGTERM)
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("cannot ask the server to stop: %v", err)
		_ = cmd.Process.Kill()
	}
	defer endAfter(stopTime, cmd).Stop()
	if err := cmd.Wait(); err != nil {
		t.Errorf("after SIGTERM the server must end with exit code 0, got %v\n%s", err, s.log.tail(200))
	}
	if strings.Contains(s.log.String(), s.key) {
		t.Error("the API key is in the server's log")
	}
	for _, line := range strings.Split(s.log.String(), "\n") {
		if strings.Contains(line, `"level":"ERROR"`) {
			t.Errorf("the server logged an error: %s", line)
		}
	}
}

// endAfter ends a program that hangs, which makes a Go program write to its log
// where it hangs.
func endAfter(limit time.Duration, cmd *exec.Cmd) *time.Timer {
	return time.AfterFunc(limit, func() {
		if cmd.Process.Signal(syscall.SIGQUIT) != nil {
			_ = cmd.Process.Kill()
		}
	})
}

// environment is the environment of this process with what could lead a server
// or an SDK elsewhere taken out.
func environment(more ...string) []string {
	var kept []string
	for _, setting := range os.Environ() {
		if !strings.HasPrefix(setting, "ROLECALL_") && !strings.HasPrefix(setting, "WORKOS_") && !strings.HasPrefix(setting, "NODE_") {
			kept = append(kept, setting)
		}
	}
	return append(kept, more...)
}

// A record keeps what a process writes. It may be read at the same time.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(b)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// tail returns the last lines, at most n.
func (r *record) tail(n int) string {
	lines := strings.SplitAfter(r.String(), "\n")
	return strings.Join(lines[max(0, len(lines)-n-1):], "")
}
