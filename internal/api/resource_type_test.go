package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// A resource type from its creation to its deletion (R200). Nothing of it causes an event.
func TestResourceTypes(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.fired()
		a := w.post(resourceTypes, object{"slug": "project", "name": "Project", "description": "What a team works on"}).is(201)
		a.has("object", "resource_type").has("slug", "project").has("name", "Project").has("description", "What a team works on").
			has("parent_resource_type_slugs", list{"organization"})
		w.get(resourceTypes + "/project").is(200).same(answer{tb: t, status: 200, raw: a.raw, call: "the creation"})
		w.post(resourceTypes, object{"slug": "project", "name": "Other"}).refused(409, "resource_type_slug_conflict")

		w.resourceType("workspace")
		b := w.patch(resourceTypes+"/project", object{"name": "Projects", "description": nil, "slug": "other",
			"parent_resource_type_slugs": list{"workspace", "organization", "workspace"}}).is(200)
		b.has("slug", "project").has("name", "Projects").has("description", nil).has("parent_resource_type_slugs", list{"organization", "workspace"}).
			has("created_at", a.text("created_at"))
		if b.text("updated_at") <= a.text("updated_at") {
			t.Errorf("times after an update: %s", b.raw)
		}
		unchanged := answer{tb: t, status: 200, raw: b.raw, call: "the update"}
		w.patch(resourceTypes+"/project", object{}).is(200).same(unchanged)
		w.patch(resourceTypes+"/project", object{"parent_resource_type_slugs": list{"workspace", "organization"}}).is(200).same(unchanged)
		w.get(resourceTypes).is(200).lists("slug", "project", "workspace").has("list_metadata", nil)

		w.delete(resourceTypes+"/workspace").refused(409, "resource_type_in_use") // project lies below it
		w.delete(resourceTypes + "/project").is(204)
		w.delete(resourceTypes + "/workspace").is(204)
		for _, gone := range []string{"project", "organization", "Project!", "%00"} {
			w.get(resourceTypes+"/"+gone).refused(404, "entity_not_found")
			w.patch(resourceTypes+"/"+gone, object{"name": "x"}).refused(404, "entity_not_found")
			w.delete(resourceTypes+"/"+gone).refused(404, "entity_not_found")
		}
		w.get(resourceTypes).is(200).lists("slug")
		w.fired()
	})
}

func TestResourceTypeRefusals(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		const parents = "parent_resource_type_slugs"
		w.post(resourceTypes, object{}).refused(422, "invalid_request_parameters", "slug", "name")
		for _, slug := range []string{"", "organization", "A", "a b", "a--b", "-a", "a/b", "ä", "a:b", strings.Repeat("a", 49)} {
			w.post(resourceTypes, object{"slug": slug, "name": "n"}).refused(422, "invalid_request_parameters", "slug")
		}
		w.post(resourceTypes, object{"slug": "a", "name": strings.Repeat("n", 49), "description": strings.Repeat("d", 151)}).
			refused(422, "invalid_request_parameters", "name", "description")
		w.post(resourceTypes, object{"slug": "a", "name": "n", parents: list{}}).refused(422, "invalid_request_parameters", parents)
		w.post(resourceTypes, object{"slug": "a", "name": "n", parents: nil}).refused(422, "invalid_request_parameters", parents)
		w.post(resourceTypes, object{"slug": "a", "name": "n", parents: list{nil}}).refused(422, "invalid_request_parameters", parents)
		w.post(resourceTypes, object{"slug": "a", "name": "n", parents: list{"a"}}).refused(422, "invalid_request_parameters", parents)
		w.post(resourceTypes, object{"slug": "a", "name": "n", parents: list{"nothing"}}).refused(404, "entity_not_found")
		w.get(resourceTypes).is(200).lists("slug")
		w.resourceType("a")
		w.patch(resourceTypes+"/a", object{parents: list{}}).refused(422, "invalid_request_parameters", parents)
		w.patch(resourceTypes+"/a", object{"name": " "}).refused(422, "invalid_request_parameters", "name")
		w.patch(resourceTypes+"/a", object{parents: list{"a", "organization"}}).refused(422, "invalid_request_parameters", parents)
		w.patch(resourceTypes+"/a", object{parents: list{"nothing"}}).refused(404, "entity_not_found")
		w.get(resourceTypes+"/a").is(200).has(parents, list{"organization"})
		w.fired()
	})
}

// The limits of the hierarchy hold whichever way it is built (R200). A chain ends after five levels, so that no chain
// of resources, be it meant to be a thousand deep, gets longer.
func TestResourceTypeLimits(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		const parents = "parent_resource_type_slugs"
		for i := range 5 {
			above := "organization"
			if i > 0 {
				above = fmt.Sprint("l", i)
			}
			w.resourceType(fmt.Sprint("l", i+1), above)
		}
		for range 3 {
			a := w.post(resourceTypes, object{"slug": "l6", "name": "n", parents: list{"l5"}}).refused(422, "invalid_request_parameters", parents)
			if !strings.Contains(a.text("message"), "6 levels below the organization; at most 5") {
				t.Errorf("the refusal of a deep type: %s", a.raw)
			}
		}
		// Nor by another way, nor by moving what has types below it.
		w.post(resourceTypes, object{"slug": "l6", "name": "n", parents: list{"organization", "l5"}}).refused(422, "invalid_request_parameters", parents)
		w.resourceType("top")
		w.patch(resourceTypes+"/l1", object{parents: list{"top"}}).refused(422, "invalid_request_parameters", parents)
		// A cycle, short or long.
		w.patch(resourceTypes+"/l1", object{parents: list{"l5"}}).refused(422, "invalid_request_parameters", parents)
		w.patch(resourceTypes+"/l1", object{parents: list{"organization", "l2"}}).refused(422, "invalid_request_parameters", parents)

		for i := range 8 { // l1 and top are children of the organization already
			w.resourceType(fmt.Sprint("child", i))
		}
		w.post(resourceTypes, object{"slug": "eleventh", "name": "n"}).refused(422, "invalid_request_parameters", parents)
		w.patch(resourceTypes+"/l2", object{parents: list{"organization", "l1"}}).refused(422, "invalid_request_parameters", parents)
		w.patch(resourceTypes+"/l1", object{"name": "one of ten may stay", parents: list{"organization"}}).is(200)
		for i := range 36 {
			w.resourceType(fmt.Sprint("more", i), fmt.Sprint("child", i%8))
		}
		w.post(resourceTypes, object{"slug": "another", "name": "n", parents: list{"child0"}}).refused(409, "resource_type_limit_reached")
		if n := w.get(resourceTypes).size("data"); n != 50 {
			t.Errorf("%d types", n)
		}
		w.delete(resourceTypes + "/more0").is(204)
		w.resourceType("another", "child0", "child1")
		w.fired()
	})
}

// Roles, permissions and resources need their type, and a hierarchy that gives effect to what roles hold (R11).
func TestResourceTypesInUse(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		const parents = "parent_resource_type_slugs"
		org := w.organization("Acme")
		w.resourceType("workspace")
		w.resourceType("project", "workspace", "organization")
		w.resourceType("task", "project")
		w.prepared()
		refused := func(a answer) {
			t.Helper()
			a.refused(409, "resource_type_in_use")
		}

		w.post(permissions, object{"slug": "task:edit", "name": "n", "resource_type_slug": "task"}).is(201).has("resource_type_slug", "task")
		refused(w.delete(resourceTypes + "/task"))
		w.post(roles, object{"slug": "editor", "name": "n", "resource_type_slug": "workspace"}).is(201).has("resource_type_slug", "workspace")
		refused(w.delete(resourceTypes + "/workspace"))
		w.post(rolesOf(org), object{"slug": "org-editor", "name": "n", "resource_type_slug": "project"}).is(201).has("resource_type_slug", "project")
		w.fired("permission.created task:edit", "role.created editor []", "organization_role.created Acme/org-editor []")

		// What the roles hold must be of their type or below it.
		w.post(permissions, object{"slug": "org:edit", "name": "n"}).is(201)
		w.post(permissions, object{"slug": "workspace:edit", "name": "n", "resource_type_slug": "workspace"}).is(201)
		w.prepared()
		w.put(roles+"/editor/permissions", object{"permissions": list{"workspace:edit", "task:edit"}}).is(200)
		w.put(roles+"/editor/permissions", object{"permissions": list{"workspace:edit", "org:edit"}}).refused(422, "permission_resource_type_mismatch")
		w.post(rolesOf(org)+"/org-editor/permissions", object{"slug": "workspace:edit"}).refused(422, "permission_resource_type_mismatch")
		w.post(rolesOf(org)+"/org-editor/permissions", object{"slug": "task:edit"}).is(200).has("permissions", list{"task:edit"})
		w.put(roles+"/member/permissions", object{"permissions": list{"org:edit", "task:edit"}}).is(200) // of the organization: any
		w.fired("role.updated editor [task:edit workspace:edit], changed permissions",
			"organization_role.updated Acme/org-editor [task:edit], changed permissions",
			"role.updated member [org:edit task:edit], changed permissions")

		// So neither project nor task may leave their places; another place more does no harm.
		refused(w.patch(resourceTypes+"/project", object{parents: list{"organization"}}))
		refused(w.patch(resourceTypes+"/task", object{parents: list{"organization"}}))
		w.patch(resourceTypes+"/task", object{parents: list{"project", "organization"}}).is(200)
		refused(w.patch(resourceTypes+"/task", object{parents: list{"workspace"}}))
		w.delete(rolesOf(org) + "/org-editor/permissions/task:edit").is(200)
		w.patch(resourceTypes+"/task", object{parents: list{"workspace"}}).is(200)

		// Resources keep the parents of their type.
		space := w.resource(org, "workspace", "w", "")
		w.patch(resourceTypes+"/project", object{parents: list{"workspace", "organization"}}).is(200)
		w.resource(org, "project", "p1", space)
		p2 := w.resource(org, "project", "p2", "")
		refused(w.patch(resourceTypes+"/project", object{parents: list{"organization"}}))
		refused(w.patch(resourceTypes+"/project", object{parents: list{"workspace"}}))
		w.patch(resources+"/"+p2, object{"parent_resource_id": space}).is(200)
		w.patch(resourceTypes+"/project", object{parents: list{"workspace"}}).is(200)
		refused(w.delete(resourceTypes + "/project"))
		user := w.user("ada@acme.example")
		w.prepared()

		// A role of a type below the organization is nobody's on the organization (R9).
		w.post(memberships, object{"user_id": user, "organization_id": org, "role_slug": "editor"}).refused(422, "sub_resource_scoped_role_not_allowed")
		w.fired()
	})
}
