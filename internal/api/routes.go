package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/internal/event"
)

// Route is one operation of the API: how it is reached, what it takes and answers, and which refusals it has beside
// those that every route has. The OpenAPI document and the tests read this table; nothing else lists the operations.
type Route struct {
	Method     string
	Path       string
	Operation  string // name of the operation in the document
	Summary    string
	Tag        string
	Parameters []Parameter // of the query
	Body       any         // zero value of the body's struct; nil when none is read
	Status     int
	Answer     any // zero value of the answer's struct; nil when there is none
	Refusals   []Refusal
	CSV        bool // also answers as a CSV table
	Extension  bool // not part of the public contract
	ReadOnly   bool // a POST that changes nothing and keeps no receipt
	handle     handler
}

// Parameter is one parameter of the query.
type Parameter struct {
	Name     string
	Kind     string // string, integer, boolean or array
	Required bool
	Enum     []string
	Summary  string
}

// Refusal is a status with the codes that it can carry.
type Refusal struct {
	Status int
	Codes  []string
}

func refuse(status int, codes ...string) Refusal { return Refusal{Status: status, Codes: codes} }

// Mutates says whether the operation changes anything.
func (r Route) Mutates() bool { return r.Method != http.MethodGet && !r.ReadOnly }

// pathParameters lists the names in the path, in order.
func (r Route) pathParameters() []string {
	var names []string
	for _, segment := range strings.Split(r.Path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}

// previews says whether the route can say what it would do.
func (r Route) previews() bool {
	return slices.ContainsFunc(r.Parameters, func(p Parameter) bool { return p.Name == "preview" })
}

var paging = []Parameter{
	{Name: "limit", Kind: "integer", Summary: "Items in a page."},
	{Name: "order", Kind: "string", Enum: []string{"normal", "desc", "asc"}, Summary: "Order by creation. normal lists newest first with the meaning of before and after exchanged."},
	{Name: "before", Kind: "string", Summary: "Id of the item that the page ends before."},
	{Name: "after", Kind: "string", Summary: "Id of the item that the page begins after."},
}

func with(more ...Parameter) []Parameter { return append(append([]Parameter{}, paging...), more...) }

var (
	malformed = refuse(http.StatusBadRequest, "bad_request")
	invalid   = refuse(http.StatusUnprocessableEntity, "invalid_request_parameters")
	missing   = refuse(http.StatusNotFound, "entity_not_found")
	unfit     = refuse(http.StatusUnprocessableEntity, "invalid_request_parameters", "permission_resource_type_mismatch")
)

// Routes is the table of everything the API serves, but for the document itself and the health routes.
func Routes() []Route {
	var all []Route
	for _, group := range [][]Route{
		permissionRoutes(), roleRoutes(), organizationRoleRoutes(), policyRoutes(),
		changeRoutes(), organizationRoutes(), userRoutes(), membershipRoutes(), webhookRoutes(),
		resourceTypeRoutes(), resourceRoutes(), groupRoutes(), assignmentRoutes(), discoveryRoutes(), otherRoutes(),
	} {
		all = append(all, group...)
	}
	return all
}

func permissionRoutes() []Route {
	const path, tag = "/authorization/permissions", "permissions"
	system := refuse(http.StatusForbidden, "forbidden")
	return []Route{
		{Method: "GET", Path: path, Operation: "listPermissions", Summary: "List the permissions of the environment.", Tag: tag,
			Parameters: paging, Status: 200, Answer: List[event.Permission]{}, Refusals: []Refusal{invalid}, handle: answer(listPermissions, encodePermissions)},
		{Method: "POST", Path: path, Operation: "createPermission", Summary: "Create a permission.", Tag: tag, Body: NewPermission{},
			Status: 201, Answer: event.Permission{}, Refusals: []Refusal{malformed, missing, refuse(409, "permission_slug_conflict"), invalid},
			handle: action(createPermission, showPermission)},
		{Method: "GET", Path: path + "/{slug}", Operation: "getPermission", Summary: "Get a permission.", Tag: tag,
			Status: 200, Answer: event.Permission{}, Refusals: []Refusal{missing}, handle: action(getPermission, showPermission)},
		{Method: "PATCH", Path: path + "/{slug}", Operation: "updatePermission", Summary: "Change the name or description of a permission.", Tag: tag,
			Body: Details{}, Status: 200, Answer: event.Permission{}, Refusals: []Refusal{malformed, system, missing, invalid},
			handle: action(updatePermission, showPermission)},
		{Method: "DELETE", Path: path + "/{slug}", Operation: "deletePermission", Summary: "Delete a permission and take it off every role.", Tag: tag,
			Parameters: previewing, Status: 204, Refusals: []Refusal{system, missing}, handle: previewed(supposeDeletePermission, remove(deletePermission))},
	}
}

func roleRoutes() []Route {
	const path, tag = "/authorization/roles", "environment roles"
	return []Route{
		{Method: "GET", Path: path, Operation: "listRoles", Summary: "List the environment roles, highest priority first.", Tag: tag,
			Status: 200, Answer: RoleList{}, handle: answer(listRoles, encodeRoles)},
		{Method: "POST", Path: path, Operation: "createRole", Summary: "Create an environment role, at the bottom of the priority order.", Tag: tag, Body: NewRole{},
			Status: 201, Answer: Role{}, Refusals: []Refusal{malformed, missing, refuse(409, "role_slug_conflict"), unfit}, handle: action(createRole, showRole)},
		{Method: "GET", Path: path + "/{slug}", Operation: "getRole", Summary: "Get an environment role.", Tag: tag,
			Status: 200, Answer: Role{}, Refusals: []Refusal{missing}, handle: action(getRole, showRole)},
		{Method: "PATCH", Path: path + "/{slug}", Operation: "updateRole", Summary: "Change the name or description of an environment role.", Tag: tag,
			Body: Details{}, Status: 200, Answer: Role{}, Refusals: []Refusal{malformed, missing, invalid}, handle: action(updateRole, showRole)},
		{Method: "DELETE", Path: path + "/{slug}", Operation: "deleteRole", Summary: "Delete an environment role that nobody holds and that is nobody's default.", Tag: tag,
			Status: 204, Refusals: []Refusal{refuse(403, "role_not_deletable"), missing, refuse(409, "role_has_assignments", "role_is_default")},
			Extension: true, handle: remove(deleteRole)},
		{Method: "PUT", Path: path + "/{slug}/permissions", Operation: "setRolePermissions", Summary: "Replace the permissions of an environment role.", Tag: tag,
			Parameters: previewing, Body: RolePermissions{}, Status: 200, Answer: Role{}, Refusals: []Refusal{malformed, missing, unfit}, handle: previewed(supposeSetPermissions, action(setRolePermissions, showRole))},
		{Method: "POST", Path: path + "/{slug}/permissions", Operation: "addRolePermission", Summary: "Add a permission to an environment role.", Tag: tag,
			Parameters: previewing, Body: RolePermission{}, Status: 200, Answer: Role{}, Refusals: []Refusal{malformed, missing, unfit}, handle: previewed(supposeAddPermission, action(addRolePermission, showRole))},
		{Method: "DELETE", Path: path + "/{slug}/permissions/{permissionSlug}", Operation: "removeRolePermission", Summary: "Take a permission off an environment role.", Tag: tag,
			Parameters: previewing, Status: 200, Answer: Role{}, Refusals: []Refusal{missing}, Extension: true, handle: previewed(supposeRemovePermission, action(removeRolePermission, showRole))},
	}
}

func organizationRoleRoutes() []Route {
	const path, tag = "/authorization/organizations/{organizationId}/roles", "custom roles"
	return []Route{
		{Method: "GET", Path: path, Operation: "listOrganizationRoles", Summary: "List the roles available to an organization, its own and the environment's, highest priority first.", Tag: tag,
			Status: 200, Answer: RoleList{}, Refusals: []Refusal{missing}, handle: answer(listRoles, encodeRoles)},
		{Method: "POST", Path: path, Operation: "createOrganizationRole", Summary: "Create a custom role, at the bottom of the organization's priority order.", Tag: tag, Body: NewOrganizationRole{},
			Status: 201, Answer: Role{}, Refusals: []Refusal{malformed, missing, refuse(409, "organization_role_slug_conflict"), unfit}, handle: action(createOrganizationRole, showRole)},
		{Method: "GET", Path: path + "/{slug}", Operation: "getOrganizationRole", Summary: "Get a role available to an organization, of either kind.", Tag: tag,
			Status: 200, Answer: Role{}, Refusals: []Refusal{missing}, handle: action(getRole, showRole)},
		{Method: "PATCH", Path: path + "/{slug}", Operation: "updateOrganizationRole", Summary: "Change the name or description of a custom role.", Tag: tag,
			Body: Details{}, Status: 200, Answer: Role{}, Refusals: []Refusal{malformed, missing, invalid}, handle: action(updateRole, showRole)},
		{Method: "DELETE", Path: path + "/{slug}", Operation: "deleteOrganizationRole", Summary: "Delete a custom role that nobody holds and that is not the default.", Tag: tag,
			Status: 204, Refusals: []Refusal{malformed, missing, refuse(409, "role_has_assignments")}, handle: remove(deleteRole)},
		{Method: "PUT", Path: path + "/{slug}/permissions", Operation: "setOrganizationRolePermissions", Summary: "Replace the permissions of a custom role.", Tag: tag,
			Parameters: previewing, Body: RolePermissions{}, Status: 200, Answer: Role{}, Refusals: []Refusal{malformed, missing, unfit}, handle: previewed(supposeSetPermissions, action(setRolePermissions, showRole))},
		{Method: "POST", Path: path + "/{slug}/permissions", Operation: "addOrganizationRolePermission", Summary: "Add a permission to a custom role.", Tag: tag,
			Parameters: previewing, Body: RolePermission{}, Status: 200, Answer: Role{}, Refusals: []Refusal{malformed, missing, unfit}, handle: previewed(supposeAddPermission, action(addRolePermission, showRole))},
		{Method: "DELETE", Path: path + "/{slug}/permissions/{permissionSlug}", Operation: "removeOrganizationRolePermission", Summary: "Take a permission off a custom role.", Tag: tag,
			Parameters: previewing, Status: 200, Answer: Role{}, Refusals: []Refusal{missing}, handle: previewed(supposeRemovePermission, action(removeRolePermission, showRole))},
		{Method: "GET", Path: "/organizations/{organizationId}/roles", Operation: "listOrganizationRolesLegacy", Summary: "Former path of listOrganizationRoles, which older SDKs use.", Tag: tag,
			Status: 200, Answer: RoleList{}, Refusals: []Refusal{missing}, Extension: true, handle: answer(listRoles, encodeRoles)},
	}
}

func policyRoutes() []Route {
	const tag = "default and priority"
	var routes []Route
	for _, owner := range []struct {
		path, noun, operation string
		refusals              []Refusal
	}{
		{"/authorization", "the environment", "", []Refusal{}},
		{"/authorization/organizations/{organizationId}", "an organization", "Organization", []Refusal{missing}},
	} {
		changing := append([]Refusal{malformed}, owner.refusals...)
		if owner.operation != "" {
			changing = append(changing, refuse(409, "organization_has_no_custom_roles"))
		}
		changing = slices.Clip(changing) // two routes go on from it
		routes = append(routes,
			Route{Method: "GET", Path: owner.path + "/default_role", Operation: "get" + owner.operation + "DefaultRole", Summary: "Get the default role of " + owner.noun + ".", Tag: tag,
				Status: 200, Answer: DefaultRole{}, Refusals: owner.refusals, Extension: true, handle: action(getPolicy, showDefault)},
			Route{Method: "PUT", Path: owner.path + "/default_role", Operation: "set" + owner.operation + "DefaultRole", Summary: "Choose the default role of " + owner.noun + ". Present memberships keep what they have.", Tag: tag,
				Parameters: previewing, Body: NewDefaultRole{}, Status: 200, Answer: DefaultRole{}, Refusals: append(changing, refuse(422, "invalid_request_parameters", "invalid_role", "sub_resource_scoped_role_not_allowed")),
				Extension: true, handle: previewed(supposeDefault, action(setDefault, showDefault))},
			Route{Method: "GET", Path: owner.path + "/role_priority", Operation: "get" + owner.operation + "RolePriority", Summary: "Get the priority order of the roles of " + owner.noun + ".", Tag: tag,
				Status: 200, Answer: RolePriority{}, Refusals: owner.refusals, Extension: true, handle: action(getPolicy, showPriority)},
			Route{Method: "PUT", Path: owner.path + "/role_priority", Operation: "set" + owner.operation + "RolePriority", Summary: "Replace the priority order of the roles of " + owner.noun + ".", Tag: tag,
				Parameters: previewing, Body: NewRolePriority{}, Status: 200, Answer: RolePriority{}, Refusals: append(changing, invalid), Extension: true, handle: previewed(supposePriority, action(setPriority, showPriority))},
		)
	}
	return routes
}
