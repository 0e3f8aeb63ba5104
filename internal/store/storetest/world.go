package storetest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// World is everything in an environment, in words without ids and times, so that worlds made in different runs can be
// compared. Keys say what, values say how it stands.
type World map[string]string

// observer reads a world. What the rules answer is asked of them, the rest is read from the store.
type observer struct {
	testing.TB
	db          authz.DB
	rules       *authz.Service
	c           authz.Caller
	multiple    bool
	permissions []string
	world       World
}

// Look reads the world of an environment, and fails the test when an invariant does not hold. It does no work that
// follows changes: what counts for decisions is the same before and after it. A database that loads for memory must load
// what the rules read.
func Look(t testing.TB, db authz.DB, rules *authz.Service, c authz.Caller) World {
	t.Helper()
	ctx := context.Background()
	o := &observer{TB: t, db: db, rules: rules, c: c, world: World{}}
	env, err := rules.Environment(ctx, c)
	if err != nil {
		t.Fatalf("reading the environment: %v", err)
	}
	o.multiple = env.MultipleRoles
	o.world["multiple roles"] = fmt.Sprint(env.MultipleRoles)
	for _, p := range everything(t, func(r page.Request) (page.Page[authz.Permission], error) { return rules.ListPermissions(ctx, c, r) }) {
		o.permissions = append(o.permissions, p.Slug)
		o.world["permission "+p.Slug] = p.Name
	}
	o.policy("", "environment")
	orgs := everything(t, func(r page.Request) (page.Page[authz.Organization], error) {
		return rules.ListOrganizations(ctx, c, authz.OrganizationFilter{}, r)
	})
	for _, org := range orgs {
		o.world["organization "+org.Name] = fmt.Sprint(org.Metadata)
		o.organization(org)
	}
	for _, u := range everything(t, func(r page.Request) (page.Page[authz.User], error) {
		return rules.ListUsers(ctx, c, authz.UserFilter{}, r)
	}) {
		o.world["user "+u.Email] = fmt.Sprint(u.Metadata)
	}
	if loads, ok := db.(LoaderDB); ok {
		Loads(t, loads, c.Environment)
	}
	return o.world
}

func everything[T any](t testing.TB, list func(page.Request) (page.Page[T], error)) []T {
	t.Helper()
	var all []T
	for r := (page.Request{Limit: page.MaxLimit, Order: page.Asc}); ; {
		p, err := list(r)
		if err != nil {
			t.Fatalf("listing: %v", err)
		}
		all = append(all, p.Items...)
		if p.After == "" {
			return all
		}
		r.After = p.After
	}
}

// stored is everything for lists that no rule shows.
func stored[T any](o *observer, list func(authz.Reader, page.Request) (page.Page[T], error)) []T {
	o.Helper()
	return everything(o, func(r page.Request) (found page.Page[T], err error) {
		err = o.db.View(context.Background(), func(tx authz.Reader) error {
			found, err = list(tx, r)
			return err
		})
		return found, err
	})
}

// titled tells custom roles from those of the environment.
func titled(r authz.Role) string {
	if r.Custom() {
		return "custom:" + r.Slug
	}
	return "environment:" + r.Slug
}

// order checks that the order without permissions is the policy in everything else.
func (o *observer) order(org id.Organization, p authz.Policy) {
	o.Helper()
	bare, err := o.rules.Order(context.Background(), o.c, org)
	if err != nil {
		o.Fatalf("reading the order of %s: %v", org, err)
	}
	p.Roles = slices.Clone(p.Roles)
	for i := range p.Roles {
		p.Roles[i].Permissions = []string{}
	}
	if !reflect.DeepEqual(bare, p) {
		o.Errorf("the order of %q is\n%+v and its policy\n%+v", org, bare, p)
	}
}

// policy checks I1-I4, I9 and I10 and writes the roles down. It returns their titles.
func (o *observer) policy(org id.Organization, owner string) map[id.Role]string {
	o.Helper()
	p, err := o.rules.Policy(context.Background(), o.c, org)
	if err != nil {
		o.Fatalf("reading the policy of %s: %v", owner, err)
	}
	o.order(org, p)
	titles := map[id.Role]string{}
	seen := map[string]bool{}
	var order []string
	for _, r := range p.Roles {
		name := titled(r)
		if seen[name] {
			o.Errorf("I1: %s has two roles %s", owner, name)
		}
		seen[name], titles[r.ID] = true, name
		order = append(order, name)
		if r.Custom() && !p.Own {
			o.Errorf("I3: %s has a custom role and no order of its own", owner)
		}
		if !r.RetiredAt.IsZero() {
			o.Errorf("%s shows the role %s, which is gone", owner, name)
		}
		if !slices.IsSorted(r.Permissions) || len(slices.Compact(slices.Clone(r.Permissions))) != len(r.Permissions) {
			o.Errorf("I10: role %s of %s holds %v", name, owner, r.Permissions)
		}
		for _, slug := range r.Permissions {
			if !slices.Contains(o.permissions, slug) {
				o.Errorf("I10: role %s of %s holds the unknown permission %s", name, owner, slug)
			}
		}
		o.world[owner+" role "+name] = r.Name + " " + strings.Join(r.Permissions, ",")
	}
	if !seen["environment:"+authz.SeededRole] {
		o.Errorf("I9: %s has no role member", owner)
	}
	d, ok := p.DefaultRole()
	if !ok {
		o.Errorf("I2, I3: the default role of %s is not one of its roles", owner)
	}
	o.world[owner+" order"] = strings.Join(order, " ")
	o.world[owner+" default"] = d.Slug
	o.world[owner+" own"] = fmt.Sprint(p.Own)
	return titles
}

// tenant is what the names of an organization's things are.
type tenant struct {
	authz.Organization
	roles     map[id.Role]string
	groups    map[id.Group]string
	resources map[id.Resource]string
	places    []id.Resource // the organization itself first
}

func (o *observer) organization(org authz.Organization) {
	o.Helper()
	home := authz.OrganizationResource(org.ID)
	in := tenant{
		Organization: org, roles: o.policy(org.ID, "organization "+org.Name), groups: map[id.Group]string{},
		resources: map[id.Resource]string{home: "organization"}, places: []id.Resource{home},
	}
	resources := stored(o, func(tx authz.Reader, r page.Request) (page.Page[authz.Resource], error) {
		return tx.Resources(o.c.Environment, authz.ResourceFilter{Organization: org.ID}, r)
	})
	for _, r := range resources {
		in.resources[r.ID], in.places = r.Type+"/"+r.ExternalID, append(in.places, r.ID)
	}
	for _, r := range resources {
		o.world["resource "+in.resources[r.ID]+" of "+org.Name] = r.Name + " below " + in.resources[r.Parent]
	}
	groups := stored(o, func(tx authz.Reader, r page.Request) (page.Page[authz.Group], error) { return tx.Groups(org.ID, r) })
	for _, g := range groups {
		in.groups[g.ID] = g.Name
	}
	emails := o.members(in)
	for _, g := range groups {
		o.group(in, g, emails)
	}
}

// group writes down a group, who is in it and what it was assigned.
func (o *observer) group(in tenant, g authz.Group, emails map[id.Membership]string) {
	o.Helper()
	var who []string
	for _, m := range stored(o, func(tx authz.Reader, r page.Request) (page.Page[authz.Membership], error) {
		return tx.GroupMembers(g, r)
	}) {
		who = append(who, emails[m.ID])
	}
	sort.Strings(who)
	o.world["group "+g.Name+" of "+in.Name] = strings.Join(who, " ")
	o.world["assigned group "+g.Name+" of "+in.Name] = o.assigned(in, authz.AssignmentFilter{Group: g.ID})
}

// members checks I6 and I7 and writes the members down. It returns their addresses.
func (o *observer) members(in tenant) map[id.Membership]string {
	o.Helper()
	filter := authz.MembershipFilter{Organization: in.ID, Statuses: []authz.Status{authz.StatusActive, authz.StatusInactive, authz.StatusPending}}
	emails := map[id.Membership]string{}
	for _, m := range everything(o, func(r page.Request) (page.Page[authz.Member], error) {
		return o.rules.ListMembers(context.Background(), o.c, filter, r)
	}) {
		emails[m.ID] = m.Person.Email
		name := m.Person.Email + " of " + in.Name
		if _, twice := o.world["member "+name]; twice {
			o.Errorf("I7: two memberships of %s", name)
		}
		if len(m.Held) == 0 || len(m.Held) > 1 && !o.multiple {
			o.Errorf("I6: %s has %d roles", name, len(m.Held))
		}
		o.world["member "+name] = string(m.Status) + " holds " + o.held(in, m)
		o.world["assigned member "+name] = o.assigned(in, authz.AssignmentFilter{Membership: m.ID})
		o.rights(in, m, name)
	}
	return emails
}

// held tells the effective roles of a member, each with where it comes from.
func (o *observer) held(in tenant, m authz.Member) string {
	var all []string
	seen := map[id.Role]bool{}
	for _, h := range m.Held {
		if seen[h.Role.ID] {
			o.Errorf("%s holds %s twice", m.ID, h.Role.Slug)
		}
		seen[h.Role.ID] = true
		from := string(h.Source)
		switch {
		case h.Assignment == "":
			from = "fallback"
		case h.Group != "":
			from += " " + in.groups[h.Group]
		}
		all = append(all, titled(h.Role)+"="+from)
	}
	return strings.Join(all, " ")
}

// rights writes down what a member may, on the organization and below it, as the rules decide.
func (o *observer) rights(in tenant, m authz.Member, name string) {
	o.Helper()
	var questions []authz.Question
	for _, place := range in.places {
		for _, p := range o.permissions {
			questions = append(questions, authz.Question{Membership: m.ID, Permission: p, Resource: authz.ResourceRef{ID: place}})
		}
	}
	may := map[id.Resource][]string{}
	for some := range slices.Chunk(questions, authz.MaxQuestions) {
		answers, err := o.rules.CheckAll(context.Background(), o.c, some)
		if err != nil {
			o.Fatalf("checking %s: %v", name, err)
		}
		for i, a := range answers {
			if a.Decision.Authorized {
				may[some[i].Resource.ID] = append(may[some[i].Resource.ID], some[i].Permission)
			}
		}
	}
	for _, place := range in.places {
		sort.Strings(may[place])
		o.world["rights of "+name+" on "+in.resources[place]] = strings.Join(may[place], " ")
	}
}

// assigned tells the assignments of a subject as they are stored. One whose role is gone waits to be moved.
func (o *observer) assigned(in tenant, f authz.AssignmentFilter) string {
	o.Helper()
	var all []string
	for _, a := range stored(o, func(tx authz.Reader, r page.Request) (page.Page[authz.Assignment], error) {
		return tx.Assignments(in.ID, f, r)
	}) {
		role, ok := in.roles[a.Role]
		if !ok {
			role = "gone"
		}
		interval := ""
		if !a.StartsAt.IsZero() {
			interval += " from a time"
		}
		if !a.ExpiresAt.IsZero() {
			interval += " until a time"
		}
		all = append(all, fmt.Sprintf("%s on %s, %s%s", role, in.resources[a.Resource], a.Source, interval))
	}
	sort.Strings(all)
	return strings.Join(all, "; ")
}
