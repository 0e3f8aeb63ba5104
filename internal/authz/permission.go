package authz

import (
	"context"
	"time"

	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// Permission is a slug that application code checks. It is matched literally (R51).
type Permission struct {
	ID           id.Permission
	Environment  id.Environment
	Slug         string
	Name         string
	Description  *string
	System       bool // seeded by the product; cannot be changed or deleted (R52)
	ResourceType string
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Payload is the permission as events and answers show it.
func (p Permission) Payload() event.Permission {
	return event.Permission{
		Object: "permission", ID: p.ID, Slug: p.Slug, Name: p.Name, Description: p.Description, System: p.System,
		ResourceTypeSlug: p.ResourceType, CreatedAt: event.Time(p.CreatedAt), UpdatedAt: event.Time(p.UpdatedAt),
	}
}

// PermissionReader finds permissions.
type PermissionReader interface {
	Permission(env id.Environment, slug string) (p Permission, found bool, err error)
	Permissions(env id.Environment, r page.Request) (page.Page[Permission], error)
	// PermissionsBySlug finds those of the slugs that exist.
	PermissionsBySlug(env id.Environment, slugs []string) (map[string]Permission, error)
}

// PermissionWriter stores permissions.
type PermissionWriter interface {
	InsertPermission(Permission) error
	UpdatePermission(Permission) error
	// DeletePermission removes a permission from every role, which is then updated at the given instant, and then the
	// permission.
	DeletePermission(p Permission, at time.Time) error
}

// NewPermission is the input of CreatePermission. An empty ResourceType means the organization's.
type NewPermission struct {
	Slug, Name   string
	Description  *string
	ResourceType Opt[string]
}

// Details is what can be changed about a permission, a role or a group; slugs and resource types cannot (R3, R50).
type Details struct {
	Name        Opt[string]
	Description Opt[*string] // a present nil clears it (R42)
}

func (d Details) check(longestName int) error {
	var bad complaints
	if d.Name.Set {
		bad.name("name", d.Name.Value, longestName)
	}
	bad.optionalText("description", d.Description.Value, MaxDescription)
	return bad.err()
}

func (d Details) apply(name *string, description **string) (changed bool) {
	named := apply(d.Name, name)
	described := applyText(d.Description, description)
	return named || described
}

// CreatePermission adds a permission to the catalogue of the environment. A slug used before starts from nothing: its
// predecessor was taken off every role when it was deleted (I12).
func (s *Service) CreatePermission(ctx context.Context, c Caller, in NewPermission) (Permission, error) {
	var bad complaints
	bad.permissionSlug("slug", in.Slug)
	bad.name("name", in.Name, MaxName)
	bad.optionalText("description", in.Description, MaxDescription)
	if in.ResourceType.Set {
		bad.slug("resource_type_slug", in.ResourceType.Value, false)
	}
	if err := bad.err(); err != nil {
		return Permission{}, err
	}
	return write(ctx, s, c, func(ch *change) (Permission, error) {
		if err := ch.permit(""); err != nil {
			return Permission{}, err
		}
		kind, err := resourceType(ch, c, in.ResourceType)
		if err != nil {
			return Permission{}, err
		}
		if _, taken, err := ch.Permission(c.Environment, in.Slug); err != nil {
			return Permission{}, err
		} else if taken {
			return Permission{}, fault.New(fault.Conflict, "permission_slug_conflict", "A permission with slug '%s' exists already.", in.Slug)
		}
		p := Permission{
			ID: id.New[id.Permission](s.ids), Environment: c.Environment, Slug: in.Slug, Name: in.Name,
			Description: in.Description, ResourceType: kind, CreatedAt: ch.now, UpdatedAt: ch.now,
		}
		if err := ch.InsertPermission(p); err != nil {
			return Permission{}, err
		}
		return p, ch.emit(event.PermissionCreated, "", p.Payload(), nil)
	})
}

// Permission finds a permission by its slug.
func (s *Service) Permission(ctx context.Context, c Caller, slug string) (Permission, error) {
	return read(ctx, s, func(r Reader) (Permission, error) { return permission(r, c, slug) })
}

func permission(r Reader, c Caller, slug string) (Permission, error) {
	p, found, err := r.Permission(c.Environment, slug)
	if err == nil && !found {
		err = fault.Missing("Permission", slug)
	}
	return p, err
}

// ListPermissions lists the catalogue.
func (s *Service) ListPermissions(ctx context.Context, c Caller, r page.Request) (page.Page[Permission], error) {
	return read(ctx, s, func(tx Reader) (page.Page[Permission], error) { return tx.Permissions(c.Environment, r) })
}

// UpdatePermission changes name and description. Nothing changed means nothing written and no event (R41).
func (s *Service) UpdatePermission(ctx context.Context, c Caller, slug string, in Details) (Permission, error) {
	if err := in.check(MaxName); err != nil {
		return Permission{}, err
	}
	return write(ctx, s, c, func(ch *change) (Permission, error) {
		if err := ch.permit(""); err != nil {
			return Permission{}, err
		}
		p, err := ownPermission(ch, c, slug)
		if err != nil {
			return Permission{}, err
		}
		before := p.Payload()
		if !in.apply(&p.Name, &p.Description) {
			return p, nil
		}
		p.UpdatedAt = ch.now
		if err := ch.UpdatePermission(p); err != nil {
			return Permission{}, err
		}
		return p, ch.emit(event.PermissionUpdated, "", p.Payload(), before)
	})
}

// DeletePermission removes a permission from the catalogue and from every role that holds it, in one step: each such
// role's update follows the deletion in the events (R53).
func (s *Service) DeletePermission(ctx context.Context, c Caller, slug string) error {
	_, err := write(ctx, s, c, func(ch *change) (struct{}, error) {
		if err := ch.permit(""); err != nil {
			return struct{}{}, err
		}
		p, err := ownPermission(ch, c, slug)
		if err != nil {
			return struct{}{}, err
		}
		holders, err := ch.RolesWithPermission(c.Environment, p.ID)
		if err != nil {
			return struct{}{}, err
		}
		if err := ch.DeletePermission(p, ch.now); err != nil {
			return struct{}{}, err
		}
		if err := ch.emit(event.PermissionDeleted, "", p.Payload(), nil); err != nil {
			return struct{}{}, err
		}
		for _, role := range holders {
			before := role
			role.Permissions, role.UpdatedAt = without(role.Permissions, slug), ch.now
			if err := ch.emitRoleUpdated(role, before); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	})
	return err
}

// ownPermission finds a permission that the caller may change.
func ownPermission(r Reader, c Caller, slug string) (Permission, error) {
	p, err := permission(r, c, slug)
	if err == nil && p.System {
		err = fault.New(fault.Forbidden, fault.CodeForbidden, "Permission '%s' is a system permission and cannot be changed or deleted.", slug)
	}
	return p, err
}

func without(slugs []string, slug string) []string {
	kept := make([]string, 0, len(slugs))
	for _, s := range slugs {
		if s != slug {
			kept = append(kept, s)
		}
	}
	return kept
}
