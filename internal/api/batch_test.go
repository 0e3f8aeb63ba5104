package api_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
)

// A check says why when it is asked to, and exactly {authorized} when it is not.
func TestExplainedChecks(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		o := newOrchard(w)
		why := func(m, permission, resource string) answer {
			t.Helper()
			plain := w.post(checkOf(m), object{"permission_slug": permission, "resource_id": resource}).is(200)
			a := w.post(checkOf(m), object{"permission_slug": permission, "resource_id": resource, "explain": true}).is(200).has("authorized", plain.at("authorized"))
			if s := string(plain.raw); s != `{"authorized":true}` && s != `{"authorized":false}` {
				t.Errorf("unasked: %s", s)
			}
			w.post(checkOf(m), object{"permission_slug": permission, "resource_id": resource, "explain": false}).same(plain)
			return a
		}
		shown := func(resource, kind, externalID, name string) object {
			return object{"id": resource, "resource_type_slug": kind, "external_id": externalID, "name": name}
		}
		home, ws := shown(homeOf(o.org), "organization", "acme", "Acme"), shown(o.ws, "workspace", "ws", "The ws")
		p1, doc := shown(o.p1, "project", "p1", "The p1"), shown(o.doc, "document", "doc", "The doc")
		held := func(role, source string, assignment, groupAssignment, group any, on object) object {
			return object{"role_slug": role, "source": source, "role_assignment_id": assignment, "group_role_assignment_id": groupAssignment, "group_id": group, "resource": on}
		}
		why(o.ada, "project:read", o.doc).has("reason", object{
			"cause": "role", "status": "active", "permission_slug": "project:read", "path": list{doc, p1, ws, home},
			"roles": list{held("viewer", "manual", o.adas, nil, nil, ws)},
		})
		why(o.bob, "project:edit", o.doc).has("reason", object{
			"cause": "role", "status": "active", "permission_slug": "project:edit", "path": list{doc, p1, ws, home},
			"roles": list{held("editor", "group", nil, "gra_"+o.bobs[len("role_assignment_"):], o.group, p1)},
		})
		own := w.get(memberships + "/" + o.ada)
		denied := why(o.ada, "project:edit", o.p1).has("authorized", false).has("reason.cause", "no_role").has("reason.permission_slug", "project:edit").has("reason.path", list{p1, ws, home})
		denied.has("reason.roles.0.role_slug", own.text("role.slug")).has("reason.roles.0.source", "default").has("reason.roles.0.resource", home)
		denied.has("reason.roles.1", held("viewer", "manual", o.adas, nil, nil, ws)).has("reason.roles.2", nil)
		why(o.admin, "org:admin", homeOf(o.org)).has("reason.path", list{home}).has("reason.roles.0.role_slug", "admin").has("reason.roles.0.resource", home)

		w.put(memberships+"/"+o.ada+"/deactivate", nil).is(200)
		why(o.ada, "project:read", o.p1).has("reason", object{
			"cause": "not_active", "status": "inactive", "permission_slug": "project:read", "path": list{p1, ws, home}, "roles": list{},
		})
		w.prepared()
	})
}

// The default that applies where nothing was assigned has no assignment to name.
func TestExplainedFallback(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.permission("a")
		org := w.organization("Acme")
		m := w.member(w.user("ada@acme.example"), org, "")
		newTree(w).unassigned(org, m)
		w.post(checkOf(m), object{"permission_slug": "a", "explain": true}).is(200).has("reason.cause", "no_role").
			has("reason.roles.0.role_slug", "member").has("reason.roles.0.source", "default").has("reason.roles.0.role_assignment_id", nil).
			has("reason.path.0.external_id", org)
	})
}

const checks = "/authorization/checks"

// A batch answers each question as it would be answered alone, whatever it asks and whoever's it asks about, in order.
func TestBatchEqualsSingles(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		o := newOrchard(w)
		staging, _ := w.environment(t, "staging")
		theirs := belongings(staging, "theirs1")
		globex := w.organization("Globex")
		away := o.resource(globex, "project", "p1", "")
		members := []string{o.admin, o.ada, o.bob, o.eve, w.member(w.user("eve2@acme.example"), globex, "admin"), theirs[membership], "om_" + nobodys, "nonsense", ""}
		slugs := []string{"org:admin", "project:read", "project:edit", "nowhere", theirs[permissionSlug], ""}
		resources := []object{
			{}, {"resource_id": o.ws}, {"resource_id": o.p1}, {"resource_id": o.doc}, {"resource_id": away}, {"resource_id": homeOf(o.org)}, {"resource_id": theirs[resource]},
			{"resource_id": "nonsense"}, {"resource_id": ""}, {"resource_id": "authz_resource_" + nobodys}, {"resource_external_id": "p1", "resource_type_slug": "project"},
			{"resource_external_id": "p1", "resource_type_slug": "nowhere"}, {"resource_external_id": "acme", "resource_type_slug": "organization"},
			{"resource_external_id": globex, "resource_type_slug": "organization"},
		}
		random := rand.New(rand.NewPCG(1, 2))
		var questions list
		for range 150 {
			q := object{"organization_membership_id": members[random.IntN(len(members))], "permission_slug": slugs[random.IntN(len(slugs))]}
			for k, v := range resources[random.IntN(len(resources))] {
				q[k] = v
			}
			if random.IntN(3) == 0 {
				q["explain"] = true
			}
			questions = append(questions, q)
		}
		all := w.post(checks, object{"checks": questions}).is(200).has("object", "list")
		if n := all.size("data"); n != len(questions) {
			t.Fatalf("%d answers to %d questions", n, len(questions))
		}
		granted := 0
		for i := range questions {
			q := questions[i].(object)
			m, _ := q["organization_membership_id"].(string)
			delete(q, "organization_membership_id")
			at := fmt.Sprintf("data.%d", i)
			if m == "" { // no path can hold it
				all.has(at+".error.code", "entity_not_found")
				continue
			}
			alone := w.post(checkOf(m), q)
			if alone.status == 200 {
				all.has(at, json.RawMessage(alone.raw))
				if alone.at("authorized") == true {
					granted++
				}
				continue
			}
			alone.is(404)
			all.has(at, object{"authorized": false, "error": object{"code": alone.text("code"), "message": alone.text("message")}})
		}
		if granted == 0 {
			t.Error("no question was answered with yes")
		}
		w.prepared()
	})
}

// What is malformed refuses the batch and is named by its index; the bounds are 1 and 1000.
func TestMalformedBatch(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		o := newOrchard(w)
		good := object{"organization_membership_id": o.ada, "permission_slug": "project:read"}
		both := object{"organization_membership_id": o.ada, "permission_slug": "project:read", "resource_id": o.p1, "resource_type_slug": "project"}
		w.post(checks, object{"checks": list{good, good, good, object{"organization_membership_id": o.ada}}}).refused(422, "invalid_request_parameters", "checks[3].permission_slug")
		w.post(checks, object{"checks": list{object{}, good, both}}).
			refused(422, "invalid_request_parameters", "checks[0].organization_membership_id", "checks[0].permission_slug")
		w.post(checks, object{"checks": list{good, both, object{"organization_membership_id": "nonsense", "permission_slug": "x", "resource_external_id": "x"}}}).
			refused(422, "invalid_request_parameters", "checks[1].resource_id", "checks[2].resource_external_id")
		for _, wrong := range []any{nil, "x", list{}, 1, true} {
			w.post(checks, object{"checks": list{good, wrong}}).refused(422, "invalid_request_parameters", "checks[1]")
		}
		w.post(checks, object{"checks": list{object{"organization_membership_id": 1, "permission_slug": nil, "explain": "yes"}}}).
			refused(422, "invalid_request_parameters", "checks[0].organization_membership_id", "checks[0].permission_slug", "checks[0].explain")
		many := make(list, 1001)
		for i := range many {
			many[i] = good
		}
		w.post(checks, object{"checks": many}).refused(422, "invalid_request_parameters", "checks")
		if n := w.post(checks, object{"checks": many[:1000]}).is(200).size("data"); n != 1000 {
			t.Errorf("%d answers to 1000 questions", n)
		}
		w.post(checks, object{"checks": list{}}).refused(422, "invalid_request_parameters", "checks")
		w.post(checks, object{}).refused(422, "invalid_request_parameters", "checks")
		w.post(checks, object{"checks": list{object{"organization_membership_id": "nonsense", "permission_slug": "x"}}}).is(200).has("data.0.error.code", "entity_not_found")
		w.prepared()
	})
}
