package store

import (
	"maps"
	"slices"
	"strconv"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

const resourceColumns = `organization_id, id, environment_id, resource_type, external_id, name, description, parent_id, created_at, updated_at`

func scanResource(r row) (res authz.Resource, err error) {
	err = r.Scan(&res.Organization, &res.ID, &res.Environment, &res.Type, &res.ExternalID, &res.Name, &res.Description, &res.Parent,
		(*stamp)(&res.CreatedAt), (*stamp)(&res.UpdatedAt))
	return res, err
}

// Resource implements authz.ResourceReader.
func (t *tx) Resource(env id.Environment, r id.Resource) (authz.Resource, bool, error) {
	return one(t, "reading a resource", scanResource,
		`SELECT `+resourceColumns+` FROM resources WHERE id = $1 AND environment_id = $2`, r, env)
}

// ResourceByExternalID implements authz.ResourceReader.
func (t *tx) ResourceByExternalID(org id.Organization, resourceType, externalID string) (authz.Resource, bool, error) {
	return one(t, "reading a resource", scanResource, `
		SELECT `+resourceColumns+` FROM resources WHERE organization_id = $1 AND resource_type = $2 AND external_id = $3`,
		org, resourceType, externalID)
}

var resourceList = list[authz.Resource]{
	doing: "listing resources", columns: resourceColumns, from: "resources", key: "id",
	scan: scanResource, cursor: func(r authz.Resource) string { return string(r.ID) },
}

// Resources implements authz.ResourceReader.
func (t *tx) Resources(env id.Environment, f authz.ResourceFilter, r page.Request) (page.Page[authz.Resource], error) {
	var c condition
	c.add("environment_id = ?", env)
	if f.Organization != "" {
		c.add("organization_id = ?", f.Organization)
	}
	if f.Type != "" {
		c.add("resource_type = ?", f.Type)
	}
	if f.ExternalID != "" {
		c.add("external_id = ?", f.ExternalID)
	}
	if f.Parent != "" {
		c.add("parent_id = ?", f.Parent)
	}
	return resourceList.page(t, c, r, r.Walk().Cursor)
}

// ResourcesByID implements authz.ResourceReader.
func (t *tx) ResourcesByID(org id.Organization, rs []id.Resource) (found []authz.Resource, err error) {
	err = inBatches(rs, func(some []id.Resource) error {
		var c condition
		c.add("organization_id = ?", org)
		in(&c, "id", some)
		more, err := all(t, "reading resources", scanResource, `SELECT `+resourceColumns+` FROM resources WHERE `+c.String(), c.args...)
		found = append(found, more...)
		return err
	})
	return found, err
}

// Ancestors implements authz.ResourceReader. It reads one level for all resources at a time.
func (t *tx) Ancestors(org id.Organization, rs []authz.Resource) (map[id.Resource][]authz.Resource, error) {
	above := make(map[id.Resource][]authz.Resource, len(rs))
	known := make(map[id.Resource]authz.Resource, len(rs))
	next := make(map[id.Resource]id.Resource, len(rs)) // the parent to be found for each resource
	for _, r := range rs {
		next[r.ID] = r.Parent
	}
	home := authz.OrganizationResource(org)
	for range authz.MaxTypeDepth {
		missing := map[id.Resource]bool{}
		for _, parent := range next {
			if _, ok := known[parent]; !ok && parent != home {
				missing[parent] = true
			}
		}
		found, err := t.ResourcesByID(org, slices.Collect(maps.Keys(missing)))
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			known[r.ID] = r
		}
		for of, parent := range next {
			p, ok := known[parent]
			if !ok {
				delete(next, of)
				continue
			}
			above[of], next[of] = append(above[of], p), p.Parent
		}
	}
	return above, nil
}

// Descendants implements authz.ResourceReader. It reads one level at a time, and never more than it returns.
func (t *tx) Descendants(r authz.Resource, max int) (below []authz.Resource, err error) {
	for level := []id.Resource{r.ID}; len(level) > 0 && len(below) < max; {
		var next []id.Resource
		err := inBatches(level, func(some []id.Resource) error {
			var c condition
			c.add("organization_id = ?", r.Organization)
			in(&c, "parent_id", some)
			found, err := all(t, "reading what is below a resource", scanResource,
				`SELECT `+resourceColumns+` FROM resources WHERE `+c.String()+` ORDER BY id LIMIT `+strconv.Itoa(max-len(below)), c.args...)
			below = append(below, found...)
			for _, child := range found {
				next = append(next, child.ID)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		level = next
	}
	return below, nil
}

// RolesHeldOn implements authz.ResourceReader. It asks for an id too because SQLite would otherwise find all it needs in
// an index that holds every assignment of the organization, and read that.
func (t *tx) RolesHeldOn(org id.Organization, rs []id.Resource) (roles []id.Role, err error) {
	err = inBatches(rs, func(some []id.Resource) error {
		var c condition
		c.add("organization_id = ?", org)
		in(&c, "resource_id", some)
		found, err := all(t, "finding the roles held on resources", func(r row) (role id.Role, err error) {
			var first id.Assignment
			err = r.Scan(&role, &first)
			return role, err
		}, `SELECT role_id, min(id) FROM assignments WHERE `+c.String()+` GROUP BY role_id`, c.args...)
		roles = append(roles, found...)
		return err
	})
	slices.Sort(roles)
	return slices.Compact(roles), err
}

// InsertResource implements authz.ResourceWriter. Nobody can have found the resource before, nor anything below it.
func (t *tx) InsertResource(r authz.Resource) error {
	return t.alterOne(nil, "inserting a resource", `
		INSERT INTO resources (`+resourceColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		r.Organization, r.ID, r.Environment, r.Type, r.ExternalID, r.Name, r.Description, r.Parent, stamp(r.CreatedAt), stamp(r.UpdatedAt))
}

// UpdateResource implements authz.ResourceWriter.
func (t *tx) UpdateResource(r authz.Resource) error {
	return t.alterOne(region(fresh.Resources, r.Organization), "updating a resource", `
		UPDATE resources SET name = $1, description = $2, parent_id = $3, updated_at = $4 WHERE organization_id = $5 AND id = $6`,
		r.Name, r.Description, r.Parent, stamp(r.UpdatedAt), r.Organization, r.ID)
}

// DeleteResources implements authz.ResourceWriter. Members who had roles on them need not be told of: an assignment on a
// resource that is not found counts for nothing, and no other resource gets its id.
func (t *tx) DeleteResources(org id.Organization, rs []id.Resource) error {
	return inBatches(rs, func(some []id.Resource) error {
		regions := region(fresh.Resources, org)
		if err := t.deleteAssignmentsOf(regions, org, authz.AssignmentFilter{Resources: some}); err != nil {
			return err
		}
		var c condition
		c.add("organization_id = ?", org)
		in(&c, "id", some)
		_, err := t.alter(regions, "deleting resources", `DELETE FROM resources WHERE `+c.String(), c.args...)
		return err
	})
}
