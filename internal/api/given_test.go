package api_test

import "sync"

// What tests need to begin with. Each step goes through the API.

func (c *client) permission(slugs ...string) {
	c.tb.Helper()
	for _, slug := range slugs {
		c.post("/authorization/permissions", object{"slug": slug, "name": slug}).is(201)
	}
}

func (c *client) role(slug string, permissions ...string) {
	c.tb.Helper()
	c.post("/authorization/roles", object{"slug": slug, "name": slug}).is(201)
	if len(permissions) > 0 {
		c.put("/authorization/roles/"+slug+"/permissions", object{"permissions": permissions}).is(200)
	}
}

func (c *client) organization(name string) string {
	c.tb.Helper()
	return c.post("/organizations", object{"name": name}).is(201).text("id")
}

// rolesOf is the path of the roles of an organization.
func rolesOf(org string) string { return "/authorization/organizations/" + org + "/roles" }

func (c *client) custom(org, slug string, permissions ...string) {
	c.tb.Helper()
	c.post(rolesOf(org), object{"slug": slug, "name": slug}).is(201)
	if len(permissions) > 0 {
		c.put(rolesOf(org)+"/"+slug+"/permissions", object{"permissions": permissions}).is(200)
	}
}

func (c *client) user(email string) string {
	c.tb.Helper()
	return c.post(users, object{"email": email}).is(201).text("id")
}

// member puts a user into an organization, with a role or, for "", the default.
func (c *client) member(user, org, role string) string {
	c.tb.Helper()
	body := object{"user_id": user, "organization_id": org}
	if role != "" {
		body["role_slug"] = role
	}
	return c.post(memberships, body).is(201).text("id")
}

// resourceType makes a type of resources, below the organization or other types.
func (c *client) resourceType(slug string, parents ...string) {
	c.tb.Helper()
	body := object{"slug": slug, "name": slug}
	if len(parents) > 0 {
		body["parent_resource_type_slugs"] = parents
	}
	c.post(resourceTypes, body).is(201)
}

// resource makes a resource, below another or, for "", the organization.
func (c *client) resource(org, kind, externalID, parent string) string {
	c.tb.Helper()
	body := object{"organization_id": org, "resource_type_slug": kind, "external_id": externalID, "name": "n"}
	if parent != "" {
		body["parent_resource_id"] = parent
	}
	return c.post(resources, body).is(201).text("id")
}

// resourceAt is the path of a resource by external id.
func resourceAt(org, kind, externalID string) string {
	return "/authorization/organizations/" + org + "/resources/" + segment(kind) + "/" + segment(externalID)
}

// forgetTypes deletes all resource types, of which there can be few, with all resources; none must be below another.
func (c *client) forgetTypes() {
	c.tb.Helper()
	for _, slug := range c.get(resourceTypes).is(200).each("slug") {
		for _, r := range c.get(resources + "?limit=100&resource_type_slug=" + slug).is(200).each("id") {
			c.delete(resources + "/" + r + "?cascade_delete=true").is(204)
		}
		c.delete(resourceTypes + "/" + slug).is(204)
	}
}

// group makes a group in an organization.
func (c *client) group(org, name string) string {
	c.tb.Helper()
	g := c.post(groupsOf(org), object{"name": name}).is(201).text("id")
	organizationOf.Store(g, org)
	return g
}

// join puts memberships into a group.
func (c *client) join(group string, members ...string) {
	c.tb.Helper()
	for _, m := range members {
		c.post(membersOf(group), object{"organization_membership_id": m}).is(200)
	}
}

// organizationOf remembers where groups were made, which their paths need.
var organizationOf sync.Map

func groupsOf(org string) string { return "/organizations/" + org + "/groups" }

// groupPath is the path of a group, membersOf that of its members, groupRoles that of its roles.
func groupPath(group string) string {
	org, _ := organizationOf.Load(group)
	return groupsOf(org.(string)) + "/" + group
}
func membersOf(group string) string  { return groupPath(group) + "/organization-memberships" }
func groupRoles(group string) string { return "/authorization/groups/" + group + "/role_assignments" }

// rolesGiven is the path of the role assignments of a membership.
func rolesGiven(membership string) string {
	return "/authorization/organization_memberships/" + membership + "/role_assignments"
}

// may asks whether a membership holds a permission.
func (c *client) may(membership, permission string) bool {
	c.tb.Helper()
	a := c.post("/authorization/organization_memberships/"+membership+"/check", object{"permission_slug": permission}).is(200)
	allowed, ok := a.at("authorized").(bool)
	if !ok {
		c.tb.Errorf("%s: no verdict: %s", a.call, a.raw)
	}
	return allowed
}

const (
	memberships = "/user_management/organization_memberships"
	users       = "/user_management/users"
	permissions = "/authorization/permissions"
	roles       = "/authorization/roles"
	endpoints   = "/webhook_endpoints"

	resources     = "/authorization/resources"
	resourceTypes = "/authorization/resource_types"
	// nobody's is well formed and names nothing.
	nobodys = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
)
