package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/store"
)

// delegated is an environment whose role admin holds root, with one organization and a caller who may change that one and
// let nobody hold anything.
type delegated struct {
	timed
	org     id.Organization
	limited authz.Caller
}

func newDelegated(t *testing.T, db *store.Store, name string) delegated {
	s := delegated{timed: newTimedNamed(t, db, name)}
	s.role("", "admin")
	s.role("", "low")
	s.permission("root", "admin")
	must(s.rules.SetPriority(context.Background(), s.c, "", []string{"low", "admin", "member"}))
	s.org, s.limited = s.organization("acme"), s.c
	s.limited.Only = &authz.Restriction{Organization: s.org, Permissions: []string{}}
	return s
}

func (s delegated) refused(what string, err error) {
	s.Helper()
	s.refusedAs(what, err, fault.Forbidden, "permission_escalation")
}

// powerless wants nobody to have come to root, now and later.
func (s delegated) powerless(ms ...id.Membership) {
	s.Helper()
	s.settle()
	for _, after := range []time.Duration{0, time.Minute, 24 * time.Hour} {
		s.clock.pass(after)
		for _, m := range ms {
			if s.may(m, "root") {
				s.Errorf("I16: %s holds root after %s", m, after)
			}
		}
	}
}

// groupWith is a group with members and roles.
func (s delegated) groupWith(roles []authz.NewAssignment, in ...id.Membership) id.Group {
	ctx := context.Background()
	g := must(s.rules.CreateGroup(ctx, s.c, s.org, authz.NewGroup{Name: "g"})).ID
	must(s.rules.ReplaceGroupRoleAssignments(ctx, s.c, g, roles))
	for _, m := range in {
		must(s.rules.AddGroupMember(ctx, s.c, s.org, g, m))
	}
	return g
}

// Whoever removes a role gives its replacement to all who have it, also to those for whom it makes no difference at that
// moment (I16): it has not begun, a group without members has it, its holder is inactive.
func TestReplacementsGiveNothingBeyondTheCaller(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		ctx := context.Background()
		for name, hold := range map[string]func(delegated, id.Membership){
			"nobody":  func(delegated, id.Membership) {},
			"a group": func(s delegated, _ id.Membership) { s.groupWith([]authz.NewAssignment{{Role: "org-x"}}) },
			"one to come": func(s delegated, m id.Membership) {
				s.assign(m, authz.NewAssignment{Role: "org-x", StartsAt: s.in(time.Minute)})
			},
			"one who is inactive": func(s delegated, m id.Membership) {
				must(s.rules.UpdateMember(ctx, s.c, m, asked("org-x")))
				must(s.rules.DeactivateMember(ctx, s.c, m))
			},
		} {
			s := newDelegated(t, db, name)
			must(s.rules.CreateRole(ctx, s.limited, s.org, authz.NewRole{Slug: authz.Some("org-x"), Name: "x"}))
			m := s.joins(s.org, "dana", "")
			hold(s, m)
			_, err := s.rules.RemoveRole(ctx, s.limited, s.org, "org-x", instead("admin"))
			s.refused("replacing a role of "+name, err)
			must(s.rules.Role(ctx, s.c, s.org, "org-x")) // it is there still
			if _, err := s.rules.RemoveRole(ctx, s.limited, s.org, "org-x", instead("low")); err != nil {
				t.Errorf("replacing it by one that holds nothing more: %v", err)
			}
			must(s.rules.ReactivateMember(ctx, s.c, m))
			s.powerless(m)
		}
	})
}

// Roles that begin later, and roles of groups that nobody is in, are given now (I16).
func TestLaterAndGroupAssignmentsGiveNothingBeyondTheCaller(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		ctx := context.Background()
		s := newDelegated(t, db, "production")
		m := s.joins(s.org, "dana", "")
		g := s.groupWith(nil)
		for _, a := range []authz.NewAssignment{
			{Role: "admin"}, {Role: "admin", StartsAt: s.in(time.Minute)}, {Role: "admin", StartsAt: s.in(time.Minute), ExpiresAt: s.in(time.Hour)},
		} {
			_, err := s.rules.AssignRole(ctx, s.limited, m, a)
			s.refused("a membership", err)
			_, err = s.rules.AssignGroupRole(ctx, s.limited, g, a)
			s.refused("a group", err)
			_, err = s.rules.ReplaceGroupRoleAssignments(ctx, s.limited, g, []authz.NewAssignment{a})
			s.refused("all roles of a group", err)
		}
		must(s.rules.AddGroupMember(ctx, s.c, s.org, g, m))
		s.powerless(m)
	})
}

// A role that stands over a more powerful one may be neither shortened nor postponed by whoever may not take it away:
// what is under it would come forth by itself (I16).
func TestNarrowingRevealsNothingBeyondTheCaller(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		ctx := context.Background()
		s := newDelegated(t, db, "production")
		under := s.joins(s.org, "under", "admin") // and over it, by a group, low
		over := s.groupWith([]authz.NewAssignment{{Role: "low"}}, under)
		s.refused("leaving the group", s.rules.RemoveGroupMember(ctx, s.limited, s.org, over, under))
		for what, as := range map[string][]authz.NewAssignment{
			"taking it away": nil,
			"shortening it":  {{Role: "low", ExpiresAt: s.in(time.Second)}},
			"postponing it":  {{Role: "low", StartsAt: s.in(time.Hour)}},
		} {
			_, err := s.rules.ReplaceGroupRoleAssignments(ctx, s.limited, over, as)
			s.refused(what, err)
		}
		if _, err := s.rules.ReplaceGroupRoleAssignments(ctx, s.limited, over, []authz.NewAssignment{{Role: "low"}}); err != nil {
			t.Errorf("leaving it as it is: %v", err)
		}
		direct := s.joins(s.org, "direct", "low") // and under it, by a group, admin
		s.groupWith([]authz.NewAssignment{{Role: "admin"}}, direct)
		for what, a := range map[string]authz.NewAssignment{
			"shortening one's own": {Role: "low", ExpiresAt: s.in(time.Second)},
			"postponing one's own": {Role: "low", StartsAt: s.in(time.Hour)},
		} {
			_, err := s.rules.AssignRole(ctx, s.limited, direct, a)
			s.refused(what, err)
		}
		s.powerless(under, direct)
	})
}

// The refusal to remove a role lists the organizations that need another default. Who is limited to one organization may
// not remove it anyway, and hears of no other, neither by the refusal nor by the preview (I8).
func TestRefusedRemovalsTellOfNoOtherOrganization(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		ctx := context.Background()
		s := newTimed(t, db)
		s.role("", "r")
		mine, other := s.organization("mine"), s.organization("secret customer")
		s.role(other, "org-x")
		must(s.rules.SetDefault(ctx, s.c, other, "r"))
		try := func(c authz.Caller) []error {
			_, removed := s.rules.RemoveRole(ctx, c, "", "r", authz.RoleDeletion{})
			_, previewed := s.rules.Preview(ctx, c, authz.SupposeRemoveRole("", "r", authz.RoleDeletion{}), authz.ImpactRequest{Limit: 10})
			return []error{removed, previewed}
		}
		for _, err := range try(s.c) { // who may is told
			s.refusedAs("everybody's caller", err, fault.Conflict, "replacement_default_required")
			if f := fault.Of(err); f != nil && !strings.Contains(fmt.Sprint(f.Details), "secret customer") {
				t.Errorf("whoever may remove it is told %v", f.Details)
			}
		}
		limited := s.c
		limited.Only = &authz.Restriction{Organization: mine, Everything: true}
		for _, err := range try(limited) {
			f := fault.Of(err)
			if f == nil || f.Kind != fault.Forbidden && f.Kind != fault.NotFound {
				t.Fatalf("a caller of another organization: %v", err)
			}
			if len(f.Details) > 0 || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), string(other)) {
				t.Errorf("a caller of another organization is told %v: %v", err, f.Details)
			}
		}
	})
}
