package store

import (
	"strconv"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
)

// upTo counts the rows of a query, one more than most at most.
func upTo(most int, query string) string {
	return "(SELECT count(*) FROM (SELECT 1 FROM " + query + " LIMIT " + strconv.Itoa(most+1) + ") AS counted)"
}

// inside narrows a query to one organization when there is one, by the number of its argument.
func inside(in id.Organization, column, argument string) string {
	if in == "" {
		return ""
	}
	return " AND " + column + " = " + argument
}

// RoleUses implements authz.CountReader. Which subjects are groups is said as the index on them says it.
func (t *tx) RoleUses(env id.Environment, owner, in id.Organization, only id.Role, most int) (map[id.Role]authz.RoleUse, error) {
	assigned := inside(in, "a.organization_id", "$3")
	query := `SELECT r.id, ` +
		upTo(most, `assignments a WHERE a.role_id = r.id AND substr(a.subject_id, 1, 3) = 'om_'`+assigned) + `, ` +
		upTo(most, `assignments a WHERE a.role_id = r.id AND substr(a.subject_id, 1, 6) = 'group_'`+assigned) + `, ` +
		upTo(most, `default_roles d WHERE d.role_id = r.id AND d.organization_id <> '' AND r.organization_id = ''`+inside(in, "d.organization_id", "$3")) +
		` FROM roles r WHERE r.organization_id IN ('', $2) AND r.environment_id = $1 AND r.retired_at IS NULL`
	args := []any{env, owner}
	if in != "" {
		args = append(args, in)
	}
	if only != "" {
		args = append(args, only)
		query += ` AND r.id = $` + strconv.Itoa(len(args))
	}
	uses := map[id.Role]authz.RoleUse{}
	_, err := all(t, "counting the use of roles", func(r row) (struct{}, error) {
		var role id.Role
		var members, groups, defaults int
		err := r.Scan(&role, &members, &groups, &defaults)
		uses[role] = authz.RoleUse{
			Members: authz.CountTo(members, most), Groups: authz.CountTo(groups, most), Defaults: authz.CountTo(defaults, most),
		}
		return struct{}{}, err
	}, query, args...)
	return uses, err
}

// PermissionUses implements authz.CountReader.
func (t *tx) PermissionUses(env id.Environment, in id.Organization, most int) (map[string]authz.PermissionUse, error) {
	custom := `role_permissions h WHERE h.permission_id = p.id AND h.organization_id > ''` + inside(in, "h.organization_id", "$2")
	query := `SELECT p.slug, ` +
		upTo(most, `role_permissions h WHERE h.permission_id = p.id AND h.organization_id = ''`) + `, ` +
		upTo(most, custom) + `, ` +
		`(SELECT count(DISTINCT o) FROM (SELECT h.organization_id AS o FROM ` + custom + ` LIMIT ` + strconv.Itoa(most) + `) AS counted)` +
		` FROM permissions p WHERE p.environment_id = $1`
	args := []any{env}
	if in != "" {
		args = append(args, in)
	}
	uses := map[string]authz.PermissionUse{}
	_, err := all(t, "counting the use of permissions", func(r row) (struct{}, error) {
		var slug string
		var shared, own, organizations int
		err := r.Scan(&slug, &shared, &own, &organizations)
		uses[slug] = authz.PermissionUse{
			EnvironmentRoles: authz.CountTo(shared, most), CustomRoles: authz.CountTo(own, most),
			Organizations: authz.Count{N: organizations, More: own > most},
		}
		return struct{}{}, err
	}, query, args...)
	return uses, err
}

// sizes runs one query that counts.
func (t *tx) sizes(most int, query string, args []any, into ...*authz.Count) error {
	_, _, err := one(t, "counting", func(r row) (struct{}, error) {
		rows := make([]int, len(into))
		to := make([]any, len(into))
		for i := range rows {
			to[i] = &rows[i]
		}
		err := r.Scan(to...)
		for i, n := range rows {
			*into[i] = authz.CountTo(n, most)
		}
		return struct{}{}, err
	}, query, args...)
	return err
}

// EnvironmentSize implements authz.CountReader.
func (t *tx) EnvironmentSize(env id.Environment, in id.Organization, most int) (s authz.EnvironmentSize, err error) {
	organizations, users, args := `organizations WHERE environment_id = $1`, `users WHERE environment_id = $1`, []any{env}
	if in != "" {
		organizations += ` AND id = $2`
		users = `memberships WHERE environment_id = $1 AND organization_id = $2`
		args = append(args, in)
	}
	query := `SELECT ` + upTo(most, organizations) + `, ` + upTo(most, users) + `, ` +
		upTo(most, `roles WHERE organization_id = '' AND environment_id = $1 AND retired_at IS NULL`) + `, ` +
		upTo(most, `permissions WHERE environment_id = $1`)
	err = t.sizes(most, query, args, &s.Organizations, &s.Users, &s.Roles, &s.Permissions)
	return s, err
}

// OrganizationSize implements authz.CountReader.
func (t *tx) OrganizationSize(org id.Organization, most int) (s authz.OrganizationSize, err error) {
	query := `SELECT ` + upTo(most, `memberships WHERE organization_id = $1`) + `, ` +
		upTo(most, `roles WHERE organization_id = $1 AND retired_at IS NULL`) + `, ` +
		upTo(most, `organization_groups WHERE organization_id = $1`) + `, ` +
		upTo(most, `resources WHERE organization_id = $1`)
	err = t.sizes(most, query, []any{org}, &s.Members, &s.CustomRoles, &s.Groups, &s.Resources)
	return s, err
}

// UserSize implements authz.CountReader.
func (t *tx) UserSize(u id.User, in id.Organization, most int) (s authz.UserSize, err error) {
	args := []any{u}
	if in != "" {
		args = append(args, in)
	}
	query := `SELECT ` + upTo(most, `memberships WHERE user_id = $1`+inside(in, "organization_id", "$2"))
	err = t.sizes(most, query, args, &s.Organizations)
	return s, err
}

// GroupSize implements authz.CountReader.
func (t *tx) GroupSize(org id.Organization, g id.Group, most int) (s authz.GroupSize, err error) {
	query := `SELECT ` + upTo(most, `group_members WHERE organization_id = $1 AND group_id = $2`) + `, ` +
		upTo(most, `assignments WHERE organization_id = $1 AND subject_id = $2`)
	err = t.sizes(most, query, []any{org, g}, &s.Members, &s.Assignments)
	return s, err
}
