package api_test

import "testing"

// Several roles of one membership, asked for when it is made and later (R62-R64, R73, R81), and what remains when the
// mode is switched off (R82, R83).
func TestSeveralRolesOfAMembership(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org, user := w.organization("Acme"), w.user("ada@acme.example")
		w.permission("edit", "view")
		w.role("editor", "edit")
		w.role("viewer", "view")
		w.custom(org, "org-boss")
		w.put(rolesOf(org)[:len(rolesOf(org))-len("/roles")]+"/role_priority", object{"role_slugs": list{"org-boss", "editor", "viewer", "member"}}).is(200)
		w.multiple(true)
		w.prepared()
		slugs := func(all ...string) list {
			l := list{}
			for _, s := range all {
				l = append(l, object{"slug": s})
			}
			return l
		}
		// In the order of their priority, whatever the order they were named in (R73).
		a := w.post(memberships, object{"user_id": user, "organization_id": org, "role_slugs": list{"viewer", "org-boss", "viewer"}}).is(201).
			has("role.slug", "org-boss").has("roles", slugs("org-boss", "viewer"))
		w.fired("organization_membership.created ada@acme.example in Acme: active org-boss viewer")
		m := memberships + "/" + a.text("id")
		w.put(m, object{"role_slugs": list{"viewer", "editor"}}).is(200).has("role.slug", "editor").has("roles", slugs("editor", "viewer"))
		w.fired(memberUpdated + "editor viewer, changed role roles")
		if !w.may(a.text("id"), "edit") || !w.may(a.text("id"), "view") {
			t.Error("permissions are not those of all roles")
		}
		b := w.put(m, object{"role_slugs": list{"editor", "viewer"}}).is(200)
		w.put(m, object{}).is(200).same(b) // R62
		w.fired()
		w.put(m, object{"role_slugs": list{"editor", "nobody"}}).refused(422, "invalid_role")
		w.put(m, object{"role_slugs": list{}}).refused(422, "invalid_request_parameters", "role_slugs")
		w.put(m, object{"role_slug": "editor", "role_slugs": list{"viewer"}}).refused(422, "invalid_request_parameters", "role_slugs")
		w.get(m).same(b)
		w.put(m, object{"role_slug": "member"}).is(200).has("roles", slugs("member")) // R64
		w.put(m, object{"role_slugs": list{"viewer", "member", "editor"}}).is(200).has("roles", slugs("editor", "viewer", "member"))
		w.fired(memberUpdated+"member, changed role roles", memberUpdated+"editor viewer member, changed role roles")

		w.multiple(false)
		w.get(m).has("role.slug", "editor").has("roles", slugs("editor"))
		w.get(rolesGiven(a.text("id"))).lists("role.slug", "editor")
		w.fired(memberUpdated + "editor, changed roles")
		w.put(m, object{"role_slugs": list{"viewer", "editor"}}).refused(422, "multiple_roles_not_enabled")
		w.put(m, object{"role_slugs": list{"viewer"}}).is(200).has("roles", slugs("viewer")) // R63
		w.fired(memberUpdated + "viewer, changed role roles")
		w.multiple(true)
		w.get(m).has("roles", slugs("viewer"))
		w.fired()
	})
}

// The default that a membership was made with stays its role when the default is another later (R24), gives way to
// anything else, and comes back.
func TestDefaultGivenAtCreation(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		_, ada, g := w.scene()
		w.put("/authorization/default_role", object{"role_slug": "viewer"}).is(200)
		w.settle()
		w.get(memberships+"/"+ada).has("role.slug", "member")
		w.fired()
		w.post(groupRoles(g), object{"role_slug": "editor"}).is(201)
		w.settle()
		w.fired(memberUpdated + "editor, changed role roles")
		w.get(rolesGiven(ada)).lists("source.type", "group")
		w.put(groupRoles(g), object{"role_assignments": list{}}).is(200)
		w.settle()
		w.fired(memberUpdated + "member, changed role roles")
		w.get(rolesGiven(ada)).lists("role.slug", "member")
		// Taken away it is gone for good: what remains is the default of the moment, and follows it.
		w.send("DELETE", rolesGiven(ada), object{"role_slug": "member"}).is(204)
		w.fired(memberUpdated + "viewer, changed role roles")
		w.get(rolesGiven(ada)).lists("role.slug")
		w.send("DELETE", rolesGiven(ada), object{"role_slug": "viewer"}).refused(404, "entity_not_found")
		w.put("/authorization/default_role", object{"role_slug": "editor"}).is(200)
		w.settle()
		w.fired(memberUpdated + "editor, changed role roles")
	})
}

// Roles of groups stand beside the direct ones in multiple-roles mode (R136) and compete with them by priority in
// single-role mode (R137); the direct one, which a group's displaced, comes back (R138, C8).
func TestRolesOfGroupsInBothModes(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		_, ada, g := w.scene()
		w.put(memberships+"/"+ada, object{"role_slug": "viewer"}).is(200)
		w.post(groupRoles(g), object{"role_slug": "editor"}).is(201)
		w.settle()
		w.fired(memberUpdated+"viewer, changed role roles", memberUpdated+"editor, changed role roles")
		if w.may(ada, "view") || !w.may(ada, "edit") {
			t.Error("in single-role mode more than the highest role counts")
		}
		w.multiple(true)
		w.fired(memberUpdated + "editor viewer, changed roles")
		w.put(groupRoles(g), object{"role_assignments": list{object{"role_slug": "editor"}, object{"role_slug": "viewer"}}}).is(200)
		w.put(memberships+"/"+ada, object{"role_slug": "member"}).is(200).has("role.slug", "editor")
		w.settle()
		w.fired(memberUpdated + "editor viewer member, changed roles")
		w.multiple(false)
		w.fired(memberUpdated + "editor, changed roles")
		w.delete(membersOf(g) + "/" + ada).is(204)
		w.fired("group.member_removed ada@acme.example of G", memberUpdated+"member, changed role roles")
	})
}

// A role that is deleted while groups and members have it is shown as what it counts as, at once.
func TestAssignmentsOfARoleThatIsGone(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		_, ada, g := w.scene()
		w.post(groupRoles(g), object{"role_slug": "editor"}).is(201)
		w.post(rolesGiven(ada), object{"role_slug": "editor"}).is(201)
		w.settle()
		w.prepared()
		w.removeRole("editor", "viewer")
		w.get(rolesGiven(ada)).lists("role.slug", "viewer", "viewer")
		w.get(groupRoles(g)).lists("role.slug", "viewer")
		w.post(groupRoles(g), object{"role_slug": "viewer"}).refused(409, "duplicate_group_role_assignment")
		w.post(rolesGiven(ada), object{"role_slug": "viewer"}).is(201).has("id", w.get(rolesGiven(ada)).text("data.0.id"))
		w.send("DELETE", groupRoles(g), object{"role_slug": "viewer"}).is(204)
		w.settle()
		w.get(rolesGiven(ada)).lists("role.slug", "viewer")
		w.fired("role.deleted editor", memberUpdated+"viewer, changed role roles")

		w.removeRole("viewer", "") // the default takes its place, which a group has none of
		w.post(groupRoles(g), object{"role_slug": "member"}).is(201)
		w.get(rolesGiven(ada)).lists("role.slug", "member")
		w.settle()
		w.get(rolesGiven(ada)).lists("source.type", "group")
		w.fired("role.deleted viewer", memberUpdated+"member, changed role roles")
	})
}
