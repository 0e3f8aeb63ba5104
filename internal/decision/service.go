package decision

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// Service answers from memory what it can, and by the rules what it cannot. It is safe for concurrent use.
type Service struct {
	rules  *authz.Service
	loads  Loader
	book   *fresh.Book
	now    func() time.Time
	most   Options
	turn   sync.Mutex // held while one state follows another
	state  atomic.Pointer[state]
	counts counts
}

// Options is what an operator may choose: how much is remembered at most. Zero means the default.
type Options struct {
	Members       int // 1,000,000
	Organizations int // 100,000
	Resources     int // 1,000,000
	Rosters       int // roles in the orders of organizations that have their own; 5,000,000
	Policies      int // in full, for lists of roles; 10,000
	Listed        int // roles and permissions in those; 5,000,000
	Assignments   int // of one member; who has more is not remembered; 1,000
}

// New returns decisions by rules, over what loads reads, as long as book has a term. It must be called before the book's
// first term begins.
func New(rules *authz.Service, loads Loader, book *fresh.Book, now func() time.Time, o Options) *Service {
	s := &Service{rules: rules, loads: loads, book: book, now: now, most: Options{
		Members: cmp.Or(o.Members, 1_000_000), Organizations: cmp.Or(o.Organizations, 100_000), Resources: cmp.Or(o.Resources, 1_000_000),
		Rosters: cmp.Or(o.Rosters, 5_000_000), Policies: cmp.Or(o.Policies, 10_000), Listed: cmp.Or(o.Listed, 5_000_000),
		Assignments: cmp.Or(o.Assignments, 1_000),
	}}
	book.Keep(s)
	return s
}

// instant is the present as the rules take it.
func (s *Service) instant() time.Time { return s.now().UTC().Truncate(time.Millisecond) }

// Check is authz.Service.Check.
func (s *Service) Check(ctx context.Context, c authz.Caller, q authz.Question) (Verdict, error) {
	if st := s.current(); st != nil {
		var v Verdict
		at := moment{now: s.now}
		lacks, refusal := st.ask(&c, &q, &at, &v)
		if lacks == needNothing && v.from.stands() && st.term.Lasts() {
			s.counts.answered(q.Membership, 1)
			s.counts.checked(q.Membership, v.Authorized && refusal == nil, refusal)
			return v.or(refusal)
		}
	}
	v, err := s.checkCold(ctx, c, q)
	s.counts.checked(q.Membership, v.Authorized, err)
	return v, err
}

// or is the verdict unless there is a refusal.
func (v Verdict) or(refusal error) (Verdict, error) {
	if refusal != nil {
		return Verdict{}, refusal
	}
	return v, nil
}

func (s *Service) checkCold(ctx context.Context, c authz.Caller, q authz.Question) (Verdict, error) {
	v, out, refusal := s.fill(ctx, &c, &q)
	if out == remembered {
		s.counts.answered(q.Membership, 1)
		return v.or(refusal)
	}
	s.counts.ruled(out, 1)
	d, err := s.rules.Check(ctx, c, q)
	return Verdict{Authorized: d.Authorized, spelt: &d.Reason}, err
}

// mostRounds is more than a question can lack parts.
const mostRounds = 8

// fill reads what a question lacks until it can be answered from memory.
func (s *Service) fill(ctx context.Context, c *authz.Caller, q *authz.Question) (v Verdict, out outcome, refusal error) {
	for range mostRounds {
		st := s.current()
		if st == nil || !st.term.Lasts() {
			return Verdict{}, termless, nil
		}
		v = Verdict{}
		at := moment{now: s.now}
		lacks, refusal := st.ask(c, q, &at, &v)
		if lacks == needNothing {
			if v.from.stands() && st.term.Lasts() {
				return v, remembered, refusal
			}
			return Verdict{}, changed, nil
		}
		if out = s.fetch(ctx, st, c.Environment, q.Membership, q.Resource, lacks, v.from.m); out != remembered {
			return Verdict{}, out, nil
		}
	}
	return Verdict{}, changed, nil
}

// fetch reads one part that an answer lacks. The member is the one asked about, where that is not what lacks.
func (s *Service) fetch(ctx context.Context, st *state, env id.Environment, m id.Membership, ref authz.ResourceRef, lacks need, known *member) outcome {
	switch lacks {
	case needMember:
		return s.loadMember(ctx, st, env, m)
	case needCatalogue:
		return s.loadCatalogue(ctx, st, known.in.env)
	case needHoldings:
		return s.loadHoldings(ctx, st, known.in)
	case needPath:
		return s.loadPath(ctx, st, known.in, ref)
	}
	return unfit
}

// CheckAll is authz.Service.CheckAll: every answer holds at one instant.
func (s *Service) CheckAll(ctx context.Context, c authz.Caller, qs []authz.Question) ([]Answer, error) {
	if len(qs) > 0 && len(qs) <= authz.MaxQuestions { // the rules refuse others
		answers, out := s.recallAll(ctx, &c, qs)
		if out == remembered {
			s.counts.answered(qs[0].Membership, len(qs))
			s.counts.checkedAll(qs[0].Membership, answers)
			return answers, nil
		}
		s.counts.ruled(out, len(qs))
	}
	found, err := s.rules.CheckAll(ctx, c, qs)
	answers := make([]Answer, len(found))
	for i, a := range found {
		answers[i] = Answer{Explain: a.Question.Explain, Verdict: Verdict{Authorized: a.Decision.Authorized, spelt: &a.Decision.Reason}, Refusal: a.Refusal}
	}
	if len(answers) > 0 {
		s.counts.checkedAll(qs[0].Membership, answers)
	}
	return answers, err
}

// recallAll answers a batch from memory, after what was cold was read.
func (s *Service) recallAll(ctx context.Context, c *authz.Caller, qs []authz.Question) ([]Answer, outcome) {
	for range 2 {
		st := s.current()
		if st == nil || !st.term.Lasts() {
			return nil, termless
		}
		answers, cold := st.askAll(c, qs, moment{now: s.now})
		if len(cold) == 0 {
			if !allStand(answers) || !st.term.Lasts() {
				return nil, changed
			}
			return answers, remembered
		}
		if out := s.fillAll(ctx, c, cold); out != remembered {
			return nil, out
		}
	}
	return nil, changed
}

// askAll answers questions by what is remembered, and gives those that it cannot answer.
func (st *state) askAll(c *authz.Caller, qs []authz.Question, at moment) (answers []Answer, cold []authz.Question) {
	answers = make([]Answer, len(qs))
	var seen *member // by whoever asked last
	for i := range qs {
		a, q := &answers[i], &qs[i]
		var refusal error
		var lacks need
		if seen != nil && q.Membership == qs[i-1].Membership {
			a.Verdict.from.m = seen
		} else {
			lacks, refusal = st.member(c, q.Membership, &at, &a.Verdict.from)
			if seen = a.Verdict.from.m; refusal != nil {
				seen = nil
			}
		}
		if refusal == nil && lacks == needNothing {
			lacks, refusal = a.Verdict.decide(q)
		}
		if lacks != needNothing {
			cold = append(cold, *q)
		}
		a.Explain = q.Explain
		if refusal != nil {
			a.Refusal = fault.Of(refusal)
		}
	}
	return answers, cold
}

// allStand says whether all that the answers are made of stood at one instant: when the first was looked at, because
// what stands later stood then.
func allStand(answers []Answer) bool {
	for i := range answers {
		if !answers[i].Verdict.from.stands() {
			return false
		}
	}
	return true
}

// abreast is how many parts of a batch are read at once.
const abreast = 8

// fillAll reads what questions lack. A panic in it is one of the caller, who may be able to go on, as if he had read
// himself.
func (s *Service) fillAll(ctx context.Context, c *authz.Caller, cold []authz.Question) outcome {
	var next atomic.Int64
	var worst atomic.Uint32
	var broken atomic.Pointer[any]
	var readers sync.WaitGroup
	for range min(abreast, len(cold)) {
		readers.Go(func() {
			defer func() {
				if why := recover(); why != nil {
					broken.Store(&why)
					worst.Store(uint32(failed))
				}
			}()
			for i := next.Add(1) - 1; i < int64(len(cold)) && outcome(worst.Load()) == remembered; i = next.Add(1) - 1 {
				if _, out, _ := s.fill(ctx, c, &cold[i]); out != remembered {
					worst.Store(uint32(out))
				}
			}
		})
	}
	readers.Wait()
	if why := broken.Load(); why != nil {
		panic(*why)
	}
	return outcome(worst.Load())
}

// Policy is authz.Service.Policy. Whoever gets it must not change it: others get the same.
func (s *Service) Policy(ctx context.Context, c authz.Caller, org id.Organization) (authz.Policy, error) {
	out := changed
	for range 2 {
		st := s.current()
		if st == nil || !st.term.Lasts() {
			out = termless
			break
		}
		if p, refusal, ok := st.recallPolicy(&c, org); ok {
			s.counts.answered("", 1)
			if refusal != nil {
				return authz.Policy{}, refusal
			}
			return p.Policy, nil
		}
		if out = s.loadPolicy(ctx, st, c.Environment, org); out != remembered {
			break
		}
		out = changed
	}
	s.counts.ruled(out, 1)
	return s.rules.Policy(ctx, c, org)
}

// PermissionsOn is authz.Service.PermissionsOn. Whoever gets it must not change what its pointers lead to.
func (s *Service) PermissionsOn(ctx context.Context, c authz.Caller, m id.Membership, ref authz.ResourceRef, r page.Request) (page.Page[authz.Permission], error) {
	out := changed
	for range mostRounds {
		st := s.current()
		if st == nil || !st.term.Lasts() {
			out = termless
			break
		}
		var seen sight
		lacks, refusal := st.look(&c, m, &ref, moment{now: s.now}, &seen)
		if lacks == needNothing {
			var p page.Page[authz.Permission]
			if refusal == nil {
				p = seen.permissions(r)
			}
			if out = changed; seen.stands() && st.term.Lasts() {
				s.counts.answered(m, 1)
				return p, refusal
			}
			break
		}
		if out = s.fetch(ctx, st, c.Environment, m, ref, lacks, seen.m); out != remembered {
			break
		}
		out = changed
	}
	s.counts.ruled(out, 1)
	return s.rules.PermissionsOn(ctx, c, m, ref, r)
}
