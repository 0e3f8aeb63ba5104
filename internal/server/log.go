package server

import (
	"context"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"
)

// A line of the log is written at once when it warns of something; others wait for company, a write being the most
// expensive thing about a line.
const (
	logPause = 100 * time.Millisecond // the longest that a line waits
	logRoom  = 32 << 10               // bytes that do not wait any longer
)

// logger writes text for people at a terminal and JSON elsewhere. flush writes what waits.
func logger(w io.Writer) (log *slog.Logger, flush func()) {
	out := &lines{out: w}
	var h slog.Handler = slog.NewJSONHandler(out, nil)
	if f, ok := w.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			h = slog.NewTextHandler(out, nil)
		}
	}
	return slog.New(prompt{h, out}), out.flush
}

// lines is lines that are written together.
type lines struct {
	out io.Writer

	mu      sync.Mutex
	waiting []byte
	timed   bool // a flush is due
}

// Write implements io.Writer. It never fails: who logs could not do anything about it.
func (l *lines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, line...)
	if len(l.waiting) >= logRoom {
		l.write()
	} else if !l.timed {
		l.timed = true
		time.AfterFunc(logPause, l.flush)
	}
	return len(line), nil
}

func (l *lines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timed = false
	l.write()
}

func (l *lines) write() {
	if len(l.waiting) > 0 {
		_, _ = l.out.Write(l.waiting)
		l.waiting = l.waiting[:0]
	}
}

// prompt is a handler whose warnings and errors do not wait.
type prompt struct {
	slog.Handler
	out *lines
}

// Handle implements slog.Handler.
func (p prompt) Handle(ctx context.Context, r slog.Record) error {
	err := p.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		p.out.flush()
	}
	return err
}

// WithAttrs implements slog.Handler.
func (p prompt) WithAttrs(attributes []slog.Attr) slog.Handler {
	return prompt{p.Handler.WithAttrs(attributes), p.out}
}

// WithGroup implements slog.Handler.
func (p prompt) WithGroup(name string) slog.Handler { return prompt{p.Handler.WithGroup(name), p.out} }
