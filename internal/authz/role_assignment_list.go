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
// and through its groups, in force or later. A type or an external id alone means all resources that have it. What has
// ended is not listed, nor a default given at creation while another source outranks it; an assignment of a role that
// is gone is listed as what it counts as.
func (s *Service) ListRoleAssignments(ctx context.Context, c Caller, m id.Membership, on ResourceRef, r page.Request) (page.Page[RoleAssignment], error) {
	return read(ctx, s, func(tx Reader) (page.Page[RoleAssignment], error) {
		found, err := membership(tx, c, m)
		if err != nil {
			return page.Page[RoleAssignment]{}, err
		}
		f := AssignmentFilter{Membership: m}
		if on.names() {
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
		if !on.names() {
			l.only = on
		}
		through, err := l.through(found, f.Resources)
		if err == nil {
			through, err = l.narrowed(through)
		}
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
	if ok && c.Sees(found.Organization) {
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
	only    ResourceRef                  // a type or an external id that the resources have
	members map[id.Group][]id.Membership // who is in groups that were met
	shared  map[id.Assignment][]share    // and what they have of its assignments
}

func newLister(r Reader, c Caller, p Policy, at time.Time) *lister {
	return &lister{r: r, c: c, p: p, at: at, members: map[id.Group][]id.Membership{}, shared: map[id.Assignment][]share{}}
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
	r := page.Request{Limit: n, Order: ordered(ascending), After: from}
	if l.only != (ResourceRef{}) {
		r.Limit = page.MaxLimit // few may be left of them
	}
	for {
		read, err := l.r.Assignments(l.p.Organization, f, r)
		if err != nil {
			return nil, err
		}
		shown, err := l.visible(read.Items)
		if err == nil {
			shown, err = l.narrowed(shown)
		}
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
		if role != "" {
			shown = l.named(shown, role)
		}
		waiting = append(waiting, shown...)
		r.After = read.After
		for len(waiting) > 0 && id.Moment(waiting[0].ID) != id.Moment(id.Assignment(r.After)) { // that one may go on
			together := slices.IndexFunc(waiting, func(a Assignment) bool { return id.Moment(a.ID) != id.Moment(waiting[0].ID) })
			if together < 0 {
				together = len(waiting)
			}
			nearest, err := l.expand(waiting[:together], from, ascending, n-len(found))
			if err != nil {
				return nil, err
			}
			found = append(found, nearest...)
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

// share is an assignment as one membership has it, before it is written out.
type share struct {
	id     id.Assignment
	member id.Membership
	of     *Assignment
}

// expand gives the first n beyond a position of what assignments are to members: a group's once for each of its own.
// A group can have a hundred thousand members, of whom a page shows ten: only those are written out.
func (l *lister) expand(as []Assignment, from string, ascending bool, n int) ([]RoleAssignment, error) {
	var nearest []share
	order := func(s share, by id.Assignment) int {
		if ascending {
			return cmp.Compare(s.id, by)
		}
		return cmp.Compare(by, s.id)
	}
	for i := range as {
		shares, err := l.shares(&as[i])
		if err != nil {
			return nil, err
		}
		for _, s := range shares {
			if from != "" && order(s, id.Assignment(from)) <= 0 {
				continue
			}
			at, _ := slices.BinarySearchFunc(nearest, s.id, order)
			if at < n {
				nearest = slices.Insert(nearest[:min(len(nearest), n-1)], at, s)
			}
		}
	}
	found := make([]RoleAssignment, len(nearest))
	for i, s := range nearest {
		found[i] = RoleAssignment{Assignment: *s.of}
		if s.of.Group != "" {
			found[i] = derived(*s.of, s.member)
		}
	}
	return found, nil
}

// shares lists who has an assignment, and remembers it for the look the other way that every page needs.
func (l *lister) shares(a *Assignment) ([]share, error) {
	if a.Group == "" {
		return []share{{a.ID, a.Membership, a}}, nil
	}
	if known, met := l.shared[a.ID]; met {
		return known, nil
	}
	members, met := l.members[a.Group]
	if !met {
		var err error
		if members, err = l.r.MembersOf(Group{ID: a.Group, Organization: a.Organization}); err != nil {
			return nil, err
		}
		l.members[a.Group] = members
	}
	shares := make([]share, len(members))
	for i, m := range members {
		shares[i] = share{id.Derive(a.ID, string(m)), m, a}
	}
	l.shared[a.ID] = shares
	return shares, nil
}

// through reads what the groups of a membership give it, as groups' assignments.
func (l *lister) through(m Membership, on []id.Resource) ([]Assignment, error) {
	found, err := l.r.AssignmentsThrough(m.Organization, m.ID, on)
	if err != nil {
		return nil, err
	}
	return l.visible(found)
}

// names says whether a reference names one resource. A type or an external id alone does not.
func (ref ResourceRef) names() bool {
	return ref.ID != "" || ref.ExternalID != "" && ref.ResourceType != ""
}

// narrowed gives those of assignments that are on the resources that the list is about.
func (l *lister) narrowed(as []Assignment) ([]Assignment, error) {
	if l.only == (ResourceRef{}) {
		return as, nil
	}
	on, err := namedResources(l.r, l.c, l.p.Organization, column(as, func(a Assignment) id.Resource { return a.Resource }))
	return slices.DeleteFunc(slices.Clone(as), func(a Assignment) bool { return !l.meant(on[a.Resource]) }), err
}

// meant says whether the list is about a resource. An organization's own goes by the organization's id, too.
func (l *lister) meant(on NamedResource) bool {
	if l.only.ResourceType != "" {
		return on.Type == l.only.ResourceType
	}
	return on.ExternalID == l.only.ExternalID || on.Type == OrganizationType && l.only.ExternalID == string(l.p.Organization)
}
