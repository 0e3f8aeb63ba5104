package api_test

import (
	"strings"
	"testing"
)

// A refusal stays small whatever was asked: a small request must not buy a large answer.
func TestRefusalsAreSmall(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		long := strings.Repeat("x", 500_000)
		path := rolesOf(w.post(organizations, object{"name": "Acme"}).is(201).text("id"))
		w.post(path, object{"slug": "org-x", "name": "X"}).is(201)
		w.prepared()
		many := make(list, 100_000)
		for i := range many {
			many[i] = ""
		}
		for _, a := range []answer{
			w.post(path+"/org-x/permissions", object{"slug": long}).is(404),
			w.put(path+"/org-x/permissions", object{"permissions": list{long}}).is(404),
			w.put(path[:len(path)-len("/roles")]+"/default_role", object{"role_slug": long}).is(422),
			w.put(path[:len(path)-len("/roles")]+"/role_priority", object{"role_slugs": list{long}}).is(422),
			w.post(organizations, object{"name": "n", "domains": many}).is(422),
			w.post(organizations, object{"name": "n", "domains": many[:100]}).is(422),
			w.post(organizations, object{"name": long, "external_id": long}).is(422),
		} {
			if len(a.raw) > 8<<10 {
				t.Errorf("%s: %d bytes", a.call, len(a.raw))
			}
		}
	})
}

// What is inside a list is read as strictly as the body around it, and as leniently.
func TestDomainsAreReadToTheLetter(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.post(organizations, `{"name":"n","domain_data":[{"DOMAIN":"a.example","State":"verified"}]}`).refused(422, "invalid_request_parameters", "domain_data")
		w.post(organizations, `{"name":"n","domain_data":[{"domain":"a.example","state":"verified","x":null}]}`).is(201).has("domains.0.domain", "a.example")
		w.fired("organization.created n")
	})
}
