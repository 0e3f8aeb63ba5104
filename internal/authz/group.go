package authz

import (
	"context"
	"slices"
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
	// MembersOf is all of them, in no order.
	MembersOf(g Group) ([]id.Membership, error)
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
	if err == nil && (!ok || !c.Sees(found.Organization)) {
		err = fault.Missing("Group", string(g))
	}
	return found, err
}

// groupIn finds a group of an organization. A group of another one is not found there.
func groupIn(r Reader, c Caller, org id.Organization, g id.Group) (Group, error) {
	found, err := group(r, c, g)
	if err == nil && found.Organization != org {
		err = fault.Missing("Group", string(g))
	}
	return found, err
}

// NewGroup is the input of CreateGroup.
type NewGroup struct {
	Name        string
	Description *string
}

// CreateGroup makes a group without members.
func (s *Service) CreateGroup(ctx context.Context, c Caller, org id.Organization, in NewGroup) (Group, error) {
	var bad complaints
	bad.name("name", in.Name, MaxLongName)
	bad.optionalText("description", in.Description, MaxDescription)
	if err := bad.err(); err != nil {
		return Group{}, err
	}
	return write(ctx, s, c, func(ch *change) (Group, error) {
		if err := ownerExists(ch, c, org); err != nil {
			return Group{}, err
		}
		if err := ch.permit(org); err != nil {
			return Group{}, err
		}
		g := Group{
			ID: id.New[id.Group](s.ids), Environment: c.Environment, Organization: org, Name: in.Name,
			Description: in.Description, CreatedAt: ch.now, UpdatedAt: ch.now,
		}
		if err := ch.InsertGroup(g); err != nil {
			return Group{}, err
		}
		return g, ch.emit(event.GroupCreated, org, g.Payload(), nil)
	})
}

// Group finds a group of an organization.
func (s *Service) Group(ctx context.Context, c Caller, org id.Organization, g id.Group) (Group, error) {
	return read(ctx, s, func(r Reader) (Group, error) { return groupIn(r, c, org, g) })
}

// ListGroups lists the groups of an organization.
func (s *Service) ListGroups(ctx context.Context, c Caller, org id.Organization, r page.Request) (page.Page[Group], error) {
	return read(ctx, s, func(tx Reader) (page.Page[Group], error) {
		if err := ownerExists(tx, c, org); err != nil {
			return page.Page[Group]{}, err
		}
		return tx.Groups(org, r)
	})
}

// changeGroup finds a group of an organization and lets alter change it.
func (s *Service) changeGroup(ctx context.Context, c Caller, org id.Organization, g id.Group, alter func(*change, *Group) error) (Group, error) {
	return write(ctx, s, c, func(ch *change) (Group, error) {
		found, err := groupIn(ch, c, org, g)
		if err != nil {
			return Group{}, err
		}
		err = alter(ch, &found)
		return found, err
	})
}

// UpdateGroup changes name and description. Where nothing is another, nothing is written and nothing told.
func (s *Service) UpdateGroup(ctx context.Context, c Caller, org id.Organization, g id.Group, in Details) (Group, error) {
	if err := in.check(MaxLongName); err != nil {
		return Group{}, err
	}
	return s.changeGroup(ctx, c, org, g, func(ch *change, g *Group) error {
		before := *g
		if err := ch.permit(org); err != nil || !in.apply(&g.Name, &g.Description) {
			return err
		}
		g.UpdatedAt = ch.now
		if err := ch.Tx.UpdateGroup(*g); err != nil {
			return err
		}
		return ch.emit(event.GroupUpdated, org, g.Payload(), before.Payload())
	})
}

// DeleteGroup removes a group with its role assignments (R142). For decisions its members have lost what they held
// through it when this returns; a job tells of those who show other roles then.
func (s *Service) DeleteGroup(ctx context.Context, c Caller, org id.Organization, g id.Group) error {
	_, err := s.changeGroup(ctx, c, org, g, func(ch *change, g *Group) error {
		if err := ch.permitSupposed(org, supposeDeleteGroup(*g)); err != nil {
			return err
		}
		shows, err := ch.givesShown(*g)
		if err != nil {
			return err
		}
		if err := ch.Tx.DeleteGroup(*g); err != nil {
			return err
		}
		if err := ch.emit(event.GroupDeleted, org, g.Payload(), nil); err != nil || !shows {
			return err
		}
		return ch.announceLater(Job{Kind: JobAnnounce, Organization: org}) // nothing tells any more who was in it
	})
	return err
}

// givesShown says whether a group has members and roles on its organization, which memberships show.
func (ch *change) givesShown(g Group) (bool, error) {
	few := page.Request{Limit: page.MinLimit, Order: page.Asc}
	members, err := ch.GroupMembers(g, few)
	if err != nil || len(members.Items) == 0 {
		return false, err
	}
	home := []id.Resource{OrganizationResource(g.Organization)}
	roles, err := ch.Assignments(g.Organization, AssignmentFilter{Group: g.ID, Resources: home}, few)
	return len(roles.Items) > 0, err
}

// announceGroup lets a job tell of the members of a group that show other roles now.
func (ch *change) announceGroup(org id.Organization, g id.Group) error {
	return ch.announceLater(Job{Kind: JobAnnounce, Organization: org, Subject: string(g)})
}

// memberIn finds a membership of the group's organization. One of another organization is not found there.
func memberIn(r Reader, c Caller, g Group, m id.Membership) (Membership, error) {
	found, err := membership(r, c, m)
	if err == nil && found.Organization != g.Organization {
		err = fault.Missing("Organization membership", string(m))
	}
	return found, err
}

// AddGroupMember puts a membership into a group, and what it holds then is told before this returns (R135). One that
// is in it already stays as it is (R131).
func (s *Service) AddGroupMember(ctx context.Context, c Caller, org id.Organization, g id.Group, m id.Membership) (Group, error) {
	return s.changeGroup(ctx, c, org, g, func(ch *change, g *Group) error {
		member, err := memberIn(ch, c, *g, m)
		if err != nil {
			return err
		}
		groups, err := ch.GroupsOf(org, m)
		if err != nil {
			return err
		}
		if slices.Contains(groups, g.ID) {
			return ch.permit(org)
		}
		if len(groups) >= MaxMemberGroups {
			return fault.New(fault.BadRequest, "group_membership_limit_exceeded",
				"Organization membership '%s' is in %d groups, which is the most that one can be in.", m, len(groups))
		}
		policy, err := ch.policy(org)
		if err != nil {
			return err
		}
		if err := ch.permitGroup(policy, *g); err != nil {
			return err
		}
		_, err = ch.alterMember(member, policy, func(*Membership) error {
			if err := ch.Tx.AddGroupMember(*g, m, ch.now); err != nil {
				return err
			}
			return ch.emit(event.GroupMemberAdded, org, event.GroupMember{GroupID: g.ID, MembershipID: m}, nil)
		})
		return err
	})
}

// permitGroup asks for all that a group can give: on other resources, later, and what only comes out when something
// that outranks it now has ended.
func (ch *change) permitGroup(p Policy, g Group) error {
	if !ch.caller.limited() {
		return ch.permit(g.Organization)
	}
	given, err := all(ch, g.Organization, AssignmentFilter{Group: g.ID})
	if err != nil {
		return err
	}
	var roles []id.Role
	for _, a := range given {
		if a, ok := p.stand(a); ok && !a.Ended(ch.now) {
			roles = append(roles, a.Role)
		}
	}
	return ch.permitRoles(g.Organization, roles...)
}

// RemoveGroupMember takes a membership out of a group, and what it holds then is told before this returns (R135). One
// that is not in the group is not found there (R131).
func (s *Service) RemoveGroupMember(ctx context.Context, c Caller, org id.Organization, g id.Group, m id.Membership) error {
	_, err := s.changeGroup(ctx, c, org, g, func(ch *change, g *Group) error {
		member, err := memberIn(ch, c, *g, m)
		if err != nil {
			return err
		}
		in, err := ch.InGroup(*g, m)
		if err != nil {
			return err
		}
		if !in {
			return fault.Missing("Organization membership", string(m))
		}
		policy, err := ch.policy(org)
		if err != nil {
			return err
		}
		_, err = ch.alterMember(member, policy, func(*Membership) error {
			if err := ch.Tx.RemoveGroupMember(*g, m); err != nil {
				return err
			}
			return ch.emit(event.GroupMemberRemoved, org, event.GroupMember{GroupID: g.ID, MembershipID: m}, nil)
		})
		return err
	})
	return err
}

// ListGroupMembers lists the memberships in a group, whatever their status, without their roles and users.
func (s *Service) ListGroupMembers(ctx context.Context, c Caller, org id.Organization, g id.Group, r page.Request) (page.Page[Member], error) {
	return read(ctx, s, func(tx Reader) (page.Page[Member], error) {
		found, err := groupIn(tx, c, org, g)
		if err != nil {
			return page.Page[Member]{}, err
		}
		in, err := tx.GroupMembers(found, r)
		if err != nil {
			return page.Page[Member]{}, err
		}
		names, err := tx.OrganizationNames(c.Environment, []id.Organization{org})
		members := make([]Member, len(in.Items))
		for i, m := range in.Items {
			members[i] = Member{Membership: m, OrganizationName: names[org]}
		}
		return page.Page[Member]{Items: members, Before: in.Before, After: in.After}, err
	})
}

// ListMemberGroups lists the groups that a membership is in.
func (s *Service) ListMemberGroups(ctx context.Context, c Caller, m id.Membership, r page.Request) (page.Page[Group], error) {
	return read(ctx, s, func(tx Reader) (page.Page[Group], error) {
		found, err := membership(tx, c, m)
		if err != nil {
			return page.Page[Group]{}, err
		}
		return tx.GroupsOfMember(found.Organization, m, r)
	})
}
