package store

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
)

const assignmentColumns = `organization_id, id, membership_id, role_id, source, created_at, updated_at`

func scanAssignment(r row) (a authz.Assignment, err error) {
	err = r.Scan(&a.Organization, &a.ID, &a.Membership, &a.Role, &a.Source, (*stamp)(&a.CreatedAt), (*stamp)(&a.UpdatedAt))
	return a, err
}

// Assignments implements authz.AssignmentReader.
func (t *tx) Assignments(org id.Organization, m id.Membership) ([]authz.Assignment, error) {
	return all(t, "reading assignments", scanAssignment, `
		SELECT `+assignmentColumns+` FROM assignments WHERE organization_id = $1 AND membership_id = $2 ORDER BY id`, org, m)
}

// AssignmentsOf implements authz.AssignmentReader.
func (t *tx) AssignmentsOf(orgs []id.Organization, ms []id.Membership) (map[id.Membership][]authz.Assignment, error) {
	if len(ms) == 0 {
		return nil, nil
	}
	var c condition
	in(&c, "organization_id", orgs)
	in(&c, "membership_id", ms)
	found, err := all(t, "reading assignments", scanAssignment,
		`SELECT `+assignmentColumns+` FROM assignments WHERE `+c.String()+` ORDER BY organization_id, membership_id, id`, c.args...)
	of := make(map[id.Membership][]authz.Assignment, len(ms))
	for _, a := range found {
		of[a.Membership] = append(of[a.Membership], a)
	}
	return of, err
}

// InsertAssignment implements authz.AssignmentWriter.
func (t *tx) InsertAssignment(a authz.Assignment) error {
	return t.execOne("inserting an assignment", `
		INSERT INTO assignments (`+assignmentColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		a.Organization, a.ID, a.Membership, a.Role, a.Source, stamp(a.CreatedAt), stamp(a.UpdatedAt))
}

// DeleteAssignment implements authz.AssignmentWriter.
func (t *tx) DeleteAssignment(a authz.Assignment) error {
	return t.execOne("deleting an assignment",
		`DELETE FROM assignments WHERE organization_id = $1 AND id = $2`, a.Organization, a.ID)
}
