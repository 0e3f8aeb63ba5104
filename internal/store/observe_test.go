package store_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/store"
)

// watched keeps what a store tells of its transactions.
type watched struct {
	mu  sync.Mutex
	all []store.Work
}

func (w *watched) observe(_ context.Context, done store.Work) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, done)
}

// last is the transaction that ended last.
func (w *watched) last() store.Work {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all[len(w.all)-1]
}

// Whatever becomes of a transaction, it is told once, by its kind.
func TestObserve(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		var w watched
		s.Observe(w.observe)
		ids := id.NewSource(time.Now, nil)
		insert := func(tx authz.Tx, name string) error {
			now := time.Now().UTC().Truncate(time.Millisecond)
			return tx.InsertEnvironment(authz.Environment{ID: id.New[id.Environment](ids), Name: name, CreatedAt: now, UpdatedAt: now})
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		for _, c := range []struct {
			do            func() error
			kind, outcome string
		}{
			{func() error { return s.Ping(t.Context()) }, "view", store.OutcomeDone},
			{func() error { return s.Ping(gone) }, "view", store.OutcomeUnavailable},
			{func() error { return s.Update(t.Context(), func(tx authz.Tx) error { return insert(tx, "one") }) }, "update", store.OutcomeDone},
			{func() error {
				return s.Update(t.Context(), func(authz.Tx) error { return fault.New(fault.Conflict, "c", "m") })
			}, "update", store.OutcomeRefused},
			{func() error {
				return s.Update(t.Context(), func(authz.Tx) error { return errors.New("a defect") })
			}, "update", store.OutcomeFailed},
			{func() error { _, err := s.PlaceEvents(t.Context(), "e", 1, 1); return err }, "bookkeeping", store.OutcomeDone},
		} {
			n := len(w.all)
			err := c.do()
			got := w.last()
			if (err == nil) != (c.outcome == store.OutcomeDone) || len(w.all) != n+1 || got.Kind != c.kind || got.Outcome != c.outcome {
				t.Errorf("%v is told as %+v, want %s %s", err, w.all[n:], c.kind, c.outcome)
			}
			if got.Took <= 0 || got.Retries != 0 || !slices.Contains(store.WorkKinds, got.Kind) || !slices.Contains(store.Outcomes, got.Outcome) {
				t.Errorf("told %+v", got)
			}
			if wrote := c.kind != "view" && c.outcome == store.OutcomeDone; (got.Commit > 0) != wrote || got.Commit > got.Took {
				t.Errorf("%s commits in %v", c.kind, got.Commit)
			}
		}
		if s.Name() == "SQLite" {
			return // where those who write stand in line
		}
		attempts := 0
		err := s.Update(t.Context(), func(tx authz.Tx) error {
			if attempts++; attempts > 1 {
				return insert(tx, "another")
			}
			if _, err := tx.Environments(); err != nil { // and so the next is not seen
				return err
			}
			if err := s.Update(t.Context(), func(tx authz.Tx) error { return insert(tx, "contested") }); err != nil {
				return err
			}
			return insert(tx, "contested")
		})
		if err != nil || attempts != 2 || w.last().Retries != 1 {
			t.Errorf("%v after %d attempts is told as %+v", err, attempts, w.last())
		}
	})
}

// The pools tell what they do; on SQLite whoever writes waits in line.
func TestPools(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		names := []string{"write", "read"}
		if s.Name() == "PostgreSQL" {
			names = []string{"all"}
		}
		busy := 0
		err := s.View(t.Context(), func(authz.Reader) error {
			for i, p := range s.Pools() {
				if p.Name != names[i] || p.Most < 1 {
					t.Errorf("told %+v", p)
				}
				busy += p.InUse
			}
			return nil
		})
		if err != nil || busy != 1 {
			t.Errorf("%v, %d connections in use", err, busy)
		}
	})
}
