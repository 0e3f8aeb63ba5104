package api_test

import "testing"

// A membership from creation to deletion (R60, R62-R67, semantics 1.6).
func TestMemberships(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org, user := w.organization("Acme"), w.user("ada@acme.example")
		w.role("admin")
		w.custom(org, "org-x")
		w.prepared()
		a := w.post(memberships, object{"user_id": user, "organization_id": org, "role_slug": "org-x"}).is(201)
		a.has("object", "organization_membership").has("status", "active").has("directory_managed", false).has("organization_name", "Acme").
			has("user_id", user).has("organization_id", org).has("custom_attributes", object{}).has("role.slug", "org-x").
			has("roles", list{object{"slug": "org-x"}}).has("user.email", "ada@acme.example").has("user.object", "user")
		w.fired("organization_membership.created ada@acme.example in Acme: active org-x")
		m := memberships + "/" + a.text("id")
		w.get(m).is(200).same(answer{tb: t, call: "the creation", status: 200, raw: a.raw})
		w.post(memberships, object{"user_id": user, "organization_id": org}).refused(409, "organization_membership_already_exists") // R61
		w.fired()

		w.put(m, object{"role_slug": "admin"}).is(200).has("role.slug", "admin").has("roles", list{object{"slug": "admin"}})
		w.fired("organization_membership.updated ada@acme.example in Acme: active admin, changed role roles")
		b := w.put(m, object{"role_slugs": list{"member"}}).is(200).has("role.slug", "member") // R63
		w.fired("organization_membership.updated ada@acme.example in Acme: active member, changed role roles")
		w.put(m, object{}).is(200).has("updated_at", b.text("updated_at")) // R62: no change
		w.put(m, object{"role_slug": "member"}).is(200).has("updated_at", b.text("updated_at"))
		w.put(m, object{"role_slugs": list{"member", "member"}}).is(200).has("updated_at", b.text("updated_at"))
		w.fired()

		w.delete(m).is(200)
		w.fired("organization_membership.deleted ada@acme.example in Acme: active member")
		for _, a := range []answer{w.get(m), w.put(m, object{}), w.put(m+"/deactivate", nil), w.put(m+"/reactivate", nil), w.delete(m)} {
			a.refused(404, "entity_not_found")
		}
		w.fired()
	})
}

// Which roles can be asked for (R9, R62-R64, the codes of 2.8).
func TestMembershipRoles(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org, other, user := w.organization("Acme"), w.organization("Globex"), w.user("ada@acme.example")
		w.role("admin")
		w.custom(other, "org-theirs")
		ids := object{"user_id": user, "organization_id": org}
		with := func(more object) object {
			body := object{}
			for _, part := range []object{ids, more} {
				for k, v := range part {
					body[k] = v
				}
			}
			return body
		}
		w.prepared()
		wrong := func(send func(object) answer) {
			t.Helper()
			send(object{"role_slug": "admin", "role_slugs": list{"admin"}}).refused(422, "invalid_request_parameters", "role_slugs")
			send(object{"role_slugs": list{}}).refused(422, "invalid_request_parameters", "role_slugs")
			send(object{"role_slugs": list{"admin", "member"}}).refused(422, "multiple_roles_not_enabled")
			send(object{"role_slugs": "admin"}).refused(422, "invalid_request_parameters", "role_slugs")
			send(object{"role_slug": nil}).refused(422, "invalid_request_parameters", "role_slug")
			for _, slug := range []string{"nobody", "org-theirs", "Admin", "admin ", ""} {
				send(object{"role_slug": slug}).refused(422, "invalid_role")
				send(object{"role_slugs": list{slug}}).refused(422, "invalid_role")
			}
		}
		wrong(func(more object) answer { return w.post(memberships, with(more)) })
		w.post(memberships, with(object{"user_id": "user_" + nobodys})).refused(404, "entity_not_found")
		w.post(memberships, with(object{"user_id": "nonsense"})).refused(404, "entity_not_found")
		w.post(memberships, with(object{"organization_id": "org_" + nobodys})).refused(404, "entity_not_found")
		w.post(memberships, with(object{"organization_id": user})).refused(404, "entity_not_found")
		w.post(memberships, object{}).refused(422, "invalid_request_parameters", "user_id", "organization_id")
		w.fired()
		m := w.post(memberships, with(object{"role_slugs": list{"admin"}})).is(201).text("id")
		w.fired("organization_membership.created ada@acme.example in Acme: active admin")
		wrong(func(more object) answer { return w.put(memberships+"/"+m, more) })
		w.get(memberships+"/"+m).has("role.slug", "admin")
		w.fired()
	})
}

// Deactivating keeps the roles, reactivating brings them back; either is done once (R65, R66).
func TestDeactivateAndReactivate(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org := w.organization("Acme")
		w.custom(org, "org-x")
		m := memberships + "/" + w.member(w.user("ada@acme.example"), org, "org-x")
		w.prepared()
		a := w.put(m+"/deactivate", nil).is(200).has("status", "inactive").has("role.slug", "org-x")
		w.fired("organization_membership.updated ada@acme.example in Acme: inactive org-x, changed status")
		w.put(m+"/deactivate", nil).is(200).same(a)
		w.put(m+"/deactivate", object{"anything": 1}).is(200).same(a)
		w.fired()
		b := w.put(m+"/reactivate", nil).is(200).has("status", "active").has("role.slug", "org-x")
		w.fired("organization_membership.updated ada@acme.example in Acme: active org-x, changed status")
		w.put(m+"/reactivate", nil).is(200).same(b)
		w.fired()
	})
}

// Creating a membership that is inactive reactivates it with the roles of the request, or the default (R61).
func TestCreateOnInactiveMembership(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org, user := w.organization("Acme"), w.user("ada@acme.example")
		w.role("admin")
		w.role("viewer")
		id := w.member(user, org, "admin")
		w.put(memberships+"/"+id+"/deactivate", nil).is(200)
		w.prepared()
		w.post(memberships, object{"user_id": user, "organization_id": org, "role_slug": "viewer"}).is(201).has("id", id).has("status", "active").has("role.slug", "viewer")
		w.fired("organization_membership.updated ada@acme.example in Acme: active viewer, changed role roles status")
		w.put(memberships+"/"+id+"/deactivate", nil).is(200)
		w.post(memberships, object{"user_id": user, "organization_id": org}).is(201).has("id", id).has("role.slug", "member")
		w.fired("organization_membership.updated ada@acme.example in Acme: inactive viewer, changed status",
			"organization_membership.updated ada@acme.example in Acme: active member, changed role roles status")
		w.put(memberships+"/"+id+"/deactivate", nil).is(200)
		w.post(memberships, object{"user_id": user, "organization_id": org, "role_slug": "nobody"}).refused(422, "invalid_role")
		w.get(memberships+"/"+id).has("status", "inactive").has("role.slug", "member")
		w.fired("organization_membership.updated ada@acme.example in Acme: inactive member, changed status")
	})
}

// A pending membership is neither activated nor deactivated this way (R60, R61, R65, R66).
func TestPendingMembership(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org, user := w.organization("Acme"), w.user("ada@acme.example")
		w.role("admin")
		id := w.member(user, org, "")
		w.invited(id)
		w.prepared()
		w.get(memberships+"/"+id).is(200).has("status", "pending")
		w.post(memberships, object{"user_id": user, "organization_id": org}).refused(400, "cannot_reactivate_pending_organization_membership")
		w.put(memberships+"/"+id+"/reactivate", nil).refused(400, "cannot_reactivate_pending_organization_membership")
		w.put(memberships+"/"+id+"/deactivate", nil).refused(400, "cannot_deactivate_pending_organization_membership")
		w.get(memberships + "?user_id=" + user).lists("id")
		w.get(memberships+"?statuses=pending&user_id="+user).lists("id", id)
		w.fired()
		w.put(memberships+"/"+id, object{"role_slug": "admin"}).is(200).has("status", "pending").has("role.slug", "admin")
		w.delete(memberships + "/" + id).is(200)
		w.fired("organization_membership.updated ada@acme.example in Acme: pending admin, changed role roles",
			"organization_membership.deleted ada@acme.example in Acme: pending admin")
	})
}

// The list and its filters (R68, R69).
func TestListMemberships(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		acme, globex := w.organization("Acme"), w.organization("Globex")
		ada, bela := w.user("ada@acme.example"), w.user("bela@acme.example")
		active, inactive, pending := w.member(ada, acme, ""), w.member(bela, acme, ""), w.member(ada, globex, "")
		w.put(memberships+"/"+inactive+"/deactivate", nil).is(200)
		w.invited(pending)
		w.get(memberships).refused(400, "missing_user_id_or_organization_id")
		w.get(memberships+"?statuses=active&limit=5").refused(400, "missing_user_id_or_organization_id")
		w.get(memberships+"?organization_id=").refused(400, "missing_user_id_or_organization_id")
		w.get(memberships+"?organization_id="+acme).lists("id", active).has("data.0.user.email", "ada@acme.example").has("data.0.organization_name", "Acme")
		w.get(memberships+"?user_id="+ada).lists("id", active)
		for _, all := range []string{"statuses=active,inactive,pending", "statuses=active&statuses=inactive&statuses=pending", "statuses[]=pending&statuses[]=inactive&statuses[]=active", "statuses%5B%5D=active%2Cinactive&statuses=pending"} {
			w.get(memberships+"?order=asc&organization_id="+acme+"&"+all).lists("id", active, inactive)
			w.get(memberships+"?order=asc&user_id="+ada+"&"+all).lists("id", active, pending)
		}
		w.get(memberships+"?statuses=inactive&organization_id="+acme).lists("id", inactive)
		w.get(memberships+"?statuses=active,inactive&user_id="+bela+"&organization_id="+acme).lists("id", inactive)
		w.get(memberships + "?user_id=" + bela + "&organization_id=" + globex).lists("id")
		w.get(memberships+"?statuses=gone&organization_id="+acme).refused(422, "invalid_request_parameters", "statuses")
		w.get(memberships + "?organization_id=org_" + nobodys).lists("id")
		w.get(memberships + "?user_id=nonsense").lists("id")
	})
}
