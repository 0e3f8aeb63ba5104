package server

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// counting is what was written, and in how many writes.
type counting struct {
	mu     sync.Mutex // lines are also written from timers
	text   bytes.Buffer
	writes int
}

func (c *counting) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writes++
	return c.text.Write(b)
}

func (c *counting) all() (text string, writes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.text.String(), c.writes
}

// Lines wait for others, but not for long, and not those that warn; none is lost or out of order.
func TestLogLinesWaitForOthers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out counting
		log, flush := logger(&out)
		wants := func(when string, writes int, lines ...string) {
			t.Helper()
			synctest.Wait()
			var got []string
			text, wrote := out.all()
			for line := range strings.Lines(text) {
				_, rest, _ := strings.Cut(line, `"msg":"`)
				msg, _, _ := strings.Cut(rest, `"`)
				got = append(got, msg)
			}
			if strings.Join(got, " ") != strings.Join(lines, " ") || wrote != writes {
				t.Errorf("%s: %v in %d writes, want %v in %d", when, got, wrote, lines, writes)
			}
		}
		log.Info("a")
		log.With("x", 1).WithGroup("g").Info("b", "y", 2)
		wants("at once", 0)
		time.Sleep(100 * time.Millisecond)
		wants("a little later", 1, "a", "b")
		log.Info("c")
		log.Warn("d")
		wants("with a warning", 2, "a", "b", "c", "d")
		slog.NewLogLogger(log.Handler(), slog.LevelError).Print("e")
		wants("with an error", 3, "a", "b", "c", "d", "e")
		log.Info("f")
		flush()
		wants("at the end", 4, "a", "b", "c", "d", "e", "f")
		time.Sleep(time.Second)
		wants("when nothing waits", 4, "a", "b", "c", "d", "e", "f")
		log.Info(strings.Repeat("g", 64<<10))
		synctest.Wait()
		if _, wrote := out.all(); wrote != 5 {
			t.Error("a line too long to wait waits")
		}
	})
}
