package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// readyTime bounds a start, on a machine that is busy with other things.
	readyTime = 30 * time.Second
	// stopTime bounds an end in good order, which is the server's own bound and a little more.
	stopTime = 25 * time.Second
)

// build makes the binary as "make build" does.
func (b *bench) build(ctx context.Context) error {
	b.say("building the binary")
	b.binary = filepath.Join(b.folder, "rolecall")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", b.binary,
		"github.com/rolecall/rolecall/cmd/rolecall")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the binary (run this inside the repository): %w\n%s", err, out)
	}
	return nil
}

// process is one that serves HTTP on loopback.
type process struct {
	cmd       *exec.Cmd
	ended     chan error
	Address   string `json:"address"`   // http://host:port
	Dashboard string `json:"dashboard"` // where the first owner comes in; empty where there is one
}

// serve starts Rolecall on a database. Its log, a line for every request, is written and thrown away; where it ends
// instead of serving it is started once more to hear why.
func (b *bench) serve(ctx context.Context, d database) (*process, error) {
	s, err := b.launch(ctx, d, nil)
	if err == nil || ctx.Err() != nil {
		return s, err
	}
	var log bytes.Buffer
	if s, err = b.launch(ctx, d, &log); err == nil {
		return s, nil
	}
	return nil, fmt.Errorf("rolecall serve on %s: %w\n%s", d.Name, err, log.Bytes())
}

func (b *bench) launch(ctx context.Context, d database, log io.Writer) (*process, error) {
	cmd := exec.Command(b.binary, "serve", "--listen", "127.0.0.1:0", "--json")
	cmd.Env = append(os.Environ(), "ROLECALL_DATABASE="+d.location, "ROLECALL_WEBHOOK_ALLOW_PRIVATE=true") // the receiver is here
	cmd.Stderr = log
	return launch(ctx, cmd)
}

// launch starts a program that announces its address as JSON on its first line, and returns when it is ready.
func launch(ctx context.Context, cmd *exec.Cmd) (*process, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, ended: make(chan error, 1)}
	announced := make(chan error, 1)
	go func() {
		lines := bufio.NewReader(stdout)
		line, err := lines.ReadBytes('\n')
		if err == nil {
			err = json.Unmarshal(line, p)
		}
		announced <- err
		_, _ = io.Copy(io.Discard, lines)
		p.ended <- cmd.Wait()
	}()
	select {
	case err = <-announced:
	case <-ctx.Done():
		err = errors.Join(ctx.Err(), cmd.Process.Kill())
		<-announced
	}
	if err == nil {
		err = p.ready(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// ready asks until the answer is 200, which it is the first time when the address is announced late enough.
func (p *process) ready(ctx context.Context) error {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Address+"/readyz", nil)
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond):
		}
	}
}

// stop ends the process in good order, or else at once.
func (p *process) stop() error {
	// An error here means that it has ended already.
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-p.ended:
		return err
	case <-time.After(stopTime):
		_ = p.cmd.Process.Kill()
		<-p.ended
		return fmt.Errorf("process %d did not end within %v and was killed", p.cmd.Process.Pid, stopTime)
	}
}
