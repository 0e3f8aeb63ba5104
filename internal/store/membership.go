package store

import (
	"errors"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

const membershipColumns = `organization_id, id, environment_id, user_id, status, directory_managed, created_at, updated_at`

func scanMembership(r row) (m authz.Membership, err error) {
	err = r.Scan(&m.Organization, &m.ID, &m.Environment, &m.User, &m.Status, (*flag)(&m.DirectoryManaged),
		(*stamp)(&m.CreatedAt), (*stamp)(&m.UpdatedAt))
	return m, err
}

// Membership implements authz.MembershipReader.
func (t *tx) Membership(env id.Environment, m id.Membership) (authz.Membership, bool, error) {
	return one(t, "reading a membership", scanMembership,
		`SELECT `+membershipColumns+` FROM memberships WHERE id = $1 AND environment_id = $2`, m, env)
}

// MembershipOf implements authz.MembershipReader.
func (t *tx) MembershipOf(org id.Organization, u id.User) (authz.Membership, bool, error) {
	return one(t, "reading a membership", scanMembership,
		`SELECT `+membershipColumns+` FROM memberships WHERE organization_id = $1 AND user_id = $2`, org, u)
}

var membershipList = list[authz.Membership]{
	doing: "listing memberships", columns: membershipColumns, from: "memberships", key: "id",
	scan: scanMembership, cursor: func(m authz.Membership) string { return string(m.ID) },
}

// Memberships implements authz.MembershipReader.
func (t *tx) Memberships(env id.Environment, f authz.MembershipFilter, r page.Request) (page.Page[authz.Membership], error) {
	var c condition
	c.add("environment_id = ?", env)
	if f.Organization != "" {
		c.add("organization_id = ?", f.Organization)
	}
	if f.User != "" {
		c.add("user_id = ?", f.User)
	}
	in(&c, "status", f.Statuses)
	return membershipList.page(t, c, r, r.Walk().Cursor)
}

// InsertMembership implements authz.MembershipWriter.
func (t *tx) InsertMembership(m authz.Membership) error {
	return t.execOne("inserting a membership", `
		INSERT INTO memberships (`+membershipColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		m.Organization, m.ID, m.Environment, m.User, m.Status, flag(m.DirectoryManaged), stamp(m.CreatedAt), stamp(m.UpdatedAt))
}

// UpdateMembership implements authz.MembershipWriter.
func (t *tx) UpdateMembership(m authz.Membership) error {
	return t.execOne("updating a membership", `
		UPDATE memberships SET status = $1, directory_managed = $2, updated_at = $3 WHERE organization_id = $4 AND id = $5`,
		m.Status, flag(m.DirectoryManaged), stamp(m.UpdatedAt), m.Organization, m.ID)
}

// DeleteMemberships implements authz.MembershipWriter. Assignments go with the rows.
func (t *tx) DeleteMemberships(f authz.MembershipFilter) error {
	var c condition
	if f.Organization != "" {
		c.add("organization_id = ?", f.Organization)
	}
	if f.User != "" {
		c.add("user_id = ?", f.User)
	}
	if len(c.parts) == 0 {
		return errors.New("deleting memberships: of nobody and nothing")
	}
	_, err := t.exec("deleting memberships", `DELETE FROM memberships WHERE `+c.String(), c.args...)
	return err
}
