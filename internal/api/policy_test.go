package api_test

import "testing"

// The paths of default and priority, of the environment and of an organization.
const (
	environmentDefault  = "/authorization/default_role"
	environmentPriority = "/authorization/role_priority"
)

func defaultOf(org string) string  { return "/authorization/organizations/" + org + "/default_role" }
func priorityOf(org string) string { return "/authorization/organizations/" + org + "/role_priority" }

// The default and the order of the environment (R20-R24, R30, R31, R37).
func TestEnvironmentDefaultAndPriority(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.get(environmentDefault).is(200).has("object", "default_role").has("role.slug", "member").has("source", "environment")
		w.get(environmentPriority).is(200).has("object", "role_priority").has("role_slugs", list{"member"}).has("source", "environment")
		w.role("admin")
		w.role("editor")
		org := w.organization("Acme")
		before := w.member(w.user("a@acme.example"), org, "")
		w.prepared()

		w.put(environmentPriority, object{"role_slugs": list{"admin", "member", "editor"}}).is(200).has("role_slugs", list{"admin", "member", "editor"})
		w.get(roles).lists("slug", "admin", "member", "editor")
		w.put(environmentDefault, object{"role_slug": "editor"}).is(200).has("role.slug", "editor").has("source", "environment")
		w.put(environmentDefault, object{"role_slug": "editor"}).is(200).has("role.slug", "editor")
		w.fired() // neither has an event (3.14)

		after := w.member(w.user("b@acme.example"), org, "")
		w.get(memberships+"/"+before).is(200).has("role.slug", "member") // R24
		w.get(memberships+"/"+after).is(200).has("role.slug", "editor")
		w.fired("user.created b@acme.example", "organization_membership.created b@acme.example in Acme: active editor")

		w.role("last")
		w.get(roles).lists("slug", "admin", "member", "editor", "last") // R31
		for _, wrong := range []list{{}, {"admin"}, {"admin", "member", "editor", "last", "last"}, {"admin", "member", "editor", "nobody"}, {"admin", "admin", "editor", "last"}} {
			w.put(environmentPriority, object{"role_slugs": wrong}).refused(422, "invalid_request_parameters", "role_slugs")
		}
		w.put(environmentDefault, object{"role_slug": "nobody"}).refused(422, "invalid_role")
		w.put(environmentDefault, object{}).refused(422, "invalid_request_parameters", "role_slug")
		w.get(environmentPriority).is(200).has("role_slugs", list{"admin", "member", "editor", "last"})
		w.fired("role.created last []")
	})
}

// Until its first custom role an organization follows the environment, also in what changes later (R32).
func TestOrganizationFollowsTheEnvironment(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org := w.organization("Acme")
		w.role("admin")
		w.put(environmentPriority, object{"role_slugs": list{"admin", "member"}}).is(200)
		w.put(environmentDefault, object{"role_slug": "admin"}).is(200)
		w.get(rolesOf(org)).lists("slug", "admin", "member")
		w.get(defaultOf(org)).is(200).has("role.slug", "admin").has("source", "environment")
		w.get(priorityOf(org)).is(200).has("role_slugs", list{"admin", "member"}).has("source", "environment")
		w.put(defaultOf(org), object{"role_slug": "member"}).refused(409, "organization_has_no_custom_roles")
		w.put(priorityOf(org), object{"role_slugs": list{"member", "admin"}}).refused(409, "organization_has_no_custom_roles")
		w.get(defaultOf("org_"+nobodys)).refused(404, "entity_not_found")
		w.put(priorityOf("org_"+nobodys), object{"role_slugs": list{}}).refused(404, "entity_not_found")
		w.prepared()
		w.fired()
	})
}

// From its first custom role on an organization has its own default and order (R22, R31-R34, R36).
func TestFirstCustomRoleDetaches(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.role("admin")
		w.role("viewer")
		w.put(environmentPriority, object{"role_slugs": list{"admin", "member", "viewer"}}).is(200)
		acme, globex := w.organization("Acme"), w.organization("Globex")
		w.prepared()

		w.post(rolesOf(acme), object{"slug": "org-first", "name": "First"}).is(201)
		w.post(rolesOf(acme), object{"slug": "org-second", "name": "Second"}).is(201)
		w.fired("organization_role.created Acme/org-first []", "organization_role.created Acme/org-second []")
		w.get(rolesOf(acme)).lists("slug", "admin", "member", "viewer", "org-first", "org-second") // R31, R34
		w.get(defaultOf(acme)).is(200).has("role.slug", "member").has("source", "organization")

		// What the environment changes later does not reach it.
		w.put(environmentPriority, object{"role_slugs": list{"viewer", "member", "admin"}}).is(200)
		w.put(environmentDefault, object{"role_slug": "admin"}).is(200)
		w.get(rolesOf(acme)).lists("slug", "admin", "member", "viewer", "org-first", "org-second")
		w.get(defaultOf(acme)).is(200).has("role.slug", "member")
		w.get(rolesOf(globex)).lists("slug", "viewer", "member", "admin")
		w.get(defaultOf(globex)).is(200).has("role.slug", "admin")

		// Environment roles made later stand at the bottom, before custom roles that are made after them (R31, R33).
		w.role("late")
		w.role("later")
		w.get(rolesOf(acme)).lists("slug", "admin", "member", "viewer", "org-first", "org-second", "late", "later")
		w.custom(acme, "org-third")
		w.role("last")
		w.get(rolesOf(acme)).lists("slug", "admin", "member", "viewer", "org-first", "org-second", "late", "later", "org-third", "last")
		w.get(rolesOf(globex)).lists("slug", "viewer", "member", "admin", "late", "later", "last")
		w.fired("role.created late []", "role.created later []", "organization_role.created Acme/org-third []", "role.created last []")

		own := list{"org-third", "last", "later", "late", "org-second", "org-first", "viewer", "member", "admin"}
		w.put(priorityOf(acme), object{"role_slugs": own}).is(200).has("role_slugs", own).has("source", "organization")
		w.put(priorityOf(acme), object{"role_slugs": own[1:]}).refused(422, "invalid_request_parameters", "role_slugs")
		w.put(defaultOf(acme), object{"role_slug": "org-second"}).is(200).has("role.slug", "org-second").has("role.type", "OrganizationRole") // R22
		w.get(environmentDefault).is(200).has("role.slug", "admin")
		w.put(environmentDefault, object{"role_slug": "org-second"}).refused(422, "invalid_role")
		w.put(defaultOf(globex), object{"role_slug": "org-second"}).refused(409, "organization_has_no_custom_roles")
		w.fired()

		a := w.member(w.user("a@acme.example"), acme, "")
		g := w.member(w.user("g@globex.example"), globex, "")
		w.get(memberships+"/"+a).has("role.slug", "org-second")
		w.get(memberships+"/"+g).has("role.slug", "admin")
		w.fired("user.created a@acme.example", "organization_membership.created a@acme.example in Acme: active org-second",
			"user.created g@globex.example", "organization_membership.created g@globex.example in Globex: active admin")

		// The last custom role gone, default and order stay its own (R36).
		w.put(defaultOf(acme), object{"role_slug": "viewer"}).is(200)
		w.put(memberships+"/"+a, object{"role_slug": "member"}).is(200)
		for _, slug := range []string{"org-first", "org-second", "org-third"} {
			w.delete(rolesOf(acme) + "/" + slug).is(204)
		}
		w.get(rolesOf(acme)).lists("slug", "last", "later", "late", "viewer", "member", "admin")
		w.get(defaultOf(acme)).is(200).has("role.slug", "viewer").has("source", "organization")
		w.fired("organization_membership.updated a@acme.example in Acme: active member, changed role roles",
			"organization_role.deleted Acme/org-first []", "organization_role.deleted Acme/org-second []", "organization_role.deleted Acme/org-third []")
	})
}
