package operator

import (
	"context"
	"fmt"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
)

// Role is what a person may do in the dashboard.
type Role string

// The roles, each of which may do all that the ones before it may.
const (
	Viewer Role = "viewer" // sees everything and changes nothing
	Editor Role = "editor" // changes what the dashboard shows
	Owner  Role = "owner"  // also decides who the people are
)

// Allows says whether the role may do what needs another one. A role that does not exist may do nothing.
func (r Role) Allows(needed Role) bool {
	rank := map[Role]int{Viewer: 1, Editor: 2, Owner: 3}
	return rank[needed] > 0 && rank[r] >= rank[needed]
}

// PasswordHash is what is kept of a password: argon2id in the PHC string form. It prints as nothing that helps.
type PasswordHash string

// Format implements fmt.Formatter, so that a hash is in no log and no error.
func (PasswordHash) Format(s fmt.State, _ rune) { fmt.Fprint(s, "[hidden]") }

// Person is somebody who may sign in to the dashboard.
type Person struct {
	ID    id.Operator
	Email string // normalized, unique in the installation
	Name  string
	Role  Role
	// PasswordHash is empty in what the methods of Service return.
	PasswordHash PasswordHash `json:"-"`
	CreatedAt    time.Time
	UpdatedAt    time.Time
	SeenAt       time.Time // when the person last did something, to the minute
}

// Actor is the person as the events that he causes name him.
func (p Person) Actor() event.Actor {
	return event.Actor{ID: string(p.ID), Source: "dashboard", Name: p.Name}
}

// Restriction is what the person is held to in every environment, nil for one who may do everything there.
func (p Person) Restriction() *authz.Restriction {
	if p.Role.Allows(Editor) {
		return nil
	}
	return &authz.Restriction{ReadOnly: true}
}

// HasPeople says whether anybody may sign in.
func (s *Service) HasPeople(ctx context.Context) (bool, error) { panic("soon") }

// ListPeople lists everybody, oldest first.
func (s *Service) ListPeople(ctx context.Context) ([]Person, error) { panic("soon") }

// ChangeRole gives a person another role, which holds at once. The last owner keeps his.
func (s *Service) ChangeRole(ctx context.Context, by Person, p id.Operator, r Role) (Person, error) {
	panic("soon")
}

// RemovePerson removes a person, his sessions and the open links that he made. The last owner stays.
func (s *Service) RemovePerson(ctx context.Context, by Person, p id.Operator) error { panic("soon") }
