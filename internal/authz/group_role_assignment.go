package authz

import (
	"context"
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// ListGroupRoleAssignments lists the roles of a group on all resources, in force or later.
func (s *Service) ListGroupRoleAssignments(ctx context.Context, c Caller, g id.Group, r page.Request) (page.Page[RoleAssignment], error) {
	return read(ctx, s, func(tx Reader) (page.Page[RoleAssignment], error) {
		found, err := group(tx, c, g)
		if err != nil {
			return page.Page[RoleAssignment]{}, err
		}
		return listGroup(tx, c, found, r, s.instant())
	})
}

func listGroup(tx Reader, c Caller, g Group, r page.Request, at time.Time) (page.Page[RoleAssignment], error) {
	p, err := loadPolicy(tx, c, g.Organization)
	if err != nil {
		return page.Page[RoleAssignment]{}, err
	}
	l := newLister(tx, c, p, at)
	return l.page(r, func(from string, ascending bool, n int) ([]RoleAssignment, error) {
		return l.stored(AssignmentFilter{Group: g.ID}, from, ascending, n)
	})
}

// GroupRoleAssignment finds one of the roles of a group.
func (s *Service) GroupRoleAssignment(ctx context.Context, c Caller, g id.Group, a id.Assignment) (RoleAssignment, error) {
	return read(ctx, s, func(tx Reader) (RoleAssignment, error) {
		found, err := group(tx, c, g)
		if err != nil {
			return RoleAssignment{}, err
		}
		p, err := loadPolicy(tx, c, found.Organization)
		if err != nil {
			return RoleAssignment{}, err
		}
		l := newLister(tx, c, p, s.instant())
		one, err := l.ofGroup(found, a)
		if err != nil {
			return RoleAssignment{}, err
		}
		return l.one(one)
	})
}

// ofGroup finds an assignment of a group that is to be shown.
func (l *lister) ofGroup(g Group, a id.Assignment) (Assignment, error) {
	stored, ok, err := l.r.Assignment(g.Organization, a)
	if err != nil {
		return Assignment{}, err
	}
	if ok && stored.Group == g.ID {
		shown, err := l.visible([]Assignment{stored})
		if err != nil {
			return Assignment{}, err
		}
		if len(shown) > 0 {
			return shown[0], nil
		}
	}
	return Assignment{}, fault.Missing("Group role assignment", string(id.Retype[id.GroupAssignment](a)))
}

// groupRoles is the roles of a group while they are changed.
type groupRoles struct {
	*change
	group  Group
	lister *lister
	shown  []Assignment // what the group has, as it counts
	shows  bool         // whether members may show other roles since the change
}

// changeGroupRoles lets alter change the roles of a group. Members whose roles on the organization may be others then
// are told of by a job (R134); decisions are right at once.
func changeGroupRoles[T any](ctx context.Context, s *Service, c Caller, g id.Group, alter func(*groupRoles) (T, error)) (T, error) {
	return write(ctx, s, c, func(ch *change) (result T, err error) {
		found, err := group(ch, c, g)
		if err != nil {
			return result, err
		}
		p, err := ch.policy(found.Organization)
		if err != nil {
			return result, err
		}
		stored, err := all(ch, found.Organization, AssignmentFilter{Group: g})
		if err != nil {
			return result, err
		}
		roles := &groupRoles{change: ch, group: found, lister: newLister(ch, c, p, ch.now)}
		if err := roles.forgetEnded(stored); err != nil {
			return result, err
		}
		if roles.shown, err = roles.lister.visible(stored); err != nil {
			return result, err
		}
		if result, err = alter(roles); err != nil || !roles.shows {
			return result, err
		}
		return result, ch.announceGroup(found.Organization, found.ID)
	})
}

// forgetEnded removes what is past its interval, so that it counts for no limit and is in the way of nothing new.
func (g *groupRoles) forgetEnded(stored []Assignment) error {
	var ended []Assignment
	for _, a := range stored {
		if a.Ended(g.now) {
			ended = append(ended, a)
			g.concern(a)
		}
	}
	return g.DeleteAssignments(g.group.Organization, ended)
}

// concern notes that an assignment was changed.
func (g *groupRoles) concern(a Assignment) {
	g.shows = g.shows || a.Resource == OrganizationResource(g.group.Organization)
}

// wanted is a new assignment whose names are found.
func (g *groupRoles) wanted(in NewAssignment) (Assignment, error) {
	if err := in.check(g.now); err != nil {
		return Assignment{}, err
	}
	role, on, err := fitting(g, g.caller, g.lister.p, in)
	if err != nil {
		return Assignment{}, err
	}
	a := g.newAssignment(g.group.Organization, role, on, SourceGroup)
	a.Group, a.StartsAt, a.ExpiresAt = g.group.ID, in.StartsAt, in.ExpiresAt
	return a, nil
}

// like says whether two assignments of one group are of the same role on the same resource.
func (a Assignment) like(b Assignment) bool { return a.Role == b.Role && a.Resource == b.Resource }

// indexIn finds an assignment like another among some; negative when there is none.
func (a Assignment) indexIn(among []Assignment) int { return slices.IndexFunc(among, a.like) }

// AssignGroupRole gives a group a role on a resource, which all its members hold from then on (R133). One that is there
// already is a conflict (R141).
func (s *Service) AssignGroupRole(ctx context.Context, c Caller, g id.Group, in NewAssignment) (RoleAssignment, error) {
	return changeGroupRoles(ctx, s, c, g, func(roles *groupRoles) (RoleAssignment, error) {
		a, err := roles.wanted(in)
		if err != nil {
			return RoleAssignment{}, err
		}
		if a.indexIn(roles.shown) >= 0 {
			return RoleAssignment{}, fault.New(fault.Conflict, "duplicate_group_role_assignment",
				"Group '%s' has role '%s' on this resource already.", g, in.Role)
		}
		if len(roles.shown) >= MaxGroupRoles {
			return RoleAssignment{}, fault.New(fault.Invalid, "group_role_assignment_limit_exceeded",
				"Group '%s' has %d role assignments, which is the most that a group can have.", g, len(roles.shown))
		}
		if a, err = roles.give(roles.lister.p, a); err != nil {
			return RoleAssignment{}, err
		}
		roles.concern(a)
		return roles.lister.one(a)
	})
}

// ReplaceGroupRoleAssignments makes the given ones all that a group has. Those that are there already keep their ids;
// one that is given twice counts once (R141).
func (s *Service) ReplaceGroupRoleAssignments(ctx context.Context, c Caller, g id.Group, in []NewAssignment) (page.Page[RoleAssignment], error) {
	if len(in) > MaxGroupRoles {
		return page.Page[RoleAssignment]{}, fault.BadField("role_assignments", "must hold at most %d", MaxGroupRoles)
	}
	return changeGroupRoles(ctx, s, c, g, func(roles *groupRoles) (page.Page[RoleAssignment], error) {
		var wanted []Assignment
		for _, one := range in {
			a, err := roles.wanted(one)
			if err != nil {
				return page.Page[RoleAssignment]{}, err
			}
			if twice := a.indexIn(wanted); twice < 0 {
				wanted = append(wanted, a)
			} else if !a.sameInterval(wanted[twice]) {
				return page.Page[RoleAssignment]{}, fault.BadField("role_assignments", "names role '%s' twice on one resource, with different times", fault.Short(one.Role))
			}
		}
		obsolete := slices.DeleteFunc(slices.Clone(roles.shown), func(a Assignment) bool { return a.indexIn(wanted) >= 0 })
		for _, a := range wanted {
			present := a.indexIn(roles.shown)
			if present >= 0 && !a.sameInterval(roles.shown[present]) { // outside the new interval it is as if the group had not the role
				if err := roles.permitWithout(roles.shown[present : present+1]); err != nil {
					return page.Page[RoleAssignment]{}, err
				}
			}
			if _, err := roles.give(roles.lister.p, a); err != nil { // which writes only what differs
				return page.Page[RoleAssignment]{}, err
			}
			if present < 0 || !a.sameInterval(roles.shown[present]) {
				roles.concern(a)
			}
		}
		if err := roles.remove(obsolete); err != nil { // after the others, so that nobody falls back to less meanwhile
			return page.Page[RoleAssignment]{}, err
		}
		return listGroup(roles, c, roles.group, page.Request{Limit: MaxGroupRoles, Order: page.Desc}, roles.now)
	})
}

// remove takes assignments off the group. In single-role mode that can give members another role, which is asked for.
func (g *groupRoles) remove(as []Assignment) error {
	for _, a := range as {
		g.concern(a)
	}
	if len(as) == 0 {
		return g.permit(g.group.Organization)
	}
	if err := g.permitWithout(as); err != nil {
		return err
	}
	return g.DeleteAssignments(g.group.Organization, as)
}

// permitWithout asks for what members would hold if the group had not some of its assignments.
func (g *groupRoles) permitWithout(as []Assignment) error {
	ids := assignmentIDs(as)
	return g.permitSupposed(g.group.Organization, supposed{
		owner: g.group.Organization, scope: Scope{Organization: g.group.Organization, Group: g.group.ID},
		drop: func(a Assignment) bool { return slices.Contains(ids, a.ID) },
	})
}

// UnassignGroupRole takes a role on a resource off a group. One that the group does not have is not found.
func (s *Service) UnassignGroupRole(ctx context.Context, c Caller, g id.Group, which RoleCriteria) error {
	_, err := changeGroupRoles(ctx, s, c, g, func(roles *groupRoles) (struct{}, error) {
		where, err := locate(roles, c, roles.group.Organization, which.Resource)
		if err != nil {
			return struct{}{}, err
		}
		found := slices.DeleteFunc(roles.lister.named(roles.shown, which.Role), func(a Assignment) bool { return a.Resource != where.id })
		if len(found) == 0 {
			return struct{}{}, fault.Missing("Group role assignment", which.Role)
		}
		return struct{}{}, roles.remove(found)
	})
	return err
}

// RemoveGroupRoleAssignment is UnassignGroupRole for the one with that id.
func (s *Service) RemoveGroupRoleAssignment(ctx context.Context, c Caller, g id.Group, a id.Assignment) error {
	_, err := changeGroupRoles(ctx, s, c, g, func(roles *groupRoles) (struct{}, error) {
		found, err := roles.lister.ofGroup(roles.group, a)
		if err != nil {
			return struct{}{}, err
		}
		return struct{}{}, roles.remove([]Assignment{found})
	})
	return err
}
