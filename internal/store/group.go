package store

import (
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

const groupColumns = `organization_id, id, environment_id, name, description, created_at, updated_at`

func scanGroup(r row) (g authz.Group, err error) {
	err = r.Scan(&g.Organization, &g.ID, &g.Environment, &g.Name, &g.Description, (*stamp)(&g.CreatedAt), (*stamp)(&g.UpdatedAt))
	return g, err
}

// Group implements authz.GroupReader.
func (t *tx) Group(env id.Environment, g id.Group) (authz.Group, bool, error) {
	return one(t, "reading a group", scanGroup,
		`SELECT `+groupColumns+` FROM organization_groups WHERE id = $1 AND environment_id = $2`, g, env)
}

var groupList = list[authz.Group]{
	doing: "listing groups", columns: groupColumns, from: "organization_groups", key: "id",
	scan: scanGroup, cursor: func(g authz.Group) string { return string(g.ID) },
}

// Groups implements authz.GroupReader.
func (t *tx) Groups(org id.Organization, r page.Request) (page.Page[authz.Group], error) {
	var c condition
	c.add("organization_id = ?", org)
	return groupList.page(t, c, r, r.Walk().Cursor)
}

// GroupsOf implements authz.GroupReader.
func (t *tx) GroupsOf(org id.Organization, m id.Membership) ([]id.Group, error) {
	return all(t, "reading the groups of a membership", scanValue[id.Group], `
		SELECT group_id FROM group_members WHERE organization_id = $1 AND membership_id = $2 ORDER BY group_id`, org, m)
}

// GroupsOfMember implements authz.GroupReader.
func (t *tx) GroupsOfMember(org id.Organization, m id.Membership, r page.Request) (page.Page[authz.Group], error) {
	var c condition
	c.add("organization_id = ?", org)
	c.add("id IN (SELECT group_id FROM group_members WHERE organization_id = ? AND membership_id = ?)", org, m)
	return groupList.page(t, c, r, r.Walk().Cursor)
}

var groupMemberList = list[authz.Membership]{
	doing: "listing the members of a group", columns: prefixed("m.", membershipColumns),
	from: "group_members g JOIN memberships m ON m.organization_id = g.organization_id AND m.id = g.membership_id",
	key:  "g.membership_id", scan: scanMembership, cursor: func(m authz.Membership) string { return string(m.ID) },
}

// GroupMembers implements authz.GroupReader.
func (t *tx) GroupMembers(g authz.Group, r page.Request) (page.Page[authz.Membership], error) {
	var c condition
	c.add("g.organization_id = ?", g.Organization)
	c.add("g.group_id = ?", g.ID)
	return groupMemberList.page(t, c, r, r.Walk().Cursor)
}

// MembersOf implements authz.GroupReader.
func (t *tx) MembersOf(g authz.Group) ([]id.Membership, error) {
	return all(t, "reading who is in a group", scanValue[id.Membership], `
		SELECT membership_id FROM group_members WHERE organization_id = $1 AND group_id = $2`, g.Organization, g.ID)
}

// InGroup implements authz.GroupReader.
func (t *tx) InGroup(g authz.Group, m id.Membership) (bool, error) {
	_, found, err := one(t, "looking for a member of a group", scanValue[int64], `
		SELECT 1 FROM group_members WHERE organization_id = $1 AND group_id = $2 AND membership_id = $3`, g.Organization, g.ID, m)
	return found, err
}

// InsertGroup implements authz.GroupWriter. A group matters to decisions through its members and its roles: it has none.
func (t *tx) InsertGroup(g authz.Group) error {
	return t.alterOne(nil, "inserting a group", `
		INSERT INTO organization_groups (`+groupColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		g.Organization, g.ID, g.Environment, g.Name, g.Description, stamp(g.CreatedAt), stamp(g.UpdatedAt))
}

// UpdateGroup implements authz.GroupWriter. Decisions know a group by its id.
func (t *tx) UpdateGroup(g authz.Group) error {
	return t.alterOne(nil, "updating a group", `
		UPDATE organization_groups SET name = $1, description = $2, updated_at = $3 WHERE organization_id = $4 AND id = $5`,
		g.Name, g.Description, stamp(g.UpdatedAt), g.Organization, g.ID)
}

// DeleteGroup implements authz.GroupWriter. Who is in it goes with the row.
func (t *tx) DeleteGroup(g authz.Group) error {
	if err := t.DeleteAssignmentsOf(g.Organization, authz.AssignmentFilter{Group: g.ID}); err != nil {
		return err
	}
	return t.alterOne(region(fresh.Organization, g.Organization), "deleting a group",
		`DELETE FROM organization_groups WHERE organization_id = $1 AND id = $2`, g.Organization, g.ID)
}

// AddGroupMember implements authz.GroupWriter.
func (t *tx) AddGroupMember(g authz.Group, m id.Membership, at time.Time) error {
	return t.alterOne(region(fresh.Member, m), "adding a member to a group", `
		INSERT INTO group_members (organization_id, group_id, membership_id, created_at) VALUES ($1, $2, $3, $4)`,
		g.Organization, g.ID, m, stamp(at))
}

// RemoveGroupMember implements authz.GroupWriter.
func (t *tx) RemoveGroupMember(g authz.Group, m id.Membership) error {
	return t.alterOne(region(fresh.Member, m), "removing a member from a group", `
		DELETE FROM group_members WHERE organization_id = $1 AND group_id = $2 AND membership_id = $3`, g.Organization, g.ID, m)
}
