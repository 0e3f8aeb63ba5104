package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// band is an organization with two members and two groups; ada is in both groups, bob in the first.
type band struct {
	env      authz.Environment
	org      authz.Organization
	ada, bob authz.Membership
	g, h     authz.Group
}

func newBand(t *testing.T, db authz.DB) band {
	b := band{env: Environment(t, db, "production")}
	b.org = organizationNamed(t, db, b.env, "acme", nil)
	for i, m := range []*authz.Membership{&b.ada, &b.bob} {
		u := authz.User{ID: id.New[id.User](ids), Environment: b.env.ID, Email: "x", EmailKey: string(rune('a' + i)), CreatedAt: began, UpdatedAt: began}
		*m = authz.Membership{ID: id.New[id.Membership](ids), Environment: b.env.ID, Organization: b.org.ID, User: u.ID, Status: authz.StatusActive, CreatedAt: began, UpdatedAt: began}
		update(t, db, func(tx authz.Tx) error {
			if err := tx.InsertUser(u); err != nil {
				return err
			}
			return tx.InsertMembership(*m)
		})
	}
	b.g, b.h = groupIn(t, db, b.org), groupIn(t, db, b.org)
	update(t, db, func(tx authz.Tx) error {
		for _, in := range []struct {
			g authz.Group
			m authz.Membership
		}{{b.g, b.bob}, {b.g, b.ada}, {b.h, b.ada}} {
			if err := tx.AddGroupMember(in.g, in.m.ID, began); err != nil {
				return err
			}
		}
		return nil
	})
	return b
}

func groupIn(t *testing.T, db authz.DB, org authz.Organization) authz.Group {
	t.Helper()
	var g authz.Group
	fill(t, &g, 1)
	g.ID, g.Environment, g.Organization = id.New[id.Group](ids), org.Environment, org.ID
	update(t, db, func(tx authz.Tx) error { return tx.InsertGroup(g) })
	return g
}

// groups covers what is kept of groups and who is in them.
func groups(t *testing.T, db authz.DB) {
	b := newBand(t, db)
	check := func(want authz.Group) {
		t.Helper()
		view(t, db, func(r authz.Reader) error {
			got, found, err := r.Group(b.env.ID, want.ID)
			same(t, "group", want, got, found)
			return err
		})
	}
	check(b.g)
	b.g = refill(t, b.g, "ID", "Environment", "Organization", "CreatedAt")
	update(t, db, func(tx authz.Tx) error { return tx.UpdateGroup(b.g) })
	check(b.g)
	b.g.Description = nil
	update(t, db, func(tx authz.Tx) error { return tx.UpdateGroup(b.g) })
	check(b.g)

	other := Environment(t, db, "staging")
	who := func(wantG, wantH, wantAda []string) {
		t.Helper()
		view(t, db, func(r authz.Reader) error {
			if _, found, err := r.Group(other.ID, b.h.ID); found || err != nil {
				t.Errorf("I8: a group of another environment was found (%v)", err)
			}
			for _, one := range []struct {
				g    authz.Group
				want []string
			}{{b.g, wantG}, {b.h, wantH}} {
				listed, err := r.GroupMembers(one.g, first(10))
				if err != nil {
					return err
				}
				all, err := r.MembersOf(one.g)
				if err != nil {
					return err
				}
				slices.Sort(all)
				equal(t, "members of a group", one.want, texts(listed.Items, func(m authz.Membership) id.Membership { return m.ID }))
				equal(t, "who is in a group", one.want, texts(all, func(m id.Membership) id.Membership { return m }))
				for _, m := range []authz.Membership{b.ada, b.bob} {
					in, err := r.InGroup(one.g, m.ID)
					if err != nil || in != slices.Contains(one.want, string(m.ID)) {
						t.Errorf("InGroup says %v (%v)", in, err)
					}
				}
			}
			of, err := r.GroupsOf(b.org.ID, b.ada.ID)
			if err != nil {
				return err
			}
			page, err := r.GroupsOfMember(b.org.ID, b.ada.ID, first(10))
			equal(t, "groups of a membership", wantAda, texts(of, func(g id.Group) id.Group { return g }))
			equal(t, "page of the groups of a membership", wantAda, texts(page.Items, func(g authz.Group) id.Group { return g.ID }))
			return err
		})
	}
	ada, bob, g, h := string(b.ada.ID), string(b.bob.ID), string(b.g.ID), string(b.h.ID)
	who([]string{ada, bob}, []string{ada}, []string{g, h})
	update(t, db, func(tx authz.Tx) error { return tx.RemoveGroupMember(b.g, b.ada.ID) })
	who([]string{bob}, []string{ada}, []string{h})
	update(t, db, func(tx authz.Tx) error {
		return tx.DeleteMemberships(authz.MembershipFilter{Organization: b.org.ID, User: b.bob.User})
	})
	who(nil, []string{ada}, []string{h})
	update(t, db, func(tx authz.Tx) error { return tx.DeleteGroup(b.h) })
	view(t, db, func(r authz.Reader) error {
		_, found, err := r.Membership(b.env.ID, b.ada.ID)
		of, err2 := r.GroupsOf(b.org.ID, b.ada.ID)
		if !found || len(of) > 0 || err2 != nil {
			t.Errorf("after its group is gone a membership is there %v, in the groups %v (%v)", found, of, err2)
		}
		return err
	})
}

// assignments covers what is found of assignments by subject, resource, role, source and time.
func assignments(t *testing.T, db authz.DB) {
	b := newBand(t, db)
	home, thing := authz.OrganizationResource(b.org.ID), id.New[id.Resource](ids)
	var made []authz.Assignment
	give := func(m id.Membership, g id.Group, on id.Resource, source authz.Source, due time.Time) authz.Assignment {
		t.Helper()
		a := authz.Assignment{
			ID: id.New[id.Assignment](ids), Environment: b.env.ID, Organization: b.org.ID, Membership: m, Group: g, Role: b.env.DefaultRole,
			Resource: on, Source: source, Explicit: true, ExpiresAt: due, CreatedAt: began, UpdatedAt: began,
		}
		update(t, db, func(tx authz.Tx) error { return tx.InsertAssignment(a, due) })
		made = append(made, a)
		return a
	}
	own := give(b.ada.ID, "", home, authz.SourceManual, time.Time{})
	initial := give(b.ada.ID, "", home, authz.SourceDefault, time.Time{})
	shared := give("", b.g.ID, home, authz.SourceGroup, began.Add(2*time.Hour))
	onThing := give("", b.h.ID, thing, authz.SourceGroup, began.Add(time.Hour))
	bobs := give(b.bob.ID, "", thing, authz.SourceManual, time.Time{})

	view(t, db, func(r authz.Reader) error {
		of, err := r.AssignmentsOf(b.org.ID, []id.Membership{b.ada.ID, b.bob.ID}, nil)
		if err != nil {
			return err
		}
		sameSet(t, "ada's", of[b.ada.ID], own, initial, shared, onThing)
		sameSet(t, "bob's", of[b.bob.ID], shared, bobs)
		if of, err = r.AssignmentsOf(b.org.ID, []id.Membership{b.ada.ID}, []id.Resource{thing}); err != nil {
			return err
		}
		sameSet(t, "ada's on a resource", of[b.ada.ID], onThing)
		for _, on := range [][]id.Resource{nil, {home}, {thing, home}} {
			through, err := r.AssignmentsThrough(b.org.ID, b.ada.ID, on)
			if err != nil {
				return err
			}
			want := []authz.Assignment{shared, onThing}
			if len(on) == 1 {
				want = want[:1]
			}
			sameSet(t, "through groups", through, want...)
		}
		for _, f := range []struct {
			filter authz.AssignmentFilter
			want   []authz.Assignment
		}{
			{authz.AssignmentFilter{Membership: b.ada.ID}, []authz.Assignment{own, initial}},
			{authz.AssignmentFilter{Membership: b.ada.ID, Source: authz.SourceManual}, []authz.Assignment{own}},
			{authz.AssignmentFilter{Group: b.g.ID}, []authz.Assignment{shared}},
			{authz.AssignmentFilter{Resources: []id.Resource{thing}}, []authz.Assignment{onThing, bobs}},
			{authz.AssignmentFilter{Resources: []id.Resource{thing, home}}, made},
			{authz.AssignmentFilter{Roles: []id.Role{b.env.DefaultRole, "role_none"}}, made},
			{authz.AssignmentFilter{Roles: []id.Role{"role_none"}}, nil},
		} {
			got, err := r.Assignments(b.org.ID, f.filter, first(10))
			if err != nil {
				return err
			}
			sameSet(t, "filtered", got.Items, f.want...)
		}
		if _, err := r.Assignments(b.org.ID, authz.AssignmentFilter{Source: authz.SourceManual}, first(10)); err == nil {
			t.Error("assignments of nobody on nothing were listed")
		}
		got, found, err := r.Assignment(b.org.ID, shared.ID)
		same(t, "assignment of a group", shared, got, found)
		return err
	})
	due(t, db, onThing, shared)
	lives(t, db, b, made)
}

// due finds assignments by the time at which they need attention.
func due(t *testing.T, db authz.DB, earlier, later authz.Assignment) {
	t.Helper()
	view(t, db, func(r authz.Reader) error {
		for hours, want := range [][]authz.Assignment{nil, {earlier}, {earlier, later}} {
			got, err := r.AssignmentsDue(began.Add(time.Duration(hours)*time.Hour), 10)
			if err != nil {
				return err
			}
			sameSet(t, "due", got, want...)
		}
		got, err := r.AssignmentsDue(began.Add(9*time.Hour), 1)
		sameSet(t, "the longest due", got, earlier)
		return err
	})
}

// lives covers I5: no assignment outlives its subject.
func lives(t *testing.T, db authz.DB, b band, made []authz.Assignment) {
	t.Helper()
	left := func(want ...authz.Assignment) {
		t.Helper()
		view(t, db, func(r authz.Reader) error {
			got, err := r.Assignments(b.org.ID, authz.AssignmentFilter{Roles: []id.Role{b.env.DefaultRole}}, first(10))
			sameSet(t, "left", got.Items, want...)
			return err
		})
	}
	own, initial, shared, onThing, bobs := made[0], made[1], made[2], made[3], made[4]
	update(t, db, func(tx authz.Tx) error { return tx.DeleteGroup(b.g) })
	left(own, initial, onThing, bobs)
	update(t, db, func(tx authz.Tx) error {
		return tx.DeleteMemberships(authz.MembershipFilter{Organization: b.org.ID, User: b.ada.User})
	})
	left(onThing, bobs)
	update(t, db, func(tx authz.Tx) error { return tx.DeleteAssignments(b.org.ID, []authz.Assignment{bobs, shared}) })
	left(onThing)
}

func texts[T any, I ~string](items []T, of func(T) I) []string {
	var all []string
	for _, i := range items {
		all = append(all, string(of(i)))
	}
	return all
}

func equal(t testing.TB, what string, want, got []string) {
	t.Helper()
	if !slices.Equal(want, got) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// sameSet compares assignments whatever their order.
func sameSet(t testing.TB, what string, got []authz.Assignment, want ...authz.Assignment) {
	t.Helper()
	sorted := func(as []authz.Assignment) []authz.Assignment {
		as = append([]authz.Assignment{}, as...)
		slices.SortFunc(as, func(a, b authz.Assignment) int { return slices.Compare([]byte(a.ID), []byte(b.ID)) })
		return as
	}
	if d := cmp.Diff(sorted(want), sorted(got)); d != "" {
		t.Errorf("%s assignments: stored (-) and found (+) differ:\n%s", what, d)
	}
}

// ComparePages compares every page of a list, in every order and from every cursor, with the same cut from a slice in
// the order of creation.
func ComparePages(t testing.TB, made []string, stranger string, list func(page.Request) (ids []string, before, after string, err error)) {
	t.Helper()
	for _, order := range []page.Order{page.Desc, page.Asc, page.Normal} {
		for _, limit := range []int{1, 3, len(made), len(made) + 1} {
			for _, cursor := range append([]string{"", stranger}, made...) {
				for _, r := range []page.Request{{Limit: limit, Order: order, After: cursor}, {Limit: limit, Order: order, Before: cursor}} {
					items, before, after := NaivePage(made, r)
					got, gotBefore, gotAfter, err := list(r)
					if err != nil || !slices.Equal(got, items) || gotBefore != before || gotAfter != after {
						t.Fatalf("%+v (%v):\n got %v before %q after %q\nwant %v before %q after %q", r, err, got, gotBefore, gotAfter, items, before, after)
					}
				}
			}
		}
	}
}
