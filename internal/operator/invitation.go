package operator

import (
	"context"
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// Invitation is a link that lets its holder become a person of the dashboard, once. The token in it is not part of it.
type Invitation struct {
	ID        id.Invitation
	Email     string // empty: whoever has the link chooses it
	Role      Role
	Person    id.Operator // when set, the link only sets another password for this person
	CreatedBy string      // the id of a person, CommandLine or FirstStart
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Who made an invitation when no person did.
const (
	CommandLine = "command line"
	FirstStart  = "first start"
)

// How long links are good. Those that lead to more than their maker could give again are good for less.
const (
	invitationLife = 7 * 24 * time.Hour
	secretLife     = 24 * time.Hour // for the first owner, and for another password
)

// InvitationReader reads invitations, also those that expired.
type InvitationReader interface {
	// Invitations lists all, oldest first.
	Invitations() ([]Invitation, error)
	InvitationByHash(hash string) (i Invitation, found bool, err error)
}

// InvitationTx changes invitations.
type InvitationTx interface {
	InsertInvitation(i Invitation, hash string) error
	DeleteInvitation(id.Invitation) (found bool, err error)
	// DeleteInvitationsFor removes those that set a password for a person.
	DeleteInvitationsFor(id.Operator) error
	// DeleteInvitationsBy removes those that somebody made.
	DeleteInvitationsBy(createdBy string) error
	// DeleteInvitationsBefore removes those that expired by a moment.
	DeleteInvitationsBefore(time.Time) error
}

// CodeInvitationInvalid is the refusal of a token that is unknown, used or expired; it does not say which.
const CodeInvitationInvalid = "invitation_invalid"

// NewInvitation is what can be said about an invitation that is made.
type NewInvitation struct {
	Email string // empty: whoever has the link chooses it
	Role  Role
}

// NewPerson is what the holder of a link says about himself. A link for another password takes the password alone.
type NewPerson struct{ Name, Email, Password string }

// Invite makes a link that lets its holder become a person, for seven days, and returns its token, which cannot be read
// again. The zero Person stands for the command line, here and wherever a method asks who wants something: whoever can
// open the database may do everything. A door must never pass it.
func (s *Service) Invite(ctx context.Context, by Person, in NewInvitation) (Invitation, string, error) {
	draft := s.invitation(by, invitationLife)
	draft.Role = in.Role
	if !in.Role.Allows(Viewer) {
		return Invitation{}, "", badRole()
	}
	if in.Email != "" {
		var ok bool
		if draft.Email, ok = normalEmail(in.Email); !ok {
			return Invitation{}, "", fault.BadField("email", "must be an e-mail address")
		}
	}
	return s.handOut(ctx, draft, func(t PeopleTx, i *Invitation) error {
		if err := mustOwn(t, by); err != nil || i.Email == "" {
			return err
		}
		_, taken, err := t.PersonByEmail(i.Email)
		if err == nil && taken {
			err = emailTaken()
		}
		return err
	})
}

// InviteFirst makes the link for the first owner, for 24 hours, while there is none; it takes the place of an earlier
// one. The token is empty when there is an owner.
func (s *Service) InviteFirst(ctx context.Context) (i Invitation, token string, err error) {
	draft := s.invitation(Person{}, secretLife)
	draft.Role, draft.CreatedBy = Owner, FirstStart
	err = s.store.UpdateOperators(ctx, func(t PeopleTx) error {
		i, token = Invitation{}, ""
		owned, err := hasOwner(t, "")
		if err != nil || owned {
			return err
		}
		if err := t.DeleteInvitationsBy(FirstStart); err != nil {
			return err
		}
		i, token = draft, newToken()
		return t.InsertInvitation(i, hash(token))
	})
	if err != nil {
		return Invitation{}, "", err
	}
	return i, token, nil
}

// ResetPassword makes a link that lets its holder set another password for a person, for 24 hours. It takes the place
// of an earlier one. The old password and the sessions last until the link is used.
func (s *Service) ResetPassword(ctx context.Context, by Person, p id.Operator) (Invitation, string, error) {
	return s.handOut(ctx, s.invitation(by, secretLife), func(t PeopleTx, i *Invitation) error {
		person, err := asOwner(t, by, p)
		if err != nil {
			return err
		}
		i.Person, i.Email, i.Role = person.ID, person.Email, person.Role
		return t.DeleteInvitationsFor(person.ID)
	})
}

func (s *Service) invitation(by Person, life time.Duration) Invitation {
	now, maker := s.moment(), string(by.ID)
	if maker == "" {
		maker = CommandLine
	}
	return Invitation{ID: id.New[id.Invitation](s.ids), CreatedBy: maker, CreatedAt: now, ExpiresAt: now.Add(life)}
}

// handOut stores an invitation after a check in the same transaction, which may complete it.
func (s *Service) handOut(ctx context.Context, draft Invitation, check func(PeopleTx, *Invitation) error) (Invitation, string, error) {
	token := newToken()
	var i Invitation
	err := s.store.UpdateOperators(ctx, func(t PeopleTx) error {
		i = draft
		if err := check(t, &i); err != nil {
			return err
		}
		return t.InsertInvitation(i, hash(token))
	})
	if err != nil {
		return Invitation{}, "", err
	}
	return i, token, nil
}

// OpenInvitation finds what a token is good for, and leaves it good.
func (s *Service) OpenInvitation(ctx context.Context, token string) (i Invitation, err error) {
	err = s.store.ViewOperators(ctx, func(r PeopleReader) error {
		i, err = s.openInvitation(r, token)
		return err
	})
	return i, err
}

func (s *Service) openInvitation(r PeopleReader, token string) (Invitation, error) {
	i, found, err := r.InvitationByHash(hash(token))
	if err != nil {
		return Invitation{}, err
	}
	if !found || !s.moment().Before(i.ExpiresAt) {
		return Invitation{}, fault.New(fault.NotFound, CodeInvitationInvalid, "This link is not good any more: it was used, it expired, or it never was one.")
	}
	return i, nil
}

// Accept redeems a token, once, and signs the person in. Refusals name email, name and password and leave the link good.
func (s *Service) Accept(ctx context.Context, token string, in NewPerson) (Person, string, error) {
	// Before the work on the password, which only the holder of a good link may cause.
	err := s.store.ViewOperators(ctx, func(r PeopleReader) error {
		_, _, err := s.redeem(r, token, in)
		return err
	})
	if err != nil {
		return Person{}, "", err
	}
	h, err := s.hashPassword(ctx, in.Password)
	if err != nil {
		return Person{}, "", err
	}
	var p Person
	session := newToken()
	err = s.store.UpdateOperators(ctx, func(t PeopleTx) error {
		var i Invitation
		if i, p, err = s.redeem(t, token, in); err != nil {
			return err
		}
		p.PasswordHash, p.UpdatedAt = h, s.moment()
		if _, err := t.DeleteInvitation(i.ID); err != nil {
			return err
		}
		if err := s.settle(t, i, &p); err != nil {
			return err
		}
		return s.signIn(t, &p, session)
	})
	if err != nil {
		return Person{}, "", err
	}
	return p.shown(), session, nil
}

// settle stores what an accepted invitation made of a person.
func (s *Service) settle(t PeopleTx, i Invitation, p *Person) error {
	if i.Person != "" {
		return setPassword(t, *p)
	}
	p.ID, p.CreatedAt = id.New[id.Operator](s.ids), p.UpdatedAt
	if p.Role == Owner {
		if err := t.DeleteInvitationsBy(FirstStart); err != nil {
			return err
		}
	}
	return t.InsertPerson(*p)
}

// redeem finds the invitation of a token and says who its holder would be, or what of his words is wrong.
func (s *Service) redeem(r PeopleReader, token string, in NewPerson) (i Invitation, p Person, err error) {
	if i, err = s.openInvitation(r, token); err != nil {
		return i, p, err
	}
	var bad []fault.Field
	if i.Person != "" {
		p, err = person(r, i.Person)
	} else {
		p, bad = i.newcomer(in)
		taken := false
		if !slices.ContainsFunc(bad, func(f fault.Field) bool { return f.Name == "email" }) {
			_, taken, err = r.PersonByEmail(p.Email)
		}
		if err == nil && taken {
			err = emailTaken()
		}
	}
	if message := badPassword(in.Password, p); message != "" {
		bad = append(bad, fault.Field{Name: "password", Message: message})
	}
	if err == nil && len(bad) > 0 {
		err = fault.BadFields(bad...)
	}
	return i, p, err
}

// newcomer is who an invitation makes of somebody, and what of his words is wrong.
func (i Invitation) newcomer(in NewPerson) (p Person, bad []fault.Field) {
	p.Role = i.Role
	var ok bool
	if in.Email == "" {
		in.Email = i.Email
	}
	if p.Email, ok = normalEmail(in.Email); !ok {
		bad = append(bad, fault.Field{Name: "email", Message: "must be an e-mail address"})
	} else if i.Email != "" && p.Email != i.Email {
		bad = append(bad, fault.Field{Name: "email", Message: "must be the one that was invited"})
	}
	if p.Name, ok = normalName(in.Name); !ok {
		bad = append(bad, fault.Field{Name: "name", Message: "must be 1 to 100 visible characters"})
	}
	return p, bad
}

// ListInvitations lists the links that are still good, oldest first.
func (s *Service) ListInvitations(ctx context.Context) (open []Invitation, err error) {
	err = s.store.ViewOperators(ctx, func(r PeopleReader) error {
		open, err = r.Invitations()
		return err
	})
	now := s.moment()
	return slices.DeleteFunc(open, func(i Invitation) bool { return !now.Before(i.ExpiresAt) }), err
}

// RevokeInvitation ends a link.
func (s *Service) RevokeInvitation(ctx context.Context, by Person, i id.Invitation) error {
	return s.store.UpdateOperators(ctx, func(t PeopleTx) error {
		if err := mustOwn(t, by); err != nil {
			return err
		}
		found := false
		if _, ok := id.Parse[id.Invitation](string(i)); ok {
			var err error
			if found, err = t.DeleteInvitation(i); err != nil {
				return err
			}
		}
		if !found {
			return fault.Missing("Invitation", string(i))
		}
		return nil
	})
}
