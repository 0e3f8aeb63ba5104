package dashboard

import (
	"time"

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
	s := somebody{ID: m.ID, Name: called(m.Person), Status: m.Status, Path: v.ownerPath(m.Organization, "members", string(m.ID))}
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

// finder finds what the things of one organization are called, each once. What is gone goes by its id.
type finder struct {
	v         *visit
	org       id.Organization
	members   map[id.Membership]somebody
	groups    map[id.Group]namedLink
	resources map[id.Resource]namedLink
	roles     map[id.Role]authz.Role
}

func (v *visit) finder(org id.Organization) *finder {
	return &finder{v: v, org: org, members: map[id.Membership]somebody{}, groups: map[id.Group]namedLink{}, resources: map[id.Resource]namedLink{}}
}

func (f *finder) member(m id.Membership) (somebody, error) {
	if known, ok := f.members[m]; ok {
		return known, nil
	}
	found, err := f.v.door.rules.Member(f.v.Context(), f.v.caller, m)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return somebody{}, err
	}
	found.ID, found.Organization = m, f.org
	f.members[m] = f.v.somebody(found)
	return f.members[m], nil
}

func (f *finder) group(g id.Group) (namedLink, error) {
	if known, ok := f.groups[g]; ok || g == "" {
		return known, nil
	}
	found, err := f.v.door.rules.Group(f.v.Context(), f.v.caller, f.org, g)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return namedLink{}, err
	}
	if err != nil {
		found.Name = string(g)
	}
	f.groups[g] = namedLink{Name: found.Name, Kind: "group", Path: f.v.ownerPath(f.org, "groups", string(g))}
	return f.groups[g], nil
}

func (f *finder) resource(r id.Resource) (namedLink, error) {
	if known, ok := f.resources[r]; ok {
		return known, nil
	}
	found, err := f.v.door.rules.Resource(f.v.Context(), f.v.caller, f.org, authz.ResourceRef{ID: r})
	if err != nil && !fault.Is(err, fault.NotFound) {
		return namedLink{}, err
	}
	if err != nil {
		found.ID, found.Name = r, string(r)
	}
	f.resources[r] = f.v.namedResource(f.org, found)
	return f.resources[r], nil
}

// namedResource is a resource as others refer to it.
func (v *visit) namedResource(org id.Organization, r authz.Resource) namedLink {
	return namedLink{Name: r.Name, Kind: r.Type, Path: v.ownerPath(org, "resources", string(r.ID))}
}

// role finds a role that is available in the organization.
func (f *finder) role(r id.Role) (authz.Role, error) {
	if f.roles == nil {
		available, err := f.v.door.rules.ListRoles(f.v.Context(), f.v.caller, f.org)
		if err != nil {
			return authz.Role{}, err
		}
		f.roles = map[id.Role]authz.Role{}
		for _, one := range available {
			f.roles[one.ID] = one
		}
	}
	return f.roles[r], nil
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

func (f *finder) assigned(as []authz.RoleAssignment) ([]assigned, error) {
	shown := make([]assigned, len(as))
	for i, a := range as {
		role, err := f.role(a.Role)
		if err != nil {
			return nil, err
		}
		shown[i] = assigned{RoleAssignment: a, Name: role.Name, Path: f.v.RolePath(role)}
		if shown[i].Place, err = f.resource(a.Resource); err != nil {
			return nil, err
		}
		if shown[i].From, err = f.group(a.Group); err != nil {
			return nil, err
		}
		if a.Membership == "" {
			continue
		}
		if shown[i].Who, err = f.member(a.Membership); err != nil {
			return nil, err
		}
	}
	return shown, nil
}

// aboveIn is the way to a screen below a tab of an organization.
func (v *visit) aboveIn(org id.Organization, tab, segment string) (crumbs []crumb, name string, err error) {
	crumbs, name, err = v.above(org)
	if err == nil {
		crumbs = append(crumbs[:2:2], crumb{tab, v.ownerPath(org, segment)})
	}
	return crumbs, name, err
}

// moment is the instant that was typed into a field, in UTC; zero for none. What is no instant is complained of.
func (v *visit) moment(field string) time.Time {
	at, err := typedTime(field, v.typed(field))
	if err != nil {
		v.blame(err)
	}
	return at.UTC()
}

// browserTime is how browsers send a date and a time.
const browserTime = "2006-01-02T15:04"

// instantField is an instant as an undo keeps it.
func instantField(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
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
