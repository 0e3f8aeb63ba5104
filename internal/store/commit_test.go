package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/pgtest"
	"github.com/rolecall/rolecall/internal/store"
)

// standbyTime is how long something may take that needs a server to start.
const standbyTime = time.Minute

// alone is a store on a pair of servers whose standby is gone, and a connection past it.
func alone(t *testing.T) (p *pgtest.Pair, s *store.Store, rules *authz.Service, past *sql.DB) {
	t.Helper()
	p = pgtest.StartPair(t)
	s, err := store.Open(t.Context(), p.URL(), store.Serve)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	past, err = sql.Open("pgx", p.Primary.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { past.Close() })
	p.Standby.Stop(t)
	return p, s, authz.New(s, time.Now, id.NewSource(time.Now, nil)), past
}

// hanging waits until so many commits wait for the standby.
func hanging(t *testing.T, past *sql.DB, want int) {
	t.Helper()
	until(t, fmt.Sprint(want, " commits that hang"), func() bool {
		var n int
		err := past.QueryRow("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'").Scan(&n)
		return err == nil && n >= want
	})
}

// until waits for what another process does, of which nothing tells.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for end := time.Now().Add(standbyTime); !done(); <-again.C {
		if time.Now().After(end) {
			t.Fatalf("waiting for %s", what)
		}
	}
}

// environments is how many there are; it must be possible to ask.
func environments(t *testing.T, rules *authz.Service) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), standbyTime)
	defer cancel()
	all, err := rules.ListEnvironments(ctx)
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	return len(all)
}

// While the standby that must confirm them is gone, changes end with their requests, and nobody is shown them. When the
// standby is back they are there.
func TestCommitsThatHang(t *testing.T) {
	t.Parallel()
	p, s, rules, past := alone(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var all sync.WaitGroup
	var unknown sync.Map
	for i := range 8 {
		all.Go(func() {
			_, err := rules.CreateEnvironment(ctx, fmt.Sprint("e", i))
			if fault.HasCode(err, fault.CodeUnknown) {
				unknown.Store(i, nil)
			} else if !fault.Is(err, fault.Unavailable) { // those that wait for another's outcome are not made
				t.Errorf("a change without its standby ended with %v", err)
			}
		})
	}
	hanging(t, past, 1)
	if got := environments(t, rules); got != 0 {
		t.Errorf("%d environments are shown that the standby does not have", got)
	}
	all.Wait()
	sent := length(&unknown) // some of them may have lost a race by now
	hanging(t, past, 1)      // and were not cancelled by their requests' end
	if got := environments(t, rules); got != 0 {
		t.Errorf("%d environments are shown that the standby does not have", got)
	}
	p.Standby.Restart(t)
	until(t, "the changes", func() bool { return environments(t, rules) > 0 })
	if _, err := rules.CreateEnvironment(t.Context(), "after"); err != nil {
		t.Error(err)
	}
	until(t, "the end of all holds", func() bool { return s.Fresh().HeldRegions() == 0 })
	if got := environments(t, rules); got < 2 || got > sent+1 {
		t.Errorf("%d environments were made by %d changes of unknown outcome and one more", got, sent)
	}
}

// However many commits hang, there are connections to read with.
func TestReadingWhileCommitsHang(t *testing.T) {
	t.Parallel()
	p, s, rules, past := alone(t)
	ctx, cancel := context.WithTimeout(t.Context(), standbyTime)
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() { s.PlaceEvents(ctx, id.Environment(fmt.Sprint("environment_", i)), 0, 1) })
	}
	hanging(t, past, 8)
	for range 3 {
		environments(t, rules)
	}
	cancel() // a client that goes away ends no commit
	p.Standby.Restart(t)
	all.Wait()
}

func length(m *sync.Map) (n int) {
	m.Range(func(any, any) bool { n++; return true })
	return n
}

// A commit that an administrator cancelled while it waited for its standby is not acknowledged, although the server says
// that it succeeded.
func TestCommitCancelledByHand(t *testing.T) {
	t.Parallel()
	_, _, rules, past := alone(t)
	answer := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), standbyTime)
		defer cancel()
		_, err := rules.CreateEnvironment(ctx, "x")
		answer <- err
	}()
	hanging(t, past, 1)
	if _, err := past.Exec("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"); err != nil {
		t.Fatal(err)
	}
	if err := <-answer; !fault.HasCode(err, fault.CodeUnknown) {
		t.Errorf("the change was answered with %v", err)
	}
}

// Where only standbys are up it is said what is missing.
func TestOnlyAStandby(t *testing.T) {
	t.Parallel()
	p := pgtest.StartPair(t)
	p.Primary.Kill(t)
	for _, location := range []string{p.URL(), p.Standby.URL()} {
		s, err := store.Open(t.Context(), location, store.Serve)
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), "promote one, or name the primary") {
			t.Errorf("opening it: %v", err)
		}
	}
}
