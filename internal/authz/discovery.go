package authz

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// This file answers checks the other way round: on what, by whom, which. Every list asks the reference evaluator about
// each of its candidates, so that list and check agree by construction (ADR 13, security case 10).

// ResourcesFor lists the resources below a parent, at any depth (R214), on which a membership holds a permission. They
// are of the permission's type, or of any where that is the organization's: list = {X below the parent: the type fits
// and Check says yes}. Without a parent the organization's own resource is meant.
func (s *Service) ResourcesFor(ctx context.Context, c Caller, m id.Membership, slug string, parent ResourceRef, r page.Request) (page.Page[Resource], error) {
	return read(ctx, s, func(tx Reader) (page.Page[Resource], error) {
		found, err := membership(tx, c, m)
		if err != nil {
			return page.Page[Resource]{}, err
		}
		p, err := permission(tx, c, slug)
		if err != nil {
			return page.Page[Resource]{}, err
		}
		root, err := locate(tx, c, found.Organization, parent)
		if err != nil {
			return page.Page[Resource]{}, err
		}
		within, err := newReach(tx, c, found, p, s.instant())
		if err != nil {
			return page.Page[Resource]{}, err
		}
		within.root = root.id
		return within.sieve(c.Environment).page(r)
	})
}

// reach is what decisions about one membership and one permission on many resources share.
type reach struct {
	r          Reader
	permission Permission
	root       id.Resource // only what lies below it
	facts      Facts       // without path and assignments
	on         map[id.Resource][]Assignment
}

func newReach(r Reader, c Caller, m Membership, p Permission, at time.Time) (*reach, error) {
	policy, err := fullPolicy(r, c, m.Organization)
	if err != nil {
		return nil, err
	}
	all, err := r.AssignmentsOf(m.Organization, []id.Membership{m.ID}, nil)
	if err != nil {
		return nil, err
	}
	w := &reach{r: r, permission: p, facts: Facts{At: at, Membership: m, Policy: policy}, on: map[id.Resource][]Assignment{}}
	for _, a := range all[m.ID] {
		w.on[a.Resource] = append(w.on[a.Resource], a)
	}
	return w, nil
}

func (w *reach) sieve(env id.Environment) sieve[Resource, Resource] {
	f := ResourceFilter{Organization: w.facts.Membership.Organization}
	if w.permission.ResourceType != OrganizationType {
		f.Type = w.permission.ResourceType
	}
	return sieve[Resource, Resource]{
		key:  func(res Resource) string { return string(res.ID) },
		list: func(r page.Request) (page.Page[Resource], error) { return w.r.Resources(env, f, r) },
		find: func(cursor string) ([]Resource, error) {
			return w.r.ResourcesByID(f.Organization, []id.Resource{id.Resource(cursor)})
		},
		keep: func(rs []Resource) ([]Resource, error) { return w.keep(f.Type, rs) },
	}
}

func (w *reach) keep(kind string, rs []Resource) (kept []Resource, err error) {
	org := w.facts.Membership.Organization
	above, err := w.r.Ancestors(org, rs)
	if err != nil {
		return nil, err
	}
	for _, res := range rs {
		where := place{id: res.ID, path: append([]Resource{res}, above[res.ID]...)}
		if kind != "" && res.Type != kind || !where.below(w.root, org) {
			continue
		}
		f := w.facts
		f.Path = where.path
		for _, on := range where.resources(org) {
			f.Assignments = append(f.Assignments, w.on[on]...)
		}
		if Decide(f, w.permission.Slug).Authorized {
			kept = append(kept, res)
		}
	}
	return kept, nil
}

// below says whether a place with a row lies under another, at any depth.
func (p place) below(root id.Resource, org id.Organization) bool {
	return root == OrganizationResource(org) ||
		slices.ContainsFunc(p.path[1:], func(r Resource) bool { return r.ID == root })
}

// Assigned narrows who holds a permission on a resource by where it comes from (R215).
type Assigned string

// How a permission is held. The contract's text has indirect include what is inherited, so it narrows nothing.
const (
	Anyhow   Assigned = ""
	Directly Assigned = "direct" // through a role on the resource itself, of the member's own or of a group
	Inherit  Assigned = "indirect"
)

// MembersWith lists the memberships that hold a permission on a resource: {U : Check says yes}. The resource is one of
// the organization or, where org is empty, the one with that id. Members come without their roles.
func (s *Service) MembersWith(ctx context.Context, c Caller, org id.Organization, ref ResourceRef, slug string, how Assigned, r page.Request) (page.Page[Member], error) {
	if how != Anyhow && how != Directly && how != Inherit {
		return page.Page[Member]{}, fault.BadField("assignment", "must be one of direct, indirect")
	}
	return read(ctx, s, func(tx Reader) (page.Page[Member], error) {
		found, err := resource(tx, c, org, ref)
		if err != nil {
			return page.Page[Member]{}, err
		}
		where := place{id: found.ID}
		if found.Type != OrganizationType {
			if where, err = placeOf(tx, found); err != nil {
				return page.Page[Member]{}, err
			}
		}
		if _, err := permission(tx, c, slug); err != nil {
			return page.Page[Member]{}, err
		}
		policy, err := fullPolicy(tx, c, found.Organization)
		if err != nil {
			return page.Page[Member]{}, err
		}
		over := crowd{r: tx, at: s.instant(), policy: policy, where: where, statuses: []Status{StatusActive}}
		holders, err := over.sieve(func(f Facts) bool {
			if how == Directly {
				return holdsOn(f, slug, where.id)
			}
			return Decide(f, slug).Authorized
		}).page(r)
		if err != nil {
			return page.Page[Member]{}, err
		}
		members, err := withPeople(tx, c, memberships(holders.Items))
		return page.Page[Member]{Items: members, Before: holders.Before, After: holders.After}, err
	})
}

// holdsOn says whether a permission is held through a role in effect on one resource of the path, or on the
// organization's own, on which every effective role is.
func holdsOn(f Facts, permission string, on id.Resource) bool {
	return f.Membership.Status == StatusActive && slices.ContainsFunc(append(EffectiveRoles(f), RolesOnPath(f)...), func(h Held) bool {
		return h.Resource == on && slices.Contains(h.Role.Permissions, permission)
	})
}

// PermissionsOn lists what a membership may do on a resource of its organization: {P : Check says yes}. No type is left
// out, because a check knows none (R208); R216, which is inferred, would have list and check disagree.
func (s *Service) PermissionsOn(ctx context.Context, c Caller, m id.Membership, ref ResourceRef, r page.Request) (page.Page[Permission], error) {
	return read(ctx, s, func(tx Reader) (page.Page[Permission], error) {
		found, err := membership(tx, c, m)
		if err != nil {
			return page.Page[Permission]{}, err
		}
		where, err := locate(tx, c, found.Organization, ref)
		if err != nil {
			return page.Page[Permission]{}, err
		}
		f, err := newAsker(tx, c, s.instant()).facts(found, where)
		if err != nil {
			return page.Page[Permission]{}, err
		}
		known, err := tx.PermissionsBySlug(c.Environment, EffectivePermissions(f))
		if err != nil {
			return page.Page[Permission]{}, err
		}
		all := make([]Permission, 0, len(known))
		for _, p := range known {
			all = append(all, p)
		}
		slices.SortFunc(all, func(a, b Permission) int { return cmp.Compare(a.ID, b.ID) })
		return page.Of(r, all, func(p Permission) string { return string(p.ID) }), nil
	})
}
