package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
)

const memberUpdated = "organization_membership.updated ada@acme.example in Acme: active "

// scene is an organization with ada in a group, roles editor and viewer above member, and a role for projects.
func (w *world) scene() (org, ada, group string) {
	w.tb.Helper()
	org = w.organization("Acme")
	w.permission("edit", "view")
	w.role("editor", "edit")
	w.role("viewer", "view")
	w.put("/authorization/role_priority", object{"role_slugs": list{"editor", "viewer", "member"}}).is(200)
	w.kinds("project", "team")
	w.roleFor("project", "planner", "plan")
	ada, group = w.member(w.user("ada@acme.example"), org, ""), w.group(org, "G")
	w.join(group, ada)
	w.prepared()
	return org, ada, group
}

// Roles of a group: given, listed, read and taken away, on the organization and on resources (R133, R134, R141, R143,
// semantics 1.8). Members hold them at once and are told of by a job.
func TestGroupRoleAssignments(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org, ada, g := w.scene()
		project, team := w.thing(org, "project", "p/1"), w.thing(org, "team", "t1")
		a := w.post(groupRoles(g), object{"role_slug": "editor"}).is(201).has("object", "group_role_assignment").has("group_id", g).
			has("role", object{"slug": "editor"}).has("resource", object{"id": home(org), "external_id": org, "resource_type_slug": "organization"}).
			has("starts_at", nil).has("expires_at", nil)
		if !strings.HasPrefix(a.text("id"), "gra_") {
			t.Errorf("the id is %s", a.text("id"))
		}
		w.get(memberships+"/"+ada).has("role.slug", "editor")
		if !w.may(ada, "edit") {
			t.Error("what a group was given does not count at once")
		}
		w.fired()
		w.settle()
		w.fired(memberUpdated + "editor, changed role roles")

		b := w.post(groupRoles(g), object{"role_slug": "planner", "resource_id": project}).is(201).
			has("resource", object{"id": project, "external_id": "p/1", "resource_type_slug": "project"})
		if !w.mayOn(ada, "plan", project) || w.may(ada, "plan") {
			t.Error("a role on a project counts there, and not elsewhere")
		}
		w.get(groupRoles(g)).lists("id", b.text("id"), a.text("id"))
		one := w.get(groupRoles(g) + "/" + a.text("id")).is(200)
		one.same(answer{tb: t, call: "the creation", status: 200, raw: a.raw})

		duplicate := func(body object) {
			t.Helper()
			w.post(groupRoles(g), body).refused(409, "duplicate_group_role_assignment")
		}
		duplicate(object{"role_slug": "editor"})
		duplicate(object{"role_slug": "editor", "resource_id": home(org)})
		duplicate(object{"role_slug": "editor", "resource_external_id": org, "resource_type_slug": "organization"})
		duplicate(object{"role_slug": "planner", "resource_external_id": "p/1", "resource_type_slug": "project"})
		w.post(groupRoles(g), object{"role_slug": "nobody"}).refused(422, "invalid_role")
		w.post(groupRoles(g), object{"role_slug": "planner"}).refused(422, "sub_resource_scoped_role_not_allowed")
		w.post(groupRoles(g), object{"role_slug": "planner", "resource_id": team}).refused(422, "role_resource_type_mismatch") // R207
		w.post(groupRoles(g), object{"role_slug": "editor", "resource_id": project}).refused(422, "role_resource_type_mismatch")
		w.post(groupRoles(g), object{"role_slug": "planner", "resource_id": project, "resource_type_slug": "project"}).refused(422, "invalid_request_parameters", "resource_id")
		w.post(groupRoles(g), object{"role_slug": "planner", "resource_external_id": "p/1"}).refused(422, "invalid_request_parameters", "resource_external_id")

		w.send("DELETE", groupRoles(g), object{"role_slug": "planner", "resource_external_id": "p/1", "resource_type_slug": "project"}).is(204)
		w.send("DELETE", groupRoles(g), object{"role_slug": "planner", "resource_id": project}).refused(404, "entity_not_found")
		w.send("DELETE", groupRoles(g), object{"role_slug": "nobody"}).refused(404, "entity_not_found")
		w.delete(groupRoles(g)+"/"+b.text("id")).refused(404, "entity_not_found")
		w.settle()
		w.fired()
		w.delete(groupRoles(g) + "/" + a.text("id")).is(204)
		w.get(groupRoles(g)+"/"+a.text("id")).refused(404, "entity_not_found")
		w.get(memberships+"/"+ada).has("role.slug", "member") // R138
		w.settle()
		w.fired(memberUpdated + "member, changed role roles")
	})
}

// Replacing: what stays keeps its id, what is named twice counts once, and nothing happens when something is wrong.
func TestReplaceGroupRoleAssignments(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org, ada, g := w.scene()
		project := w.thing(org, "project", "p1")
		put := func(entries ...object) answer {
			t.Helper()
			return w.put(groupRoles(g), object{"role_assignments": append([]object{}, entries...)})
		}
		editor, viewer := object{"role_slug": "editor"}, object{"role_slug": "viewer"}
		a := put(editor, object{"role_slug": "editor", "resource_id": home(org)}, object{"role_slug": "planner", "resource_id": project}).is(200).
			lists("role.slug", "planner", "editor").has("list_metadata", object{"before": nil, "after": nil})
		w.settle()
		w.fired(memberUpdated + "editor, changed role roles")
		put(object{"role_slug": "planner", "resource_external_id": "p1", "resource_type_slug": "project"}, editor).same(a)
		w.settle()
		w.fired()
		b := put(viewer, editor).lists("role.slug", "viewer", "editor")
		b.has("data.1.id", a.text("data.1.id"))
		w.settle()
		w.fired() // editor outranks viewer
		put(viewer).lists("id", b.text("data.0.id"))
		w.settle()
		w.fired(memberUpdated + "viewer, changed role roles")

		for _, wrong := range []answer{
			put(editor, object{"role_slug": "planner"}).refused(422, "sub_resource_scoped_role_not_allowed"),
			put(editor, object{"role_slug": "nobody"}).refused(422, "invalid_role"),
			put(editor, object{"role_slug": "planner", "resource_id": "authz_resource_" + nobodys}).refused(404, "entity_not_found"),
			put(editor, object{"role_slug": "editor", "expires_at": "2100-01-01T00:00:00Z"}).refused(422, "invalid_request_parameters", "role_assignments"),
			put(editor, object{"role_slug": "viewer", "expires_at": "2020-01-01T00:00:00Z"}).refused(422, "invalid_request_parameters", "expires_at"),
			put(slices.Repeat([]object{editor}, 101)...).refused(422, "invalid_request_parameters", "role_assignments"),
			w.put(groupRoles(g), object{}).refused(422, "invalid_request_parameters", "role_assignments"),
			put(editor, object{}, object{"role_slug": 1, "starts_at": true}).refused(422, "invalid_request_parameters",
				"role_assignments[1].role_slug", "role_assignments[2].role_slug", "role_assignments[2].starts_at"),
			put(editor, object{"role_slug": "planner", "resource_external_id": "p1"}).refused(422, "invalid_request_parameters", "role_assignments[1].resource_external_id"),
			put(object{"role_slug": "editor", "expires_at": "soon"}).refused(422, "invalid_request_parameters", "role_assignments[0].expires_at"),
			w.put(groupRoles(g), object{"role_assignments": list{editor, nil}}).refused(422, "invalid_request_parameters", "role_assignments[1]"),
			w.put(groupRoles(g), object{"role_assignments": list{"editor"}}).refused(422, "invalid_request_parameters", "role_assignments[0]"),
			w.put(groupRoles("group_"+nobodys), object{"role_assignments": list{}}).refused(404, "entity_not_found"),
		} {
			_ = wrong
			w.get(groupRoles(g)).lists("role.slug", "viewer")
		}
		put(slices.Repeat([]object{editor}, 100)...).lists("role.slug", "editor")
		put().lists("role.slug")
		w.get(memberships+"/"+ada).has("role.slug", "member")
		w.settle()
		w.fired(memberUpdated + "member, changed role roles")
	})
}

// A group of another organization, and resources of one, are nobody's there.
func TestGroupRolesStayInTheirOrganization(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		_, _, g := w.scene()
		other := w.organization("Globex")
		w.custom(other, "org-theirs")
		theirs, project := w.group(other, "Theirs"), w.thing(other, "project", "p1")
		a := w.post(groupRoles(theirs), object{"role_slug": "org-theirs"}).is(201).text("id")
		w.prepared()
		w.post(groupRoles(g), object{"role_slug": "org-theirs"}).refused(422, "invalid_role")
		for _, on := range []object{{"resource_id": project}, {"resource_id": home(other)}, {"resource_external_id": other, "resource_type_slug": "organization"}, {"resource_external_id": "p1", "resource_type_slug": "project"}} {
			on["role_slug"] = "planner"
			w.post(groupRoles(g), on).refused(404, "entity_not_found")
			w.send("DELETE", groupRoles(g), on).refused(404, "entity_not_found")
			w.put(groupRoles(g), object{"role_assignments": list{on}}).refused(404, "entity_not_found")
		}
		w.get(groupRoles(g)+"/"+a).refused(404, "entity_not_found")
		w.delete(groupRoles(g)+"/"+a).refused(404, "entity_not_found")
		w.get(groupRoles(theirs)).lists("id", a)
		w.fired()
	})
}

// A group has a hundred roles at most; those past their time are none of them.
func TestGroupRoleLimit(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org, _, g := w.scene()
		entries := list{object{"role_slug": "editor"}}
		soon := w.clock.now().Add(time.Hour).UTC().Format(time.RFC3339)
		for i := range authz.MaxGroupRoles - 1 {
			entries = append(entries, object{"role_slug": "planner", "resource_id": w.thing(org, "project", fmt.Sprint(i)), "expires_at": soon})
		}
		w.put(groupRoles(g), object{"role_assignments": entries}).is(200)
		w.get(groupRoles(g)+"?limit=100").is(200).has("list_metadata.after", nil)
		w.post(groupRoles(g), object{"role_slug": "viewer"}).refused(422, "group_role_assignment_limit_exceeded")
		w.post(groupRoles(g), object{"role_slug": "editor"}).refused(409, "duplicate_group_role_assignment")
		w.clock.advance(2 * time.Hour)
		w.get(groupRoles(g)).lists("role.slug", "editor")
		w.post(groupRoles(g), object{"role_slug": "viewer"}).is(201)
		w.settle()
		w.fired(memberUpdated + "editor, changed role roles")
	})
}

// Roles of a group for a time: decisions go by the clock without any worker, events follow when one works.
func TestGroupRolesForATime(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org, ada, g := w.scene()
		project := w.thing(org, "project", "p1")
		from, until := w.clock.now().Add(time.Hour).UTC().Truncate(time.Second), w.clock.now().Add(2*time.Hour).UTC().Truncate(time.Second)
		spell := func(t time.Time) string { return t.Format("2006-01-02T15:04:05.000Z") }
		times := object{"role_slug": "editor", "starts_at": spell(from), "expires_at": until.In(time.FixedZone("", 3600)).Format(time.RFC3339)}
		a := w.post(groupRoles(g), times).is(201).has("starts_at", spell(from)).has("expires_at", spell(until))
		w.post(groupRoles(g), object{"role_slug": "planner", "resource_id": project, "expires_at": spell(until)}).is(201)
		w.settle()
		w.fired()
		if w.may(ada, "edit") || !w.mayOn(ada, "plan", project) {
			t.Error("before its beginning a role counts, or one without beginning does not")
		}
		w.get(rolesGiven(ada)).lists("role.slug", "planner", "editor", "member") // later ones are listed
		w.get(rolesGiven(ada)).has("data.1.source", object{"type": "group", "group_role_assignment_id": a.text("id")}).has("data.1.starts_at", spell(from))
		w.clock.advance(time.Hour)
		if !w.may(ada, "edit") {
			t.Error("a role does not count from its beginning on")
		}
		w.get(memberships+"/"+ada).has("role.slug", "editor")
		w.fired()
		w.settle()
		w.fired(memberUpdated + "editor, changed role roles")
		w.clock.advance(time.Hour)
		if w.may(ada, "edit") || w.mayOn(ada, "plan", project) {
			t.Error("a role counts past its end")
		}
		w.get(groupRoles(g)).lists("role.slug") // nor is it listed
		w.get(groupRoles(g)+"/"+a.text("id")).refused(404, "entity_not_found")
		w.get(rolesGiven(ada)).lists("role.slug", "member")
		b := w.post(groupRoles(g), object{"role_slug": "editor"}).is(201) // it is no duplicate, and another one
		if b.text("id") == a.text("id") {
			t.Error("what has ended came back")
		}
		w.delete(groupRoles(g) + "/" + b.text("id")).is(204)
		w.settle()
		w.fired(memberUpdated + "member, changed role roles")
		for _, wrong := range []any{"", "tomorrow", "2100-01-01", "2100-01-01T00:00:00", "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00Z", "1969-12-31T23:59:59Z"} {
			w.post(groupRoles(g), object{"role_slug": "editor", "expires_at": wrong}).refused(422, "invalid_request_parameters", "expires_at")
			w.post(groupRoles(g), object{"role_slug": "editor", "starts_at": wrong}).refused(422, "invalid_request_parameters", "starts_at")
		}
	})
}
