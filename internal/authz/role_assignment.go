package authz

import (
	"context"
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// RoleAssignment is an assignment as it is shown: as what it counts now, and on which resource. One that a membership
// has through a group is shown with that membership, under an id of its own.
type RoleAssignment struct {
	Assignment
	Slug    string // of the role
	On      NamedResource
	Through id.Assignment // the group's assignment that it comes from; empty for a direct one
}

// NamedResource is a resource as assignments on it show it. An organization's own goes by the organization's external
// id or, where it has none, by its id (C27).
type NamedResource struct {
	ID         id.Resource
	ExternalID string
	Type       string
}

// NewAssignment is a role to be given on a resource.
type NewAssignment struct {
	Role      string      // slug
	Resource  ResourceRef // the zero value is the organization itself (C12)
	StartsAt  time.Time   // zero: at once
	ExpiresAt time.Time   // zero: for ever
}

func (in NewAssignment) check(now time.Time) error {
	for name, at := range map[string]time.Time{"starts_at": in.StartsAt, "expires_at": in.ExpiresAt} {
		if at.UTC().Year() > 9999 {
			return fault.BadField(name, "must lie before the year 10000")
		}
	}
	switch {
	case in.ExpiresAt.IsZero():
	case !in.ExpiresAt.After(now):
		return fault.BadField("expires_at", "must lie in the future")
	case !in.ExpiresAt.After(in.StartsAt):
		return fault.BadField("expires_at", "must lie after starts_at")
	}
	return nil
}

// RoleCriteria say which assignment is meant: that of a role on a resource.
type RoleCriteria struct {
	Role     string
	Resource ResourceRef
}

// fitting finds the role and the resource of a new assignment. The role must be available in the organization and made
// for resources of that type (R207).
func fitting(r Reader, c Caller, p Policy, in NewAssignment) (Role, id.Resource, error) {
	where, err := locate(r, c, p.Organization, in.Resource)
	if err != nil {
		return Role{}, "", err
	}
	role, ok := p.bySlug(in.Role)
	switch {
	case !ok:
		return Role{}, "", invalidRole(in.Role)
	case len(where.path) == 0:
		return role, where.id, assignable(role)
	case role.ResourceType != where.path[0].Type:
		return Role{}, "", fault.New(fault.Invalid, "role_resource_type_mismatch",
			"Role '%s' is made for '%s' and cannot be held on a resource of the type '%s'.", role.Slug, role.ResourceType, where.path[0].Type)
	}
	return role, where.id, nil
}

// AssignRole gives a membership a role on a resource, beside what it has. One that is there already stays, with the
// interval asked for. On the organization, while members hold one role, a role given for good takes the place of what
// was given directly before; one with an interval stands beside it for that time.
func (s *Service) AssignRole(ctx context.Context, c Caller, m id.Membership, in NewAssignment) (RoleAssignment, error) {
	return write(ctx, s, c, func(ch *change) (RoleAssignment, error) {
		if err := in.check(ch.now); err != nil {
			return RoleAssignment{}, err
		}
		found, policy, err := ch.memberAndPolicy(m)
		if err != nil {
			return RoleAssignment{}, err
		}
		role, on, err := fitting(ch, c, policy, in)
		if err != nil {
			return RoleAssignment{}, err
		}
		wanted := ch.newAssignment(found.Organization, role, on, SourceManual)
		wanted.Membership, wanted.StartsAt, wanted.ExpiresAt = m, in.StartsAt, in.ExpiresAt
		var given Assignment
		if on != OrganizationResource(found.Organization) {
			given, err = ch.give(policy, wanted)
		} else {
			_, err = ch.alterMember(found, policy, func(m *Membership) error {
				if given, err = ch.give(policy, wanted); err != nil || policy.Multiple || !wanted.due(ch.now).IsZero() {
					return err
				}
				return ch.replaceDirect(*m, SourceManual, []Role{role})
			})
		}
		if err != nil {
			return RoleAssignment{}, err
		}
		return newLister(ch, c, policy, ch.now).one(given)
	})
}

func (ch *change) memberAndPolicy(m id.Membership) (Membership, Policy, error) {
	found, err := membership(ch, ch.caller, m)
	if err != nil {
		return Membership{}, Policy{}, err
	}
	p, err := ch.policy(found.Organization)
	return found, p, err
}

// give stores an assignment, or gives the one like it that is there the same interval. It asks for the permissions of
// the role where it writes anything, also where another role outranks it for the time being.
func (ch *change) give(p Policy, wanted Assignment) (Assignment, error) {
	stored, err := all(ch, wanted.Organization, AssignmentFilter{
		Membership: wanted.Membership, Group: wanted.Group, Resources: []id.Resource{wanted.Resource}, Source: wanted.Source,
	})
	if err != nil {
		return Assignment{}, err
	}
	var like []Assignment // more than one only while those of a role that is gone wait to be moved
	var obsolete []Assignment
	moved := false
	for _, a := range stored {
		standing, ok := p.stand(a)
		switch {
		case !ok || standing.Role != wanted.Role || standing.Source != wanted.Source:
		case len(like) > 0 || a.Ended(ch.now): // what is given anew after its end is another one
			obsolete = append(obsolete, a)
		default:
			like, moved = append(like, standing), standing.Role != a.Role
		}
	}
	if len(like) > 0 && !moved && len(obsolete) == 0 && like[0].sameInterval(wanted) {
		return like[0], ch.permit(wanted.Organization)
	}
	if err := ch.permitRoles(wanted.Organization, wanted.Role); err != nil {
		return Assignment{}, err
	}
	if err := ch.DeleteAssignments(wanted.Organization, obsolete); err != nil {
		return Assignment{}, err
	}
	if len(like) == 0 {
		return wanted, ch.InsertAssignment(wanted, wanted.due(ch.now))
	}
	present := like[0]
	present.StartsAt, present.ExpiresAt, present.UpdatedAt = wanted.StartsAt, wanted.ExpiresAt, ch.now
	return present, ch.UpdateAssignment(present, present.due(ch.now))
}

func (a Assignment) sameInterval(b Assignment) bool {
	return a.StartsAt.Equal(b.StartsAt) && a.ExpiresAt.Equal(b.ExpiresAt)
}

// UnassignRole takes a role on a resource off a membership, whatever gave it directly. What a group gives stays until it
// is taken off the group (R140).
func (s *Service) UnassignRole(ctx context.Context, c Caller, m id.Membership, which RoleCriteria) error {
	return s.unassign(ctx, c, m, which.Role, func(ch *change, found Membership, l *lister) (direct, through []Assignment, err error) {
		where, err := locate(ch, c, found.Organization, which.Resource)
		if err != nil {
			return nil, nil, err
		}
		on := []id.Resource{where.id}
		f := AssignmentFilter{Membership: m, Resources: on, Roles: l.meaning(which.Role)}
		if len(f.Roles) == 0 {
			return nil, nil, nil
		}
		if direct, err = all(ch, found.Organization, f); err != nil {
			return nil, nil, err
		}
		if direct, err = l.visible(direct); err != nil {
			return nil, nil, err
		}
		through, err = l.through(found, on)
		return l.named(direct, which.Role), l.named(through, which.Role), err
	})
}

// RemoveRoleAssignment is UnassignRole for the one with that id.
func (s *Service) RemoveRoleAssignment(ctx context.Context, c Caller, m id.Membership, a id.Assignment) error {
	return s.unassign(ctx, c, m, string(a), func(ch *change, found Membership, l *lister) (direct, through []Assignment, err error) {
		stored, ok, err := ch.Assignment(found.Organization, a)
		if err != nil {
			return nil, nil, err
		}
		if ok && stored.Membership == m {
			direct, err = l.visible([]Assignment{stored})
			return direct, nil, err
		}
		if through, err = l.through(found, nil); err != nil {
			return nil, nil, err
		}
		return nil, slices.DeleteFunc(through, func(t Assignment) bool { return derived(t, m).ID != a }), nil
	})
}

// unassign removes the direct assignments of a membership that find finds. Where it finds none, name is what the
// refusal calls them.
func (s *Service) unassign(ctx context.Context, c Caller, m id.Membership, name string, find func(*change, Membership, *lister) (direct, through []Assignment, err error)) error {
	_, err := write(ctx, s, c, func(ch *change) (struct{}, error) {
		found, policy, err := ch.memberAndPolicy(m)
		if err != nil {
			return struct{}{}, err
		}
		direct, through, err := find(ch, found, newLister(ch, c, policy, ch.now))
		if err != nil {
			return struct{}{}, err
		}
		switch {
		case len(direct) > 0:
		case len(through) > 0:
			return struct{}{}, fault.New(fault.Invalid, "role_assigned_by_group",
				"This role comes from group '%s'. Take the role off the group, or the membership out of it.", through[0].Group)
		default:
			return struct{}{}, fault.Missing("Role assignment", name)
		}
		remove := func(*Membership) error {
			return ch.DeleteAssignments(found.Organization, direct)
		}
		if direct[0].Resource == OrganizationResource(found.Organization) {
			_, err = ch.alterMember(found, policy, remove)
			return struct{}{}, err
		}
		if err := ch.permit(found.Organization); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, remove(nil)
	})
	return err
}

func assignmentIDs(as []Assignment) []id.Assignment {
	return column(as, func(a Assignment) id.Assignment { return a.ID })
}
