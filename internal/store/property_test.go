package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sort"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/store/storetest"
	"pgregory.net/rapid"
)

// The vocabulary is small, so that random operations often meet each other, refusals included. Environment roles can
// get custom slugs, so that the two kinds collide (R8).
var (
	someSlugs       = []string{"admin", "editor", "org-a", "org-b", "member"}
	someCustom      = []string{"org-a", "org-b", "org-c"}
	somePermissions = []string{"a:read", "a:write", "b:*"}
	someOrgs        = []string{"acme", "globex"}
	someUsers       = []string{"u0@x.example", "u1@x.example", "u2@x.example"}
)

// pair drives the rules and the naive model side by side.
type pair struct {
	*rapid.T
	s       scene
	model   *naive
	orgs    map[string]id.Organization
	users   map[string]id.User
	members map[string]id.Membership
}

// agree wants both to refuse alike or to succeed alike.
func (p *pair) agree(operation, want string, err error) {
	got := fine
	for name, kind := range map[string]fault.Kind{
		notFound: fault.NotFound, conflict: fault.Conflict, invalid: fault.Invalid, badOne: fault.BadRequest, forbidden: fault.Forbidden,
	} {
		if fault.Is(err, kind) {
			got = name
		}
	}
	if err != nil && got == fine {
		p.Fatalf("%s: %v", operation, err)
	}
	if got != want {
		p.Fatalf("%s: the rules say %q (%v), the model %q", operation, got, err, want)
	}
}

func (p *pair) one(from []string, label string) string {
	return rapid.SampledFrom(from).Draw(p.T, label)
}

// owner draws the environment or an organization that exists.
func (p *pair) owner() (string, id.Organization) {
	names := []string{""}
	for name := range p.orgs {
		names = append(names, name)
	}
	sort.Strings(names)
	name := p.one(names, "owner")
	return name, p.orgs[name]
}

// member draws an organization and a user that exist.
func (p *pair) member() (org, user string) {
	org, _ = p.owner()
	if org == "" || len(p.users) == 0 {
		p.Skip("nobody there yet")
	}
	var users []string
	for u := range p.users {
		users = append(users, u)
	}
	sort.Strings(users)
	return org, p.one(users, "user")
}

func (p *pair) slugFor(org string) string {
	if org != "" {
		return p.one(someCustom, "slug")
	}
	return p.one(someSlugs, "slug")
}

func TestRulesAgainstNaiveModel(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		db, err := store.Open(context.Background(), "sqlite:"+filepath.Join(folder, fmt.Sprint(runs, ".db")), store.Serve)
		if err != nil {
			rt.Fatal(err)
		}
		defer db.Close()
		p := &pair{
			T: rt, s: newScene(t, db), model: newNaive(),
			orgs: map[string]id.Organization{}, users: map[string]id.User{}, members: map[string]id.Membership{},
		}
		actions := p.actions()
		actions[""] = func(rt *rapid.T) {
			if d := cmp.Diff(p.model.world(), storetest.Look(t, p.s.db, p.s.rules, p.s.c)); d != "" {
				rt.Fatalf("the model (-) and the rules (+) differ:\n%s", d)
			}
		}
		rt.Repeat(actions)
		storetest.Mirror(t, p.s.db, p.s.rules, p.s.c)
	})
}

func (p *pair) actions() map[string]func(*rapid.T) {
	all := map[string]func(){
		"create permission": p.createPermission, "delete permission": p.deletePermission, "create organization": p.createOrganization,
		"create user": p.createUser, "create role": p.createRole, "create another role": p.createRole, "delete role": p.deleteRole,
		"set permissions": p.setPermissions, "toggle permission": p.togglePermission, "set default": p.setDefault,
		"set priority": p.setPriority, "join": p.join, "assign": p.assign, "set status": p.setStatus, "leave": p.leave,
		"delete organization": p.deleteOrganization,
	}
	actions := map[string]func(*rapid.T){}
	for name, do := range all {
		actions[name] = func(rt *rapid.T) {
			p.T = rt
			do()
		}
	}
	return actions
}

func (p *pair) createPermission() {
	slug := p.one(somePermissions, "permission")
	_, err := p.s.rules.CreatePermission(context.Background(), p.s.c, authz.NewPermission{Slug: slug, Name: slug})
	p.agree("create permission "+slug, p.model.createPermission(slug), err)
}

func (p *pair) deletePermission() {
	slug := p.one(somePermissions, "permission")
	p.agree("delete permission "+slug, p.model.deletePermission(slug), p.s.rules.DeletePermission(context.Background(), p.s.c, slug))
}

func (p *pair) createOrganization() {
	name := p.one(someOrgs, "organization")
	if _, exists := p.orgs[name]; exists {
		p.Skip("exists")
	}
	p.orgs[name] = p.s.organization(name)
	p.model.orgs[name] = &naiveOrganization{custom: map[string][]string{}, members: map[string]*naiveMember{}}
}

func (p *pair) deleteOrganization() {
	name, org := p.owner()
	if name == "" || rapid.IntRange(0, 3).Draw(p.T, "really") > 0 {
		p.Skip("not this time")
	}
	p.agree("delete organization", fine, p.s.rules.DeleteOrganization(context.Background(), p.s.c, org))
	delete(p.orgs, name)
	delete(p.model.orgs, name)
}

func (p *pair) createUser() {
	email := p.one(someUsers, "email")
	u, err := p.s.rules.CreateUser(context.Background(), p.s.c, authz.UserInput{Email: authz.Some(email)})
	want := fine
	if p.model.users[email] {
		want = badOne
	}
	p.agree("create user "+email, want, err)
	if err == nil {
		p.users[email], p.model.users[email] = u.ID, true
	}
}

func (p *pair) createRole() {
	name, org := p.owner()
	slug := p.slugFor(name)
	_, err := p.s.rules.CreateRole(context.Background(), p.s.c, org, authz.NewRole{Slug: authz.Some(slug), Name: slug})
	p.agree("create role "+slug+" of "+name, p.model.createRole(name, slug), err)
}

func (p *pair) deleteRole() {
	name, org := p.owner()
	slug := p.slugFor(name)
	p.agree("delete role "+slug+" of "+name, p.model.deleteRole(name, slug), p.s.rules.DeleteRole(context.Background(), p.s.c, org, slug))
}

func (p *pair) setPermissions() {
	name, org := p.owner()
	slug := p.slugFor(name)
	to := rapid.SliceOfN(rapid.SampledFrom(somePermissions), 0, 4).Draw(p.T, "permissions")
	_, err := p.s.rules.EditRolePermissions(context.Background(), p.s.c, org, slug, authz.PermissionEdit{Set: authz.Some(to)})
	p.agree(fmt.Sprint("set permissions of ", slug, " to ", to), p.model.setPermissions(name, slug, to), err)
}

func (p *pair) togglePermission() {
	name, org := p.owner()
	slug, permission, add := p.slugFor(name), p.one(somePermissions, "permission"), rapid.Bool().Draw(p.T, "add")
	edit := authz.PermissionEdit{Remove: permission}
	if add {
		edit = authz.PermissionEdit{Add: permission}
	}
	_, err := p.s.rules.EditRolePermissions(context.Background(), p.s.c, org, slug, edit)
	p.agree("toggle permission", p.model.togglePermission(name, slug, permission, add), err)
}

func (p *pair) setDefault() {
	name, org := p.owner()
	slug := p.one(append(someSlugs, someCustom...), "slug")
	_, err := p.s.rules.SetDefault(context.Background(), p.s.c, org, slug)
	p.agree("set default "+slug+" of "+name, p.model.setDefault(name, slug), err)
}

// setPriority draws a permutation, sometimes with one role left out. Where a custom and an environment role share a
// slug, slugs cannot tell them apart: the first mention is the custom one.
func (p *pair) setPriority() {
	name, org := p.owner()
	names := rapid.Permutation(p.model.orderOf(name)).Draw(p.T, "order")
	if len(names) > 1 && rapid.IntRange(0, 4).Draw(p.T, "leave one out") == 0 {
		names = names[1:]
	}
	var slugs []string
	at := map[string]int{}
	for i, n := range names {
		slug := n[2:]
		if first, twice := at[slug]; twice {
			names[first], names[i] = "c:"+slug, "e:"+slug
		}
		at[slug] = i
		slugs = append(slugs, slug)
	}
	_, err := p.s.rules.SetPriority(context.Background(), p.s.c, org, slugs)
	p.agree(fmt.Sprint("set priority of ", name, " to ", slugs), p.model.setPriority(name, names), err)
}

func (p *pair) join() {
	org, user := p.member()
	slug := p.one(append([]string{"", "", "nonsense"}, append(someSlugs, someCustom...)...), "slug")
	m, err := p.s.rules.CreateMembership(context.Background(), p.s.c, p.users[user], p.orgs[org],
		authz.RolesInput{Slug: authz.Opt[string]{Set: slug != "", Value: slug}})
	p.agree("join "+org+" as "+slug, p.model.join(org, user, slug), err)
	if err == nil {
		p.members[user+org] = m.ID
	}
}

func (p *pair) assign() {
	org, user := p.member()
	slug := p.one(append([]string{"nonsense"}, append(someSlugs, someCustom...)...), "slug")
	_, err := p.s.rules.UpdateMember(context.Background(), p.s.c, p.members[user+org], asked(slug))
	p.agree("assign "+slug, p.model.assign(org, user, slug), err)
}

func (p *pair) setStatus() {
	org, user := p.member()
	do, status := p.s.rules.DeactivateMember, "inactive"
	if rapid.Bool().Draw(p.T, "reactivate") {
		do, status = p.s.rules.ReactivateMember, "active"
	}
	_, err := do(context.Background(), p.s.c, p.members[user+org])
	p.agree("set status "+status, p.model.setStatus(org, user, status), err)
}

func (p *pair) leave() {
	org, user := p.member()
	want := notFound
	if _, in := p.model.orgs[org].members[user]; in {
		want = fine
	}
	p.agree("leave", want, p.s.rules.DeleteMember(context.Background(), p.s.c, p.members[user+org]))
	delete(p.model.orgs[org].members, user)
}
