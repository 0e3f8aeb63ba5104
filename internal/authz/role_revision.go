package authz

import (
	"context"

	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
)

// RoleContent is what can be revised about a role.
type RoleContent struct {
	Name        string
	Description *string
	Permissions []string // slugs; their order means nothing
}

// Content is what can be revised about the role, as it is.
func (r Role) Content() RoleContent {
	return RoleContent{Name: r.Name, Description: r.Description, Permissions: r.Permissions}
}

// ReviseRole changes a role from what its editor saw to what he wants, in one step and with one event. It is refused as
// a conflict, role_changed, when the role is not any more what he saw, so that nobody undoes unseen what another did
// meanwhile; to what the role is already it can always be revised, and nothing happens.
func (s *Service) ReviseRole(ctx context.Context, c Caller, org id.Organization, slug string, from, to RoleContent) (Role, error) {
	return Role{}, errNotYet
}

// LastRoleChange finds the event of the latest change of a role, or of its creation, among the latest changes of roles.
// It is not found when it lies too far back.
func (s *Service) LastRoleChange(ctx context.Context, c Caller, org id.Organization, slug string) (e event.Event, found bool, err error) {
	return event.Event{}, false, errNotYet
}
