package api_test

import (
	"strconv"
	"strings"
	"testing"
)

const organizations = "/organizations"

// An organization from its creation to its deletion (semantics 2.9).
func TestOrganizations(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.post(organizations, object{"name": "Acme", "external_id": "cus/1", "metadata": object{"tier": "gold"}, "allow_profiles_outside_organization": true}).is(201)
		a.has("object", "organization").has("name", "Acme").has("external_id", "cus/1").has("metadata", object{"tier": "gold"}).
			has("domains", list{}).has("allow_profiles_outside_organization", true)
		if a.at("stripe_customer_id") != nil || strings.Contains(string(a.raw), "stripe_customer_id") {
			t.Errorf("stripe_customer_id is left out while there is none (semantics 1.4): %s", a.raw)
		}
		w.fired("organization.created Acme")
		org := organizations + "/" + a.text("id")
		w.get(org).is(200).same(answer{tb: t, call: "the creation", status: 200, raw: a.raw})
		w.get(organizations+"/external_id/cus%2F1").is(200).has("id", a.text("id"))

		w.put(org, object{"name": "Acme Inc."}).is(200).has("name", "Acme Inc.").has("external_id", "cus/1").has("metadata", object{"tier": "gold"})
		w.fired("organization.updated Acme Inc., changed name")
		w.put(org, object{}).is(200)
		w.put(org, object{"name": "Acme Inc.", "metadata": object{"tier": "gold"}, "external_id": "cus/1", "unknown": true}).is(200)
		w.fired()

		w.put(org, object{"metadata": object{"a": "", "b": "2", "tier": nil, "none": nil}, "stripe_customer_id": "cus_s"}).is(200).has("metadata", object{"a": "", "b": "2"}).has("stripe_customer_id", "cus_s")
		w.fired("organization.updated Acme Inc., changed metadata stripe_customer_id")
		w.put(org, object{"metadata": object{"c": "3"}}).is(200).has("metadata", object{"a": "", "b": "2", "c": "3"})
		w.fired("organization.updated Acme Inc., changed metadata")
		w.put(org, object{"metadata": nil, "external_id": nil, "stripe_customer_id": nil}).is(200).has("metadata", object{}).has("external_id", nil)
		w.fired("organization.updated Acme Inc., changed external_id metadata stripe_customer_id")
		w.get(organizations+"/external_id/cus%2F1").refused(404, "entity_not_found")

		w.delete(org).is(200)
		w.fired("organization.deleted Acme Inc.")
		w.get(org).refused(404, "entity_not_found")
		w.put(org, object{"name": "x"}).refused(404, "entity_not_found")
		w.delete(org).refused(404, "entity_not_found")
		w.fired()
	})
}

// Identifiers are unique in the environment; those of a deleted organization are free and lead nowhere else (I12).
func TestOrganizationIdentifiers(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.post(organizations, object{"name": "A", "external_id": "e1", "domains": list{"a.example"}}).is(201).text("id")
		w.put(organizations+"/"+a, object{"stripe_customer_id": "s1"}).is(200)
		w.post(organizations, object{"name": "B", "external_id": "e1"}).refused(400, "external_id_already_used")
		w.post(organizations, object{"name": "B", "domains": list{"A.example"}}).refused(409, "organization_domain_conflict")
		b := w.post(organizations, object{"name": "B", "external_id": "E1"}).is(201).text("id") // another in another case
		w.put(organizations+"/"+b, object{"external_id": "e1"}).refused(400, "external_id_already_used")
		w.put(organizations+"/"+b, object{"stripe_customer_id": "s1"}).refused(400, "stripe_customer_id_already_used")
		w.put(organizations+"/"+b, object{"domain_data": list{object{"domain": "a.example", "state": "pending"}}}).refused(409, "organization_domain_conflict")
		// An external id that reads like another's id is looked up among external ids alone.
		w.put(organizations+"/"+b, object{"external_id": a}).is(200)
		w.get(organizations+"/external_id/"+a).is(200).has("id", b)
		w.get(organizations+"/"+a).is(200).has("name", "A")
		w.get(organizations+"/external_id/"+b).refused(404, "entity_not_found")

		w.custom(a, "org-x")
		w.delete(organizations + "/" + a).is(200)
		c := w.post(organizations, object{"name": "C", "external_id": "e1", "domains": list{"a.example"}}).is(201).text("id")
		if c == a {
			t.Error("an id was used twice")
		}
		w.get(rolesOf(c)).lists("slug", "member")
		w.get(rolesOf(c)+"/org-x").refused(404, "entity_not_found")
	})
}

func TestOrganizationRefusals(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for _, bad := range []struct {
			body  object
			field string
		}{
			{object{}, "name"}, {object{"name": ""}, "name"}, {object{"name": strings.Repeat("n", 257)}, "name"},
			{object{"name": "n", "external_id": "é"}, "external_id"}, {object{"name": "n", "external_id": "."}, "external_id"}, {object{"name": "n", "external_id": ".."}, "external_id"}, {object{"name": "n", "external_id": "/"}, "external_id"}, {object{"name": "n", "external_id": ""}, "external_id"},
			{object{"name": "n", "external_id": strings.Repeat("e", 129)}, "external_id"},
			{object{"name": "n", "domains": list{"no domain"}}, "domains"}, {object{"name": "n", "domains": list{""}}, "domains"},
			{object{"name": "n", "domain_data": list{object{"domain": "a.example", "state": "odd"}}}, "domain_data"},
			{object{"name": "n", "domain_data": list{object{"domain": "a.example"}}}, "domain_data"},
			{object{"name": "n", "domains": list{}, "domain_data": list{}}, "domains"},
		} {
			w.post(organizations, bad.body).refused(422, "invalid_request_parameters", bad.field)
		}
		many := object{}
		for i := range 51 {
			many[strconv.Itoa(i)] = "v"
		}
		for _, metadata := range []object{{"": "v"}, {strings.Repeat("k", 41): "v"}, {"k": strings.Repeat("v", 601)}, many} {
			w.post(organizations, object{"name": "n", "metadata": metadata}).refused(400, "invalid_metadata", "metadata")
		}
		for _, metadata := range []any{object{"k": 1}, list{}, "x", object{"k": object{}}} {
			w.post(organizations, object{"name": "n", "metadata": metadata}).refused(422, "invalid_request_parameters", "metadata")
		}
		delete(many, "0")
		w.post(organizations, object{"name": "n", "metadata": many, "external_id": strings.Repeat("~", 128)}).is(201).has("metadata", many)
		w.fired("organization.created n")
	})
}

// Domains are kept as data (semantics 1.4): in one case, each once, with their identity over updates.
func TestOrganizationDomains(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		a := w.post(organizations, object{"name": "Acme", "domain_data": list{
			object{"domain": "B.example", "state": "pending"}, object{"domain": "a.example", "state": "verified"}, object{"domain": "A.EXAMPLE", "state": "verified"},
		}}).is(201)
		a.has("domains.0.domain", "a.example").has("domains.0.state", "verified").has("domains.1.domain", "b.example").has("domains.1.state", "pending").
			has("domains.0.object", "organization_domain").has("domains.0.organization_id", a.text("id"))
		if a.size("domains") != 2 || !strings.HasPrefix(a.text("domains.0.id"), "org_domain_") {
			t.Errorf("domains: %s", a.raw)
		}
		org := organizations + "/" + a.text("id")
		b := w.put(org, object{"domains": list{"b.example", "c.example"}}).is(200).
			has("domains.0.domain", "b.example").has("domains.0.state", "verified").has("domains.0.id", a.text("domains.1.id")).has("domains.1.domain", "c.example")
		w.fired("organization.created Acme", "organization.updated Acme, changed domains")
		w.put(org, object{"domain_data": list{object{"domain": "c.example", "state": "verified"}, object{"domain": "b.example", "state": "verified"}}}).is(200).has("updated_at", b.text("updated_at"))
		w.fired()
		w.put(org, object{"domains": list{}}).is(200).has("domains", list{})
		w.fired("organization.updated Acme, changed domains")
	})
}

// The filters of the list: domains in all three spellings, and a search that is no pattern.
func TestListOrganizations(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for name, domain := range map[string]string{"Acme Größe": "acme.example", "100% Cotton_Co": "cotton.example", "Globex": "globex.example"} {
			w.post(organizations, object{"name": name, "domains": list{domain}}).is(201)
		}
		found := func(query string, want ...string) {
			t.Helper()
			got := w.get(organizations + "?order=asc&" + query).is(200).each("name")
			if !sameSet(got, want) {
				t.Errorf("%s lists %q, want %q", query, got, want)
			}
		}
		found("", "Acme Größe", "100% Cotton_Co", "Globex")
		for _, spelling := range []string{"domains=acme.example,Globex.example", "domains=acme.example&domains=globex.example",
			"domains[]=acme.example&domains[]=globex.example", "domains%5B%5D=acme.example%2Cglobex.example", "domains=acme.example&domains[]=globex.example,nowhere.example"} {
			found(spelling, "Acme Größe", "Globex")
		}
		found("domains=nowhere.example")
		found("domains=%25")
		found("search=gRÖSSE")
		found("search=gr%C3%96%C3%9Fe", "Acme Größe")
		found("search=0%25", "100% Cotton_Co")
		found("search=%25", "100% Cotton_Co")
		found("search=_", "100% Cotton_Co")
		found("search=%5C")
		found("search='")
		found("search=EXAMPLE", "Acme Größe", "100% Cotton_Co", "Globex") // domains are searched too
		found("search=globex&domains=acme.example")
		found("domains=&search=", "Acme Größe", "100% Cotton_Co", "Globex") // empty filters do not narrow
		found("unknown=1", "Acme Größe", "100% Cotton_Co", "Globex")
	})
}

// Deleting an organization takes its memberships and roles along, each with its event, its own last.
func TestDeleteOrganizationWithItsBelongings(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org, other := w.organization("Acme"), w.organization("Globex")
		w.custom(org, "org-x")
		w.custom(other, "org-x")
		user := w.user("ada@acme.example")
		m := w.member(user, org, "org-x")
		kept := w.member(user, other, "org-x")
		w.prepared()
		w.delete(organizations + "/" + org).is(200)
		w.fired("organization_membership.deleted ada@acme.example in Acme: active org-x", "organization_role.deleted Acme/org-x []", "organization.deleted Acme")
		w.get(memberships+"/"+m).refused(404, "entity_not_found")
		w.get(rolesOf(org)).refused(404, "entity_not_found")
		w.get(memberships + "?organization_id=" + org).lists("id")
		w.get(memberships+"?user_id="+user).lists("id", kept)
		w.get(users + "/" + user).is(200)
		w.get(rolesOf(other)).lists("slug", "member", "org-x")
	})
}

func sameSet(a, b []string) bool {
	seen := map[string]int{}
	for _, s := range a {
		seen[s]++
	}
	for _, s := range b {
		seen[s]--
	}
	for _, n := range seen {
		if n != 0 {
			return false
		}
	}
	return true
}
