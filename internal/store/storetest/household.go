package storetest

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
)

// household is an environment in which everything that decisions depend on occurs, in two organizations: one has roles,
// a default and an order of its own, the other follows the environment.
type household struct {
	env       authz.Environment
	own, bare authz.Organization
	band      band // in own
	forest    forest
	roles     map[string]authz.Role // by "environment" or "own" and slug
}

func newHousehold(t *testing.T, db authz.DB, name string) household {
	t.Helper()
	b := newBandIn(t, db, Environment(t, db, name))
	h := household{env: b.env, own: b.org, band: b, bare: organizationNamed(t, db, b.env, "bare", nil), roles: map[string]authz.Role{}}
	h.forest = grow(t, db, h.own, "workspace w1", "project p1 w1", "task t1 p1", "step s1 t1", "note n1 s1", "workspace w2")
	grow(t, db, h.bare, "workspace w1", "project p1 w1")
	update(t, db, func(tx authz.Tx) error {
		errs := []error{tx.SetMultipleRoles(h.env.ID, true, began)}
		for _, slug := range []string{"x:read", "x:write"} {
			errs = append(errs, tx.InsertPermission(authz.Permission{
				ID: id.New[id.Permission](ids), Environment: h.env.ID, Slug: slug, Name: slug, CreatedAt: began, UpdatedAt: began,
			}))
		}
		return cmp.Or(append(errs, h.addRoles(tx, "environment ", ""), h.addRoles(tx, "own ", h.own.ID), h.assign(tx))...)
	})
	return h
}

// addRoles makes roles that hold something, puts them into an order and makes one the default; three of them go, in the
// three ways in which that is done.
func (h household) addRoles(tx authz.Tx, title string, org id.Organization) (err error) {
	do := func(next error) { err = cmp.Or(err, next) }
	var order []id.Role
	for _, slug := range []string{"top", "low", "replaced", "gone", "pinned"} {
		r := authz.Role{
			ID: id.New[id.Role](ids), Environment: h.env.ID, Organization: org, Slug: slug, Name: slug, Description: &slug,
			ResourceType: authz.OrganizationType, CreatedAt: began, UpdatedAt: began,
		}
		h.roles[title+slug], order = r, append(order, r.ID)
		do(tx.InsertRole(r))
		r.Permissions = []string{"x:read", "x:write"}[:1+len(slug)%2]
		do(tx.UpdateRole(r))
	}
	slices.Reverse(order)
	do(tx.SetDefaultRole(h.env.ID, org, h.roles[title+"gone"].ID, began))
	do(tx.SetRoleOrder(h.env.ID, org, order))
	for _, slug := range []string{"replaced", "gone", "pinned"} {
		r := h.roles[title+slug]
		r.RetiredAt = began.Add(time.Hour)
		if slug == "replaced" {
			r.Replacement = h.roles[title+"low"].ID
		}
		do(tx.RetireRole(r))
	}
	do(tx.SetDefaultRole(h.env.ID, org, h.roles[title+"top"].ID, began))
	do(tx.PinDefault(h.env.ID, org, h.roles[title+"pinned"].ID, h.roles[title+"low"].ID))
	return err
}

func (h household) assign(tx authz.Tx) (err error) {
	give := func(m id.Membership, g id.Group, on id.Resource, role string) {
		err = cmp.Or(err, tx.InsertAssignment(authz.Assignment{
			ID: id.New[id.Assignment](ids), Environment: h.env.ID, Organization: h.own.ID, Membership: m, Group: g, Role: h.roles[role].ID,
			Resource: on, Source: authz.SourceManual, Explicit: g == "", ExpiresAt: began.Add(time.Hour), CreatedAt: began, UpdatedAt: began.Add(time.Minute),
		}, time.Time{}))
	}
	home := authz.OrganizationResource(h.own.ID)
	give(h.band.ada.ID, "", home, "environment low")
	give(h.band.ada.ID, "", h.forest.by["n1"].ID, "own gone")
	give("", h.band.g.ID, home, "own replaced")
	give("", h.band.h.ID, h.forest.by["p1"].ID, "own top")
	give(h.band.bob.ID, "", h.forest.by["w2"].ID, "environment pinned")
	return err
}
