package api_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rolecall/rolecall/internal/api"
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/store/storetest"
)

// givesNothing lists the operations that a key may use that may let nobody hold anything, with the reason. Every other
// operation that changes something must be refused to it; a new one therefore fails TestEscalation until its right
// request lets somebody hold something, which giving may need to say, or until it stands here with a reason.
var givesNothing = map[string]string{
	"createPermission": "nobody holds a new permission", "updatePermission": "a name is no right", "deletePermission": "takes away",
	"updateRole": "a name is no right", "deleteRole": "nobody holds it", "removeRolePermission": "takes away",
	"updateOrganizationRole": "a name is no right", "deleteOrganizationRole": "nobody holds it",
	"removeOrganizationRolePermission": "takes away",
	"createOrganization":               "has no members", "updateOrganization": "a name is no right", "deleteOrganization": "takes away",
	"createUser": "a new user holds nothing", "deleteUser": "takes away",
	"deleteOrganizationMembership": "takes away", "deactivateOrganizationMembership": "takes away",
	"createGroup": "a new group holds nothing", "updateGroup": "a name is no right", "deleteGroup": "takes away", "removeGroupOrganizationMembership": "takes away",
	"unassignRole": "takes away", "removeRoleAssignment": "takes away", "unassignGroupRole": "takes away", "deleteGroupRoleAssignment": "takes away",
	"createWebhookEndpoint": "is told and tells", "updateWebhookEndpoint": "is told and tells", "deleteWebhookEndpoint": "takes away",
	"replayWebhookDelivery": "tells again", "replayWebhookEvents": "tells again",
	"createResourceType": "nobody holds a role on what is not there", "updateResourceType": "roles lose nothing and gain nothing by it", "deleteResourceType": "nothing is of it",
	"createResource": "here nobody holds a role above it; TestLimitedCallersAndResources has somebody", "deleteResource": "takes away", "deleteResourceByExternalId": "takes away",
	"updateResource": "a name is no right, and another parent is asked for in TestLimitedCallersAndResources", "updateResourceByExternalId": "as updateResource",
	"setAuthorizationSettings": "here nobody holds a role that another displaces; package store searches worlds where somebody does",
}

// giving completes right requests so that somebody would come to hold something by them. strong is a permission, and
// strong-role a role with it.
var giving = map[string]func(own map[noun]string, body object){
	"createRole":                     func(_ map[noun]string, b object) { b["permissions"] = list{"strong"} },
	"createOrganizationRole":         func(_ map[noun]string, b object) { b["permissions"] = list{"strong"} },
	"setRolePermissions":             func(_ map[noun]string, b object) { b["permissions"] = list{"strong"} },
	"setOrganizationRolePermissions": func(_ map[noun]string, b object) { b["permissions"] = list{"strong"} },
	"addRolePermission":              func(_ map[noun]string, b object) { b["slug"] = "strong" },
	"addOrganizationRolePermission":  func(_ map[noun]string, b object) { b["slug"] = "strong" },
	"setRolePriority":                func(_ map[noun]string, b object) { slices.Reverse(b["role_slugs"].([]any)) },
	"setOrganizationRolePriority":    func(_ map[noun]string, b object) { slices.Reverse(b["role_slugs"].([]any)) },
	"removeRole":                     func(_ map[noun]string, b object) { b["replacement_role_slug"] = "strong-role" },
	"removeOrganizationRole":         func(_ map[noun]string, b object) { b["replacement_role_slug"] = "strong-role" },
	"createOrganizationMembership":   func(own map[noun]string, b object) { b["role_slug"] = own[customSlug] },
	"updateOrganizationMembership":   func(_ map[noun]string, b object) { b["role_slug"] = "strong-role" },
	"assignRole":                     func(_ map[noun]string, b object) { b["role_slug"] = "strong-role" },
	"replaceGroupRoleAssignments":    func(_ map[noun]string, b object) { b["role_assignments"] = list{object{"role_slug": "strong-role"}} },
	"unassignGroupRole":              func(own map[noun]string, b object) { b["role_slug"] = own[roleSlug] },
	"updateUser":                     func(own map[noun]string, b object) { b["email"] = "other-" + own[email] },
}

// before makes a right request possible.
var before = map[string]func(c *client, own map[noun]string){
	"deleteOrganizationRole": func(c *client, own map[noun]string) { c.delete(memberships + "/" + own[membership]).is(200) },
	"deleteRole": func(c *client, own map[noun]string) {
		c.delete(groupRoles(own[group]) + "/" + own[groupRole]).is(204)
	},
	"addGroupOrganizationMembership": func(c *client, own map[noun]string) {
		c.delete(membersOf(own[group]) + "/" + own[membership]).is(204)
	},
	"deleteResourceType": func(c *client, own map[noun]string) {
		c.delete(resources + "/" + own[resource]).is(204)
	},
	"reactivateOrganizationMembership": func(c *client, own map[noun]string) {
		c.put(memberships+"/"+own[membership]+"/deactivate", nil).is(200)
	},
}

// Every operation that changes something asks the one function against escalation (user-pains D16): none of them does
// anything for a key of another organization, and none lets a key that may grant nothing grant something. Operations
// are those of the table, so that a new one takes part by itself.
func TestEscalation(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		unused := maps.Clone(givesNothing)
		for i, r := range api.Routes() {
			if r.Mutates() {
				w.tryToEscalate(t, r, fmt.Sprint("environment ", i)) // one each: it stays small
				delete(unused, r.Operation)
			}
		}
		for operation := range unused {
			t.Errorf("givesNothing names %s, which changes nothing", operation)
		}
	})
}

// tryToEscalate sends the request of one operation as three keys in an environment of its own.
func (w *world) tryToEscalate(t *testing.T, r api.Route, name string) {
	t.Helper()
	all, env := w.environment(t, name)
	all.permission("strong")
	all.role("strong-role", "strong")
	elsewhere := w.restricted(t, operator.NewKey{Environment: env, Name: "elsewhere", Organization: id.Organization(all.organization("Elsewhere"))})
	powerless := w.restricted(t, operator.NewKey{Environment: env, Name: "powerless", Permissions: authz.Some([]string{})})
	m := &matrix{client: all}
	m.prepare()
	if prepare := before[r.Operation]; prepare != nil {
		prepare(all, m.own)
	}
	path, body := m.request(r, place{}, nil)
	if complete := giving[r.Operation]; complete != nil {
		complete(m.own, body)
	}
	as := func(c *client) answer {
		if r.Body == nil {
			return c.send(r.Method, path, nil)
		}
		return c.send(r.Method, path, body)
	}
	stands := w.look(all, env)
	unchanged := func() {
		if d := cmp.Diff(stands, w.look(all, env)); d != "" {
			t.Errorf("%s was refused and changed something:\n%s", r.Operation, d)
		}
	}
	if a := as(elsewhere); a.status != 404 && (a.status != 403 || a.text("code") != "organization_restricted") {
		t.Errorf("%s as a key of another organization: %d %s", r.Operation, a.status, a.raw)
	}
	unchanged()
	a := as(powerless)
	if reason, listed := givesNothing[r.Operation]; listed {
		if a.status >= 300 {
			t.Errorf("%s is listed as giving nothing (%s): %d %s", r.Operation, reason, a.status, a.raw)
		}
		return
	}
	if a.status != 403 || a.text("code") != "permission_escalation" {
		t.Errorf("%s as a key that may grant nothing: %d %s; say in giving how its request grants something, or in givesNothing why none does",
			r.Operation, a.status, a.raw)
		return
	}
	unchanged()
	if a := as(all); a.status >= 300 { // or the refusals above would prove nothing
		t.Errorf("%s as a key that may do everything: %d %s", r.Operation, a.status, a.raw)
	}
}

// look is everything that the lists of an environment show, and everything as its rules tell it.
func (w *world) look(c *client, env id.Environment) storetest.World {
	c.tb.Helper()
	seen := storetest.Look(w.tb, w.db, w.rules, authz.Caller{Environment: env})
	for _, r := range api.Routes() {
		if r.Method == "GET" && len(pathNames(r.Path)) == 0 {
			seen[r.Operation] = string(c.get(r.Path + "?order=desc&limit=100").raw)
		}
	}
	for _, o := range c.get(organizations).is(200).each("id") {
		seen["resources of "+o] = string(c.get(resources + "?organization_id=" + o).is(200).raw)
		seen["roles given in "+o] = string(c.get(resources + "/" + string(authz.OrganizationResource(id.Organization(o))) + "/role_assignments").is(200).raw)
		for _, r := range api.Routes() {
			if names := pathNames(r.Path); r.Method == "GET" && len(names) == 1 && names[0] == "organizationId" {
				seen[r.Operation+" "+o] = string(c.get(strings.Replace(r.Path, "{organizationId}", o, 1)).is(200).raw)
			}
		}
	}
	return seen
}

// environmental is what all organizations of an environment share, and what the identifiers of one are not.
var environmental = []noun{text, permissionSlug, permissionID, roleSlug, newcomer, stripeID, typeSlug}

// For a key that is limited to one organization nothing else exists: every identifier of another organization of its
// environment, in any path or query and in the bodies of questions, is answered as one that is nobody's.
func TestOtherOrganizationsAreUnknown(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		own, theirs := belongings(w.client, "own1"), belongings(w.client, "theirs1")
		limited := w.restricted(t, operator.NewKey{Environment: w.env, Name: "own", Organization: id.Organization(own[organization])})
		for _, mine := range []noun{membership, user, customSlug, organization, externalID} {
			if own[mine] == theirs[mine] {
				t.Fatalf("both have the %s %s", mine, own[mine])
			}
		}
		stands, tried := w.look(w.client, w.env), 0
		m := &matrix{client: limited, own: own}
		for _, r := range api.Routes() {
			for _, p := range places(t, r) {
				if slices.Contains(environmental, p.noun) || p.in == "body" && r.Mutates() {
					continue
				}
				tried++
				f := theirs[p.noun]
				a, b := m.ask(r, p, formed(p, f)), m.ask(r, p, formed(p, unknown(f)))
				if x, y := plain(a, f), plain(b, unknown(f)); x != y {
					t.Errorf("%s %s tells another organization's %s %s from nobody's:\n%s\n%s", r.Method, r.Path, p.in, p.name, x, y)
				}
			}
		}
		if tried < 40 {
			t.Errorf("tried %d identifiers", tried)
		}
		if d := cmp.Diff(stands, w.look(w.client, w.env)); d != "" {
			t.Errorf("something changed:\n%s", d)
		}
	})
}

// A key that is limited to one organization reads that one and what the environment shares.
func TestLimitedReads(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.permission("a")
		w.role("admin", "a")
		acme, globex := w.organization("Acme"), w.organization("Globex")
		w.custom(acme, "org-acme", "a")
		w.custom(globex, "org-globex")
		dana, eve := w.user("dana@acme.example"), w.user("eve@globex.example")
		here, there := w.member(dana, acme, "org-acme"), w.member(dana, globex, "")
		w.member(eve, globex, "")
		c := w.restricted(t, operator.NewKey{Environment: w.env, Name: "acme", Organization: id.Organization(acme)})

		c.get(organizations).lists("id", acme)
		c.get(organizations + "?search=globex").lists("id")
		c.get(users).lists("id", dana)
		c.get(users+"?organization_id="+acme).lists("id", dana)
		c.get(users + "?organization=" + globex).lists("id")
		c.get(users + "?email=eve@globex.example").lists("id")
		c.get(users+"/"+eve).refused(404, "entity_not_found")
		c.get(memberships+"?user_id="+dana).lists("id", here)
		c.get(memberships + "?user_id=" + eve).lists("id")
		c.get(memberships + "?organization_id=" + globex).lists("id")
		c.get(memberships+"/"+there).refused(404, "entity_not_found")
		c.get("/events").lists("event", "organization.created", "organization_role.created", "organization_role.updated", "organization_membership.created")
		c.get("/events?organization_id=" + globex).lists("event")
		c.get("/authorization/jobs").lists("id")

		c.get(permissions).lists("slug", "a")
		c.get(roles).lists("slug", "member", "admin")
		c.get(rolesOf(acme)).lists("slug", "member", "admin", "org-acme")
		c.get(rolesOf(globex)).refused(404, "entity_not_found")
		c.get("/authorization/default_role").is(200).has("role.slug", "member")
		c.get("/authorization/role_priority").is(200)
		c.get("/authorization/settings").is(200)
		if !c.may(here, "a") {
			t.Error("a check of its own member is refused")
		}
		c.post("/authorization/organization_memberships/"+there+"/check", object{"permission_slug": "a"}).refused(404, "entity_not_found")
	})
}

// What a key is restricted to ends with it: a permission or organization made again is another one (I12).
func TestRestrictionsAreNotInherited(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.permission("a", "b")
		org := w.organization("Acme")
		w.role("admin")
		c := w.restricted(t, operator.NewKey{Environment: w.env, Name: "a and b", Permissions: authz.Some([]string{"b", "a"})})
		may := func(slug string) answer {
			return c.put("/authorization/roles/admin/permissions", object{"permissions": list{slug}})
		}
		may("a").is(200)
		may("b").is(200)
		w.delete(permissions + "/a").is(204)
		w.permission("a")
		may("a").refused(403, "permission_escalation")
		may("b").is(200)
		w.delete(permissions + "/b").is(204)
		w.permission("b")
		may("b").refused(403, "permission_escalation")

		mine := w.restricted(t, operator.NewKey{Environment: w.env, Name: "Acme", Organization: id.Organization(org)})
		mine.get(organizations).lists("id", org)
		w.delete(organizations + "/" + org).is(200)
		mine.get(organizations).refused(401, "unauthorized")
		mine.get(roles).refused(401, "unauthorized")
		w.organization("Acme")
		mine.get(organizations).refused(401, "unauthorized")
	})
}

// A refusal names what is beyond the key, and who may lets it be.
func TestDelegation(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.permission("a", "b", "c")
		w.role("admin", "a", "b", "c")
		acme := w.organization("Acme")
		dana := w.user("dana@acme.example")
		boss := w.member(dana, acme, "admin")
		key := operator.NewKey{Environment: w.env, Name: "help desk", Organization: id.Organization(acme), Permissions: authz.Some([]string{"a", "b"})}
		c := w.restricted(t, key)
		w.prepared()
		c.post(rolesOf(acme), object{"slug": "org-helper", "name": "Helper"}).is(201)
		a := c.put(rolesOf(acme)+"/org-helper/permissions", object{"permissions": list{"a", "c"}}).refused(403, "permission_escalation")
		a.has("message", "You may not let anybody hold permissions beyond your own: c.")
		c.put(rolesOf(acme)+"/org-helper/permissions", object{"permissions": list{"a", "b"}}).is(200)
		c.post(roles, object{"slug": "x", "name": "x"}).refused(403, "organization_restricted")
		member := c.post(memberships, object{"user_id": w.user("eve@acme.example"), "organization_id": acme, "role_slug": "org-helper"}).is(201).text("id")
		c.put(memberships+"/"+member, object{"role_slug": "admin"}).refused(403, "permission_escalation")
		c.put(memberships+"/"+boss+"/deactivate", nil).is(200) // it can take away
		c.put(memberships+"/"+boss+"/reactivate", nil).refused(403, "permission_escalation")
		c.put(users+"/"+dana, object{"email": "mallory@acme.example"}).refused(403, "organization_restricted")
		if w.may(member, "c") || !w.may(member, "b") {
			t.Error("eve holds something else than was given")
		}
		if _, err := w.rules.ReactivateMember(context.Background(), authz.Caller{Environment: w.env}, id.Membership(boss)); err != nil {
			t.Error(err)
		}
	})
}
