package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
)

// RunPeople runs the suite of the storage contract of people, their sessions and invitations.
func RunPeople(t *testing.T, open func(testing.TB) operator.Store) {
	for name, test := range map[string]func(*testing.T, operator.Store){
		"every field of people is kept":        everyPeopleField,
		"what people leave goes with them":     goneWithPeople,
		"what is past its time is removed":     pastItsTime,
		"a failed change of people is no one":  peopleAllOrNothing,
		"changes of people are as if alone":    peopleAsIfAlone,
		"two people have two e-mail addresses": twoAddresses,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func changePeople(t testing.TB, db operator.Store, fn func(operator.PeopleTx) error) {
	t.Helper()
	if err := db.UpdateOperators(context.Background(), fn); err != nil {
		t.Fatalf("UpdateOperators: %v", err)
	}
}

func readPeople(t testing.TB, db operator.Store, fn func(operator.PeopleReader) error) {
	t.Helper()
	if err := db.ViewOperators(context.Background(), fn); err != nil {
		t.Fatalf("ViewOperators: %v", err)
	}
}

// comparePeople compares hashes too, which print as nothing.
var comparePeople = cmp.Transformer("hash", func(h operator.PasswordHash) string { return "hash " + string(h) })

func keptPeople[T any](t testing.TB, what string, got, want T, err error) {
	t.Helper()
	if diff := cmp.Diff(want, got, comparePeople); err != nil || diff != "" {
		t.Errorf("%s: %v\n%s", what, err, diff)
	}
}

// personIn makes somebody with a session and a link for a password, straight in the store.
func personIn(t testing.TB, db operator.Store, round int) (operator.Person, operator.StoredSession, operator.Invitation) {
	t.Helper()
	var p operator.Person
	var s operator.StoredSession
	var i operator.Invitation
	fill(t, &p, round)
	fill(t, &s, round)
	fill(t, &i, round)
	p.ID, i.ID = id.New[id.Operator](ids), id.New[id.Invitation](ids)
	s.Person, i.Person = p.ID, p.ID
	changePeople(t, db, func(tx operator.PeopleTx) error {
		if err := tx.InsertPerson(p); err != nil {
			return err
		}
		if err := tx.InsertSession(s); err != nil {
			return err
		}
		return tx.InsertInvitation(i, fmt.Sprint("link ", round))
	})
	return p, s, i
}

func everyPeopleField(t *testing.T, db operator.Store) {
	p, s, i := personIn(t, db, 1)
	other, otherSession, _ := personIn(t, db, 3)
	check := func(p operator.Person, s operator.StoredSession) {
		t.Helper()
		readPeople(t, db, func(r operator.PeopleReader) error {
			got, _, err := r.Person(p.ID)
			keptPeople(t, "a person", got, p, err)
			got, _, err = r.PersonByEmail(p.Email)
			keptPeople(t, "a person by e-mail address", got, p, err)
			all, err := r.People()
			keptPeople(t, "everybody", all, []operator.Person{p, other}, err)
			session, _, err := r.SessionByHash(s.Hash)
			keptPeople(t, "a session", session, s, err)
			session, _, err = r.SessionByHash(otherSession.Hash)
			keptPeople(t, "the session of somebody else", session, otherSession, err)
			link, _, err := r.InvitationByHash("link 1")
			keptPeople(t, "an invitation", link, i, err)
			return nil
		})
	}
	check(p, s)
	changed := refill(t, p, "ID", "CreatedAt", "SeenAt")
	seen := began.Add(99 * time.Hour)
	changePeople(t, db, func(tx operator.PeopleTx) error { return tx.UpdatePerson(changed) })
	check(changed, s)
	changePeople(t, db, func(tx operator.PeopleTx) error {
		if err := tx.SeePerson(p.ID, seen); err != nil {
			return err
		}
		return tx.SeeSession(s.Hash, seen)
	})
	changed.SeenAt, s.SeenAt = seen, seen
	check(changed, s)
	changePeople(t, db, func(tx operator.PeopleTx) error { // one that ended meanwhile
		if err := tx.SeePerson("operator_gone", seen); err != nil {
			return err
		}
		return tx.SeeSession("gone", seen)
	})
	check(changed, s)
}

// left says which of the sessions and links of so many rounds there are.
func left(t testing.TB, db operator.Store, rounds int) string {
	t.Helper()
	var sessions, links []int
	readPeople(t, db, func(r operator.PeopleReader) error {
		sessions, links = nil, nil
		for round := 1; round <= rounds; round++ {
			var s operator.StoredSession
			fill(t, &s, round)
			if _, found, err := r.SessionByHash(s.Hash); err != nil || found {
				sessions = append(sessions, round)
			}
			if _, found, err := r.InvitationByHash(fmt.Sprint("link ", round)); err != nil || found {
				links = append(links, round)
			}
		}
		return nil
	})
	return fmt.Sprint(sessions, links)
}

func goneWithPeople(t *testing.T, db operator.Store) {
	var people [7]operator.Person
	var sessions [7]operator.StoredSession
	var links [7]operator.Invitation
	for round := 1; round <= 6; round++ {
		people[round], sessions[round], links[round] = personIn(t, db, round)
	}
	for _, c := range []struct {
		do   func(operator.PeopleTx) error
		want string
	}{
		{func(tx operator.PeopleTx) error { return tx.DeletePerson(people[1].ID) }, "[2 3 4 5 6] [2 3 4 5 6]"},
		{func(tx operator.PeopleTx) error { return tx.DeleteSessionsOf(people[2].ID) }, "[3 4 5 6] [2 3 4 5 6]"},
		{func(tx operator.PeopleTx) error { return tx.DeleteSession(sessions[3].Hash) }, "[4 5 6] [2 3 4 5 6]"},
		{func(tx operator.PeopleTx) error { return tx.DeleteInvitationsFor(people[4].ID) }, "[4 5 6] [2 3 5 6]"},
		{func(tx operator.PeopleTx) error { return tx.DeleteInvitationsBy(links[5].CreatedBy) }, "[4 5 6] [2 3 6]"},
		{func(tx operator.PeopleTx) error { return deleted(tx, links[6].ID, true) }, "[4 5 6] [2 3]"},
		{func(tx operator.PeopleTx) error { return deleted(tx, links[6].ID, false) }, "[4 5 6] [2 3]"},
		{func(tx operator.PeopleTx) error { return tx.DeleteSession("unknown") }, "[4 5 6] [2 3]"},
	} {
		changePeople(t, db, c.do)
		if got := left(t, db, 6); got != c.want {
			t.Errorf("%s are left, want %s", got, c.want)
		}
	}
	readPeople(t, db, func(r operator.PeopleReader) error {
		all, err := r.People()
		keptPeople(t, "everybody else", all, people[2:], err)
		return nil
	})
}

func deleted(tx operator.PeopleTx, i id.Invitation, want bool) error {
	found, err := tx.DeleteInvitation(i)
	if err == nil && found != want {
		err = fmt.Errorf("deleting an invitation found %v", found)
	}
	return err
}

// Of round n everything is n hours after began and seven milliseconds.
func pastItsTime(t *testing.T, db operator.Store) {
	for round := 1; round <= 5; round++ {
		personIn(t, db, round)
	}
	at := func(hours int) time.Time { return began.Add(time.Duration(hours)*time.Hour + 7*time.Millisecond) }
	for _, c := range []struct {
		do   func(operator.PeopleTx) error
		want string
	}{
		{func(tx operator.PeopleTx) error { return tx.DeleteSessionsBefore(at(1), began) }, "[2 3 4 5] [1 2 3 4 5]"},
		{func(tx operator.PeopleTx) error { return tx.DeleteSessionsBefore(began, at(2)) }, "[3 4 5] [1 2 3 4 5]"},
		{func(tx operator.PeopleTx) error { return tx.DeleteSessionsBefore(at(3).Add(-time.Millisecond), began) }, "[3 4 5] [1 2 3 4 5]"},
		{func(tx operator.PeopleTx) error { return tx.DeleteInvitationsBefore(at(4)) }, "[3 4 5] [5]"},
		{func(tx operator.PeopleTx) error { return tx.DeleteInvitationsBefore(at(5).Add(-time.Millisecond)) }, "[3 4 5] [5]"},
	} {
		changePeople(t, db, c.do)
		if got := left(t, db, 5); got != c.want {
			t.Errorf("%s are left, want %s", got, c.want)
		}
	}
}

func peopleAllOrNothing(t *testing.T, db operator.Store) {
	p, _, _ := personIn(t, db, 1)
	refusal := fault.New(fault.Conflict, "refused", "Refused.")
	err := db.UpdateOperators(context.Background(), func(tx operator.PeopleTx) error {
		if err := tx.DeletePerson(p.ID); err != nil {
			return err
		}
		return refusal
	})
	if err != error(refusal) {
		t.Errorf("the refusal comes back as %v", err)
	}
	if got := left(t, db, 1); got != "[1] [1]" {
		t.Errorf("%s are left", got)
	}
}

// Two who each look whether the other is there before they go do not both go.
func peopleAsIfAlone(t *testing.T, db operator.Store) {
	for round := 1; round <= 10; round++ {
		var pair [2]operator.Person
		pair[0], _, _ = personIn(t, db, 2*round)
		pair[1], _, _ = personIn(t, db, 2*round+1)
		var wg sync.WaitGroup
		for i := range pair {
			wg.Go(func() {
				err := db.UpdateOperators(context.Background(), func(tx operator.PeopleTx) error {
					all, err := tx.People()
					if err != nil || len(all) < 2 {
						return err
					}
					return tx.DeletePerson(pair[i].ID)
				})
				if err != nil {
					t.Errorf("round %d: %v", round, err)
				}
			})
		}
		wg.Wait()
		readPeople(t, db, func(r operator.PeopleReader) error {
			all, err := r.People()
			if err != nil || len(all) != 1 {
				t.Errorf("round %d: %d are left, %v", round, len(all), err)
			}
			return nil
		})
		changePeople(t, db, func(tx operator.PeopleTx) error {
			all, err := tx.People()
			for _, p := range all {
				if err == nil {
					err = tx.DeletePerson(p.ID)
				}
			}
			return err
		})
	}
}

// The rules look first; this is the net below.
func twoAddresses(t *testing.T, db operator.Store) {
	p, _, _ := personIn(t, db, 1)
	p.ID = id.New[id.Operator](ids)
	if err := db.UpdateOperators(context.Background(), func(tx operator.PeopleTx) error { return tx.InsertPerson(p) }); err == nil {
		t.Error("two people have one e-mail address")
	}
}
