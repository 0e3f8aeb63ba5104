package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
)

// ViewOperators implements operator.Store.
func (s *Store) ViewOperators(ctx context.Context, fn func(operator.PeopleReader) error) error {
	return s.inTx(ctx, s.read, s.dialect.viewOptions, func(t *tx) error { return fn(people{t}) })
}

// UpdateOperators implements operator.Store.
func (s *Store) UpdateOperators(ctx context.Context, fn func(operator.PeopleTx) error) error {
	return s.inTx(ctx, s.write, s.dialect.updateOptions, func(t *tx) error { return fn(people{t}) })
}

// people implements operator.PeopleTx over one SQL transaction.
type people struct{ *tx }

const personColumns = `id, email, name, role, password_hash, created_at, updated_at, seen_at`

func scanPerson(r row) (p operator.Person, err error) {
	err = r.Scan(&p.ID, &p.Email, &p.Name, &p.Role, &p.PasswordHash, (*stamp)(&p.CreatedAt), (*stamp)(&p.UpdatedAt), (*stamp)(&p.SeenAt))
	return p, err
}

// People implements operator.PersonReader.
func (t people) People() ([]operator.Person, error) {
	return all(t.tx, "listing people", scanPerson, `SELECT `+personColumns+` FROM operators ORDER BY id`)
}

// Person implements operator.PersonReader.
func (t people) Person(p id.Operator) (operator.Person, bool, error) {
	return one(t.tx, "reading a person", scanPerson, `SELECT `+personColumns+` FROM operators WHERE id = $1`, p)
}

// PersonByEmail implements operator.PersonReader.
func (t people) PersonByEmail(email string) (operator.Person, bool, error) {
	return one(t.tx, "reading a person", scanPerson, `SELECT `+personColumns+` FROM operators WHERE email = $1`, email)
}

// InsertPerson implements operator.PersonTx.
func (t people) InsertPerson(p operator.Person) error {
	return t.execOne("inserting a person", `INSERT INTO operators (`+personColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		p.ID, p.Email, p.Name, p.Role, string(p.PasswordHash), stamp(p.CreatedAt), stamp(p.UpdatedAt), stamp(p.SeenAt))
}

// UpdatePerson implements operator.PersonTx.
func (t people) UpdatePerson(p operator.Person) error {
	return t.execOne("updating a person", `
		UPDATE operators SET email = $1, name = $2, role = $3, password_hash = $4, updated_at = $5 WHERE id = $6`,
		p.Email, p.Name, p.Role, string(p.PasswordHash), stamp(p.UpdatedAt), p.ID)
}

// SeePerson implements operator.PersonTx.
func (t people) SeePerson(p id.Operator, at time.Time) error {
	_, err := t.exec("updating when a person was seen", `UPDATE operators SET seen_at = $1 WHERE id = $2`, stamp(at), p)
	return err
}

// DeletePerson implements operator.PersonTx.
func (t people) DeletePerson(p id.Operator) error {
	return t.execOne("deleting a person", `DELETE FROM operators WHERE id = $1`, p)
}

// SessionByHash implements operator.SessionReader.
func (t people) SessionByHash(hash string) (operator.StoredSession, bool, error) {
	return one(t.tx, "reading a session", func(r row) (s operator.StoredSession, err error) {
		err = r.Scan(&s.Hash, &s.Person, (*stamp)(&s.CreatedAt), (*stamp)(&s.SeenAt))
		return s, err
	}, `SELECT hash, operator_id, created_at, seen_at FROM operator_sessions WHERE hash = $1`, hash)
}

// InsertSession implements operator.SessionTx.
func (t people) InsertSession(s operator.StoredSession) error {
	return t.execOne("inserting a session", `INSERT INTO operator_sessions (hash, operator_id, created_at, seen_at) VALUES ($1, $2, $3, $4)`,
		s.Hash, s.Person, stamp(s.CreatedAt), stamp(s.SeenAt))
}

// SeeSession implements operator.SessionTx.
func (t people) SeeSession(hash string, at time.Time) error {
	_, err := t.exec("updating when a session was used", `UPDATE operator_sessions SET seen_at = $1 WHERE hash = $2`, stamp(at), hash)
	return err
}

// DeleteSession implements operator.SessionTx.
func (t people) DeleteSession(hash string) error {
	_, err := t.exec("deleting a session", `DELETE FROM operator_sessions WHERE hash = $1`, hash)
	return err
}

// DeleteSessionsOf implements operator.SessionTx.
func (t people) DeleteSessionsOf(p id.Operator) error {
	_, err := t.exec("deleting the sessions of a person", `DELETE FROM operator_sessions WHERE operator_id = $1`, p)
	return err
}

// DeleteSessionsBefore implements operator.SessionTx.
func (t people) DeleteSessionsBefore(made, seen time.Time) error {
	_, err := t.exec("deleting old sessions", `DELETE FROM operator_sessions WHERE created_at <= $1 OR seen_at <= $2`, stamp(made), stamp(seen))
	return err
}

const invitationColumns = `id, email, role, operator_id, created_by, created_at, expires_at`

func scanInvitation(r row) (i operator.Invitation, err error) {
	var person sql.NullString
	err = r.Scan(&i.ID, &i.Email, &i.Role, &person, &i.CreatedBy, (*stamp)(&i.CreatedAt), (*stamp)(&i.ExpiresAt))
	i.Person = id.Operator(person.String)
	return i, err
}

// Invitations implements operator.InvitationReader.
func (t people) Invitations() ([]operator.Invitation, error) {
	return all(t.tx, "listing invitations", scanInvitation, `SELECT `+invitationColumns+` FROM operator_invitations ORDER BY id`)
}

// InvitationByHash implements operator.InvitationReader.
func (t people) InvitationByHash(hash string) (operator.Invitation, bool, error) {
	return one(t.tx, "reading an invitation", scanInvitation, `SELECT `+invitationColumns+` FROM operator_invitations WHERE hash = $1`, hash)
}

// InsertInvitation implements operator.InvitationTx.
func (t people) InsertInvitation(i operator.Invitation, hash string) error {
	return t.execOne("inserting an invitation", `
		INSERT INTO operator_invitations (`+invitationColumns+`, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		i.ID, i.Email, i.Role, orNull(i.Person), i.CreatedBy, stamp(i.CreatedAt), stamp(i.ExpiresAt), hash)
}

// DeleteInvitation implements operator.InvitationTx.
func (t people) DeleteInvitation(i id.Invitation) (found bool, err error) {
	n, err := t.exec("deleting an invitation", `DELETE FROM operator_invitations WHERE id = $1`, i)
	return n == 1, err
}

// DeleteInvitationsFor implements operator.InvitationTx.
func (t people) DeleteInvitationsFor(p id.Operator) error {
	_, err := t.exec("deleting links for a password", `DELETE FROM operator_invitations WHERE operator_id = $1`, p)
	return err
}

// DeleteInvitationsBy implements operator.InvitationTx.
func (t people) DeleteInvitationsBy(createdBy string) error {
	_, err := t.exec("deleting the invitations of a maker", `DELETE FROM operator_invitations WHERE created_by = $1`, createdBy)
	return err
}

// DeleteInvitationsBefore implements operator.InvitationTx.
func (t people) DeleteInvitationsBefore(at time.Time) error {
	_, err := t.exec("deleting expired invitations", `DELETE FROM operator_invitations WHERE expires_at <= $1`, stamp(at))
	return err
}
