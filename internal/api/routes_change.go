package api

// changeRoutes is what manages roles beyond the contract: deletion of roles in use, the mode, and the jobs that follow.
func changeRoutes() []Route {
	const tag = "managing changes"
	needed := refuse(409, "replacement_default_required")
	unfit := refuse(422, "invalid_request_parameters", "sub_resource_scoped_role_not_allowed")
	return []Route{
		{Method: "POST", Path: "/authorization/roles/{slug}/deletion", Operation: "removeRole", Summary: "Delete an environment role that may be in use, saying what takes its place.", Tag: tag,
			Parameters: previewing, Body: RoleDeletion{}, Status: 202, Answer: Job{}, Refusals: []Refusal{malformed, refuse(403, "role_not_deletable"), missing, needed, unfit},
			Extension: true, handle: previewed(supposeRemoveRole, action(removeRole, showJob))},
		{Method: "POST", Path: "/authorization/organizations/{organizationId}/roles/{slug}/deletion", Operation: "removeOrganizationRole", Summary: "Delete a custom role that may be in use, saying what takes its place.", Tag: tag,
			Parameters: previewing, Body: RoleDeletion{}, Status: 202, Answer: Job{}, Refusals: []Refusal{malformed, missing, needed, unfit},
			Extension: true, handle: previewed(supposeRemoveRole, action(removeRole, showJob))},
		{Method: "GET", Path: "/authorization/settings", Operation: "getAuthorizationSettings", Summary: "Get how roles work in the environment.", Tag: tag,
			Status: 200, Answer: Settings{}, Extension: true, handle: action(getSettings, showSettings)},
		{Method: "PUT", Path: "/authorization/settings", Operation: "setAuthorizationSettings", Summary: "Switch multiple roles on or off.", Tag: tag,
			Parameters: previewing, Body: NewSettings{}, Status: 200, Answer: Settings{}, Refusals: []Refusal{malformed, refuse(409, "mode_change_in_progress"), invalid},
			Extension: true, handle: previewed(supposeSettings, action(setSettings, showSettings))},
		{Method: "GET", Path: "/authorization/jobs", Operation: "listJobs", Summary: "List work that follows changes; finished jobs for 30 days.", Tag: tag,
			Parameters: paging, Status: 200, Answer: List[Job]{}, Refusals: []Refusal{invalid}, Extension: true, handle: action(listJobs, shown(jobBody))},
		{Method: "GET", Path: "/authorization/jobs/{id}", Operation: "getJob", Summary: "Get a job with its progress.", Tag: tag,
			Status: 200, Answer: Job{}, Refusals: []Refusal{missing}, Extension: true, handle: action(getJob, showJob)},
	}
}
