package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/store"
	"pgregory.net/rapid"
)

// random is an environment full of everything, drawn at random, over a clock that stands still.
type random struct {
	*rapid.T
	db          *store.Store
	rules       *authz.Service
	c           authz.Caller
	ids         *id.Source
	now         time.Time
	permissions []string
	orgs        []id.Organization
	members     []authz.Membership
	groups      []authz.Group
	resources   []authz.Resource
}

// drawn is the result of what must not fail.
func drawn[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("making a random world: %v", err))
	}
	return v
}

func newRandom(t *testing.T, rt *rapid.T) *random {
	w := &random{T: rt, now: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC), permissions: []string{"a:read", "a:write", "b:*", "p:edit", "p:see"}}
	folder := t.TempDir()
	w.db = drawn(store.Open(context.Background(), "sqlite:"+filepath.Join(folder, "world.db"), store.Serve))
	rt.Cleanup(func() { w.db.Close() })
	clock := func() time.Time { return w.now }
	w.ids = id.NewSource(clock, nil)
	w.rules = authz.New(w.db, clock, w.ids)
	ctx := context.Background()
	env := drawn(w.rules.CreateEnvironment(ctx, "production"))
	w.c = authz.Caller{Environment: env.ID, Actor: event.Actor{ID: "test", Source: "system"}}
	w.types()
	for _, p := range w.permissions {
		drawn(w.rules.CreatePermission(ctx, w.c, authz.NewPermission{Slug: p, Name: p}))
	}
	for _, slug := range []string{"admin", "editor", "viewer"} {
		w.newRole("", slug, authz.OrganizationType)
	}
	w.newRole("", "project-lead", "project")
	w.edit("", "member")
	for i := range rapid.IntRange(1, 3).Draw(rt, "organizations") {
		w.organization(fmt.Sprint("org", i))
	}
	if w.flip("multiple roles") {
		drawn(w.rules.SetMultipleRoles(ctx, w.c, true))
	}
	// What was put straight into the store is told of as if a rule had done it.
	w.update(func(tx authz.Tx) error {
		return tx.InsertJob(authz.Job{ID: id.New[id.Job](w.ids), Environment: env.ID, Kind: authz.JobAnnounce, CreatedAt: w.now, UpdatedAt: w.now})
	})
	w.settle()
	return w
}

func (w *random) flip(label string) bool { return rapid.Bool().Draw(w.T, label) }

func (w *random) some(from []string, label string) []string {
	return slices.DeleteFunc(slices.Clone(from), func(string) bool { return !w.flip(label) })
}

func (w *random) pick(from []string, label string) string {
	return rapid.SampledFrom(from).Draw(w.T, label)
}

func (w *random) update(do func(authz.Tx) error) {
	if err := w.db.Update(context.Background(), do); err != nil {
		panic(fmt.Sprintf("making a random world: %v", err))
	}
}

// types makes folders below the organization and projects below it and below folders.
func (w *random) types() {
	w.update(func(tx authz.Tx) error {
		for slug, parents := range map[string][]string{"folder": {authz.OrganizationType}, "project": {"folder", authz.OrganizationType}} {
			rt := authz.ResourceType{Environment: w.c.Environment, Slug: slug, Name: slug, Parents: parents, CreatedAt: w.now, UpdatedAt: w.now}
			if err := tx.InsertResourceType(rt); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *random) newRole(org id.Organization, slug, kind string) {
	drawn(w.rules.CreateRole(context.Background(), w.c, org, authz.NewRole{Slug: authz.Some(slug), Name: slug, ResourceType: authz.Some(kind)}))
	if kind == authz.OrganizationType {
		w.edit(org, slug)
	}
}

func (w *random) edit(org id.Organization, slug string) {
	edit := authz.PermissionEdit{Set: authz.Some(w.some(w.permissions, slug+" holds"))}
	drawn(w.rules.EditRolePermissions(context.Background(), w.c, org, slug, edit))
}

// slugs lists the roles for a type that are available to an owner.
func (w *random) slugs(org id.Organization, kind string) []string {
	var slugs []string
	for _, r := range drawn(w.rules.ListRoles(context.Background(), w.c, org)) {
		if r.ResourceType == kind {
			slugs = append(slugs, r.Slug)
		}
	}
	return slugs
}

func (w *random) organization(name string) {
	ctx := context.Background()
	org := drawn(w.rules.CreateOrganization(ctx, w.c, authz.OrganizationInput{Name: authz.Some(name)})).ID
	w.orgs = append(w.orgs, org)
	if w.flip("custom roles") {
		w.newRole(org, "org-a", authz.OrganizationType)
		w.newRole(org, "org-b", authz.OrganizationType)
		drawn(w.rules.SetDefault(ctx, w.c, org, w.pick(w.slugs(org, authz.OrganizationType), "own default")))
	}
	w.tree(org)
	var groups []authz.Group
	for i := range 2 {
		groups = append(groups, w.group(org, fmt.Sprint("group", i)))
	}
	for i := range rapid.IntRange(1, 4).Draw(w.T, "members") {
		w.member(org, fmt.Sprint(name, "-", i), groups)
	}
}

func (w *random) tree(org id.Organization) {
	folder := w.resource(org, "folder", "f", authz.OrganizationResource(org))
	w.resource(org, "project", "p1", folder.ID)
	w.resource(org, "project", "p2", authz.OrganizationResource(org))
}

func (w *random) resource(org id.Organization, kind, name string, parent id.Resource) authz.Resource {
	r := authz.Resource{
		ID: id.New[id.Resource](w.ids), Environment: w.c.Environment, Organization: org, Type: kind, ExternalID: name, Name: name,
		Parent: parent, CreatedAt: w.now, UpdatedAt: w.now,
	}
	w.update(func(tx authz.Tx) error { return tx.InsertResource(r) })
	w.resources = append(w.resources, r)
	return r
}

func (w *random) group(org id.Organization, name string) authz.Group {
	g := authz.Group{ID: id.New[id.Group](w.ids), Environment: w.c.Environment, Organization: org, Name: name, CreatedAt: w.now, UpdatedAt: w.now}
	w.update(func(tx authz.Tx) error { return tx.InsertGroup(g) })
	w.groups = append(w.groups, g)
	w.assignments(org, "", g.ID, authz.SourceGroup)
	return g
}

func (w *random) member(org id.Organization, name string, groups []authz.Group) {
	ctx := context.Background()
	u := drawn(w.rules.CreateUser(ctx, w.c, authz.UserInput{Email: authz.Some(name + "@x.example")}))
	in := authz.RolesInput{}
	if w.flip("a role asked for") {
		in = asked(w.pick(w.slugs(org, authz.OrganizationType), "role"))
	}
	m := drawn(w.rules.CreateMembership(ctx, w.c, u.ID, org, in))
	w.members = append(w.members, m.Membership)
	for _, g := range groups {
		if w.flip("in group") {
			w.update(func(tx authz.Tx) error { return tx.AddGroupMember(g, m.ID, w.now) })
		}
	}
	w.assignments(org, m.ID, "", authz.SourceManual)
	if w.flip("nothing given at creation") {
		w.update(func(tx authz.Tx) error {
			return tx.DeleteAssignmentsOf(org, authz.AssignmentFilter{Membership: m.ID, Source: authz.SourceDefault})
		})
	}
	if rapid.IntRange(0, 4).Draw(w.T, "status") == 0 {
		drawn(w.rules.DeactivateMember(ctx, w.c, m.ID))
	}
}

// assignments gives a subject some roles, on the organization and on resources, some for a time.
func (w *random) assignments(org id.Organization, m id.Membership, g id.Group, source authz.Source) {
	p := drawn(w.rules.Policy(context.Background(), w.c, org))
	places := map[id.Resource]string{authz.OrganizationResource(org): authz.OrganizationType}
	order := []id.Resource{authz.OrganizationResource(org)}
	for _, r := range w.resources {
		if r.Organization == org {
			places[r.ID], order = r.Type, append(order, r.ID)
		}
	}
	for _, r := range p.Roles {
		for _, on := range order {
			if r.ResourceType != places[on] || rapid.IntRange(0, 3).Draw(w.T, "assigned") != 0 {
				continue
			}
			a := authz.Assignment{
				ID: id.New[id.Assignment](w.ids), Environment: w.c.Environment, Organization: org, Membership: m, Group: g, Role: r.ID,
				Resource: on, Source: source, Explicit: true, CreatedAt: w.now, UpdatedAt: w.now,
			}
			switch rapid.IntRange(0, 5).Draw(w.T, "interval") {
			case 0:
				a.ExpiresAt = w.now.Add(-time.Hour)
			case 1:
				a.StartsAt = w.now.Add(time.Hour)
			}
			w.update(func(tx authz.Tx) error {
				there, err := tx.AssignmentsOf(org, []id.Membership{m}, []id.Resource{on})
				if err != nil || slices.ContainsFunc(there[m], func(b authz.Assignment) bool { return b.Role == a.Role && b.Source == a.Source && b.Group == g }) {
					return err
				}
				return tx.InsertAssignment(a, time.Time{})
			})
		}
	}
}

// settle does all the work that follows changes.
func (w *random) settle() {
	for drawn(w.rules.Work(context.Background(), "test")) {
	}
}

// held is what every membership effectively holds: roles on the organization, and permissions on every resource.
type heldState struct {
	roles  []string
	rights map[id.Resource][]string
}

func (w *random) evaluate() map[id.Membership]heldState {
	ctx := context.Background()
	all := map[id.Membership]heldState{}
	for _, m := range w.members {
		member := drawn(w.rules.Member(ctx, w.c, m.ID))
		state := heldState{rights: map[id.Resource][]string{}}
		for _, h := range member.Held {
			state.roles = append(state.roles, h.Role.Slug)
		}
		var questions []authz.Question
		for _, on := range w.places(m.Organization) {
			for _, p := range w.permissions {
				questions = append(questions, authz.Question{Membership: m.ID, Permission: p, Resource: authz.ResourceRef{ID: on}})
			}
		}
		for i, a := range drawn(w.rules.CheckAll(ctx, w.c, questions)) {
			if q := questions[i]; a.Decision.Authorized {
				state.rights[q.Resource.ID] = append(state.rights[q.Resource.ID], q.Permission)
			}
		}
		all[m.ID] = state
	}
	return all
}

// places lists the organization's own resource and those below it.
func (w *random) places(org id.Organization) []id.Resource {
	all := []id.Resource{authz.OrganizationResource(org)}
	for _, r := range w.resources {
		if r.Organization == org {
			all = append(all, r.ID)
		}
	}
	return all
}
