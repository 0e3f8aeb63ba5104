package api_test

import (
	"strings"
	"testing"
)

func checkOf(membership string) string {
	return "/authorization/organization_memberships/" + membership + "/check"
}

// A check follows the role in effect, its permissions and the status, from one request to the next (R58, R208, R210-R212).
func TestChecks(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.permission("invoices:read", "invoices:pay")
		w.role("viewer", "invoices:read")
		org := w.organization("Acme")
		w.custom(org, "org-billing")
		m := w.member(w.user("ada@acme.example"), org, "")
		w.prepared()
		holds := func(read, pay bool, when string) {
			t.Helper()
			if got := w.may(m, "invoices:read"); got != read {
				t.Errorf("%s: invoices:read is %v", when, got)
			}
			if got := w.may(m, "invoices:pay"); got != pay {
				t.Errorf("%s: invoices:pay is %v", when, got)
			}
		}
		holds(false, false, "as a member, a role without permissions")
		w.put(memberships+"/"+m, object{"role_slug": "viewer"}).is(200)
		holds(true, false, "as a viewer")
		w.put(memberships+"/"+m, object{"role_slug": "org-billing"}).is(200)
		holds(false, false, "with a custom role that has no permissions")
		w.put(rolesOf(org)+"/org-billing/permissions", object{"permissions": list{"invoices:pay"}}).is(200)
		holds(false, true, "with a custom role that may pay")
		w.put(memberships+"/"+m+"/deactivate", nil).is(200)
		holds(false, false, "inactive")
		w.put(memberships+"/"+m+"/reactivate", nil).is(200)
		holds(false, true, "active again")
		w.delete(rolesOf(org) + "/org-billing/permissions/invoices:pay").is(200)
		holds(false, false, "after the permission was taken off the role")
		w.post(rolesOf(org)+"/org-billing/permissions", object{"slug": "invoices:read"}).is(200)
		holds(true, false, "after another was added")
		w.prepared()
		w.fired() // a check causes no events
		w.invited(m)
		holds(false, false, "pending")

		w.delete(permissions + "/invoices:read").is(204)
		w.post(checkOf(m), object{"permission_slug": "invoices:read"}).refused(404, "entity_not_found") // R213
		w.delete(memberships + "/" + m).is(200)
		w.post(checkOf(m), object{"permission_slug": "invoices:pay"}).refused(404, "entity_not_found")
		w.prepared()
	})
}

// The organization is a resource: by its resource id, or by its own or its external id as external id (R202, C27). It
// is the only one, and other organizations are none of the membership's (R213).
func TestCheckOnTheOrganizationResource(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.permission("a", "b")
		w.role("admin", "a")
		acme := w.post(organizations, object{"name": "Acme", "external_id": "acme/1"}).is(201).text("id")
		globex := w.post(organizations, object{"name": "Globex", "external_id": "globex"}).is(201).text("id")
		user := w.user("ada@acme.example")
		m := w.member(user, acme, "admin")
		w.member(user, globex, "admin")
		resource := func(org string) string { return "authz_resource_" + strings.TrimPrefix(org, "org_") }
		ask := func(permission string, more object) answer {
			t.Helper()
			more["permission_slug"] = permission
			return w.post(checkOf(m), more)
		}
		for _, own := range []func() object{
			func() object { return object{} },
			func() object { return object{"resource_id": resource(acme)} },
			func() object { return object{"resource_external_id": acme, "resource_type_slug": "organization"} },
			func() object { return object{"resource_external_id": "acme/1", "resource_type_slug": "organization"} },
		} {
			ask("a", own()).is(200).has("authorized", true)
			ask("b", own()).is(200).has("authorized", false)
			ask("nowhere", own()).refused(404, "entity_not_found")
		}
		for _, foreign := range []object{
			{"resource_id": resource(globex)}, {"resource_id": "authz_resource_" + nobodys}, {"resource_id": acme}, {"resource_id": "nonsense"}, {"resource_id": ""},
			{"resource_external_id": globex, "resource_type_slug": "organization"}, {"resource_external_id": "globex", "resource_type_slug": "organization"},
			{"resource_external_id": "ACME/1", "resource_type_slug": "organization"}, {"resource_external_id": resource(acme), "resource_type_slug": "organization"},
			{"resource_external_id": acme, "resource_type_slug": "project"}, {"resource_external_id": acme, "resource_type_slug": "Organization"},
		} {
			ask("a", foreign).refused(404, "entity_not_found")
		}
		ask("a", object{"resource_id": resource(acme), "resource_external_id": acme, "resource_type_slug": "organization"}).refused(422, "invalid_request_parameters", "resource_id")
		ask("a", object{"resource_id": resource(acme), "resource_type_slug": "organization"}).refused(422, "invalid_request_parameters", "resource_id")
		ask("a", object{"resource_external_id": acme}).refused(422, "invalid_request_parameters", "resource_external_id")
		ask("a", object{"resource_type_slug": "organization"}).refused(422, "invalid_request_parameters", "resource_external_id")
		ask("a", object{"resource_external_id": "", "resource_type_slug": ""}).refused(422, "invalid_request_parameters", "resource_external_id")
		w.post(checkOf(m), object{}).refused(422, "invalid_request_parameters", "permission_slug")

		// An external id made to look like another organization's id leads nowhere else (security case 1).
		w.put(organizations+"/"+acme, object{"external_id": globex}).is(200)
		w.put(memberships+"/"+m, object{"role_slug": "member"}).is(200)
		ask("a", object{"resource_external_id": globex, "resource_type_slug": "organization"}).is(200).has("authorized", false)
	})
}

func TestCheckOfNobody(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.permission("a")
		for _, m := range []string{"om_" + nobodys, "nonsense", "user_" + nobodys, "om_" + strings.ToLower(nobodys), "om_" + nobodys + "0", "om_"} {
			w.post(checkOf(m), object{"permission_slug": "a"}).refused(404, "entity_not_found")
		}
	})
}
