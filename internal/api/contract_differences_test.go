package api_test

import "maps"

// contractDifferences is every difference from the public contract with its reason. "*" stands for any operation.
var contractDifferences = joined(
	because("the contract leaves out what any operation can answer; clients must know",
		"*: status 401 is only here", "*: status 500 is only here", "*: status 503 is only here", "*: status 413 is only here",
		"*: status 400 is only here", "*: status 422 is only here"),
	because("every refusal has a code here, where the contract has some with a message alone",
		"*: code 404 entity_not_found is only here", "*: code 422 invalid_request_parameters is only here", "*: code 400 bad_request is only here",
		"PATCH /authorization/permissions/{slug}: code 403 forbidden is only here", "DELETE /authorization/permissions/{slug}: code 403 forbidden is only here",
		"POST /organizations: code 409 organization_domain_conflict is only here", "PUT /organizations/{id}: code 409 organization_domain_conflict is only here"),
	because("one key used for two requests is refused instead of ignored; the contract does not speak of the header",
		"*: code 422 idempotency_key_reused is only here"),
	because("every key may read, if only what belongs to its organization",
		"*: status 403 is only in the contract"),
	because("keys can be restricted here, and every change may then be refused",
		"*: status 403 is only here", "*: code 403 organization_restricted is only here", "*: code 403 permission_escalation is only here"),
	because("a change can be looked at before it is made",
		"*: query parameter preview is only here", "*: query parameter by is only here",
		"*: query parameter limit is only here", "*: query parameter after is only here", "*: status 200 is only here"),
	because("a permission that can take no effect through a role is refused (R11); the contract has no code for it",
		"*: code 422 permission_resource_type_mismatch is only here"),
	because("nothing is looked up that could be missing: an unknown organization or user has an empty list (R213 is about checks)",
		"GET /authorization/permissions: status 404 is only in the contract", "GET /user_management/organization_memberships: status 404 is only in the contract",
		"POST /user_management/users: status 404 is only in the contract"),
	because("an unknown id is not found, also where the contract forgets to say so",
		"DELETE /organizations/{id}: status 404 is only here", "PUT /user_management/users/{id}: status 404 is only here"),
	because("a role can be made with its permissions in one step: an extension that nobody sees who does not use it",
		"POST /authorization/roles: body field permissions is only here",
		"POST /authorization/organizations/{organizationId}/roles: body field permissions is only here"),
	because("a role can be given for a time: an extension that nobody sees who does not use it",
		"*: body field starts_at is only here", "*: body field expires_at is only here",
		"*: 200 answers with .data[].starts_at, which the contract lacks", "*: 200 answers with .data[].expires_at, which the contract lacks",
		"*: 200 answers with .starts_at, which the contract lacks", "*: 200 answers with .expires_at, which the contract lacks",
		"*: 201 answers with .starts_at, which the contract lacks", "*: 201 answers with .expires_at, which the contract lacks"),
	because("what is wrong with a role is told apart as for memberships, where the contract has a message alone",
		"*: code 422 invalid_role is only here", "*: code 422 sub_resource_scoped_role_not_allowed is only here", "*: code 422 role_resource_type_mismatch is only here"),
	because("what a group gives cannot be taken off a member (R140), and what a decision looks at stays bounded",
		"*: code 422 role_assigned_by_group is only here", "*: code 422 group_role_assignment_limit_exceeded is only here"),
	because("no groups of identity providers are mapped yet, so no mapping can be in the way",
		"DELETE /authorization/organizations/{organizationId}/roles/{slug}: code 409 role_has_group_role_mappings is only in the contract"),
	because("a permission that cannot take effect through a role is refused (R11), for which the contract has no code",
		"*: code 422 permission_resource_type_mismatch is only here"),
	because("a change of resources or types is one transaction: nobody meets it half done or waits for its lock (R217)",
		"*: code 400 lock_timeout is only in the contract", "*: code 409 resource_type_update_in_progress is only in the contract",
		"PATCH /authorization/resources/{resource_id}: status 409 is only in the contract",
		"PATCH /authorization/organizations/{organization_id}/resources/{resource_type_slug}/{external_id}: status 409 is only in the contract"),
	because("the contract names one thing in two ways; both are taken (C15)",
		"GET /authorization/resources: query parameter parent_resource_external_id is only here"),
	because("a deletion is complete when it is answered (C28)",
		"DELETE /organizations/{id}: status 202 is only in the contract"),
	because("no user is protected from deletion",
		"DELETE /user_management/users/{id}: status 409 is only in the contract"),
	because("a second active membership is a conflict, which the contract leaves open (R61, C17)",
		"POST /user_management/organization_memberships: status 409 is only here"),
	because("wrong parameters are 422 in all other operations of the contract (R154)",
		"GET /user_management/organization_memberships: code 400 invalid_request_parameters is only in the contract"),
	because("clients that follow events send no order and expect the oldest first (R156, C34)",
		"GET /events: query parameter order is string default asc asc|desc|normal, in the contract string default desc asc|desc|normal"),
	because("an event carries the object as the API shows it",
		"event organization.created: has allow_profiles_outside_organization, which the contract lacks",
		"event organization.updated: has allow_profiles_outside_organization, which the contract lacks",
		"event organization.deleted: has allow_profiles_outside_organization, which the contract lacks"),
	because("an environment has at most 50 webhook endpoints",
		"POST /webhook_endpoints: code 409 too_many_endpoints is only here"),
	because("an endpoint that keeps failing is disabled, and nobody else would tell",
		"event webhook_endpoint.disabled: is not part of the contract"),
	because("the contract names no limit, and what is stored must have one",
		"POST /webhook_endpoints: maxLength of endpoint_url is 2048, in the contract none", "PATCH /webhook_endpoints/{id}: maxLength of endpoint_url is 2048, in the contract none",
		"POST /organizations: maxLength of name is 256, in the contract none", "PUT /organizations/{id}: maxLength of name is 256, in the contract none",
		"PUT /organizations/{id}: maxLength of stripe_customer_id is 256, in the contract none",
		"POST /user_management/users: maxLength of name is 256, in the contract none", "PUT /user_management/users/{id}: maxLength of name is 256, in the contract none",
		"POST /user_management/users: maxLength of first_name is 256, in the contract none", "PUT /user_management/users/{id}: maxLength of first_name is 256, in the contract none",
		"POST /user_management/users: maxLength of last_name is 256, in the contract none", "PUT /user_management/users/{id}: maxLength of last_name is 256, in the contract none",
		"POST /user_management/users: maxLength of email is 254, in the contract none", "PUT /user_management/users/{id}: maxLength of email is 254, in the contract none",
		"PUT /user_management/users/{id}: maxLength of locale is 48, in the contract none"),
	because("extensions: a check says why when it is asked to, and memberships can be listed by role",
		"POST /authorization/organization_memberships/{organization_membership_id}/check: body field explain is only here",
		"POST /authorization/organization_memberships/{organization_membership_id}/check: 200 answers with .reason, which the contract lacks",
		"GET /user_management/organization_memberships: query parameter role_slug is only here"),
	because("extension: people are searched by how their e-mail address or name begins",
		"GET /user_management/users: query parameter search is only here",
		"GET /user_management/organization_memberships: query parameter search is only here"),
	because("an external id that is taken is a refusal of its own, as with organizations",
		"POST /user_management/users: code 400 external_id_already_used is only here"),
	because("users have no passwords here: password and password_hash are refused by name, what goes with them is ignored",
		"POST /user_management/users: body field password_hash_type is only in the contract", "PUT /user_management/users/{id}: body field password_hash_type is only in the contract",
		"POST /user_management/users: body field password_salt_position is only in the contract", "PUT /user_management/users/{id}: body field password_salt_position is only in the contract",
		"*: code 400 password_strength_error is only in the contract", "*: code 400 invalid_password_hash is only in the contract",
		"*: code 400 password_and_password_hash_provided is only in the contract", "*: code 400 password_and_password_hash_type_provided is only in the contract",
		"*: code 400 password_salt_position_requires_password_hash is only in the contract"),
	because("nothing here judges where a new user comes from",
		"POST /user_management/users: body field ip_address is only in the contract", "POST /user_management/users: body field user_agent is only in the contract",
		"POST /user_management/users: body field signals_id is only in the contract"),
	because("a malformed address is a wrong parameter, an address may be changed and set as verified, and a locale is kept as it is given",
		"PUT /user_management/users/{id}: code 400 email_already_verified is only in the contract", "PUT /user_management/users/{id}: code 400 email_change_not_allowed is only in the contract",
		"PUT /user_management/users/{id}: code 400 invalid_email is only in the contract", "PUT /user_management/users/{id}: code 400 invalid_locale is only in the contract"),
)

// because gives all differences one reason.
func because(reason string, differences ...string) map[string]string {
	all := map[string]string{}
	for _, d := range differences {
		all[d] = reason
	}
	return all
}

func joined(groups ...map[string]string) map[string]string {
	all := map[string]string{}
	for _, g := range groups {
		maps.Copy(all, g)
	}
	return all
}
