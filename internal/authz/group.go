package authz

import (
	"time"

	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// Group is a set of memberships of one organization that can hold roles together. Groups are not nested (R130).
type Group struct {
	ID           id.Group
	Environment  id.Environment
	Organization id.Organization
	Name         string // at most MaxLongName characters; need not be unique
	Description  *string
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// The limits of groups. The contract publishes none for the second, and the first only for replacing (PUT).
const (
	MaxGroupRoles   = 100 // role assignments of one group
	MaxMemberGroups = 100 // groups that one membership is in: what a decision has to look at stays bounded
)

// Payload is the group as events and answers show it.
func (g Group) Payload() event.Group {
	return event.Group{
		Object: "group", ID: g.ID, OrganizationID: g.Organization, Name: g.Name, Description: g.Description,
		CreatedAt: event.Time(g.CreatedAt), UpdatedAt: event.Time(g.UpdatedAt),
	}
}

// GroupReader finds groups.
type GroupReader interface {
	Group(env id.Environment, g id.Group) (found Group, ok bool, err error)
	Groups(org id.Organization, r page.Request) (page.Page[Group], error)
	// GroupsOf lists the groups that a membership is in, by id.
	GroupsOf(org id.Organization, m id.Membership) ([]id.Group, error)
	// GroupsOfMember is a page of the same.
	GroupsOfMember(org id.Organization, m id.Membership, r page.Request) (page.Page[Group], error)
	// GroupMembers lists the memberships in a group, by their ids.
	GroupMembers(g Group, r page.Request) (page.Page[Membership], error)
	InGroup(g Group, m id.Membership) (bool, error)
}

// GroupWriter stores groups.
type GroupWriter interface {
	InsertGroup(Group) error
	// UpdateGroup stores name, description and updated_at.
	UpdateGroup(Group) error
	// DeleteGroup removes a group, its assignments and the memberships in it, which themselves stay.
	DeleteGroup(Group) error
	AddGroupMember(g Group, m id.Membership, at time.Time) error
	RemoveGroupMember(g Group, m id.Membership) error
}

// group finds a group that the caller sees.
func group(r Reader, c Caller, g id.Group) (Group, error) {
	found, ok, err := r.Group(c.Environment, g)
	if err == nil && (!ok || !c.sees(found.Organization)) {
		err = fault.Missing("Group", string(g))
	}
	return found, err
}
