package authz

import (
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// moveAssignments moves one batch of the assignments that name a role which is gone, and forgets the role when none is
// left. What a membership effectively holds is the same before and after; this makes it last and tells of it.
func (ch *change) moveAssignments(j *Job) (done bool, err error) {
	role := id.Role(j.Subject)
	// Where the batch before ended: PostgreSQL would step over all that was moved until then, which it keeps for a while.
	naming, err := ch.AssignmentsNaming(role, j.At.Organization, jobBatch)
	if err == nil && len(naming) == 0 && j.At.Organization != "" {
		naming, err = ch.AssignmentsNaming(role, "", jobBatch)
	}
	if err != nil {
		return false, err
	}
	if len(naming) == 0 {
		return true, ch.forgetRole(Role{ID: role, Environment: j.Environment, Organization: j.Organization})
	}
	j.At.Organization = naming[len(naming)-1].Organization
	for len(naming) > 0 {
		org := naming[0].Organization
		n := slices.IndexFunc(naming, func(a Assignment) bool { return a.Organization != org })
		if n < 0 {
			n = len(naming)
		}
		if err := ch.moveIn(org, naming[:n]); err != nil {
			return false, err
		}
		j.Done, naming = j.Done+n, naming[n:]
	}
	return false, nil
}

// forgetRole deletes a role that is gone and that nothing names any more, unless its organization was deleted meanwhile
// and the role with it.
func (ch *change) forgetRole(role Role) error {
	if role.Custom() {
		if _, found, err := ch.Organization(role.Environment, role.Organization); err != nil || !found {
			return err
		}
	}
	return ch.Tx.DeleteRole(role)
}

// moveIn moves assignments of one organization and tells of the members concerned.
func (ch *change) moveIn(org id.Organization, as []Assignment) error {
	policy, err := ch.policy(org)
	if err != nil {
		return err
	}
	var members []id.Membership
	groups := map[id.Group]bool{}
	for _, a := range as {
		if a.Group != "" {
			groups[a.Group] = a.Resource == OrganizationResource(org) || groups[a.Group]
		} else {
			members = append(members, a.Membership)
		}
	}
	members = distinct(members)
	had, through, err := ch.directOf(org, members, groups)
	if err != nil {
		return err
	}
	if err := ch.rewrite(policy, as, had); err != nil {
		return err
	}
	for g, shows := range groups {
		if shows {
			if err := ch.announceGroup(org, g); err != nil {
				return err
			}
		}
	}
	ms, err := ch.MembershipsByID(org, members)
	if err != nil {
		return err
	}
	has := through
	for _, a := range had {
		has[a.Membership] = append(has[a.Membership], a)
	}
	held := make(map[id.Membership][]Held, len(ms))
	for _, m := range ms {
		held[m.ID] = EffectiveRoles(Facts{At: ch.now, Membership: m, Assignments: has[m.ID], Policy: policy})
	}
	return ch.show(ms, held)
}

// twin tells assignments apart that must not exist twice.
type twin struct {
	subject  string
	resource id.Resource
	role     id.Role
	source   Source
}

func (a Assignment) twin() twin {
	return twin{string(a.Membership) + string(a.Group), a.Resource, a.Role, a.Source}
}

// directOf finds what subjects were assigned themselves, and what the members among them have through any group.
func (ch *change) directOf(org id.Organization, members []id.Membership, groups map[id.Group]bool) (had map[twin]Assignment, through map[id.Membership][]Assignment, err error) {
	had, through = map[twin]Assignment{}, map[id.Membership][]Assignment{}
	if len(members) > 0 {
		of, err := ch.AssignmentsOf(org, members, nil)
		if err != nil {
			return nil, nil, err
		}
		for m, as := range of {
			for _, a := range as {
				if a.Group == "" {
					had[a.twin()] = a
				} else {
					through[m] = append(through[m], a)
				}
			}
		}
	}
	for g := range groups {
		of, err := ch.Assignments(org, AssignmentFilter{Group: g}, page.Request{Limit: MaxGroupRoles, Order: page.Asc})
		if err != nil {
			return nil, nil, err
		}
		for _, a := range of.Items {
			had[a.twin()] = a
		}
	}
	return had, through, nil
}

// rewrite gives assignments the role and source that they count as, or removes those that count for nothing or are
// there already. Where two become one, it holds for as long as either did. had is what their subjects have, before and
// after.
func (ch *change) rewrite(p Policy, as []Assignment, had map[twin]Assignment) error {
	type target struct {
		role   id.Role
		source Source
	}
	moved := map[target][]id.Assignment{}
	var obsolete []Assignment
	for _, a := range as {
		delete(had, a.twin())
		standing, ok := p.stand(a)
		if !ok {
			obsolete = append(obsolete, a)
			continue
		}
		other, twice := had[standing.twin()]
		if !twice {
			had[standing.twin()] = standing
			to := target{standing.Role, standing.Source}
			moved[to] = append(moved[to], a.ID)
			continue
		}
		obsolete = append(obsolete, a)
		both := other.merged(standing)
		if both == other {
			continue
		}
		had[standing.twin()] = both
		if err := ch.UpdateAssignment(both, both.due(ch.now)); err != nil {
			return err
		}
	}
	if err := ch.DeleteAssignments(p.Organization, obsolete); err != nil {
		return err
	}
	for to, ids := range moved {
		if err := ch.MoveAssignments(p.Organization, ids, to.role, to.source); err != nil {
			return err
		}
	}
	return nil
}

// merged is two assignments of one role as one, which ranks among the sources as the two did: like the explicit one, else
// like the later one. It is in force when either was; where a gap lies between the two, the earlier one counts, so that
// nobody loses what he holds and nobody gets more than the two gave.
func (a Assignment) merged(b Assignment) Assignment {
	if b.Explicit && !a.Explicit || b.Explicit == a.Explicit && b.UpdatedAt.After(a.UpdatedAt) {
		a.Explicit, a.UpdatedAt = b.Explicit, b.UpdatedAt
	}
	gap := func(x, y Assignment) bool {
		return !x.ExpiresAt.IsZero() && !y.StartsAt.IsZero() && x.ExpiresAt.Before(y.StartsAt)
	}
	switch {
	case gap(a, b):
		return a
	case gap(b, a):
		a.StartsAt, a.ExpiresAt = b.StartsAt, b.ExpiresAt
		return a
	}
	if a.StartsAt.IsZero() || b.StartsAt.IsZero() {
		a.StartsAt = time.Time{}
	} else if b.StartsAt.Before(a.StartsAt) {
		a.StartsAt = b.StartsAt
	}
	if a.ExpiresAt.IsZero() || b.ExpiresAt.IsZero() {
		a.ExpiresAt = time.Time{}
	} else if b.ExpiresAt.After(a.ExpiresAt) {
		a.ExpiresAt = b.ExpiresAt
	}
	return a
}
