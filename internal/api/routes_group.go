package api

import "github.com/rolecall/rolecall/internal/event"

func groupRoutes() []Route {
	const path, tag = "/organizations/{organizationId}/groups", "groups"
	return []Route{
		{Method: "GET", Path: path, Operation: "listGroups", Summary: "List the groups of an organization.", Tag: tag,
			Parameters: paging, Status: 200, Answer: List[event.Group]{}, Refusals: []Refusal{missing, invalid}, handle: action(listGroups, shown(groupBody))},
		{Method: "POST", Path: path, Operation: "createGroup", Summary: "Create a group in an organization.", Tag: tag, Body: NewGroup{},
			Status: 201, Answer: event.Group{}, Refusals: []Refusal{malformed, missing, invalid}, handle: action(createGroup, showGroup)},
		{Method: "GET", Path: path + "/{groupId}", Operation: "getGroup", Summary: "Get a group.", Tag: tag,
			Status: 200, Answer: event.Group{}, Refusals: []Refusal{missing}, handle: action(getGroup, showGroup)},
		{Method: "PATCH", Path: path + "/{groupId}", Operation: "updateGroup", Summary: "Change the name or description of a group.", Tag: tag, Body: GroupDetails{},
			Status: 200, Answer: event.Group{}, Refusals: []Refusal{malformed, missing, invalid}, handle: action(updateGroup, showGroup)},
		{Method: "DELETE", Path: path + "/{groupId}", Operation: "deleteGroup", Summary: "Delete a group; its members lose what they held through it.", Tag: tag,
			Parameters: previewing, Status: 204, Refusals: []Refusal{missing}, handle: previewed(supposeDeleteGroup, remove(deleteGroup))},
		{Method: "GET", Path: path + "/{groupId}/organization-memberships", Operation: "listGroupOrganizationMemberships", Summary: "List the memberships in a group, whatever their status.", Tag: tag,
			Parameters: paging, Status: 200, Answer: List[MembershipBase]{}, Refusals: []Refusal{missing, invalid}, handle: action(listGroupMembers, shown(membershipBase))},
		{Method: "POST", Path: path + "/{groupId}/organization-memberships", Operation: "addGroupOrganizationMembership", Summary: "Put a membership into a group. Nothing happens when it is in it.", Tag: tag,
			Body: GroupMember{}, Status: 200, Answer: event.Group{}, Refusals: []Refusal{refuse(400, "bad_request", "group_membership_limit_exceeded"), missing, invalid},
			handle: action(addGroupMember, showGroup)},
		{Method: "DELETE", Path: path + "/{groupId}/organization-memberships/{omId}", Operation: "removeGroupOrganizationMembership", Summary: "Take a membership out of a group.", Tag: tag,
			Status: 204, Refusals: []Refusal{missing}, handle: remove(removeGroupMember)},
		{Method: "GET", Path: "/user_management/organization_memberships/{omId}/groups", Operation: "listOrganizationMembershipGroups", Summary: "List the groups that a membership is in.", Tag: tag,
			Parameters: paging, Status: 200, Answer: List[event.Group]{}, Refusals: []Refusal{missing, invalid}, handle: action(listMemberGroups, shown(groupBody))},
	}
}

func assignmentRoutes() []Route {
	const tag = "role assignments"
	const member, resource = "/authorization/organization_memberships/{organization_membership_id}/role_assignments", "/authorization/resources/{resource_id}/role_assignments"
	const external = "/authorization/organizations/{organization_id}/resources/{resource_type_slug}/{external_id}/role_assignments"
	wrongRole := refuse(422, "invalid_request_parameters", "invalid_role", "role_resource_type_mismatch", "sub_resource_scoped_role_not_allowed")
	byGroup := refuse(422, "invalid_request_parameters", "role_assigned_by_group")
	bySlug := with(Parameter{Name: "role_slug", Kind: "string", Summary: "Only assignments of this role."})
	return append([]Route{
		{Method: "GET", Path: member, Operation: "listRoleAssignments", Summary: "List the roles that a membership was given, itself or through its groups.", Tag: tag,
			Parameters: with(
				Parameter{Name: "resource_id", Kind: "string", Summary: "Only on this resource. Excludes the other two."},
				Parameter{Name: "resource_external_id", Kind: "string", Summary: "Only on resources with this external id, or with resource_type_slug, on that one."},
				Parameter{Name: "resource_type_slug", Kind: "string", Summary: "Only on resources of this type."},
			), Status: 200, Answer: List[RoleAssignment]{}, Refusals: []Refusal{missing, invalid}, handle: action(listRoleAssignments, shown(roleAssignmentBody))},
		{Method: "POST", Path: member, Operation: "assignRole", Summary: "Give a membership a role on a resource, for good or for a time. Repeated, it sets the time anew: without times the role is held for good.", Tag: tag, Body: NewRoleAssignment{},
			Status: 201, Answer: RoleAssignment{}, Refusals: []Refusal{malformed, missing, wrongRole}, handle: action(assignRole, showRoleAssignment)},
		{Method: "DELETE", Path: member, Operation: "unassignRole", Summary: "Take a role on a resource off a membership.", Tag: tag, Body: RoleAssignmentCriteria{},
			Status: 204, Refusals: []Refusal{malformed, missing, byGroup}, handle: remove(unassignRole)},
		{Method: "DELETE", Path: member + "/{role_assignment_id}", Operation: "removeRoleAssignment", Summary: "Remove a role assignment of a membership.", Tag: tag,
			Status: 204, Refusals: []Refusal{missing, byGroup}, handle: remove(removeRoleAssignment)},
		{Method: "GET", Path: resource, Operation: "listResourceRoleAssignments", Summary: "List the roles that were given on a resource, each with the membership that has it.", Tag: tag,
			Parameters: bySlug, Status: 200, Answer: List[RoleAssignment]{}, Refusals: []Refusal{missing, invalid}, handle: action(listResourceAssignments, shown(roleAssignmentBody))},
		{Method: "GET", Path: external, Operation: "listResourceRoleAssignmentsByExternalId", Summary: "List the roles that were given on a resource, named by your own id for it.", Tag: tag,
			Parameters: bySlug, Status: 200, Answer: List[RoleAssignment]{}, Refusals: []Refusal{missing, invalid}, handle: action(listResourceAssignments, shown(roleAssignmentBody))},
	}, groupAssignmentRoutes()...)
}

func groupAssignmentRoutes() []Route {
	const path, tag = "/authorization/groups/{group_id}/role_assignments", "group role assignments"
	wrongRole := []string{"invalid_request_parameters", "invalid_role", "role_resource_type_mismatch", "sub_resource_scoped_role_not_allowed"}
	return []Route{
		{Method: "GET", Path: path, Operation: "listGroupRoleAssignments", Summary: "List the roles that a group was given.", Tag: tag,
			Parameters: paging, Status: 200, Answer: List[GroupRoleAssignment]{}, Refusals: []Refusal{missing, invalid}, handle: action(listGroupRoleAssignments, shown(groupRoleAssignmentBody))},
		{Method: "POST", Path: path, Operation: "createGroupRoleAssignment", Summary: "Give a group a role on a resource, for good or for a time.", Tag: tag, Body: NewRoleAssignment{},
			Status: 201, Answer: GroupRoleAssignment{}, Refusals: []Refusal{malformed, missing, refuse(409, "duplicate_group_role_assignment"), refuse(422, append(wrongRole, "group_role_assignment_limit_exceeded")...)},
			handle: action(assignGroupRole, showGroupRoleAssignment)},
		{Method: "PUT", Path: path, Operation: "replaceGroupRoleAssignments", Summary: "Replace all roles of a group.", Tag: tag, Body: GroupRoleAssignments{},
			Status: 200, Answer: List[GroupRoleAssignment]{}, Refusals: []Refusal{malformed, missing, refuse(422, wrongRole...)}, handle: action(replaceGroupRoleAssignments, shown(groupRoleAssignmentBody))},
		{Method: "DELETE", Path: path, Operation: "unassignGroupRole", Summary: "Take a role on a resource off a group.", Tag: tag, Body: RoleAssignmentCriteria{},
			Status: 204, Refusals: []Refusal{malformed, missing, invalid}, handle: remove(unassignGroupRole)},
		{Method: "GET", Path: path + "/{role_assignment_id}", Operation: "getGroupRoleAssignment", Summary: "Get a role assignment of a group.", Tag: tag,
			Status: 200, Answer: GroupRoleAssignment{}, Refusals: []Refusal{missing}, handle: action(getGroupRoleAssignment, showGroupRoleAssignment)},
		{Method: "DELETE", Path: path + "/{role_assignment_id}", Operation: "deleteGroupRoleAssignment", Summary: "Remove a role assignment of a group.", Tag: tag,
			Status: 204, Refusals: []Refusal{missing}, handle: remove(removeGroupRoleAssignment)},
	}
}
