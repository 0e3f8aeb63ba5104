package store

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
)

const roleColumns = `organization_id, id, environment_id, slug, name, description, resource_type, ordinal, retired_at, replacement_id, created_at, updated_at`

func scanRole(r row) (role authz.Role, err error) {
	var replacement *string
	err = r.Scan(&role.Organization, &role.ID, &role.Environment, &role.Slug, &role.Name, &role.Description,
		&role.ResourceType, &role.Ordinal, (*stamp)(&role.RetiredAt), &replacement, (*stamp)(&role.CreatedAt), (*stamp)(&role.UpdatedAt))
	if replacement != nil {
		role.Replacement = id.Role(*replacement)
	}
	role.Permissions = []string{}
	return role, err
}

// held is one permission of one role.
type held struct {
	role id.Role
	slug string
}

func scanHeld(r row) (h held, err error) {
	err = r.Scan(&h.role, &h.slug)
	return h, err
}

// Role implements authz.RoleReader.
func (t *tx) Role(env id.Environment, org id.Organization, slug string) (authz.Role, bool, error) {
	r, found, err := one(t, "reading a role", scanRole, `
		SELECT `+roleColumns+` FROM roles
		WHERE organization_id = $1 AND environment_id = $2 AND slug = $3 AND retired_at IS NULL`, org, env, slug)
	if err != nil || !found {
		return r, found, err
	}
	r.Permissions, err = t.permissionsOf(r)
	return r, err == nil, err
}

func (t *tx) permissionsOf(r authz.Role) ([]string, error) {
	slugs, err := all(t, "reading the permissions of a role", scanValue[string], `
		SELECT p.slug FROM role_permissions rp JOIN permissions p ON p.id = rp.permission_id
		WHERE rp.organization_id = $1 AND rp.role_id = $2 ORDER BY p.slug`, r.Organization, r.ID)
	if slugs == nil {
		slugs = []string{}
	}
	return slugs, err
}

// RolePermissions implements authz.RoleReader.
func (t *tx) RolePermissions(_ id.Environment, org id.Organization, roles []id.Role) (map[id.Role][]string, error) {
	found := make(map[id.Role][]string, len(roles))
	for len(roles) > 0 {
		n := min(len(roles), lookupBatch)
		var c condition
		c.add("rp.organization_id IN ('', ?)", org)
		in(&c, "rp.role_id", roles[:n])
		for _, r := range roles[:n] {
			found[r] = []string{}
		}
		roles = roles[n:]
		permissions, err := all(t, "reading the permissions of roles", scanHeld, `
			SELECT rp.role_id, p.slug FROM role_permissions rp JOIN permissions p ON p.id = rp.permission_id
			WHERE `+c.String()+` ORDER BY p.slug`, c.args...)
		if err != nil {
			return nil, err
		}
		for _, h := range permissions {
			found[h.role] = append(found[h.role], h.slug)
		}
	}
	return found, nil
}

// ranked is a role with its place in the order of its owner, and with the defaults, which are the same for all.
type ranked struct {
	defaults authz.Defaults
	role     authz.Role
	place    int64 // 0 where the stored order does not name it
}

func scanRanked(r row) (k ranked, err error) {
	var more row = rowFunc(func(dest ...any) error {
		return r.Scan(append([]any{&k.defaults.Shared, &k.defaults.Own, (*flag)(&k.defaults.Multiple), &k.place}, dest...)...)
	})
	k.role, err = scanRole(more)
	return k, err
}

var selectStanding = `
		SELECT d.shared, d.own, d.multiple_roles, coalesce(p.place, 0), ` + prefixed("r.", roleColumns) + `
		FROM (` + selectDefaults + `) AS d
		JOIN roles r ON r.organization_id IN ('', $2) AND r.environment_id = $1
		LEFT JOIN role_order p ON p.organization_id = CASE d.own WHEN '' THEN '' ELSE $2 END AND p.environment_id = $1 AND p.role_id = r.id`

// Standing implements authz.RoleReader.
func (t *tx) Standing(env id.Environment, org id.Organization) (s authz.Standing, found bool, err error) {
	ranks, err := all(t, "reading the roles of an owner", scanRanked, selectStanding,
		env, org)
	if err != nil || len(ranks) == 0 {
		return s, false, err
	}
	slices.SortFunc(ranks, func(a, b ranked) int { return cmp.Compare(a.place, b.place) })
	s.Defaults = ranks[0].defaults
	for _, k := range ranks {
		s.Roles = append(s.Roles, k.role)
		if k.place != 0 {
			s.Order = append(s.Order, k.role.ID)
		}
	}
	return s, true, nil
}

// RolesWithPermission implements authz.RoleReader.
func (t *tx) RolesWithPermission(env id.Environment, p id.Permission) ([]authz.Role, error) {
	roles, err := all(t, "finding the roles with a permission", scanRole, `
		SELECT `+roleColumns+` FROM roles
		WHERE environment_id = $1 AND id IN (SELECT role_id FROM role_permissions WHERE permission_id = $2) ORDER BY id`, env, p)
	if err != nil {
		return nil, err
	}
	permissions, err := all(t, "reading the permissions of those roles", scanHeld, `
		SELECT h.role_id, p.slug
		FROM role_permissions h
		JOIN role_permissions rp ON rp.organization_id = h.organization_id AND rp.role_id = h.role_id
		JOIN permissions p ON p.id = rp.permission_id
		WHERE h.permission_id = $1 ORDER BY p.slug`, p)
	at := make(map[id.Role]int, len(roles))
	for i, r := range roles {
		at[r.ID] = i
	}
	for _, h := range permissions {
		roles[at[h.role]].Permissions = append(roles[at[h.role]].Permissions, h.slug)
	}
	return roles, err
}

// RoleUse implements authz.RoleReader.
func (t *tx) RoleUse(_ id.Environment, r id.Role) (authz.Use, error) {
	u, _, err := one(t, "counting the use of a role", func(r row) (u authz.Use, err error) {
		err = r.Scan(&u.Assignments, &u.Defaults)
		return u, err
	}, `SELECT (SELECT count(*) FROM (SELECT 1 FROM assignments WHERE role_id = $1 LIMIT $2) AS a) +
			(SELECT count(*) FROM roles WHERE replacement_id = $1) + (SELECT count(*) FROM pinned_defaults WHERE role_id = $1),
		(SELECT count(*) FROM (SELECT 1 FROM default_roles WHERE role_id = $1 AND organization_id <> '' LIMIT $2) AS d)`,
		r, authz.MaxUse)
	return u, err
}

// InsertRole implements authz.RoleWriter.
func (t *tx) InsertRole(r authz.Role) error {
	ordinal := int64(0)
	if r.Organization == "" {
		last, _, err := one(t, "counting environment roles", scanValue[int64], `
			SELECT coalesce(max(ordinal), 0) FROM roles WHERE organization_id = '' AND environment_id = $1`, r.Environment)
		if err != nil {
			return err
		}
		ordinal = last + 1
	}
	return t.alterOne(whole(r.Environment, r.Organization), "inserting a role", `
		INSERT INTO roles (`+roleColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		r.Organization, r.ID, r.Environment, r.Slug, r.Name, r.Description, r.ResourceType, ordinal,
		stamp(r.RetiredAt), orNull(r.Replacement), stamp(r.CreatedAt), stamp(r.UpdatedAt))
}

// described is where a role is remembered with its name and what it holds.
func described(r authz.Role) []fresh.Region {
	if r.Custom() {
		return region(fresh.Holdings, r.Organization)
	}
	return region(fresh.Catalogue, r.Environment)
}

// UpdateRole implements authz.RoleWriter.
func (t *tx) UpdateRole(r authz.Role) error {
	err := t.alterOne(described(r), "updating a role", `
		UPDATE roles SET name = $1, description = $2, updated_at = $3 WHERE organization_id = $4 AND id = $5`,
		r.Name, r.Description, stamp(r.UpdatedAt), r.Organization, r.ID)
	if err != nil {
		return err
	}
	had, err := t.permissionsOf(r)
	if err != nil {
		return err
	}
	return t.changePermissions(r, had)
}

// changePermissions writes the difference between what a role had and what it shall have.
func (t *tx) changePermissions(r authz.Role, had []string) error {
	obsolete := make(map[string]bool, len(had))
	for _, slug := range had {
		obsolete[slug] = true
	}
	var added []string
	for _, slug := range r.Permissions {
		if !obsolete[slug] {
			added = append(added, slug)
		}
		delete(obsolete, slug)
	}
	for slug := range obsolete {
		added = append(added, slug)
	}
	known, err := t.PermissionsBySlug(r.Environment, added)
	if err != nil {
		return err
	}
	for _, slug := range added {
		p, ok := known[slug]
		if !ok {
			return fmt.Errorf("role %s: permission %q does not exist", r.ID, slug)
		}
		query := `INSERT INTO role_permissions (organization_id, role_id, permission_id) VALUES ($1, $2, $3)`
		if obsolete[slug] {
			query = `DELETE FROM role_permissions WHERE organization_id = $1 AND role_id = $2 AND permission_id = $3`
		}
		if err := t.alterOne(described(r), "changing the permissions of a role", query, r.Organization, r.ID, p.ID); err != nil {
			return err
		}
	}
	return nil
}

// DeleteRole implements authz.RoleWriter. Permissions and places go with the row.
func (t *tx) DeleteRole(r authz.Role) error {
	return t.alterOne(whole(r.Environment, r.Organization), "deleting a role", `DELETE FROM roles WHERE organization_id = $1 AND id = $2`, r.Organization, r.ID)
}

// AppendRoleOrder implements authz.RoleWriter.
func (t *tx) AppendRoleOrder(env id.Environment, org id.Organization, roles []id.Role) error {
	for _, r := range roles {
		err := t.alterOne(whole(env, org), "appending to a role order", `
			INSERT INTO role_order (organization_id, environment_id, role_id, place)
			SELECT $1, $2, $3, coalesce(max(place), 0) + 1 FROM role_order WHERE organization_id = $1 AND environment_id = $2`,
			org, env, r)
		if err != nil {
			return err
		}
	}
	return nil
}

// SetRoleOrder implements authz.RoleWriter.
func (t *tx) SetRoleOrder(env id.Environment, org id.Organization, roles []id.Role) error {
	_, err := t.alter(whole(env, org), "clearing a role order", `DELETE FROM role_order WHERE organization_id = $1 AND environment_id = $2`, org, env)
	if err != nil {
		return err
	}
	return t.AppendRoleOrder(env, org, roles)
}

// RetireRole implements authz.RoleWriter. What names a custom role is of its organization; what names an environment role
// can be of any organization of the environment.
func (t *tx) RetireRole(r authz.Role) error {
	regions := whole(r.Environment, r.Organization)
	for _, step := range []struct {
		doing, query string
		args         []any
	}{
		{"freeing the places of a role", `DELETE FROM role_order WHERE role_id = $1`, []any{r.ID}},
		{"taking the permissions off a role", `DELETE FROM role_permissions WHERE organization_id = $1 AND role_id = $2`, []any{r.Organization, r.ID}},
		{"handing on what a role stands in for", `UPDATE roles SET replacement_id = $1 WHERE environment_id = $2 AND replacement_id = $3`,
			[]any{orNull(r.Replacement), r.Environment, r.ID}},
		{"handing on the defaults that a role stands in for", `
			UPDATE pinned_defaults SET role_id = CASE WHEN $1 <> '' THEN $1 ELSE (
				SELECT d.role_id FROM default_roles d
				WHERE d.organization_id = pinned_defaults.organization_id AND d.environment_id = pinned_defaults.environment_id) END
			WHERE role_id = $2`, []any{string(r.Replacement), r.ID}},
	} {
		if _, err := t.alter(regions, step.doing, step.query, step.args...); err != nil {
			return err
		}
	}
	return t.alterOne(regions, "retiring a role", `
		UPDATE roles SET slug = $1, retired_at = $2, replacement_id = $3 WHERE organization_id = $4 AND id = $5`,
		"~"+string(r.ID), stamp(r.RetiredAt), orNull(r.Replacement), r.Organization, r.ID)
}

// CountDefaults implements authz.RoleReader.
func (t *tx) CountDefaults(r id.Role) (int, error) {
	n, _, err := one(t, "counting the organizations with a default", scanValue[int],
		`SELECT count(*) FROM default_roles WHERE role_id = $1 AND organization_id <> ''`, r)
	return n, err
}

// OrganizationsWithDefault implements authz.RoleReader.
func (t *tx) OrganizationsWithDefault(r id.Role, max int) ([]authz.OrganizationName, error) {
	return all(t, "finding the organizations with a default", func(r row) (o authz.OrganizationName, err error) {
		err = r.Scan(&o.ID, &o.Name)
		return o, err
	}, `
		SELECT o.id, o.name FROM default_roles d JOIN organizations o ON o.id = d.organization_id
		WHERE d.role_id = $1 ORDER BY d.organization_id LIMIT $2`, r, max)
}
