package decision

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
)

// The places of sources and statuses in these are how they are remembered.
var (
	sources  = [...]authz.Source{authz.SourceDefault, authz.SourceManual, authz.SourceGroup, authz.SourceSSO, authz.SourceDirectory}
	statuses = [...]authz.Status{authz.StatusActive, authz.StatusInactive, authz.StatusPending}
)

func newEnvironment(env id.Environment) *environment {
	e := &environment{id: env, permissions: map[id.Permission]int32{}, roles: map[id.Role]int32{}}
	e.lists.Store(&life{})
	return e
}

// number gives things of an environment their numbers, new ones the next.
func number[K comparable](known map[K]int32, these []K) []int32 {
	numbers := make([]int32, len(these))
	for i, k := range these {
		n, there := known[k]
		if !there {
			n = int32(len(known))
			known[k] = n
		}
		numbers[i] = n
	}
	return numbers
}

func (e *environment) numberPermissions(these []id.Permission) []int32 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return number(e.permissions, these)
}

func (e *environment) numberRole(r id.Role) int32 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return number(e.roles, []id.Role{r})[0]
}

// newShared compiles what organizations share.
func (e *environment) newShared(s Shared) (*shared, bool) {
	made := &shared{Shared: s}
	var ok bool
	made.roster, ok = e.newRoster("", s, authz.RoleSet{})
	return made, ok
}

func (e *environment) newCatalogue(c Catalogue) *catalogue {
	made := &catalogue{number: make(map[string]int32, len(c.Permissions)), sorted: make([]listed, len(c.Permissions))}
	slices.SortFunc(c.Permissions, func(a, b authz.Permission) int { return cmp.Compare(a.ID, b.ID) })
	for i, p := range c.Permissions {
		n := e.numberPermissions([]id.Permission{p.ID})[0]
		made.number[p.Slug], made.sorted[i] = n, listed{p, n}
	}
	var rows [][]int32
	for r, held := range c.Held {
		n := int(e.numberRole(r))
		rows = append(rows, make([][]int32, max(0, n+1-len(rows)))...)
		rows[n] = e.numberPermissions(held)
	}
	made.held = newBits(rows)
	return made
}

// newRoster brings the roles of an organization into their order. ok is false when there are too many to remember.
func (e *environment) newRoster(org id.Organization, s Shared, own authz.RoleSet) (r *roster, ok bool) {
	p := authz.NewPolicy(e.id, org, s.Multiple, s.Roles, own)
	r = &roster{roles: make([]role, len(p.Roles)), standard: p.Default, multiple: p.Multiple, retired: p.Retired}
	for i, from := range p.Roles {
		r.roles[i] = role{id: from.ID, slug: from.Slug, kind: from.ResourceType, custom: from.Custom(), number: int32(r.custom)}
		if from.Custom() {
			r.custom++
		} else {
			r.roles[i].number = e.numberRole(from.ID)
		}
	}
	return r, len(p.Roles) <= math.MaxUint16
}

// policy is the roster as the reference evaluator takes it. A role's ordinal is its place.
func (r *roster) policy(env id.Environment, org id.Organization) authz.Policy {
	p := authz.Policy{
		Environment: env, Organization: org, Roles: make([]authz.Role, len(r.roles)), Default: r.standard, Multiple: r.multiple, Retired: r.retired,
	}
	for i, from := range r.roles {
		p.Roles[i] = authz.Role{ID: from.id, Ordinal: int64(i)}
	}
	return p
}

// newOrganization compiles an organization over what its environment shares.
func (e *environment) newOrganization(org id.Organization, s *shared, own Own) (o *organization, ok bool) {
	o = &organization{id: org, env: e, shared: s, roster: s.roster, name: own.Name, home: authz.OrganizationResource(org), external: string(org)}
	if own.ExternalID != nil {
		o.external = *own.ExternalID
	}
	ok = true
	if own.Roles.Default != "" || len(own.Roles.Roles) > 0 {
		o.roster, ok = e.newRoster(org, s.Shared, own.Roles)
	}
	o.held.Store(o.newHoldings(own.Held))
	return o, ok
}

// newHoldings compiles what custom roles hold.
func (o *organization) newHoldings(held map[id.Role][]id.Permission) *holdings {
	rows := make([][]int32, o.roster.custom)
	for _, r := range o.roster.roles {
		if r.custom {
			rows[r.number] = o.env.numberPermissions(held[r.id])
		}
	}
	return &holdings{bits: newBits(rows)}
}

// newMember compiles a membership as it stands at an instant. ok is false for what cannot be remembered.
func (o *organization) newMember(f Member, at time.Time) (m *member, ok bool) {
	key, ok := id.BytesOf(f.ID)
	status := slices.Index(statuses[:], f.Status)
	if !ok || status < 0 {
		return nil, false
	}
	m = &member{in: o, high: high(key), status: uint8(status)}
	facts := authz.Facts{At: at, Membership: f.Membership, Assignments: f.Assignments, Policy: o.roster.policy(o.env.id, o.id)}
	rest := &more{}
	if rest.home, ok = grants(authz.EffectiveRoles(facts)); !ok {
		return nil, false
	}
	if rest.below, ok = spots(facts); !ok {
		return nil, false
	}
	rest.from, rest.until = window(f.Assignments, at)
	if len(rest.home) == 1 && rest.home[0].group == (id.Bytes{}) && len(rest.below) == 0 && rest.from == 0 && rest.until == 0 {
		m.only, m.role, m.source = rest.home[0].assignment, rest.home[0].role, rest.home[0].source
	} else {
		m.more = rest
	}
	return m, true
}

// spots compiles what is held below the organization.
func spots(f authz.Facts) ([]spot, bool) {
	on := map[id.Resource][]authz.Assignment{}
	for _, a := range f.Assignments {
		if a.Resource != authz.OrganizationResource(f.Membership.Organization) {
			on[a.Resource] = append(on[a.Resource], a)
		}
	}
	var all []spot
	for r, assignments := range on {
		f.Path, f.Assignments = []authz.Resource{{ID: r}}, assignments
		held := authz.RolesOnPath(f)
		if len(held) == 0 {
			continue
		}
		key, ok := id.BytesOf(r)
		made, sound := grants(held)
		if !ok || !sound {
			return nil, false
		}
		all = append(all, spot{key, made})
	}
	slices.SortFunc(all, func(a, b spot) int { return bytes.Compare(a.on[:], b.on[:]) })
	return all, true
}

func grants(held []authz.Held) ([]grant, bool) {
	made := make([]grant, len(held))
	for i, h := range held {
		source := slices.Index(sources[:], h.Source)
		g := grant{role: uint16(h.Role.Ordinal), source: uint8(source)}
		ok, grouped := true, true
		if h.Assignment != "" {
			g.assignment, ok = id.BytesOf(h.Assignment)
		}
		if h.Group != "" {
			g.group, grouped = id.BytesOf(h.Group)
		}
		if source < 0 || !ok || !grouped {
			return nil, false
		}
		made[i] = g
	}
	return made, true
}

// window is the milliseconds around an instant in which no assignment begins or ends; zero where there is no end.
func window(assignments []authz.Assignment, at time.Time) (from, until int64) {
	for _, a := range assignments {
		for _, edge := range []time.Time{a.StartsAt, a.ExpiresAt} {
			if edge.IsZero() {
				continue
			}
			ms := edge.UnixMilli()
			if time.UnixMilli(ms).Before(edge) { // instants are whole milliseconds
				ms++
			}
			if now := at.UnixMilli(); ms <= now && (from == 0 || ms > from) {
				from = ms
			} else if ms > now && (until == 0 || ms < until) {
				until = ms
			}
		}
	}
	return from, until
}
