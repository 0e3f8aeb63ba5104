package api

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/web"
)

// NewPermission is the body that creates a permission.
type NewPermission struct {
	Slug             web.Field[string] `json:"slug" required:"true" maxLength:"48" doc:"Matched literally by checks; cannot be changed later." example:"invoices:read"`
	Name             web.Field[string] `json:"name" required:"true" maxLength:"48" example:"Read invoices"`
	Description      web.Field[string] `json:"description" nullable:"true" maxLength:"150" example:"Sees invoices"`
	ResourceTypeSlug web.Field[string] `json:"resource_type_slug" maxLength:"48" doc:"Slug of the resource type that it is made for; defaults to organization." example:"organization"`
}

func permissionBody(p authz.Permission) event.Permission { return p.Payload() }

func showPermission(p authz.Permission) any { return p.Payload() }

func createPermission(r *request) (authz.Permission, error) {
	in, err := web.Decode[NewPermission](r.body)
	if err != nil {
		return authz.Permission{}, err
	}
	return r.api.rules.CreatePermission(r.Context(), r.caller, authz.NewPermission{
		Slug: in.Slug.Value, Name: in.Name.Value, Description: web.Text(in.Description).Value, ResourceType: in.ResourceTypeSlug.Opt(),
	})
}

func listPermissions(r *request) (page.Page[authz.Permission], error) {
	p, err := pageOf[id.Permission](r, page.Desc)
	if err != nil {
		return page.Page[authz.Permission]{}, err
	}
	return r.api.rules.ListPermissions(r.Context(), r.caller, p)
}

func getPermission(r *request) (authz.Permission, error) {
	return r.api.rules.Permission(r.Context(), r.caller, r.PathValue("slug"))
}

func updatePermission(r *request) (authz.Permission, error) {
	in, err := web.Decode[Details](r.body)
	if err != nil {
		return authz.Permission{}, err
	}
	return r.api.rules.UpdatePermission(r.Context(), r.caller, r.PathValue("slug"), details(in))
}

func deletePermission(r *request) error {
	return r.api.rules.DeletePermission(r.Context(), r.caller, r.PathValue("slug"))
}

func supposeDeletePermission(r *request) (authz.Supposition, error) {
	return authz.SupposeDeletePermission(r.PathValue("slug")), nil
}
