package decision

import (
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
)

// state is what is remembered in one term.
type state struct {
	term *fresh.Term
	most Options

	envsMu sync.RWMutex
	envs   map[id.Environment]*environment

	members  *cache[uint64, *member] // by the second half of their ids
	orgs     *cache[id.Organization, *organization]
	policies *cache[string, *listedPolicy] // by what owns them
	tick     atomic.Uint32                 // counts spans of tickLength, by which the cold is told from the warm

	// mu is held by whoever alters what is remembered: by what was read and by what is forgotten.
	mu      sync.Mutex
	flights map[flightKey]*flight
	places  int // resources in all trees
	ticked  time.Time
	unswept int // shards
}

// tickLength is for how long at least, and for less than twice as long, what nobody uses is remembered.
const tickLength = 10 * time.Minute

func newState(term *fresh.Term, most Options, now time.Time, evicted *atomic.Uint64) *state {
	seed := maphash.MakeSeed()
	st := &state{term: term, most: most, envs: map[id.Environment]*environment{}, flights: map[flightKey]*flight{}, ticked: now}
	st.members = newCache[uint64, *member](most.Members, func(k uint64) uint64 { return k }, nil, evicted)
	st.orgs = newCache(most.Organizations, func(o id.Organization) uint64 { return maphash.String(seed, string(o)) }, st.cut, evicted)
	st.policies = newCache[string, *listedPolicy](most.Policies, func(o string) uint64 { return maphash.String(seed, o) }, nil, evicted)
	st.orgs.weigh, st.orgs.room = (*organization).weight, most.Rosters
	st.policies.weigh, st.policies.room = (*listedPolicy).weight, most.Listed
	return st
}

// current is the state of this moment's term; nil where there is none.
func (s *Service) current() *state {
	term := s.book.Term()
	if term == nil {
		return nil
	}
	if st := s.state.Load(); st != nil && st.term == term {
		return st
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	term, st := s.book.Term(), s.state.Load()
	if term == nil || st != nil && st.term == term {
		return st
	}
	if st != nil {
		st.term.End() // nobody forgets anything in it from now on
	}
	st = newState(term, s.most, s.now(), &s.counts.evicted)
	s.state.Store(st)
	return st
}

// environment is where what is remembered of an environment is found, whether or not there is anything.
func (st *state) environment(env id.Environment) *environment {
	st.envsMu.RLock()
	e := st.envs[env]
	st.envsMu.RUnlock()
	if e != nil {
		return e
	}
	st.envsMu.Lock()
	defer st.envsMu.Unlock()
	if e = st.envs[env]; e == nil {
		e = newEnvironment(env)
		st.envs[env] = e
	}
	return e
}

// Forget implements fresh.Memory.
func (s *Service) Forget(regions []fresh.Region) {
	st := s.state.Load()
	if st == nil {
		return
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.forgetAll(regions)
}

func (st *state) forgetAll(regions []fresh.Region) {
	named := make(map[fresh.Region]bool, len(regions))
	for _, r := range regions {
		named[r] = true
	}
	for key, f := range st.flights {
		if slices.ContainsFunc(f.regions, func(r fresh.Region) bool { return named[r] }) {
			f.forgotten = true
			delete(st.flights, key) // who asks from now on begins anew
		} else if f.late {
			f.met = append(f.met, regions)
		}
	}
	for r := range named {
		st.forget(r)
	}
}

func (st *state) forget(r fresh.Region) {
	switch r.Kind {
	case fresh.Environment:
		e := st.environment(id.Environment(r.ID))
		end(e.shared.Swap(nil))
		end(e.catalogue.Swap(nil))
		e.lists.Swap(&life{}).kill()
	case fresh.Catalogue:
		e := st.environment(id.Environment(r.ID))
		end(e.catalogue.Swap(nil))
		e.lists.Swap(&life{}).kill()
	case fresh.Organization:
		st.orgs.drop(id.Organization(r.ID))
		st.policies.drop(r.ID)
	case fresh.Holdings:
		if o := st.orgs.find(id.Organization(r.ID)); o != nil {
			end(o.held.Swap(nil))
		}
		st.policies.drop(r.ID)
	case fresh.Resources:
		if o := st.orgs.find(id.Organization(r.ID)); o != nil {
			st.cut(o)
		}
	case fresh.Member:
		if key, ok := id.BytesOf(id.Membership(r.ID)); ok {
			st.members.drop(low(key))
		}
	}
}

// mostUnused is how many numbers of an environment, beside as many as are in use, may be of what is gone.
const mostUnused = 256

// crowded says whether most numbers of an environment are of permissions or roles that are gone. What roles hold is kept
// in rows of so many bits, in a catalogue in so many rows, whatever they are of.
func (e *environment) crowded(c *catalogue) bool {
	s := e.shared.Load()
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.permissions) > 2*len(c.sorted)+mostUnused || s != nil && len(e.roles) > 2*len(s.Roles.Roles)+mostUnused
}

// renumber forgets an environment with its numbers. Who is reading any of it has numbers that mean nothing from now on,
// and is met by this as by a change.
func (st *state) renumber(e *environment) {
	st.forgetAll([]fresh.Region{inEnvironment(e.id)})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.permissions, e.roles = map[id.Permission]int32{}, map[id.Role]int32{}
}

func end[V interface {
	mortal
	*shared | *catalogue | *holdings
}](v V) {
	if v != nil {
		v.kill()
	}
}

// cut forgets the resources of an organization.
func (st *state) cut(o *organization) {
	if t := o.tree.Swap(nil); t != nil {
		t.kill()
		st.places -= len(t.byID)
	}
}

// plant remembers the path of a resource, nearest first.
func (st *state) plant(o *organization, path []*resource) {
	if st.places+len(path) > st.most.Resources {
		st.orgs.all(func(other *organization) bool {
			st.cut(other)
			return st.places+len(path) <= st.most.Resources
		})
	}
	t := o.tree.Load()
	if t == nil {
		t = &tree{byID: map[id.Bytes]*resource{}, byName: map[name]*resource{}}
		o.tree.Store(t)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var above *resource
	for _, r := range slices.Backward(path) {
		if known := t.byID[r.id]; known != nil {
			above = known
			continue
		}
		r.tree, r.above = t, above
		t.byID[r.id], t.byName[name{r.kind, r.external}], above = r, r, r
		st.places++
	}
}

// tidy drops, a little at a time, what was not used for long.
func (st *state) tidy(now time.Time, shards int) {
	switch passed := now.Sub(st.ticked); {
	case passed < 0:
		st.ticked = now
	case passed >= tickLength:
		st.ticked, st.unswept = now, mostShards
		st.tick.Add(1)
	}
	tick := st.tick.Load()
	for ; st.unswept > 0 && shards > 0; shards-- {
		st.unswept--
		st.members.sweep(st.unswept, tick, func(m *member) bool { return !m.stands() })
		st.orgs.sweep(st.unswept, tick, func(o *organization) bool { return !o.stands() })
		st.policies.sweep(st.unswept, tick, func(p *listedPolicy) bool { return !p.stands() })
	}
}
