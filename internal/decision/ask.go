package decision

import (
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// sight is what an answer from memory is made of.
type sight struct {
	m    *member
	held *holdings
	cat  *catalogue
	on   *resource // nil for the organization itself
}

// stands says whether all of it is still remembered.
func (s *sight) stands() bool {
	return s.m.stands() && (s.held == nil || s.held.alive()) && (s.cat == nil || s.cat.alive()) && (s.on == nil || s.on.tree.alive())
}

// moment is an instant that is read when it is first asked for, and stays.
type moment struct {
	now  func() time.Time
	ms   int64
	read bool
}

func (m *moment) at() int64 {
	if !m.read {
		m.ms, m.read = m.now().UnixMilli(), true
	}
	return m.ms
}

// member finds a membership that the caller sees.
func (st *state) member(c *authz.Caller, m id.Membership, at *moment, s *sight) (lacks need, refusal error) {
	b, ok := id.BytesOf(m)
	if !ok {
		return needRules, nil
	}
	found := st.members.find(low(b))
	if found == nil || found.high != high(b) || !found.stands() {
		return needMember, nil
	}
	if more := found.more; more != nil && (more.from != 0 || more.until != 0) && !more.holds(at.at()) {
		found.kill() // it is right at other times, not at this
		return needMember, nil
	}
	s.m = found
	if tick := st.tick.Load(); found.touch(tick) {
		found.in.touch(tick)
	}
	if found.in.env.id != c.Environment || !c.Sees(found.in.id) {
		return needNothing, fault.Missing("Organization membership", string(m))
	}
	return needNothing, nil
}

// parts finds what the roles of the organization and the environment hold.
func (s *sight) parts() need {
	o := s.m.in
	if s.cat = o.env.catalogue.Load(); s.cat == nil {
		return needCatalogue
	}
	if s.held = o.held.Load(); s.held == nil {
		return needHoldings
	}
	return needNothing
}

// locate finds a resource as the rules do.
func (s *sight) locate(ref *authz.ResourceRef) (lacks need, refusal error) {
	o := s.m.in
	switch {
	case *ref == authz.ResourceRef{} || ref.ID == o.home:
		return needNothing, nil
	case ref.ID == "" && ref.ResourceType == authz.OrganizationType:
		if ref.ExternalID != string(o.id) && ref.ExternalID != o.external {
			refusal = fault.Missing("Resource", ref.ExternalID)
		}
		return needNothing, refusal
	}
	t := o.tree.Load()
	if ref.ID == "" {
		if t != nil {
			t.mu.RLock()
			s.on = t.byName[name{ref.ResourceType, ref.ExternalID}]
			t.mu.RUnlock()
		}
	} else {
		b, ok := id.BytesOf(ref.ID)
		if !ok {
			return needRules, nil
		}
		if t != nil {
			t.mu.RLock()
			s.on = t.byID[b]
			t.mu.RUnlock()
		}
	}
	if s.on == nil {
		return needPath, nil
	}
	return needNothing, nil
}

// ask answers a question by what is remembered. The answer counts if nothing lacks and what it is made of stands
// afterwards.
func (st *state) ask(c *authz.Caller, q *authz.Question, at *moment, v *Verdict) (lacks need, refusal error) {
	if lacks, refusal = st.member(c, q.Membership, at, &v.from); refusal != nil || lacks != needNothing {
		return lacks, refusal
	}
	return v.decide(q)
}

// decide answers a question about the member whom it has in sight.
func (v *Verdict) decide(q *authz.Question) (lacks need, refusal error) {
	s := &v.from
	if lacks = s.parts(); lacks != needNothing {
		return lacks, nil
	}
	n, known := s.cat.number[q.Permission]
	if !known {
		return needNothing, fault.Missing("Permission", q.Permission)
	}
	if lacks, refusal = s.locate(&q.Resource); refusal != nil || lacks != needNothing {
		return lacks, refusal
	}
	v.permission, v.explain = n, q.Explain
	v.Authorized = statuses[s.m.status] == authz.StatusActive && s.holder(n).found
	return needNothing, nil
}

// effect is a role that is in effect, and where.
type effect struct {
	grant
	on    *resource
	found bool
}

// holder is the first role in effect that holds a permission, as the reference evaluator goes through them: on the
// organization, then from the resource up.
func (s *sight) holder(n int32) effect {
	m := s.m
	if m.more == nil {
		return effect{grant{assignment: m.only, role: m.role, source: m.source}, nil, s.holds(m.role, n)}
	}
	for i := range m.more.home {
		if g := &m.more.home[i]; s.holds(g.role, n) {
			return effect{*g, nil, true}
		}
	}
	if len(m.more.below) == 0 {
		return effect{}
	}
	for r := s.on; r != nil; r = r.above {
		there := m.more.on(r.id)
		for i := range there {
			if s.holds(there[i].role, n) {
				return effect{there[i], r, true}
			}
		}
	}
	return effect{}
}

func (s *sight) holds(at uint16, n int32) bool {
	r := &s.m.in.roster.roles[at]
	if r.custom {
		return s.held.has(r.number, n)
	}
	return s.cat.held.has(r.number, n)
}

// effects is all roles in effect.
func (s *sight) effects() []effect {
	m := s.m
	if m.more == nil {
		return []effect{{grant{assignment: m.only, role: m.role, source: m.source}, nil, true}}
	}
	var all []effect
	for _, g := range m.more.home {
		all = append(all, effect{g, nil, true})
	}
	for r := s.on; r != nil; r = r.above {
		for _, g := range m.more.on(r.id) {
			all = append(all, effect{g, r, true})
		}
	}
	return all
}

// look finds what lists about a membership on a resource are made of.
func (st *state) look(c *authz.Caller, m id.Membership, ref *authz.ResourceRef, at moment, s *sight) (lacks need, refusal error) {
	if lacks, refusal = st.member(c, m, &at, s); refusal != nil || lacks != needNothing {
		return lacks, refusal
	}
	if lacks = s.parts(); lacks != needNothing {
		return lacks, nil
	}
	return s.locate(ref)
}

// permissions is a page of what the roles in effect hold, by id.
func (s *sight) permissions(r page.Request) page.Page[authz.Permission] {
	var read []*authz.Permission
	behind := false
	if statuses[s.m.status] == authz.StatusActive {
		sorted, w := s.cat.sorted, r.Walk()
		effects := s.effects()
		read = make([]*authz.Permission, 0, min(len(sorted), r.Limit+1))
		for i := 0; i < len(sorted) && len(read) <= r.Limit; i++ {
			p := &sorted[i]
			if !w.Ascending {
				p = &sorted[len(sorted)-1-i]
			}
			if !s.holdAny(effects, p.number) {
				continue
			}
			if w.Passes(string(p.ID)) {
				behind = true
				continue
			}
			read = append(read, &p.Permission)
		}
	}
	cut := page.Cut(r, read, behind, func(p *authz.Permission) string { return string(p.ID) })
	shown := page.Page[authz.Permission]{Items: make([]authz.Permission, len(cut.Items)), Before: cut.Before, After: cut.After}
	for i, p := range cut.Items {
		shown.Items[i] = *p
	}
	return shown
}

func (s *sight) holdAny(effects []effect, n int32) bool {
	for i := range effects {
		if s.holds(effects[i].role, n) {
			return true
		}
	}
	return false
}
