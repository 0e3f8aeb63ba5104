package operator

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// Session is a person who is signed in. The token that stands for it is not part of it.
type Session struct {
	Person    Person
	CreatedAt time.Time
	ExpiresAt time.Time // when it ends unless it is used before; never later than seven days after CreatedAt
}

// How long sessions last.
const (
	sessionLife = 7 * 24 * time.Hour
	sessionIdle = 12 * time.Hour
	// sessionStep is how often use is written down, so that looking at pages hardly ever writes.
	sessionStep = time.Minute
)

// StoredSession is a session as it is kept.
type StoredSession struct {
	Hash      string // hex SHA-256 of the token, which is random enough to need nothing slower
	Person    id.Operator
	CreatedAt time.Time
	SeenAt    time.Time // when it was last used, to the minute
}

func (s StoredSession) end() time.Time {
	life, idle := s.CreatedAt.Add(sessionLife), s.SeenAt.Add(sessionIdle)
	if idle.Before(life) {
		return idle
	}
	return life
}

// SessionReader reads sessions, also those that ended by themselves.
type SessionReader interface {
	// SessionByHash finds a session as of a moment after every change acknowledged before the transaction began.
	SessionByHash(hash string) (s StoredSession, found bool, err error)
}

// SessionTx changes sessions.
type SessionTx interface {
	InsertSession(StoredSession) error
	// SeeSession stores when a session was used, if it is still there.
	SeeSession(hash string, at time.Time) error
	DeleteSession(hash string) error
	DeleteSessionsOf(id.Operator) error
	// DeleteSessionsBefore removes those made or last used by a moment.
	DeleteSessionsBefore(made, seen time.Time) error
}

// Refusals about sessions.
const (
	CodeSignInFailed    = "sign_in_failed"    // an unknown e-mail address or a wrong password, never said which
	CodeTooManyAttempts = "too_many_attempts" // the right password is refused too, until later
	CodeSignedOut       = "signed_out"        // no session, or none any more
)

func signInFailed() error {
	return fault.New(fault.Unauthorized, CodeSignInFailed, "The e-mail address or the password is wrong.")
}

func signedOut() error {
	return fault.New(fault.Unauthorized, CodeSignedOut, "You are not signed in, or no longer.")
}

func newToken() string {
	random := make([]byte, 32)
	rand.Read(random) // never fails
	return base64.RawURLEncoding.EncodeToString(random)
}

// SignIn makes a session for who knows the password and returns its token. Address is where the attempt comes from: an
// IP address without port.
func (s *Service) SignIn(ctx context.Context, email, password, address string) (Person, string, error) {
	email, valid := normalEmail(email)
	if err := s.attempts.allow(s.now(), signInsFrom, network(address)); err != nil {
		return Person{}, "", err
	}
	if err := s.attempts.allow(s.now(), signInsAs, email); err != nil {
		return Person{}, "", err
	}
	var p Person
	err := s.store.ViewOperators(ctx, func(r PeopleReader) (err error) {
		if valid {
			p, _, err = r.PersonByEmail(email)
		}
		return err
	})
	if err != nil {
		return Person{}, "", err
	}
	right, err := s.isPassword(ctx, p.PasswordHash, password)
	if err != nil {
		return Person{}, "", err
	}
	if !right {
		return Person{}, "", signInFailed()
	}
	proven, token := p.PasswordHash, newToken()
	err = s.store.UpdateOperators(ctx, func(t PeopleTx) error {
		now, found, err := t.Person(p.ID)
		if err != nil {
			return err
		}
		if !found || now.PasswordHash != proven { // changed while the old one was worked on
			return signInFailed()
		}
		p = now
		return s.signIn(t, &p, token)
	})
	if err != nil {
		return Person{}, "", err
	}
	return p.shown(), token, nil
}

// signIn makes a session of a person.
func (s *Service) signIn(t PeopleTx, p *Person, token string) error {
	p.SeenAt = s.moment()
	if err := t.SeePerson(p.ID, p.SeenAt); err != nil {
		return err
	}
	return t.InsertSession(StoredSession{Hash: hash(token), Person: p.ID, CreatedAt: p.SeenAt, SeenAt: p.SeenAt})
}

// Session finds the session that a token stands for, with the person as he is now: a session that was ended, a person
// who was removed and a role that was taken away are so from the moment that was acknowledged.
func (s *Service) Session(ctx context.Context, token string) (Session, error) {
	var stored StoredSession
	var p Person
	err := s.store.ViewOperators(ctx, func(r PeopleReader) (err error) {
		stored, p, err = s.session(r, token)
		return err
	})
	if err != nil {
		return Session{}, err
	}
	if now := s.moment(); now.Sub(stored.SeenAt) >= sessionStep {
		err := s.store.UpdateOperators(ctx, func(t PeopleTx) error {
			if err := t.SeePerson(p.ID, now); err != nil {
				return err
			}
			return t.SeeSession(stored.Hash, now)
		})
		switch {
		case err == nil:
			stored.SeenAt, p.SeenAt = now, now
		case !fault.Is(err, fault.Unavailable): // a database that can be read alone does not sign anybody out
			return Session{}, err
		}
	}
	return Session{Person: p.shown(), CreatedAt: stored.CreatedAt, ExpiresAt: stored.end()}, nil
}

func (s *Service) session(r PeopleReader, token string) (StoredSession, Person, error) {
	stored, found, err := r.SessionByHash(hash(token))
	if err == nil && (!found || !s.moment().Before(stored.end())) {
		err = signedOut()
	}
	if err != nil {
		return stored, Person{}, err
	}
	p, found, err := r.Person(stored.Person)
	if err == nil && !found {
		err = signedOut()
	}
	return stored, p, err
}

// SignOut ends the session of a token. One that ended before is no error.
func (s *Service) SignOut(ctx context.Context, token string) error {
	return s.store.UpdateOperators(ctx, func(t PeopleTx) error { return t.DeleteSession(hash(token)) })
}

// EndSessions ends all sessions of a person, which owners may, and everybody his own.
func (s *Service) EndSessions(ctx context.Context, by Person, p id.Operator) error {
	return s.store.UpdateOperators(ctx, func(t PeopleTx) error {
		if by.ID == "" || by.ID != p {
			if err := mustOwn(t, by); err != nil {
				return err
			}
		}
		found, err := person(t, p)
		if err != nil {
			return err
		}
		return t.DeleteSessionsOf(found.ID)
	})
}

// SweepSessions removes sessions and invitations that ended by themselves.
func (s *Service) SweepSessions(ctx context.Context) error {
	now := s.moment()
	return s.store.UpdateOperators(ctx, func(t PeopleTx) error {
		if err := t.DeleteSessionsBefore(now.Add(-sessionLife), now.Add(-sessionIdle)); err != nil {
			return err
		}
		return t.DeleteInvitationsBefore(now)
	})
}
