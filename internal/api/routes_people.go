package api

import "github.com/rolecall/rolecall/internal/event"

func organizationRoutes() []Route {
	const path, tag = "/organizations", "organizations"
	taken := refuse(400, "bad_request", "invalid_metadata", "external_id_already_used")
	domain := refuse(409, "organization_domain_conflict")
	return []Route{
		{Method: "GET", Path: path, Operation: "listOrganizations", Summary: "List organizations.", Tag: tag,
			Parameters: with(
				Parameter{Name: "domains", Kind: "array", Summary: "Only organizations with any of these domains."},
				Parameter{Name: "search", Kind: "string", Summary: "Only organizations with this in their name or a domain, whatever its case."},
			), Status: 200, Answer: List[event.Organization]{}, Refusals: []Refusal{invalid}, handle: action(listOrganizations, shown(organizationBody))},
		{Method: "POST", Path: path, Operation: "createOrganization", Summary: "Create an organization.", Tag: tag, Body: NewOrganization{},
			Status: 201, Answer: event.Organization{}, Refusals: []Refusal{taken, domain, invalid}, handle: action(createOrganization, showOrganization)},
		{Method: "GET", Path: path + "/external_id/{external_id}", Operation: "getOrganizationByExternalId", Summary: "Get an organization by your own id for it.", Tag: tag,
			Status: 200, Answer: event.Organization{}, Refusals: []Refusal{missing}, handle: action(getOrganizationByExternalID, showOrganization)},
		{Method: "GET", Path: path + "/{id}", Operation: "getOrganization", Summary: "Get an organization.", Tag: tag,
			Status: 200, Answer: event.Organization{}, Refusals: []Refusal{missing}, handle: action(getOrganization, showOrganization)},
		{Method: "PUT", Path: path + "/{id}", Operation: "updateOrganization", Summary: "Change an organization.", Tag: tag, Body: OrganizationChange{},
			Status: 200, Answer: event.Organization{}, Refusals: []Refusal{
				refuse(400, "bad_request", "invalid_metadata", "external_id_already_used", "stripe_customer_id_already_used"), missing, domain, invalid,
			}, handle: action(updateOrganization, showOrganization)},
		{Method: "DELETE", Path: path + "/{id}", Operation: "deleteOrganization", Summary: "Delete an organization with its memberships and custom roles.", Tag: tag,
			Status: 200, Refusals: []Refusal{missing}, handle: remove(deleteOrganization)},
	}
}

func userRoutes() []Route {
	const path, tag = "/user_management/users", "users"
	return []Route{
		{Method: "GET", Path: path, Operation: "listUsers", Summary: "List users.", Tag: tag,
			Parameters: with(
				Parameter{Name: "organization", Kind: "string", Summary: "Former name of organization_id."},
				Parameter{Name: "organization_id", Kind: "string", Summary: "Only users with a membership in this organization."},
				Parameter{Name: "email", Kind: "string", Summary: "Only the user with this address, whatever its case."},
				Parameter{Name: "search", Kind: "string", Summary: "Extension: only users whose e-mail address, name or last name begins so, whatever the case; the first 1,000 by each."},
			), Status: 200, Answer: List[event.User]{}, Refusals: []Refusal{invalid}, handle: action(listUsers, shown(userBody))},
		{Method: "POST", Path: path, Operation: "createUser", Summary: "Create a user.", Tag: tag, Body: NewUser{},
			Status: 201, Answer: event.User{}, Refusals: []Refusal{refuse(400, "bad_request", "user_creation_error", "invalid_metadata", "external_id_already_used"), invalid},
			handle: action(createUser, showUser)},
		{Method: "GET", Path: path + "/external_id/{external_id}", Operation: "getUserByExternalId", Summary: "Get a user by your own id for the user.", Tag: tag,
			Status: 200, Answer: event.User{}, Refusals: []Refusal{missing}, handle: action(getUserByExternalID, showUser)},
		{Method: "GET", Path: path + "/{id}", Operation: "getUser", Summary: "Get a user.", Tag: tag,
			Status: 200, Answer: event.User{}, Refusals: []Refusal{missing}, handle: action(getUser, showUser)},
		{Method: "PUT", Path: path + "/{id}", Operation: "updateUser", Summary: "Change a user.", Tag: tag, Body: UserChange{},
			Status: 200, Answer: event.User{}, Refusals: []Refusal{refuse(400, "bad_request", "invalid_metadata", "external_id_already_used", "email_not_available"), missing, invalid},
			handle: action(updateUser, showUser)},
		{Method: "DELETE", Path: path + "/{id}", Operation: "deleteUser", Summary: "Delete a user with all memberships.", Tag: tag,
			Status: 200, Refusals: []Refusal{missing}, handle: remove(deleteUser)},
	}
}

func membershipRoutes() []Route {
	const path, tag = "/user_management/organization_memberships", "organization memberships"
	roles := refuse(422, "invalid_request_parameters", "invalid_role", "multiple_roles_not_enabled", "sub_resource_scoped_role_not_allowed")
	return []Route{
		{Method: "GET", Path: path, Operation: "listOrganizationMemberships", Summary: "List memberships of an organization or of a user; active ones unless statuses says otherwise.", Tag: tag,
			Parameters: with(
				Parameter{Name: "organization_id", Kind: "string", Summary: "This or user_id is required."},
				Parameter{Name: "role_slug", Kind: "string", Summary: "Extension: only memberships with this role in effect; needs organization_id."},
				Parameter{Name: "search", Kind: "string", Summary: "Extension: only memberships of users whose e-mail address, name or last name begins so, whatever the case; needs organization_id. The first 1,000 by each."},
				Parameter{Name: "statuses", Kind: "array", Enum: []string{"active", "inactive", "pending"}, Summary: "Defaults to active."},
				Parameter{Name: "user_id", Kind: "string", Summary: "This or organization_id is required."},
			), Status: 200, Answer: List[Membership]{}, Refusals: []Refusal{refuse(400, "missing_user_id_or_organization_id"), invalid},
			handle: action(listMemberships, shown(membershipBody))},
		{Method: "POST", Path: path, Operation: "createOrganizationMembership", Summary: "Put a user into an organization.", Tag: tag, Body: NewMembership{},
			Status: 201, Answer: Membership{}, Refusals: []Refusal{
				refuse(400, "bad_request", "cannot_reactivate_pending_organization_membership"), missing,
				refuse(409, "organization_membership_already_exists"), roles,
			}, handle: action(createMembership, showMembership)},
		{Method: "GET", Path: path + "/{id}", Operation: "getOrganizationMembership", Summary: "Get a membership.", Tag: tag,
			Status: 200, Answer: Membership{}, Refusals: []Refusal{missing}, handle: action(getMembership, showMembership)},
		{Method: "PUT", Path: path + "/{id}", Operation: "updateOrganizationMembership", Summary: "Replace the roles of a membership.", Tag: tag, Body: MembershipRoles{},
			Status: 200, Answer: Membership{}, Refusals: []Refusal{malformed, missing, roles}, handle: action(updateMembership, showMembership)},
		{Method: "DELETE", Path: path + "/{id}", Operation: "deleteOrganizationMembership", Summary: "Delete a membership.", Tag: tag,
			Status: 200, Refusals: []Refusal{missing}, handle: remove(deleteMembership)},
		{Method: "PUT", Path: path + "/{id}/deactivate", Operation: "deactivateOrganizationMembership", Summary: "Deactivate a membership; its roles are kept.", Tag: tag,
			Status: 200, Answer: Membership{}, Refusals: []Refusal{refuse(400, "cannot_deactivate_pending_organization_membership"), missing},
			handle: action(deactivateMembership, showMembership)},
		{Method: "PUT", Path: path + "/{id}/reactivate", Operation: "reactivateOrganizationMembership", Summary: "Reactivate a membership with the roles it had.", Tag: tag,
			Status: 200, Answer: Membership{}, Refusals: []Refusal{refuse(400, "cannot_reactivate_pending_organization_membership"), missing},
			handle: action(reactivateMembership, showMembership)},
	}
}

func otherRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/events", Operation: "listEvents", Summary: "List what happened, oldest first unless asked otherwise. Follow it by passing the id of the last event you handled as after.", Tag: "events",
			Parameters: with(
				Parameter{Name: "events", Kind: "array", Summary: "Only events with these names."},
				Parameter{Name: "range_start", Kind: "string", Summary: "ISO 8601; at most 30 days before range_end."},
				Parameter{Name: "range_end", Kind: "string", Summary: "ISO 8601."},
				Parameter{Name: "organization_id", Kind: "string", Summary: "Only events of this organization."},
			), Status: 200, Answer: EventList{}, Refusals: []Refusal{malformed, invalid}, handle: action(listEvents, showEvents)},
	}
}
