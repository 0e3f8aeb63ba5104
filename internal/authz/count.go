package authz

import (
	"context"

	"github.com/rolecall/rolecall/internal/id"
)

// Count says how many there are, as far as they were counted: where More is set, there are more than N.
type Count struct {
	N    int
	More bool
}

// MaxCount is where counting for a screen ends, so that it takes the same short time however many there are.
const MaxCount = 10_000

// RoleUse is who holds a role and whose default it is.
type RoleUse struct {
	Members  Count // assignments to members themselves, on any resource, also those that do not hold yet
	Groups   Count // assignments to groups
	Defaults Count // organizations that have it as their own default; of an environment role only
}

// PermissionUse is which roles hold a permission. It is counted up to MaxUse.
type PermissionUse struct {
	EnvironmentRoles Count
	CustomRoles      Count
	Organizations    Count // that have these custom roles
}

// EnvironmentSize is what an environment has, as far as the caller sees it.
type EnvironmentSize struct{ Organizations, Users, Roles, Permissions Count }

// OrganizationSize is what an organization has and loses when it is deleted.
type OrganizationSize struct{ Members, CustomRoles, Groups, Resources Count }

// UserSize is in how many organizations a user is a member, in whatever status: one membership for each.
type UserSize struct{ Organizations Count }

// GroupSize is how many members a group has and how many roles it is assigned, counting a role once for each resource.
type GroupSize struct{ Members, Assignments Count }

// CountTo is the count of rows that were counted up to one more than most.
func CountTo(rows, most int) Count { return Count{N: min(rows, most), More: rows > most} }

// CountReader counts for screens, each thing up to a limit. Where in is set, only what is of that organization counts.
type CountReader interface {
	// RoleUses counts the use of every role that is available to an owner or, where only is set, of that one.
	RoleUses(env id.Environment, owner, in id.Organization, only id.Role, most int) (map[id.Role]RoleUse, error)
	// PermissionUses counts for every permission the roles that hold it, by slug.
	PermissionUses(env id.Environment, in id.Organization, most int) (map[string]PermissionUse, error)
	EnvironmentSize(env id.Environment, in id.Organization, most int) (EnvironmentSize, error)
	OrganizationSize(org id.Organization, most int) (OrganizationSize, error)
	UserSize(u id.User, in id.Organization, most int) (UserSize, error)
	GroupSize(org id.Organization, g id.Group, most int) (GroupSize, error)
}

// RoleUse says of every role that is available to an owner, an organization or, where org is empty, the environment, how
// it is used there: of an environment role in all organizations, or in the one. An assignment that still names a role
// which is gone counts for none. There may be hundreds of roles, so it is counted up to MaxUse only.
func (s *Service) RoleUse(ctx context.Context, c Caller, org id.Organization) (map[id.Role]RoleUse, error) {
	return read(ctx, s, func(r Reader) (map[id.Role]RoleUse, error) {
		if err := ownerExists(r, c, org); err != nil {
			return nil, err
		}
		return r.RoleUses(c.Environment, org, c.within(org), "", MaxUse)
	})
}

// UseOfRole is RoleUse of a single role, counted up to MaxCount.
func (s *Service) UseOfRole(ctx context.Context, c Caller, org id.Organization, role id.Role) (RoleUse, error) {
	return read(ctx, s, func(r Reader) (RoleUse, error) {
		if err := ownerExists(r, c, org); err != nil {
			return RoleUse{}, err
		}
		uses, err := r.RoleUses(c.Environment, org, c.within(org), role, MaxCount)
		return uses[role], err
	})
}

// PermissionUse says of every permission of the catalogue, by slug, which roles hold it. Those that none holds are
// there too.
func (s *Service) PermissionUse(ctx context.Context, c Caller) (map[string]PermissionUse, error) {
	return read(ctx, s, func(r Reader) (map[string]PermissionUse, error) {
		return r.PermissionUses(c.Environment, c.bound(), MaxUse)
	})
}

// EnvironmentSize counts what the caller sees of its environment.
func (s *Service) EnvironmentSize(ctx context.Context, c Caller) (EnvironmentSize, error) {
	return read(ctx, s, func(r Reader) (EnvironmentSize, error) {
		return r.EnvironmentSize(c.Environment, c.bound(), MaxCount)
	})
}

// OrganizationSize counts what an organization has, members of any status among it.
func (s *Service) OrganizationSize(ctx context.Context, c Caller, org id.Organization) (OrganizationSize, error) {
	return read(ctx, s, func(r Reader) (OrganizationSize, error) {
		if _, err := organization(r, c, org); err != nil {
			return OrganizationSize{}, err
		}
		return r.OrganizationSize(org, MaxCount)
	})
}

// UserSize counts the memberships of a user that the caller sees.
func (s *Service) UserSize(ctx context.Context, c Caller, u id.User) (UserSize, error) {
	return read(ctx, s, func(r Reader) (UserSize, error) {
		if _, err := user(r, c, u); err != nil {
			return UserSize{}, err
		}
		return r.UserSize(u, c.bound(), MaxCount)
	})
}

// GroupSize counts what a group has.
func (s *Service) GroupSize(ctx context.Context, c Caller, org id.Organization, g id.Group) (GroupSize, error) {
	return read(ctx, s, func(r Reader) (GroupSize, error) {
		if _, err := groupIn(r, c, org, g); err != nil {
			return GroupSize{}, err
		}
		return r.GroupSize(org, g, MaxCount)
	})
}
