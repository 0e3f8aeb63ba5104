package api

import "github.com/rolecall/rolecall/internal/event"

// discoveryRoutes asks checks: one, many, and the other way round.
func discoveryRoutes() []Route {
	const of, tag = "/authorization/organization_memberships/{organization_membership_id}", "checks"
	slug := Parameter{Name: "permission_slug", Kind: "string", Required: true, Summary: "The permission to be held."}
	whose := with(slug, Parameter{Name: "assignment", Kind: "string", Enum: []string{"direct", "indirect"},
		Summary: "direct: only through a role on the resource itself. indirect, as none: also through inherited ones."})
	return []Route{
		{Method: "POST", Path: of + "/check", Operation: "check", Summary: "Ask whether a membership holds a permission.", Tag: tag,
			Body: Check{}, Status: 200, Answer: Checked{}, Refusals: []Refusal{malformed, missing, invalid}, ReadOnly: true, handle: answer(check, encodeAnswer)},
		{Method: "POST", Path: "/authorization/checks", Operation: "checkAll", Summary: "Ask up to 1000 questions over one state; each is answered as check would, in order.", Tag: tag,
			Body: Checks{}, Status: 200, Answer: CheckedList{}, Refusals: []Refusal{malformed, invalid}, ReadOnly: true, Extension: true, handle: answer(checkAll, encodeAnswers)},
		{Method: "GET", Path: of + "/resources", Operation: "listResourcesForMembership", Summary: "List the resources below a parent, at any depth, on which a membership holds a permission.", Tag: tag,
			Parameters: with(slug,
				Parameter{Name: "parent_resource_id", Kind: "string", Summary: "The parent; this or both of the others is required."},
				Parameter{Name: "parent_resource_type_slug", Kind: "string", Summary: "Goes with parent_resource_external_id."},
				Parameter{Name: "parent_resource_external_id", Kind: "string", Summary: "Goes with parent_resource_type_slug."},
			), Status: 200, Answer: List[Resource]{}, Refusals: []Refusal{malformed, missing, invalid}, handle: action(listResourcesForMembership, shown(resourceBody))},
		{Method: "GET", Path: of + "/resources/{resource_id}/permissions", Operation: "listEffectivePermissions", Summary: "List what a membership may do on a resource.", Tag: tag,
			Parameters: paging, Status: 200, Answer: List[event.Permission]{}, Refusals: []Refusal{missing, invalid}, handle: answer(listEffectivePermissions, encodePermissions)},
		{Method: "GET", Path: of + "/resources/{resource_type_slug}/{external_id}/permissions", Operation: "listEffectivePermissionsByExternalId", Summary: "List what a membership may do on a resource, by your own id for it.", Tag: tag,
			Parameters: paging, Status: 200, Answer: List[event.Permission]{}, Refusals: []Refusal{missing, invalid}, handle: answer(listEffectivePermissions, encodePermissions)},
		{Method: "GET", Path: "/authorization/resources/{resource_id}/organization_memberships/{organization_membership_id}/permissions", Operation: "listEffectivePermissionsSdk", Summary: "listEffectivePermissions under the path that the Node SDK uses.", Tag: tag,
			Parameters: paging, Status: 200, Answer: List[event.Permission]{}, Refusals: []Refusal{missing, invalid}, Extension: true, handle: answer(listEffectivePermissions, encodePermissions)},
		{Method: "GET", Path: "/authorization/resources/{resource_id}/organization_memberships", Operation: "listMembershipsForResource", Summary: "List the memberships that hold a permission on a resource.", Tag: tag,
			Parameters: whose, Status: 200, Answer: List[ResourceMember]{}, Refusals: []Refusal{malformed, missing, invalid}, handle: action(listMembershipsForResource, shown(resourceMemberBody))},
		{Method: "GET", Path: "/authorization/organizations/{organization_id}/resources/{resource_type_slug}/{external_id}/organization_memberships", Operation: "listMembershipsForResourceByExternalId", Summary: "List the memberships that hold a permission on a resource, by your own id for it.", Tag: tag,
			Parameters: whose, Status: 200, Answer: List[ResourceMember]{}, Refusals: []Refusal{malformed, missing, invalid}, handle: action(listMembershipsForResource, shown(resourceMemberBody))},
		{Method: "GET", Path: "/authorization/organizations/{organizationId}/access", Operation: "listAccess", Summary: "List the members of an organization with their effective roles and permissions on it, or, with format=csv, all of them as one table.", Tag: tag,
			Parameters: with(
				Parameter{Name: "permission_slug", Kind: "string", Summary: "Only members that hold this permission on the organization."},
				Parameter{Name: "role_slug", Kind: "string", Summary: "Only members with this role in effect on the organization."},
				Parameter{Name: "statuses", Kind: "array", Enum: []string{"active", "inactive", "pending"}, Summary: "Defaults to active."},
				Parameter{Name: "format", Kind: "string", Enum: []string{"json", "csv"}, Summary: "csv ignores limit, order, before and after."},
			), Status: 200, Answer: List[Access]{}, Refusals: []Refusal{missing, invalid}, Extension: true, CSV: true, handle: listAccess},
	}
}
