package api_test

import (
	"context"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
)

// What tests of assignments need of resources, put straight into the store.

// kinds makes resource types directly below the organization.
func (w *world) kinds(slugs ...string) {
	w.tb.Helper()
	w.store(func(tx authz.Tx) error {
		for _, slug := range slugs {
			at := w.clock.now().UTC().Truncate(time.Millisecond)
			t := authz.ResourceType{Environment: w.env, Slug: slug, Name: slug, Parents: []string{authz.OrganizationType}, CreatedAt: at, UpdatedAt: at}
			if err := tx.InsertResourceType(t); err != nil {
				return err
			}
		}
		return nil
	})
}

// thing makes a resource directly below an organization.
func (w *world) thing(org, kind, externalID string) string {
	w.tb.Helper()
	at := w.clock.now().UTC().Truncate(time.Millisecond)
	o := id.Organization(org)
	r := authz.Resource{
		ID: id.New[id.Resource](id.NewSource(w.clock.now, nil)), Environment: w.env, Organization: o, Type: kind, ExternalID: externalID,
		Name: externalID, Parent: authz.OrganizationResource(o), CreatedAt: at, UpdatedAt: at,
	}
	w.store(func(tx authz.Tx) error { return tx.InsertResource(r) })
	return string(r.ID)
}

func (w *world) store(fn func(authz.Tx) error) {
	w.tb.Helper()
	if err := w.db.Update(context.Background(), fn); err != nil {
		w.tb.Fatal(err)
	}
}

// roleFor makes an environment role for resources of a type, with a permission made for them.
func (c *client) roleFor(kind, slug, permission string) {
	c.tb.Helper()
	c.post(permissions, object{"slug": permission, "name": permission, "resource_type_slug": kind}).is(201)
	c.post(roles, object{"slug": slug, "name": slug, "resource_type_slug": kind}).is(201)
	c.put(roles+"/"+slug+"/permissions", object{"permissions": list{permission}}).is(200)
}

// mayOn asks whether a membership holds a permission on a resource.
func (c *client) mayOn(membership, permission, resource string) bool {
	c.tb.Helper()
	a := c.post("/authorization/organization_memberships/"+membership+"/check", object{"permission_slug": permission, "resource_id": resource}).is(200)
	return a.at("authorized") == true
}

// multiple switches multiple roles on or off and waits for what follows.
func (w *world) multiple(on bool) {
	w.tb.Helper()
	c := authz.Caller{Environment: w.env, Actor: authz.SystemActor}
	if _, err := w.rules.SetMultipleRoles(context.Background(), c, on); err != nil {
		w.tb.Fatal(err)
	}
	w.settle()
}

// home is the resource of an organization itself.
func home(org string) string {
	return string(authz.OrganizationResource(id.Organization(org)))
}

// removeRole deletes an environment role that is in use, in favour of another or, for "", of the default.
func (w *world) removeRole(slug, instead string) {
	w.tb.Helper()
	c := authz.Caller{Environment: w.env, Actor: authz.SystemActor}
	in := authz.RoleDeletion{Replacement: authz.Opt[string]{Set: instead != "", Value: instead}}
	if _, err := w.rules.RemoveRole(context.Background(), c, "", slug, in); err != nil {
		w.tb.Fatal(err)
	}
}
