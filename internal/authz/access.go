package authz

import (
	"context"
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// crowd is what decisions about many memberships of one organization at one place share.
type crowd struct {
	r        Reader
	at       time.Time
	policy   Policy // of the organization
	where    place
	statuses []Status // of the memberships in question; none for all
	search   string   // of MembershipFilter
}

// sieve goes through the memberships and keeps the facts of those that pass, which is all where pass is nil.
func (w crowd) sieve(pass func(Facts) bool) sieve[Membership, Facts] {
	org := w.policy.Organization
	f := MembershipFilter{Organization: org, Statuses: w.statuses, Search: w.search}
	return sieve[Membership, Facts]{
		key: func(f Facts) string { return string(f.Membership.ID) },
		list: func(r page.Request) (page.Page[Membership], error) {
			return w.r.Memberships(w.policy.Environment, f, r)
		},
		find: func(cursor string) ([]Membership, error) {
			ms, err := w.r.MembershipsByID(org, []id.Membership{id.Membership(cursor)})
			if err != nil || len(ms) == 0 {
				return nil, err
			}
			one := f
			one.User = ms[0].User
			found, err := w.r.Memberships(w.policy.Environment, one, page.Request{Limit: 1, Order: page.Asc})
			return found.Items, err
		},
		keep: func(ms []Membership) ([]Facts, error) {
			facts, err := w.facts(ms)
			if err != nil || pass == nil {
				return facts, err
			}
			return slices.DeleteFunc(facts, func(f Facts) bool { return !pass(f) }), nil
		},
	}
}

// facts reads what decisions about memberships depend on, with one look-up for all of them.
func (w crowd) facts(ms []Membership) ([]Facts, error) {
	if len(ms) == 0 {
		return nil, nil
	}
	org := w.policy.Organization
	ids := membershipIDs(ms)
	of, err := w.r.AssignmentsBetween(org, slices.Min(ids), slices.Max(ids), w.where.resources(org))
	if err != nil {
		return nil, err
	}
	facts := make([]Facts, len(ms))
	for i, m := range ms {
		facts[i] = Facts{At: w.at, Membership: m, Assignments: of[m.ID], Policy: w.policy, Path: w.where.path}
	}
	return facts, nil
}

// holding says whether a role of that slug is in effect on the organization.
func holding(role string) func(Facts) bool {
	return func(f Facts) bool {
		return slices.ContainsFunc(EffectiveRoles(f), func(h Held) bool { return h.Role.Slug == role })
	}
}

// membersHolding lists the memberships that hold a role on an organization, as it is in effect now. An unknown
// organization or role is held by nobody.
func membersHolding(r Reader, c Caller, f MembershipFilter, at time.Time, p page.Request) (page.Page[Membership], error) {
	policy, err := loadPolicy(r, c, f.Organization)
	if fault.Is(err, fault.NotFound) {
		return page.Page[Membership]{}, nil
	}
	if err != nil {
		return page.Page[Membership]{}, err
	}
	over := crowd{r: r, at: at, policy: policy, statuses: f.Statuses, search: f.Search}
	pass := holding(f.Role)
	found, err := over.sieve(func(facts Facts) bool {
		return (f.User == "" || facts.Membership.User == f.User) && pass(facts)
	}).page(p)
	return page.Page[Membership]{Items: memberships(found.Items), Before: found.Before, After: found.After}, err
}

func memberships(facts []Facts) []Membership {
	ms := make([]Membership, len(facts))
	for i, f := range facts {
		ms[i] = f.Membership
	}
	return ms
}

// statusesOf checks the statuses asked for; none mean active ones.
func statusesOf(asked []Status) ([]Status, error) {
	if len(asked) == 0 {
		return []Status{StatusActive}, nil
	}
	for _, st := range asked {
		if st != StatusActive && st != StatusInactive && st != StatusPending {
			return nil, fault.BadField("statuses", "must be any of active, inactive, pending")
		}
	}
	return distinct(asked), nil
}

// Access is what one member may do in an organization.
type Access struct {
	Member
	Permissions []string // on the organization itself, sorted; none unless the membership is active
}

// AccessFilter narrows who is listed. Zero values do not narrow, but for no statuses, which means active ones.
type AccessFilter struct {
	Permission string
	Role       string
	Statuses   []Status
}

// ListAccess lists the members of an organization with their effective roles and permissions on it. Who holds
// something on other resources only is not told here. A role or permission that nobody knows is refused, because an
// empty list would read as "nobody" (as R213).
func (s *Service) ListAccess(ctx context.Context, c Caller, org id.Organization, f AccessFilter, r page.Request) (page.Page[Access], error) {
	statuses, err := statusesOf(f.Statuses)
	if err != nil {
		return page.Page[Access]{}, err
	}
	return read(ctx, s, func(tx Reader) (page.Page[Access], error) {
		policy, err := fullPolicy(tx, c, org)
		if err != nil {
			return page.Page[Access]{}, err
		}
		if err := f.known(tx, c, policy); err != nil {
			return page.Page[Access]{}, err
		}
		over := crowd{r: tx, at: s.instant(), policy: policy, where: place{id: OrganizationResource(org)}, statuses: statuses}
		found, err := over.sieve(f.passes).page(r)
		if err != nil {
			return page.Page[Access]{}, err
		}
		members, err := withPeople(tx, c, memberships(found.Items))
		if err != nil {
			return page.Page[Access]{}, err
		}
		rows := make([]Access, len(members))
		for i, m := range members {
			m.Held = EffectiveRoles(found.Items[i])
			rows[i] = Access{Member: m, Permissions: EffectivePermissions(found.Items[i])}
		}
		return page.Page[Access]{Items: rows, Before: found.Before, After: found.After}, nil
	})
}

func (f AccessFilter) known(r Reader, c Caller, p Policy) error {
	if f.Permission != "" {
		if _, err := permission(r, c, f.Permission); err != nil {
			return err
		}
	}
	if _, ok := p.bySlug(f.Role); f.Role != "" && !ok {
		return fault.Missing("Role", f.Role)
	}
	return nil
}

func (f AccessFilter) passes(facts Facts) bool {
	return (f.Permission == "" || Decide(facts, f.Permission).Authorized) && (f.Role == "" || holding(f.Role)(facts))
}
