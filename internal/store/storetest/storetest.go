// Package storetest is the conformance suite of the storage contract: what every implementation of authz.DB must do,
// run on each database by the tests of package store.
package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
)

// Open opens an empty database for one test and closes it when the test ends.
type Open func(testing.TB) authz.DB

// Run runs the whole suite.
func Run(t *testing.T, open Open) {
	for name, test := range map[string]func(*testing.T, authz.DB){
		"every field is kept":                 everyField,
		"updates are all or nothing":          allOrNothing,
		"views are one snapshot":              oneSnapshot,
		"environments are walls":              walls,
		"groups have members":                 groups,
		"assignments are found":               assignments,
		"text is compared to the letter":      toTheLetter,
		"lists read in every direction":       lists,
		"search takes wildcards literally":    search,
		"events get places after commit":      places,
		"expired rows are removed in batches": expiry,
		"resources above and below resources": resourceTrees,
		"resources are listed by any filter":  resourceLists,
		"what needs a resource type":          typeUse,
		"things are counted up to a limit":    counts,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// began is when the suite's clock stands.
var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var ids = id.NewSource(func() time.Time { return began }, nil)

func update(t testing.TB, db authz.DB, fn func(authz.Tx) error) {
	t.Helper()
	if err := db.Update(context.Background(), fn); err != nil {
		t.Fatalf("Update: %v", err)
	}
}

func view(t testing.TB, db authz.DB, fn func(authz.Reader) error) {
	t.Helper()
	if err := db.View(context.Background(), fn); err != nil {
		t.Fatalf("View: %v", err)
	}
}

// fill gives every field of a struct a value that is not its zero value and differs from call to call, so that a field
// the store forgets is noticed. It fails for a type of field that it does not know.
func fill(t testing.TB, into any, round int) {
	t.Helper()
	v := reflect.ValueOf(into).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		fillField(t, v.Field(i), fmt.Sprintf("%s %d", strings.ToLower(name), round), round)
	}
}

func fillField(t testing.TB, f reflect.Value, text string, round int) {
	t.Helper()
	instant := began.Add(time.Duration(round)*time.Hour + 7*time.Millisecond)
	switch f.Interface().(type) {
	case time.Time:
		f.Set(reflect.ValueOf(instant))
		return
	case map[string]string:
		f.Set(reflect.ValueOf(map[string]string{"key": text, "sign": "<&>\u2028"}))
		return
	case []authz.Domain:
		f.Set(reflect.ValueOf([]authz.Domain{{
			ID: id.New[id.Domain](ids), Name: fmt.Sprintf("d%d.example", round), State: authz.DomainPending, CreatedAt: instant, UpdatedAt: instant,
		}}))
		return
	case *string:
		f.Set(reflect.ValueOf(&text))
		return
	case []string:
		f.Set(reflect.ValueOf([]string{}))
		return
	case []byte:
		f.Set(reflect.ValueOf([]byte(text)))
		return
	case json.RawMessage:
		f.Set(reflect.ValueOf(json.RawMessage(`{"text":"` + text + ` <&> \u2028"}`)))
		return
	}
	switch f.Kind() {
	case reflect.String:
		f.SetString(text)
	case reflect.Bool:
		f.SetBool(round%2 == 1)
	case reflect.Int, reflect.Int64:
		f.SetInt(int64(200 + round))
	default:
		t.Fatalf("storetest cannot fill a field of type %s; teach it to", f.Type())
	}
}

// refill fills a copy anew, but for the fields that never change.
func refill[T any](t testing.TB, old T, fixed ...string) T {
	t.Helper()
	renewed := old
	fill(t, &renewed, 2)
	for _, name := range fixed {
		reflect.ValueOf(&renewed).Elem().FieldByName(name).Set(reflect.ValueOf(old).FieldByName(name))
	}
	return renewed
}

// Environment makes an environment with its default role, straight in the store.
func Environment(t testing.TB, db authz.DB, name string) authz.Environment {
	t.Helper()
	var e authz.Environment
	fill(t, &e, 1)
	e.ID, e.Name = id.New[id.Environment](ids), name
	r := authz.Role{
		ID: id.New[id.Role](ids), Environment: e.ID, Slug: authz.SeededRole, Name: "Member", ResourceType: authz.OrganizationType,
		CreatedAt: began, UpdatedAt: began,
	}
	e.DefaultRole = r.ID
	update(t, db, func(tx authz.Tx) error {
		if err := tx.InsertEnvironment(e); err != nil {
			return err
		}
		if err := tx.InsertRole(r); err != nil {
			return err
		}
		return tx.SetDefaultRole(e.ID, "", r.ID, began)
	})
	return e
}

func same[T any](t testing.TB, what string, want T, got T, found bool) {
	t.Helper()
	if !found {
		t.Fatalf("%s: not found after it was stored", what)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s: stored (-) and read (+) differ:\n%s", what, d)
	}
}

func everyField(t *testing.T, db authz.DB) {
	env := Environment(t, db, "production")
	view(t, db, func(r authz.Reader) error {
		got, found, err := r.Environment(env.ID)
		same(t, "environment", env, got, found)
		return err
	})
	permission := keepPermission(t, db, env)
	keepRole(t, db, env, permission)
	org := keepOrganization(t, db, env)
	user := keepUser(t, db, env)
	keepMembership(t, db, env, org, user)
	keepEventAndReceipt(t, db, env)
	keepResourceType(t, db, env)
	keepResource(t, db, env, org)
}

func keepPermission(t *testing.T, db authz.DB, env authz.Environment) authz.Permission {
	var p authz.Permission
	fill(t, &p, 1)
	p.ID, p.Environment, p.Slug = id.New[id.Permission](ids), env.ID, "invoices:read"
	check := func(want authz.Permission) {
		t.Helper()
		view(t, db, func(r authz.Reader) error {
			got, found, err := r.Permission(env.ID, want.Slug)
			same(t, "permission", want, got, found)
			return err
		})
	}
	update(t, db, func(tx authz.Tx) error { return tx.InsertPermission(p) })
	check(p)
	p = refill(t, p, "ID", "Environment", "Slug", "System", "ResourceType", "CreatedAt")
	update(t, db, func(tx authz.Tx) error { return tx.UpdatePermission(p) })
	check(p)
	return p
}

func keepRole(t *testing.T, db authz.DB, env authz.Environment, p authz.Permission) {
	var role authz.Role
	fill(t, &role, 1)
	role.ID, role.Environment, role.Organization, role.Slug = id.New[id.Role](ids), env.ID, "", "auditor"
	role.Ordinal = 2 // the second environment role; the store counts
	role.RetiredAt, role.Replacement = time.Time{}, ""
	check := func(want authz.Role) {
		t.Helper()
		view(t, db, func(r authz.Reader) error {
			got, found, err := r.Role(env.ID, "", want.Slug)
			same(t, "role", want, got, found)
			return err
		})
	}
	update(t, db, func(tx authz.Tx) error { return tx.InsertRole(role) })
	check(role)
	role = refill(t, role, "ID", "Environment", "Organization", "Slug", "ResourceType", "Ordinal", "RetiredAt", "Replacement", "CreatedAt")
	role.Permissions = []string{p.Slug}
	update(t, db, func(tx authz.Tx) error { return tx.UpdateRole(role) })
	check(role)
	update(t, db, func(tx authz.Tx) error { return tx.DeletePermission(p, role.UpdatedAt) })
	role.Permissions = []string{}
	check(role)
	role.RetiredAt, role.Replacement = began.Add(time.Hour), env.DefaultRole
	update(t, db, func(tx authz.Tx) error { return tx.RetireRole(role) })
	view(t, db, func(r authz.Reader) error {
		for _, slug := range []string{role.Slug, "~" + string(role.ID)} {
			if _, found, err := r.Role(env.ID, "", slug); err != nil || found {
				t.Errorf("a retired role is found as %q (%v)", slug, err)
			}
		}
		standing, _, err := r.Standing(env.ID, "")
		roles := standing.Roles
		at := slices.IndexFunc(roles, func(r authz.Role) bool { return r.ID == role.ID })
		if at < 0 || !roles[at].RetiredAt.Equal(role.RetiredAt) || roles[at].Replacement != role.Replacement {
			t.Errorf("a retired role is kept as %+v", roles)
		}
		return err
	})
}

func keepOrganization(t *testing.T, db authz.DB, env authz.Environment) authz.Organization {
	var org authz.Organization
	fill(t, &org, 1)
	org.ID, org.Environment, org.DefaultRole = id.New[id.Organization](ids), env.ID, ""
	check := func(want authz.Organization) {
		t.Helper()
		view(t, db, func(r authz.Reader) error {
			got, found, err := r.Organization(env.ID, want.ID)
			same(t, "organization", want, got, found)
			return err
		})
	}
	update(t, db, func(tx authz.Tx) error { return tx.InsertOrganization(org) })
	check(org)
	org = refill(t, org, "ID", "Environment", "DefaultRole", "CreatedAt")
	update(t, db, func(tx authz.Tx) error { return tx.UpdateOrganization(org) })
	check(org)
	update(t, db, func(tx authz.Tx) error { return tx.SetDefaultRole(env.ID, org.ID, env.DefaultRole, began) })
	org.DefaultRole = env.DefaultRole
	check(org)
	return org
}

func keepUser(t *testing.T, db authz.DB, env authz.Environment) authz.User {
	var u authz.User
	fill(t, &u, 1)
	u.ID, u.Environment = id.New[id.User](ids), env.ID
	check := func(want authz.User) {
		t.Helper()
		view(t, db, func(r authz.Reader) error {
			got, found, err := r.User(env.ID, want.ID)
			same(t, "user", want, got, found)
			return err
		})
	}
	update(t, db, func(tx authz.Tx) error { return tx.InsertUser(u) })
	check(u)
	u = refill(t, u, "ID", "Environment", "CreatedAt")
	update(t, db, func(tx authz.Tx) error { return tx.UpdateUser(u) })
	check(u)
	u.LastSignInAt, u.ExternalID, u.Metadata = time.Time{}, nil, map[string]string{}
	update(t, db, func(tx authz.Tx) error { return tx.UpdateUser(u) })
	check(u)
	return u
}

func keepMembership(t *testing.T, db authz.DB, env authz.Environment, org authz.Organization, u authz.User) {
	var m authz.Membership
	fill(t, &m, 1)
	m.ID, m.Environment, m.Organization, m.User = id.New[id.Membership](ids), env.ID, org.ID, u.ID
	m.Shown = []string{"admin", "org-b"}
	check := func(want authz.Membership) {
		t.Helper()
		view(t, db, func(r authz.Reader) error {
			got, found, err := r.Membership(env.ID, want.ID)
			same(t, "membership", want, got, found)
			return err
		})
	}
	update(t, db, func(tx authz.Tx) error { return tx.InsertMembership(m) })
	check(m)
	m = refill(t, m, "ID", "Environment", "Organization", "User", "CreatedAt")
	m.Shown = nil
	update(t, db, func(tx authz.Tx) error { return tx.UpdateMembership(m) })
	check(m)
	var a authz.Assignment
	fill(t, &a, 1)
	a.ID, a.Environment, a.Organization, a.Membership, a.Group, a.Role = id.New[id.Assignment](ids), env.ID, org.ID, m.ID, "", env.DefaultRole
	update(t, db, func(tx authz.Tx) error { return tx.InsertAssignment(a, time.Time{}) })
	kept := func() []authz.Assignment {
		var got map[id.Membership][]authz.Assignment
		view(t, db, func(r authz.Reader) (err error) {
			got, err = r.AssignmentsOf(org.ID, []id.Membership{m.ID}, nil)
			return err
		})
		return got[m.ID]
	}
	same(t, "assignments", []authz.Assignment{a}, kept(), true)
	a = refill(t, a, "ID", "Environment", "Organization", "Membership", "Group", "Role", "Resource", "CreatedAt")
	update(t, db, func(tx authz.Tx) error { return tx.UpdateAssignment(a, a.ExpiresAt) })
	same(t, "assignments", []authz.Assignment{a}, kept(), true)
	update(t, db, func(tx authz.Tx) error { return tx.DeleteMemberships(authz.MembershipFilter{Organization: org.ID}) })
	if len(kept()) != 0 {
		t.Error("I5: assignments outlive their membership")
	}
}

func keepEventAndReceipt(t *testing.T, db authz.DB, env authz.Environment) {
	var e event.Event
	fill(t, &e, 1)
	e.ID, e.Environment = id.New[id.Event](ids), env.ID
	var rc authz.Receipt
	fill(t, &rc, 1)
	update(t, db, func(tx authz.Tx) error {
		if err := tx.InsertEvents([]event.Event{e}); err != nil {
			return err
		}
		return tx.PutReceipt(rc)
	})
	if _, err := db.PlaceEvents(context.Background(), env.ID, math.MaxInt64, 10); err != nil {
		t.Fatal(err)
	}
	view(t, db, func(r authz.Reader) error {
		got, err := r.Events(env.ID, authz.EventFilter{}, first(10))
		if err != nil {
			return err
		}
		same(t, "events", []event.Event{e}, got.Items, true)
		kept, found, err := r.Receipt(rc.Owner, rc.Key)
		same(t, "receipt", rc, kept, found)
		return err
	})
	renewed := refill(t, rc, "Owner", "Key")
	update(t, db, func(tx authz.Tx) error { return tx.PutReceipt(renewed) })
	view(t, db, func(r authz.Reader) error {
		kept, found, err := r.Receipt(rc.Owner, rc.Key)
		same(t, "renewed receipt", renewed, kept, found)
		return err
	})
}
