package api_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// A resource below which others lie or on which roles are assigned goes only when that is asked for, and then takes
// them along, and nothing else (R206).
func TestResourceDeletion(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org := w.organization("Acme")
		w.workspaces()
		w.permission("edit")
		w.post(roles, object{"slug": "editor", "name": "n", "resource_type_slug": "task"}).is(201)
		member := w.member(w.user("ada@acme.example"), org, "")
		a, b := w.resource(org, "workspace", "a", ""), w.resource(org, "workspace", "b", "")
		pa, pb := w.resource(org, "project", "pa", a), w.resource(org, "project", "pb", b)
		ta, tb := w.resource(org, "task", "ta", pa), w.resource(org, "task", "tb", pb)
		w.assigned(org, member, "editor", ta)
		w.assigned(org, member, "editor", tb)
		w.prepared()

		for _, r := range []string{a, pa, ta} { // the last one has an assignment on it
			w.delete(resources+"/"+r).refused(409, "resource_has_dependents")
			w.delete(resources+"/"+r+"?cascade_delete=false").refused(409, "resource_has_dependents")
		}
		w.delete(resourceAt(org, "workspace", "a")).refused(409, "resource_has_dependents")
		for _, wrong := range []string{"", "1", "True", "yes", "true&cascade_delete=false", "true&cascade_delete=true", "%00"} {
			w.delete(resources+"/"+a+"?cascade_delete="+wrong).refused(422, "invalid_request_parameters", "cascade_delete")
		}
		w.delete(resourceAt(org, "workspace", "a") + "?cascade_delete=true").is(204)
		w.get(resources+"?organization_id="+org+"&order=asc").lists("id", b, pb, tb)
		if n := w.assignments(org, ta); n != 0 {
			t.Errorf("I5: %d assignments outlive their resource", n)
		}
		if n := w.assignments(org, tb); n != 1 {
			t.Errorf("%d assignments are left on another resource", n)
		}
		// Nothing made again under the same names inherits anything (I12).
		pa = w.resource(org, "project", "pa", w.resource(org, "workspace", "a", ""))
		ta = w.resource(org, "task", "ta", pa)
		if n := w.assignments(org, ta); n != 0 {
			t.Errorf("I12: %d assignments on a new resource", n)
		}
		w.delete(resources + "/" + ta).is(204)
		w.fired()

		// An organization takes its resources along.
		w.delete(organizations + "/" + org).is(200)
		for _, r := range []string{b, pb, tb, pa, home(org)} {
			w.get(resources+"/"+r).refused(404, "entity_not_found")
		}
		w.get(resources + "?resource_type_slug=task").lists("id")
		w.prepared()
	})
}

// assigned gives a membership a role on a resource, straight in the store.
func (w *world) assigned(org, membership, role, on string) {
	w.tb.Helper()
	err := w.db.Update(context.Background(), func(tx authz.Tx) error {
		r, _, err := tx.Role(w.env, "", role)
		if err != nil {
			return err
		}
		return tx.InsertAssignment(authz.Assignment{
			ID: id.New[id.Assignment](id.NewSource(nil, nil)), Environment: w.env, Organization: id.Organization(org), Membership: id.Membership(membership),
			Role: r.ID, Resource: id.Resource(on), Source: authz.SourceManual, Explicit: true, CreatedAt: w.clock.now(), UpdatedAt: w.clock.now(),
		}, time.Time{})
	})
	if err != nil {
		w.tb.Fatal(err)
	}
}

// assignments counts those on a resource, up to a hundred.
func (w *world) assignments(org, on string) (n int) {
	w.tb.Helper()
	err := w.db.View(context.Background(), func(r authz.Reader) error {
		found, err := r.Assignments(id.Organization(org), authz.AssignmentFilter{Resources: []id.Resource{id.Resource(on)}}, page.Request{Limit: 100, Order: page.Asc})
		n = len(found.Items)
		return err
	})
	if err != nil {
		w.tb.Fatal(err)
	}
	return n
}

// Ten thousand descendants go in one deletion.
func TestLargeResourceDeletion(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org := w.organization("Acme")
		w.workspaces()
		top, kept := w.resource(org, "workspace", "top", ""), w.resource(org, "workspace", "kept", "")
		ids := id.NewSource(nil, nil)
		err := w.db.Update(context.Background(), func(tx authz.Tx) error {
			var project id.Resource
			for i := range 10_000 {
				r := authz.Resource{
					ID: id.New[id.Resource](ids), Environment: w.env, Organization: id.Organization(org), Type: "task", ExternalID: fmt.Sprint(i), Name: "n",
					Parent: project, CreatedAt: w.clock.now(), UpdatedAt: w.clock.now(),
				}
				if i%100 == 0 {
					r.Type, r.Parent, project = "project", id.Resource(top), r.ID
				}
				if err := tx.InsertResource(r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		w.delete(resources+"/"+top).refused(409, "resource_has_dependents")
		w.delete(resources + "/" + top + "?cascade_delete=true").is(204)
		w.get(resources+"?organization_id="+org).lists("id", kept)
	})
}
