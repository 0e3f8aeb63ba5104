package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

func first(limit int) page.Request { return page.Request{Limit: limit, Order: page.Asc} }

// organizationNamed stores a small organization.
func organizationNamed(t testing.TB, db authz.DB, env authz.Environment, name string, externalID *string) authz.Organization {
	t.Helper()
	o := authz.Organization{
		ID: id.New[id.Organization](ids), Environment: env.ID, Name: name, SearchKey: name, ExternalID: externalID,
		Metadata: map[string]string{}, Domains: []authz.Domain{}, CreatedAt: began, UpdatedAt: began,
	}
	update(t, db, func(tx authz.Tx) error { return tx.InsertOrganization(o) })
	return o
}

func allOrNothing(t *testing.T, db authz.DB) {
	env := Environment(t, db, "production")
	stop := errors.New("stop")
	err := db.Update(context.Background(), func(tx authz.Tx) error {
		e := event.Event{ID: id.New[id.Event](ids), Environment: env.ID, Type: "x", Data: []byte("{}"), Context: []byte("{}"), CreatedAt: began}
		if err := tx.InsertEvents([]event.Event{e}); err != nil {
			return err
		}
		return stop
	})
	if !errors.Is(err, stop) {
		t.Fatalf("Update returned %v, want the error of its function", err)
	}
	view(t, db, func(r authz.Reader) error {
		_, unplaced, err := r.LastUnplaced(env.ID)
		if unplaced {
			t.Error("a refused update left a row")
		}
		return err
	})
}

func oneSnapshot(t *testing.T, db authz.DB) {
	env := Environment(t, db, "production")
	view(t, db, func(r authz.Reader) error {
		before, err := r.Organizations(env.ID, authz.OrganizationFilter{}, first(10))
		if err != nil {
			return err
		}
		organizationNamed(t, db, env, "made meanwhile", nil)
		after, err := r.Organizations(env.ID, authz.OrganizationFilter{}, first(10))
		if len(after.Items) != len(before.Items) {
			t.Error("a view saw a change committed after it began")
		}
		return err
	})
}

func walls(t *testing.T, db authz.DB) {
	mine, theirs := Environment(t, db, "production"), Environment(t, db, "staging")
	external := "shared"
	o := organizationNamed(t, db, theirs, "theirs", &external)
	organizationNamed(t, db, mine, "mine", &external) // the same external id in another environment is another thing
	u := authz.User{ID: id.New[id.User](ids), Environment: theirs.ID, Email: "a@b.example", EmailKey: "a@b.example", ExternalID: &external, CreatedAt: began, UpdatedAt: began}
	m := authz.Membership{ID: id.New[id.Membership](ids), Environment: theirs.ID, Organization: o.ID, User: u.ID, Status: authz.StatusActive, CreatedAt: began, UpdatedAt: began}
	update(t, db, func(tx authz.Tx) error {
		if err := tx.InsertUser(u); err != nil {
			return err
		}
		return tx.InsertMembership(m)
	})
	view(t, db, func(r authz.Reader) error {
		_, org, err1 := r.Organization(mine.ID, o.ID)
		_, user, err2 := r.User(mine.ID, u.ID)
		_, mail, err3 := r.UserByEmailKey(mine.ID, u.EmailKey)
		_, ext, err4 := r.UserByExternalID(mine.ID, external)
		_, membership, err5 := r.Membership(mine.ID, m.ID)
		list, err6 := r.Memberships(mine.ID, authz.MembershipFilter{User: u.ID}, first(10))
		users, err7 := r.Users(mine.ID, authz.UserFilter{Organization: o.ID}, first(10))
		if org || user || mail || ext || membership || len(list.Items) > 0 || len(users.Items) > 0 {
			t.Error("I8: something of another environment was found")
		}
		return errors.Join(err1, err2, err3, err4, err5, err6, err7)
	})
}

// toTheLetter covers case, blanks and accents, which some collations take for equal (security case 11).
func toTheLetter(t *testing.T, db authz.DB) {
	env := Environment(t, db, "production")
	spellings := []string{"abc", "ABC", "abc ", " abc", "äbc", "a\u0308bc", "abc\u200b", "a-bc", "a_bc"}
	var orgs []authz.Organization
	for _, s := range spellings {
		orgs = append(orgs, organizationNamed(t, db, env, s, &s))
	}
	view(t, db, func(r authz.Reader) error {
		for i, s := range spellings {
			got, found, err := r.OrganizationByExternalID(env.ID, s)
			if err != nil {
				return err
			}
			if !found || got.ID != orgs[i].ID {
				t.Errorf("external id %q found %v %s, want %s", s, found, got.ID, orgs[i].ID)
			}
		}
		return nil
	})
}

func search(t *testing.T, db authz.DB) {
	env := Environment(t, db, "production")
	for _, name := range []string{"100% cotton", "1000 cotton", "under_score", "underXscore", `back\slash`, "grün"} {
		organizationNamed(t, db, env, name, nil)
	}
	for wanted, hits := range map[string]int{"100%": 1, "r_s": 1, `k\s`: 1, "ü": 1, "cotton": 2, "%": 1, "nothing": 0} {
		view(t, db, func(r authz.Reader) error {
			got, err := r.Organizations(env.ID, authz.OrganizationFilter{Search: wanted}, first(10))
			if len(got.Items) != hits {
				t.Errorf("search %q found %d, want %d", wanted, len(got.Items), hits)
			}
			return err
		})
	}
}

// lists compares every page of a list, in every order and from every cursor, with the same cut from a slice.
func lists(t *testing.T, db authz.DB) {
	env := Environment(t, db, "production")
	var made []string
	for i := range 7 {
		made = append(made, string(organizationNamed(t, db, env, fmt.Sprint("org ", i), nil).ID))
	}
	cursors := append([]string{""}, made...)
	cursors = append(cursors, string(id.New[id.Organization](ids))) // newer than all, of nothing
	for _, order := range []page.Order{page.Desc, page.Asc, page.Normal} {
		for _, limit := range []int{1, 3, 7, 8} {
			for _, cursor := range cursors {
				comparePage(t, db, env, made, page.Request{Limit: limit, Order: order, After: cursor})
				comparePage(t, db, env, made, page.Request{Limit: limit, Order: order, Before: cursor})
			}
		}
	}
}

func comparePage(t *testing.T, db authz.DB, env authz.Environment, made []string, r page.Request) {
	t.Helper()
	items, before, after := NaivePage(made, r)
	view(t, db, func(tx authz.Reader) error {
		got, err := tx.Organizations(env.ID, authz.OrganizationFilter{}, r)
		if err != nil {
			return err
		}
		var found []string
		for _, o := range got.Items {
			found = append(found, string(o.ID))
		}
		if !slices.Equal(found, items) || got.Before != before || got.After != after {
			t.Errorf("%+v:\n got %v before %q after %q\nwant %v before %q after %q", r, found, got.Before, got.After, items, before, after)
		}
		return nil
	})
}

// NaivePage says what R150-R153 ask for, over a slice in the order of creation.
func NaivePage(made []string, r page.Request) (items []string, before, after string) {
	shown := slices.Clone(made)
	if r.Order != page.Asc {
		slices.Reverse(shown)
	}
	down, up := r.After, r.Before
	if r.Order == page.Normal {
		down, up = r.Before, r.After
	}
	isBelow := func(item, cursor string) bool { // whether an item stands below the place of the cursor
		if r.Order == page.Asc {
			return item > cursor
		}
		return item < cursor
	}
	from, to := 0, len(shown)
	if down != "" {
		for from < len(shown) && !isBelow(shown[from], down) {
			from++
		}
		to = min(to, from+r.Limit)
	} else if up != "" {
		to = 0
		for to < len(shown) && shown[to] != up && !isBelow(shown[to], up) {
			to++
		}
		from = max(0, to-r.Limit)
	} else {
		to = min(to, r.Limit)
	}
	items = shown[from:to]
	if len(items) == 0 {
		return nil, "", ""
	}
	lower, upper := "", ""
	if to < len(shown) {
		lower = items[len(items)-1]
	}
	if from > 0 {
		upper = items[0]
	}
	if r.Order == page.Normal {
		return items, lower, upper
	}
	return items, upper, lower
}

func places(t *testing.T, db authz.DB) {
	env, other := Environment(t, db, "production"), Environment(t, db, "staging")
	var made []id.Event
	insert := func(e id.Environment) {
		ev := event.Event{ID: id.New[id.Event](ids), Environment: e, Type: "x", Data: []byte("{}"), Context: []byte("{}"), CreatedAt: began}
		if e == env.ID {
			made = append(made, ev.ID)
		}
		update(t, db, func(tx authz.Tx) error { return tx.InsertEvents([]event.Event{ev}) })
	}
	place := func(max, want int) {
		t.Helper()
		var last int64
		view(t, db, func(r authz.Reader) (err error) {
			last, _, err = r.LastUnplaced(env.ID)
			return err
		})
		if n, err := db.PlaceEvents(context.Background(), env.ID, last, max); err != nil || n != want {
			t.Errorf("placed %d events (%v), want %d", n, err, want)
		}
		if n, err := db.PlaceEvents(context.Background(), env.ID, 0, max); err != nil || n != 0 {
			t.Errorf("placed %d events beyond the serial asked for (%v)", n, err)
		}
	}
	for range 5 {
		insert(env.ID)
		insert(other.ID)
	}
	place(3, 3)
	place(3, 2)
	place(3, 0)
	insert(env.ID)
	view(t, db, func(r authz.Reader) error {
		if placed, err := r.EventPlaced(env.ID, "", made[5]); err != nil || placed {
			t.Errorf("an event without a place counts as placed (%v)", err)
		}
		if _, found, err := r.Event(env.ID, "", made[5]); err != nil || found {
			t.Errorf("an event without a place is found (%v)", err)
		}
		if placed, err := r.EventPlaced(other.ID, "", made[0]); err != nil || placed {
			t.Errorf("I8: an event of another environment is a cursor (%v)", err)
		}
		if placed, err := r.EventPlaced(env.ID, "org_other", made[0]); err != nil || placed {
			t.Errorf("an event of another organization is a cursor within one (%v)", err)
		}
		return nil
	})
	place(3, 1)
	view(t, db, func(r authz.Reader) error {
		for _, look := range []struct {
			env  id.Environment
			org  id.Organization
			want bool
		}{{env.ID, "", true}, {other.ID, "", false}, {env.ID, "org_other", false}} {
			if e, found, err := r.Event(look.env, look.org, made[5]); err != nil || found != look.want || found && e.ID != made[5] {
				t.Errorf("I8: looking for an event in %s and organization %q: %v, %t (%v)", look.env, look.org, e.ID, found, err)
			}
		}
		got, err := r.Events(env.ID, authz.EventFilter{}, page.Request{Limit: 10, Order: page.Asc, After: string(made[1])})
		var found []id.Event
		for _, e := range got.Items {
			found = append(found, e.ID)
		}
		if !slices.Equal(found, made[2:]) {
			t.Errorf("events after the second: %v, want %v", found, made[2:])
		}
		return err
	})
}

func expiry(t *testing.T, db authz.DB) {
	env := Environment(t, db, "production")
	for i := range 5 {
		at := began.Add(time.Duration(i) * time.Hour)
		update(t, db, func(tx authz.Tx) error {
			err := tx.InsertEvents([]event.Event{{ID: id.New[id.Event](ids), Environment: env.ID, Type: "x", Data: []byte("{}"), Context: []byte("{}"), CreatedAt: at}})
			return errors.Join(err, tx.PutReceipt(authz.Receipt{Owner: "a", Key: fmt.Sprint(i), Body: []byte("{}"), CreatedAt: at}))
		})
	}
	for _, want := range []int{2, 1, 0} {
		update(t, db, func(tx authz.Tx) error {
			events, err1 := tx.DeleteEvents(began.Add(3*time.Hour), 2)
			receipts, err2 := tx.DeleteReceipts(began.Add(3*time.Hour), 2)
			if events != want || receipts != want {
				t.Errorf("removed %d events and %d receipts, want %d of each", events, receipts, want)
			}
			return errors.Join(err1, err2)
		})
	}
}
