package api_test

import (
	"strings"
	"testing"
)

// A user from creation to deletion (semantics 2.10).
func TestUsers(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.post(users, object{"email": "Ada@Acme.example", "first_name": "Ada", "last_name": nil, "email_verified": true, "external_id": "u/1", "metadata": object{"k": "v"}}).is(201)
		a.has("object", "user").has("email", "Ada@Acme.example").has("first_name", "Ada").has("last_name", nil).has("name", nil).has("email_verified", true).
			has("external_id", "u/1").has("metadata", object{"k": "v"}).has("profile_picture_url", nil).has("last_sign_in_at", nil).has("locale", nil)
		w.fired("user.created Ada@Acme.example")
		user := users + "/" + a.text("id")
		w.get(user).is(200).same(answer{tb: t, call: "the creation", status: 200, raw: a.raw})
		w.get(users+"/external_id/u%2F1").is(200).has("id", a.text("id"))

		w.put(user, object{"first_name": nil, "last_name": "Lovelace", "locale": "en", "email_verified": nil, "name": "Ada L."}).is(200).
			has("first_name", nil).has("last_name", "Lovelace").has("locale", "en").has("email_verified", true).has("email", "Ada@Acme.example")
		w.fired("user.updated Ada@Acme.example, changed first_name last_name locale name")
		w.put(user, object{}).is(200)
		w.put(user, object{"last_name": "Lovelace", "metadata": object{"k": "v"}, "external_id": "u/1", "email": "Ada@Acme.example", "unknown": 1}).is(200)
		w.fired()
		w.put(user, object{"email": "ada@acme.example", "external_id": nil, "metadata": nil, "email_verified": false}).is(200).
			has("external_id", nil).has("metadata", object{}).has("email_verified", false)
		w.fired("user.updated ada@acme.example, changed email email_verified external_id metadata")
		w.get(users+"/external_id/u%2F1").refused(404, "entity_not_found")

		w.delete(user).is(200)
		w.fired("user.deleted ada@acme.example")
		w.get(user).refused(404, "entity_not_found")
		w.put(user, object{}).refused(404, "entity_not_found")
		w.delete(user).refused(404, "entity_not_found")
		w.fired()
	})
}

// E-mail and external id are unique in the environment, whatever the case and form of an address.
func TestUserIdentifiers(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.post(users, object{"email": "ada@acme.example", "external_id": "e1"}).is(201).text("id")
		for _, twin := range []string{"ada@acme.example", "ADA@ACME.EXAMPLE", "ａda@acme.example"} {
			w.post(users, object{"email": twin}).refused(400, "user_creation_error", "email")
		}
		w.post(users, object{"email": "b@acme.example", "external_id": "e1"}).refused(400, "external_id_already_used")
		b := w.post(users, object{"email": "b@acme.example"}).is(201).text("id")
		w.put(users+"/"+b, object{"email": "Ada@acme.example"}).refused(400, "email_not_available")
		w.put(users+"/"+b, object{"external_id": "e1"}).refused(400, "external_id_already_used")
		w.put(users+"/"+b, object{"external_id": a}).is(200)
		w.get(users+"/external_id/"+a).is(200).has("id", b)
		w.put(users+"/"+a, object{"email": "ADA@acme.example"}).is(200) // one's own in another case
		w.fired("user.created ada@acme.example", "user.created b@acme.example", "user.updated b@acme.example, changed external_id", "user.updated ADA@acme.example, changed email")
	})
}

func TestUserRefusals(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for _, email := range []any{nil, "", "ada", "ada@", "@acme.example", "a b@acme.example", "Ada <ada@acme.example>", "ada@acme.example,b@acme.example", "ada\n@acme.example", "ada@acme.example\u0000", strings.Repeat("a", 250) + "@a.example", 7} {
			w.post(users, object{"email": email}).refused(422, "invalid_request_parameters", "email")
		}
		w.post(users, object{}).refused(422, "invalid_request_parameters", "email")
		long := strings.Repeat("n", 257)
		w.post(users, object{"email": "a@b.example", "first_name": long, "last_name": long, "name": long}).refused(422, "invalid_request_parameters", "first_name", "last_name", "name")
		// Passwords would be dropped in silence; they are refused instead.
		w.post(users, object{"email": "a@b.example", "password": "secret"}).refused(422, "invalid_request_parameters", "password")
		w.post(users, object{"email": "a@b.example", "password_hash": "x"}).refused(422, "invalid_request_parameters", "password_hash")
		w.post(users, object{"email": "a@b.example", "metadata": object{"": ""}}).refused(400, "invalid_metadata", "metadata")
		w.fired()
		w.post(users, object{"email": "a@b.example", "password": nil, "password_hash": nil}).is(201)
		w.fired("user.created a@b.example")
	})
}

func TestListUsers(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		acme, globex := w.organization("Acme"), w.organization("Globex")
		ada, bela := w.user("Ada+1@acme.example"), w.user("bela@acme.example")
		w.user("chidi@acme.example")
		w.member(ada, acme, "")
		inactive := w.member(bela, acme, "")
		w.put(memberships+"/"+inactive+"/deactivate", nil).is(200)
		w.member(bela, globex, "")
		w.get(users+"?order=asc").lists("email", "Ada+1@acme.example", "bela@acme.example", "chidi@acme.example")
		w.get(users+"?email=ADA%2B1@acme.example").lists("id", ada)
		w.get(users + "?email=nobody@acme.example").lists("id")
		w.get(users+"?email=not-an-address").refused(422, "invalid_request_parameters", "email")
		w.get(users+"?order=asc&organization_id="+acme).lists("id", ada, bela)
		w.get(users+"?organization="+globex).lists("id", bela) // the former name
		w.get(users+"?organization_id="+globex+"&email=bela@acme.example").lists("id", bela)
		w.get(users + "?organization_id=org_" + nobodys).lists("id")
		w.get(users + "?organization_id=nonsense").lists("id")
	})
}

// Deleting a user ends all memberships, each with its event, the user's own last; the address is free for somebody
// who inherits nothing (I12).
func TestDeleteUserWithMemberships(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.permission("a")
		acme, globex := w.organization("Acme"), w.organization("Globex")
		w.role("admin", "a")
		ada := w.user("ada@acme.example")
		first := w.member(ada, acme, "admin")
		w.member(ada, globex, "")
		other := w.member(w.user("bela@acme.example"), acme, "admin")
		w.prepared()
		w.delete(users + "/" + ada).is(200)
		w.fired("organization_membership.deleted ada@acme.example in Acme: active admin",
			"organization_membership.deleted ada@acme.example in Globex: active member", "user.deleted ada@acme.example")
		w.get(memberships+"?organization_id="+acme).lists("id", other)
		w.post("/authorization/organization_memberships/"+first+"/check", object{"permission_slug": "a"}).refused(404, "entity_not_found")

		again := w.user("ada@acme.example")
		w.get(memberships + "?user_id=" + again).lists("id")
		if m := w.member(again, acme, ""); w.may(m, "a") {
			t.Error("the new user has the rights of the former one")
		}
		w.fired("user.created ada@acme.example", "organization_membership.created ada@acme.example in Acme: active member")
	})
}

// People are found by how their e-mail address or name begins, in the environment and among the members of an organization.
func TestSearchOfPeople(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org := w.organization("Acme")
		ada, eve := w.user("ada@acme.example"), w.user("eve@acme.example")
		w.put(users+"/"+ada, object{"first_name": "Augusta", "last_name": "Lovelace"}).is(200)
		m := w.member(ada, org, "member")
		w.member(eve, org, "member")
		w.get(users+"?search=LOVE").is(200).lists("id", ada)
		w.get(users+"?search=eve%40").is(200).lists("id", eve)
		w.get(users + "?search=acme").is(200).lists("id")
		w.get(users+"?search=").is(200).lists("id", eve, ada)
		w.get(memberships+"?organization_id="+org+"&search=augusta+l").is(200).lists("id", m)
		w.get(memberships + "?organization_id=" + org + "&search=augusta+l&statuses=inactive").is(200).lists("id")
		w.get(memberships+"?user_id="+ada+"&search=a").refused(422, "invalid_request_parameters", "search")
		w.get(users+"?search="+strings.Repeat("a", 101)).refused(422, "invalid_request_parameters", "search")
	})
}
