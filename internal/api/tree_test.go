package api_test

import (
	"context"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
)

// tree puts resources and what is held on them into the store of a world, past the rules.
type tree struct {
	*world
	ids *id.Source
	at  time.Time
}

// newTree makes the types workspace, project and document, each within the one before.
func newTree(w *world) *tree {
	w.tb.Helper()
	t := &tree{world: w, ids: id.NewSource(w.clock.now, nil), at: w.clock.now().Truncate(time.Millisecond)}
	t.update(func(tx authz.Tx) error {
		for _, k := range [][2]string{{"workspace", authz.OrganizationType}, {"project", "workspace"}, {"document", "project"}} {
			err := tx.InsertResourceType(authz.ResourceType{Environment: w.env, Slug: k[0], Name: k[0], Parents: []string{k[1]}, CreatedAt: t.at, UpdatedAt: t.at})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return t
}

func (t *tree) update(fn func(authz.Tx) error) {
	t.tb.Helper()
	if err := t.db.Update(context.Background(), fn); err != nil {
		t.tb.Fatal(err)
	}
}

// resource makes a resource below another or, for "", below the organization.
func (t *tree) resource(org, kind, externalID, parent string) string {
	t.tb.Helper()
	r := authz.Resource{
		ID: id.New[id.Resource](t.ids), Environment: t.env, Organization: id.Organization(org), Type: kind, ExternalID: externalID,
		Name: "The " + externalID, Parent: id.Resource(parent), CreatedAt: t.at, UpdatedAt: t.at,
	}
	if parent == "" {
		r.Parent = authz.OrganizationResource(r.Organization)
	}
	t.update(func(tx authz.Tx) error { return tx.InsertResource(r) })
	return string(r.ID)
}

// roleOn makes a role for a type of resources.
func (t *tree) roleOn(kind, slug string, permissions ...string) {
	t.tb.Helper()
	t.post(roles, object{"slug": slug, "name": slug, "resource_type_slug": kind}).is(201)
	t.put(roles+"/"+slug+"/permissions", object{"permissions": permissions}).is(200)
}

// hold gives a membership or a group a role on a resource and returns the assignment.
func (t *tree) hold(org, subject, role, resource string) string {
	t.tb.Helper()
	a := authz.Assignment{
		ID: id.New[id.Assignment](t.ids), Environment: t.env, Organization: id.Organization(org), Resource: id.Resource(resource),
		Source: authz.SourceManual, Explicit: true, CreatedAt: t.at, UpdatedAt: t.at,
	}
	if g, ok := id.Parse[id.Group](subject); ok {
		a.Group, a.Source = g, authz.SourceGroup
	} else {
		a.Membership = id.Membership(subject)
	}
	t.update(func(tx authz.Tx) error {
		r, _, err := tx.Role(t.env, "", role)
		if err != nil {
			return err
		}
		a.Role = r.ID
		return tx.InsertAssignment(a, time.Time{})
	})
	return string(a.ID)
}

// groupOf makes a group of memberships.
func (t *tree) groupOf(org string, members ...string) string {
	t.tb.Helper()
	g := authz.Group{ID: id.New[id.Group](t.ids), Environment: t.env, Organization: id.Organization(org), Name: "g", CreatedAt: t.at, UpdatedAt: t.at}
	t.update(func(tx authz.Tx) error {
		if err := tx.InsertGroup(g); err != nil {
			return err
		}
		for _, m := range members {
			if err := tx.AddGroupMember(g, id.Membership(m), t.at); err != nil {
				return err
			}
		}
		return nil
	})
	return string(g.ID)
}

// orchard is one organization with something of everything.
type orchard struct {
	*tree
	org, ws, p1, p2, doc string // ws holds both projects, p1 the document
	admin, ada, bob, eve string // memberships: admin of the organization, by assignment, by group, none
	group                string
	adas, bobs           string // assignments
}

func newOrchard(w *world) *orchard {
	w.tb.Helper()
	o := &orchard{tree: newTree(w)}
	w.permission("org:admin")
	for _, slug := range []string{"project:read", "project:edit"} {
		w.post(permissions, object{"slug": slug, "name": slug, "resource_type_slug": "project"}).is(201)
	}
	w.role("admin", "org:admin", "project:read", "project:edit")
	o.roleOn("workspace", "viewer", "project:read")
	o.roleOn("project", "editor", "project:edit")
	o.org = w.post(organizations, object{"name": "Acme", "external_id": "acme"}).is(201).text("id")
	o.admin = w.member(w.user("admin@acme.example"), o.org, "admin")
	o.ada, o.bob, o.eve = w.member(w.user("ada@acme.example"), o.org, ""), w.member(w.user("bob@acme.example"), o.org, ""), w.member(w.user("eve@acme.example"), o.org, "")
	o.ws = o.resource(o.org, "workspace", "ws", "")
	o.p1, o.p2 = o.resource(o.org, "project", "p1", o.ws), o.resource(o.org, "project", "p2", o.ws)
	o.doc = o.resource(o.org, "document", "doc", o.p1)
	o.group = o.groupOf(o.org, o.bob)
	o.adas = o.hold(o.org, o.ada, "viewer", o.ws)
	o.bobs = o.hold(o.org, o.group, "editor", o.p1)
	w.prepared()
	return o
}

func homeOf(org string) string {
	return string(authz.OrganizationResource(id.Organization(org)))
}

// groupedAs gives memberships a role on the organization through a group.
func (o *orchard) groupedAs(role string, members ...string) {
	o.tb.Helper()
	o.hold(o.org, o.groupOf(o.org, members...), role, homeOf(o.org))
}

// unassigned takes everything from a membership that it was assigned.
func (t *tree) unassigned(org, membership string) {
	t.tb.Helper()
	t.update(func(tx authz.Tx) error {
		return tx.DeleteAssignmentsOf(id.Organization(org), authz.AssignmentFilter{Membership: id.Membership(membership)})
	})
}
