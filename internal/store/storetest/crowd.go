package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
)

// Crowd puts many members into organizations, straight into the store and without events: all hold a role, or fall back
// to the default where none is given.
func Crowd(t testing.TB, db authz.DB, env id.Environment, orgs []id.Organization, each int, role authz.Role) []id.Membership {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	fresh := id.NewSource(time.Now, nil)
	var all []id.Membership
	for i, org := range orgs {
		var in []id.Membership
		update(t, db, func(tx authz.Tx) error {
			in = nil
			for j := range each {
				m, err := enter(tx, env, org, role, fresh, now, fmt.Sprintf("crowd%d-%d@x.example", i, j))
				if err != nil {
					return err
				}
				in = append(in, m)
			}
			return nil
		})
		all = append(all, in...)
	}
	return all
}

// enter makes a user and his membership, with a role if one is given, that shows what it holds.
func enter(tx authz.Tx, env id.Environment, org id.Organization, role authz.Role, fresh *id.Source, now time.Time, email string) (id.Membership, error) {
	u := authz.User{ID: id.New[id.User](fresh), Environment: env, Email: email, EmailKey: email, CreatedAt: now, UpdatedAt: now}
	if err := tx.InsertUser(u); err != nil {
		return "", err
	}
	m := authz.Membership{
		ID: id.New[id.Membership](fresh), Environment: env, Organization: org, User: u.ID, Status: authz.StatusActive,
		Shown: []string{role.Slug}, Fallback: role.ID == "", CreatedAt: now, UpdatedAt: now,
	}
	if m.Fallback {
		m.Shown[0] = authz.SeededRole
	}
	if err := tx.InsertMembership(m); err != nil || m.Fallback {
		return m.ID, err
	}
	a := authz.Assignment{
		ID: id.New[id.Assignment](fresh), Environment: env, Organization: org, Membership: m.ID, Role: role.ID,
		Resource: authz.OrganizationResource(org), Source: authz.SourceManual, Explicit: true, CreatedAt: now, UpdatedAt: now,
	}
	return m.ID, tx.InsertAssignment(a, time.Time{})
}
