package authz

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// Role is an environment role (Organization empty) or a custom role of one organization (R1).
type Role struct {
	ID           id.Role
	Environment  id.Environment
	Organization id.Organization
	Slug         string
	Name         string
	Description  *string
	ResourceType string
	Ordinal      int64     // counts the environment roles as they are made; places the later ones at the bottom (R33)
	Permissions  []string  // slugs, sorted, each once
	RetiredAt    time.Time // when it went, while assignments that name it still wait to be moved; zero otherwise
	Replacement  id.Role   // of a retired role: what its assignments become; empty for the default
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Custom reports whether the role belongs to one organization.
func (r Role) Custom() bool { return r.Organization != "" }

// retired reports whether the role is gone, and only stands in for what its assignments become.
func (r Role) retired() bool { return !r.RetiredAt.IsZero() }

// payload is the role as its events show it; deleted leaves the permissions of an environment role out (3.14).
func (r Role) payload(deleted bool) any {
	if r.Custom() {
		return event.OrganizationRole{
			Object: "organization_role", OrganizationID: r.Organization, Slug: r.Slug, Name: r.Name,
			Description: r.Description, ResourceTypeSlug: r.ResourceType, Permissions: r.Permissions,
			CreatedAt: event.Time(r.CreatedAt), UpdatedAt: event.Time(r.UpdatedAt),
		}
	}
	p := event.Role{
		Object: "role", Slug: r.Slug, ResourceTypeSlug: r.ResourceType,
		CreatedAt: event.Time(r.CreatedAt), UpdatedAt: event.Time(r.UpdatedAt),
	}
	if !deleted {
		p.Permissions = &r.Permissions
	}
	return p
}

// RoleReader finds roles. Where org is empty the environment's own roles are meant.
type RoleReader interface {
	// Role finds a role of exactly that owner, with its permissions. One that is gone is not found.
	Role(env id.Environment, org id.Organization, slug string) (r Role, found bool, err error)
	// Standing reads in one step the defaults that hold for an owner; the roles available to it, the environment's and its
	// own, retired ones among them, in no order and without their permissions; and the order that holds for it: the
	// environment's where it has none of its own. It is not found where the owner is not.
	Standing(env id.Environment, org id.Organization) (s Standing, found bool, err error)
	// RolePermissions finds the permissions of some of the roles available to an owner, as slugs, sorted.
	RolePermissions(env id.Environment, org id.Organization, roles []id.Role) (map[id.Role][]string, error)
	// RolesWithPermission lists the roles of the environment and of all its organizations that hold a permission.
	RolesWithPermission(env id.Environment, p id.Permission) ([]Role, error)
	// RoleUse counts what a role is needed for. A role that is gone and whose assignments this one takes over counts as
	// an assignment.
	RoleUse(env id.Environment, r id.Role) (Use, error)
	// CountDefaults counts the organizations that have a role as their own default.
	CountDefaults(r id.Role) (int, error)
	// OrganizationsWithDefault lists at most max of them, by id.
	OrganizationsWithDefault(r id.Role, max int) ([]OrganizationName, error)
}

// Standing is what is stored of the roles available to an owner. The order may lack environment roles made later (I4).
type Standing struct {
	Defaults
	Roles []Role
	Order []id.Role
}

// Use is what a role is needed for: how many assignments name it and how many organizations have it as their default,
// both counted up to MaxUse.
type Use struct{ Assignments, Defaults int }

// MaxUse is where counting the use of a role ends: a refusal need not read a million rows.
const MaxUse = 1000

func counted(n int) string {
	if n >= MaxUse {
		return fmt.Sprint(n, " or more")
	}
	return fmt.Sprint(n)
}

// RoleWriter stores roles and orders.
type RoleWriter interface {
	// InsertRole stores a role with no permissions. It sets the ordinal of an environment role itself.
	InsertRole(Role) error
	// UpdateRole stores name, description, permissions and updated_at.
	UpdateRole(Role) error
	// DeleteRole removes a role, its permissions and its places in all orders.
	DeleteRole(Role) error
	// RetireRole takes a role away for decisions: its permissions, its places in all orders and its slug are free, and
	// what it was to stand in for goes to its own replacement.
	RetireRole(Role) error
	// AppendRoleOrder puts roles at the bottom of an owner's stored order, as listed.
	AppendRoleOrder(env id.Environment, org id.Organization, roles []id.Role) error
	// SetRoleOrder replaces an owner's stored order.
	SetRoleOrder(env id.Environment, org id.Organization, roles []id.Role) error
}

// NewRole is the input of CreateRole. Without a slug, which only a custom role may leave out, one is generated (R6).
type NewRole struct {
	Slug         Opt[string]
	Name         string
	Description  *string
	ResourceType Opt[string]
	// Permissions are what the role holds from the beginning, as by EditRolePermissions.
	Permissions Opt[[]string]
}

func (in NewRole) check(custom bool) error {
	var bad complaints
	if in.Slug.Set || !custom {
		bad.slug("slug", in.Slug.Value, custom)
	}
	bad.name("name", in.Name, MaxName)
	bad.optionalText("description", in.Description, MaxDescription)
	if in.ResourceType.Set {
		bad.slug("resource_type_slug", in.ResourceType.Value, false)
	}
	return bad.err()
}

// CreateRole makes an environment role (org empty) or a custom role, at the bottom of its owner's order (R31). The
// first custom role of an organization detaches it from the environment's default and order (R32).
func (s *Service) CreateRole(ctx context.Context, c Caller, org id.Organization, in NewRole) (Role, error) {
	if err := in.check(org != ""); err != nil {
		return Role{}, err
	}
	return write(ctx, s, c, func(ch *change) (Role, error) {
		policy, err := ch.policy(org)
		if err != nil {
			return Role{}, err
		}
		if err := ch.permit(org); err != nil {
			return Role{}, err
		}
		kind, err := resourceType(ch, c, in.ResourceType)
		if err != nil {
			return Role{}, err
		}
		role := Role{
			ID: id.New[id.Role](s.ids), Environment: c.Environment, Organization: org, Slug: in.Slug.Value, Name: in.Name,
			Description: in.Description, ResourceType: kind, Permissions: []string{}, CreatedAt: ch.now, UpdatedAt: ch.now,
		}
		if !in.Slug.Set {
			role.Slug = ch.freeSlug(policy, &role)
		} else if _, taken := policy.bySlug(role.Slug); taken {
			code := "role_slug_conflict"
			if org != "" {
				code = "organization_role_slug_conflict"
			}
			return Role{}, fault.New(fault.Conflict, code, "A role with slug '%s' exists already.", role.Slug)
		}
		if err := ch.insertRole(&role, PermissionEdit{Set: in.Permissions}); err != nil {
			return Role{}, err
		}
		if err := ch.enterOrder(policy, role); err != nil {
			return Role{}, err
		}
		t := event.RoleCreated
		if role.Custom() {
			t = event.OrganizationRoleCreated
		}
		return role, ch.emit(t, org, role.payload(false), nil)
	})
}

// insertRole stores a new role with the permissions that it begins with.
func (ch *change) insertRole(role *Role, edit PermissionEdit) (err error) {
	if role.Permissions, err = edit.apply(ch, ch.caller, *role); err != nil {
		return err
	}
	if err := ch.permit(role.Organization, role.Permissions...); err != nil {
		return err
	}
	if err := ch.InsertRole(*role); err != nil || len(role.Permissions) == 0 {
		return err
	}
	return ch.UpdateRole(*role)
}

// freeSlug generates the slug of a new custom role; in the unlikely case that it is taken the role gets another id.
func (ch *change) freeSlug(p Policy, role *Role) string {
	for {
		slug := generateSlug(role.Name, role.ID)
		if _, taken := p.bySlug(slug); !taken {
			return slug
		}
		role.ID = id.New[id.Role](ch.ids)
	}
}

// enterOrder gives a new role its place. p is the policy before the role existed.
func (ch *change) enterOrder(p Policy, role Role) error {
	if role.Custom() && !p.Own {
		if err := ch.setDefault(p, p.Default); err != nil {
			return err
		}
		return ch.AppendRoleOrder(p.Environment, p.Organization, append(p.ids(), role.ID))
	}
	return ch.AppendRoleOrder(p.Environment, p.Organization, append(p.unlisted(), role.ID))
}

// ListRoles lists the roles available to an organization, or the environment roles when org is empty, highest
// priority first (R30, R34).
func (s *Service) ListRoles(ctx context.Context, c Caller, org id.Organization) ([]Role, error) {
	p, err := s.Policy(ctx, c, org)
	return p.Roles, err
}

// Role finds a role by its slug: of the environment when org is empty, else of either kind, the organization's own
// first (R8).
func (s *Service) Role(ctx context.Context, c Caller, org id.Organization, slug string) (Role, error) {
	return read(ctx, s, func(r Reader) (Role, error) {
		if org != "" {
			if _, err := organization(r, c, org); err != nil {
				return Role{}, err
			}
			if role, err := ownRole(r, c, org, slug); !fault.Is(err, fault.NotFound) {
				return role, err
			}
		}
		return ownRole(r, c, "", slug)
	})
}

// ownRole finds a role of exactly that owner. An environment role is not found through an organization, which may
// read it and must not change it.
func ownRole(r Reader, c Caller, org id.Organization, slug string) (Role, error) {
	role, found, err := r.Role(c.Environment, org, slug)
	if err == nil && !found {
		err = fault.Missing("Role", slug)
	}
	return role, err
}

// changeRole finds a role of that owner, lets change alter it and stores it with its event if it is another then.
func (s *Service) changeRole(ctx context.Context, c Caller, org id.Organization, slug string, alter func(*change, *Role) error) (Role, error) {
	return write(ctx, s, c, func(ch *change) (Role, error) {
		if err := ownerExists(ch, c, org); err != nil {
			return Role{}, err
		}
		role, err := ownRole(ch, c, org, slug)
		if err != nil {
			return Role{}, err
		}
		before := role
		if err := alter(ch, &role); err != nil {
			return Role{}, err
		}
		if err := ch.permit(org, added(role.Permissions, before.Permissions)...); err != nil {
			return Role{}, err
		}
		if role.Name == before.Name && sameText(role.Description, before.Description) && slices.Equal(role.Permissions, before.Permissions) {
			return before, nil
		}
		if err := ch.saveRole(role, before); err != nil {
			return Role{}, err
		}
		role.UpdatedAt = ch.now
		return role, nil
	})
}

// saveRole stores a changed role and says so (R180).
func (ch *change) saveRole(role, before Role) error {
	role.UpdatedAt = ch.now
	if err := ch.UpdateRole(role); err != nil {
		return err
	}
	return ch.emitRoleUpdated(role, before)
}

func (ch *change) emitRoleUpdated(role, before Role) error {
	t := event.RoleUpdated
	if role.Custom() {
		t = event.OrganizationRoleUpdated
	}
	return ch.emit(t, role.Organization, role.payload(false), before.payload(false))
}

// added lists what is in one list and not in another.
func added(in, notIn []string) []string {
	return slices.DeleteFunc(slices.Clone(in), func(s string) bool { return slices.Contains(notIn, s) })
}

func ownerExists(r Reader, c Caller, org id.Organization) error {
	if org == "" {
		return nil
	}
	_, err := organization(r, c, org)
	return err
}

// UpdateRole changes name and description (R41, R42).
func (s *Service) UpdateRole(ctx context.Context, c Caller, org id.Organization, slug string, in Details) (Role, error) {
	if err := in.check(MaxName); err != nil {
		return Role{}, err
	}
	return s.changeRole(ctx, c, org, slug, func(_ *change, r *Role) error {
		in.apply(&r.Name, &r.Description)
		return nil
	})
}

// EditRolePermissions changes the permissions of a role: all of them (R54), or one that is added, which changes nothing
// when it is held already (R56), or removed. Nothing is applied when a permission is unknown or does not fit (R55, R11).
func (s *Service) EditRolePermissions(ctx context.Context, c Caller, org id.Organization, slug string, edit PermissionEdit) (Role, error) {
	return s.changeRole(ctx, c, org, slug, func(ch *change, r *Role) (err error) {
		r.Permissions, err = edit.apply(ch, c, *r)
		return err
	})
}

// DeleteRole removes a role that nobody needs: 409 while assignments name it, and never while it is a default (R43,
// R44, R47). The managing delete, which moves its members first, is another operation.
func (s *Service) DeleteRole(ctx context.Context, c Caller, org id.Organization, slug string) error {
	_, err := write(ctx, s, c, func(ch *change) (struct{}, error) {
		if err := ownerExists(ch, c, org); err != nil {
			return struct{}{}, err
		}
		if err := ch.permit(org); err != nil {
			return struct{}{}, err
		}
		role, err := ownRole(ch, c, org, slug)
		if err != nil {
			return struct{}{}, err
		}
		if err := ch.deletable(role); err != nil {
			return struct{}{}, err
		}
		if err := ch.Tx.DeleteRole(role); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, ch.emitRoleDeleted(role)
	})
	return err
}

func (ch *change) emitRoleDeleted(role Role) error {
	t := event.RoleDeleted
	if role.Custom() {
		t = event.OrganizationRoleDeleted
	}
	return ch.emit(t, role.Organization, role.payload(true), nil)
}

// notSeeded refuses to delete the role that every environment keeps (I9).
func notSeeded(role Role) error {
	if role.Custom() || role.Slug != SeededRole {
		return nil
	}
	return fault.New(fault.Forbidden, "role_not_deletable", "Role '%s' is part of every environment and cannot be deleted.", role.Slug)
}

func (ch *change) deletable(role Role) error {
	if err := notSeeded(role); err != nil {
		return err
	}
	use, err := ch.RoleUse(role.Environment, role.ID)
	if err != nil {
		return err
	}
	env, _, err := ch.Environment(role.Environment)
	if err != nil {
		return err
	}
	switch {
	case use.Assignments > 0:
		return fault.New(fault.Conflict, "role_has_assignments",
			"Role '%s' cannot be deleted because it has user role assignments or group role assignments (%s).", role.Slug, counted(use.Assignments))
	case role.Custom() && use.Defaults > 0:
		return fault.New(fault.BadRequest, fault.CodeBadRequest,
			"Role '%s' cannot be deleted because it is the default role of its organization. Choose another default first.", role.Slug)
	case env.DefaultRole == role.ID:
		return fault.New(fault.Conflict, "role_is_default",
			"Role '%s' cannot be deleted because it is the default role of the environment. Choose another default first.", role.Slug)
	case use.Defaults > 0:
		return fault.New(fault.Conflict, "role_is_default",
			"Role '%s' cannot be deleted because it is the default role of organizations (%s). Choose other defaults first.", role.Slug, counted(use.Defaults))
	}
	return nil
}
