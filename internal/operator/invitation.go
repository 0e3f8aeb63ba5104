package operator

import (
	"context"
	"time"

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

// Refusals about invitations and people.
const (
	CodeInvitationInvalid = "invitation_invalid"      // unknown, used or expired, never said which
	CodeEmailConflict     = "operator_email_conflict" // somebody else has the e-mail address
	CodeLastOwner         = "last_owner"              // without him nobody could decide about people
	CodeRoleRequired      = "operator_role_required"  // who asks is no owner, or no longer
)

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
	panic("soon")
}

// InviteFirst makes the link for the first owner, for 24 hours, while there is nobody; it takes the place of an earlier
// one. The token is empty when there is somebody.
func (s *Service) InviteFirst(ctx context.Context) (Invitation, string, error) { panic("soon") }

// ResetPassword makes a link that lets its holder set another password for a person, for 24 hours. It takes the place
// of an earlier one. The old password and the sessions last until the link is used.
func (s *Service) ResetPassword(ctx context.Context, by Person, p id.Operator) (Invitation, string, error) {
	panic("soon")
}

// OpenInvitation finds what a token is good for, and leaves it good.
func (s *Service) OpenInvitation(ctx context.Context, token string) (Invitation, error) {
	panic("soon")
}

// Accept redeems a token, once, and signs the person in. Refusals name email, name and password and leave the link good.
func (s *Service) Accept(ctx context.Context, token string, in NewPerson) (Person, string, error) {
	panic("soon")
}

// ListInvitations lists the links that are still good, oldest first.
func (s *Service) ListInvitations(ctx context.Context) ([]Invitation, error) { panic("soon") }

// RevokeInvitation ends a link.
func (s *Service) RevokeInvitation(ctx context.Context, by Person, i id.Invitation) error {
	panic("soon")
}
