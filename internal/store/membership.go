package store

import (
	"errors"
	"strconv"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

const membershipColumns = `organization_id, id, environment_id, user_id, status, directory_managed, roles, fallback, created_at, updated_at`

func scanMembership(r row) (m authz.Membership, err error) {
	err = r.Scan(&m.Organization, &m.ID, &m.Environment, &m.User, &m.Status, (*flag)(&m.DirectoryManaged),
		(*slugList)(&m.Shown), (*flag)(&m.Fallback), (*stamp)(&m.CreatedAt), (*stamp)(&m.UpdatedAt))
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
	environment, organization := "environment_id = ?", "organization_id = ?"
	if f.Search != "" { // by value: those who are found are few
		environment, organization = "(environment_id || '') = ?", "(organization_id || '') = ?"
	}
	c.add(environment, env)
	if f.Organization != "" {
		c.add(organization, f.Organization)
	}
	if f.User != "" {
		c.add("user_id = ?", f.User)
	}
	in(&c, "status", f.Statuses)
	if f.Search != "" {
		if err := t.search(&c, searchable{column: "id", memberships: true}, env, f.Search, f); err != nil {
			return page.Page[authz.Membership]{}, err
		}
	}
	return membershipList.page(t, c, r, r.Walk().Cursor)
}

// InsertMembership implements authz.MembershipWriter.
func (t *tx) InsertMembership(m authz.Membership) error {
	t.makes(region(fresh.Member, m.ID)...)
	return t.alterOne(nil, "inserting a membership", `
		INSERT INTO memberships (`+membershipColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		m.Organization, m.ID, m.Environment, m.User, m.Status, flag(m.DirectoryManaged), slugList(m.Shown), flag(m.Fallback), stamp(m.CreatedAt), stamp(m.UpdatedAt))
}

// MembershipsByID implements authz.MembershipReader.
func (t *tx) MembershipsByID(org id.Organization, ms []id.Membership) (found []authz.Membership, err error) {
	err = inBatches(ms, func(some []id.Membership) error {
		var c condition
		c.add("organization_id = ?", org)
		in(&c, "id", some)
		more, err := all(t, "reading memberships", scanMembership,
			`SELECT `+membershipColumns+` FROM memberships WHERE `+c.String()+` ORDER BY id`, c.args...)
		found = append(found, more...)
		return err
	})
	return found, err
}

// scoped is the condition of a scope, over memberships m.
func scoped(env id.Environment, f authz.Scope) (from string, c condition) {
	from = "memberships m"
	c.add("m.environment_id = ?", env)
	if f.Organization != "" {
		c.add("m.organization_id = ?", f.Organization)
	}
	if f.Group != "" {
		from += " JOIN group_members g ON g.organization_id = m.organization_id AND g.membership_id = m.id"
		c.add("g.organization_id = ?", f.Organization)
		c.add("g.group_id = ?", f.Group)
	}
	if f.Membership != "" {
		c.add("m.id = ?", f.Membership)
	}
	if f.FallbackOnly {
		c.add("m.fallback = 1")
	}
	return from, c
}

// MembershipsFrom implements authz.MembershipReader.
func (t *tx) MembershipsFrom(env id.Environment, f authz.Scope, after authz.Position, max int) ([]authz.Membership, error) {
	from, c := scoped(env, f)
	order := "m.organization_id, m.id"
	switch {
	case f.Group != "":
		c.add("g.membership_id > ?", after.Membership)
		order = "g.membership_id"
	case f.Organization != "":
		c.add("m.id > ?", after.Membership)
		order = "m.id"
	case after.Organization != "":
		c.add("(m.organization_id, m.id) > (?, ?)", after.Organization, after.Membership)
	}
	return all(t, "going through memberships", scanMembership, `
		SELECT `+prefixed("m.", membershipColumns)+` FROM `+from+` WHERE `+c.String()+` ORDER BY `+order+` LIMIT `+strconv.Itoa(max), c.args...)
}

// CountMemberships implements authz.MembershipReader.
func (t *tx) CountMemberships(env id.Environment, f authz.Scope) (int, error) {
	from, c := scoped(env, f)
	n, _, err := one(t, "counting memberships", scanValue[int], `SELECT count(*) FROM `+from+` WHERE `+c.String(), c.args...)
	return n, err
}

// UpdateMembership implements authz.MembershipWriter.
func (t *tx) UpdateMembership(m authz.Membership) error {
	return t.alterOne(region(fresh.Member, m.ID), "updating a membership", `
		UPDATE memberships SET status = $1, directory_managed = $2, roles = $3, fallback = $4, updated_at = $5
		WHERE organization_id = $6 AND id = $7`,
		m.Status, flag(m.DirectoryManaged), slugList(m.Shown), flag(m.Fallback), stamp(m.UpdatedAt), m.Organization, m.ID)
}

// ShowRoles implements authz.MembershipWriter. What memberships showed last is for events; decisions do not depend on it.
func (t *tx) ShowRoles(org id.Organization, ms []id.Membership, roles []string, fallback bool, at time.Time) error {
	return inBatches(ms, func(some []id.Membership) error {
		c := condition{args: []any{slugList(roles), flag(fallback), stamp(at)}}
		c.add("organization_id = ?", org)
		in(&c, "id", some)
		_, err := t.alter(nil, "showing roles", `
			UPDATE memberships SET roles = $1, fallback = $2, updated_at = coalesce($3, updated_at) WHERE `+c.String(), c.args...)
		return err
	})
}

// DeleteMemberships implements authz.MembershipWriter. Places in groups go with the rows.
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
	regions, err := t.regionsOf(f, c)
	if err != nil {
		return err
	}
	_, err = t.alter(regions, "deleting the assignments of memberships", `
		DELETE FROM assignments WHERE (organization_id, subject_id) IN (SELECT organization_id, id FROM memberships WHERE `+c.String()+`)`, c.args...)
	if err != nil {
		return err
	}
	_, err = t.alter(regions, "deleting memberships", `DELETE FROM memberships WHERE `+c.String(), c.args...)
	return err
}

// regionsOf is where the memberships are remembered that a filter with a condition finds: all of an organization with
// that, those of a user each by itself.
func (t *tx) regionsOf(f authz.MembershipFilter, c condition) (regions []fresh.Region, err error) {
	if f.User == "" {
		return region(fresh.Organization, f.Organization), nil
	}
	ms, err := all(t, "finding memberships", scanValue[id.Membership], `SELECT id FROM memberships WHERE `+c.String(), c.args...)
	for _, m := range ms {
		regions = append(regions, region(fresh.Member, m)...)
	}
	return regions, err
}
