package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A role of a membership: given, listed and taken away, on the organization and on resources (semantics 1.7, 2.4; C12,
// C13, R207). In single-role mode one on the organization takes the place of what was given directly before.
func TestRoleAssignments(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org, ada, _ := w.scene()
		project, team := w.thing(org, "project", "p 1"), w.thing(org, "team", "t1")
		first := w.get(rolesGiven(ada)).lists("role.slug", "member").has("data.0.source", object{"type": "direct", "group_role_assignment_id": nil}).
			has("data.0.organization_membership_id", ada).has("data.0.object", "role_assignment").text("data.0.id")

		a := w.post(rolesGiven(ada), object{"role_slug": "editor"}).is(201).has("object", "role_assignment").has("role.slug", "editor").
			has("organization_membership_id", ada).has("resource", object{"id": home(org), "external_id": org, "resource_type_slug": "organization"}).
			has("source", object{"type": "direct", "group_role_assignment_id": nil})
		w.fired(memberUpdated + "editor, changed role roles")
		w.get(rolesGiven(ada)).lists("id", a.text("id"))
		w.post(rolesGiven(ada), object{"role_slug": "editor", "resource_id": home(org)}).is(201).same(a) // a repetition
		w.fired()

		w.put(organizations+"/"+org, object{"external_id": "acme"}).is(200)
		w.prepared()
		w.get(rolesGiven(ada)).has("data.0.resource.external_id", "acme") // C27
		b := w.post(rolesGiven(ada), object{"role_slug": "planner", "resource_external_id": "p 1", "resource_type_slug": "project"}).is(201).
			has("resource", object{"id": project, "external_id": "p 1", "resource_type_slug": "project"})
		w.post(rolesGiven(ada), object{"role_slug": "planner", "resource_id": project}).is(201).same(b)
		if !w.mayOn(ada, "plan", project) || w.mayOn(ada, "plan", team) {
			t.Error("a role counts on another resource, or not on its own")
		}
		w.get(rolesGiven(ada)).lists("id", b.text("id"), a.text("id"))
		w.get(rolesGiven(ada)+"?resource_id="+project).lists("id", b.text("id"))
		w.get(rolesGiven(ada)+"?resource_external_id=acme&resource_type_slug=organization").lists("id", a.text("id"))
		w.get(rolesGiven(ada) + "?resource_id=" + team).lists("id")
		w.get(rolesGiven(ada)+"?resource_id=authz_resource_"+nobodys).refused(404, "entity_not_found")
		for query, wanted := range map[string][]string{ // a type or an external id alone names all that have it
			"resource_type_slug=project": {b.text("id")}, "resource_external_id=p%201": {b.text("id")}, "resource_type_slug=team": nil, "resource_external_id=nothing": nil,
			"resource_type_slug=organization": {a.text("id")}, "resource_external_id=acme": {a.text("id")}, "resource_external_id=" + org: {a.text("id")},
		} {
			w.get(rolesGiven(ada)+"?"+query).lists("id", wanted...)
		}
		w.get(rolesGiven(ada)+"?resource_external_id=x&resource_type_slug=project").refused(404, "entity_not_found")
		w.get(rolesGiven(ada)+"?resource_id="+team+"&resource_type_slug=team").refused(422, "invalid_request_parameters", "resource_id")

		w.post(rolesGiven(ada), object{"role_slug": "nobody"}).refused(422, "invalid_role")
		w.post(rolesGiven(ada), object{"role_slug": "planner"}).refused(422, "sub_resource_scoped_role_not_allowed")
		w.post(rolesGiven(ada), object{"role_slug": "planner", "resource_id": team}).refused(422, "role_resource_type_mismatch")
		w.post(rolesGiven(ada), object{"role_slug": "viewer", "resource_id": project}).refused(422, "role_resource_type_mismatch")
		w.post(rolesGiven(ada), object{"role_slug": "planner", "resource_id": "nonsense"}).refused(404, "entity_not_found")
		w.post(rolesGiven("om_"+nobodys), object{"role_slug": "editor"}).refused(404, "entity_not_found")
		w.fired()

		for _, gone := range []answer{
			w.delete(rolesGiven(ada) + "/" + first), w.delete(rolesGiven(ada) + "/role_assignment_" + nobodys), w.delete(rolesGiven(ada) + "/x"),
			w.send("DELETE", rolesGiven(ada), object{"role_slug": "viewer"}), w.send("DELETE", rolesGiven(ada), object{"role_slug": "planner", "resource_id": team}),
			w.send("DELETE", rolesGiven(ada), object{"role_slug": "nobody"}),
		} {
			gone.refused(404, "entity_not_found")
		}
		w.send("DELETE", rolesGiven(ada), object{"role_slug": "planner", "resource_id": project}).is(204)
		w.fired()
		w.delete(rolesGiven(ada) + "/" + a.text("id")).is(204)
		w.fired(memberUpdated + "member, changed role roles")
		w.get(rolesGiven(ada)).lists("id") // the default of the moment, which is nobody's assignment
		w.get(memberships+"/"+ada).has("role.slug", "member")
	})
}

// In multiple-roles mode a role is added beside the others (R81); the default that was given for want of any other is no
// role any more as soon as there is one.
func TestRoleAssignmentsBesideEachOther(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		_, ada, _ := w.scene()
		w.multiple(true)
		w.post(rolesGiven(ada), object{"role_slug": "viewer"}).is(201)
		w.post(rolesGiven(ada), object{"role_slug": "editor"}).is(201)
		w.fired(memberUpdated+"viewer, changed role roles", memberUpdated+"editor viewer, changed role roles")
		w.get(rolesGiven(ada)).lists("role.slug", "editor", "viewer")
		if !w.may(ada, "edit") || !w.may(ada, "view") {
			t.Error("permissions are not those of all roles")
		}
		w.post(rolesGiven(ada), object{"role_slug": "member"}).is(201)
		w.fired(memberUpdated + "editor viewer member, changed roles")
		w.send("DELETE", rolesGiven(ada), object{"role_slug": "editor"}).is(204)
		w.send("DELETE", rolesGiven(ada), object{"role_slug": "viewer"}).is(204)
		w.fired(memberUpdated+"viewer member, changed role roles", memberUpdated+"member, changed role roles")
		w.send("DELETE", rolesGiven(ada), object{"role_slug": "member"}).is(204)
		w.fired() // the default given at creation comes back, which is the same role
		w.get(rolesGiven(ada)).lists("role.slug", "member")
	})
}

// The same role from a group and directly is two assignments, and taking one leaves the other (R139). What a group
// gives is not taken off a member (R140).
func TestAssignmentsThroughGroups(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org, ada, g := w.scene()
		project := w.thing(org, "project", "p1")
		gra := w.post(groupRoles(g), object{"role_slug": "editor"}).is(201).text("id")
		w.post(groupRoles(g), object{"role_slug": "planner", "resource_id": project}).is(201)
		w.post(rolesGiven(ada), object{"role_slug": "editor"}).is(201)
		w.settle()
		w.prepared()
		l := w.get(rolesGiven(ada)).lists("role.slug", "editor", "planner", "editor").
			has("data.0.source", object{"type": "direct", "group_role_assignment_id": nil}).
			has("data.2.source", object{"type": "group", "group_role_assignment_id": gra}).has("data.2.organization_membership_id", ada)
		through := l.text("data.2.id")
		if !strings.HasPrefix(through, "role_assignment_") || through[len("role_assignment_"):][:10] != gra[len("gra_"):][:10] {
			t.Errorf("what comes from %s has the id %s", gra, through)
		}
		w.get(rolesGiven(ada)).same(l)
		w.get(rolesGiven(ada)+"?resource_id="+project).lists("role.slug", "planner")
		w.delete(rolesGiven(ada)+"/"+through).refused(422, "role_assigned_by_group")
		w.send("DELETE", rolesGiven(ada), object{"role_slug": "planner", "resource_id": project}).refused(422, "role_assigned_by_group")
		w.delete(rolesGiven(ada)+"/"+strings.Replace(gra, "gra_", "role_assignment_", 1)).refused(404, "entity_not_found")
		bob := w.member(w.user("bob@acme.example"), org, "")
		w.prepared()
		w.delete(rolesGiven(bob)+"/"+through).refused(404, "entity_not_found")
		w.delete(rolesGiven(bob)+"/"+l.text("data.0.id")).refused(404, "entity_not_found")

		w.send("DELETE", rolesGiven(ada), object{"role_slug": "editor"}).is(204) // the direct one
		w.fired()
		w.get(rolesGiven(ada)).lists("id", l.text("data.1.id"), through)
		w.post(rolesGiven(ada), object{"role_slug": "viewer"}).is(201)
		w.get(memberships+"/"+ada).has("role.slug", "editor") // R137
		w.fired()
		w.delete(groupRoles(g) + "/" + gra).is(204)
		w.settle()
		w.fired(memberUpdated + "viewer, changed role roles") // C8: what the group's had displaced comes back
		w.join(g, bob)
		w.get(rolesGiven(bob)).lists("role.slug", "member", "planner")
		w.fired("group.member_added bob@acme.example of G")
	})
}

// Everybody's assignments on a resource, of members of groups too, by either name of the resource.
func TestAssignmentsOnResource(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org, ada, g := w.scene()
		bob := w.member(w.user("bob@acme.example"), org, "editor")
		project := w.thing(org, "project", "p/1")
		w.roleFor("project", "viewer-of-projects", "project:view")
		byID, byExternal := "/authorization/resources/"+project+"/role_assignments", "/authorization/organizations/"+org+"/resources/project/p%2F1/role_assignments"
		w.get(byID).lists("id")
		w.post(rolesGiven(bob), object{"role_slug": "planner", "resource_id": project}).is(201)
		w.post(groupRoles(g), object{"role_slug": "viewer-of-projects", "resource_id": project}).is(201)
		w.join(g, bob)
		l := w.get(byID+"?order=asc").lists("role.slug", "planner", "viewer-of-projects", "viewer-of-projects")
		w.get(byExternal + "?order=asc").same(l)
		w.get(byID+"?order=asc&role_slug=planner").lists("organization_membership_id", bob)
		w.get(byID + "?role_slug=nobody").lists("id")
		for _, m := range []string{ada, bob} { // one assignment, wherever it is shown
			mine := w.get(rolesGiven(m) + "?resource_id=" + project).is(200)
			for i := range mine.size("data") {
				if id := mine.text(fmt.Sprintf("data.%d.id", i)); !strings.Contains(string(l.raw), id) {
					t.Errorf("%s is not among those on the resource", id)
				}
			}
		}
		atHome := w.get("/authorization/resources/"+home(org)+"/role_assignments?order=asc").lists("role.slug", "member", "editor")
		w.get("/authorization/organizations/" + org + "/resources/organization/" + org + "/role_assignments?order=asc").same(atHome)
		w.get("/authorization/resources/"+home(org)+"/role_assignments?role_slug=editor").lists("organization_membership_id", bob)
		other := w.organization("Globex")
		for _, path := range []string{
			"/authorization/resources/authz_resource_" + nobodys, "/authorization/resources/x", "/authorization/organizations/org_" + nobodys + "/resources/project/p%2F1",
			"/authorization/organizations/" + other + "/resources/project/p%2F1", "/authorization/organizations/" + org + "/resources/team/p%2F1",
			"/authorization/organizations/" + org + "/resources/organization/" + other,
		} {
			w.get(path+"/role_assignments").refused(404, "entity_not_found")
		}
	})
}

// Pages of both lists go through direct ones and those of groups alike, in every direction, in the order of their ids.
func TestPagesOfAssignments(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org, ada, g := w.scene()
		h := w.group(org, "H")
		w.join(h, ada)
		w.kinds("folder")
		w.roleFor("folder", "reader", "folder:view")
		w.roleFor("folder", "writer", "folder:edit")
		one, two := w.thing(org, "folder", "1"), w.thing(org, "folder", "2")
		give := func(to, role, on string) {
			t.Helper()
			w.post(to, object{"role_slug": role, "resource_id": on}).is(201)
		}
		give(groupRoles(g), "reader", one)
		give(rolesGiven(ada), "reader", one)
		give(groupRoles(h), "reader", two)
		give(groupRoles(h), "writer", two)
		of := w.get(rolesGiven(ada)+"?order=asc&limit=100").lists("role.slug", "member", "reader", "reader", "reader", "writer")
		pages(t, w, rolesGiven(ada)+"?", of.each("id"))

		// three members of a group and two of their own on one resource
		give(rolesGiven(ada), "writer", one)
		for _, name := range []string{"bob", "cy"} {
			w.join(g, w.member(w.user(name+"@acme.example"), org, ""))
		}
		on := "/authorization/resources/" + one + "/role_assignments?"
		all := w.get(on + "order=asc").is(200).each("id")
		pages(t, w, on, all)
	})
}

// A role for a time: it begins and ends by the clock, without a worker; a worker tells of it and removes what has
// ended. In single-role mode it stands beside what is there for good.
func TestRolesForATime(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		_, ada, _ := w.scene()
		w.post(rolesGiven(ada), object{"role_slug": "viewer"}).is(201)
		w.fired(memberUpdated + "viewer, changed role roles")
		from, until := w.clock.now().Add(time.Hour).UTC(), w.clock.now().Add(2*time.Hour).UTC()
		times := func(from, until any) object {
			return object{"role_slug": "editor", "starts_at": from, "expires_at": until}
		}
		a := w.post(rolesGiven(ada), times(from, until)).is(201).has("starts_at", from.Format("2006-01-02T15:04:05.000Z"))
		w.settle()
		w.fired()
		w.get(rolesGiven(ada)).lists("role.slug", "editor", "viewer")
		w.clock.advance(time.Hour)
		if !w.may(ada, "edit") || w.may(ada, "view") {
			t.Error("the role with the higher priority does not count from its beginning on")
		}
		w.settle()
		w.fired(memberUpdated + "editor, changed role roles")
		w.clock.advance(time.Hour)
		if w.may(ada, "edit") || !w.may(ada, "view") {
			t.Error("a role counts past its end, or what it outranked did not come back")
		}
		w.get(rolesGiven(ada)).lists("role.slug", "viewer")
		w.delete(rolesGiven(ada)+"/"+a.text("id")).refused(404, "entity_not_found")
		w.fired()
		w.settle()
		w.fired(memberUpdated + "viewer, changed role roles")

		// Repeating with other times alters the one that is there; without any it is there for good, and alone.
		until = w.clock.now().Add(time.Hour).UTC()
		b := w.post(rolesGiven(ada), times(nil, until)).is(201)
		w.fired(memberUpdated + "editor, changed role roles")
		w.post(rolesGiven(ada), times(nil, until.Add(time.Hour))).is(201).has("id", b.text("id")).has("created_at", b.text("created_at")).
			has("expires_at", until.Add(time.Hour).Format("2006-01-02T15:04:05.000Z"))
		w.clock.advance(90 * time.Minute)
		w.settle()
		w.fired()
		w.post(rolesGiven(ada), object{"role_slug": "editor"}).is(201).has("id", b.text("id")).has("expires_at", nil)
		w.get(rolesGiven(ada)).lists("id", b.text("id"))
		w.clock.advance(100 * time.Hour)
		w.settle()
		w.fired()
		if !w.may(ada, "edit") {
			t.Error("what is there for good ended")
		}
		w.post(rolesGiven(ada), times(nil, w.clock.now().UTC())).refused(422, "invalid_request_parameters", "expires_at")
		late := w.clock.now().Add(time.Hour).UTC()
		w.post(rolesGiven(ada), times(late, late)).refused(422, "invalid_request_parameters", "expires_at")
		w.fired()
	})
}
