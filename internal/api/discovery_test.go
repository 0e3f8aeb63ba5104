package api_test

import (
	"context"
	"net/url"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

func (o *orchard) resourcesFor(membership string, query ...string) answer {
	o.tb.Helper()
	return o.get("/authorization/organization_memberships/" + membership + "/resources?" + pairs(query...))
}

// pairs makes a query of names and values.
func pairs(all ...string) string {
	q := url.Values{}
	for i := 0; i < len(all); i += 2 {
		q.Set(all[i], all[i+1])
	}
	return q.Encode()
}

// What a member may do something on, below a parent at any depth, of the permission's type or of any (R214).
func TestListResourcesForMembership(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		o := newOrchard(w)
		home := homeOf(o.org)
		o.resourcesFor(o.ada, "permission_slug", "project:read", "parent_resource_id", o.ws).lists("id", o.p2, o.p1)
		o.resourcesFor(o.ada, "permission_slug", "project:read", "parent_resource_id", home).lists("id", o.p2, o.p1)
		o.resourcesFor(o.ada, "permission_slug", "project:read", "parent_resource_id", home, "order", "asc").lists("id", o.p1, o.p2)
		o.resourcesFor(o.ada, "permission_slug", "project:read", "parent_resource_id", o.p1).lists("id") // not below itself
		o.resourcesFor(o.ada, "permission_slug", "project:edit", "parent_resource_id", home).lists("id")
		o.resourcesFor(o.bob, "permission_slug", "project:edit", "parent_resource_id", home).lists("id", o.p1) // by his group
		o.resourcesFor(o.admin, "permission_slug", "project:edit", "parent_resource_id", home).lists("id", o.p2, o.p1)
		o.resourcesFor(o.admin, "permission_slug", "org:admin", "parent_resource_id", home).lists("id", o.doc, o.p2, o.p1, o.ws)
		o.resourcesFor(o.admin, "permission_slug", "org:admin", "parent_resource_id", o.p1).lists("id", o.doc)
		o.resourcesFor(o.eve, "permission_slug", "project:read", "parent_resource_id", home).lists("id")
		for _, own := range []string{"acme", o.org} { // C27
			o.resourcesFor(o.ada, "permission_slug", "project:read", "parent_resource_external_id", own, "parent_resource_type_slug", "organization").lists("id", o.p2, o.p1)
		}
		o.resourcesFor(o.ada, "permission_slug", "project:read", "parent_resource_external_id", "ws", "parent_resource_type_slug", "workspace").lists("id", o.p2, o.p1).
			has("data.1", object{
				"object": "authorization_resource", "id": o.p1, "organization_id": o.org, "parent_resource_id": o.ws, "resource_type_slug": "project",
				"external_id": "p1", "name": "The p1", "description": nil, "created_at": event.Time(o.at), "updated_at": event.Time(o.at),
			})
		first := o.resourcesFor(o.ada, "permission_slug", "project:read", "parent_resource_id", o.ws, "limit", "1").lists("id", o.p2).has("list_metadata", object{"before": nil, "after": o.p2})
		o.resourcesFor(o.ada, "permission_slug", "project:read", "parent_resource_id", o.ws, "limit", "1", "after", first.text("list_metadata.after")).lists("id", o.p1).
			has("list_metadata", object{"before": o.p1, "after": nil})

		w.put(memberships+"/"+o.ada+"/deactivate", nil).is(200)
		o.resourcesFor(o.ada, "permission_slug", "project:read", "parent_resource_id", o.ws).lists("id")
		w.prepared()
		w.fired()
	})
}

func TestRefusedListsOfResources(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		o := newOrchard(w)
		const p, by, kind, external = "permission_slug", "parent_resource_id", "parent_resource_type_slug", "parent_resource_external_id"
		globex := w.post(organizations, object{"name": "Globex", "external_id": "globex"}).is(201).text("id")
		theirs := o.resource(globex, "workspace", "ws2", "")
		for _, query := range [][]string{
			{}, {kind, "workspace"}, {external, "ws"}, {by, o.ws, kind, "workspace", external, "ws"}, {by, o.ws, kind, "workspace"}, {by, ""},
		} {
			o.resourcesFor(o.ada, append(query, p, "project:read")...).refused(400, "bad_request")
		}
		o.resourcesFor(o.ada, by, o.ws).refused(422, "invalid_request_parameters", "permission_slug")
		o.resourcesFor(o.ada, by, o.ws, p, "project:read", "after", "nonsense").refused(422, "invalid_request_parameters", "after")
		for _, query := range [][]string{
			{by, theirs}, {by, "nonsense"}, {by, homeOf(globex)}, {by, "authz_resource_" + nobodys}, {kind, "workspace", external, "ws2"}, {kind, "nowhere", external, "ws"},
			{kind, "organization", external, "globex"}, {kind, "organization", external, globex},
		} {
			o.resourcesFor(o.ada, append(query, p, "project:read")...).refused(404, "entity_not_found")
		}
		o.resourcesFor(o.ada, by, o.ws, p, "nowhere").refused(404, "entity_not_found")
		o.resourcesFor("om_"+nobodys, by, o.ws, p, "project:read").refused(404, "entity_not_found")
		w.prepared()
	})
}

// Who can do something on a resource, by id or by external id, and who by a role on it (R215).
func TestListMembershipsForResource(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		o := newOrchard(w)
		who := func(resource, externalID, kind string, query string, want ...string) answer {
			t.Helper()
			a := o.get("/authorization/resources/"+resource+"/organization_memberships?"+query).lists("id", want...)
			o.get("/authorization/organizations/" + o.org + "/resources/" + kind + "/" + externalID + "/organization_memberships?" + query).same(a)
			return a
		}
		who(o.p1, "p1", "project", "permission_slug=project:read", o.ada, o.admin)
		who(o.p1, "p1", "project", "permission_slug=project:read&assignment=indirect", o.ada, o.admin)
		who(o.p1, "p1", "project", "permission_slug=project:read&assignment=direct")
		who(o.p1, "p1", "project", "permission_slug=project:edit", o.bob, o.admin)
		who(o.p1, "p1", "project", "permission_slug=project:edit&assignment=direct", o.bob) // by his group
		who(o.p1, "p1", "project", "permission_slug=project:edit&limit=1&order=asc", o.admin).has("list_metadata", object{"before": nil, "after": o.admin})
		who(o.doc, "doc", "document", "permission_slug=project:edit", o.bob, o.admin)
		who(o.doc, "doc", "document", "permission_slug=project:edit&assignment=direct")
		who(o.p2, "p2", "project", "permission_slug=project:edit", o.admin)
		who(o.ws, "ws", "workspace", "permission_slug=project:read&assignment=direct", o.ada)
		who(homeOf(o.org), "acme", "organization", "permission_slug=project:read", o.admin)
		who(homeOf(o.org), o.org, "organization", "permission_slug=project:read&assignment=direct", o.admin)
		a := who(o.ws, "ws", "workspace", "permission_slug=project:read&order=asc", o.admin, o.ada)
		for name, want := range map[string]any{"object": "organization_membership", "organization_id": o.org, "organization_name": "Acme", "status": "active", "user.email": "ada@acme.example", "role": nil, "roles": nil} {
			a.has("data.1."+name, want)
		}

		w.put(memberships+"/"+o.bob+"/deactivate", nil).is(200)
		who(o.p1, "p1", "project", "permission_slug=project:edit", o.admin)
		w.invited(o.ada)
		who(o.p1, "p1", "project", "permission_slug=project:read", o.admin)

		for _, path := range []string{"/authorization/resources/" + o.p1, "/authorization/organizations/" + o.org + "/resources/project/p1"} {
			o.get(path+"/organization_memberships").refused(422, "invalid_request_parameters", "permission_slug")
			o.get(path+"/organization_memberships?permission_slug=project:read&assignment=both").refused(422, "invalid_request_parameters", "assignment")
			o.get(path+"/organization_memberships?permission_slug=nowhere").refused(404, "entity_not_found")
		}
		globex := w.organization("Globex")
		for _, path := range []string{
			"/authorization/resources/authz_resource_" + nobodys, "/authorization/resources/nonsense", "/authorization/organizations/" + globex + "/resources/project/p1",
			"/authorization/organizations/org_" + nobodys + "/resources/project/p1", "/authorization/organizations/" + o.org + "/resources/workspace/p1",
		} {
			o.get(path+"/organization_memberships?permission_slug=project:read").refused(404, "entity_not_found")
		}
		w.prepared()
	})
}

// What a member may do on a resource, under the path of the contract, by external id, and under the path of the Node
// SDK (C14). No permission is left out for its type: a check would say yes to it.
func TestListEffectivePermissions(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		o := newOrchard(w)
		may := func(m, resource, kind, externalID, query string, want ...string) answer {
			t.Helper()
			of := "/authorization/organization_memberships/" + m
			a := o.get(of+"/resources/"+resource+"/permissions"+query).lists("slug", want...)
			o.get(of + "/resources/" + kind + "/" + externalID + "/permissions" + query).same(a)
			o.get("/authorization/resources/" + resource + "/organization_memberships/" + m + "/permissions" + query).same(a)
			return a
		}
		may(o.admin, o.doc, "document", "doc", "", "project:edit", "project:read", "org:admin")
		may(o.ada, o.doc, "document", "doc", "", "project:read").has("data.0.resource_type_slug", "project").has("data.0.object", "permission")
		may(o.bob, o.doc, "document", "doc", "", "project:edit")
		may(o.bob, o.p2, "project", "p2", "")
		may(o.ada, homeOf(o.org), "organization", "acme", "")
		may(o.admin, homeOf(o.org), "organization", o.org, "?order=asc&limit=2", "org:admin", "project:read")
		may(o.eve, o.doc, "document", "doc", "")
		w.put(memberships+"/"+o.admin+"/deactivate", nil).is(200)
		may(o.admin, o.doc, "document", "doc", "")
		w.prepared()
		for _, path := range []string{"/authz_resource_" + nobodys, "/nonsense", "/project/nowhere", "/nowhere/p1", "/organization/globex"} {
			o.get("/authorization/organization_memberships/"+o.ada+"/resources"+path+"/permissions").refused(404, "entity_not_found")
		}
		o.get("/authorization/organization_memberships/om_"+nobodys+"/resources/"+o.p1+"/permissions").refused(404, "entity_not_found")
	})
}

// A caller limited to one organization finds nothing of another, in any look-up (D16).
func TestDiscoveryOfALimitedCaller(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		o := newOrchard(w)
		globex := id.Organization(w.organization("Globex"))
		ctx, r, p1 := context.Background(), page.Request{Limit: 100, Order: page.Desc}, authz.ResourceRef{ID: id.Resource(o.p1)}
		for only, sees := range map[id.Organization]bool{globex: false, id.Organization(o.org): true} {
			c := authz.Caller{Environment: w.env, Only: &authz.Restriction{Organization: only}}
			ada := id.Membership(o.ada)
			for name, ask := range map[string]func() error{
				"check": func() error {
					_, err := w.rules.Check(ctx, c, authz.Question{Membership: ada, Permission: "project:read", Resource: p1})
					return err
				},
				"resources": func() error {
					_, err := w.rules.ResourcesFor(ctx, c, ada, "project:read", authz.ResourceRef{}, r)
					return err
				},
				"permissions": func() error { _, err := w.rules.PermissionsOn(ctx, c, ada, p1, r); return err },
				"members": func() error {
					_, err := w.rules.MembersWith(ctx, c, "", p1, "project:read", authz.Anyhow, r)
					return err
				},
				"members within": func() error {
					_, err := w.rules.MembersWith(ctx, c, id.Organization(o.org), p1, "project:read", authz.Anyhow, r)
					return err
				},
				"members of all": func() error {
					_, err := w.rules.MembersWith(ctx, c, "", authz.ResourceRef{ID: id.Resource(homeOf(o.org))}, "project:read", authz.Anyhow, r)
					return err
				},
				"access": func() error {
					_, err := w.rules.ListAccess(ctx, c, id.Organization(o.org), authz.AccessFilter{}, r)
					return err
				},
			} {
				if err := ask(); sees && err != nil || !sees && !fault.Is(err, fault.NotFound) {
					t.Errorf("%s for a caller that sees it (%v): %v", name, sees, err)
				}
			}
			for _, role := range []string{"", "member"} {
				list, err := w.rules.ListMembers(ctx, c, authz.MembershipFilter{Organization: id.Organization(o.org), Role: role}, r)
				if err != nil || len(list.Items) > 0 != sees {
					t.Errorf("members with role %q for a caller that sees them (%v): %d, %v", role, sees, len(list.Items), err)
				}
			}
		}
	})
}

// Ids and slugs may hold what a path must escape.
func TestDiscoveryByStrangeExternalIDs(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		o := newOrchard(w)
		strange := "a/b c?d#e%2F;.."
		p3 := o.resource(o.org, "project", strange, o.ws)
		o.get("/authorization/organizations/"+o.org+"/resources/project/"+segment(strange)+"/organization_memberships?permission_slug=project:read").lists("id", o.ada, o.admin)
		o.get("/authorization/organization_memberships/"+o.ada+"/resources/project/"+segment(strange)+"/permissions").lists("slug", "project:read")
		o.get("/authorization/resources/"+p3+"/organization_memberships?permission_slug=project:read").lists("id", o.ada, o.admin)
	})
}
