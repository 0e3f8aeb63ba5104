package authz

import (
	"context"
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// SeededRole is the slug of the role that every environment begins with and keeps (R20, R21, I9).
const SeededRole = "member"

// Environment is the outermost wall: its own keys, roles, permissions, organizations and users.
type Environment struct {
	ID          id.Environment
	Name        string // unique in the installation, at most MaxName characters
	DefaultRole id.Role
	// MultipleRoles says whether members may hold several roles at once (R80).
	MultipleRoles bool
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// EnvironmentReader finds environments.
type EnvironmentReader interface {
	Environment(id.Environment) (e Environment, found bool, err error)
	EnvironmentByName(name string) (e Environment, found bool, err error)
	// OwnPolicies says which of the organizations have a default and an order of their own.
	OwnPolicies(env id.Environment, orgs []id.Organization) (map[id.Organization]bool, error)
	// PinnedDefaults lists, by role that is gone, the default that its assignments count as, as far as the owner's
	// default was changed since.
	PinnedDefaults(env id.Environment, org id.Organization) (map[id.Role]id.Role, error)
	// Environments lists all environments, oldest first.
	Environments() ([]Environment, error)
}

// Defaults is which role is given when none is asked for, and how many a member may hold.
type Defaults struct {
	Shared   id.Role // the environment's
	Own      id.Role // the organization's own, empty while it follows the environment
	Multiple bool
}

// EnvironmentWriter stores environments.
type EnvironmentWriter interface {
	InsertEnvironment(Environment) error
	// SetDefaultRole makes a role the default of an environment or, when org is set, of an organization.
	SetDefaultRole(env id.Environment, org id.Organization, role id.Role, at time.Time) error
	// ReplaceDefaultRole makes a role the default of every organization that has another as its own, and says of how
	// many.
	ReplaceDefaultRole(env id.Environment, from, to id.Role, at time.Time) (int, error)
	// PinDefault keeps the default that a role which is gone counts as for an owner.
	PinDefault(env id.Environment, org id.Organization, gone, pinned id.Role) error
	// SetMultipleRoles switches the mode of an environment.
	SetMultipleRoles(env id.Environment, on bool, at time.Time) error
}

// CreateEnvironment makes an environment with its seeded role. It belongs to the operator of the installation, so it
// needs no caller inside an environment and emits no events: there is nobody yet who could have read them.
func (s *Service) CreateEnvironment(ctx context.Context, name string) (Environment, error) {
	var bad complaints
	bad.name("name", name, MaxName)
	if err := bad.err(); err != nil {
		return Environment{}, err
	}
	return write(ctx, s, Caller{}, func(ch *change) (Environment, error) {
		if err := ch.permit(""); err != nil {
			return Environment{}, err
		}
		if _, taken, err := ch.EnvironmentByName(name); err != nil {
			return Environment{}, err
		} else if taken {
			return Environment{}, fault.New(fault.Conflict, "environment_name_conflict", "An environment named '%s' exists already.", name)
		}
		env := Environment{ID: id.New[id.Environment](s.ids), Name: name, CreatedAt: ch.now, UpdatedAt: ch.now}
		role := Role{
			ID: id.New[id.Role](s.ids), Environment: env.ID, Slug: SeededRole, Name: "Member",
			ResourceType: OrganizationType, CreatedAt: ch.now, UpdatedAt: ch.now, Permissions: []string{},
		}
		env.DefaultRole = role.ID
		if err := ch.InsertEnvironment(env); err != nil {
			return Environment{}, err
		}
		if err := ch.InsertRole(role); err != nil {
			return Environment{}, err
		}
		if err := ch.SetDefaultRole(env.ID, "", role.ID, ch.now); err != nil {
			return Environment{}, err
		}
		return env, ch.AppendRoleOrder(env.ID, "", []id.Role{role.ID})
	})
}

// ListEnvironments lists all environments, oldest first.
func (s *Service) ListEnvironments(ctx context.Context) ([]Environment, error) {
	return read(ctx, s, func(r Reader) ([]Environment, error) { return r.Environments() })
}

// EnvironmentByName finds an environment by its name.
func (s *Service) EnvironmentByName(ctx context.Context, name string) (Environment, error) {
	return read(ctx, s, func(r Reader) (Environment, error) {
		e, found, err := r.EnvironmentByName(name)
		if err == nil && !found {
			err = fault.Missing("Environment", name)
		}
		return e, err
	})
}
