package api_test

import (
	"fmt"
	"testing"
)

const settings = "/authorization/settings"

func deletionOf(org, slug string) string {
	if org == "" {
		return roles + "/" + slug + "/deletion"
	}
	return rolesOf(org) + "/" + slug + "/deletion"
}

// A custom role that is in use goes with a replacement, or its members go to the default (R45). For decisions it is
// gone at once; the memberships are told of afterwards, each once.
func TestDeleteCustomRoleInUse(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.permission("a:read", "b:read", "c:read")
		w.role("viewer", "b:read")
		org := w.organization("Acme")
		w.custom(org, "org-a", "a:read")
		w.custom(org, "org-b", "c:read")
		one, two := w.member(w.user("1@acme.example"), org, "org-a"), w.member(w.user("2@acme.example"), org, "org-b")
		w.put(defaultOf(org), object{"role_slug": "viewer"}).is(200)
		w.prepared()

		w.delete(rolesOf(org)+"/org-a").refused(409, "role_has_assignments")
		w.post(deletionOf(org, "org-a"), object{"replacement_role_slug": "nobody"}).refused(422, "invalid_request_parameters", "replacement_role_slug")
		w.post(deletionOf(org, "org-a"), object{"replacement_role_slug": "org-a"}).refused(422, "invalid_request_parameters", "replacement_role_slug")
		w.post(deletionOf(org, "viewer"), object{}).refused(404, "entity_not_found")
		w.fired()

		impact := w.post(deletionOf(org, "org-a")+"?preview=true", object{"replacement_role_slug": "org-b"}).is(200).has("object", "impact").
			has("totals.changed", 1).has("totals.gaining", 1).has("totals.losing", 1).has("totals.organizations", 1)
		impact.has("members.0.organization_membership_id", one).has("members.0.roles_before", list{"org-a"}).has("members.0.roles_after", list{"org-b"}).
			has("members.0.gains.0.permission_slug", "c:read").has("members.0.loses.0.permission_slug", "a:read")
		w.fired() // nothing happened
		if !w.may(one, "a:read") {
			t.Error("a preview took a permission away")
		}

		job := w.post(deletionOf(org, "org-a"), object{"replacement_role_slug": "org-b"}).is(202).has("object", "job").has("kind", "delete_role").
			has("state", "running").has("organization_id", org).has("role_slug", "org-a").has("progress.total", 1).has("progress.done", 0)
		if w.may(one, "a:read") || !w.may(one, "c:read") {
			t.Error("the deletion of a role is not in effect when it is answered")
		}
		w.get(memberships+"/"+one).is(200).has("role.slug", "org-b")
		w.get(rolesOf(org)+"/org-a").refused(404, "entity_not_found")
		w.fired("organization_role.deleted Acme/org-a [a:read]")
		w.settle()
		w.fired("organization_membership.updated 1@acme.example in Acme: active org-b, changed role roles")
		w.get("/authorization/jobs/"+job.text("id")).is(200).has("state", "finished").has("progress.done", 1)
		w.settle()
		w.fired()

		w.post(deletionOf(org, "org-b"), object{}).is(202)
		if w.may(two, "c:read") || !w.may(two, "b:read") {
			t.Error("without a replacement the default is held")
		}
		w.settle()
		w.fired("organization_role.deleted Acme/org-b [c:read]", "organization_membership.updated 1@acme.example in Acme: active viewer, changed role roles",
			"organization_membership.updated 2@acme.example in Acme: active viewer, changed role roles")
		w.custom(org, "org-b", "a:read") // I12
		if w.may(two, "a:read") {
			t.Error("I12: a role made again under an old slug has its predecessor's members")
		}
		w.fired("organization_role.created Acme/org-b []", "organization_role.updated Acme/org-b [a:read], changed permissions")
	})
}

// Deleting an environment role asks for a new default for every organization that has it as its own (R46, R47).
func TestDeleteEnvironmentRoleWithReplacementDefaults(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.permission("a:read")
		w.role("old", "a:read")
		w.role("new")
		var orgs []string
		for i := range 3 {
			org := w.organization(fmt.Sprint("Acme", i))
			w.custom(org, "org-own")
			w.put(defaultOf(org), object{"role_slug": "old"}).is(200)
			orgs = append(orgs, org)
		}
		following := w.organization("Globex")
		member := w.member(w.user("m@acme.example"), orgs[0], "")
		other := w.member(w.user("o@globex.example"), following, "old")
		w.prepared()

		w.delete(roles+"/old").refused(409, "role_has_assignments")
		w.post(deletionOf("", "old"), object{}).refused(409, "replacement_default_required").has("organizations_total", 3).
			has("organizations.0.id", orgs[0]).has("organizations.0.name", "Acme0")
		w.post(deletionOf("", "old")+"?preview=true", object{}).refused(409, "replacement_default_required")
		one := list{object{"organization_id": orgs[1], "role_slug": "org-own"}}
		w.post(deletionOf("", "old"), object{"default_roles": one}).refused(409, "replacement_default_required").has("organizations_total", 2)
		w.post(deletionOf("", "old"), object{"default_roles": append(one, one[0]), "default_role_slug": "new"}).refused(422, "invalid_request_parameters", "default_roles")
		w.post(deletionOf("", "old"), object{"default_roles": list{object{"organization_id": following, "role_slug": "new"}}}).refused(422, "invalid_request_parameters", "default_roles")
		w.post(deletionOf("", "old"), object{"default_role_slug": "org-own"}).refused(422, "invalid_request_parameters", "default_role_slug")
		w.post(deletionOf("", "old"), object{"default_role_slug": "old"}).refused(422, "invalid_request_parameters", "default_role_slug")
		w.post(deletionOf("", "member"), object{}).refused(403, "role_not_deletable")
		w.fired()

		w.post(deletionOf("", "old"), object{"default_roles": one, "default_role_slug": "new"}).is(202).has("progress.total", 2)
		w.get(defaultOf(orgs[0])).is(200).has("role.slug", "new")
		w.get(defaultOf(orgs[1])).is(200).has("role.slug", "org-own")
		w.get(defaultOf(orgs[2])).is(200).has("role.slug", "new")
		w.get(memberships+"/"+member).is(200).has("role.slug", "new")
		w.get(memberships+"/"+other).is(200).has("role.slug", "member")
		w.settle()
		w.fired("role.deleted old", "organization_membership.updated m@acme.example in Acme0: active new, changed role roles",
			"organization_membership.updated o@globex.example in Globex: active member, changed role roles")

		// The environment's own default needs a new one too.
		w.put(environmentDefault, object{"role_slug": "new"}).is(200)
		w.put(defaultOf(orgs[0]), object{"role_slug": "org-own"}).is(200)
		w.put(defaultOf(orgs[2]), object{"role_slug": "org-own"}).is(200)
		w.post(deletionOf("", "new"), object{}).refused(409, "replacement_default_required").has("organizations_total", 0)
		w.post(deletionOf("", "new"), object{"default_role_slug": "member"}).is(202)
		w.get(environmentDefault).is(200).has("role.slug", "member")
		w.settle()
		w.fired("role.deleted new", "organization_membership.updated m@acme.example in Acme0: active org-own, changed role roles")
	})
}

// The mode says how many roles a member holds; switched off, each keeps the highest, for good (R80-R83).
func TestMultipleRoles(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.permission("a:read", "b:read")
		w.role("low", "a:read")
		w.role("high", "b:read")
		w.put(environmentPriority, object{"role_slugs": list{"high", "low", "member"}}).is(200)
		org := w.organization("Acme")
		m := w.member(w.user("m@acme.example"), org, "low")
		w.settle()
		w.prepared()
		w.get(settings).is(200).has("object", "authorization_settings").has("multiple_roles", false)
		both := object{"role_slugs": list{"low", "high"}}
		w.put(memberships+"/"+m, both).refused(422, "multiple_roles_not_enabled")

		w.put(settings+"?preview=true", object{"multiple_roles": true}).is(200).has("totals.changed", 0)
		w.put(settings, object{"multiple_roles": true}).is(200).has("multiple_roles", true)
		w.settle()
		w.fired()
		w.put(memberships+"/"+m, both).is(200).has("role.slug", "high").has("roles", list{object{"slug": "high"}, object{"slug": "low"}}) // R73
		if !w.may(m, "a:read") || !w.may(m, "b:read") {
			t.Error("R81: the permissions of several roles add up")
		}
		w.fired("organization_membership.updated m@acme.example in Acme: active high low, changed role roles")

		w.put(settings+"?preview=true", object{"multiple_roles": false}).is(200).has("totals.changed", 1).has("totals.losing", 1).
			has("members.0.roles_before", list{"high", "low"}).has("members.0.roles_after", list{"high"}).has("members.0.loses.0.permission_slug", "a:read")
		w.put(settings, object{"multiple_roles": false}).is(200)
		if w.may(m, "a:read") || !w.may(m, "b:read") {
			t.Error("R82: the highest role is kept, at once")
		}
		w.put(settings, object{"multiple_roles": true}).refused(409, "mode_change_in_progress")
		w.put(settings+"?preview=true", object{"multiple_roles": true}).refused(409, "mode_change_in_progress")
		w.settle()
		w.fired("organization_membership.updated m@acme.example in Acme: active high, changed roles")
		w.put(settings, object{"multiple_roles": true}).is(200)
		if w.may(m, "a:read") {
			t.Error("R82: a role that was given up came back with the mode")
		}
		w.settle()
		w.fired()
		w.put(settings, object{"multiple_roles": "yes"}).refused(422, "invalid_request_parameters", "multiple_roles")
		w.put(settings+"?preview=maybe", object{"multiple_roles": true}).refused(422, "invalid_request_parameters", "preview")
	})
}

// Every change that can be previewed says whom it concerns, in pages, and does nothing.
func TestPreviews(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.permission("a:read", "b:read")
		w.role("editor", "a:read")
		acme, globex := w.organization("Acme"), w.organization("Globex")
		for i := range 3 {
			w.member(w.user(fmt.Sprint(i, "@acme.example")), acme, "editor")
		}
		w.member(w.user("g@globex.example"), globex, "editor")
		w.settle()
		w.prepared()
		for _, change := range []struct {
			method, path string
			body         object
			totals       [4]int // changed, gaining, losing, organizations
		}{
			{"PUT", roles + "/editor/permissions", object{"permissions": list{"b:read"}}, [4]int{4, 4, 4, 2}},
			{"POST", roles + "/editor/permissions", object{"slug": "b:read"}, [4]int{4, 4, 0, 2}},
			{"DELETE", roles + "/editor/permissions/a:read", nil, [4]int{4, 0, 4, 2}},
			{"DELETE", permissions + "/a:read", nil, [4]int{4, 0, 4, 2}},
			{"PUT", environmentDefault, object{"role_slug": "editor"}, [4]int{}},
			{"PUT", environmentPriority, object{"role_slugs": list{"editor", "member"}}, [4]int{}},
			{"POST", deletionOf("", "editor"), object{}, [4]int{4, 0, 4, 2}},
		} {
			ask := func(query string) answer {
				if change.body == nil {
					return w.send(change.method, change.path+"?preview=true"+query, nil)
				}
				return w.send(change.method, change.path+"?preview=true"+query, change.body)
			}
			a := ask("&limit=3").is(200).has("object", "impact").has("totals.changed", change.totals[0]).has("totals.gaining", change.totals[1]).
				has("totals.losing", change.totals[2]).has("totals.organizations", change.totals[3])
			if change.totals[0] == 0 {
				continue
			}
			if n := a.size("members"); n != 3 {
				t.Errorf("%s %s: %d members on the first page, want 3", change.method, change.path, n)
			}
			rest := ask("&limit=3&after="+a.text("list_metadata.after")).is(200).has("totals", nil).has("list_metadata.after", nil)
			rest.has("members.0.organization_id", globex)
			ask("&by=organizations").is(200).has("organizations.0.organization_name", "Acme").has("organizations.0.changed", 3).has("organizations.1.changed", 1)
			ask("&by=organizations&limit=1").is(200).has("list_metadata.after", acme)
			ask("&after=nobody").refused(422, "invalid_request_parameters", "after")
			ask("&by=nothing").refused(422, "invalid_request_parameters", "by")
			ask("&limit=0").refused(422, "invalid_request_parameters", "limit")
		}
		w.fired()
		w.put(roles+"/editor/permissions?preview=true", object{"permissions": list{"no:such"}}).refused(404, "entity_not_found")
	})
}
