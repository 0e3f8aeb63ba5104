package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// phase is where a deletion stands.
type phase int32

const (
	before   phase = iota
	deleting       // ordered, not answered: a check may go either way
	deleted        // answered: it holds for every check from then on
)

const (
	checkEvery  = 20 * time.Millisecond // one client asks 50 times in a second
	memoryEvery = 50 * time.Millisecond
)

// watch asks checks at a steady rate, whatever happens meanwhile, and looks at the server's memory.
type watch struct {
	*removal
	at        atomic.Int32
	alone     []time.Duration // how long checks took before the deletion
	meanwhile []time.Duration // and since it was ordered
	idle      int64           // memory before the deletion
	most      int64           // and the most since
}

func (w *watch) enter(p phase) { w.at.Store(int32(p)) }
func (w *watch) phase() phase  { return phase(w.at.Load()) }

// watched runs do beside a watch and puts into the row what that saw.
func (r *removal) watched(ctx context.Context, do func(*watch) error) error {
	w := &watch{removal: r}
	ctx, end := context.WithCancel(ctx)
	defer end()
	var group sync.WaitGroup
	var asking error
	group.Go(func() { asking = w.ask(ctx) })
	group.Go(func() { w.weigh(ctx) })
	err := do(w)
	end()
	group.Wait()
	if err = errors.Join(asking, err); err != nil {
		return err
	}
	slices.Sort(w.alone)
	slices.Sort(w.meanwhile)
	alone, meanwhile := outcome{latencies: w.alone}, outcome{latencies: w.meanwhile}
	r.row.Checks = len(w.meanwhile)
	r.row.AloneP99, r.row.AloneSlowest = milliseconds(alone.quantile(0.99)), milliseconds(alone.quantile(1))
	r.row.P99, r.row.Slowest = milliseconds(meanwhile.quantile(0.99)), milliseconds(meanwhile.quantile(1))
	r.row.IdleMemory, r.row.Memory = float64(w.idle)/1e6, float64(w.most)/1e6
	return nil
}

// ask sends a check whenever one is due. One that had to wait for an answer to the one before it has waited since it was
// due. An error ends it.
func (w *watch) ask(ctx context.Context) error {
	c, err := dial(w.server)
	if err != nil {
		return err
	}
	defer c.Close()
	for due := time.Now(); ; due = due.Add(checkEvery) {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(due)):
		}
		if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			return err
		}
		if err := w.check(c, due); err != nil {
			return err
		}
	}
}

// check asks about a member for a permission of the role that is deleted, or of the one that takes its place.
func (w *watch) check(c *connection, due time.Time) error {
	n, kept := rand.N(w.row.Memberships), rand.N(2) == 0
	role := removedRole
	if !kept {
		role = replacementRole
		if w.follows(n) {
			role = 0
		}
	}
	slug := permissionSlug(role*environmentHolds + rand.N(environmentHolds))
	asked := w.phase()
	_, err := c.Write(post(fmt.Sprintf(checkPath, w.member(n)), w.key, `{"permission_slug":"`+slug+`"}`))
	if err != nil {
		return err
	}
	status, err := c.answer()
	if err != nil {
		return err
	}
	took, body := time.Since(due), string(c.body)
	sure := asked == deleted || asked == before && w.phase() == before
	if want := authorized(kept == (asked == before)); status != http.StatusOK || sure && body != want {
		return fmt.Errorf("a wrong check of %s for %s: %d %s instead of %s", w.member(n), slug, status, body, want)
	}
	if asked == before {
		w.alone = append(w.alone, took)
	} else {
		w.meanwhile = append(w.meanwhile, took)
	}
	return nil
}

// weigh looks at the memory of the server again and again.
func (w *watch) weigh(ctx context.Context) {
	for {
		if now := residentMemory(w.server.cmd.Process.Pid); w.phase() == before {
			w.idle = now
		} else {
			w.most = max(w.most, now)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(memoryEvery):
		}
	}
}

// residentMemory is the memory of a process in bytes, 0 where the system does not tell.
func residentMemory(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	words := strings.Fields(string(text))
	if len(words) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// processorTime is what a process has used of the processors, 0 where the system does not tell.
func processorTime(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	const user, system, tick = 11, 12, 10 * time.Millisecond // counted from the name on, which may hold blanks
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) <= system {
		return 0
	}
	var used time.Duration
	for _, field := range []string{fields[user], fields[system]} {
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0
		}
		used += time.Duration(n) * tick
	}
	return used
}
