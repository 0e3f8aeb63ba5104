package authz

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/rolecall/rolecall/internal/id"
)

// whatIf evaluates memberships as they are and as they would be.
type whatIf struct {
	r      Reader
	c      Caller
	at     time.Time
	sup    supposed
	gone   map[id.Resource]bool
	latent bool     // counts as held what has no effect for now: of inactive members, displaced by other roles, or to come
	before policies // with the permissions of all roles
	after  policies
	judged map[string]judgement // of one organization, by what memberships have in common
}

func newWhatIf(r Reader, c Caller, at time.Time, sup supposed) *whatIf {
	sup.scope.Organization = c.within(sup.scope.Organization)
	w := &whatIf{r: r, c: c, at: at, sup: sup, before: policies{}, after: policies{}, gone: map[id.Resource]bool{}}
	for _, res := range sup.gone {
		w.gone[res.ID] = true
	}
	return w
}

// judgement is what a change does to a membership.
type judgement struct {
	before, after []string
	gains, loses  []Right
	altered       bool
}

// whatIfBatch is how many memberships are evaluated at a time.
const whatIfBatch = 1000

// walk gives visit every membership that the change would alter, by organization and id, until visit has enough.
func (w *whatIf) walk(from Position, visit func(MemberImpact) (more bool)) error {
	for {
		ms, err := w.r.MembershipsFrom(w.c.Environment, w.sup.scope, from, whatIfBatch)
		if err != nil || len(ms) == 0 {
			return err
		}
		last := ms[len(ms)-1]
		from = Position{Organization: last.Organization, Membership: last.ID}
		full := len(ms) == whatIfBatch
		if err := w.prepare(ms); err != nil {
			return err
		}
		for len(ms) > 0 {
			n := 1
			for n < len(ms) && ms[n].Organization == ms[0].Organization {
				n++
			}
			if more, err := w.evaluate(ms[:n], visit); err != nil || !more {
				return err
			}
			ms = ms[n:]
		}
		if !full {
			return nil
		}
	}
}

// prepare reads the policies of the organizations of memberships, as they are and as they would be, and forgets those
// that the walk has left behind.
func (w *whatIf) prepare(ms []Membership) error {
	left := func(org id.Organization, _ Policy) bool { return org != "" && org != ms[0].Organization }
	maps.DeleteFunc(w.before, left)
	maps.DeleteFunc(w.after, left)
	if err := w.before.readFull(w.r, w.c, ms); err != nil {
		return err
	}
	for _, m := range ms {
		if _, done := w.after[m.Organization]; done {
			continue
		}
		p := w.before[m.Organization]
		if w.sup.policy != nil {
			p.Roles = slices.Clone(p.Roles)
			retired := make(map[id.Role]Replacement, len(p.Retired)+1)
			maps.Copy(retired, p.Retired)
			p.Retired = retired
			w.sup.policy(&p)
		}
		w.after[m.Organization] = p
	}
	return nil
}

// evaluate compares memberships of one organization.
func (w *whatIf) evaluate(ms []Membership, visit func(MemberImpact) bool) (more bool, err error) {
	org := ms[0].Organization
	assignments, err := w.assignments(ms)
	if err != nil {
		return false, err
	}
	anchors, err := w.anchors(org, assignments)
	if err != nil {
		return false, err
	}
	w.judged = map[string]judgement{}
	var key []byte
	for _, m := range ms {
		as := assignments[m.ID]
		key = w.common(key[:0], m, as)
		j, known := w.judged[string(key)]
		if !known || w.latent { // what is to come differs by more than they have in common
			j = w.compare(m, as, anchors)
			w.judged[string(key)] = j
		}
		if j.altered && !visit(MemberImpact{Membership: m, Before: j.before, After: j.after, Gains: j.gains, Loses: j.loses}) {
			return false, nil
		}
	}
	return true, nil
}

// assignments reads those of memberships of one organization. Without a group they are all that lie between the first
// and the last.
func (w *whatIf) assignments(ms []Membership) (map[id.Membership][]Assignment, error) {
	if w.sup.scope.Group == "" && !w.sup.scope.FallbackOnly {
		return w.r.AssignmentsBetween(ms[0].Organization, ms[0].ID, ms[len(ms)-1].ID, nil)
	}
	return w.r.AssignmentsOf(ms[0].Organization, membershipIDs(ms), nil)
}

// common appends everything that compare goes by within one organization but the names of membership and assignments:
// where it is the same for two memberships, so is the outcome. Most members of an organization are alike.
func (w *whatIf) common(key []byte, m Membership, as []Assignment) []byte {
	key = append(key, m.Status...)
	for _, a := range as {
		key = append(append(append(key, '|'), a.Role...), a.Resource...)
		key = append(append(key, ' '), a.Source...)
		for _, yes := range []bool{a.Explicit, a.Begun(w.at), a.Ended(w.at), a.Group != "", w.sup.drop != nil && w.sup.drop(a)} {
			key = strconv.AppendBool(key, yes)
		}
		if len(as) > 1 { // sources outrank each other by time
			key = strconv.AppendInt(key, a.UpdatedAt.UnixMilli(), 10)
		}
	}
	return key
}

// anchors finds the resources on which any of the assignments are, with their paths, and the one that would be gone.
func (w *whatIf) anchors(org id.Organization, of map[id.Membership][]Assignment) (map[id.Resource]place, error) {
	home := OrganizationResource(org)
	wanted := map[id.Resource]bool{}
	for _, as := range of {
		for _, a := range as {
			if a.Resource != home {
				wanted[a.Resource] = true
			}
		}
	}
	if len(w.sup.gone) > 0 && w.sup.gone[0].Organization == org {
		wanted[w.sup.gone[0].ID] = true
	}
	anchors := map[id.Resource]place{home: {id: home}}
	if len(wanted) == 0 {
		return anchors, nil
	}
	list := make([]id.Resource, 0, len(wanted))
	for r := range wanted {
		list = append(list, r)
	}
	found, err := w.r.ResourcesByID(org, list)
	if err != nil {
		return nil, err
	}
	above, err := w.r.Ancestors(org, found)
	for _, r := range found {
		anchors[r.ID] = place{id: r.ID, path: append([]Resource{r}, above[r.ID]...)}
	}
	return anchors, err
}

// compare evaluates one membership on the organization and on every resource on which it has an assignment. On any other
// resource it holds what it holds on the nearest of those above, so this tells all.
func (w *whatIf) compare(m Membership, as []Assignment, anchors map[id.Resource]place) (j judgement) {
	org := m.Organization
	kept := as
	if w.sup.drop != nil || len(w.gone) > 0 {
		kept = slices.DeleteFunc(slices.Clone(as), func(a Assignment) bool {
			return w.gone[a.Resource] || w.sup.drop != nil && w.sup.drop(a)
		})
	}
	if w.latent {
		m.Status = StatusActive
	}
	before := Facts{At: w.at, Membership: m, Assignments: as, Policy: w.before[org]}
	after := Facts{At: w.at, Membership: m, Assignments: kept, Policy: w.after[org]}
	if w.sup.idle || w.sup.leave {
		after.Membership.Status = StatusInactive
	}
	j.before, j.after = m.showing(EffectiveRoles(before)).Shown, m.showing(EffectiveRoles(after)).Shown
	if w.sup.leave {
		j.after = []string{}
	}
	if w.latent {
		j.gains = latentGains(before, after)
	}
	for _, where := range w.concerned(org, as, anchors) {
		before.Path, after.Path = where.path, where.path
		has := EffectivePermissions(before)
		will := EffectivePermissions(after)
		if w.gone[where.id] {
			will = nil
		}
		j.gains = append(j.gains, rights(will, has, where.id)...)
		j.loses = append(j.loses, rights(has, will, where.id)...)
	}
	j.altered = len(j.gains)+len(j.loses) > 0 || !slices.Equal(j.before, j.after)
	return j
}

// latentGains lists what a membership would hold on its organization later, when assignments begin or end, or once
// nothing outranks what it was assigned, and does not hold then as things are.
func latentGains(before, after Facts) []Right {
	home := OrganizationResource(before.Membership.Organization)
	gains := rights(named(after), named(before), home)
	for _, at := range moments(before.At, before.Assignments)[1:] {
		before.At, after.At = at, at
		gains = append(gains, rights(EffectivePermissions(after), EffectivePermissions(before), home)...)
	}
	return gains
}

// named lists the permissions of every role that is assigned, in effect or not, sorted. They must be in the policy.
func named(f Facts) []string {
	var all []string
	for _, a := range f.Assignments {
		if a, ok := f.Policy.stand(a); ok && !a.Ended(f.At) {
			r, _ := f.Policy.byID(a.Role)
			all = append(all, r.Permissions...)
		}
	}
	return distinct(all)
}

// concerned lists the places where a membership may hold something else than above them, sorted.
func (w *whatIf) concerned(org id.Organization, as []Assignment, anchors map[id.Resource]place) []place {
	ids := []id.Resource{OrganizationResource(org)}
	for _, a := range as {
		ids = append(ids, a.Resource)
	}
	if len(w.sup.gone) > 0 {
		ids = append(ids, w.sup.gone[0].ID)
	}
	ids = distinct(ids)
	places := make([]place, 0, len(ids))
	for _, r := range ids {
		if p, ok := anchors[r]; ok {
			places = append(places, p)
		}
	}
	return places
}

// rights lists the permissions that are in one sorted list and not in another.
func rights(in, notIn []string, on id.Resource) []Right {
	var only []Right
	for _, p := range in {
		if _, there := slices.BinarySearch(notIn, p); !there {
			only = append(only, Right{Permission: p, Resource: on})
		}
	}
	return only
}
