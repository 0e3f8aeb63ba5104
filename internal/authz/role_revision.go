package authz

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
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

// same says whether two contents are one.
func (r RoleContent) same(other RoleContent) bool {
	return r.Name == other.Name && sameText(r.Description, other.Description) && slices.Equal(distinct(r.Permissions), distinct(other.Permissions))
}

// ReviseRole changes a role from what its editor saw to what he wants, in one step and with one event. It is refused as
// a conflict, role_changed, when the role is not any more what he saw, so that nobody undoes unseen what another did
// meanwhile; to what the role is already it can always be revised, and nothing happens.
func (s *Service) ReviseRole(ctx context.Context, c Caller, org id.Organization, slug string, from, to RoleContent) (Role, error) {
	wanted := Details{Name: Some(to.Name), Description: Some(to.Description)}
	if err := wanted.check(MaxName); err != nil {
		return Role{}, err
	}
	return s.changeRole(ctx, c, org, slug, func(ch *change, r *Role) (err error) {
		if present := r.Content(); !present.same(from) && !present.same(to) {
			return fault.New(fault.Conflict, "role_changed",
				"Role '%s' was changed by somebody else meanwhile. Nothing was saved.", slug)
		}
		wanted.apply(&r.Name, &r.Description)
		r.Permissions, err = PermissionEdit{Set: Some(to.Permissions)}.apply(ch, c, *r)
		return err
	})
}

// recentRoleChanges is how many changes and how many creations of roles are looked at for the latest of one.
const recentRoleChanges = page.MaxLimit

// LastRoleChange finds the event of the latest change of a role that exists, or of its creation, among the latest changes
// and creations in its environment. It is not found when it lies too far back.
func (s *Service) LastRoleChange(ctx context.Context, c Caller, org id.Organization, slug string) (e event.Event, found bool, err error) {
	if err := s.PlaceCommitted(ctx, c.Environment); err != nil {
		return event.Event{}, false, err
	}
	e, err = read(ctx, s, func(r Reader) (event.Event, error) {
		if err := ownerExists(r, c, org); err != nil {
			return event.Event{}, err
		}
		role, err := ownRole(r, c, org, slug)
		if err != nil {
			return event.Event{}, err
		}
		changed, made := event.RoleUpdated, event.RoleCreated
		if role.Custom() {
			changed, made = event.OrganizationRoleUpdated, event.OrganizationRoleCreated
		}
		if role.UpdatedAt.After(role.CreatedAt) {
			return lastTold(r, role, changed)
		}
		return lastTold(r, role, made)
	})
	return e, err == nil && e.ID != "", err
}

// lastTold finds the latest of the recent events of one type that tell of a role, if there is one.
func lastTold(r Reader, role Role, t event.Type) (event.Event, error) {
	recent, err := r.Events(role.Environment, EventFilter{Types: []string{string(t)}}, page.Request{Limit: recentRoleChanges, Order: page.Desc})
	if err != nil {
		return event.Event{}, err
	}
	for _, e := range recent.Items {
		var told struct{ Slug string }
		if err := json.Unmarshal(e.Data, &told); err != nil {
			return event.Event{}, fmt.Errorf("reading event %s: %w", e.ID, err)
		}
		// An earlier role of the same slug has earlier events.
		if told.Slug == role.Slug && e.Organization == role.Organization && !e.CreatedAt.Before(role.CreatedAt) {
			return e, nil
		}
	}
	return event.Event{}, nil
}
