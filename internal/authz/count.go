package authz

import (
	"context"
	"errors"

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

var errNotYet = errors.New("not yet")

// RoleUse says of every role that is available to an owner, an organization or, where org is empty, the environment, how
// it is used there: of an environment role in all organizations, or in the one.
func (s *Service) RoleUse(ctx context.Context, c Caller, org id.Organization) (map[id.Role]RoleUse, error) {
	return nil, errNotYet
}

// PermissionUse says of every permission of the catalogue, by slug, which roles hold it. Those that none holds are
// there too.
func (s *Service) PermissionUse(ctx context.Context, c Caller) (map[string]PermissionUse, error) {
	return nil, errNotYet
}

// EnvironmentSize counts what the caller's environment has.
func (s *Service) EnvironmentSize(ctx context.Context, c Caller) (EnvironmentSize, error) {
	return EnvironmentSize{}, errNotYet
}

// OrganizationSize counts what an organization has.
func (s *Service) OrganizationSize(ctx context.Context, c Caller, org id.Organization) (OrganizationSize, error) {
	return OrganizationSize{}, errNotYet
}

// UserSize counts the memberships of a user that the caller sees.
func (s *Service) UserSize(ctx context.Context, c Caller, u id.User) (UserSize, error) {
	return UserSize{}, errNotYet
}

// GroupSize counts what a group has.
func (s *Service) GroupSize(ctx context.Context, c Caller, org id.Organization, g id.Group) (GroupSize, error) {
	return GroupSize{}, errNotYet
}
