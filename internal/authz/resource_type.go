package authz

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// OrganizationType is the built-in resource type, the root of the hierarchy.
const OrganizationType = "organization"

// The limits of the hierarchy (R200).
const (
	MaxResourceTypes = 50 // of an environment, without the built-in one
	MaxTypeDepth     = 5  // levels below the organization
	MaxChildTypes    = 10 // of one type
)

// ResourceType is a kind of resource. The types of an environment form a hierarchy without cycles below the built-in
// organization: a type may have several parent types, a resource has exactly one parent (R200).
type ResourceType struct {
	Environment id.Environment
	Slug        string // as a role's; never changes
	Name        string
	Description *string
	Parents     []string // slugs, sorted; at least one, OrganizationType among them or not
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// NewResourceType is the input of CreateResourceType. Without parents, its resources lie directly below the
// organization.
type NewResourceType struct {
	Slug, Name  string
	Description *string
	Parents     Opt[[]string]
}

// ResourceTypeChange is what can be changed about a resource type.
type ResourceTypeChange struct {
	Details
	Parents Opt[[]string]
}

// parentTypesField is what refusals call the parents of a type.
const parentTypesField = "parent_resource_type_slugs"

// parentTypes returns the parents asked for, sorted and each once.
func parentTypes(asked Opt[[]string]) ([]string, error) {
	if !asked.Set {
		return []string{OrganizationType}, nil
	}
	parents := distinct(asked.Value)
	if len(parents) == 0 {
		return nil, fault.BadField(parentTypesField, "must name at least one type")
	}
	return parents, nil
}

// CreateResourceType adds a type to the hierarchy of the environment. The public contract has no events for types.
func (s *Service) CreateResourceType(ctx context.Context, c Caller, in NewResourceType) (ResourceType, error) {
	var bad complaints
	bad.slug("slug", in.Slug, false)
	if in.Slug == OrganizationType {
		bad.add("slug", "must not be '%s', which is built in", OrganizationType)
	}
	bad.name("name", in.Name, MaxName)
	bad.optionalText("description", in.Description, MaxDescription)
	if err := bad.err(); err != nil {
		return ResourceType{}, err
	}
	parents, err := parentTypes(in.Parents)
	if err != nil {
		return ResourceType{}, err
	}
	return write(ctx, s, c, func(ch *change) (ResourceType, error) {
		if err := ch.permit(""); err != nil {
			return ResourceType{}, err
		}
		types, err := readTypes(ch, c)
		if err != nil {
			return ResourceType{}, err
		}
		if _, taken := types[in.Slug]; taken {
			return ResourceType{}, fault.New(fault.Conflict, "resource_type_slug_conflict", "A resource type with slug '%s' exists already.", in.Slug)
		}
		if len(types) >= MaxResourceTypes {
			return ResourceType{}, fault.New(fault.Conflict, "resource_type_limit_reached",
				"The environment has %d resource types, which is the most it can have.", len(types))
		}
		t := ResourceType{
			Environment: c.Environment, Slug: in.Slug, Name: in.Name, Description: in.Description, Parents: parents,
			CreatedAt: ch.now, UpdatedAt: ch.now,
		}
		if _, err := types.with(t); err != nil {
			return ResourceType{}, err
		}
		return t, ch.InsertResourceType(t)
	})
}

// ListResourceTypes lists all types of the environment by slug, at most MaxResourceTypes. The built-in organization is
// not among them, and neither is it found by its slug: nothing can be said or changed about it.
func (s *Service) ListResourceTypes(ctx context.Context, c Caller) ([]ResourceType, error) {
	return read(ctx, s, func(r Reader) ([]ResourceType, error) { return r.ResourceTypes(c.Environment) })
}

// ResourceType finds a type by its slug.
func (s *Service) ResourceType(ctx context.Context, c Caller, slug string) (ResourceType, error) {
	return read(ctx, s, func(r Reader) (ResourceType, error) {
		types, err := readTypes(r, c)
		if err != nil {
			return ResourceType{}, err
		}
		return types.find(slug)
	})
}

// UpdateResourceType changes name, description and parents. A parent that resources use stays, and a type is not moved
// away from below the type of a role that holds its permissions: they would cease to take effect (R11).
func (s *Service) UpdateResourceType(ctx context.Context, c Caller, slug string, in ResourceTypeChange) (ResourceType, error) {
	if err := in.check(MaxName); err != nil {
		return ResourceType{}, err
	}
	parents, err := parentTypes(in.Parents)
	if err != nil {
		return ResourceType{}, err
	}
	return write(ctx, s, c, func(ch *change) (ResourceType, error) {
		if err := ch.permit(""); err != nil {
			return ResourceType{}, err
		}
		types, err := readTypes(ch, c)
		if err != nil {
			return ResourceType{}, err
		}
		t, err := types.find(slug)
		if err != nil {
			return ResourceType{}, err
		}
		changed := in.apply(&t.Name, &t.Description)
		if in.Parents.Set && !slices.Equal(parents, t.Parents) {
			changed, t.Parents = true, parents
			if err := ch.movable(types, t); err != nil {
				return ResourceType{}, err
			}
		}
		if !changed {
			return t, nil
		}
		t.UpdatedAt = ch.now
		return t, ch.Tx.UpdateResourceType(t)
	})
}

// movable refuses parents of a type with which it would not fit into the hierarchy, resources would lie where they
// cannot, or permissions would cease to take effect through roles.
func (ch *change) movable(types hierarchy, t ResourceType) error {
	moved, err := types.with(t)
	if err != nil {
		return err
	}
	for _, parent := range added(types[t.Slug].Parents, t.Parents) {
		n, err := ch.ResourcesBetween(t.Environment, parent, t.Slug)
		if err != nil {
			return err
		}
		if n > 0 {
			return typeInUse("Resources of type '%s' must be able to lie below '%s', because some do (%s).", t.Slug, parent, counted(n))
		}
	}
	for _, held := range slices.Sorted(maps.Keys(types)) {
		for _, on := range slices.Sorted(maps.Keys(types)) {
			if !types.under(held, on) || moved.under(held, on) {
				continue
			}
			n, err := ch.RolesAcross(t.Environment, on, held)
			if err != nil {
				return err
			}
			if n > 0 {
				return typeInUse("Type '%s' must stay below '%s', because roles held on the latter have permissions made for the former (%s).", held, on, counted(n))
			}
		}
	}
	return nil
}

func typeInUse(format string, args ...any) error {
	return fault.New(fault.Conflict, "resource_type_in_use", format, args...)
}

// DeleteResourceType removes a type that nothing needs: no resource, role or permission is of it and no type lies below
// it.
func (s *Service) DeleteResourceType(ctx context.Context, c Caller, slug string) error {
	_, err := write(ctx, s, c, func(ch *change) (struct{}, error) {
		if err := ch.permit(""); err != nil {
			return struct{}{}, err
		}
		types, err := readTypes(ch, c)
		if err != nil {
			return struct{}{}, err
		}
		t, err := types.find(slug)
		if err != nil {
			return struct{}{}, err
		}
		if below := types.children(slug); len(below) > 0 {
			return struct{}{}, typeInUse("Resource type '%s' cannot be deleted because it is a parent of '%s'.", slug, below[0])
		}
		n, err := ch.ResourceTypeUse(c.Environment, slug)
		if err != nil {
			return struct{}{}, err
		}
		if n > 0 {
			return struct{}{}, typeInUse("Resource type '%s' cannot be deleted because resources, roles or permissions are of it (%s).", slug, counted(n))
		}
		return struct{}{}, ch.Tx.DeleteResourceType(t)
	})
	return err
}

// resourceType returns the type a role or permission is made for, or the refusal of an unknown one.
func resourceType(r Reader, c Caller, t Opt[string]) (string, error) {
	if !t.Set || t.Value == OrganizationType {
		return OrganizationType, nil
	}
	types, err := readTypes(r, c)
	if err != nil {
		return "", err
	}
	found, err := types.find(t.Value)
	return found.Slug, err
}
