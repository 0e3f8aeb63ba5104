package authz

import (
	"slices"

	"github.com/rolecall/rolecall/internal/id"
)

// This file says which stored assignments are to be shown, and as what.

// visible gives those assignments that are to be shown, as what they count as.
func (l *lister) visible(as []Assignment) ([]Assignment, error) {
	var standing []Assignment
	var initial []id.Membership
	for _, a := range as {
		a, ok := l.p.available(a)
		if !ok || a.Ended(l.at) {
			continue
		}
		standing = append(standing, a)
		if a.Source == SourceDefault {
			initial = append(initial, a.Membership)
		}
	}
	if len(initial) == 0 {
		return standing, nil
	}
	of, err := l.r.AssignmentsOf(l.p.Organization, initial, []id.Resource{OrganizationResource(l.p.Organization)})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(standing, func(a Assignment) bool {
		if a.Source != SourceDefault {
			return false
		}
		f := Facts{At: l.at, Membership: Membership{Organization: l.p.Organization}, Assignments: of[a.Membership], Policy: l.p}
		return !slices.ContainsFunc(f.inForce(), func(b Assignment) bool { return b.ID == a.ID })
	}), nil
}

// meaning lists the roles whose assignments can count as those of a slug: the roles with that slug, and all that are
// gone, for which named tells.
func (l *lister) meaning(slug string) []id.Role {
	var roles []id.Role
	for _, r := range l.p.Roles {
		if r.Slug == slug {
			roles = append(roles, r.ID)
		}
	}
	if len(roles) == 0 {
		return nil
	}
	for gone := range l.p.Retired {
		roles = append(roles, gone)
	}
	slices.Sort(roles)
	return roles
}

// named gives those of visible assignments whose role has a slug.
func (l *lister) named(as []Assignment, slug string) []Assignment {
	return slices.DeleteFunc(slices.Clone(as), func(a Assignment) bool { return l.slug(a) != slug })
}

func (l *lister) slug(a Assignment) string {
	role, _ := l.p.byID(a.Role)
	return role.Slug
}

// name adds to visible assignments what is shown beside them.
func (l *lister) name(as []RoleAssignment) error {
	on, err := namedResources(l.r, l.c, l.p.Organization, column(as, func(a RoleAssignment) id.Resource { return a.Resource }))
	for i, a := range as {
		as[i].Slug, as[i].On = l.slug(a.Assignment), on[a.Resource]
	}
	return err
}

// one shows one assignment.
func (l *lister) one(a Assignment) (RoleAssignment, error) {
	as := []RoleAssignment{{Assignment: a}}
	err := l.name(as)
	return as[0], err
}

func (r Resource) named() NamedResource {
	return NamedResource{ID: r.ID, ExternalID: r.ExternalID, Type: r.Type}
}

// namedResources finds what resources of an organization are called.
func namedResources(r Reader, c Caller, org id.Organization, wanted []id.Resource) (map[id.Resource]NamedResource, error) {
	names := make(map[id.Resource]NamedResource, len(wanted))
	home := OrganizationResource(org)
	if slices.Contains(wanted, home) {
		o, err := organization(r, c, org)
		if err != nil {
			return nil, err
		}
		names[home] = o.own().named()
	}
	found, err := r.ResourcesByID(org, slices.DeleteFunc(slices.Clone(wanted), func(w id.Resource) bool { return w == home }))
	for _, f := range found {
		names[f.ID] = f.named()
	}
	return names, err
}
