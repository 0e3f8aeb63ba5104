package authz

import (
	"context"
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// Resource is a thing in an organization on which roles can be held, such as a project. Its parent is another resource
// or, directly below the organization, the organization's own resource, which exists with the organization and has no
// row (R202, R203). That one is shown with the type OrganizationType and without a parent.
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

// own is the implicit resource of an organization. Its external id is the organization's, or its id where it has none
// (C27).
func (o Organization) own() Resource {
	r := Resource{
		ID: OrganizationResource(o.ID), Environment: o.Environment, Organization: o.ID, Type: OrganizationType,
		ExternalID: string(o.ID), Name: o.Name, CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt,
	}
	if o.ExternalID != nil {
		r.ExternalID = *o.ExternalID
	}
	return r
}

// named says whether an external id is one by which the organization's own resource goes.
func (o Organization) named(externalID string) bool {
	return externalID == string(o.ID) || externalID == o.own().ExternalID
}

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
	// RolesAcross counts, up to MaxUse, how often roles made for one type hold a permission made for another.
	RolesAcross(env id.Environment, roleType, permissionType string) (int, error)
	// RolesHeldOn lists the roles that anybody is assigned on any of some resources of one organization, each once.
	RolesHeldOn(org id.Organization, rs []id.Resource) ([]id.Role, error)
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

// NewResource is the input of CreateResource.
type NewResource struct {
	Organization id.Organization
	Type         string
	ExternalID   string
	Name         string
	Description  *string
	Parent       ResourceRef // without one, the organization's own resource (R203)
}

func (in NewResource) check() error {
	if in.Type == OrganizationType {
		return fault.New(fault.BadRequest, fault.CodeBadRequest,
			"An organization has its own resource from its creation on; no other of type '%s' can be made.", OrganizationType)
	}
	var bad complaints
	bad.slug("resource_type_slug", in.Type, false)
	bad.externalID("external_id", &in.ExternalID)
	bad.name("name", in.Name, MaxName)
	bad.optionalText("description", in.Description, MaxDescription)
	return bad.err()
}

// CreateResource makes a resource in an organization. The public contract has no events for resources.
func (s *Service) CreateResource(ctx context.Context, c Caller, in NewResource) (Resource, error) {
	if err := in.check(); err != nil {
		return Resource{}, err
	}
	return write(ctx, s, c, func(ch *change) (Resource, error) {
		if _, err := organization(ch, c, in.Organization); err != nil {
			return Resource{}, err
		}
		kind, err := resourceType(ch, c, Some(in.Type))
		if err != nil {
			return Resource{}, err
		}
		r := Resource{
			ID: id.New[id.Resource](s.ids), Environment: c.Environment, Organization: in.Organization, Type: kind,
			ExternalID: in.ExternalID, Name: in.Name, Description: in.Description, CreatedAt: ch.now, UpdatedAt: ch.now,
		}
		if _, err := ch.moveBelow(&r, in.Parent); err != nil {
			return Resource{}, err
		}
		if _, taken, err := ch.ResourceByExternalID(r.Organization, r.Type, r.ExternalID); err != nil {
			return Resource{}, err
		} else if taken {
			return Resource{}, fault.New(fault.Conflict, "authorization_resource_external_id_conflict",
				"The organization has a resource of type '%s' with external id '%s' already.", r.Type, r.ExternalID)
		}
		return r, ch.InsertResource(r)
	})
}

// Resource finds a resource by its id or, in an organization, by external id and type. The organization's own is found
// too (R202).
func (s *Service) Resource(ctx context.Context, c Caller, org id.Organization, ref ResourceRef) (Resource, error) {
	return read(ctx, s, func(r Reader) (Resource, error) { return resource(r, c, org, ref) })
}

// ListResources lists resources. The organizations' own are in no list: they come with the organizations. What a filter
// names and nobody has, or others have, narrows the list to nothing.
func (s *Service) ListResources(ctx context.Context, c Caller, f ResourceFilter, parent ResourceRef, r page.Request) (page.Page[Resource], error) {
	if f.Organization == "" && f.Type == "" && parent.ID == "" {
		return page.Page[Resource]{}, fault.New(fault.BadRequest, "missing_organization_id_or_resource_type_slug",
			"Give organization_id or resource_type_slug.")
	}
	if f.Organization = c.within(f.Organization); f.Organization == "" && parent.ExternalID != "" {
		return page.Page[Resource]{}, fault.BadField("organization_id", "is required with an external id of a parent, which names one within an organization")
	}
	return read(ctx, s, func(tx Reader) (page.Page[Resource], error) {
		if parent != (ResourceRef{}) {
			p, err := resource(tx, c, f.Organization, parent)
			if fault.Is(err, fault.NotFound) {
				return page.Page[Resource]{}, nil
			}
			if err != nil {
				return page.Page[Resource]{}, err
			}
			f.Organization, f.Parent = p.Organization, p.ID
		}
		return tx.Resources(c.Environment, f, r)
	})
}

// ResourceChange is what can be changed about a resource: its type and external id cannot (R204).
type ResourceChange struct {
	Details
	Parent Opt[ResourceRef] // the zero reference puts it directly below the organization
}

// UpdateResource changes name, description and parent. With another parent, what is inherited changes at once for the
// resource and everything below it (R205).
func (s *Service) UpdateResource(ctx context.Context, c Caller, org id.Organization, ref ResourceRef, in ResourceChange) (Resource, error) {
	if err := in.check(MaxName); err != nil {
		return Resource{}, err
	}
	return write(ctx, s, c, func(ch *change) (Resource, error) {
		r, err := ownedResource(ch, c, org, ref)
		if err != nil {
			return Resource{}, err
		}
		if err := ch.permit(r.Organization); err != nil {
			return Resource{}, err
		}
		changed := in.apply(&r.Name, &r.Description)
		if in.Parent.Set {
			moved, err := ch.moveBelow(&r, in.Parent.Value)
			if err != nil {
				return Resource{}, err
			}
			changed = changed || moved
		}
		if !changed {
			return r, nil
		}
		r.UpdatedAt = ch.now
		return r, ch.Tx.UpdateResource(r)
	})
}

// moveBelow gives a resource its parent, one of the same organization and of a type that the resource's own may lie
// below (R205), and says whether that is another than before. Whoever holds a role on the new parent or above it then
// holds it on the resource, so that is what the caller must be allowed to cause.
func (ch *change) moveBelow(r *Resource, ref ResourceRef) (moved bool, err error) {
	parent, err := locate(ch, ch.caller, r.Organization, ref)
	if err != nil || parent.id == r.Parent {
		return false, err
	}
	kind := OrganizationType
	if len(parent.path) > 0 {
		kind = parent.path[0].Type
	}
	if slices.ContainsFunc(parent.path, func(above Resource) bool { return above.ID == r.ID }) {
		return false, fault.BadField("parent_resource_id", "must not name the resource itself or one below it")
	}
	types, err := readTypes(ch, ch.caller)
	if err != nil {
		return false, err
	}
	if !slices.Contains(types[r.Type].Parents, kind) {
		return false, fault.BadField("parent_resource_id", "must name a resource below which one of type '%s' can lie, which '%s' is not", r.Type, kind)
	}
	r.Parent = parent.id
	return true, ch.permitBelow(r.Organization, parent)
}

// permitBelow is permit for all permissions that are held on a place through roles on it or above it, below the
// organization: what is held on the organization itself is held on everything in it anyway.
func (ch *change) permitBelow(org id.Organization, parent place) error {
	if !ch.caller.limited() || len(parent.path) == 0 {
		return ch.permit(org)
	}
	named, err := ch.RolesHeldOn(org, column(parent.path, func(r Resource) id.Resource { return r.ID }))
	if err != nil {
		return err
	}
	policy, err := ch.policy(org)
	if err != nil {
		return err
	}
	var roles []id.Role
	for _, r := range named {
		if a, ok := policy.stand(Assignment{Organization: org, Resource: parent.id, Role: r}); ok {
			roles = append(roles, a.Role)
		}
	}
	return ch.permitRoles(org, roles...)
}

// DeleteResource removes a resource. While others lie below it or roles are assigned on it, it is refused unless
// cascade says that they shall go with it, as shall assignments below (R206).
func (s *Service) DeleteResource(ctx context.Context, c Caller, org id.Organization, ref ResourceRef, cascade bool) error {
	_, err := write(ctx, s, c, func(ch *change) (struct{}, error) {
		r, err := ownedResource(ch, c, org, ref)
		if err != nil {
			return struct{}{}, err
		}
		if err := ch.permit(r.Organization); err != nil {
			return struct{}{}, err
		}
		if !cascade {
			if err := alone(ch, r); err != nil {
				return struct{}{}, err
			}
		}
		all, err := subtree(ch, r)
		if err != nil {
			return struct{}{}, err
		}
		ids := make([]id.Resource, len(all))
		for i, r := range all {
			ids[i] = r.ID
		}
		return struct{}{}, ch.DeleteResources(r.Organization, ids)
	})
	return err
}

// alone refuses a resource with others below it or with assignments on it.
func alone(tx Reader, r Resource) error {
	below, err := tx.Descendants(r, 1)
	if err != nil {
		return err
	}
	on, err := tx.Assignments(r.Organization, AssignmentFilter{Resources: []id.Resource{r.ID}}, page.Request{Limit: 1, Order: page.Asc})
	if err != nil {
		return err
	}
	if len(below)+len(on.Items) == 0 {
		return nil
	}
	return hasDependents("Resource '%s' has resources below it or assignments on it. Delete those first, or give cascade_delete=true.", r.ID)
}

func hasDependents(format string, args ...any) error {
	return fault.New(fault.Conflict, "resource_has_dependents", format, args...)
}

// maxSubtree is how many resources can be deleted at once.
const maxSubtree = 100_000

// subtree lists a resource and everything below it, parents first, or refuses when that is too much for one deletion.
func subtree(r Reader, top Resource) ([]Resource, error) {
	below, err := r.Descendants(top, maxSubtree)
	if err != nil {
		return nil, err
	}
	if len(below) == maxSubtree {
		return nil, hasDependents("Resource '%s' has %d or more resources below it, too many for one deletion. Delete some of those first.", top.ID, maxSubtree)
	}
	return append([]Resource{top}, below...), nil
}

// resource finds a resource: by its id, in the environment or, with org, in that organization, or in org by external id
// and type. The organization's own goes by its id or by either external id (C27).
func resource(r Reader, c Caller, org id.Organization, ref ResourceRef) (Resource, error) {
	if ref.ID == "" {
		return resourceNamed(r, c, org, ref)
	}
	found, ok, err := r.Resource(c.Environment, ref.ID)
	if err != nil {
		return Resource{}, err
	}
	if !ok {
		o, err := organization(r, c, id.Retype[id.Organization](ref.ID))
		if err != nil && !fault.Is(err, fault.NotFound) {
			return Resource{}, err
		}
		found, ok = o.own(), err == nil
	}
	if !ok || !c.Sees(found.Organization) || org != "" && org != found.Organization {
		return Resource{}, fault.Missing("Resource", string(ref.ID))
	}
	return found, nil
}

func resourceNamed(r Reader, c Caller, org id.Organization, ref ResourceRef) (Resource, error) {
	o, err := organization(r, c, org)
	if err != nil {
		return Resource{}, err
	}
	found, ok := o.own(), o.named(ref.ExternalID)
	if ref.ResourceType != OrganizationType {
		found, ok, err = r.ResourceByExternalID(org, ref.ResourceType, ref.ExternalID)
	}
	if err == nil && !ok {
		err = fault.Missing("Resource", ref.ExternalID)
	}
	return found, err
}

// ownedResource is resource without the organization's own, which cannot be changed (R202).
func ownedResource(r Reader, c Caller, org id.Organization, ref ResourceRef) (Resource, error) {
	found, err := resource(r, c, org, ref)
	if err == nil && found.Type == OrganizationType {
		err = fault.New(fault.BadRequest, fault.CodeBadRequest,
			"This is the organization's own resource, which cannot be changed or deleted but with the organization.")
	}
	return found, err
}
