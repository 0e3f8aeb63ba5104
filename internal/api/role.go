package api

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/web"
)

// Role is a role as the API shows it. Default and priority are not part of it (semantics 1.2).
type Role struct {
	Object           string     `json:"object" const:"role"`
	ID               id.Role    `json:"id"`
	Slug             string     `json:"slug"`
	Name             string     `json:"name"`
	Description      *string    `json:"description"`
	Type             string     `json:"type" enum:"EnvironmentRole,OrganizationRole"`
	ResourceTypeSlug string     `json:"resource_type_slug"`
	Permissions      []string   `json:"permissions"`
	CreatedAt        event.Time `json:"created_at"`
	UpdatedAt        event.Time `json:"updated_at"`
}

// RoleList is a list of roles in priority order. It has no pages and no list_metadata.
type RoleList struct {
	Object string `json:"object" const:"list"`
	Data   []Role `json:"data"`
}

// NewRole is the body that creates an environment role.
type NewRole struct {
	Slug             web.Field[string]   `json:"slug" required:"true" maxLength:"48" doc:"Unique in the environment; cannot be changed later." example:"billing-admin"`
	Name             web.Field[string]   `json:"name" required:"true" maxLength:"48" example:"Billing admin"`
	Description      web.Field[string]   `json:"description" nullable:"true" maxLength:"150" example:"Sees and pays invoices"`
	ResourceTypeSlug web.Field[string]   `json:"resource_type_slug" maxLength:"48" doc:"Slug of the resource type that it is made for; defaults to organization." example:"organization"`
	Permissions      web.Field[[]string] `json:"permissions" doc:"What the role holds from the beginning, by slug; nothing when absent." example:"invoices:read"`
}

// NewOrganizationRole is the body that creates a custom role.
type NewOrganizationRole struct {
	Slug             web.Field[string]   `json:"slug" maxLength:"48" doc:"Must begin with org-. Generated from the name when absent." example:"org-billing-admin"`
	Name             web.Field[string]   `json:"name" required:"true" maxLength:"48" example:"Billing admin"`
	Description      web.Field[string]   `json:"description" nullable:"true" maxLength:"150" example:"Sees and pays invoices"`
	ResourceTypeSlug web.Field[string]   `json:"resource_type_slug" maxLength:"48" doc:"Slug of the resource type that it is made for; defaults to organization." example:"organization"`
	Permissions      web.Field[[]string] `json:"permissions" doc:"What the role holds from the beginning, by slug; nothing when absent." example:"invoices:read"`
}

// Details is the body that renames a role or permission.
type Details struct {
	Name        web.Field[string] `json:"name" maxLength:"48" example:"Billing"`
	Description web.Field[string] `json:"description" nullable:"true" maxLength:"150" doc:"null clears it." example:"Pays"`
}

// RolePermissions is the body that replaces the permissions of a role.
type RolePermissions struct {
	Permissions web.Field[[]string] `json:"permissions" required:"true" doc:"The whole set, by slug. An empty list clears it." example:"invoices:read"`
}

// RolePermission is the body that adds one permission to a role.
type RolePermission struct {
	Slug web.Field[string] `json:"slug" required:"true" doc:"Slug of the permission." example:"invoices:read"`
}

func showRole(r authz.Role) any { return roleBody(r) }

func roleBody(r authz.Role) Role {
	kind := "EnvironmentRole"
	if r.Custom() {
		kind = "OrganizationRole"
	}
	return Role{
		Object: "role", ID: r.ID, Slug: r.Slug, Name: r.Name, Description: r.Description, Type: kind,
		ResourceTypeSlug: r.ResourceType, Permissions: r.Permissions,
		CreatedAt: event.Time(r.CreatedAt), UpdatedAt: event.Time(r.UpdatedAt),
	}
}

func details(d Details) authz.Details {
	return authz.Details{Name: d.Name.Opt(), Description: web.Text(d.Description)}
}

func createRole(r *request) (authz.Role, error) {
	in, err := web.Decode[NewRole](r.body)
	if err != nil {
		return authz.Role{}, err
	}
	return r.api.rules.CreateRole(r.Context(), r.caller, "", authz.NewRole{
		Slug: in.Slug.Opt(), Name: in.Name.Value, Description: web.Text(in.Description).Value, ResourceType: in.ResourceTypeSlug.Opt(),
		Permissions: in.Permissions.Opt(),
	})
}

func createOrganizationRole(r *request) (authz.Role, error) {
	in, err := web.Decode[NewOrganizationRole](r.body)
	if err != nil {
		return authz.Role{}, err
	}
	return r.api.rules.CreateRole(r.Context(), r.caller, r.org, authz.NewRole{
		Slug: in.Slug.Opt(), Name: in.Name.Value, Description: web.Text(in.Description).Value, ResourceType: in.ResourceTypeSlug.Opt(),
		Permissions: in.Permissions.Opt(),
	})
}

func listRoles(r *request) ([]authz.Role, error) {
	p, err := r.api.decisions.Policy(r.Context(), r.caller, r.org)
	return p.Roles, err
}

func getRole(r *request) (authz.Role, error) {
	return r.api.rules.Role(r.Context(), r.caller, r.org, r.PathValue("slug"))
}

func updateRole(r *request) (authz.Role, error) {
	in, err := web.Decode[Details](r.body)
	if err != nil {
		return authz.Role{}, err
	}
	return r.api.rules.UpdateRole(r.Context(), r.caller, r.org, r.PathValue("slug"), details(in))
}

func deleteRole(r *request) error {
	return r.api.rules.DeleteRole(r.Context(), r.caller, r.org, r.PathValue("slug"))
}

func setRolePermissions(r *request) (authz.Role, error) { return editPermissions(r, setEdit) }

func addRolePermission(r *request) (authz.Role, error) { return editPermissions(r, addEdit) }

func removeRolePermission(r *request) (authz.Role, error) { return editPermissions(r, removeEdit) }

func supposeSetPermissions(r *request) (authz.Supposition, error) { return supposeEdit(r, setEdit) }

func supposeAddPermission(r *request) (authz.Supposition, error) { return supposeEdit(r, addEdit) }

func supposeRemovePermission(r *request) (authz.Supposition, error) {
	return supposeEdit(r, removeEdit)
}

func setEdit(r *request) (authz.PermissionEdit, error) {
	in, err := web.Decode[RolePermissions](r.body)
	return authz.PermissionEdit{Set: in.Permissions.Opt()}, err
}

func addEdit(r *request) (authz.PermissionEdit, error) {
	in, err := web.Decode[RolePermission](r.body)
	if err == nil && in.Slug.Value == "" {
		err = fault.Missing("Permission", "")
	}
	return authz.PermissionEdit{Add: in.Slug.Value}, err
}

func removeEdit(r *request) (authz.PermissionEdit, error) {
	return authz.PermissionEdit{Remove: r.PathValue("permissionSlug")}, nil
}

func editPermissions(r *request, read func(*request) (authz.PermissionEdit, error)) (authz.Role, error) {
	edit, err := read(r)
	if err != nil {
		return authz.Role{}, err
	}
	return r.api.rules.EditRolePermissions(r.Context(), r.caller, r.org, r.PathValue("slug"), edit)
}

func supposeEdit(r *request, read func(*request) (authz.PermissionEdit, error)) (authz.Supposition, error) {
	edit, err := read(r)
	return authz.SupposeRolePermissions(r.org, r.PathValue("slug"), edit), err
}
