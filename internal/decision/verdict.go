package decision

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// Verdict is the answer of a check. It carries its reason, which Reason spells out.
type Verdict struct {
	Authorized bool
	explain    bool
	permission int32         // its number, where memory answered
	from       sight         // and by what
	spelt      *authz.Reason // where the rules answered
}

// Answer is what one question of a batch got: a verdict, or the refusal that the question alone would have got.
type Answer struct {
	Verdict Verdict
	Refusal *fault.Error
	Explain bool // as it was asked
}

// Reason says why the verdict is what it is. Roles are told by id, slug, type and owner; resources by all that names
// them. What else there is of them may be missing.
func (v Verdict) Reason() authz.Reason {
	switch {
	case v.spelt != nil:
		return *v.spelt
	case v.from.m == nil:
		return authz.Reason{}
	}
	s := &v.from
	why := authz.Reason{Permission: s.cat.slug(v.permission), Status: statuses[s.m.status], Cause: authz.CauseNotActive, Path: s.path(v.explain)}
	if why.Status != authz.StatusActive {
		return why
	}
	if e := s.holder(v.permission); e.found {
		why.Cause, why.Held = authz.CauseRole, []authz.Held{s.spell(e)}
		return why
	}
	why.Cause = authz.CauseNoRole
	for _, e := range s.effects() {
		why.Held = append(why.Held, s.spell(e))
	}
	return why
}

func (s *sight) spell(e effect) authz.Held {
	o := s.m.in
	r := o.roster.roles[e.role]
	h := authz.Held{
		Role:   authz.Role{ID: r.id, Environment: o.env.id, Slug: r.slug, ResourceType: r.kind},
		Source: sources[e.source], Assignment: id.OfBytes[id.Assignment](e.assignment), Group: id.OfBytes[id.Group](e.group), Resource: o.home,
	}
	if r.custom {
		h.Role.Organization = o.id
	}
	if e.on != nil {
		h.Resource = id.OfBytes[id.Resource](e.on.id)
	}
	return h
}

// path is the resource and those above it, the organization's own only where that is asked for.
func (s *sight) path(whole bool) []authz.Resource {
	o := s.m.in
	var path []authz.Resource
	for r := s.on; r != nil; r = r.above {
		path = append(path, authz.Resource{
			ID: id.OfBytes[id.Resource](r.id), Environment: o.env.id, Organization: o.id, Type: r.kind, ExternalID: r.external, Name: r.name, Parent: o.home,
		})
		if r.above != nil {
			path[len(path)-1].Parent = id.OfBytes[id.Resource](r.above.id)
		}
	}
	if whole {
		path = append(path, authz.Resource{
			ID: o.home, Environment: o.env.id, Organization: o.id, Type: authz.OrganizationType, ExternalID: o.external, Name: o.name,
		})
	}
	return path
}
