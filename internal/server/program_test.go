package server_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestProgram runs the program itself, as its users do.
func TestProgram(t *testing.T) {
	t.Parallel()
	program := built(t)
	for name, test := range map[string]func(*testing.T, string){
		"SIGTERM":               func(t *testing.T, p string) { stopped(t, p, syscall.SIGTERM) },
		"SIGINT":                func(t *testing.T, p string) { stopped(t, p, os.Interrupt) },
		"environment variables": environmentVariables,
		"second server":         secondServer,
		"killed":                killed,
		"announcement":          announcement,
		"metrics":               metricsOfTheProgram,
		"traces":                tracesOfTheProgram,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, program)
		})
	}
}

// built builds the program.
func built(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "rolecall")
	if out, err := exec.Command("go", "build", "-o", program, "../../cmd/rolecall").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

// process is the program as a process.
type process struct {
	running
	cmd *exec.Cmd
}

// launch starts the program as a server and waits until it says where it listens.
func launch(t *testing.T, program string, environ []string, args ...string) *process {
	t.Helper()
	p := &process{running: running{tb: t, out: newTranscript(), log: newTranscript()}}
	p.cmd = exec.Command(program, append([]string{"serve", "--json"}, args...)...)
	p.cmd.Env = append([]string{"HOME=" + t.TempDir()}, environ...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.ended = make(chan error, 1)
	go func() { p.ended <- p.cmd.Wait() }()
	t.Cleanup(func() { p.cmd.Process.Kill() })
	p.out.await(t, "the address", func(s string) bool { return strings.Contains(s, "\n") })
	var news struct {
		Address, Metrics string
		APIKey           string `json:"api_key"`
	}
	if err := json.Unmarshal([]byte(p.out.String()), &news); err != nil {
		t.Fatalf("announced %s", p.out)
	}
	p.address, p.metrics, p.key = news.Address, news.Metrics, news.APIKey
	return p
}

// end waits for the process and returns its exit code.
func (p *process) end() int {
	p.tb.Helper()
	select {
	case err := <-p.ended:
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exit.ExitCode()
		}
		if err != nil {
			p.tb.Fatal(err)
		}
		return 0
	case <-time.After(patience):
		p.tb.Fatalf("the program does not end: %s", p.log)
		return -1
	}
}

// A signal lets the request under way finish and ends the program with 0.
func stopped(t *testing.T, program string, signal os.Signal) {
	p := launch(t, program, nil, "--listen", "127.0.0.1:0", "--database", "sqlite:"+sqliteFile(t))
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.address, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "POST "+permissions+" HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\nAuthorization: Bearer "+p.key+"\r\nContent-Length: 23\r\n\r\n")
	in := bufio.NewReader(conn)
	if line, err := in.ReadString('\n'); err != nil || !strings.Contains(line, "100 Continue") {
		t.Fatalf("%q, %v", line, err)
	}
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	p.log.await(t, "the order to stop", func(s string) bool { return strings.Contains(s, "stopping") })
	io.WriteString(conn, `{"slug":"a","name":"n"}`)
	answer, err := io.ReadAll(in)
	if err != nil || !strings.Contains(string(answer), "HTTP/1.1 201 Created") {
		t.Errorf("the request under way: %q, %v", answer, err)
	}
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d: %s", code, p.log)
	}
}

// Configuration by environment variables; without a database it is a file in the user's data directory.
func environmentVariables(t *testing.T, program string) {
	data := t.TempDir()
	environ := []string{"XDG_DATA_HOME=" + data, "ROLECALL_LISTEN=127.0.0.1:0", "ROLECALL_API_KEY=sk_test_from-the-environment"}
	p := launch(t, program, environ)
	if p.key != "" {
		t.Errorf("a key was made although one was chosen: %s", p.out)
	}
	p.want(200, p.call("sk_test_from-the-environment", "GET", roles, ""))
	if _, err := os.Stat(filepath.Join(data, "rolecall", "rolecall.db")); err != nil {
		t.Errorf("the database is not in the data directory: %v", err)
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	again := launch(t, program, append(environ, "ROLECALL_API_KEY=sk_test_another", "ROLECALL_DATABASE=sqlite:"+filepath.Join(data, "rolecall", "rolecall.db")))
	again.want(401, again.call("sk_test_another", "GET", roles, "")) // on the first start only
	again.want(200, again.call("sk_test_from-the-environment", "GET", roles, ""))
	if strings.Contains(p.out.String()+p.log.String()+again.out.String()+again.log.String(), "sk_test_") {
		t.Error("a key that was chosen is printed")
	}
}

// A second server on the same file says what to do and ends with 1.
func secondServer(t *testing.T, program string) {
	database := "sqlite:" + sqliteFile(t)
	launch(t, program, nil, "--listen", "127.0.0.1:0", "--database", database)
	out, err := exec.Command(program, "serve", "--listen", "127.0.0.1:0", "--database", database).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), "in use by another rolecall server") {
		t.Errorf("%v: %s", err, out)
	}
}

// A server that was killed starts again with everything that it had acknowledged.
func killed(t *testing.T, program string) {
	database := "sqlite:" + sqliteFile(t)
	p := launch(t, program, nil, "--listen", "127.0.0.1:0", "--database", database)
	for _, slug := range []string{"a", "b", "c"} {
		p.want(201, p.call(p.key, "POST", permissions, newPermission(slug)))
	}
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	p.end()
	again := launch(t, program, nil, "--listen", "127.0.0.1:0", "--database", database)
	for _, slug := range []string{"a", "b", "c"} {
		again.want(200, again.call(p.key, "GET", permissions+"/"+slug, ""))
	}
	events := again.want(200, again.call(p.key, "GET", "/events", ""))
	if got := len(events.body["data"].([]any)); got != 3 {
		t.Errorf("%d events: %s", got, events.raw)
	}
}

// For people the program prints the address, the key and, with the demo world, requests that work when pasted.
func announcement(t *testing.T, program string) {
	cmd := exec.Command(program, "serve", "--demo", "--listen", "127.0.0.1:0", "--database", "sqlite:"+sqliteFile(t))
	out := newTranscript()
	cmd.Stdout, cmd.Stderr = out, io.Discard
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}()
	out.await(t, "three requests to try", func(s string) bool { return strings.Count(s, "curl ") == 3 && strings.HasSuffix(s, "\n\n") })
	if !strings.Contains(out.String(), "listens on http://127.0.0.1:") || !strings.Contains(out.String(), "    sk_") {
		t.Errorf("announced:\n%s", out)
	}
	if _, err := exec.LookPath("curl"); err != nil {
		t.Logf("curl is not here, so the requests are not tried: %v", err)
		return
	}
	wants := []string{`"type":"OrganizationRole"`, `"object":"list"`, `{"authorized":`}
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, "curl ") {
			continue
		}
		answer, err := exec.Command("sh", "-c", line).Output()
		if err != nil || !strings.Contains(string(answer), wants[0]) {
			t.Errorf("%s answers %q, %v, want %s", line, answer, err, wants[0])
		}
		wants = wants[1:]
	}
}
