package api

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/web"
)

// Resource is a resource as the API shows it. Only an organization's own has no parent (R202).
type Resource struct {
	Object           string          `json:"object" const:"authorization_resource"`
	ID               id.Resource     `json:"id"`
	ExternalID       string          `json:"external_id"`
	Name             string          `json:"name"`
	Description      *string         `json:"description"`
	ResourceTypeSlug string          `json:"resource_type_slug"`
	OrganizationID   id.Organization `json:"organization_id"`
	ParentResourceID *string         `json:"parent_resource_id"`
	CreatedAt        event.Time      `json:"created_at"`
	UpdatedAt        event.Time      `json:"updated_at"`
}

// NewResource is the body that creates a resource.
type NewResource struct {
	ExternalID               web.Field[string] `json:"external_id" required:"true" maxLength:"128" pattern:"^[\\x01-\\x7F]+$" doc:"Your own id, unique in organization and type; cannot be changed later." example:"proj-456"`
	Name                     web.Field[string] `json:"name" required:"true" maxLength:"48" example:"Website redesign"`
	Description              web.Field[string] `json:"description" nullable:"true" maxLength:"150" example:"The new company site"`
	ResourceTypeSlug         web.Field[string] `json:"resource_type_slug" required:"true" example:"project"`
	OrganizationID           web.Field[string] `json:"organization_id" required:"true"`
	ParentResourceID         web.Field[string] `json:"parent_resource_id" nullable:"true" doc:"Excludes the other two. Without a parent, the organization's own resource is it."`
	ParentResourceExternalID web.Field[string] `json:"parent_resource_external_id" doc:"Goes with parent_resource_type_slug." example:"workspace-1"`
	ParentResourceTypeSlug   web.Field[string] `json:"parent_resource_type_slug" example:"workspace"`
}

// ResourceChange is the body that changes a resource. Absent keys leave things as they are.
type ResourceChange struct {
	Name                     web.Field[string] `json:"name" maxLength:"48" example:"Website redesign"`
	Description              web.Field[string] `json:"description" nullable:"true" maxLength:"150" doc:"null clears it." example:"The new company site"`
	ParentResourceID         web.Field[string] `json:"parent_resource_id" nullable:"true" doc:"Excludes the other two. null puts the resource directly below the organization."`
	ParentResourceExternalID web.Field[string] `json:"parent_resource_external_id" doc:"Goes with parent_resource_type_slug." example:"workspace-1"`
	ParentResourceTypeSlug   web.Field[string] `json:"parent_resource_type_slug" example:"workspace"`
}

func resourceBody(r authz.Resource) Resource {
	return Resource{
		Object: "authorization_resource", ID: r.ID, ExternalID: r.ExternalID, Name: r.Name, Description: r.Description,
		ResourceTypeSlug: r.Type, OrganizationID: r.Organization, ParentResourceID: optional(string(r.Parent)),
		CreatedAt: event.Time(r.CreatedAt), UpdatedAt: event.Time(r.UpdatedAt),
	}
}

func showResource(r authz.Resource) any { return resourceBody(r) }

// parentRef reads which parent a body names, if any: by id, where null stands for the organization itself, or by
// external id and type.
func parentRef(resource, externalID, kind web.Field[string]) (authz.Opt[authz.ResourceRef], error) {
	none := authz.Opt[authz.ResourceRef]{}
	switch {
	case resource.Set && (externalID.Set || kind.Set):
		return none, fault.BadField("parent_resource_id", "cannot be combined with parent_resource_external_id and parent_resource_type_slug")
	case externalID.Set != kind.Set:
		return none, fault.BadField("parent_resource_external_id", "and parent_resource_type_slug must be given together")
	case externalID.Set && (externalID.Value == "" || kind.Value == ""):
		return none, fault.BadField("parent_resource_external_id", "and parent_resource_type_slug must not be empty")
	case externalID.Set:
		return authz.Some(authz.ResourceRef{ExternalID: externalID.Value, ResourceType: kind.Value}), nil
	case !resource.Set:
		return none, nil
	case resource.Null:
		return authz.Some(authz.ResourceRef{}), nil
	}
	parent, ok := id.Parse[id.Resource](resource.Value)
	if !ok {
		return none, fault.Missing("Resource", resource.Value)
	}
	return authz.Some(authz.ResourceRef{ID: parent}), nil
}

func createResource(r *request) (authz.Resource, error) {
	in, err := web.Decode[NewResource](r.body)
	if err != nil {
		return authz.Resource{}, err
	}
	parent, err := parentRef(in.ParentResourceID, in.ParentResourceExternalID, in.ParentResourceTypeSlug)
	if err != nil {
		return authz.Resource{}, err
	}
	org, ok := id.Parse[id.Organization](in.OrganizationID.Value)
	if !ok {
		return authz.Resource{}, fault.Missing("Organization", in.OrganizationID.Value)
	}
	return r.api.rules.CreateResource(r.Context(), r.caller, authz.NewResource{
		Organization: org, Type: in.ResourceTypeSlug.Value, ExternalID: in.ExternalID.Value, Name: in.Name.Value,
		Description: web.Text(in.Description).Value, Parent: parent.Value,
	})
}

func listResources(r *request) (page.Page[authz.Resource], error) {
	p, err := pageOf[id.Resource](r, page.Desc)
	if err != nil {
		return page.Page[authz.Resource]{}, err
	}
	parent, err := r.parentFilter()
	if err != nil {
		return page.Page[authz.Resource]{}, err
	}
	f := authz.ResourceFilter{
		Organization: id.Organization(r.query.Get("organization_id")), Type: r.query.Get("resource_type_slug"),
		ExternalID: r.query.Get("resource_external_id"),
	}
	return r.api.rules.ListResources(r.Context(), r.caller, f, parent, p)
}

// parentFilter reads which parent a list is narrowed to. Its external id goes by either name (C15).
func (r *request) parentFilter() (authz.ResourceRef, error) {
	ref := authz.ResourceRef{
		ID: id.Resource(r.query.Get("parent_resource_id")), ExternalID: r.query.Get("parent_external_id"),
		ResourceType: r.query.Get("parent_resource_type_slug"),
	}
	if other := r.query.Get("parent_resource_external_id"); ref.ExternalID == "" {
		ref.ExternalID = other
	} else if other != "" {
		return ref, fault.BadField("parent_external_id", "cannot be combined with parent_resource_external_id, which means the same")
	}
	switch {
	case ref.ID != "" && (ref.ExternalID != "" || ref.ResourceType != ""):
		return ref, fault.BadField("parent_resource_id", "cannot be combined with parent_external_id and parent_resource_type_slug")
	case (ref.ExternalID != "") != (ref.ResourceType != ""):
		return ref, fault.BadField("parent_external_id", "and parent_resource_type_slug must be given together")
	}
	return ref, nil
}

// resourcePath reads which resource the path names: by id, or by external id and type.
func (r *request) resourcePath() (authz.ResourceRef, error) {
	if r.PathValue("resource_id") == "" {
		return authz.ResourceRef{ExternalID: r.PathValue("external_id"), ResourceType: r.PathValue("resource_type_slug")}, nil
	}
	resource, err := pathID[id.Resource](r, "resource_id", "Resource")
	return authz.ResourceRef{ID: resource}, err
}

func getResource(r *request) (authz.Resource, error) {
	ref, err := r.resourcePath()
	if err != nil {
		return authz.Resource{}, err
	}
	return r.api.rules.Resource(r.Context(), r.caller, r.org, ref)
}

func updateResource(r *request) (authz.Resource, error) {
	ref, err := r.resourcePath()
	if err != nil {
		return authz.Resource{}, err
	}
	in, err := web.Decode[ResourceChange](r.body)
	if err != nil {
		return authz.Resource{}, err
	}
	parent, err := parentRef(in.ParentResourceID, in.ParentResourceExternalID, in.ParentResourceTypeSlug)
	if err != nil {
		return authz.Resource{}, err
	}
	return r.api.rules.UpdateResource(r.Context(), r.caller, r.org, ref, authz.ResourceChange{
		Details: authz.Details{Name: in.Name.Opt(), Description: web.Text(in.Description)}, Parent: parent,
	})
}

func deleteResource(r *request) error {
	ref, cascade, err := r.resourceDeletion()
	if err != nil {
		return err
	}
	return r.api.rules.DeleteResource(r.Context(), r.caller, r.org, ref, cascade)
}

func supposeDeleteResource(r *request) (authz.Supposition, error) {
	ref, cascade, err := r.resourceDeletion()
	return authz.SupposeDeleteResource(r.org, ref, cascade), err
}

func (r *request) resourceDeletion() (ref authz.ResourceRef, cascade bool, err error) {
	if ref, err = r.resourcePath(); err != nil {
		return ref, false, err
	}
	cascade, err = r.flag("cascade_delete")
	return ref, cascade, err
}

// flag reads a parameter that is true or false, and false when absent. Nothing else stands for either, and a second
// value is refused: what it says may not be undone.
func (r *request) flag(name string) (bool, error) {
	values := r.query[name]
	if len(values) == 0 {
		return false, nil
	}
	if len(values) > 1 || values[0] != "true" && values[0] != "false" {
		return false, fault.BadField(name, "must be true or false")
	}
	return values[0] == "true", nil
}
