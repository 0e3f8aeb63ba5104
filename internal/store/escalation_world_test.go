package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
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
	names          map[id.User]string // of organizations too
	empty          authz.Group        // has a role and nobody in it
}

func newSmallWorld(t *testing.T, tx authz.Tx, variant small) *smallWorld {
	ctx := context.Background()
	now := tick()
	ids := id.NewSource(now, nil)
	w := &smallWorld{tx: tx, now: now, variant: variant, rules: authz.New(sandbox{tx}, now, ids), users: map[string]id.User{}, names: map[id.User]string{}}
	env := must(w.rules.CreateEnvironment(ctx, "production"))
	w.system = authz.Caller{Environment: env.ID, Actor: event.Actor{ID: "test", Source: "system"}}
	s := scene{t, w.rules, w.system}
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
	w.populate(s, ids)
	return w
}

func (w *smallWorld) edit(c authz.Caller, org id.Organization, slug string, permissions ...string) error {
	_, err := w.rules.EditRolePermissions(context.Background(), c, org, slug, authz.PermissionEdit{Set: authz.Some(permissions)})
	return err
}

// populate makes users, their memberships and a group, which no rule makes yet.
func (w *smallWorld) populate(s scene, ids *id.Source) {
	ctx := context.Background()
	for i, name := range []string{"boss", "low", "custom", "plain", "sleeper", "retired boss", "grouped", "shielded", "bare", "leaver", "newcomer"} {
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
	must(w.rules.CreateMembership(ctx, w.system, w.users["boss"], w.orgs[1], asked("admin")))
	must(w.rules.CreateMembership(ctx, w.system, w.users["low"], w.orgs[1], asked("low")))
	must(w.rules.CreateMembership(ctx, w.system, w.users["plain"], w.orgs[1], authz.RolesInput{}))
	for _, name := range []string{"sleeper", "retired boss"} {
		must(w.rules.DeactivateMember(ctx, w.system, w.member(name, 0)))
	}
	must(0, w.tx.DeleteAssignmentsOf(w.orgs[0], authz.AssignmentFilter{Membership: w.member("bare", 0)})) // falls back to the default
	w.group(ids, "admin", "grouped")
	w.group(ids, "low", "shielded") // displaces what the member is given where it has the higher priority
	w.empty = w.group(ids, "idle")
	if w.variant.gone {
		must(w.rules.RemoveRole(ctx, w.system, "", "former", authz.RoleDeletion{Replacement: authz.Some("heir")}))
	}
}

// group makes a group of members of the first organization that holds a role.
func (w *smallWorld) group(ids *id.Source, role string, members ...string) authz.Group {
	env, org, at := w.system.Environment, w.orgs[0], w.now()
	g := authz.Group{ID: id.New[id.Group](ids), Environment: env, Organization: org, Name: role, CreatedAt: at, UpdatedAt: at}
	must(0, w.tx.InsertGroup(g))
	for _, m := range members {
		must(0, w.tx.AddGroupMember(g, w.member(m, 0), at))
	}
	held, _, err := w.tx.Role(env, "", role)
	a := authz.Assignment{
		ID: id.New[id.Assignment](ids), Environment: env, Organization: org, Group: g.ID, Role: must(held, err).ID,
		Resource: authz.OrganizationResource(org), Source: authz.SourceGroup, Explicit: true, CreatedAt: at, UpdatedAt: at,
	}
	must(0, w.tx.InsertAssignment(a, time.Time{}))
	return g
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

// bearing names the operations that bear most on each other.
var bearing = []string{
	"let low of environment be b", "let low of environment be abc", "let admin of environment be b", "let admin of environment be abc",
	"delete low of environment", "delete heir of environment", "remove low of environment for ", "remove low of environment for admin", "remove admin of environment for low",
	"default of environment admin", "default of environment low", "put admin of environment last or first: 1", "put low of environment last or first: 0",
	"create org-new of first", "let org-new of first be abc", "remove org-x of first for ", "remove org-x of first for admin",
	"default of first admin", "default of first org-x", "put admin of first last or first: 1", "put low of first last or first: 0",
	"create org-new of second", "default of second org-new", "remove org-new of second, default admin", "deactivate boss", "reactivate boss", "reactivate retired boss", "reactivate sleeper",
	"give low admin", "give sleeper admin", "give grouped org-x", "give boss low", "give shielded admin",
	"remove spare of environment for ", "remove idle of environment for admin", "remove low of environment, default admin", "join newcomer to 0 as ", "join newcomer to 1 as admin",
	"several roles: true", "several roles: false", "work",
}

// delegated lists what the caller tries, and the work in the background.
func (w *smallWorld) delegated() (all []operation) {
	add := func(name string, do func(context.Context) error) { all = append(all, operation{name, do}) }
	defer func() { slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.name, b.name) }) }()
	owner := func(org id.Organization) string {
		if org == "" {
			return "environment"
		}
		return w.names[id.User(org)]
	}
	c, r := w.caller, w.rules
	for org, slugs := range map[id.Organization][]string{"": {"low", "admin", "spare", "idle", "heir", "new"}, w.orgs[0]: {"org-x", "org-new"}, w.orgs[1]: {"org-new"}} {
		slug := slugs[len(slugs)-1]
		add("create "+slug+" of "+owner(org), func(ctx context.Context) error {
			_, err := r.CreateRole(ctx, c, org, authz.NewRole{Slug: authz.Some(slug), Name: slug})
			return err
		})
		for _, slug := range slugs {
			for _, permissions := range []string{"b", "abc"} {
				add("let "+slug+" of "+owner(org)+" be "+permissions, func(context.Context) error {
					return w.edit(c, org, slug, strings.Split(permissions, "")...)
				})
			}
			add("delete "+slug+" of "+owner(org), func(ctx context.Context) error { return r.DeleteRole(ctx, c, org, slug) })
			add("remove "+slug+" of "+owner(org)+", default admin", func(ctx context.Context) error {
				_, err := r.RemoveRole(ctx, c, org, slug, authz.RoleDeletion{Default: authz.Some("admin")})
				return err
			})
			for _, instead := range []string{"", "low", "admin"} {
				if instead == slug {
					continue
				}
				in := authz.RoleDeletion{Default: authz.Some("member"), Replacement: authz.Opt[string]{Set: instead != "", Value: instead}}
				add("remove "+slug+" of "+owner(org)+" for "+instead, func(ctx context.Context) error {
					_, err := r.RemoveRole(ctx, c, org, slug, in)
					return err
				})
			}
		}
		for _, slug := range slices.Compact([]string{"admin", "member", "low", slugs[0]}) {
			add("default of "+owner(org)+" "+slug, func(ctx context.Context) error { _, err := r.SetDefault(ctx, c, org, slug); return err })
			for first := range 2 {
				add(fmt.Sprint("put ", slug, " of ", owner(org), " last or first: ", first), func(ctx context.Context) error { return w.move(ctx, org, slug, first == 1) })
			}
		}
	}
	w.delegatedMembers(add)
	for _, on := range []bool{true, false} {
		add(fmt.Sprint("several roles: ", on), func(ctx context.Context) error { _, err := r.SetMultipleRoles(ctx, c, on); return err })
	}
	add("work", w.work)
	return all
}

func (w *smallWorld) delegatedMembers(add func(string, func(context.Context) error)) {
	c, r := w.caller, w.rules
	for _, user := range []string{"boss", "low", "plain", "sleeper", "retired boss", "grouped", "shielded"} {
		add("deactivate "+user, func(ctx context.Context) error { _, err := r.DeactivateMember(ctx, c, w.member(user, 0)); return err })
		add("reactivate "+user, func(ctx context.Context) error { _, err := r.ReactivateMember(ctx, c, w.member(user, 0)); return err })
		for _, roles := range [][]string{{"admin"}, {"low"}, {"org-x"}, {"low", "admin"}} {
			add("give "+user+" "+strings.Join(roles, " and "), func(ctx context.Context) error {
				_, err := r.UpdateMember(ctx, c, w.member(user, 0), authz.RolesInput{Slugs: authz.Some(roles)})
				return err
			})
		}
	}
	for _, user := range []string{"newcomer", "sleeper", "boss"} {
		for org := range w.orgs {
			for _, role := range []string{"", "admin", "low"} {
				in := authz.RolesInput{}
				if role != "" {
					in = asked(role)
				}
				add(fmt.Sprint("join ", user, " to ", org, " as ", role), func(ctx context.Context) error {
					_, err := r.CreateMembership(ctx, c, w.users[user], w.orgs[org], in)
					return err
				})
			}
		}
	}
	add("remove boss", func(ctx context.Context) error { return r.DeleteMember(ctx, c, w.member("boss", 0)) })
}

// move puts one role at an end of an order.
func (w *smallWorld) move(ctx context.Context, org id.Organization, slug string, first bool) error {
	p, err := w.rules.Policy(ctx, w.caller, org)
	if err != nil {
		return err
	}
	var order []string
	for _, r := range p.Roles {
		if r.Slug != slug {
			order = append(order, r.Slug)
		}
	}
	if first {
		order = slices.Insert(order, 0, slug)
	} else {
		order = append(order, slug)
	}
	_, err = w.rules.SetPriority(ctx, w.caller, org, order)
	return err
}

func (w *smallWorld) work(ctx context.Context) error {
	for {
		if worked, err := w.rules.Work(ctx, "worker"); err != nil || !worked {
			return err
		}
	}
}

// wake makes every membership active.
func (w *smallWorld) wake(ctx context.Context) error {
	for _, m := range must(w.tx.MembershipsFrom(w.system.Environment, authz.Scope{}, authz.Position{}, 100)) {
		if m.Status == authz.StatusActive {
			continue
		}
		if _, err := w.rules.ReactivateMember(ctx, w.system, m.ID); err != nil {
			return err
		}
	}
	return nil
}

// harmless lists what somebody with all rights may do in good faith before anybody looks.
func (w *smallWorld) harmless() []operation {
	return []operation{
		{"nothing else", func(context.Context) error { return nil }},
		{"everybody's return", w.wake},
		{"new people", func(ctx context.Context) error {
			if m := w.member("plain", 0); m != "" {
				if err := w.tx.AddGroupMember(w.empty, m, w.now()); err != nil {
					return err
				}
			}
			for _, org := range w.orgs {
				_, err := w.rules.CreateMembership(ctx, w.system, w.users["newcomer"], org, authz.RolesInput{})
				if err != nil && fault.Of(err).Kind == fault.Internal {
					return err
				}
			}
			return nil
		}},
		{"everybody's return and several roles", func(ctx context.Context) error {
			if err := w.wake(ctx); err != nil {
				return err
			}
			_, err := w.rules.SetMultipleRoles(ctx, w.system, true)
			return err
		}},
	}
}

// digestOf tells the state of organizations and of the environment in words, without what is made anew each time.
func (w *smallWorld) digestOf(orgs ...id.Organization) string {
	var b strings.Builder
	env := w.system.Environment
	slugs := map[id.Role]string{"": "-"}
	for _, org := range append([]id.Organization{""}, orgs...) {
		p := must(w.rules.Policy(context.Background(), w.system, org))
		for _, role := range must(w.tx.Roles(env, org)) {
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
				held = append(held, slugs[a.Role]+" "+string(a.Source))
			}
			slices.Sort(held)
			fmt.Fprintln(&b, w.names[m.User], m.Status, held)
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
