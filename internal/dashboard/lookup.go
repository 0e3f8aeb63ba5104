package dashboard

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// somebody is a membership as lists show it.
type somebody struct {
	ID     id.Membership
	Name   string
	Email  string // empty where the name is the e-mail address
	Status authz.Status
	Path   string
}

func (v *visit) somebody(m authz.Member) somebody {
	s := somebody{ID: m.ID, Name: called(m.Person), Status: m.Status, Path: v.In(m.Organization, "members", string(m.ID))}
	if s.Name == "" { // gone since the list was read
		s.Name = string(m.ID)
	}
	if s.Name != m.Person.Email {
		s.Email = m.Person.Email
	}
	return s
}

// namedLink is something with a name and a screen.
type namedLink struct{ Name, Kind, Path string }

// finder finds what ids stand for, each once for a page. What is gone goes by its id, or by no name where that is said.
type finder struct {
	*visit
	organizations map[id.Organization]string
	users         map[id.User]string
	members       map[id.Membership]somebody
	groups        map[id.Group]namedLink
	resources     map[id.Resource]namedLink
	roles         map[id.Organization]map[id.Role]authz.Role
}

func (v *visit) finder() *finder {
	return &finder{
		v, map[id.Organization]string{}, map[id.User]string{}, map[id.Membership]somebody{},
		map[id.Group]namedLink{}, map[id.Resource]namedLink{}, map[id.Organization]map[id.Role]authz.Role{},
	}
}

// found looks something up unless it is known. What is gone is the zero value, with gone true.
func found[K comparable, T, V any](known map[K]V, key K, look func() (T, error), show func(found T, gone bool) V) (V, error) {
	if shown, ok := known[key]; ok {
		return shown, nil
	}
	one, err := look()
	if err != nil && !fault.Is(err, fault.NotFound) {
		var none V
		return none, err
	}
	known[key] = show(one, err != nil)
	return known[key], nil
}

// organization is the name of an organization, empty when it is gone or none is meant.
func (f *finder) organization(org id.Organization) (string, error) {
	if org == "" {
		return "", nil
	}
	return found(f.organizations, org, func() (authz.Organization, error) { return f.door.rules.Organization(f.Context(), f.caller, org) },
		func(o authz.Organization, _ bool) string { return o.Name })
}

// user is the e-mail address of a user, empty when it is gone or none is meant.
func (f *finder) user(u id.User) (string, error) {
	if u == "" {
		return "", nil
	}
	return found(f.users, u, func() (authz.User, error) { return f.door.rules.User(f.Context(), f.caller, u) },
		func(u authz.User, _ bool) string { return u.Email })
}

func (f *finder) member(org id.Organization, m id.Membership) (somebody, error) {
	return found(f.members, m, func() (authz.Member, error) { return f.door.rules.Member(f.Context(), f.caller, m) },
		func(one authz.Member, _ bool) somebody {
			one.ID, one.Organization = m, org
			return f.somebody(one)
		})
}

// group is the zero link where no group is meant.
func (f *finder) group(org id.Organization, g id.Group) (namedLink, error) {
	if g == "" {
		return namedLink{}, nil
	}
	return found(f.groups, g, func() (authz.Group, error) { return f.door.rules.Group(f.Context(), f.caller, org, g) },
		func(one authz.Group, gone bool) namedLink {
			if gone {
				one.Name = string(g)
			}
			return namedLink{Name: one.Name, Kind: "group", Path: f.In(org, "groups", string(g))}
		})
}

func (f *finder) resource(org id.Organization, r id.Resource) (namedLink, error) {
	return found(f.resources, r, func() (authz.Resource, error) {
		return f.door.rules.Resource(f.Context(), f.caller, org, authz.ResourceRef{ID: r})
	}, func(one authz.Resource, gone bool) namedLink {
		if gone {
			one.ID, one.Name = r, string(r)
		}
		return f.namedResource(org, one)
	})
}

// namedResource is a resource as others refer to it.
func (v *visit) namedResource(org id.Organization, r authz.Resource) namedLink {
	return namedLink{Name: r.Name, Kind: r.Type, Path: v.In(org, "resources", string(r.ID))}
}

// role finds a role that is available in an organization.
func (f *finder) role(org id.Organization, r id.Role) (authz.Role, error) {
	roles, err := found(f.roles, org, func() ([]authz.Role, error) { return f.door.rules.ListRoles(f.Context(), f.caller, org) },
		func(available []authz.Role, _ bool) map[id.Role]authz.Role {
			byID := map[id.Role]authz.Role{}
			for _, one := range available {
				byID[one.ID] = one
			}
			return byID
		})
	return roles[r], err
}

// assigned is an assignment as lists show it.
type assigned struct {
	authz.RoleAssignment
	Who   somebody  // of an assignment to a member, or to one through a group
	Name  string    // of the role
	Path  string    // of the role
	Place namedLink // the resource
	From  namedLink // the group that it comes from
}

// Direct says whether it can be taken off its member, not only off a group.
func (a assigned) Direct() bool { return a.Through == "" }

func (f *finder) assigned(org id.Organization, as []authz.RoleAssignment) ([]assigned, error) {
	shown := make([]assigned, len(as))
	for i, a := range as {
		role, err := f.role(org, a.Role)
		if err != nil {
			return nil, err
		}
		shown[i] = assigned{RoleAssignment: a, Name: role.Name, Path: f.RolePath(role)}
		if shown[i].Place, err = f.resource(org, a.Resource); err != nil {
			return nil, err
		}
		if shown[i].From, err = f.group(org, a.Group); err != nil {
			return nil, err
		}
		if a.Membership == "" {
			continue
		}
		if shown[i].Who, err = f.member(org, a.Membership); err != nil {
			return nil, err
		}
	}
	return shown, nil
}

// aboveIn is the way to a screen below a tab of an organization.
func (v *visit) aboveIn(org id.Organization, tab, segment string) (crumbs []crumb, name string, err error) {
	crumbs, name, err = v.above(org)
	if err == nil {
		crumbs = append(crumbs[:2:2], crumb{tab, v.In(org, segment)})
	}
	return crumbs, name, err
}

// isCursor says whether a text can be an id of a type, and so the cursor of a list of them.
func isCursor[T id.Any](s string) bool {
	_, ok := id.Parse[T](s)
	return ok
}

// firstOf asks for the beginning of a list.
func firstOf(n int) page.Request { return page.Request{Limit: n, Order: page.Desc} }

// resourceNamed reads a reference to a resource: an id, or an external id of some type. Nothing is the organization.
func resourceNamed(name, kind string) authz.ResourceRef {
	if r, ok := id.Parse[id.Resource](name); ok {
		return authz.ResourceRef{ID: r}
	}
	if name == "" {
		return authz.ResourceRef{}
	}
	return authz.ResourceRef{ExternalID: name, ResourceType: kind}
}
