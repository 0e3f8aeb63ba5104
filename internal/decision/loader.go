// Package decision answers checks from memory. It owns the compiled form of what decisions depend on: per environment
// its catalogue of permissions and what its roles hold, per organization its roles in their order, per membership the
// roles in effect; loaded on first use, dropped when cold, and dropped before a change of it is committed (package fresh).
// What a decision is, package authz says: everything here is made by the reference evaluator and must answer as it does.
// Whatever cannot be answered from memory the rules answer from the database.
package decision

import (
	"context"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
)

// Loader reads what is remembered. Every method is one statement, and so one snapshot, that sees every change committed
// before the call. found is false where there is no such row in the environment.
type Loader interface {
	// LoadShared reads what the organizations of an environment have in common. Its roles are whole but for their
	// permissions, as those of LoadOwn are.
	LoadShared(ctx context.Context, env id.Environment) (s Shared, found bool, err error)
	// LoadCatalogue reads the permissions of an environment and which of them its own roles hold.
	LoadCatalogue(ctx context.Context, env id.Environment) (Catalogue, error)
	// LoadOwn reads what an organization has of its own, with what its custom roles hold.
	LoadOwn(ctx context.Context, env id.Environment, org id.Organization) (o Own, found bool, err error)
	// LoadHoldings reads what the custom roles of an organization hold.
	LoadHoldings(ctx context.Context, org id.Organization) (map[id.Role][]id.Permission, error)
	// LoadMember reads a membership with every assignment of its own and of its groups, on whatever resource. Of one
	// that has more than most of them it reads none and says TooMany.
	LoadMember(ctx context.Context, env id.Environment, m id.Membership, most int) (f Member, found bool, err error)
	// LoadPath reads the resource of an organization that a reference names by id or by external id and type, and its
	// ancestors below the organization, nearest first.
	LoadPath(ctx context.Context, env id.Environment, org id.Organization, ref authz.ResourceRef) (path []authz.Resource, found bool, err error)
}

// Shared is what the organizations of an environment have in common.
type Shared struct {
	Multiple bool // whether members may hold several roles at once
	Roles    authz.RoleSet
}

// Catalogue is the permissions of an environment and which of them its roles hold.
type Catalogue struct {
	Permissions []authz.Permission
	Held        map[id.Role][]id.Permission
}

// Own is what an organization has of its own. Roles.Default is empty while it follows the environment.
type Own struct {
	Name       string
	ExternalID *string
	Roles      authz.RoleSet
	Held       map[id.Role][]id.Permission
}

// Member is a membership with the assignments that decisions about it depend on.
type Member struct {
	authz.Membership // of which the ids of membership, environment, organization and user, and the status, are read
	Assignments      []authz.Assignment
	TooMany          bool // there are more assignments than were asked for, and none is given
}
