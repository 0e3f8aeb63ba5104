package decision

import (
	"sync/atomic"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// Stats is what became of the questions asked, and what is remembered. Everything but the last four only grows.
type Stats struct {
	Remembered uint64 // questions answered from memory
	// Questions that the rules answered, by why.
	Termless uint64 // there was no term
	Held     uint64 // what they depend on was being changed
	Changed  uint64 // it was changed while they were asked
	Absent   uint64 // they name what there is not
	Unfit    uint64 // it cannot be remembered, as a member with too many assignments
	Failed   uint64 // it could not be read
	// What checks came to, those of a batch each; others failed.
	Allowed uint64
	Denied  uint64
	Refused uint64 // as they name what there is not
	// Readings of parts.
	MemberLoads       uint64
	OrganizationLoads uint64
	SharedLoads       uint64
	CatalogueLoads    uint64
	HoldingsLoads     uint64
	PathLoads         uint64
	PolicyLoads       uint64
	Evicted           uint64 // for want of room or use
	// What is remembered at the moment.
	Members       uint64
	Organizations uint64
	Resources     uint64
	Policies      uint64
}

// Asked is how many questions were asked.
func (s Stats) Asked() uint64 {
	return s.Remembered + s.Termless + s.Held + s.Changed + s.Absent + s.Unfit + s.Failed
}

// stripes is a power of two. Questions answered from memory are so many that counting them in one place would slow them
// down.
const stripes = 32

type counts struct {
	memory [stripes]struct {
		atomic.Uint64
		checks [results]atomic.Uint64
		_      [32]byte
	}
	rules   [outcomes]atomic.Uint64
	loads   [needs]atomic.Uint64
	evicted atomic.Uint64
}

// A result is what a check came to.
type result int

const (
	allowed result = iota
	denied
	refused
	results
)

// stripe is where questions about a membership are counted.
func stripe(m id.Membership) int {
	if len(m) == 0 {
		return 0
	}
	return int(m[len(m)-1]) & (stripes - 1)
}

// answered counts n questions answered from memory, the first about this membership.
func (c *counts) answered(m id.Membership, n int) { c.memory[stripe(m)].Add(uint64(n)) }

// checked counts what a check about a membership came to.
func (c *counts) checked(m id.Membership, authorized bool, err error) {
	of := denied
	switch {
	case authorized:
		of = allowed
	case err != nil:
		if f := fault.Of(err); f.Kind == fault.Unavailable || f.Kind == fault.Internal {
			return
		}
		of = refused
	}
	c.memory[stripe(m)].checks[of].Add(1)
}

// checkedAll counts what a batch came to, whose first question is about this membership.
func (c *counts) checkedAll(m id.Membership, answers []Answer) {
	var n [results]uint64
	for i := range answers {
		switch a := &answers[i]; {
		case a.Refusal != nil:
			n[refused]++
		case a.Verdict.Authorized:
			n[allowed]++
		default:
			n[denied]++
		}
	}
	for of, n := range n {
		if n > 0 {
			c.memory[stripe(m)].checks[of].Add(n)
		}
	}
}

func (c *counts) ruled(why outcome, n int) { c.rules[why].Add(uint64(n)) }

// Stats tells how memory fares.
func (s *Service) Stats() Stats {
	c := &s.counts
	all := Stats{
		Termless: c.rules[termless].Load(), Held: c.rules[held].Load(), Changed: c.rules[changed].Load(), Absent: c.rules[absent].Load(),
		Unfit: c.rules[unfit].Load(), Failed: c.rules[failed].Load(),
		MemberLoads: c.loads[needMember].Load(), OrganizationLoads: c.loads[needOrganization].Load(), SharedLoads: c.loads[needShared].Load(),
		CatalogueLoads: c.loads[needCatalogue].Load(), HoldingsLoads: c.loads[needHoldings].Load(), PathLoads: c.loads[needPath].Load(),
		PolicyLoads: c.loads[needPolicy].Load(), Evicted: c.evicted.Load(),
	}
	for i := range c.memory {
		at := &c.memory[i]
		all.Remembered += at.Load()
		all.Allowed += at.checks[allowed].Load()
		all.Denied += at.checks[denied].Load()
		all.Refused += at.checks[refused].Load()
	}
	if st := s.state.Load(); st != nil {
		now := s.now()
		st.mu.Lock()
		st.tidy(now, mostShards)
		all.Resources = uint64(st.places)
		st.mu.Unlock()
		all.Members, all.Organizations, all.Policies = uint64(st.members.count.Load()), uint64(st.orgs.count.Load()), uint64(st.policies.count.Load())
	}
	return all
}
