package store

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
)

const resourceTypeColumns = `environment_id, slug, name, description, created_at, updated_at`

func scanResourceType(r row) (rt authz.ResourceType, err error) {
	err = r.Scan(&rt.Environment, &rt.Slug, &rt.Name, &rt.Description, (*stamp)(&rt.CreatedAt), (*stamp)(&rt.UpdatedAt))
	return rt, err
}

// ResourceTypes implements authz.ResourceReader.
func (t *tx) ResourceTypes(env id.Environment) ([]authz.ResourceType, error) {
	types, err := all(t, "listing resource types", scanResourceType,
		`SELECT `+resourceTypeColumns+` FROM resource_types WHERE environment_id = $1 ORDER BY slug`, env)
	if err != nil || len(types) == 0 {
		return nil, err
	}
	edges, err := all(t, "reading parents of resource types", scanPair[string],
		`SELECT slug, parent_slug FROM resource_type_parents WHERE environment_id = $1 ORDER BY slug, parent_slug`, env)
	for _, e := range edges {
		for i := range types {
			if types[i].Slug == e[0] {
				types[i].Parents = append(types[i].Parents, e[1])
			}
		}
	}
	return types, err
}

// ResourceTypeUse implements authz.ResourceReader.
func (t *tx) ResourceTypeUse(env id.Environment, slug string) (int, error) {
	n, _, err := one(t, "counting the use of a resource type", scanValue[int], `
		SELECT (SELECT count(*) FROM (SELECT 1 FROM resources WHERE environment_id = $1 AND resource_type = $2 LIMIT $3) AS a)
			+ (SELECT count(*) FROM (SELECT 1 FROM roles WHERE environment_id = $1 AND resource_type = $2 LIMIT $3) AS b)
			+ (SELECT count(*) FROM (SELECT 1 FROM permissions WHERE environment_id = $1 AND resource_type = $2 LIMIT $3) AS c)`,
		env, slug, authz.MaxUse)
	return n, err
}

// ResourcesBetween implements authz.ResourceReader. The organization's own resources have no rows.
func (t *tx) ResourcesBetween(env id.Environment, parentType, childType string) (int, error) {
	query := `
		SELECT count(*) FROM (
			SELECT 1 FROM resources c JOIN resources p ON p.organization_id = c.organization_id AND p.id = c.parent_id
			WHERE c.environment_id = $1 AND c.resource_type = $2 AND p.resource_type = $3 LIMIT $4) AS found`
	if parentType == authz.OrganizationType {
		query = `
		SELECT count(*) FROM (
			SELECT 1 FROM resources c
			WHERE c.environment_id = $1 AND c.resource_type = $2 AND $3 <> ''
				AND NOT EXISTS (SELECT 1 FROM resources p WHERE p.organization_id = c.organization_id AND p.id = c.parent_id)
			LIMIT $4) AS found`
	}
	n, _, err := one(t, "counting resources of a type", scanValue[int], query, env, childType, parentType, authz.MaxUse)
	return n, err
}

// RolesAcross implements authz.ResourceReader.
func (t *tx) RolesAcross(env id.Environment, roleType, permissionType string) (int, error) {
	n, _, err := one(t, "counting the roles with permissions of a type", scanValue[int], `
		SELECT count(*) FROM (
			SELECT 1 FROM permissions p
			JOIN role_permissions rp ON rp.permission_id = p.id
			JOIN roles r ON r.organization_id = rp.organization_id AND r.id = rp.role_id
			WHERE p.environment_id = $1 AND p.resource_type = $2 AND r.resource_type = $3 LIMIT $4) AS found`,
		env, permissionType, roleType, authz.MaxUse)
	return n, err
}

// InsertResourceType implements authz.ResourceWriter.
func (t *tx) InsertResourceType(rt authz.ResourceType) error {
	err := t.execOne("inserting a resource type", `
		INSERT INTO resource_types (`+resourceTypeColumns+`) VALUES ($1, $2, $3, $4, $5, $6)`,
		rt.Environment, rt.Slug, rt.Name, rt.Description, stamp(rt.CreatedAt), stamp(rt.UpdatedAt))
	if err != nil {
		return err
	}
	return t.setParents(rt)
}

func (t *tx) setParents(rt authz.ResourceType) error {
	_, err := t.exec("clearing the parents of a resource type",
		`DELETE FROM resource_type_parents WHERE environment_id = $1 AND slug = $2`, rt.Environment, rt.Slug)
	for _, parent := range rt.Parents {
		if err == nil {
			err = t.execOne("setting a parent of a resource type", `
				INSERT INTO resource_type_parents (environment_id, slug, parent_slug) VALUES ($1, $2, $3)`, rt.Environment, rt.Slug, parent)
		}
	}
	return err
}

// UpdateResourceType implements authz.ResourceWriter.
func (t *tx) UpdateResourceType(rt authz.ResourceType) error {
	err := t.execOne("updating a resource type", `
		UPDATE resource_types SET name = $1, description = $2, updated_at = $3 WHERE environment_id = $4 AND slug = $5`,
		rt.Name, rt.Description, stamp(rt.UpdatedAt), rt.Environment, rt.Slug)
	if err != nil {
		return err
	}
	return t.setParents(rt)
}

// DeleteResourceType implements authz.ResourceWriter. Its place below other types goes with the row.
func (t *tx) DeleteResourceType(rt authz.ResourceType) error {
	return t.execOne("deleting a resource type",
		`DELETE FROM resource_types WHERE environment_id = $1 AND slug = $2`, rt.Environment, rt.Slug)
}
