package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// World is everything in an environment as its rules show it, in words without ids and times, so that worlds made in
// different runs can be compared. Keys say what, values say how it stands.
type World map[string]string

// Look reads the world of an environment through the rules, and fails the test when an invariant does not hold.
func Look(t testing.TB, rules *authz.Service, c authz.Caller) World {
	t.Helper()
	w := World{}
	ctx := context.Background()
	permissions := everything(t, func(r page.Request) (page.Page[authz.Permission], error) { return rules.ListPermissions(ctx, c, r) })
	for _, p := range permissions {
		w["permission "+p.Slug] = p.Name
	}
	w.lookAtPolicy(t, rules, c, "", "environment")
	orgs := everything(t, func(r page.Request) (page.Page[authz.Organization], error) {
		return rules.ListOrganizations(ctx, c, authz.OrganizationFilter{}, r)
	})
	for _, o := range orgs {
		w["organization "+o.Name] = fmt.Sprint(o.Metadata)
		w.lookAtPolicy(t, rules, c, o.ID, "organization "+o.Name)
		w.lookAtMembers(t, rules, c, o, permissions)
	}
	for _, u := range everything(t, func(r page.Request) (page.Page[authz.User], error) { return rules.ListUsers(ctx, c, "", "", r) }) {
		w["user "+u.Email] = fmt.Sprint(u.Metadata)
	}
	return w
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

// lookAtPolicy checks I1-I4, I9 and I10 and writes the roles down.
func (w World) lookAtPolicy(t testing.TB, rules *authz.Service, c authz.Caller, org id.Organization, owner string) {
	t.Helper()
	p, err := rules.Policy(context.Background(), c, org)
	if err != nil {
		t.Fatalf("reading the policy of %s: %v", owner, err)
	}
	seen := map[string]bool{}
	var order []string
	member := false
	for _, r := range p.Roles {
		kind := "environment"
		if r.Custom() {
			kind = "custom"
		}
		name := kind + ":" + r.Slug
		if seen[name] {
			t.Errorf("I1: %s has two roles %s", owner, name)
		}
		seen[name] = true
		order = append(order, name)
		member = member || name == "environment:"+authz.SeededRole
		if r.Custom() && !p.Own {
			t.Errorf("I3: %s has a custom role and no order of its own", owner)
		}
		if !slices.IsSorted(r.Permissions) || len(slices.Compact(slices.Clone(r.Permissions))) != len(r.Permissions) {
			t.Errorf("I10: role %s of %s holds %v", name, owner, r.Permissions)
		}
		for _, slug := range r.Permissions {
			if _, known := w["permission "+slug]; !known {
				t.Errorf("I10: role %s of %s holds the unknown permission %s", name, owner, slug)
			}
		}
		w[owner+" role "+name] = r.Name + " " + strings.Join(r.Permissions, ",")
	}
	if !member {
		t.Errorf("I9: %s has no role member", owner)
	}
	d, ok := p.DefaultRole()
	if !ok {
		t.Errorf("I2, I3: the default role of %s is not one of its roles", owner)
	}
	w[owner+" order"] = strings.Join(order, " ")
	w[owner+" default"] = d.Slug
	w[owner+" own"] = fmt.Sprint(p.Own)
}

// lookAtMembers checks I6 and that list and check agree, and writes the members down.
func (w World) lookAtMembers(t testing.TB, rules *authz.Service, c authz.Caller, o authz.Organization, permissions []authz.Permission) {
	t.Helper()
	ctx := context.Background()
	filter := authz.MembershipFilter{Organization: o.ID, Statuses: []authz.Status{authz.StatusActive, authz.StatusInactive, authz.StatusPending}}
	members := everything(t, func(r page.Request) (page.Page[authz.Member], error) { return rules.ListMembers(ctx, c, filter, r) })
	for _, m := range members {
		name := "member " + m.Person.Email + " of " + o.Name
		if _, twice := w[name]; twice {
			t.Errorf("I7: two memberships of %s", name)
		}
		if len(m.Held) != 1 {
			t.Fatalf("I6: %s has %d roles", name, len(m.Held))
		}
		var may []string
		for _, p := range permissions {
			d, err := rules.Check(ctx, c, authz.Question{Membership: m.ID, Permission: p.Slug})
			if err != nil {
				t.Fatalf("checking %s: %v", name, err)
			}
			if d.Authorized {
				may = append(may, p.Slug)
			}
		}
		sort.Strings(may)
		w[name] = fmt.Sprintf("%s %s custom=%v source=%s may %v", m.Status, m.Held[0].Role.Slug, m.Held[0].Role.Custom(), m.Held[0].Source, may)
	}
}

// Mirror checks that the events tell the whole story (I11): a copy of the environment built from nothing but its events
// shows what the rules show.
func Mirror(t testing.TB, rules *authz.Service, c authz.Caller) {
	t.Helper()
	ctx := context.Background()
	events := everything(t, func(r page.Request) (page.Page[event.Event], error) {
		return rules.ListEvents(ctx, c, authz.EventFilter{}, r)
	})
	mirrored := map[string]string{}
	for _, e := range events {
		mirror(t, mirrored, e)
	}
	want := map[string]string{}
	keep := func(key string, v any) { want[key] = encoded(t, v) }
	for _, p := range everything(t, func(r page.Request) (page.Page[authz.Permission], error) { return rules.ListPermissions(ctx, c, r) }) {
		keep("permission "+string(p.ID), p.Payload())
	}
	for _, u := range everything(t, func(r page.Request) (page.Page[authz.User], error) { return rules.ListUsers(ctx, c, "", "", r) }) {
		keep("user "+string(u.ID), u.Payload())
	}
	orgs := everything(t, func(r page.Request) (page.Page[authz.Organization], error) {
		return rules.ListOrganizations(ctx, c, authz.OrganizationFilter{}, r)
	})
	owners := []id.Organization{""}
	for _, o := range orgs {
		keep("organization "+string(o.ID), o.Payload())
		owners = append(owners, o.ID)
		filter := authz.MembershipFilter{Organization: o.ID, Statuses: []authz.Status{authz.StatusActive, authz.StatusInactive, authz.StatusPending}}
		for _, m := range everything(t, func(r page.Request) (page.Page[authz.Member], error) { return rules.ListMembers(ctx, c, filter, r) }) {
			want["organization_membership "+string(m.ID)] = fmt.Sprint(m.Status, " ", m.Held[0].Role.Slug)
		}
	}
	for _, owner := range owners {
		roles, err := rules.ListRoles(ctx, c, owner)
		if err != nil {
			t.Fatalf("listing roles: %v", err)
		}
		for _, r := range roles {
			if r.Organization == owner {
				want["role "+string(owner)+" "+r.Slug] = strings.Join(r.Permissions, ",")
			}
		}
	}
	// The seeded role has no event before its first change; a member's roles change without one when a role under it
	// is not his but the default he falls back to, which no operation so far leads to.
	if _, seen := mirrored["role  "+authz.SeededRole]; !seen {
		delete(want, "role  "+authz.SeededRole)
	}
	if d := cmp.Diff(want, mirrored); d != "" {
		t.Errorf("I11: what is (-) and what the events tell (+) differ:\n%s", d)
	}
}

func mirror(t testing.TB, into map[string]string, e event.Event) {
	t.Helper()
	var data struct {
		ID          string
		Slug        string
		Org         string `json:"organization_id"`
		Status      string
		Role        event.Slim
		Permissions []string
	}
	if err := json.Unmarshal(e.Data, &data); err != nil {
		t.Fatalf("event %s: %v", e.ID, err)
	}
	noun, verb, _ := strings.Cut(string(e.Type), ".")
	key, value := noun+" "+data.ID, encoded(t, e.Data)
	switch noun {
	case "role", "organization_role":
		key, value = "role "+data.Org+" "+data.Slug, strings.Join(data.Permissions, ",")
	case "organization_membership":
		value = data.Status + " " + data.Role.Slug
	}
	_, known := into[key]
	switch {
	case verb == "deleted":
		if !known {
			t.Errorf("I11: %s of something unknown: %s", e.Type, e.Data)
		}
		delete(into, key)
	case verb == "created" && known:
		t.Errorf("I11: %s of something known: %s", e.Type, e.Data)
	default:
		into[key] = value
	}
}

// encoded is JSON with its keys sorted.
func encoded(t testing.TB, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var plain any
	if err := json.Unmarshal(raw, &plain); err != nil {
		t.Fatal(err)
	}
	raw, err = json.Marshal(plain)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
