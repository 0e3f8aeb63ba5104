package decision

import (
	"context"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
)

// listedPolicy is a policy with the permissions of its roles, as lists of roles show it.
type listedPolicy struct {
	life
	lists *life // of all of them in the environment
	authz.Policy
}

func (p *listedPolicy) stands() bool { return p.alive() && p.lists.alive() }

// weight is how many roles and permissions it lists.
func (p *listedPolicy) weight() int {
	n := len(p.Roles) + len(p.Retired)
	for i := range p.Roles {
		n += len(p.Roles[i].Permissions)
	}
	return n
}

// ownerKey is by what the policy of an organization or, where org is empty, of an environment is found.
func ownerKey(env id.Environment, org id.Organization) string {
	if org == "" {
		return string(env)
	}
	return string(org)
}

// recallPolicy gives a policy from memory, if it is there.
func (st *state) recallPolicy(c *authz.Caller, org id.Organization) (p *listedPolicy, refusal error, ok bool) {
	p = st.policies.find(ownerKey(c.Environment, org))
	if p == nil || p.Organization != org {
		return nil, nil, false
	}
	p.touch(st.tick.Load())
	if p.Environment != c.Environment || !c.Sees(org) {
		refusal = fault.Missing("Organization", string(org))
	}
	return p, refusal, p.stands() && st.term.Lasts()
}

func (s *Service) loadPolicy(ctx context.Context, st *state, env id.Environment, org id.Organization) outcome {
	e := st.environment(env)
	regions := []fresh.Region{inCatalogue(env), inEnvironment(env)}
	if org != "" {
		regions = append(regions, inOrganization(org), inHoldings(org))
	}
	key := flightKey{what: needPolicy, env: env, id: string(org)}
	return s.once(ctx, st, key, regions, func(ctx context.Context, f *flight) outcome {
		read, err := s.rules.Policy(ctx, authz.Caller{Environment: env}, org)
		if fault.Is(err, fault.NotFound) {
			return absent
		}
		if err != nil {
			return failed
		}
		made := &listedPolicy{Policy: read}
		if made.weight() > s.most.Listed {
			return unfit
		}
		return s.publish(st, f, func(tick uint32) bool {
			made.lists = e.lists.Load()
			st.policies.put(ownerKey(env, org), made, tick)
			return true
		})
	})
}
