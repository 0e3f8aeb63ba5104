package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/store"
	"pgregory.net/rapid"
)

// tenancy is a random organization with everything that a decision can depend on, and another beside it, put into the
// store past the rules, so that states are met that no single rule makes. Time stands still in it.
type tenancy struct {
	*rapid.T
	rules       *authz.Service
	db          *store.Store
	c           authz.Caller
	ids         *id.Source
	at          time.Time
	org, other  id.Organization
	permissions []authz.Permission
	roles       []id.Role // of every type, the ones that are gone among them
	members     []authz.Membership
	groups      []authz.Group
	resources   []authz.Resource // of the organization
	foreign     []authz.Resource // of the other
	parents     map[id.Resource]id.Resource
	assigned    []authz.Assignment
	inGroup     map[id.Group][]id.Membership
}

var someTypes = []string{authz.OrganizationType, "workspace", "project", "document"}

// mayLieIn says in what resources of a type may lie.
var mayLieIn = map[string][]string{
	"workspace": {authz.OrganizationType}, "project": {authz.OrganizationType, "workspace"}, "document": {"workspace", "project"},
}

func newTenancy(t *testing.T, rt *rapid.T, db *store.Store, n int) *tenancy {
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	ids := id.NewSource(time.Now, nil)
	w := &tenancy{
		T: rt, db: db, ids: ids, at: at, rules: authz.New(db, func() time.Time { return at }, ids),
		parents: map[id.Resource]id.Resource{}, inGroup: map[id.Group][]id.Membership{},
	}
	env := must(w.rules.CreateEnvironment(context.Background(), fmt.Sprint("world ", n)))
	w.c = authz.Caller{Environment: env.ID, Actor: event.Actor{ID: "test", Source: "system"}}
	name := authz.OrganizationInput{Name: authz.Some("n")}
	w.org = must(w.rules.CreateOrganization(context.Background(), w.c, name)).ID
	w.other = must(w.rules.CreateOrganization(context.Background(), w.c, name)).ID
	w.roles = []id.Role{env.DefaultRole}
	err := db.Update(context.Background(), func(tx authz.Tx) error {
		if w.toss("multiple roles") {
			if err := tx.SetMultipleRoles(env.ID, true, at); err != nil {
				return err
			}
		}
		return first(w.addPermissions(tx), w.addRoles(tx), w.addMembers(tx), w.addResources(tx), w.assign(tx))
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *tenancy) toss(label string) bool { return rapid.Bool().Draw(w.T, label) }

func pick[T any](w *tenancy, from []T, label string) T {
	return from[rapid.IntRange(0, len(from)-1).Draw(w.T, label)]
}

func (w *tenancy) addPermissions(tx authz.Tx) error {
	for i, kind := range someTypes {
		if kind != authz.OrganizationType {
			t := authz.ResourceType{Environment: w.c.Environment, Slug: kind, Name: kind, Parents: mayLieIn[kind], CreatedAt: w.at, UpdatedAt: w.at}
			if err := tx.InsertResourceType(t); err != nil {
				return err
			}
		}
		p := authz.Permission{
			ID: id.New[id.Permission](w.ids), Environment: w.c.Environment, Slug: fmt.Sprint(kind, ":", i), Name: "n", ResourceType: kind,
			CreatedAt: w.at, UpdatedAt: w.at,
		}
		w.permissions = append(w.permissions, p)
		if err := tx.InsertPermission(p); err != nil {
			return err
		}
	}
	return nil
}

// addRoles makes roles of either kind. Some go at once, while assignments will still name them.
func (w *tenancy) addRoles(tx authz.Tx) error {
	own := w.toss("policy of its own")
	order := []id.Role{w.roles[0]}
	for i := range rapid.IntRange(2, 6).Draw(w.T, "roles") {
		r := authz.Role{
			ID: id.New[id.Role](w.ids), Environment: w.c.Environment, Slug: fmt.Sprint("role-", i), Name: "n",
			ResourceType: pick(w, someTypes, "type of a role"), CreatedAt: w.at, UpdatedAt: w.at,
		}
		if own && w.toss("custom") {
			r.Organization = w.org
		}
		if err := tx.InsertRole(r); err != nil {
			return err
		}
		for _, p := range w.permissions {
			if rapid.IntRange(0, 2).Draw(w.T, "permission of a role") == 0 {
				r.Permissions = append(r.Permissions, p.Slug)
			}
		}
		if err := tx.UpdateRole(r); err != nil {
			return err
		}
		w.roles = append(w.roles, r.ID)
		if len(order) > 1 && rapid.IntRange(0, 4).Draw(w.T, "gone") == 0 {
			r.RetiredAt = w.at
			if w.toss("replaced") && r.Organization != "" {
				r.Replacement = pick(w, order, "replacement")
			}
			if err := tx.RetireRole(r); err != nil {
				return err
			}
			continue
		}
		order = append(order, r.ID)
	}
	if !own {
		return nil
	}
	return first(tx.SetDefaultRole(w.c.Environment, w.org, pick(w, order, "default"), w.at), tx.SetRoleOrder(w.c.Environment, w.org, rapid.Permutation(order).Draw(w.T, "order")))
}

func (w *tenancy) addMembers(tx authz.Tx) error {
	for i := range rapid.IntRange(0, 2).Draw(w.T, "groups") {
		g := authz.Group{ID: id.New[id.Group](w.ids), Environment: w.c.Environment, Organization: w.org, Name: fmt.Sprint("g", i), CreatedAt: w.at, UpdatedAt: w.at}
		w.groups = append(w.groups, g)
		if err := tx.InsertGroup(g); err != nil {
			return err
		}
	}
	for i := range rapid.IntRange(1, 6).Draw(w.T, "members") {
		u := authz.User{ID: id.New[id.User](w.ids), Environment: w.c.Environment, Email: fmt.Sprintf("u%d@x.example", i), EmailKey: fmt.Sprintf("u%d@x.example", i), CreatedAt: w.at, UpdatedAt: w.at}
		m := authz.Membership{
			ID: id.New[id.Membership](w.ids), Environment: w.c.Environment, Organization: w.org, User: u.ID,
			Status: pick(w, []authz.Status{authz.StatusActive, authz.StatusActive, authz.StatusInactive, authz.StatusPending}, "status"), CreatedAt: w.at, UpdatedAt: w.at,
		}
		w.members = append(w.members, m)
		if err := first(tx.InsertUser(u), tx.InsertMembership(m)); err != nil {
			return err
		}
		for _, g := range w.groups {
			if w.toss("in group") {
				w.inGroup[g.ID] = append(w.inGroup[g.ID], m.ID)
				if err := tx.AddGroupMember(g, m.ID, w.at); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (w *tenancy) addResources(tx authz.Tx) error {
	for i := range rapid.IntRange(0, 8).Draw(w.T, "resources") {
		r := authz.Resource{
			ID: id.New[id.Resource](w.ids), Environment: w.c.Environment, Organization: w.org, ExternalID: fmt.Sprint("x", i), Name: "n",
			Type: pick(w, someTypes[1:], "type"), CreatedAt: w.at, UpdatedAt: w.at,
		}
		var above []id.Resource
		for _, kind := range mayLieIn[r.Type] {
			if kind == authz.OrganizationType {
				above = append(above, authz.OrganizationResource(w.org))
			}
			for _, p := range w.resources {
				if p.Type == kind {
					above = append(above, p.ID)
				}
			}
		}
		if len(above) == 0 {
			continue
		}
		r.Parent = pick(w, above, "parent")
		w.parents[r.ID] = r.Parent
		w.resources = append(w.resources, r)
		if err := tx.InsertResource(r); err != nil {
			return err
		}
	}
	away := authz.Resource{
		ID: id.New[id.Resource](w.ids), Environment: w.c.Environment, Organization: w.other, ExternalID: "x0", Name: "n", Type: "project",
		Parent: authz.OrganizationResource(w.other), CreatedAt: w.at, UpdatedAt: w.at,
	}
	w.foreign = append(w.foreign, away)
	return tx.InsertResource(away)
}

// assign gives roles to members and groups, on anything, for any time and from any source.
func (w *tenancy) assign(tx authz.Tx) error {
	home := authz.OrganizationResource(w.org)
	for range rapid.IntRange(0, 14).Draw(w.T, "assignments") {
		a := authz.Assignment{
			ID: id.New[id.Assignment](w.ids), Environment: w.c.Environment, Organization: w.org, Role: pick(w, w.roles, "role"), Resource: home,
			Source: authz.SourceManual, Explicit: true, CreatedAt: w.at, UpdatedAt: w.at.Add(time.Duration(rapid.IntRange(0, 2).Draw(w.T, "updated")) * time.Second),
		}
		if len(w.resources) > 0 && w.toss("on a resource") {
			a.Resource = pick(w, w.resources, "resource").ID
		}
		switch {
		case len(w.groups) > 0 && rapid.IntRange(0, 2).Draw(w.T, "of a group") == 0:
			a.Group, a.Source = pick(w, w.groups, "group").ID, authz.SourceGroup
		default:
			a.Membership = pick(w, w.members, "member").ID
			if a.Resource == home {
				a.Source = pick(w, []authz.Source{authz.SourceManual, authz.SourceManual, authz.SourceDefault, authz.SourceSSO, authz.SourceDirectory}, "source")
				a.Explicit = w.toss("explicit")
			}
		}
		switch rapid.IntRange(0, 6).Draw(w.T, "interval") {
		case 0:
			a.ExpiresAt = w.at // over just now
		case 1:
			a.StartsAt = w.at // begins just now
		case 2:
			a.StartsAt = w.at.Add(time.Hour)
		}
		twin := func(b authz.Assignment) bool { // there is only one of these
			return a.Membership == b.Membership && a.Group == b.Group && a.Resource == b.Resource && a.Role == b.Role && a.Source == b.Source
		}
		if slices.ContainsFunc(w.assigned, twin) {
			continue
		}
		w.assigned = append(w.assigned, a)
		if err := tx.InsertAssignment(a, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}
