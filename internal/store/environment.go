package store

import (
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
)

const selectEnvironment = `
	SELECT e.id, e.name, d.role_id, e.multiple_roles, e.created_at, e.updated_at
	FROM environments e JOIN default_roles d ON d.environment_id = e.id AND d.organization_id = ''`

func scanEnvironment(r row) (e authz.Environment, err error) {
	err = r.Scan(&e.ID, &e.Name, &e.DefaultRole, (*flag)(&e.MultipleRoles), (*stamp)(&e.CreatedAt), (*stamp)(&e.UpdatedAt))
	return e, err
}

// Environment implements authz.EnvironmentReader.
func (t *tx) Environment(env id.Environment) (authz.Environment, bool, error) {
	return one(t, "reading an environment", scanEnvironment, selectEnvironment+` WHERE e.id = $1`, env)
}

// EnvironmentByName implements authz.EnvironmentReader.
func (t *tx) EnvironmentByName(name string) (authz.Environment, bool, error) {
	return one(t, "reading an environment", scanEnvironment, selectEnvironment+` WHERE e.name = $1`, name)
}

// selectDefaults finds the defaults that hold for an owner, if there is such an owner.
const selectDefaults = `
		SELECT e.role_id AS shared, coalesce(o.role_id, '') AS own, v.multiple_roles
		FROM default_roles e
		JOIN environments v ON v.id = e.environment_id
		LEFT JOIN default_roles o ON o.organization_id = $2 AND o.environment_id = e.environment_id AND o.organization_id <> ''
		WHERE e.organization_id = '' AND e.environment_id = $1
			AND ($2 = '' OR EXISTS (SELECT 1 FROM organizations WHERE id = $2 AND environment_id = $1))`

// OwnPolicies implements authz.EnvironmentReader.
func (t *tx) OwnPolicies(env id.Environment, orgs []id.Organization) (map[id.Organization]bool, error) {
	own := map[id.Organization]bool{}
	err := inBatches(orgs, func(some []id.Organization) error {
		var c condition
		c.add("environment_id = ?", env)
		in(&c, "organization_id", some)
		found, err := all(t, "finding own policies", scanValue[id.Organization],
			`SELECT organization_id FROM default_roles WHERE `+c.String(), c.args...)
		for _, org := range found {
			own[org] = true
		}
		return err
	})
	return own, err
}

// PinnedDefaults implements authz.EnvironmentReader.
func (t *tx) PinnedDefaults(env id.Environment, org id.Organization) (map[id.Role]id.Role, error) {
	found, err := all(t, "reading pinned defaults", scanPair[id.Role],
		`SELECT retired_id, role_id FROM pinned_defaults WHERE organization_id = $1 AND environment_id = $2`, org, env)
	pinned := make(map[id.Role]id.Role, len(found))
	for _, p := range found {
		pinned[p[0]] = p[1]
	}
	return pinned, err
}

// Environments implements authz.EnvironmentReader.
func (t *tx) Environments() ([]authz.Environment, error) {
	return all(t, "listing environments", scanEnvironment, selectEnvironment+` ORDER BY e.id`)
}

// InsertEnvironment implements authz.EnvironmentWriter. The default role follows with the role itself.
func (t *tx) InsertEnvironment(e authz.Environment) error {
	t.makes(append(region(fresh.Environment, e.ID), region(fresh.Catalogue, e.ID)...)...)
	return t.alterOne(nil, "inserting an environment", `
		INSERT INTO environments (id, name, multiple_roles, created_at, updated_at) VALUES ($1, $2, $3, $4, $5)`,
		e.ID, e.Name, flag(e.MultipleRoles), stamp(e.CreatedAt), stamp(e.UpdatedAt))
}

// SetDefaultRole implements authz.EnvironmentWriter.
func (t *tx) SetDefaultRole(env id.Environment, org id.Organization, role id.Role, at time.Time) error {
	return t.alterOne(whole(env, org), "setting a default role", `
		INSERT INTO default_roles (organization_id, environment_id, role_id, updated_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (organization_id, environment_id) DO UPDATE SET role_id = excluded.role_id, updated_at = excluded.updated_at`,
		org, env, role, stamp(at))
}

// ReplaceDefaultRole implements authz.EnvironmentWriter. The role is the environment's, whose organizations can be many.
func (t *tx) ReplaceDefaultRole(env id.Environment, from, to id.Role, at time.Time) (int, error) {
	return t.alter(region(fresh.Environment, env), "replacing a default role", `
		UPDATE default_roles SET role_id = $1, updated_at = $2 WHERE role_id = $3 AND environment_id = $4 AND organization_id <> ''`,
		to, stamp(at), from, env)
}

// PinDefault implements authz.EnvironmentWriter.
func (t *tx) PinDefault(env id.Environment, org id.Organization, gone, pinned id.Role) error {
	return t.alterOne(whole(env, org), "pinning a default", `
		INSERT INTO pinned_defaults (organization_id, environment_id, retired_id, role_id) VALUES ($1, $2, $3, $4)`, org, env, gone, pinned)
}

// SetMultipleRoles implements authz.EnvironmentWriter.
func (t *tx) SetMultipleRoles(env id.Environment, on bool, at time.Time) error {
	return t.alterOne(region(fresh.Environment, env), "switching multiple roles", `
		UPDATE environments SET multiple_roles = $1, updated_at = $2 WHERE id = $3`, flag(on), stamp(at), env)
}
