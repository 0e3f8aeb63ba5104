package store_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// smallWorld has two organizations. The first has a role of its own, members of all kinds and a group that holds the
// role admin; the second follows the environment.
type smallWorld struct {
	tx             authz.Tx
	now            func() time.Time
	rules          *authz.Service
	variant        small
	system, caller authz.Caller
	orgs           []id.Organization
	users          map[string]id.User
	names          map[id.User]string  // of organizations too
	groups         map[string]id.Group // of the first organization, by their role; idle has no members
	skipped        time.Duration       // how far the clock was put forward
}

func newSmallWorld(t *testing.T, tx authz.Tx, variant small) *smallWorld {
	ctx := context.Background()
	clock := tick()
	w := &smallWorld{tx: tx, variant: variant, users: map[string]id.User{}, names: map[id.User]string{}, groups: map[string]id.Group{}}
	w.now = func() time.Time { return clock().Add(w.skipped) }
	w.rules = authz.New(sandbox{tx}, w.now, id.NewSource(w.now, nil))
	env := must(w.rules.CreateEnvironment(ctx, "production"))
	w.system = authz.Caller{Environment: env.ID, Actor: event.Actor{ID: "test", Source: "system"}}
	s := scene{TB: t, rules: w.rules, c: w.system}
	for _, slug := range []string{"a", "b", "c", "d"} {
		must(w.rules.CreatePermission(ctx, w.system, authz.NewPermission{Slug: slug, Name: slug}))
	}
	for _, name := range []string{"first", "second"} {
		org := s.organization(name)
		w.orgs = append(w.orgs, org)
		w.names[id.User(org)] = name
	}
	w.caller = w.system
	w.caller.Only = &authz.Restriction{Permissions: []string{"a", "b"}}
	if variant.within {
		w.caller.Only.Organization = w.orgs[0]
	}
	for slug, permissions := range map[string][]string{"admin": {"a", "b", "c"}, "low": {"a"}, "former": {"a"}, "spare": {"a"}, "idle": {"a"}, "heir": {"a"}} {
		s.role("", slug)
		w.edit(w.system, "", slug, permissions...)
	}
	order := []string{"admin", "low", "former", "spare", "idle", "heir", "member"}
	if variant.strongLast {
		order = []string{"low", "former", "spare", "idle", "heir", "member", "admin"}
	}
	must(w.rules.SetPriority(ctx, w.system, "", order))
	if variant.strongDefault {
		must(w.rules.SetDefault(ctx, w.system, "", "admin"))
	}
	if variant.multiple {
		must(w.rules.SetMultipleRoles(ctx, w.system, true))
	}
	s.role(w.orgs[0], "org-x")
	w.edit(w.system, w.orgs[0], "org-x", "b")
	w.populate(s)
	return w
}

func (w *smallWorld) edit(c authz.Caller, org id.Organization, slug string, permissions ...string) error {
	_, err := w.rules.EditRolePermissions(context.Background(), c, org, slug, authz.PermissionEdit{Set: authz.Some(permissions)})
	return err
}

// populate makes users, their memberships and a group, which no rule makes yet.
func (w *smallWorld) populate(s scene) {
	ctx := context.Background()
	for i, name := range []string{"boss", "low", "custom", "plain", "sleeper", "retired boss", "grouped", "shielded", "new here", "bare", "leaver", "newcomer"} {
		w.users[name] = s.user(i)
		w.names[w.users[name]] = name
	}
	for name, role := range map[string]string{
		"boss": "admin", "low": "low", "custom": "org-x", "sleeper": "spare", "retired boss": "admin", "grouped": "low", "shielded": "low",
		"bare": "low", "leaver": "former",
	} {
		must(w.rules.CreateMembership(ctx, w.system, w.users[name], w.orgs[0], asked(role)))
	}
	must(w.rules.CreateMembership(ctx, w.system, w.users["plain"], w.orgs[0], authz.RolesInput{}))
	must(w.rules.CreateMembership(ctx, w.system, w.users["new here"], w.orgs[0], authz.RolesInput{}))
	must(w.rules.CreateMembership(ctx, w.system, w.users["boss"], w.orgs[1], asked("admin")))
	must(w.rules.CreateMembership(ctx, w.system, w.users["low"], w.orgs[1], asked("low")))
	must(w.rules.CreateMembership(ctx, w.system, w.users["plain"], w.orgs[1], authz.RolesInput{}))
	for _, name := range []string{"sleeper", "retired boss"} {
		must(w.rules.DeactivateMember(ctx, w.system, w.member(name, 0)))
	}
	must(0, w.tx.DeleteAssignmentsOf(w.orgs[0], authz.AssignmentFilter{Membership: w.member("bare", 0)})) // falls back to the default
	w.group("admin", "grouped")
	w.group("low", "shielded", "new here") // displaces what else they have where it has the higher priority
	w.group("idle")
	if w.variant.gone {
		must(w.rules.RemoveRole(ctx, w.system, "", "former", authz.RoleDeletion{Replacement: authz.Some("heir")}))
	}
}

// group makes a group of members of the first organization that holds a role.
func (w *smallWorld) group(role string, members ...string) {
	ctx := context.Background()
	g := must(w.rules.CreateGroup(ctx, w.system, w.orgs[0], authz.NewGroup{Name: role})).ID
	for _, m := range members {
		must(w.rules.AddGroupMember(ctx, w.system, w.orgs[0], g, w.member(m, 0)))
	}
	must(w.rules.AssignGroupRole(ctx, w.system, g, authz.NewAssignment{Role: role}))
	w.groups[role] = g
}

// member is the membership of a user, or one that nobody has.
func (w *smallWorld) member(user string, org int) id.Membership {
	m, _, err := w.tx.MembershipOf(w.orgs[org], w.users[user])
	if err != nil {
		panic(err)
	}
	return m.ID
}

// held is who holds what is not the caller's to give. It asks the reference evaluator, as every check does.
func (w *smallWorld) held() map[holding]bool {
	now := map[holding]bool{}
	for _, org := range w.orgs {
		policy := must(w.rules.Policy(context.Background(), w.system, org))
		ms := must(w.tx.MembershipsFrom(w.system.Environment, authz.Scope{Organization: org}, authz.Position{}, 100))
		of := must(w.tx.AssignmentsOf(org, membershipIDs(ms), nil))
		for _, m := range ms {
			for _, slug := range authz.EffectivePermissions(authz.Facts{At: w.now(), Membership: m, Assignments: of[m.ID], Policy: policy}) {
				if !slices.Contains(w.caller.Only.Permissions, slug) {
					now[holding{w.names[m.User] + " of " + w.names[id.User(org)], slug}] = true
				}
			}
		}
	}
	return now
}

// digestOf tells the state of organizations and of the environment in words, without what is made anew each time.
func (w *smallWorld) digestOf(orgs ...id.Organization) string {
	var b strings.Builder
	env := w.system.Environment
	slugs := map[id.Role]string{"": "-"}
	for _, org := range append([]id.Organization{""}, orgs...) {
		p := must(w.rules.Policy(context.Background(), w.system, org))
		standing, _, err := w.tx.Standing(env, org)
		for _, role := range must(standing.Roles, err) {
			slugs[role.ID] = role.Slug
		}
		fmt.Fprintln(&b, "policy", org, p.Own, p.Multiple, slugs[p.Default])
		for _, role := range p.Roles {
			fmt.Fprintln(&b, role.Slug, role.Permissions)
		}
		var gone []string
		for from, to := range p.Retired {
			gone = append(gone, fmt.Sprint(slugs[from], slugs[to.Role], to.Default))
		}
		slices.Sort(gone)
		fmt.Fprintln(&b, gone)
	}
	for _, org := range orgs {
		ms := must(w.tx.MembershipsFrom(env, authz.Scope{Organization: org}, authz.Position{}, 100))
		of := must(w.tx.AssignmentsOf(org, membershipIDs(ms), nil))
		for _, m := range ms {
			var held []string
			for _, a := range of[m.ID] {
				held = append(held, fmt.Sprint(slugs[a.Role], a.Source, a.Group != "", !a.ExpiresAt.IsZero()))
			}
			slices.Sort(held)
			fmt.Fprintln(&b, w.names[m.User], m.Status, held)
		}
	}
	for _, role := range slices.Sorted(maps.Keys(w.groups)) {
		if !slices.Contains(orgs, w.orgs[0]) {
			break
		}
		given := must(w.tx.Assignments(w.orgs[0], authz.AssignmentFilter{Group: w.groups[role]}, page.Request{Limit: page.MaxLimit, Order: page.Asc}))
		_, exists, err := w.tx.Group(env, w.groups[role])
		fmt.Fprintln(&b, "group", role, must(exists, err), len(given.Items))
		for _, a := range given.Items {
			fmt.Fprintln(&b, slugs[a.Role], !a.ExpiresAt.IsZero())
		}
	}
	return b.String()
}

// working says whether work in the background would change anything.
func (w *smallWorld) working() bool {
	jobs := must(w.tx.Jobs(w.system.Environment, "", page.Request{Limit: page.MaxLimit, Order: page.Asc}))
	return slices.ContainsFunc(jobs.Items, func(j authz.Job) bool { return j.FinishedAt.IsZero() && j.Kind != authz.JobAnnounce })
}

func membershipIDs(ms []authz.Membership) []id.Membership {
	ids := make([]id.Membership, len(ms))
	for i, m := range ms {
		ids[i] = m.ID
	}
	return ids
}
