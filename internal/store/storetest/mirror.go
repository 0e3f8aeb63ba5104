package storetest

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// Worker is the name under which Settle works.
const Worker = "storetest"

// mostBatches is more than any test has work for.
const mostBatches = 1000

// Settle does all the work that follows changes, and fails the test when some of it cannot be done or is left.
func Settle(t testing.TB, rules *authz.Service, c authz.Caller) {
	t.Helper()
	ctx := context.Background()
	for worked, batches := true, 0; worked; batches++ {
		var err error
		if worked, err = rules.Work(ctx, Worker); err != nil {
			t.Fatalf("working on what follows changes: %v", err)
		}
		if batches > mostBatches {
			t.Fatal("the work that follows changes never ends")
		}
	}
	for _, j := range everything(t, func(r page.Request) (page.Page[authz.Job], error) { return rules.ListJobs(ctx, c, r) }) {
		if j.FinishedAt.IsZero() {
			t.Errorf("the job %s (%s) is left unfinished, held by %q", j.ID, j.Kind, j.HeldBy)
		}
		if j.Total > 0 && j.Done > j.Total {
			t.Errorf("the job %s (%s) did %d of %d", j.ID, j.Kind, j.Done, j.Total)
		}
	}
}

// Mirror does the work that follows changes and then checks that the events tell the whole story (I11): a copy of the
// environment built from nothing but its events shows what there is.
func Mirror(t testing.TB, db authz.DB, rules *authz.Service, c authz.Caller) {
	t.Helper()
	Settle(t, rules, c)
	ctx := context.Background()
	events := everything(t, func(r page.Request) (page.Page[event.Event], error) {
		return rules.ListEvents(ctx, c, authz.EventFilter{}, r)
	})
	mirrored := map[string]string{}
	for _, e := range events {
		mirror(t, mirrored, e)
	}
	o := &observer{TB: t, db: db, rules: rules, c: c, world: World{}}
	o.keepAll()
	// The seeded role has no event before its first change.
	if _, seen := mirrored["role  "+authz.SeededRole]; !seen {
		delete(o.world, "role  "+authz.SeededRole)
	}
	if d := cmp.Diff(map[string]string(o.world), mirrored); d != "" {
		t.Errorf("I11: what is (-) and what the events tell (+) differ:\n%s", d)
	}
}

// keepAll writes down what there is in the words of events.
func (o *observer) keepAll() {
	o.Helper()
	ctx := context.Background()
	for _, p := range everything(o, func(r page.Request) (page.Page[authz.Permission], error) {
		return o.rules.ListPermissions(ctx, o.c, r)
	}) {
		o.world["permission "+string(p.ID)] = encoded(o, p.Payload())
	}
	for _, u := range everything(o, func(r page.Request) (page.Page[authz.User], error) {
		return o.rules.ListUsers(ctx, o.c, authz.UserFilter{}, r)
	}) {
		o.world["user "+string(u.ID)] = encoded(o, u.Payload())
	}
	o.keepRoles("")
	for _, org := range everything(o, func(r page.Request) (page.Page[authz.Organization], error) {
		return o.rules.ListOrganizations(ctx, o.c, authz.OrganizationFilter{}, r)
	}) {
		o.world["organization "+string(org.ID)] = encoded(o, org.Payload())
		o.keepRoles(org.ID)
		o.keepMembers(org.ID)
		o.keepGroups(org.ID)
	}
}

func (o *observer) keepRoles(owner id.Organization) {
	o.Helper()
	roles, err := o.rules.ListRoles(context.Background(), o.c, owner)
	if err != nil {
		o.Fatalf("listing roles: %v", err)
	}
	for _, r := range roles {
		if r.Organization == owner {
			o.world["role "+string(owner)+" "+r.Slug] = strings.Join(r.Permissions, ",")
		}
	}
}

// keepMembers checks beside that every membership remembers what its last event showed.
func (o *observer) keepMembers(org id.Organization) {
	o.Helper()
	filter := authz.MembershipFilter{Organization: org, Statuses: []authz.Status{authz.StatusActive, authz.StatusInactive, authz.StatusPending}}
	for _, m := range everything(o, func(r page.Request) (page.Page[authz.Member], error) {
		return o.rules.ListMembers(context.Background(), o.c, filter, r)
	}) {
		var roles []string
		for _, h := range m.Held {
			roles = append(roles, h.Role.Slug)
		}
		if !slices.Equal(m.Shown, roles) {
			o.Errorf("I11: %s holds %v and shows %v", m.ID, roles, m.Shown)
		}
		o.world["organization_membership "+string(m.ID)] = string(m.Status) + " " + strings.Join(roles, ",")
	}
}

func (o *observer) keepGroups(org id.Organization) {
	o.Helper()
	for _, g := range stored(o, func(tx authz.Reader, r page.Request) (page.Page[authz.Group], error) { return tx.Groups(org, r) }) {
		o.world["group "+string(g.ID)] = encoded(o, g.Payload())
		for _, m := range stored(o, func(tx authz.Reader, r page.Request) (page.Page[authz.Membership], error) {
			return tx.GroupMembers(g, r)
		}) {
			o.world["group member "+string(g.ID)+" "+string(m.ID)] = "in"
		}
	}
}

// told is what a mirror reads of an event's payload.
type told struct {
	ID          string
	Slug        string
	Org         string `json:"organization_id"`
	Status      string
	Role        event.Slim
	Roles       []event.Slim
	Permissions []string
	Group       string `json:"group_id"`
	Member      string `json:"organization_membership_id"`
}

func mirror(t testing.TB, into map[string]string, e event.Event) {
	t.Helper()
	var data told
	if err := json.Unmarshal(e.Data, &data); err != nil {
		t.Fatalf("event %s: %v", e.ID, err)
	}
	noun, verb, _ := strings.Cut(string(e.Type), ".")
	key, value := noun+" "+data.ID, encoded(t, e.Data)
	switch {
	case noun == "role", noun == "organization_role":
		key, value = "role "+data.Org+" "+data.Slug, strings.Join(data.Permissions, ",")
	case noun == "organization_membership":
		value = data.Status + " " + roleNames(t, data)
	case data.Group != "":
		key, value = "group member "+data.Group+" "+data.Member, "in"
	}
	_, known := into[key]
	switch verb {
	case "deleted", "member_removed":
		if !known {
			t.Errorf("I11: %s of something unknown: %s", e.Type, e.Data)
		}
		delete(into, key)
		if noun == "group" && verb == "deleted" {
			emptyGroup(into, data.ID)
		}
		return
	case "created", "member_added":
		if known {
			t.Errorf("I11: %s of something known: %s", e.Type, e.Data)
		}
	}
	into[key] = value
}

func roleNames(t testing.TB, data told) string {
	t.Helper()
	var slugs []string
	for _, r := range data.Roles {
		slugs = append(slugs, r.Slug)
	}
	if len(slugs) == 0 || slugs[0] != data.Role.Slug {
		t.Errorf("a membership is told of with the role %q and the roles %v", data.Role.Slug, slugs)
	}
	return strings.Join(slugs, ",")
}

// emptyGroup forgets who was in a group that is gone.
func emptyGroup(into map[string]string, group string) {
	for key := range into {
		if strings.HasPrefix(key, "group member "+group+" ") {
			delete(into, key)
		}
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
