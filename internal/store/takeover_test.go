package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/store/storetest"
)

// interrupted is a database in which something else happens before the next change.
type interrupted struct {
	authz.DB
	before func()
}

func (i *interrupted) Update(ctx context.Context, fn func(authz.Tx) error) error {
	if before := i.before; before != nil {
		i.before = nil
		before()
	}
	return i.DB.Update(ctx, fn)
}

// A worker that found a job free and is slow to take it finds it taken.
func TestAJobTakenMeanwhile(t *testing.T) {
	onTwo(t, func(t *testing.T, stores []*store.Store) {
		ctx := context.Background()
		clock := newHandClock()
		s := newSceneAt(t, stores[0], "production", clock.now)
		s.removal("gone", 2)
		slow := &interrupted{DB: stores[1], before: func() { must(s.rules.Work(ctx, "quick")) }}
		must(authz.New(slow, clock.now, id.NewSource(time.Now, nil)).Work(ctx, "slow"))
		if holder, done, finished := s.holder(); holder != "quick" || done != 2 || finished {
			t.Errorf("the job is held by %q, %d done, finished %v", holder, done, finished)
		}
		clock.pass(lease)
		s.sound()
	})
}

// holdFirstJob lets somebody hold the oldest unfinished job, so that the later ones are done before it.
func (s scene) holdFirstJob(until time.Time) {
	s.Helper()
	s.update(func(tx authz.Tx) error {
		jobs, err := tx.UnfinishedJobs(1)
		if err != nil {
			return err
		}
		jobs[0].HeldBy, jobs[0].HeldUntil = "somebody", until
		return tx.UpdateJob(jobs[0])
	})
}

// What a role that is gone counts as can go in its turn, and even be forgotten first where two workers are at work.
func TestRemovalsEndInAnyOrder(t *testing.T) {
	for _, second := range []authz.RoleDeletion{
		{Replacement: authz.Some("last"), Default: authz.Some("other")},
		{Default: authz.Some("other")},
	} {
		for _, first := range []authz.RoleDeletion{{Replacement: authz.Some("then")}, {}} {
			name := fmt.Sprintf("for %q, then for %q", first.Replacement.Value, second.Replacement.Value)
			t.Run(name, func(t *testing.T) { removedTwice(t, first, second) })
		}
	}
}

// removedTwice removes a role, for another or for the default of the moment, which is the same one; then that one.
func removedTwice(t *testing.T, first, second authz.RoleDeletion) {
	onEach(t, func(t *testing.T, db *store.Store) {
		ctx := context.Background()
		clock := newHandClock()
		s := newSceneAt(t, db, "production", clock.now)
		var gone, then authz.Role
		for slug, into := range map[string]*authz.Role{"gone": &gone, "then": &then, "last": {}, "other": {}} {
			*into = s.role("", slug)
		}
		must(s.rules.SetDefault(ctx, s.c, "", "then"))
		storetest.Settle(t, s.rules, s.c)
		m := s.member(s.organization("acme"), "m", asked("gone"))
		must(s.rules.RemoveRole(ctx, s.c, "", "gone", first))
		s.holdFirstJob(clock.now().Add(lease))
		must(s.rules.SetDefault(ctx, s.c, "", "member"))
		must(s.rules.RemoveRole(ctx, s.c, "", "then", second))
		must(s.rules.SetDefault(ctx, s.c, "", "other"))
		want := "last"
		if !second.Replacement.Set {
			want = "member"
		}
		for _, when := range []string{"at once", "when the second is forgotten", "in the end"} {
			if held := must(s.rules.Member(ctx, s.c, m.ID)).Held; len(held) != 1 || held[0].Role.Slug != want {
				t.Errorf("%s the member holds %v, want %s", when, held, want)
			}
			settleAs(t, s, storetest.Worker)
			if when == "at once" {
				s.forgotten(then)
			} else {
				clock.pass(lease)
			}
		}
		s.sound()
		s.forgotten(gone)
	})
}
