package operator

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
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

func (r Role) rank() int {
	switch r {
	case Viewer:
		return 1
	case Editor:
		return 2
	case Owner:
		return 3
	}
	return 0
}

// Allows says whether the role may do what needs another one. A role that does not exist may do nothing.
func (r Role) Allows(needed Role) bool { return needed.rank() > 0 && r.rank() >= needed.rank() }

// Person is somebody who may sign in to the dashboard.
type Person struct {
	ID    id.Operator
	Email string // normalized, unique in the installation
	Name  string
	Role  Role
	// PasswordHash is for this room and its store: it is empty in what the methods of Service return.
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

// shown is the person without what nobody outside needs.
func (p Person) shown() Person {
	p.PasswordHash = ""
	return p
}

// PersonReader reads people.
type PersonReader interface {
	// People lists everybody, oldest first.
	People() ([]Person, error)
	Person(p id.Operator) (person Person, found bool, err error)
	PersonByEmail(email string) (person Person, found bool, err error)
}

// PersonTx changes people.
type PersonTx interface {
	InsertPerson(Person) error
	// UpdatePerson stores all of a person but when he was made and seen.
	UpdatePerson(Person) error
	// SeePerson stores when a person was seen, and nothing else.
	SeePerson(p id.Operator, at time.Time) error
	// DeletePerson removes a person with his sessions and the links that set a password for him.
	DeletePerson(id.Operator) error
}

// Refusals about people.
const (
	CodeEmailConflict = "operator_email_conflict" // somebody has the e-mail address already
	CodeLastOwner     = "last_owner"              // without him nobody could decide about people
	CodeRoleRequired  = "operator_role_required"  // who asks is no owner, or no longer
)

// HasPeople says whether anybody may sign in.
func (s *Service) HasPeople(ctx context.Context) (bool, error) {
	people, err := s.ListPeople(ctx)
	return len(people) > 0, err
}

// ListPeople lists everybody, oldest first.
func (s *Service) ListPeople(ctx context.Context) (people []Person, err error) {
	err = s.store.ViewOperators(ctx, func(r PeopleReader) error {
		people, err = r.People()
		return err
	})
	for i := range people {
		people[i] = people[i].shown()
	}
	return people, err
}

// FindPerson finds a person by e-mail address or id.
func (s *Service) FindPerson(ctx context.Context, name string) (p Person, err error) {
	err = s.store.ViewOperators(ctx, func(r PeopleReader) error {
		email, ok := normalEmail(name)
		if !ok {
			p, err = person(r, id.Operator(name))
			return err
		}
		found := false
		if p, found, err = r.PersonByEmail(email); err == nil && !found {
			err = fault.Missing("Person", name)
		}
		return err
	})
	return p.shown(), err
}

// ChangeRole gives a person another role, which holds at once and ends the open links that a former owner made. The
// last owner keeps his.
func (s *Service) ChangeRole(ctx context.Context, by Person, p id.Operator, r Role) (changed Person, err error) {
	if !r.Allows(Viewer) {
		return Person{}, badRole()
	}
	err = s.store.UpdateOperators(ctx, func(t PeopleTx) error {
		changed, err = asOwner(t, by, p)
		if err != nil || changed.Role == r {
			return err
		}
		if changed.Role == Owner {
			if err := dethrone(t, changed); err != nil {
				return err
			}
		}
		changed.Role, changed.UpdatedAt = r, s.moment()
		return t.UpdatePerson(changed)
	})
	if err != nil {
		return Person{}, err
	}
	return changed.shown(), nil
}

// RemovePerson removes a person, his sessions and the open links that he made, at once. The last owner stays.
func (s *Service) RemovePerson(ctx context.Context, by Person, p id.Operator) error {
	return s.store.UpdateOperators(ctx, func(t PeopleTx) error {
		person, err := asOwner(t, by, p)
		if err != nil {
			return err
		}
		if person.Role == Owner {
			if err := dethrone(t, person); err != nil {
				return err
			}
		}
		return t.DeletePerson(person.ID)
	})
}

// asOwner finds a person for somebody who must be an owner at this moment.
func asOwner(r PeopleReader, by Person, p id.Operator) (Person, error) {
	if err := mustOwn(r, by); err != nil {
		return Person{}, err
	}
	return person(r, p)
}

// mustOwn refuses who is no owner at this moment, whatever he was when he was read.
func mustOwn(r PeopleReader, by Person) error {
	if by == (Person{}) {
		return nil // the command line
	}
	now, found, err := r.Person(by.ID)
	if err == nil && (!found || !now.Role.Allows(Owner)) {
		err = fault.New(fault.Forbidden, CodeRoleRequired, "Only an owner of this installation may do this.")
	}
	return err
}

func person(r PeopleReader, p id.Operator) (Person, error) {
	if _, ok := id.Parse[id.Operator](string(p)); !ok {
		return Person{}, fault.Missing("Person", string(p))
	}
	found, ok, err := r.Person(p)
	if err == nil && !ok {
		err = fault.Missing("Person", string(p))
	}
	return found, err
}

// dethrone prepares that an owner is one no more: there must be another one, and what he handed out is called in.
func dethrone(t PeopleTx, p Person) error {
	owner, err := hasOwner(t, p.ID)
	if err == nil && !owner {
		err = fault.New(fault.Conflict, CodeLastOwner, "%s is the last owner; make somebody else an owner first.", p.Email)
	}
	if err != nil {
		return err
	}
	return t.DeleteInvitationsBy(string(p.ID))
}

// hasOwner says whether anybody but one person is an owner.
func hasOwner(r PeopleReader, but id.Operator) (bool, error) {
	people, err := r.People()
	for _, p := range people {
		if p.Role == Owner && p.ID != but {
			return true, err
		}
	}
	return false, err
}

func badRole() error { return fault.BadField("role", "must be viewer, editor or owner") }

func emailTaken() error {
	return fault.New(fault.Conflict, CodeEmailConflict, "Somebody with this e-mail address is there already.")
}

// The most of an e-mail address, in bytes (RFC 5321), and of a name, in characters.
const (
	maxEmail = 254
	maxName  = 100
)

// normalEmail is an e-mail address as it is kept and compared. Whether mail arrives there is not asked.
func normalEmail(s string) (string, bool) {
	if !utf8.ValidString(s) {
		return "", false
	}
	s = strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, strings.TrimSpace(s))
	local, domain, _ := strings.Cut(s, "@")
	ok := len(s) <= maxEmail && local != "" && domain != "" && !strings.Contains(domain, "@") &&
		!strings.ContainsFunc(s, func(r rune) bool { return r == ' ' || !unicode.IsPrint(r) })
	return s, ok
}

// normalName is a name without the blanks around it. It goes into logs and events, so it holds nothing that cannot be
// seen, except for what joins letters of some scripts.
func normalName(s string) (string, bool) {
	s = strings.TrimSpace(s)
	hidden := func(r rune) bool { return !unicode.IsPrint(r) && r != '\u200c' && r != '\u200d' }
	n := utf8.RuneCountInString(s)
	return s, n > 0 && n <= maxName && utf8.ValidString(s) && !strings.ContainsFunc(s, hidden)
}
