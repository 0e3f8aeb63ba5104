package api_test

import (
	"regexp"
	"strings"
	"testing"
)

// A custom role from its creation to its deletion (semantics 2.2; R1-R3, R7, R40-R42, R49).
func TestCustomRoles(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		acme, globex := w.organization("Acme"), w.organization("Globex")
		w.prepared()
		path := rolesOf(acme)
		a := w.post(path, object{"slug": "org-billing", "name": "Billing", "description": "Pays"}).is(201)
		a.has("object", "role").has("type", "OrganizationRole").has("slug", "org-billing").has("permissions", list{}).
			has("description", "Pays").has("resource_type_slug", "organization")
		w.fired("organization_role.created Acme/org-billing []")
		w.get(path + "/org-billing").is(200).same(answer{tb: t, call: "the creation", status: 200, raw: a.raw})

		w.post(path, object{"slug": "org-billing", "name": "Again"}).refused(409, "organization_role_slug_conflict") // R7
		w.post(rolesOf(globex), object{"slug": "org-billing", "name": "Theirs"}).is(201)                             // R2
		w.fired("organization_role.created Globex/org-billing []")

		b := w.patch(path+"/org-billing", object{"name": "Payer", "slug": "org-x"}).is(200).has("name", "Payer").has("slug", "org-billing")
		w.fired("organization_role.updated Acme/org-billing [], changed name")
		w.patch(path+"/org-billing", object{}).is(200).same(answer{tb: t, call: "the update", status: 200, raw: b.raw}) // R41
		w.patch(path+"/org-billing", object{"description": nil}).is(200).has("description", nil).has("name", "Payer")   // R42
		w.fired("organization_role.updated Acme/org-billing [], changed description")
		w.get(rolesOf(globex)+"/org-billing").is(200).has("name", "Theirs")

		w.permission("a")
		w.put(path+"/org-billing/permissions", object{"permissions": list{"a"}}).is(200)
		w.delete(path + "/org-billing").is(204)
		w.fired("permission.created a", "organization_role.updated Acme/org-billing [a], changed permissions",
			"organization_role.deleted Acme/org-billing [a]") // R49
		w.get(path+"/org-billing").refused(404, "entity_not_found")
		w.delete(path+"/org-billing").refused(404, "entity_not_found")
		w.fired()

		// Made again under the same slug it is another role and holds nothing (I12).
		c := w.post(path, object{"slug": "org-billing", "name": "New"}).is(201).has("permissions", list{})
		if c.text("id") == a.text("id") {
			t.Error("an id was used twice")
		}
		w.fired("organization_role.created Acme/org-billing []")
	})
}

func TestCustomRolePermissions(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org := w.organization("Acme")
		w.permission("a", "b", "c")
		w.custom(org, "org-x")
		w.prepared()
		permissionsOf(t, w, rolesOf(org)+"/org-x", "organization_role.updated Acme/org-x")
	})
}

// Slugs given and generated (R4-R6, C1).
func TestCustomRoleSlugs(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		path := rolesOf(w.organization("Acme"))
		for _, slug := range []string{"org-a", "org-a_b-c", "org-" + strings.Repeat("a", 44)} {
			w.post(path, object{"slug": slug, "name": "n"}).is(201).has("slug", slug)
		}
		for _, slug := range []string{"", "a", "org", "org-", "org_a", "orga", "ORG-a", "org-A", "org--a", "org-a-", "org-a:b", " org-a", "org-" + strings.Repeat("a", 45)} {
			w.post(path, object{"slug": slug, "name": "n"}).refused(422, "invalid_request_parameters", "slug")
		}
		w.post(path, object{"slug": nil, "name": "n"}).refused(422, "invalid_request_parameters", "slug")
		for name, base := range map[string]string{
			"Billing Admin": "billing-admin", "  Billing --  _Admin  ": "billing-admin", "Größe": "große", "日本": "role", "😀": "role", "!!!": "role",
			"a":                       "a",
			strings.Repeat("a b", 16): strings.TrimRight(strings.ReplaceAll(strings.Repeat("a b", 16), " ", "-")[:41], "-"),
		} {
			if name == "Größe" {
				base = "groe"
			}
			a := w.post(path, object{"name": name}).is(201).has("name", name)
			slug := a.text("slug")
			suffix := strings.ToLower(a.text("id")[len(a.text("id"))-6:])
			if len(slug) > 48 || !generated.MatchString(slug) || slug != base+"-"+suffix && name != "  Billing --  _Admin  " {
				t.Errorf("the slug of %q with id %s is %q, want %s-%s", name, a.text("id"), slug, base, suffix)
			}
			w.get(path+"/"+slug).is(200).has("id", a.text("id"))
		}
		// The same name twice is two slugs.
		first := w.post(path, object{"name": "Twin"}).is(201).text("slug")
		if second := w.post(path, object{"name": "Twin"}).is(201).text("slug"); first == second {
			t.Error("two roles with one slug")
		}
	})
}

var generated = regexp.MustCompile(`^[a-z0-9]+(?:[-_][a-z0-9]+)*-[a-z0-9]{6}$`)

// Environment roles are read and never written through an organization (semantics 2.2); a custom role whose slug an
// environment role has is refused, and one that an environment role took later stays in front (R8).
func TestEnvironmentRolesThroughAnOrganization(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org := w.organization("Acme")
		w.permission("a")
		w.role("org-admin", "a")
		w.prepared()
		path := rolesOf(org) + "/org-admin"
		w.get(path).is(200).has("type", "EnvironmentRole").has("permissions", list{"a"})
		w.patch(path, object{"name": "x"}).refused(404, "entity_not_found")
		w.delete(path).refused(404, "entity_not_found")
		w.put(path+"/permissions", object{"permissions": list{}}).refused(404, "entity_not_found")
		w.post(path+"/permissions", object{"slug": "a"}).refused(404, "entity_not_found")
		w.delete(path+"/permissions/a").refused(404, "entity_not_found")
		w.post(rolesOf(org), object{"slug": "org-admin", "name": "Shadow"}).refused(409, "organization_role_slug_conflict")
		w.fired()

		w.custom(org, "org-later")
		w.role("org-later", "a")
		w.fired("organization_role.created Acme/org-later []", "role.created org-later []", "role.updated org-later [a], changed permissions")
		w.get(rolesOf(org)+"/org-later").is(200).has("type", "OrganizationRole").has("permissions", list{})
		m := w.member(w.user("ada@acme.example"), org, "org-later")
		if w.may(m, "a") {
			t.Error("the environment role that came later took the place of the organization's own")
		}
		w.fired("user.created ada@acme.example", "organization_membership.created ada@acme.example in Acme: active org-later")
	})
}

// A custom role cannot be deleted while a membership of any status holds it or it is the default (R43, R44).
func TestCustomRoleInUse(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org := w.organization("Acme")
		w.custom(org, "org-x")
		m := w.member(w.user("ada@acme.example"), org, "org-x")
		w.prepared()
		path := rolesOf(org) + "/org-x"
		if a := w.delete(path).refused(409, "role_has_assignments"); !strings.Contains(a.text("message"), "cannot be deleted because it has user role assignments") {
			t.Errorf("a message that programs in the field do not know: %s", a.raw) // R43
		}
		w.invited(m)
		w.delete(path).refused(409, "role_has_assignments")
		w.delete(memberships + "/" + m).is(200)
		w.fired("organization_membership.deleted ada@acme.example in Acme: pending org-x")
		w.put("/authorization/organizations/"+org+"/default_role", object{"role_slug": "org-x"}).is(200)
		w.delete(path).refused(400, "bad_request") // R44
		w.put("/authorization/organizations/"+org+"/default_role", object{"role_slug": "member"}).is(200)
		w.delete(path).is(204)
		w.fired("organization_role.deleted Acme/org-x []")
	})
}

// The path of older SDKs lists the same (semantics 2.2).
func TestLegacyListOfRoles(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org := w.organization("Acme")
		w.custom(org, "org-x")
		w.get("/organizations/"+org+"/roles").lists("slug", "member", "org-x").same(w.get(rolesOf(org)))
		w.get("/organizations/org_"+nobodys+"/roles").refused(404, "entity_not_found")
		w.get(rolesOf("org_"+nobodys)).refused(404, "entity_not_found")
		w.post(rolesOf("org_"+nobodys), object{"name": "n"}).refused(404, "entity_not_found")
		if w.get(rolesOf(org)).at("list_metadata") != nil {
			t.Error("lists of roles have no pages")
		}
	})
}
