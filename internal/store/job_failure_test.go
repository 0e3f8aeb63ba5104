package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/store"
)

// An organization that is deleted takes its custom roles with it, also one that is just being removed: the job of that
// has nothing left to do and ends.
func TestDeletingAnOrganizationWhoseRoleIsBeingRemoved(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newTimed(t, db)
		ctx := context.Background()
		for _, batches := range []int{0, 1} { // that the job came to before
			org := s.organization("acme")
			s.role(org, "org-gone")
			s.joins(org, strings.Repeat("a", batches+1), "org-gone")
			s.remove(org, "org-gone", authz.RoleDeletion{})
			for range batches {
				must(s.rules.Work(ctx, "test worker"))
				s.clock.pass(time.Minute)
			}
			if err := s.rules.DeleteOrganization(ctx, s.c, org); err != nil {
				t.Fatalf("after %d batches: %v", batches, err)
			}
			s.settle()
			for _, j := range s.jobs() {
				if j.FinishedAt.IsZero() {
					t.Errorf("after %d batches: the job %s is left", batches, j.Kind)
				}
			}
		}
		s.sound()
	})
}

// breakJob puts a job into an environment of its own that fails whenever it is tried, as one would that meets a defect.
func (s timed) breakJob() scene {
	broken := newSceneAt(s, s.db, "broken", s.clock.now)
	member := must(broken.rules.Role(context.Background(), broken.c, "", "member")) // which no database lets go (I2)
	now := s.clock.now()
	s.update(func(tx authz.Tx) error {
		return tx.InsertJob(authz.Job{
			ID: id.New[id.Job](id.NewSource(s.clock.now, nil)), Environment: broken.c.Environment, Kind: authz.JobDeleteRole,
			Subject: string(member.ID), Slug: member.Slug, Actor: event.Actor{ID: "test", Source: "system"}, CreatedAt: now, UpdatedAt: now,
		})
	})
	return broken
}

// A job that fails is told of each time and tried again, and holds up neither the jobs of other environments nor
// assignments whose time came.
func TestAFailingJobHoldsUpNothingElse(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newTimed(t, db)
		broken := s.breakJob() // the oldest, so that its turn is always first
		s.clock.pass(time.Second)
		org := s.organization("acme")
		s.role("", "temporary")
		s.role("", "gone")
		m, moved := s.joins(org, "dana", ""), s.joins(org, "eve", "gone")
		s.assign(m, authz.NewAssignment{Role: "temporary", ExpiresAt: s.in(time.Second)})
		s.remove("", "gone", authz.RoleDeletion{})
		s.clock.pass(time.Hour)
		failures := 0
		for range 20 {
			if _, err := s.rules.Work(context.Background(), "test worker"); err != nil {
				failures++
			}
			s.clock.pass(time.Minute)
		}
		if failures == 0 {
			t.Error("the failing job failed never, so this proves nothing")
		}
		for _, j := range s.jobs() {
			if j.FinishedAt.IsZero() {
				t.Errorf("the job %s of another environment is held up", j.Kind)
			}
		}
		for _, m := range []id.Membership{m, moved} { // I14
			if shown := must(s.rules.Member(context.Background(), s.c, m)).Shown; strings.Join(shown, " ") != "member" {
				t.Errorf("the last event of %s shows %q", m, shown)
			}
		}
		if jobs := broken.jobs(); len(jobs) != 1 || !jobs[0].FinishedAt.IsZero() {
			t.Errorf("the failing job ended: %+v", jobs)
		}
	})
}

// Jobs that never cease do not hold up assignments whose time came.
func TestJobsDoNotHoldUpTime(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newTimed(t, db)
		ctx := context.Background()
		s.role("", "temporary")
		m := s.joins(s.organization("acme"), "dana", "")
		s.assign(m, authz.NewAssignment{Role: "temporary", ExpiresAt: s.in(time.Second)})
		s.clock.pass(time.Hour)
		orders := [][]string{{"temporary", "member"}, {"member", "temporary"}}
		for i := range 6 {
			must(s.rules.SetPriority(ctx, s.c, "", orders[i%2]))
			must(s.rules.Work(ctx, "test worker"))
		}
		if err := db.View(ctx, func(r authz.Reader) error {
			due, err := r.AssignmentsDue(s.clock.now(), 10)
			if len(due) > 0 {
				t.Errorf("%d assignments ended an hour ago and are still there", len(due))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := s.rules.DeleteRole(ctx, s.c, "", "temporary"); err != nil {
			t.Errorf("deleting a role that nobody has any more: %v", err)
		}
		s.sound()
	})
}

// Instants that no RFC 3339 text can hold in UTC are refused when they are asked for: stored, they could never be read.
func TestInstantsBeyondTheYear9999(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newTimed(t, db)
		ctx := context.Background()
		s.role("", "r")
		org := s.organization("acme")
		m := s.joins(org, "dana", "")
		g := must(s.rules.CreateGroup(ctx, s.c, org, authz.NewGroup{Name: "g"})).ID
		late := must(time.Parse(time.RFC3339, "9999-12-31T23:59:59-01:00")) // in the year 10000 of UTC
		for _, a := range []authz.NewAssignment{{Role: "r", ExpiresAt: late}, {Role: "r", StartsAt: late}} {
			_, err := s.rules.AssignRole(ctx, s.c, m, a)
			wantField(t, "a membership's", err)
			_, err = s.rules.AssignGroupRole(ctx, s.c, g, a)
			wantField(t, "a group's", err)
			_, err = s.rules.ReplaceGroupRoleAssignments(ctx, s.c, g, []authz.NewAssignment{a})
			wantField(t, "a group's, with all of them", err)
		}
		s.holds("after the refusals", m, "member")
		last := must(time.Parse(time.RFC3339, "9999-12-31T23:59:59Z"))
		s.assign(m, authz.NewAssignment{Role: "r", ExpiresAt: last})
		s.holds("until the last second that can be written", m, "r")
		s.settle()
		p := must(s.rules.ListRoleAssignments(ctx, s.c, m, authz.ResourceRef{}, page.Request{Limit: 1, Order: page.Desc}))
		if len(p.Items) != 1 || !p.Items[0].ExpiresAt.Equal(last) {
			t.Errorf("is listed as %+v", p.Items)
		}
		s.sound()
	})
}

// wantField wants an instant to be refused as a field that cannot be so.
func wantField(t *testing.T, what string, err error) {
	t.Helper()
	if f := fault.Of(err); f == nil || f.Kind != fault.Invalid || len(f.Fields) != 1 || !strings.HasSuffix(f.Fields[0].Name, "s_at") {
		t.Errorf("%s: %v", what, err)
	}
}
