package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/store"
)

// manyRoles is an environment with multiple roles and the roles top, mid and low, in this order.
func manyRoles(t *testing.T, db *store.Store, name string) (timed, id.Organization) {
	s := newTimedNamed(t, db, name)
	s.multiple(true)
	s.settle()
	for _, slug := range []string{"top", "mid", "low"} {
		s.role("", slug)
	}
	must(s.rules.SetPriority(context.Background(), s.c, "", []string{"top", "mid", "low", "member"}))
	s.settle()
	return s, s.organization("acme")
}

// singleAndBack switches multiple roles off and on again, and wants a member to hold the same from the moment of the
// first switch to the end (R82, I13).
func (s timed) singleAndBack(m id.Membership, want string) {
	s.Helper()
	s.multiple(false)
	s.holds("before the job", m, want)
	s.settle()
	s.holds("after the job", m, want)
	s.multiple(true)
	s.settle()
	s.holds("switched on again", m, want)
}

// What is taken off members when multiple roles are switched off does not come back, also when it was given from an
// instant on: it begun, and has no end (R82).
func TestBegunRolesDoNotComeBack(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s, org := manyRoles(t, db, "production")
		m := s.joins(org, "dana", "top")
		s.assign(m, authz.NewAssignment{Role: "low", StartsAt: s.in(-time.Hour)})
		s.assign(m, authz.NewAssignment{Role: "mid", StartsAt: s.in(time.Second)})
		s.clock.pass(time.Minute)
		s.holds("before", m, "top", "mid", "low")
		s.singleAndBack(m, "top")
		s.sound()
	})
}

// Two assignments that count as one role, for one role is gone and stands for the other, both go when multiple roles are
// switched off, whichever job comes first (R82).
func TestTwinsDoNotComeBack(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		for _, held := range []time.Duration{0, 10 * time.Second} { // for so long a silent worker has the removal
			s, org := manyRoles(t, db, fmt.Sprint("held for ", held))
			s.role("", "gone")
			m := s.joins(org, "dana", "top")
			s.assign(m, authz.NewAssignment{Role: "low"})
			s.assign(m, authz.NewAssignment{Role: "gone"})
			s.remove("", "gone", instead("low"))
			if held > 0 {
				s.holdFirstJob(s.in(held))
			}
			s.multiple(false)
			for must(s.rules.Work(context.Background(), "another")) { // all that is free
			}
			s.holds("after the job", m, "top")
			s.multiple(true)
			s.holds("switched on again", m, "top")
			s.clock.pass(time.Minute)
			s.settle()
			s.holds("when the removal is done too", m, "top")
			s.sound()
		}
	})
}

// Where the highest role ends by itself, the highest of those that do not is kept under it, so that nobody falls to the
// default because a role was temporary.
func TestTheHighestLastingRoleIsKeptUnderATemporaryOne(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s, org := manyRoles(t, db, "production")
		m := s.joins(org, "dana", "low")
		s.assign(m, authz.NewAssignment{Role: "mid"})
		s.assign(m, authz.NewAssignment{Role: "top", ExpiresAt: s.in(time.Hour)})
		s.multiple(false)
		s.holds("before the job", m, "top")
		s.settle()
		s.holds("after the job", m, "top")
		s.clock.pass(2 * time.Hour)
		s.holds("when it ended", m, "mid")
		s.settle()
		s.multiple(true)
		s.holds("switched on again", m, "mid")
		s.sound()
	})
}

// How far the job after the switch came makes no difference to what a change leaves (I13): one about a single member does
// for that one what the job would have done, and one about all of them waits for it.
func TestChangesRightAfterTheSwitch(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		ctx := context.Background()
		for what, change := range map[string]func(timed, id.Membership) error{
			"unassign": func(s timed, m id.Membership) error {
				return s.rules.UnassignRole(ctx, s.c, m, authz.RoleCriteria{Role: "top"})
			},
			"remove an assignment": func(s timed, m id.Membership) error {
				return s.rules.RemoveRoleAssignment(ctx, s.c, m, must(s.rules.Member(ctx, s.c, m)).Held[0].Assignment)
			},
		} {
			for _, early := range []bool{true, false} {
				s, org := manyRoles(t, db, fmt.Sprint(what, " ", early))
				m := s.joins(org, "dana", "top")
				s.assign(m, authz.NewAssignment{Role: "low"})
				s.multiple(false)
				if early {
					s.settle()
				}
				when := fmt.Sprintf("%s, the job done before: %v", what, early)
				if err := change(s, m); err != nil {
					t.Errorf("%s: %v", when, err)
				}
				s.holds(when, m, "member")
				s.settle()
				s.holds(when+", in the end", m, "member")
				s.sound()
			}
		}
	})
}

func TestChangesForAllWaitForTheSwitch(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		ctx := context.Background()
		s, org := manyRoles(t, db, "production")
		m := s.joins(org, "dana", "top")
		s.assign(m, authz.NewAssignment{Role: "low"})
		order := []string{"low", "top", "mid", "member"}
		s.multiple(false)
		_, err := s.rules.SetPriority(ctx, s.c, "", order)
		s.refusedAs("another order", err, fault.Conflict, "mode_change_in_progress")
		_, err = s.rules.RemoveRole(ctx, s.c, "", "top", authz.RoleDeletion{})
		s.refusedAs("removing a role", err, fault.Conflict, "mode_change_in_progress")
		_, err = s.rules.Preview(ctx, s.c, authz.SupposeRemoveRole("", "top", authz.RoleDeletion{}), authz.ImpactRequest{Limit: 10})
		s.refusedAs("a preview of that", err, fault.Conflict, "mode_change_in_progress")
		s.holds("after the refusals", m, "top")
		s.settle()
		must(s.rules.SetPriority(ctx, s.c, "", order))
		s.holds("in another order, when the other role is taken off", m, "top")
		s.remove("", "top", authz.RoleDeletion{})
		s.holds("when that is removed", m, "member")
		s.sound()
	})
}

// An assignment that becomes what its subject has already joins it: what is in force stays in force, though there is a
// gap between the two (I13), and no decision before or after the job differs.
func TestAssignmentsThatBecomeOne(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s, org := manyRoles(t, db, "production")
		s.role("", "gone")
		s.permission("p", "low")
		m := s.joins(org, "dana", "")
		s.assign(m, authz.NewAssignment{Role: "low", ExpiresAt: s.in(time.Hour)})
		s.assign(m, authz.NewAssignment{Role: "gone", StartsAt: s.in(2 * time.Hour), ExpiresAt: s.in(3 * time.Hour)})
		s.remove("", "gone", instead("low"))
		s.holds("before the job", m, "low")
		if !s.may(m, "p") {
			t.Error("I13: before the job what is in force is not")
		}
		s.settle()
		s.holds("after the job", m, "low")
		if !s.may(m, "p") {
			t.Error("I13: after the job what was in force is not")
		}
		s.sound()
	})
}

// Replacing all roles of a group counts also where one of them waits to become another: the interval that is said is the
// one that there is.
func TestReplacingAGroupsRolesWhileATwinWaits(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		for _, multiple := range []bool{false, true} {
			ctx := context.Background()
			s, org := manyRoles(t, db, fmt.Sprint("multiple ", multiple))
			s.multiple(multiple)
			s.settle()
			s.role("", "gone")
			s.permission("p", "low")
			m := s.joins(org, "dana", "")
			g := must(s.rules.CreateGroup(ctx, s.c, org, authz.NewGroup{Name: "g"})).ID
			must(s.rules.AddGroupMember(ctx, s.c, org, g, m))
			until := authz.NewAssignment{Role: "low", ExpiresAt: s.in(time.Hour)}
			must(s.rules.AssignGroupRole(ctx, s.c, g, until))
			must(s.rules.AssignGroupRole(ctx, s.c, g, authz.NewAssignment{Role: "gone"}))
			s.remove("", "gone", instead("low"))
			must(s.rules.ReplaceGroupRoleAssignments(ctx, s.c, g, []authz.NewAssignment{until}))
			s.settle()
			if !s.may(m, "p") {
				t.Error("before its end it is not held")
			}
			s.clock.pass(2 * time.Hour)
			if s.may(m, "p") {
				t.Error("after its end it is held")
			}
			s.sound()
		}
	})
}
