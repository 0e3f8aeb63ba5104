package decision

import (
	"context"
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
)

// need is what an answer from memory lacks.
type need uint8

const (
	needNothing need = iota
	needMember
	needOrganization
	needShared
	needCatalogue
	needHoldings
	needPath
	needPolicy
	needRules // memory does not have it and never will
	needs     // how many there are
)

// outcome is what became of a reading.
type outcome uint8

const (
	remembered outcome = iota
	absent             // there is no such thing
	unfit              // there is, and it cannot be remembered
	held               // it is being changed
	changed            // it was changed meanwhile
	failed
	termless // there was no term
	outcomes
)

// flightKey says what is read.
type flightKey struct {
	what need
	env  id.Environment
	id   string
	ref  authz.ResourceRef
}

// flight is one reading on behalf of all who wait for it. What it read is remembered only if, from before it began to
// read until it is published, nobody held any of its regions.
type flight struct {
	regions   []fresh.Region
	forgotten bool             // guarded by state.mu, like met
	late      bool             // only what is read tells which other regions it lies in
	met       [][]fresh.Region // where it is late, what was forgotten meanwhile
	done      chan struct{}
	outcome   outcome // when done
}

// longest is how long a reading may take where nobody's deadline says so.
const longest = 10 * time.Second

// once has one caller read while the others wait. Who gives up does not end the reading of the others.
func (s *Service) once(ctx context.Context, st *state, key flightKey, regions []fresh.Region, read func(context.Context, *flight) outcome) outcome {
	st.mu.Lock()
	f, flying := st.flights[key]
	if !flying {
		f = &flight{regions: regions, late: key.what == needMember, done: make(chan struct{}), outcome: failed}
		st.flights[key] = f
	}
	st.mu.Unlock()
	if flying {
		select {
		case <-f.done:
			return f.outcome
		case <-ctx.Done():
			return failed
		}
	}
	defer func() {
		st.mu.Lock()
		defer st.mu.Unlock()
		if st.flights[key] == f {
			delete(st.flights, key)
		}
		close(f.done)
	}()
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(longest)
	}
	lasting, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	defer cancel()
	s.counts.loads[key.what].Add(1)
	if f.outcome = held; !s.book.Held(regions...) {
		f.outcome = failed // unless read returns
		f.outcome = read(lasting, f)
	}
	return f.outcome
}

// publish has keep remember what a flight read, unless that may have changed since. keep may find so too.
func (s *Service) publish(st *state, f *flight, keep func(tick uint32) bool) outcome {
	now := s.now()
	st.mu.Lock()
	defer st.mu.Unlock()
	if f.forgotten || !keep(st.tick.Load()) {
		return changed
	}
	st.tidy(now, 1)
	return remembered
}

// found turns what a loader returned into an outcome.
func found(there bool, err error) outcome {
	switch {
	case err != nil:
		return failed
	case !there:
		return absent
	}
	return remembered
}

func inEnvironment(env id.Environment) fresh.Region {
	return fresh.Region{Kind: fresh.Environment, ID: string(env)}
}

func inCatalogue(env id.Environment) fresh.Region {
	return fresh.Region{Kind: fresh.Catalogue, ID: string(env)}
}

func inOrganization(org id.Organization) fresh.Region {
	return fresh.Region{Kind: fresh.Organization, ID: string(org)}
}

func inHoldings(org id.Organization) fresh.Region {
	return fresh.Region{Kind: fresh.Holdings, ID: string(org)}
}

func inResources(org id.Organization) fresh.Region {
	return fresh.Region{Kind: fresh.Resources, ID: string(org)}
}

func inMember(m id.Membership) fresh.Region { return fresh.Region{Kind: fresh.Member, ID: string(m)} }

func (s *Service) loadMember(ctx context.Context, st *state, env id.Environment, m id.Membership) outcome {
	key := flightKey{what: needMember, env: env, id: string(m)}
	return s.once(ctx, st, key, []fresh.Region{inMember(m), inEnvironment(env)}, func(ctx context.Context, f *flight) outcome {
		before := s.book.HeldOf(fresh.Organization)
		facts, there, err := s.loads.LoadMember(ctx, env, m, s.most.Assignments)
		if o := found(there, err); o != remembered {
			return o
		}
		org, o := s.organization(ctx, st, env, facts.Organization)
		if o != remembered {
			return o
		}
		made, ok := org.newMember(facts, s.instant())
		if facts.TooMany || !ok {
			return unfit
		}
		return s.publish(st, f, func(tick uint32) bool {
			region := inOrganization(org.id)
			if slices.Contains(before, region) || slices.ContainsFunc(f.met, func(rs []fresh.Region) bool { return slices.Contains(rs, region) }) || !org.stands() {
				return false
			}
			org.touch(tick)
			b, _ := id.BytesOf(m)
			st.members.put(low(b), made, tick)
			return true
		})
	})
}

// organization is an organization in memory, read if need be.
func (s *Service) organization(ctx context.Context, st *state, env id.Environment, org id.Organization) (*organization, outcome) {
	if o := st.orgs.find(org); o != nil && o.stands() {
		return o, remembered
	}
	key := flightKey{what: needOrganization, env: env, id: string(org)}
	regions := []fresh.Region{inOrganization(org), inHoldings(org), inEnvironment(env)}
	out := s.once(ctx, st, key, regions, func(ctx context.Context, f *flight) outcome {
		e := st.environment(env)
		if o := s.loadShared(ctx, st, e); o != remembered {
			return o
		}
		own, there, err := s.loads.LoadOwn(ctx, env, org)
		if o := found(there, err); o != remembered {
			return o
		}
		over := e.shared.Load()
		if over == nil {
			return changed
		}
		made, ok := e.newOrganization(org, over, own)
		if !ok || made.weight() > s.most.Rosters {
			return unfit
		}
		return s.publish(st, f, func(tick uint32) bool {
			if !over.alive() {
				return false
			}
			if there := st.orgs.find(org); there == nil || !there.stands() {
				st.orgs.put(org, made, tick)
			}
			return true
		})
	})
	if out != remembered {
		return nil, out
	}
	if o := st.orgs.find(org); o != nil && o.stands() {
		return o, remembered
	}
	return nil, changed
}

func (s *Service) loadShared(ctx context.Context, st *state, e *environment) outcome {
	if e.shared.Load() != nil {
		return remembered
	}
	key := flightKey{what: needShared, env: e.id}
	return s.once(ctx, st, key, []fresh.Region{inEnvironment(e.id)}, func(ctx context.Context, f *flight) outcome {
		read, there, err := s.loads.LoadShared(ctx, e.id)
		if o := found(there, err); o != remembered {
			return o
		}
		made, ok := e.newShared(read)
		if !ok {
			return unfit
		}
		return s.publish(st, f, func(uint32) bool {
			e.shared.CompareAndSwap(nil, made) // one that is there is as good, and much stands on it
			return true
		})
	})
}

func (s *Service) loadCatalogue(ctx context.Context, st *state, e *environment) outcome {
	key := flightKey{what: needCatalogue, env: e.id}
	return s.once(ctx, st, key, []fresh.Region{inCatalogue(e.id), inEnvironment(e.id)}, func(ctx context.Context, f *flight) outcome {
		read, err := s.loads.LoadCatalogue(ctx, e.id)
		if err != nil {
			return failed
		}
		made := e.newCatalogue(read)
		return s.publish(st, f, func(uint32) bool {
			if e.crowded(made) {
				st.renumber(e)
				return false
			}
			e.catalogue.CompareAndSwap(nil, made)
			return true
		})
	})
}

func (s *Service) loadHoldings(ctx context.Context, st *state, o *organization) outcome {
	key := flightKey{what: needHoldings, env: o.env.id, id: string(o.id)}
	regions := []fresh.Region{inHoldings(o.id), inOrganization(o.id), inEnvironment(o.env.id)}
	return s.once(ctx, st, key, regions, func(ctx context.Context, f *flight) outcome {
		read, err := s.loads.LoadHoldings(ctx, o.id)
		if err != nil {
			return failed
		}
		made := o.newHoldings(read)
		return s.publish(st, f, func(uint32) bool {
			if !o.stands() {
				return false
			}
			o.held.CompareAndSwap(nil, made)
			return true
		})
	})
}

func (s *Service) loadPath(ctx context.Context, st *state, o *organization, ref authz.ResourceRef) outcome {
	key := flightKey{what: needPath, env: o.env.id, id: string(o.id), ref: ref}
	regions := []fresh.Region{inResources(o.id), inOrganization(o.id), inEnvironment(o.env.id)}
	return s.once(ctx, st, key, regions, func(ctx context.Context, f *flight) outcome {
		read, there, err := s.loads.LoadPath(ctx, o.env.id, o.id, ref)
		if out := found(there, err); out != remembered {
			return out
		}
		path := make([]*resource, len(read))
		for i, r := range read {
			b, ok := id.BytesOf(r.ID)
			if !ok || len(read) > s.most.Resources {
				return unfit
			}
			path[i] = &resource{id: b, kind: r.Type, external: r.ExternalID, name: r.Name}
		}
		return s.publish(st, f, func(uint32) bool {
			if !o.stands() {
				return false
			}
			st.plant(o, path)
			return true
		})
	})
}
