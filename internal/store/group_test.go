package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/store/storetest"
)

// The lists of assignments put stored ones and those through groups together. Ids of one millisecond have no order but
// that of their random part, so pages are compared where all was made at one instant, at few, and at many.
func TestPagesOfAssignmentsThroughGroups(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		for _, step := range []time.Duration{0, 100 * time.Microsecond, time.Millisecond} {
			at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
			clock := func() time.Time { at = at.Add(step); return at }
			s := scene{TB: t, rules: authz.New(db, clock, id.NewSource(clock, nil))}
			env := must(s.rules.CreateEnvironment(context.Background(), fmt.Sprint("at steps of ", step)))
			s.c = authz.Caller{Environment: env.ID, Actor: event.Actor{ID: "test", Source: "system"}}
			s.pagesOfAssignments(t)
		}
	})
}

func (s scene) pagesOfAssignments(t *testing.T) {
	ctx := context.Background()
	must(s.rules.SetMultipleRoles(ctx, s.c, true))
	org := s.organization("acme")
	var roles []string
	for i := range 4 {
		roles = append(roles, s.role("", fmt.Sprint("r", i)).Slug)
	}
	var members []id.Membership
	for i := range 5 {
		in := authz.RolesInput{}
		if i%2 == 0 {
			in = authz.RolesInput{Slugs: authz.Some(roles[:1+i/2])}
		}
		members = append(members, must(s.rules.CreateMembership(ctx, s.c, s.user(i), org, in)).ID)
	}
	for i := range 3 {
		g := must(s.rules.CreateGroup(ctx, s.c, org, authz.NewGroup{Name: "g"}))
		for _, m := range members[i : i+3] {
			must(s.rules.AddGroupMember(ctx, s.c, org, g.ID, m))
		}
		for _, r := range roles[i : i+2] {
			must(s.rules.AssignGroupRole(ctx, s.c, g.ID, authz.NewAssignment{Role: r}))
		}
	}
	stranger := string(id.New[id.Assignment](id.NewSource(time.Now, nil)))
	onHome := func(role string) func(page.Request) (page.Page[authz.RoleAssignment], error) {
		return func(r page.Request) (page.Page[authz.RoleAssignment], error) {
			return s.rules.ListResourceAssignments(ctx, s.c, "", authz.ResourceRef{ID: authz.OrganizationResource(org)}, role, r)
		}
	}
	compare := func(list func(page.Request) (page.Page[authz.RoleAssignment], error), want int) {
		t.Helper()
		ids := func(r page.Request) ([]string, string, string, error) {
			p, err := list(r)
			var all []string
			for _, a := range p.Items {
				all = append(all, string(a.ID))
			}
			return all, p.Before, p.After, err
		}
		made, _, _, err := ids(page.Request{Limit: 100, Order: page.Asc})
		if err != nil || len(made) != want || !slices.IsSorted(made) || len(slices.Compact(slices.Clone(made))) != want {
			t.Fatalf("%d assignments, want %d, each once and in order: %v (%v)", len(made), want, made, err)
		}
		storetest.ComparePages(t, made, stranger, ids)
	}
	// Members 0, 2 and 4 were given 1, 2 and 3 roles; 1 and 3 a default, which what their groups give outranks. Each of
	// three groups gives two roles to three members.
	compare(onHome(""), 1+2+3+3*2*3)
	compare(onHome("r1"), 2+2*3)
	compare(onHome("r3"), 3)
	compare(onHome("member"), 0)
	for i, want := range []int{1 + 2, 4, 2 + 6, 4, 3 + 2} {
		compare(func(r page.Request) (page.Page[authz.RoleAssignment], error) {
			return s.rules.ListRoleAssignments(ctx, s.c, members[i], authz.ResourceRef{}, r)
		}, want)
	}
}

// Whoever may not cause anybody to hold a permission cannot do so through a group either: not now, not later, and not
// by taking away what stands above it.
func TestNoEscalationThroughGroups(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newScene(t, db)
		ctx := context.Background()
		org := s.organization("acme")
		for _, slug := range []string{"own", "more"} {
			must(s.rules.CreatePermission(ctx, s.c, authz.NewPermission{Slug: slug, Name: slug}))
			s.role("", slug)
			must(s.rules.EditRolePermissions(ctx, s.c, "", slug, authz.PermissionEdit{Add: slug}))
		}
		must(s.rules.SetPriority(ctx, s.c, "", []string{"own", "more", "member"}))
		m := must(s.rules.CreateMembership(ctx, s.c, s.user(1), org, asked("own"))).ID
		limited := s.c
		limited.Only = &authz.Restriction{Permissions: []string{"own"}}
		refused := func(what string, err error) {
			t.Helper()
			if !fault.HasCode(err, "permission_escalation") {
				t.Errorf("%s: %v", what, err)
			}
		}
		group := func(roles ...authz.NewAssignment) id.Group {
			t.Helper()
			g := must(s.rules.CreateGroup(ctx, s.c, org, authz.NewGroup{Name: "g"})).ID
			must(s.rules.ReplaceGroupRoleAssignments(ctx, s.c, g, roles))
			return g
		}
		more, later := authz.NewAssignment{Role: "more"}, authz.NewAssignment{Role: "more", StartsAt: time.Now().Add(time.Hour)}
		own := authz.NewAssignment{Role: "own"}
		for _, given := range []authz.NewAssignment{more, later} { // own outranks more; one day it may not
			g := group(given)
			_, err := s.rules.AddGroupMember(ctx, limited, org, g, m)
			refused("joining a group that gives more", err)
			_, err = s.rules.AssignRole(ctx, limited, m, given)
			refused("more beside or instead of one's own", err)
			_, err = s.rules.AssignGroupRole(ctx, limited, group(), given)
			refused("giving a group more", err)
			_, err = s.rules.ReplaceGroupRoleAssignments(ctx, limited, group(own), []authz.NewAssignment{given})
			refused("giving a group more instead", err)
		}
		temporary := group(authz.NewAssignment{Role: "more", ExpiresAt: time.Now().Add(time.Hour)})
		_, err := s.rules.ReplaceGroupRoleAssignments(ctx, limited, temporary, []authz.NewAssignment{more})
		refused("giving a group more for longer", err)
		s.limitedRemovals(t, limited, org, group(more), group(own), refused)

		g := group(own)
		must(s.rules.AddGroupMember(ctx, limited, org, g, m))
		must(s.rules.AssignGroupRole(ctx, limited, group(), own))
		must(s.rules.AssignRole(ctx, limited, m, own))
		for _, err := range []error{
			s.rules.RemoveGroupMember(ctx, limited, org, g, m), s.rules.UnassignGroupRole(ctx, limited, g, authz.RoleCriteria{Role: "own"}), s.rules.DeleteGroup(ctx, limited, org, g),
			s.rules.DeleteGroup(ctx, limited, org, temporary),
		} {
			if err != nil {
				t.Errorf("a change that gives nothing new: %v", err)
			}
		}
		other := s.organization("globex")
		limited.Only = &authz.Restriction{Organization: other, Everything: true}
		_, err = s.rules.ListGroups(ctx, limited, org, page.Request{Limit: 1, Order: page.Asc})
		for _, err := range []error{err, s.rules.DeleteGroup(ctx, limited, org, temporary), s.rules.UnassignGroupRole(ctx, limited, temporary, authz.RoleCriteria{Role: "more"})} {
			if !fault.Is(err, fault.NotFound) {
				t.Errorf("the group of another organization than the caller's: %v", err)
			}
		}
	})
}

// limitedRemovals takes away a group's role that stands above another group's.
func (s scene) limitedRemovals(t *testing.T, limited authz.Caller, org id.Organization, lower, upper id.Group, refused func(string, error)) {
	t.Helper()
	ctx := context.Background()
	m := must(s.rules.CreateMembership(ctx, s.c, s.user(2), org, authz.RolesInput{})).ID
	for _, g := range []id.Group{lower, upper} {
		must(s.rules.AddGroupMember(ctx, s.c, org, g, m))
	}
	held := must(s.rules.ListGroupRoleAssignments(ctx, s.c, upper, page.Request{Limit: 1, Order: page.Asc})).Items[0]
	refused("taking the higher role off a group", s.rules.UnassignGroupRole(ctx, limited, upper, authz.RoleCriteria{Role: "own"}))
	refused("removing its assignment", s.rules.RemoveGroupRoleAssignment(ctx, limited, upper, held.ID))
	_, err := s.rules.ReplaceGroupRoleAssignments(ctx, limited, upper, nil)
	refused("clearing it", err)
	refused("leaving it", s.rules.RemoveGroupMember(ctx, limited, org, upper, m))
	refused("deleting it", s.rules.DeleteGroup(ctx, limited, org, upper))
	if d := must(s.rules.Check(ctx, s.c, authz.Question{Membership: m, Permission: "more"})); d.Authorized {
		t.Error("a refused change took effect")
	}
}
