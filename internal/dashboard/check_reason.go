package dashboard

import (
	"net/url"
	"slices"

	"github.com/rolecall/rolecall/internal/authz"
)

// answer is a decision as a person reads it.
type answer struct {
	Yes        bool
	Inactive   bool // the membership does not count, whatever it holds
	Permission namedLink
	Path       []namedLink // the resource asked about and what it lies in, the organization last
	Held       []inEffect  // the one role that allows it, or all that do not
	Would      []wouldAllow
	MoreWould  int
}

// inEffect is a role in effect, and why it is.
type inEffect struct {
	Role, Slug, Path string
	Source           authz.Source
	Group            namedLink
	On               namedLink
	Here             bool // held on the very resource that was asked about
	Fallback         bool // the default, because nothing else is assigned
}

// wouldAllow is a role that holds the permission and that the member could have been given.
type wouldAllow struct {
	Role, Slug, Path string
	On               []namedLink // where it could be given, with the address of the form
}

// fewWould is how many roles that would help are listed.
const fewWould = 10

// explain shows a decision with everything that it rests on.
func (v *visit) explain(c accessCheck, d authz.Decision) (*answer, error) {
	a := &answer{Yes: d.Authorized, Inactive: d.Reason.Cause == authz.CauseNotActive,
		Permission: namedLink{Name: c.Permission, Path: v.Path("permissions", c.Permission)}}
	find := v.finder()
	for _, r := range d.Reason.Path {
		at := v.namedResource(c.Organization, r)
		find.resources[r.ID] = at
		a.Path = append(a.Path, at)
	}
	for _, h := range d.Reason.Held {
		held := inEffect{Role: h.Role.Name, Slug: h.Role.Slug, Path: v.RolePath(h.Role), Source: h.Source, Fallback: h.Assignment == ""}
		var err error
		if held.Group, err = find.group(c.Organization, h.Group); err != nil {
			return nil, err
		}
		if held.On, err = find.resource(c.Organization, h.Resource); err != nil {
			return nil, err
		}
		held.Here = held.On == a.Path[0]
		a.Held = append(a.Held, held)
	}
	if a.Yes {
		return a, nil
	}
	return a, v.wouldAllow(c, d.Reason.Path, a)
}

// wouldAllow finds the roles that hold the permission and can be held on the path.
func (v *visit) wouldAllow(c accessCheck, path []authz.Resource, a *answer) error {
	roles, err := v.door.rules.ListRoles(v.Context(), v.caller, c.Organization)
	if err != nil {
		return err
	}
	for _, r := range roles {
		places := leadsTo(r, path)
		if !slices.Contains(r.Permissions, c.Permission) || len(places) == 0 {
			continue
		}
		if len(a.Would) == fewWould {
			a.MoreWould++
			continue
		}
		would := wouldAllow{Role: r.Name, Slug: r.Slug, Path: v.RolePath(r)}
		for _, at := range places {
			give := url.Values{"membership": {string(c.Who.ID)}, "role_slug": {r.Slug}}
			would.On = append(would.On, namedLink{at.Name, at.Type, v.In(c.Organization, "resources", string(at.ID), "add-role") + "?" + give.Encode()})
		}
		a.Would = append(a.Would, would)
	}
	return nil
}
