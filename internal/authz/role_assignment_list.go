package authz

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// ListRoleAssignments lists what a membership was assigned on all resources or, where one is named, on that: directly
// and through its groups, in force or later. What has ended is not listed, nor a default given at creation while
// another source outranks it; an assignment of a role that is gone is listed as what it counts as.
func (s *Service) ListRoleAssignments(ctx context.Context, c Caller, m id.Membership, on ResourceRef, r page.Request) (page.Page[RoleAssignment], error) {
	return read(ctx, s, func(tx Reader) (page.Page[RoleAssignment], error) {
		found, err := membership(tx, c, m)
		if err != nil {
			return page.Page[RoleAssignment]{}, err
		}
		f := AssignmentFilter{Membership: m}
		if on != (ResourceRef{}) {
			where, err := locate(tx, c, found.Organization, on)
			if err != nil {
				return page.Page[RoleAssignment]{}, err
			}
			f.Resources = []id.Resource{where.id}
		}
		p, err := loadPolicy(tx, c, found.Organization)
		if err != nil {
			return page.Page[RoleAssignment]{}, err
		}
		l := newLister(tx, c, p, s.instant())
		through, err := l.through(found, f.Resources)
		if err != nil {
			return page.Page[RoleAssignment]{}, err
		}
		var shared []RoleAssignment
		for _, a := range through {
			shared = append(shared, derived(a, m))
		}
		return l.page(r, func(from string, ascending bool, n int) ([]RoleAssignment, error) {
			own, err := l.stored(f, from, ascending, n)
			return firstBeyond(append(own, shared...), from, ascending, n), err
		})
	})
}

// ListResourceAssignments lists what was assigned on a resource, each with the membership that has it: directly or
// through one of its groups. A role narrows the list; one that does not exist was assigned to nobody. org is needed
// where the resource is named by external id.
func (s *Service) ListResourceAssignments(ctx context.Context, c Caller, org id.Organization, ref ResourceRef, role string, r page.Request) (page.Page[RoleAssignment], error) {
	return read(ctx, s, func(tx Reader) (page.Page[RoleAssignment], error) {
		if ref.ID != "" {
			var err error
			if org, err = ownerOf(tx, c, ref.ID); err != nil {
				return page.Page[RoleAssignment]{}, err
			}
		}
		p, err := loadPolicy(tx, c, org)
		if err != nil {
			return page.Page[RoleAssignment]{}, err
		}
		where, err := locate(tx, c, org, ref)
		if err != nil {
			return page.Page[RoleAssignment]{}, err
		}
		l := newLister(tx, c, p, s.instant())
		f := AssignmentFilter{Resources: []id.Resource{where.id}}
		if role != "" {
			if f.Roles = l.meaning(role); len(f.Roles) == 0 {
				return page.Page[RoleAssignment]{}, nil
			}
		}
		return l.page(r, func(from string, ascending bool, n int) ([]RoleAssignment, error) {
			return l.everyones(f, role, from, ascending, n)
		})
	})
}

// ownerOf finds the organization of a resource, which may be that organization's own.
func ownerOf(r Reader, c Caller, resource id.Resource) (id.Organization, error) {
	found, ok, err := r.Resource(c.Environment, resource)
	if err != nil {
		return "", err
	}
	if ok && c.sees(found.Organization) {
		return found.Organization, nil
	}
	o, err := organization(r, c, id.Retype[id.Organization](resource))
	if fault.Is(err, fault.NotFound) {
		err = fault.Missing("Resource", string(resource))
	}
	return o.ID, err
}

// derived is what a membership has through a group's assignment, as it is shown. Its id follows from the two, so that
// it is the same whenever it is shown, and sorts among the others by when the group was given the role.
func derived(a Assignment, m id.Membership) RoleAssignment {
	shown := RoleAssignment{Assignment: a, Through: a.ID}
	shown.ID, shown.Membership = id.Derive(a.ID, string(m)), m
	return shown
}

// lister shows the assignments of one organization as they count at an instant.
type lister struct {
	r       Reader
	c       Caller
	p       Policy
	at      time.Time
	members map[id.Group][]id.Membership // who is in groups that were met
}

func newLister(r Reader, c Caller, p Policy, at time.Time) *lister {
	return &lister{r: r, c: c, p: p, at: at, members: map[id.Group][]id.Membership{}}
}

// page makes a page of a list of which read gives the first n that lie beyond a position, in that direction.
func (l *lister) page(r page.Request, read func(from string, ascending bool, n int) ([]RoleAssignment, error)) (page.Page[RoleAssignment], error) {
	w := r.Walk()
	found, err := read(w.Cursor, w.Ascending, r.Limit+1)
	if err != nil || len(found) == 0 {
		return page.Page[RoleAssignment]{}, err
	}
	behind := false
	if w.Cursor != "" {
		before, err := read(string(found[0].ID), !w.Ascending, 1)
		if err != nil {
			return page.Page[RoleAssignment]{}, err
		}
		behind = len(before) > 0
	}
	cut := page.Cut(r, found, behind, func(a RoleAssignment) string { return string(a.ID) })
	return cut, l.name(cut.Items)
}

// firstBeyond sorts assignments by id and gives the first n that lie beyond a position, in that direction.
func firstBeyond(as []RoleAssignment, from string, ascending bool, n int) []RoleAssignment {
	as = slices.DeleteFunc(as, func(a RoleAssignment) bool {
		return from != "" && (ascending && string(a.ID) <= from || !ascending && string(a.ID) >= from)
	})
	slices.SortFunc(as, func(a, b RoleAssignment) int {
		if !ascending {
			a, b = b, a
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return as[:min(n, len(as))]
}

func ordered(ascending bool) page.Order {
	if ascending {
		return page.Asc
	}
	return page.Desc
}

// stored reads the first n stored assignments beyond a position that are to be shown.
func (l *lister) stored(f AssignmentFilter, from string, ascending bool, n int) (found []RoleAssignment, err error) {
	for r := (page.Request{Limit: n, Order: ordered(ascending), After: from}); ; {
		read, err := l.r.Assignments(l.p.Organization, f, r)
		if err != nil {
			return nil, err
		}
		shown, err := l.visible(read.Items)
		if err != nil {
			return nil, err
		}
		for _, a := range shown {
			found = append(found, RoleAssignment{Assignment: a})
		}
		if r.After = read.After; r.After == "" || len(found) >= n {
			return found[:min(n, len(found))], nil
		}
	}
}

// all reads all assignments that pass a filter: one that few pass.
func all(r Reader, org id.Organization, f AssignmentFilter) (found []Assignment, err error) {
	for p := (page.Request{Limit: page.MaxLimit, Order: page.Asc}); ; {
		read, err := r.Assignments(org, f, p)
		found = append(found, read.Items...)
		if p.After = read.After; err != nil || p.After == "" {
			return found, err
		}
	}
}

// everyones reads the first n assignments beyond a position on a resource, with one for each member of a group in place
// of the group's. Those of a group lie within the millisecond of the group's own, so one millisecond is put together at
// a time.
func (l *lister) everyones(f AssignmentFilter, role, from string, ascending bool, n int) (found []RoleAssignment, err error) {
	r := page.Request{Limit: page.MaxLimit, Order: ordered(ascending), After: edge(from, ascending)}
	var waiting []Assignment
	for {
		read, err := l.r.Assignments(l.p.Organization, f, r)
		if err != nil {
			return nil, err
		}
		shown, err := l.visible(read.Items)
		if err != nil {
			return nil, err
		}
		waiting = append(waiting, shown...)
		r.After = read.After
		for len(waiting) > 0 && id.Moment(waiting[0].ID) != id.Moment(id.Assignment(r.After)) { // that one may go on
			together := slices.IndexFunc(waiting, func(a Assignment) bool { return id.Moment(a.ID) != id.Moment(waiting[0].ID) })
			if together < 0 {
				together = len(waiting)
			}
			one, err := l.expand(waiting[:together], role)
			if err != nil {
				return nil, err
			}
			found = append(found, firstBeyond(one, from, ascending, n-len(found))...)
			if len(found) == n {
				return found, nil
			}
			waiting = waiting[together:]
		}
		if r.After == "" {
			return found, nil
		}
	}
}

// edge is the position before all assignments of the millisecond in which another position lies.
func edge(from string, ascending bool) string {
	if from == "" {
		return ""
	}
	start := id.Prefix[id.Assignment]() + id.Moment(id.Assignment(from))
	if ascending {
		return start
	}
	return start + "~"
}

// expand puts one for each member in place of a group's assignment. Where a role is named, others are left out.
func (l *lister) expand(as []Assignment, role string) (all []RoleAssignment, err error) {
	for _, a := range as {
		if role != "" && l.slug(a) != role {
			continue
		}
		if a.Group == "" {
			all = append(all, RoleAssignment{Assignment: a})
			continue
		}
		members, known := l.members[a.Group]
		if !known {
			if members, err = l.r.MembersOf(Group{ID: a.Group, Organization: a.Organization}); err != nil {
				return nil, err
			}
			l.members[a.Group] = members
		}
		for _, m := range members {
			all = append(all, derived(a, m))
		}
	}
	return all, nil
}

// through reads what the groups of a membership give it, as groups' assignments.
func (l *lister) through(m Membership, on []id.Resource) ([]Assignment, error) {
	found, err := l.r.AssignmentsThrough(m.Organization, m.ID, on)
	if err != nil {
		return nil, err
	}
	return l.visible(found)
}

// visible gives those assignments that are to be shown, as what they count as.
func (l *lister) visible(as []Assignment) ([]Assignment, error) {
	var standing []Assignment
	var initial []id.Membership
	for _, a := range as {
		a, ok := l.p.stand(a)
		if _, available := l.p.byID(a.Role); !ok || !available || a.Ended(l.at) {
			continue
		}
		standing = append(standing, a)
		if a.Source == SourceDefault {
			initial = append(initial, a.Membership)
		}
	}
	if len(initial) == 0 {
		return standing, nil
	}
	of, err := l.r.AssignmentsOf(l.p.Organization, initial, []id.Resource{OrganizationResource(l.p.Organization)})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(standing, func(a Assignment) bool {
		return a.Source == SourceDefault && !slices.ContainsFunc(l.counting(of[a.Membership]), func(b Assignment) bool { return b.ID == a.ID })
	}), nil
}

// counting gives those of a membership's assignments on the organization that are in force.
func (l *lister) counting(as []Assignment) []Assignment {
	var standing []Assignment
	for _, a := range as {
		if a, ok := l.p.stand(a); ok {
			standing = append(standing, a)
		}
	}
	return InForce(standing, l.at)
}

// meaning lists the roles whose assignments can count as those of a slug: the roles with that slug, and all that are
// gone, for which named tells.
func (l *lister) meaning(slug string) []id.Role {
	var roles []id.Role
	for _, r := range l.p.Roles {
		if r.Slug == slug {
			roles = append(roles, r.ID)
		}
	}
	if len(roles) == 0 {
		return nil
	}
	for gone := range l.p.Retired {
		roles = append(roles, gone)
	}
	slices.Sort(roles)
	return roles
}

// named gives those of visible assignments whose role has a slug.
func (l *lister) named(as []Assignment, slug string) []Assignment {
	return slices.DeleteFunc(slices.Clone(as), func(a Assignment) bool { return l.slug(a) != slug })
}

func (l *lister) slug(a Assignment) string {
	role, _ := l.p.byID(a.Role)
	return role.Slug
}

// name adds to visible assignments what is shown beside them.
func (l *lister) name(as []RoleAssignment) error {
	on, err := namedResources(l.r, l.c, l.p.Organization, column(as, func(a RoleAssignment) id.Resource { return a.Resource }))
	for i, a := range as {
		as[i].Slug, as[i].On = l.slug(a.Assignment), on[a.Resource]
	}
	return err
}

// one shows one assignment.
func (l *lister) one(a Assignment) (RoleAssignment, error) {
	as := []RoleAssignment{{Assignment: a}}
	err := l.name(as)
	return as[0], err
}

// namedResources finds what resources of an organization are called.
func namedResources(r Reader, c Caller, org id.Organization, wanted []id.Resource) (map[id.Resource]NamedResource, error) {
	names := make(map[id.Resource]NamedResource, len(wanted))
	home := OrganizationResource(org)
	if slices.Contains(wanted, home) {
		o, err := organization(r, c, org)
		if err != nil {
			return nil, err
		}
		names[home] = NamedResource{ID: home, ExternalID: string(org), Type: OrganizationType}
		if o.ExternalID != nil {
			names[home] = NamedResource{ID: home, ExternalID: *o.ExternalID, Type: OrganizationType}
		}
	}
	found, err := r.ResourcesByID(org, slices.DeleteFunc(slices.Clone(wanted), func(w id.Resource) bool { return w == home }))
	for _, f := range found {
		names[f.ID] = NamedResource{ID: f.ID, ExternalID: f.ExternalID, Type: f.Type}
	}
	return names, err
}
