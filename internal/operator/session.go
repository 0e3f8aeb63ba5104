package operator

import (
	"context"
	"time"

	"github.com/rolecall/rolecall/internal/id"
)

// Session is a person who is signed in. The token that stands for it is not part of it.
type Session struct {
	Person    Person
	CreatedAt time.Time
	ExpiresAt time.Time // when it ends unless it is used before; never later than seven days after CreatedAt
}

// Refusals about sessions.
const (
	CodeSignInFailed    = "sign_in_failed"    // an unknown e-mail address or a wrong password, never said which
	CodeTooManyAttempts = "too_many_attempts" // the right password is refused too, until later
	CodeSignedOut       = "signed_out"        // no session, or none any more
)

// SignIn makes a session for who knows the password. Address is where the attempt comes from: an IP address without port.
func (s *Service) SignIn(ctx context.Context, email, password, address string) (Person, string, error) {
	panic("soon")
}

// Session finds the session that a token stands for, with the person as he is now.
func (s *Service) Session(ctx context.Context, token string) (Session, error) { panic("soon") }

// SignOut ends the session of a token. One that ended before is no error.
func (s *Service) SignOut(ctx context.Context, token string) error { panic("soon") }

// EndSessions ends all sessions of a person, which owners may, and everybody his own.
func (s *Service) EndSessions(ctx context.Context, by Person, p id.Operator) error { panic("soon") }

// ChangePassword gives the person of a session another password, ends all his sessions and returns the token of a new
// one. Refusals name old_password and new_password.
func (s *Service) ChangePassword(ctx context.Context, token, old, new string) (newToken string, err error) {
	panic("soon")
}

// SweepSessions removes sessions and invitations that ended by themselves.
func (s *Service) SweepSessions(ctx context.Context) error { panic("soon") }
