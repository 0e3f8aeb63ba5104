package authz

import (
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// Resource is a thing in an organization on which roles can be held, such as a project. Its parent is another resource
// or, directly below the organization, the organization's own resource, which exists with the organization and has no
// row (R202, R203).
type Resource struct {
	ID           id.Resource
	Environment  id.Environment
	Organization id.Organization
	Type         string
	ExternalID   string // unique in organization and type, 1 to MaxExternalID ASCII characters, never changes (R204)
	Name         string
	Description  *string
	Parent       id.Resource
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// OrganizationResource is the id of the implicit resource of an organization (R202).
func OrganizationResource(org id.Organization) id.Resource { return id.Retype[id.Resource](org) }

// ResourceFilter narrows a list of resources. Zero values do not narrow; Organization or Type must be set.
type ResourceFilter struct {
	Organization id.Organization
	Type         string
	ExternalID   string
	Parent       id.Resource
}

// ResourceReader finds resources and their types.
type ResourceReader interface {
	Resource(env id.Environment, r id.Resource) (found Resource, ok bool, err error)
	ResourceByExternalID(org id.Organization, resourceType, externalID string) (found Resource, ok bool, err error)
	Resources(env id.Environment, f ResourceFilter, r page.Request) (page.Page[Resource], error)
	ResourcesByID(org id.Organization, rs []id.Resource) ([]Resource, error)
	// Ancestors finds the ancestors of resources of one organization, below the organization itself, nearest first.
	Ancestors(org id.Organization, rs []Resource) (map[id.Resource][]Resource, error)
	// Descendants lists at most max resources below one, parents before children.
	Descendants(r Resource, max int) ([]Resource, error)
	ResourceTypes(env id.Environment) ([]ResourceType, error)
	// ResourceTypeUse counts, up to MaxUse, what needs a type: resources, roles and permissions.
	ResourceTypeUse(env id.Environment, slug string) (int, error)
	// ResourcesBetween counts, up to MaxUse, the resources of one type whose parent is of another.
	ResourcesBetween(env id.Environment, parentType, childType string) (int, error)
}

// ResourceWriter stores resources and their types.
type ResourceWriter interface {
	InsertResource(Resource) error
	// UpdateResource stores name, description, parent and updated_at.
	UpdateResource(Resource) error
	// DeleteResources removes resources of one organization and the assignments on them.
	DeleteResources(org id.Organization, rs []id.Resource) error
	InsertResourceType(ResourceType) error
	// UpdateResourceType stores name, description, parents and updated_at.
	UpdateResourceType(ResourceType) error
	DeleteResourceType(ResourceType) error
}

// ownedResource finds a resource that has a row: by its id in the environment when org is empty, else by external id
// and type in that organization. The organization's own resource is found and refused, because nothing can be done to
// it (R202).
func ownedResource(r Reader, c Caller, org id.Organization, ref ResourceRef) (Resource, error) {
	name := string(ref.ID)
	var found Resource
	var ok bool
	var err error
	if ref.ID != "" {
		found, ok, err = r.Resource(c.Environment, ref.ID)
	} else {
		name = ref.ExternalID
		found, ok, err = r.ResourceByExternalID(org, ref.ResourceType, ref.ExternalID)
		ok = ok && found.Environment == c.Environment
	}
	if err != nil {
		return Resource{}, err
	}
	if !ok || !c.sees(found.Organization) {
		return Resource{}, fault.Missing("Resource", name)
	}
	return found, nil
}
