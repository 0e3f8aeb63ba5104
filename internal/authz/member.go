package authz

import (
	"cmp"
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// policies keeps what was read of the organizations of memberships. The environment's own, under the empty id, serves
// all organizations that follow it.
type policies map[id.Organization]Policy

// read reads the policies of the organizations of memberships that are not known yet, without permissions.
func (known policies) read(r Reader, c Caller, ms []Membership) error {
	return known.load(r, c, ms, loadPolicy)
}

// readFull is read with the permissions of every role. One set of policies must be read by one of the two only.
func (known policies) readFull(r Reader, c Caller, ms []Membership) error {
	return known.load(r, c, ms, func(r Reader, c Caller, org id.Organization) (Policy, error) {
		shared, done := known[""]
		if !done {
			return fullPolicy(r, c, org)
		}
		p, err := loadPolicy(r, c, org)
		if err != nil {
			return Policy{}, err
		}
		var own []id.Role // the environment's are the same for all
		for i, role := range p.Roles {
			if there, ok := shared.byID(role.ID); ok {
				p.Roles[i].Permissions = there.Permissions
			} else {
				own = append(own, role.ID)
			}
		}
		return p, p.addPermissions(r, own)
	})
}

func (known policies) load(r Reader, c Caller, ms []Membership, load func(Reader, Caller, id.Organization) (Policy, error)) error {
	var missing []id.Organization
	for _, m := range ms {
		if _, done := known[m.Organization]; !done {
			missing = append(missing, m.Organization)
		}
	}
	missing = distinct(missing)
	own := map[id.Organization]bool{}
	if len(missing) > 1 { // one alone is read at once, whether or not it follows the environment
		var err error
		if own, err = r.OwnPolicies(c.Environment, missing); err != nil {
			return err
		}
		if _, done := known[""]; !done {
			if known[""], err = load(r, c, ""); err != nil {
				return err
			}
		}
	}
	for _, org := range missing {
		if len(missing) > 1 && !own[org] {
			p := known[""]
			p.Organization, p.Own = org, false
			known[org] = p
			continue
		}
		p, err := load(r, c, org)
		if err != nil {
			return err
		}
		known[org] = p
	}
	return nil
}

// loadMembers adds to memberships what their answers show, with one look-up of each kind for all of them.
func loadMembers(r Reader, c Caller, ms []Membership, known policies, at time.Time) ([]Member, error) {
	members, err := withPeople(r, c, ms)
	if err != nil {
		return nil, err
	}
	if err := known.read(r, c, ms); err != nil {
		return nil, err
	}
	held, err := heldBy(r, ms, known, at)
	if err != nil {
		return nil, err
	}
	for i, m := range ms {
		members[i].Held = held[m.ID]
	}
	return members, nil
}

// withPeople adds to memberships whose and where they are, without their roles.
func withPeople(r Reader, c Caller, ms []Membership) ([]Member, error) {
	orgs := column(ms, func(m Membership) id.Organization { return m.Organization })
	names, err := r.OrganizationNames(c.Environment, orgs)
	if err != nil {
		return nil, err
	}
	members := make([]Member, 0, len(ms))
	for some := range slices.Chunk(ms, page.MaxLimit) {
		people, err := r.UsersByID(c.Environment, column(some, func(m Membership) id.User { return m.User }))
		if err != nil {
			return nil, err
		}
		for _, m := range some {
			members = append(members, Member{Membership: m, OrganizationName: names[m.Organization], Person: people[m.User]})
		}
	}
	return members, nil
}

// heldBy computes the effective roles of memberships at an instant.
func heldBy(r Reader, ms []Membership, known policies, at time.Time) (map[id.Membership][]Held, error) {
	of := map[id.Organization][]id.Membership{}
	for _, m := range ms {
		of[m.Organization] = append(of[m.Organization], m.ID)
	}
	assignments := make(map[id.Organization]map[id.Membership][]Assignment, len(of))
	for org, in := range of {
		found, err := r.AssignmentsOf(org, in, []id.Resource{OrganizationResource(org)})
		if err != nil {
			return nil, err
		}
		assignments[org] = found
	}
	held := make(map[id.Membership][]Held, len(ms))
	for _, m := range ms {
		held[m.ID] = EffectiveRoles(Facts{At: at, Membership: m, Assignments: assignments[m.Organization][m.ID], Policy: known[m.Organization]})
	}
	return held, nil
}

// column lists the different values of one attribute.
func column[T any, V cmp.Ordered](rows []T, of func(T) V) []V {
	values := make([]V, len(rows))
	for i, row := range rows {
		values[i] = of(row)
	}
	return distinct(values)
}

// distinct gives values sorted, each once. It leaves the ones given as they are.
func distinct[V cmp.Ordered](values []V) []V {
	values = slices.Clone(values)
	slices.Sort(values)
	return slices.Compact(values)
}

func loadMember(r Reader, c Caller, m Membership, known policies, at time.Time) (Member, error) {
	members, err := loadMembers(r, c, []Membership{m}, known, at)
	if err != nil {
		return Member{}, err
	}
	return members[0], nil
}
