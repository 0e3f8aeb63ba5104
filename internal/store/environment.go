package store

import (
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
)

const selectEnvironment = `
	SELECT e.id, e.name, d.role_id, e.created_at, e.updated_at
	FROM environments e JOIN default_roles d ON d.environment_id = e.id AND d.organization_id = ''`

func scanEnvironment(r row) (e authz.Environment, err error) {
	err = r.Scan(&e.ID, &e.Name, &e.DefaultRole, (*stamp)(&e.CreatedAt), (*stamp)(&e.UpdatedAt))
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

// DefaultRoles implements authz.EnvironmentReader.
func (t *tx) DefaultRoles(env id.Environment, org id.Organization) (shared, own id.Role, found bool, err error) {
	both, found, err := one(t, "reading default roles", func(r row) (b [2]id.Role, err error) {
		err = r.Scan(&b[0], &b[1])
		return b, err
	}, `
		SELECT e.role_id, coalesce(o.role_id, '')
		FROM default_roles e
		LEFT JOIN default_roles o ON o.organization_id = $2 AND o.environment_id = e.environment_id AND o.organization_id <> ''
		WHERE e.organization_id = '' AND e.environment_id = $1
			AND ($2 = '' OR EXISTS (SELECT 1 FROM organizations WHERE id = $2 AND environment_id = $1))`, env, org)
	return both[0], both[1], found, err
}

// Environments implements authz.EnvironmentReader.
func (t *tx) Environments() ([]authz.Environment, error) {
	return all(t, "listing environments", scanEnvironment, selectEnvironment+` ORDER BY e.id`)
}

// InsertEnvironment implements authz.EnvironmentWriter. The default role follows with the role itself.
func (t *tx) InsertEnvironment(e authz.Environment) error {
	return t.execOne("inserting an environment", `
		INSERT INTO environments (id, name, created_at, updated_at) VALUES ($1, $2, $3, $4)`,
		e.ID, e.Name, stamp(e.CreatedAt), stamp(e.UpdatedAt))
}

// SetDefaultRole implements authz.EnvironmentWriter.
func (t *tx) SetDefaultRole(env id.Environment, org id.Organization, role id.Role, at time.Time) error {
	return t.execOne("setting a default role", `
		INSERT INTO default_roles (organization_id, environment_id, role_id, updated_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (organization_id, environment_id) DO UPDATE SET role_id = excluded.role_id, updated_at = excluded.updated_at`,
		org, env, role, stamp(at))
}
