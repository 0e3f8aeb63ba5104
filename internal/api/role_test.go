package api_test

import (
	"strings"
	"testing"
)

// An environment role from its creation to its deletion (semantics 2.1; R1, R3, R40-R42, R47).
func TestEnvironmentRoles(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.get(roles).lists("slug", "member") // R20: seeded
		w.get(roles+"/member").is(200).has("type", "EnvironmentRole").has("permissions", list{})

		a := w.post(roles, object{"slug": "admin", "name": "Admin", "description": nil}).is(201)
		a.has("object", "role").has("type", "EnvironmentRole").has("permissions", list{}).has("description", nil).has("resource_type_slug", "organization")
		if !strings.HasPrefix(a.text("id"), "role_") || a.text("created_at") != a.text("updated_at") {
			t.Errorf("a new role is %s", a.raw)
		}
		for _, key := range []string{"organization_id", "priority", "is_default_role"} {
			if a.at(key) != nil {
				t.Errorf("the contract's role has no %s (semantics 1.2)", key)
			}
		}
		w.fired("role.created admin []")

		w.post(roles, object{"slug": "admin", "name": "Again"}).refused(409, "role_slug_conflict") // R7
		w.post(roles, object{"slug": "second-admin", "name": "Admin"}).is(201)                     // R12: names may repeat
		w.post(roles, object{"slug": "org-member", "name": "May begin like a custom one"}).is(201) // R8
		w.fired("role.created second-admin []", "role.created org-member []")
		w.get(roles).lists("slug", "member", "admin", "second-admin", "org-member") // R31

		w.patch(roles+"/admin", object{"name": "Chief", "slug": "chief", "resource_type_slug": "x"}).is(200).
			has("name", "Chief").has("slug", "admin").has("resource_type_slug", "organization") // R3
		w.fired("role.updated admin []") // name and description are not part of role.* (C29)
		w.patch(roles+"/admin", object{"name": "Chief"}).is(200)
		w.patch(roles+"/admin", object{}).is(200)
		w.fired()

		w.delete(roles + "/second-admin").is(204)
		w.fired("role.deleted second-admin")
		w.get(roles+"/second-admin").refused(404, "entity_not_found")
		w.get(roles).lists("slug", "member", "admin", "org-member")
		w.delete(roles+"/second-admin").refused(404, "entity_not_found")
		w.delete(roles+"/member").refused(403, "role_not_deletable") // R21, R47
		w.fired()
	})
}

// Slugs of roles (R4) and names (R12).
func TestRoleSlugs(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for _, slug := range []string{"a", "a-b", "a_b", "a-b_c", "0", strings.Repeat("a", 48)} {
			w.post(roles, object{"slug": slug, "name": "n"}).is(201).has("slug", slug)
			w.get(roles+"/"+slug).is(200).has("slug", slug)
		}
		for _, slug := range []string{"", "-a", "a-", "a--b", "a_-b", "_a", "a_", "A", "a b", "a:b", "a*", "a/b", "é", "a.b", "a\n", strings.Repeat("a", 49)} {
			w.post(roles, object{"slug": slug, "name": "n"}).refused(422, "invalid_request_parameters", "slug")
		}
		w.post(roles, object{"name": "No slug"}).refused(422, "invalid_request_parameters", "slug")
		w.post(roles, object{"slug": "b", "name": ""}).refused(422, "invalid_request_parameters", "name")
		w.post(roles, object{"slug": "b", "name": "n", "resource_type_slug": "project"}).refused(404, "entity_not_found")
	})
}

// permissionsOf runs the same scenario on the permissions of an environment role and of a custom role: they are one
// kind of thing (R54-R57, R180).
func permissionsOf(t *testing.T, w *world, path, updated string) {
	set := path + "/permissions"
	a := w.put(set, object{"permissions": list{"b", "a", "b"}}).is(200).has("permissions", list{"a", "b"}) // each once, by slug
	w.fired(updated + " [a b], changed permissions")
	w.put(set, object{"permissions": list{"a", "b"}}).is(200).has("updated_at", a.text("updated_at"))
	w.fired() // R180: the set did not change

	w.put(set, object{"permissions": list{"c", "nowhere"}}).refused(404, "entity_not_found") // R55: nothing applied
	w.put(set, object{}).refused(422, "invalid_request_parameters", "permissions")
	w.put(set, object{"permissions": nil}).refused(422, "invalid_request_parameters", "permissions")
	w.put(set, object{"permissions": list{"a", nil}}).refused(422, "invalid_request_parameters", "permissions")
	w.get(path).is(200).has("permissions", list{"a", "b"})
	w.fired()

	w.post(set, object{"slug": "c"}).is(200).has("permissions", list{"a", "b", "c"})
	w.fired(updated + " [a b c], changed permissions")
	w.post(set, object{"slug": "c"}).is(200).has("permissions", list{"a", "b", "c"}) // R56
	w.post(set, object{"slug": "nowhere"}).refused(404, "entity_not_found")
	w.fired()

	w.delete(set+"/b").is(200).has("permissions", list{"a", "c"}).has("object", "role") // 200 and the role
	w.fired(updated + " [a c], changed permissions")
	w.delete(set+"/b").refused(404, "entity_not_found") // R57: known, not held
	w.delete(set+"/nowhere").refused(404, "entity_not_found")
	w.get(path).is(200).has("permissions", list{"a", "c"})
	w.fired()

	w.put(set, object{"permissions": list{}}).is(200).has("permissions", list{}) // R54
	w.fired(updated + " [], changed permissions")
}

func TestEnvironmentRolePermissions(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.permission("a", "b", "c")
		w.role("admin")
		w.prepared()
		permissionsOf(t, w, roles+"/admin", "role.updated admin")
		w.put(roles+"/nobody/permissions", object{"permissions": list{}}).refused(404, "entity_not_found")
		w.post(roles+"/nobody/permissions", object{"slug": "a"}).refused(404, "entity_not_found")
		w.delete(roles+"/nobody/permissions/a").refused(404, "entity_not_found")
		w.fired()
	})
}

// An environment role cannot be deleted while anybody needs it (R43, R46, R47).
func TestEnvironmentRoleInUse(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.role("editor")
		org := w.organization("Acme")
		m := w.member(w.user("ada@acme.example"), org, "editor")
		w.prepared()
		w.delete(roles+"/editor").refused(409, "role_has_assignments")
		w.put(memberships+"/"+m+"/deactivate", nil).is(200)
		w.fired("organization_membership.updated ada@acme.example in Acme: inactive editor, changed status")
		w.delete(roles+"/editor").refused(409, "role_has_assignments") // R44: inactive ones count
		w.delete(memberships + "/" + m).is(200)
		w.fired("organization_membership.deleted ada@acme.example in Acme: inactive editor")

		w.put("/authorization/default_role", object{"role_slug": "editor"}).is(200)
		w.delete(roles+"/editor").refused(409, "role_is_default") // R47
		w.custom(org, "org-x")                                    // the organization now has the default of its own
		w.put("/authorization/default_role", object{"role_slug": "member"}).is(200)
		w.delete(roles+"/editor").refused(409, "role_is_default") // R46
		w.put("/authorization/organizations/"+org+"/default_role", object{"role_slug": "org-x"}).is(200)
		w.fired("organization_role.created Acme/org-x []")
		w.delete(roles + "/editor").is(204)
		w.fired("role.deleted editor")
		w.get(rolesOf(org)).lists("slug", "member", "org-x")
	})
}

// A role is made with its permissions in one step and one event, or not at all.
func TestRolesWithPermissions(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.permission("a", "b")
		org := w.organization("Acme")
		w.prepared()
		for _, kind := range []struct{ path, slug, fired string }{
			{roles, "editor", "role.created editor"},
			{rolesOf(org), "org-editor", "organization_role.created Acme/org-editor"},
		} {
			w.post(kind.path, object{"slug": kind.slug, "name": "E", "permissions": list{"b", "unknown"}}).refused(404, "entity_not_found")
			w.get(kind.path+"/"+kind.slug).refused(404, "entity_not_found")
			w.fired()
			w.post(kind.path, object{"slug": kind.slug, "name": "E", "permissions": list{"b", "a", "b"}}).is(201).has("permissions", list{"a", "b"})
			w.get(kind.path+"/"+kind.slug).is(200).has("permissions", list{"a", "b"})
			w.fired(kind.fired + " [a b]")
			w.post(kind.path, object{"slug": kind.slug + "-2", "name": "E", "permissions": list{}}).is(201).has("permissions", list{})
			w.fired(kind.fired + "-2 []")
		}
		w.resourceType("project")
		w.post(roles, object{"slug": "planner", "name": "P", "resource_type_slug": "project", "permissions": list{"a"}}).
			refused(422, "permission_resource_type_mismatch")
		w.fired()
	})
}
