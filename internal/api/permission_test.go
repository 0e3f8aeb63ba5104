package api_test

import (
	"strings"
	"testing"
)

// A permission from its creation to its deletion (R50, R53, semantics 2.3).
func TestPermissions(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.post(permissions, object{"slug": "invoices:read", "name": "Read invoices", "description": "Sees <all> & more"}).is(201)
		a.has("object", "permission").has("slug", "invoices:read").has("name", "Read invoices").has("system", false).
			has("description", "Sees <all> & more").has("resource_type_slug", "organization")
		if a.text("created_at") != a.text("updated_at") || !strings.HasPrefix(a.text("id"), "perm_") {
			t.Errorf("a new permission is %s", a.raw)
		}
		w.fired("permission.created invoices:read")

		w.get(permissions + "/invoices:read").is(200).same(answer{tb: t, status: 200, raw: a.raw, call: "the creation"})
		w.post(permissions, object{"slug": "invoices:read", "name": "Other"}).refused(409, "permission_slug_conflict")
		w.fired()

		b := w.patch(permissions+"/invoices:read", object{"name": "See invoices", "slug": "other", "system": true}).is(200)
		b.has("name", "See invoices").has("slug", "invoices:read").has("system", false).has("description", "Sees <all> & more")
		if b.text("created_at") != a.text("created_at") || b.text("updated_at") <= a.text("updated_at") {
			t.Errorf("times after an update: %s", b.raw)
		}
		w.fired("permission.updated invoices:read, changed name")

		w.patch(permissions+"/invoices:read", object{}).is(200).same(answer{tb: t, status: 200, raw: b.raw, call: "the update"}) // R41
		w.patch(permissions+"/invoices:read", object{"name": "See invoices", "unknown": 1}).is(200).has("updated_at", b.text("updated_at"))
		w.fired()

		w.patch(permissions+"/invoices:read", object{"description": nil}).is(200).has("description", nil) // R42
		w.fired("permission.updated invoices:read, changed description")

		w.delete(permissions + "/invoices:read").is(204)
		w.fired("permission.deleted invoices:read")
		w.get(permissions+"/invoices:read").refused(404, "entity_not_found")
		w.patch(permissions+"/invoices:read", object{"name": "x"}).refused(404, "entity_not_found")
		w.delete(permissions+"/invoices:read").refused(404, "entity_not_found")
		w.fired()
	})
}

// Every delimiter is part of a slug, and none of them means anything (R50, R51, C32).
func TestPermissionSlugs(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for _, slug := range []string{"a", "a:b", "posts:*", "*", "a.b_c-d:e*", "-_:.*", "0", strings.Repeat("a", 48), "..."} {
			w.post(permissions, object{"slug": slug, "name": "n"}).is(201).has("slug", slug)
			w.get(permissions+"/"+segment(slug)).is(200).has("slug", slug)
		}
		for _, slug := range []string{"", "A", "a b", "a/b", ".", "..", "ä", "a\n", "a\u0000", strings.Repeat("a", 49), "a,b", "a%62"} {
			w.post(permissions, object{"slug": slug, "name": "n"}).refused(422, "invalid_request_parameters", "slug")
		}
		// A wildcard in a slug matches nothing but itself (R51).
		org, user := w.organization("Acme"), w.user("ada@acme.example")
		w.permission("posts:read")
		w.role("writer", "posts:*", "*")
		m := w.member(user, org, "writer")
		if w.may(m, "posts:read") || !w.may(m, "posts:*") {
			t.Error("a wildcard is not matched literally")
		}
	})
}

// Deleting a permission takes it off every role of every organization, each with its event after the deletion (R53),
// and a permission made later under the slug is held by nobody (I12).
func TestPermissionCascade(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.permission("a", "b")
		w.role("admin", "a", "b")
		w.role("viewer", "b")
		acme, globex := w.organization("Acme"), w.organization("Globex")
		w.custom(acme, "org-x", "a")
		w.custom(globex, "org-x", "b", "a")
		w.prepared()

		w.delete(permissions + "/a").is(204)
		events := w.events.read(t)
		if len(events) != 4 || events[0] != "permission.deleted a" {
			t.Errorf("events %q", events)
		}
		for _, want := range []string{
			"role.updated admin [b], changed permissions", "organization_role.updated Acme/org-x [], changed permissions",
			"organization_role.updated Globex/org-x [b], changed permissions",
		} {
			if !strings.Contains(strings.Join(events, "\n"), want) {
				t.Errorf("no event %q among %q", want, events)
			}
		}
		w.fired()
		w.get(roles+"/admin").is(200).has("permissions", list{"b"})
		w.get(roles+"/viewer").is(200).has("permissions", list{"b"})
		w.get(rolesOf(acme)+"/org-x").is(200).has("permissions", list{})

		w.permission("a")
		w.get(roles+"/admin").is(200).has("permissions", list{"b"})
		w.get(rolesOf(globex)+"/org-x").is(200).has("permissions", list{"b"})
		w.fired("permission.created a")
	})
}

// Names and descriptions (semantics 2.3), and types that do not exist (R9).
func TestPermissionRefusals(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.post(permissions, object{}).refused(422, "invalid_request_parameters", "slug", "name")
		w.post(permissions, object{"slug": "a", "name": " \t\u00a0"}).refused(422, "invalid_request_parameters", "name")
		w.post(permissions, object{"slug": "a", "name": "n", "resource_type_slug": "project"}).refused(404, "entity_not_found")
		w.post(permissions, object{"slug": "a", "name": "n", "resource_type_slug": "Project!"}).refused(422, "invalid_request_parameters", "resource_type_slug")
		w.fired()
		// Limits count characters, not bytes.
		w.post(permissions, object{"slug": "a", "name": strings.Repeat("ä", 48), "description": strings.Repeat("😀", 150)}).is(201)
		w.fired("permission.created a")
	})
}
