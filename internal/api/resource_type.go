package api

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/web"
)

// ResourceType is a resource type as the API shows it.
type ResourceType struct {
	Object                  string     `json:"object" const:"resource_type"`
	Slug                    string     `json:"slug"`
	Name                    string     `json:"name"`
	Description             *string    `json:"description"`
	ParentResourceTypeSlugs []string   `json:"parent_resource_type_slugs"`
	CreatedAt               event.Time `json:"created_at"`
	UpdatedAt               event.Time `json:"updated_at"`
}

// ResourceTypeList is all resource types by slug. It has no pages and no list_metadata.
type ResourceTypeList struct {
	Object string         `json:"object" const:"list"`
	Data   []ResourceType `json:"data"`
}

// NewResourceType is the body that creates a resource type.
type NewResourceType struct {
	Slug                    web.Field[string]   `json:"slug" required:"true" maxLength:"48" doc:"Unique in the environment; cannot be changed later. organization is built in." example:"project"`
	Name                    web.Field[string]   `json:"name" required:"true" maxLength:"48" example:"Project"`
	Description             web.Field[string]   `json:"description" nullable:"true" maxLength:"150" example:"What a team works on"`
	ParentResourceTypeSlugs web.Field[[]string] `json:"parent_resource_type_slugs" doc:"Types below whose resources those of this type can lie. Defaults to organization alone." example:"workspace"`
}

// ResourceTypeChange is the body that changes a resource type. Absent keys leave things as they are.
type ResourceTypeChange struct {
	Name                    web.Field[string]   `json:"name" maxLength:"48" example:"Project"`
	Description             web.Field[string]   `json:"description" nullable:"true" maxLength:"150" doc:"null clears it." example:"What a team works on"`
	ParentResourceTypeSlugs web.Field[[]string] `json:"parent_resource_type_slugs" doc:"Replaces the whole list." example:"workspace"`
}

func resourceTypeBody(t authz.ResourceType) ResourceType {
	return ResourceType{
		Object: "resource_type", Slug: t.Slug, Name: t.Name, Description: t.Description, ParentResourceTypeSlugs: t.Parents,
		CreatedAt: event.Time(t.CreatedAt), UpdatedAt: event.Time(t.UpdatedAt),
	}
}

func showResourceType(t authz.ResourceType) any { return resourceTypeBody(t) }

func showResourceTypes(types []authz.ResourceType) any {
	l := ResourceTypeList{Object: "list", Data: make([]ResourceType, len(types))}
	for i, t := range types {
		l.Data[i] = resourceTypeBody(t)
	}
	return l
}

func createResourceType(r *request) (authz.ResourceType, error) {
	in, err := web.Decode[NewResourceType](r.body)
	if err != nil {
		return authz.ResourceType{}, err
	}
	return r.api.rules.CreateResourceType(r.Context(), r.caller, authz.NewResourceType{
		Slug: in.Slug.Value, Name: in.Name.Value, Description: web.Text(in.Description).Value, Parents: in.ParentResourceTypeSlugs.Opt(),
	})
}

func listResourceTypes(r *request) ([]authz.ResourceType, error) {
	return r.api.rules.ListResourceTypes(r.Context(), r.caller)
}

func getResourceType(r *request) (authz.ResourceType, error) {
	return r.api.rules.ResourceType(r.Context(), r.caller, r.PathValue("slug"))
}

func updateResourceType(r *request) (authz.ResourceType, error) {
	in, err := web.Decode[ResourceTypeChange](r.body)
	if err != nil {
		return authz.ResourceType{}, err
	}
	return r.api.rules.UpdateResourceType(r.Context(), r.caller, r.PathValue("slug"), authz.ResourceTypeChange{
		Details: authz.Details{Name: in.Name.Opt(), Description: web.Text(in.Description)}, Parents: in.ParentResourceTypeSlugs.Opt(),
	})
}

func deleteResourceType(r *request) error {
	return r.api.rules.DeleteResourceType(r.Context(), r.caller, r.PathValue("slug"))
}
