package store_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/store/storetest"
)

// timed is a scene whose clock a test sets, with the few words that tests of changes over time are told in.
type timed struct {
	scene
	clock *handClock
}

func newTimed(t testing.TB, db *store.Store) timed {
	t.Helper()
	return newTimedNamed(t, db, "production")
}

func newTimedNamed(t testing.TB, db *store.Store, name string) timed {
	t.Helper()
	clock := newHandClock()
	return timed{newSceneAt(t, db, name, clock.now), clock}
}

// in is an instant that lies ahead.
func (s timed) in(d time.Duration) time.Time { return s.clock.now().Add(d) }

// permission makes a permission that environment roles hold.
func (s timed) permission(slug string, roles ...string) {
	must(s.rules.CreatePermission(context.Background(), s.c, authz.NewPermission{Slug: slug, Name: slug}))
	for _, r := range roles {
		must(s.rules.EditRolePermissions(context.Background(), s.c, "", r, authz.PermissionEdit{Add: slug}))
	}
}

// joins is a new member with a role, or with the default.
func (s timed) joins(org id.Organization, name, role string) id.Membership {
	in := authz.RolesInput{}
	if role != "" {
		in = asked(role)
	}
	return s.scene.member(org, name, in).ID
}

func (s timed) assign(m id.Membership, a authz.NewAssignment) {
	must(s.rules.AssignRole(context.Background(), s.c, m, a))
}

func (s timed) remove(org id.Organization, slug string, in authz.RoleDeletion) authz.Job {
	return must(s.rules.RemoveRole(context.Background(), s.c, org, slug, in))
}

func (s timed) multiple(on bool) { must(s.rules.SetMultipleRoles(context.Background(), s.c, on)) }

func (s timed) settle() {
	s.Helper()
	storetest.Settle(s, s.rules, s.c)
}

// holds wants a member to hold these roles and no others, the highest first.
func (s timed) holds(when string, m id.Membership, want ...string) {
	s.Helper()
	var got []string
	for _, h := range must(s.rules.Member(context.Background(), s.c, m)).Held {
		got = append(got, h.Role.Slug)
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		s.Errorf("%s: holds %q, want %q", when, got, want)
	}
}

func (s timed) may(m id.Membership, permission string) bool {
	return must(s.rules.Check(context.Background(), s.c, authz.Question{Membership: m, Permission: permission})).Authorized
}

// refusedAs wants a refusal of one kind, with one code where that is said.
func (s timed) refusedAs(what string, err error, kind fault.Kind, code string) {
	s.Helper()
	if !fault.Is(err, kind) || code != "" && !fault.HasCode(err, code) {
		s.Errorf("%s: %v, want %q", what, err, code)
	}
}

func instead(slug string) authz.RoleDeletion {
	return authz.RoleDeletion{Replacement: authz.Some(slug)}
}

// A role that is gone has no name: not its old slug, and none that another one could be taken for. Its assignments wait
// to be moved, and nothing that is asked for may change what they become.
func TestGoneRolesHaveNoName(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newTimed(t, db)
		ctx := context.Background()
		s.permission("p")
		org := s.organization("acme")
		for _, owner := range []id.Organization{"", org} {
			slug := map[id.Organization]string{"": "gone", org: "org-gone"}[owner]
			role := s.role(owner, slug)
			m := s.joins(org, slug, slug)
			s.remove(owner, slug, authz.RoleDeletion{})
			for _, name := range []string{slug, "~" + string(role.ID), "~" + slug, string(role.ID), "~"} {
				_, err := s.rules.Role(ctx, s.c, owner, name)
				s.refusedAs("reading "+name, err, fault.NotFound, fault.CodeNotFound)
				_, err = s.rules.RemoveRole(ctx, s.c, owner, name, authz.RoleDeletion{})
				s.refusedAs("removing "+name, err, fault.NotFound, fault.CodeNotFound)
				s.refusedAs("deleting "+name, s.rules.DeleteRole(ctx, s.c, owner, name), fault.NotFound, fault.CodeNotFound)
				_, err = s.rules.EditRolePermissions(ctx, s.c, owner, name, authz.PermissionEdit{Add: "p"})
				s.refusedAs("changing "+name, err, fault.NotFound, fault.CodeNotFound)
			}
			s.holds("before the job", m, "member")
			s.settle()
			s.holds("after the job", m, "member")
		}
		s.sound()
	})
}

// What a role that is gone stands for cannot be deleted before the assignments that become it are moved: its holders
// would lose it between (I13).
func TestDeletingWhatStandsInForAGoneRole(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newTimed(t, db)
		s.role("", "gone")
		s.role("", "replacement")
		s.permission("p", "replacement")
		m := s.joins(s.organization("acme"), "dana", "gone")
		s.remove("", "gone", instead("replacement"))
		s.holds("before the job", m, "replacement")
		s.refusedAs("deleting the replacement", s.rules.DeleteRole(context.Background(), s.c, "", "replacement"), fault.Conflict, "role_has_assignments")
		if !s.may(m, "p") {
			t.Error("a refused change took effect")
		}
		s.settle()
		s.holds("after the job", m, "replacement")
		s.sound()
	})
}

// The default of the moment when a role went is what its holders keep, also when there is another default by now: until
// they are moved it cannot be deleted.
func TestDeletingTheDefaultThatAGoneRoleLeftItsHolders(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newTimed(t, db)
		for _, slug := range []string{"gone", "then", "now"} {
			s.role("", slug)
		}
		ctx := context.Background()
		m := s.joins(s.organization("acme"), "dana", "gone")
		must(s.rules.SetDefault(ctx, s.c, "", "then"))
		s.remove("", "gone", authz.RoleDeletion{})
		must(s.rules.SetDefault(ctx, s.c, "", "now"))
		s.holds("before the job", m, "then")
		s.refusedAs("deleting the default of then", s.rules.DeleteRole(ctx, s.c, "", "then"), fault.Conflict, "")
		s.holds("after the refusal", m, "then")
		s.settle()
		s.holds("after the job", m, "then")
		s.sound()
	})
}
