package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/store"
)

// tale acts out one file of the corpus in an environment of its own. What the rules have an operation for goes through
// it; what they only read so far, groups, resources and what identity providers say, is written to the database.
type tale struct {
	*testing.T
	rules   *authz.Service
	db      *store.Store
	c       authz.Caller
	ids     *id.Source
	now     time.Time
	catalog []string // permissions that exist
	orgs    map[string]id.Organization
	users   map[string]id.User
	members map[string]authz.Membership // by name and, where there are several, name@organization
	groups  map[string]authz.Group
	things  map[string]authz.Resource
	kinds   map[string]bool // roles that exist, as "slug" or "slug of organization"
}

func newTale(t *testing.T, db *store.Store, name string) *tale {
	w := &tale{
		T: t, db: db, now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), orgs: map[string]id.Organization{},
		users: map[string]id.User{}, members: map[string]authz.Membership{}, groups: map[string]authz.Group{},
		things: map[string]authz.Resource{}, kinds: map[string]bool{authz.SeededRole: true},
	}
	clock := func() time.Time { return w.now }
	w.ids = id.NewSource(clock, nil)
	w.rules = authz.New(db, clock, w.ids)
	env := must(w.rules.CreateEnvironment(t.Context(), name))
	w.c = authz.Caller{Environment: env.ID, Actor: event.Actor{ID: "test", Source: "system"}}
	return w
}

func (w *tale) tell(lines []line) {
	for _, l := range lines {
		if l.ask != nil {
			got, err := l.ask(w, l.words)
			if err != nil {
				w.Fatalf("%s: %s: %v", l.place, l.text, err)
			}
			if got != l.want {
				w.Errorf("%s: %s\n\tgot %s", l.place, l.text, got)
			}
			continue
		}
		w.now = w.now.Add(time.Second)
		err := l.do(w, l.words)
		switch code := fault.Of(err); {
		case l.refusal != "" && (code == nil || code.Code != l.refusal):
			w.Fatalf("%s: %s: %v", l.place, l.text, err)
		case l.refusal == "" && err != nil:
			w.Fatalf("%s: %s: %v", l.place, l.text, err)
		}
	}
}

func (w *tale) goTo(a []string) (err error) {
	at, err := time.Parse(time.RFC3339, a[0])
	if err == nil && at.Before(w.now.Add(-time.Second)) {
		err = fmt.Errorf("it is %s already", w.now.Format(time.RFC3339))
	}
	w.now = at
	return err
}

func (w *tale) multipleRoles(a []string) error {
	if a[0] != "on" && a[0] != "off" {
		return errors.New("multiple roles are on or off")
	}
	_, err := w.rules.SetMultipleRoles(w.Context(), w.c, a[0] == "on")
	return err
}

func (w *tale) work([]string) error {
	for {
		if worked, err := w.rules.Work(w.Context(), "test"); err != nil || !worked {
			return err
		}
	}
}

// Names.

func known[T any](of map[string]T, what, name string) (T, error) {
	v, ok := of[name]
	if !ok {
		return v, fmt.Errorf("no %s is called %q", what, name)
	}
	return v, nil
}

// org finds an organization; the only one need not be named.
func (w *tale) org(name string) (id.Organization, error) {
	if name == "" && len(w.orgs) == 1 {
		for _, org := range w.orgs {
			return org, nil
		}
	}
	return known(w.orgs, "organization", name)
}

// owner is org, with no name for the environment.
func (w *tale) owner(name string) (id.Organization, error) {
	if name == "" {
		return "", nil
	}
	return w.org(name)
}

func list(s string) []string {
	if s == "" || s == "none" {
		return []string{}
	}
	return strings.Split(s, ", ")
}

func optional(s string) authz.Opt[string] { return authz.Opt[string]{Set: s != "", Value: s} }

func wanted(slugs string) authz.RolesInput {
	return authz.RolesInput{Slugs: authz.Opt[[]string]{Set: slugs != "", Value: list(slugs)}}
}

// available finds a role that can be given in an organization.
func (w *tale) available(org id.Organization, slug string) (authz.Role, error) {
	return w.rules.Role(w.Context(), w.c, org, slug)
}

// Permissions and roles.

func (w *tale) permission(a []string) error {
	_, err := w.rules.CreatePermission(w.Context(), w.c, authz.NewPermission{Slug: a[0], Name: a[0], ResourceType: optional(a[1])})
	if err == nil {
		w.catalog = append(w.catalog, a[0])
	}
	return err
}

func (w *tale) removePermission(a []string) error {
	w.catalog = slices.DeleteFunc(w.catalog, func(p string) bool { return p == a[0] })
	return w.rules.DeletePermission(w.Context(), w.c, a[0])
}

// role makes a role or, of one that exists, replaces the permissions.
func (w *tale) role(a []string) error {
	org, err := w.owner(a[1])
	if err != nil {
		return err
	}
	key := a[0] + " of " + a[1]
	if a[1] == "" {
		key = a[0]
	}
	if !w.kinds[key] {
		if _, err := w.rules.CreateRole(w.Context(), w.c, org, authz.NewRole{Slug: authz.Some(a[0]), Name: a[0], ResourceType: optional(a[2])}); err != nil {
			return err
		}
		w.kinds[key] = true
	}
	_, err = w.rules.EditRolePermissions(w.Context(), w.c, org, a[0], authz.PermissionEdit{Set: authz.Some(list(a[3]))})
	return err
}

func (w *tale) setDefault(a []string) error {
	org, err := w.owner(a[1])
	if err == nil {
		_, err = w.rules.SetDefault(w.Context(), w.c, org, a[0])
	}
	return err
}

func (w *tale) setOrder(a []string) error {
	org, err := w.owner(a[0])
	if err == nil {
		_, err = w.rules.SetPriority(w.Context(), w.c, org, strings.Split(a[1], " > "))
	}
	return err
}

func (w *tale) removeRole(a []string) error {
	org, err := w.owner(a[1])
	if err != nil {
		return err
	}
	in := authz.RoleDeletion{Replacement: optional(a[2]), Default: optional(a[3])}
	if a[4] != "" {
		of, err := w.org(a[4])
		if err != nil {
			return err
		}
		in.Defaults = []authz.OrganizationDefault{{Organization: of, Slug: a[5]}}
	}
	if _, err = w.rules.RemoveRole(w.Context(), w.c, org, a[0], in); err == nil {
		w.forgetRole(a)
	}
	return err
}

func (w *tale) deleteRole(a []string) error {
	org, err := w.owner(a[1])
	if err == nil {
		err = w.rules.DeleteRole(w.Context(), w.c, org, a[0])
	}
	if err == nil {
		w.forgetRole(a)
	}
	return err
}

func (w *tale) forgetRole(a []string) {
	key := a[0] + " of " + a[1]
	if a[1] == "" {
		key = a[0]
	}
	delete(w.kinds, key)
}

// Organizations and members.

func (w *tale) organization(a []string) error {
	o, err := w.rules.CreateOrganization(w.Context(), w.c, authz.OrganizationInput{Name: authz.Some(a[0])})
	w.orgs[a[0]] = o.ID
	return err
}

// member puts somebody into an organization: as anna, and as anna@acme where anna is in several.
func (w *tale) member(a []string) error {
	org, err := w.org(a[1])
	if err != nil {
		return err
	}
	person, _, _ := strings.Cut(a[0], "@")
	if _, exists := w.users[person]; !exists {
		u, err := w.rules.CreateUser(w.Context(), w.c, authz.UserInput{Email: authz.Some(person + "@x.example")})
		if err != nil {
			return err
		}
		w.users[person] = u.ID
	}
	m, err := w.rules.CreateMembership(w.Context(), w.c, w.users[person], org, wanted(a[2]))
	if err == nil {
		w.members[a[0]] = m.Membership
	}
	return err
}

// invited is member, for somebody who has not accepted yet.
func (w *tale) invited(a []string) error {
	if err := w.member(a); err != nil {
		return err
	}
	m := w.members[a[0]]
	m.Status = authz.StatusPending
	return w.db.Update(w.Context(), func(tx authz.Tx) error { return tx.UpdateMembership(m) })
}

func (w *tale) setRoles(a []string) error {
	m, err := known(w.members, "member", a[0])
	if err == nil {
		_, err = w.rules.UpdateMember(w.Context(), w.c, m.ID, wanted(a[1]))
	}
	return err
}

func (w *tale) deactivate(a []string) error {
	m, err := known(w.members, "member", a[0])
	if err == nil {
		_, err = w.rules.DeactivateMember(w.Context(), w.c, m.ID)
	}
	return err
}

func (w *tale) reactivate(a []string) error {
	m, err := known(w.members, "member", a[0])
	if err == nil {
		_, err = w.rules.ReactivateMember(w.Context(), w.c, m.ID)
	}
	return err
}

func (w *tale) removeMember(a []string) error {
	m, err := known(w.members, "member", a[0])
	if err == nil {
		err = w.rules.DeleteMember(w.Context(), w.c, m.ID)
	}
	return err
}

// Identity providers.

func (w *tale) ssoSays(a []string) error { return w.says(authz.SourceSSO, a[1], list(a[0]), true) }
func (w *tale) directorySays(a []string) error {
	return w.says(authz.SourceDirectory, a[1], list(a[0]), true)
}

func (w *tale) ssoFindsNone(a []string) error { return w.says(authz.SourceSSO, a[0], nil, false) }
func (w *tale) directoryFindsNone(a []string) error {
	return w.says(authz.SourceDirectory, a[0], nil, false)
}

// forget takes what an identity provider said away, as when it is disconnected.
func (w *tale) forget(a []string) error {
	if a[0] != "sso" && a[0] != "directory" {
		return fmt.Errorf("%q never said anything", a[0])
	}
	return w.says(authz.Source(a[0]), a[1], nil, true)
}

// says replaces what an identity provider said about a member (R93, R97): by roles of mapped groups, or by the default
// of the moment.
func (w *tale) says(source authz.Source, name string, slugs []string, mapped bool) error {
	m, err := known(w.members, "member", name)
	if err != nil {
		return err
	}
	var roles []authz.Role
	if !mapped {
		p, err := w.rules.Policy(w.Context(), w.c, m.Organization)
		if err != nil {
			return err
		}
		r, _ := p.DefaultRole()
		roles = append(roles, r)
	}
	for _, slug := range slugs {
		r, err := w.available(m.Organization, slug)
		if err != nil {
			return err
		}
		roles = append(roles, r)
	}
	return w.db.Update(w.Context(), func(tx authz.Tx) error {
		err := tx.DeleteAssignmentsOf(m.Organization, authz.AssignmentFilter{Membership: m.ID, Source: source})
		for _, r := range roles {
			if err == nil {
				a := w.assignment(m.Organization, r, authz.OrganizationResource(m.Organization), source)
				a.Membership, a.Explicit = m.ID, mapped
				err = tx.InsertAssignment(a, time.Time{})
			}
		}
		return err
	})
}

func (w *tale) assignment(org id.Organization, r authz.Role, on id.Resource, source authz.Source) authz.Assignment {
	return authz.Assignment{
		ID: id.New[id.Assignment](w.ids), Environment: w.c.Environment, Organization: org, Role: r.ID, Resource: on,
		Source: source, Explicit: true, CreatedAt: w.now, UpdatedAt: w.now,
	}
}

// Groups.

func (w *tale) group(a []string) error {
	org, err := w.org(a[1])
	if err != nil {
		return err
	}
	g := authz.Group{ID: id.New[id.Group](w.ids), Environment: w.c.Environment, Organization: org, Name: a[0], CreatedAt: w.now, UpdatedAt: w.now}
	if err := w.db.Update(w.Context(), func(tx authz.Tx) error { return tx.InsertGroup(g) }); err != nil {
		return err
	}
	w.groups[a[0]] = g
	for _, m := range list(a[2]) {
		if err := w.addToGroup([]string{m, a[0]}); err != nil {
			return err
		}
	}
	return nil
}

func (w *tale) inGroup(a []string, do func(authz.Tx, authz.Group, id.Membership) error) error {
	m, err := known(w.members, "member", a[0])
	if err != nil {
		return err
	}
	g, err := known(w.groups, "group", a[1])
	if err != nil {
		return err
	}
	return w.db.Update(w.Context(), func(tx authz.Tx) error { return do(tx, g, m.ID) })
}

func (w *tale) addToGroup(a []string) error {
	return w.inGroup(a, func(tx authz.Tx, g authz.Group, m id.Membership) error { return tx.AddGroupMember(g, m, w.now) })
}

func (w *tale) dropFromGroup(a []string) error {
	return w.inGroup(a, func(tx authz.Tx, g authz.Group, m id.Membership) error { return tx.RemoveGroupMember(g, m) })
}

func (w *tale) removeGroup(a []string) error {
	g, err := known(w.groups, "group", a[0])
	if err != nil {
		return err
	}
	return w.db.Update(w.Context(), func(tx authz.Tx) error { return tx.DeleteGroup(g) })
}

// Resources.

func (w *tale) resourceType(a []string) error {
	parents := list(a[1])
	if len(parents) == 0 {
		parents = []string{authz.OrganizationType}
	}
	slices.Sort(parents)
	rt := authz.ResourceType{Environment: w.c.Environment, Slug: a[0], Name: a[0], Parents: parents, CreatedAt: w.now, UpdatedAt: w.now}
	return w.db.Update(w.Context(), func(tx authz.Tx) error { return tx.InsertResourceType(rt) })
}

func (w *tale) resource(a []string) error {
	org, err := w.org(a[1])
	if err != nil {
		return err
	}
	parent := authz.OrganizationResource(org)
	if a[2] != "" {
		above, err := known(w.things, "resource", a[2])
		if err != nil {
			return err
		}
		parent = above.ID
	}
	kind, external, _ := strings.Cut(a[0], ":")
	r := authz.Resource{
		ID: id.New[id.Resource](w.ids), Environment: w.c.Environment, Organization: org, Type: kind, ExternalID: external,
		Name: a[0], Parent: parent, CreatedAt: w.now, UpdatedAt: w.now,
	}
	w.things[a[0]] = r
	return w.db.Update(w.Context(), func(tx authz.Tx) error { return tx.InsertResource(r) })
}

func (w *tale) move(a []string) error {
	r, err := known(w.things, "resource", a[0])
	if err != nil {
		return err
	}
	to, err := known(w.things, "resource", a[1])
	if err != nil {
		return err
	}
	r.Parent, r.UpdatedAt = to.ID, w.now
	w.things[a[0]] = r
	return w.db.Update(w.Context(), func(tx authz.Tx) error { return tx.UpdateResource(r) })
}

func (w *tale) removeResource(a []string) error {
	r, err := known(w.things, "resource", a[0])
	if err != nil {
		return err
	}
	return w.db.Update(w.Context(), func(tx authz.Tx) error { return tx.DeleteResources(r.Organization, []id.Resource{r.ID}) })
}

// subject finds a member or a group, and where it may hold a role: on a resource or, where none is named, on the
// organization.
func (w *tale) subject(name, thing string) (a authz.Assignment, err error) {
	if g, isGroup := strings.CutPrefix(name, "group:"); isGroup {
		found, err := known(w.groups, "group", g)
		if err != nil {
			return a, err
		}
		a = authz.Assignment{Organization: found.Organization, Group: found.ID, Source: authz.SourceGroup}
	} else {
		m, err := known(w.members, "member", name)
		if err != nil {
			return a, err
		}
		a = authz.Assignment{Organization: m.Organization, Membership: m.ID, Source: authz.SourceManual}
	}
	a.Resource = authz.OrganizationResource(a.Organization)
	if thing != "" {
		r, err := known(w.things, "resource", thing)
		if err != nil {
			return a, err
		}
		a.Resource = r.ID
	}
	return a, nil
}

func (w *tale) give(a []string) error {
	to, err := w.subject(a[0], a[2])
	if err != nil {
		return err
	}
	r, err := w.available(to.Organization, a[1])
	if err != nil {
		return err
	}
	given := w.assignment(to.Organization, r, to.Resource, to.Source)
	given.Membership, given.Group = to.Membership, to.Group
	due := time.Time{}
	for i, when := range []*time.Time{&given.StartsAt, &given.ExpiresAt} {
		if a[3+i] == "" {
			continue
		}
		if *when, err = time.Parse(time.RFC3339, a[3+i]); err != nil {
			return err
		}
		if due.IsZero() {
			due = *when
		}
	}
	return w.db.Update(w.Context(), func(tx authz.Tx) error { return tx.InsertAssignment(given, due) })
}

func (w *tale) take(a []string) error {
	from, err := w.subject(a[1], a[2])
	if err != nil {
		return err
	}
	r, err := w.available(from.Organization, a[0])
	if err != nil {
		return err
	}
	f := authz.AssignmentFilter{Membership: from.Membership, Group: from.Group, Resources: []id.Resource{from.Resource}, Roles: []id.Role{r.ID}, Source: from.Source}
	return w.db.Update(w.Context(), func(tx authz.Tx) error {
		had, err := tx.Assignments(from.Organization, f, page.Request{Limit: 2, Order: page.Asc})
		if err == nil && len(had.Items) != 1 {
			err = fmt.Errorf("%s holds it %d times", a[1], len(had.Items))
		}
		if err != nil {
			return err
		}
		return tx.DeleteAssignmentsOf(from.Organization, f)
	})
}
