package store

import (
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

const permissionColumns = `id, environment_id, slug, name, description, system, resource_type, created_at, updated_at`

func scanPermission(r row) (p authz.Permission, err error) {
	err = r.Scan(&p.ID, &p.Environment, &p.Slug, &p.Name, &p.Description, (*flag)(&p.System), &p.ResourceType,
		(*stamp)(&p.CreatedAt), (*stamp)(&p.UpdatedAt))
	return p, err
}

// Permission implements authz.PermissionReader.
func (t *tx) Permission(env id.Environment, slug string) (authz.Permission, bool, error) {
	return one(t, "reading a permission", scanPermission,
		`SELECT `+permissionColumns+` FROM permissions WHERE environment_id = $1 AND slug = $2`, env, slug)
}

var permissionList = list[authz.Permission]{
	doing: "listing permissions", columns: permissionColumns, from: "permissions", key: "id",
	scan: scanPermission, cursor: func(p authz.Permission) string { return string(p.ID) },
}

// Permissions implements authz.PermissionReader.
func (t *tx) Permissions(env id.Environment, r page.Request) (page.Page[authz.Permission], error) {
	var c condition
	c.add("environment_id = ?", env)
	return permissionList.page(t, c, r, r.Walk().Cursor)
}

// lookupBatch bounds how many values one query compares with.
const lookupBatch = 500

// inBatches runs do with at most lookupBatch of the values at a time.
func inBatches[T any](values []T, do func([]T) error) error {
	for len(values) > 0 {
		n := min(len(values), lookupBatch)
		if err := do(values[:n]); err != nil {
			return err
		}
		values = values[n:]
	}
	return nil
}

// PermissionsBySlug implements authz.PermissionReader.
func (t *tx) PermissionsBySlug(env id.Environment, slugs []string) (map[string]authz.Permission, error) {
	known := make(map[string]authz.Permission, len(slugs))
	err := inBatches(slugs, func(some []string) error {
		var c condition
		c.add("environment_id = ?", env)
		in(&c, "slug", some)
		found, err := all(t, "looking permissions up", scanPermission,
			`SELECT `+permissionColumns+` FROM permissions WHERE `+c.String(), c.args...)
		for _, p := range found {
			known[p.Slug] = p
		}
		return err
	})
	return known, err
}

// InsertPermission implements authz.PermissionWriter.
func (t *tx) InsertPermission(p authz.Permission) error {
	return t.alterOne(region(fresh.Catalogue, p.Environment), "inserting a permission", `
		INSERT INTO permissions (`+permissionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		p.ID, p.Environment, p.Slug, p.Name, p.Description, flag(p.System), p.ResourceType, stamp(p.CreatedAt), stamp(p.UpdatedAt))
}

// UpdatePermission implements authz.PermissionWriter.
func (t *tx) UpdatePermission(p authz.Permission) error {
	return t.alterOne(region(fresh.Catalogue, p.Environment), "updating a permission", `
		UPDATE permissions SET name = $1, description = $2, updated_at = $3 WHERE id = $4`,
		p.Name, p.Description, stamp(p.UpdatedAt), p.ID)
}

// DeletePermission implements authz.PermissionWriter. What a role holds counts through the catalogue, so that custom
// roles need not be told of; keys name permissions too.
func (t *tx) DeletePermission(p authz.Permission, at time.Time) error {
	regions := append(region(fresh.Catalogue, p.Environment), region(fresh.Keys, p.Environment)...)
	_, err := t.alter(regions, "updating the roles of a permission", `
		UPDATE roles SET updated_at = $1 WHERE id IN (SELECT role_id FROM role_permissions WHERE permission_id = $2)`, stamp(at), p.ID)
	if err != nil {
		return err
	}
	if _, err := t.alter(regions, "taking a permission off roles", `DELETE FROM role_permissions WHERE permission_id = $1`, p.ID); err != nil {
		return err
	}
	return t.alterOne(regions, "deleting a permission", `DELETE FROM permissions WHERE id = $1`, p.ID)
}
