package store

import (
	"cmp"
	"database/sql"
	"errors"
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

const assignmentColumns = `organization_id, id, environment_id, subject_id, role_id, resource_id, source, explicit, starts_at, expires_at, created_at, updated_at`

// These compare resource and role of an assignment so that no index on them is used: on the organization itself are the
// assignments of everybody, of a role those of all who hold it, and who is asked about has few.
const (
	resourceByValue = "(resource_id || '')"
	roleByValue     = "(role_id || '')"
)

func scanAssignment(r row) (a authz.Assignment, err error) {
	err = r.Scan(&a.Organization, &a.ID, &a.Environment, subject{&a}, &a.Role, &a.Resource, &a.Source, (*flag)(&a.Explicit),
		(*stamp)(&a.StartsAt), (*stamp)(&a.ExpiresAt), (*stamp)(&a.CreatedAt), (*stamp)(&a.UpdatedAt))
	return a, err
}

// subject reads the one column for memberships and groups, whose ids tell which it is.
type subject struct{ of *authz.Assignment }

// Scan implements sql.Scanner.
func (s subject) Scan(src any) error {
	var text sql.NullString
	if err := text.Scan(src); err != nil {
		return err
	}
	if g, ok := id.Parse[id.Group](text.String); ok {
		s.of.Group = g
	} else {
		s.of.Membership = id.Membership(text.String)
	}
	return nil
}

func subjectOf(m id.Membership, g id.Group) string { return string(m) + string(g) }

// AssignmentsOf implements authz.AssignmentReader.
func (t *tx) AssignmentsOf(org id.Organization, ms []id.Membership, on []id.Resource) (map[id.Membership][]authz.Assignment, error) {
	of := make(map[id.Membership][]authz.Assignment, len(ms))
	for len(ms) > 0 {
		n := min(len(ms), lookupBatch)
		if err := t.addAssignments(of, org, ms[:n], on); err != nil {
			return nil, err
		}
		ms = ms[n:]
	}
	return of, nil
}

// addAssignments reads what memberships were assigned themselves and what their groups were.
func (t *tx) addAssignments(of map[id.Membership][]authz.Assignment, org id.Organization, ms []id.Membership, on []id.Resource) error {
	var own, members condition
	own.add("organization_id = ?", org)
	in(&own, "subject_id", ms)
	members.add("organization_id = ?", org)
	in(&members, "membership_id", ms)
	return t.addHeld(of, org, own, members, on)
}

// addHeld reads the assignments that memberships have themselves, by one condition, and those that they have through
// the groups they are members of, by another. The two are not joined: without statistics a database would begin with
// the many assignments on the organization instead of the few groups of the members.
func (t *tx) addHeld(of map[id.Membership][]authz.Assignment, org id.Organization, own, members condition, on []id.Resource) error {
	in(&own, resourceByValue, on)
	found, err := all(t, "reading assignments", scanAssignment,
		`SELECT `+assignmentColumns+` FROM assignments WHERE `+own.String(), own.args...)
	if err != nil {
		return err
	}
	for _, a := range found {
		of[a.Membership] = append(of[a.Membership], a)
	}
	joined, err := all(t, "reading the groups of memberships", scanPair[string],
		`SELECT group_id, membership_id FROM group_members WHERE `+members.String(), members.args...)
	if err != nil || len(joined) == 0 {
		return err
	}
	slices.SortFunc(joined, func(a, b [2]string) int { return cmp.Compare(a[0], b[0]) })
	has, err := t.assignmentsOfGroups(org, joined, on)
	for _, pair := range joined {
		m := id.Membership(pair[1])
		of[m] = append(of[m], has[id.Group(pair[0])]...)
	}
	return err
}

// assignmentsOfGroups reads those of the groups that come first in pairs, which are sorted.
func (t *tx) assignmentsOfGroups(org id.Organization, pairs [][2]string, on []id.Resource) (map[id.Group][]authz.Assignment, error) {
	var groups []string
	for _, p := range pairs {
		if len(groups) == 0 || groups[len(groups)-1] != p[0] {
			groups = append(groups, p[0])
		}
	}
	has := make(map[id.Group][]authz.Assignment, len(groups))
	return has, inBatches(groups, func(some []string) error {
		var c condition
		c.add("organization_id = ?", org)
		in(&c, "subject_id", some)
		in(&c, resourceByValue, on)
		found, err := all(t, "reading the assignments of groups", scanAssignment,
			`SELECT `+assignmentColumns+` FROM assignments WHERE `+c.String(), c.args...)
		for _, a := range found {
			has[a.Group] = append(has[a.Group], a)
		}
		return err
	})
}

// AssignmentsThrough implements authz.AssignmentReader.
func (t *tx) AssignmentsThrough(org id.Organization, m id.Membership, on []id.Resource) ([]authz.Assignment, error) {
	groups, err := t.GroupsOf(org, m)
	if err != nil {
		return nil, err
	}
	pairs := make([][2]string, len(groups))
	for i, g := range groups {
		pairs[i] = [2]string{string(g), string(m)}
	}
	has, err := t.assignmentsOfGroups(org, pairs, on)
	var through []authz.Assignment
	for _, g := range groups {
		through = append(through, has[g]...)
	}
	return through, err
}

// AssignmentsBetween implements authz.AssignmentReader.
func (t *tx) AssignmentsBetween(org id.Organization, first, last id.Membership, on []id.Resource) (map[id.Membership][]authz.Assignment, error) {
	var own, members condition
	own.add("organization_id = ? AND subject_id >= ? AND subject_id <= ?", org, first, last)
	members.add("organization_id = ? AND membership_id >= ? AND membership_id <= ?", org, first, last)
	of := map[id.Membership][]authz.Assignment{}
	return of, t.addHeld(of, org, own, members, on)
}

// Assignment implements authz.AssignmentReader.
func (t *tx) Assignment(org id.Organization, a id.Assignment) (authz.Assignment, bool, error) {
	return one(t, "reading an assignment", scanAssignment,
		`SELECT `+assignmentColumns+` FROM assignments WHERE organization_id = $1 AND id = $2`, org, a)
}

var assignmentList = list[authz.Assignment]{
	doing: "listing assignments", columns: assignmentColumns, from: "assignments", key: "id",
	scan: scanAssignment, cursor: func(a authz.Assignment) string { return string(a.ID) },
}

// Assignments implements authz.AssignmentReader.
func (t *tx) Assignments(org id.Organization, f authz.AssignmentFilter, r page.Request) (page.Page[authz.Assignment], error) {
	c, err := assignmentCondition(org, f)
	if err != nil {
		return page.Page[authz.Assignment]{}, err
	}
	return assignmentList.page(t, c, r, r.Walk().Cursor)
}

func assignmentCondition(org id.Organization, f authz.AssignmentFilter) (c condition, err error) {
	c.add("organization_id = ?", org)
	resource, role := "resource_id", "role_id"
	if s := subjectOf(f.Membership, f.Group); s != "" {
		c.add("subject_id = ?", s)
		resource, role = resourceByValue, roleByValue
	}
	in(&c, resource, f.Resources)
	in(&c, role, f.Roles)
	if len(c.parts) == 1 {
		return c, errors.New("assignments of nobody, on nothing")
	}
	if f.Source != "" {
		c.add("source = ?", f.Source)
	}
	return c, nil
}

// AssignmentsNaming implements authz.AssignmentReader.
func (t *tx) AssignmentsNaming(r id.Role, from id.Organization, max int) ([]authz.Assignment, error) {
	return all(t, "finding the assignments of a role", scanAssignment, `
		SELECT `+assignmentColumns+` FROM assignments WHERE role_id = $1 AND organization_id >= $2 ORDER BY organization_id, id LIMIT $3`,
		r, from, max)
}

// CountNaming implements authz.AssignmentReader.
func (t *tx) CountNaming(r id.Role) (int, error) {
	n, _, err := one(t, "counting the assignments of a role", scanValue[int], `SELECT count(*) FROM assignments WHERE role_id = $1`, r)
	return n, err
}

// AssignmentsDue implements authz.AssignmentReader.
func (t *tx) AssignmentsDue(at time.Time, max int) ([]authz.Assignment, error) {
	return all(t, "finding assignments that begin or end", scanAssignment, `
		SELECT `+assignmentColumns+` FROM assignments WHERE due_at <= $1 ORDER BY due_at LIMIT $2`, stamp(at), max)
}

// InsertAssignment implements authz.AssignmentWriter.
func (t *tx) InsertAssignment(a authz.Assignment, due time.Time) error {
	return t.alterOne(heldBy(a.Organization, a), "inserting an assignment", `
		INSERT INTO assignments (`+assignmentColumns+`, due_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		a.Organization, a.ID, a.Environment, subjectOf(a.Membership, a.Group), a.Role, a.Resource, a.Source, flag(a.Explicit),
		stamp(a.StartsAt), stamp(a.ExpiresAt), stamp(a.CreatedAt), stamp(a.UpdatedAt), stamp(due))
}

// UpdateAssignment implements authz.AssignmentWriter.
func (t *tx) UpdateAssignment(a authz.Assignment, due time.Time) error {
	return t.alterOne(heldBy(a.Organization, a), "updating an assignment", `
		UPDATE assignments SET role_id = $1, source = $2, explicit = $3, starts_at = $4, expires_at = $5, updated_at = $6, due_at = $7
		WHERE organization_id = $8 AND id = $9`,
		a.Role, a.Source, flag(a.Explicit), stamp(a.StartsAt), stamp(a.ExpiresAt), stamp(a.UpdatedAt), stamp(due), a.Organization, a.ID)
}

// DeleteAssignments implements authz.AssignmentWriter.
func (t *tx) DeleteAssignments(org id.Organization, as []authz.Assignment) error {
	return inBatches(as, func(some []authz.Assignment) error {
		ids := make([]id.Assignment, len(some))
		for i, a := range some {
			ids[i] = a.ID
		}
		var c condition
		c.add("organization_id = ?", org)
		in(&c, "id", ids)
		_, err := t.alter(heldBy(org, as...), "deleting assignments", `DELETE FROM assignments WHERE `+c.String(), c.args...)
		return err
	})
}

// DeleteAssignmentsOf implements authz.AssignmentWriter.
func (t *tx) DeleteAssignmentsOf(org id.Organization, f authz.AssignmentFilter) error {
	return t.deleteAssignmentsOf(heldBy(org, authz.Assignment{Membership: f.Membership, Group: f.Group}), org, f)
}

func (t *tx) deleteAssignmentsOf(regions []fresh.Region, org id.Organization, f authz.AssignmentFilter) error {
	c, err := assignmentCondition(org, f)
	if err != nil {
		return err
	}
	_, err = t.alter(regions, "deleting the assignments of a subject", `DELETE FROM assignments WHERE `+c.String(), c.args...)
	return err
}

// MoveAssignments implements authz.AssignmentWriter. It moves many at a time, of whomever.
func (t *tx) MoveAssignments(org id.Organization, as []id.Assignment, to id.Role, source authz.Source) error {
	return inBatches(as, func(some []id.Assignment) error {
		c := condition{args: []any{to, source}}
		c.add("organization_id = ?", org)
		in(&c, "id", some)
		_, err := t.alter(region(fresh.Organization, org), "moving assignments", `UPDATE assignments SET role_id = $1, source = $2 WHERE `+c.String(), c.args...)
		return err
	})
}
