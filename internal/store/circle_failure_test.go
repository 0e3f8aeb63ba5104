package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/pgtest"
	"github.com/rolecall/rolecall/internal/store"
)

// direct is a connection that is no replica's.
func direct(t *testing.T, location string) *sql.DB {
	t.Helper()
	db := must(sql.Open("pgx", location))
	t.Cleanup(func() { db.Close() })
	return db
}

func number(t *testing.T, db *sql.DB, query string, args ...any) (n int) {
	t.Helper()
	if err := db.QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// breakWire ends the connection over which a replica hears of others, as a network would.
func breakWire(t *testing.T, db *sql.DB, name string) {
	t.Helper()
	number(t, db, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1", name)
}

func proxied(t *testing.T, location string) *pgtest.Proxy {
	t.Helper()
	p := must(pgtest.NewProxy(location))
	t.Cleanup(func() { p.Close() })
	return p
}

// While a change is about to be committed every replica has stopped to answer from memory, and still says what holds.
func TestHeldBeforeTheCommit(t *testing.T) {
	t.Parallel()
	location := pgtest.URL(t)
	a, b := joined(t, location), joined(t, location)
	w := newCircleWorld(t, b.db)
	b.remembers(w)
	looked := false
	store.Announced(a.db, func(context.Context, authz.Tx) {
		before := b.memory.Stats().Remembered
		if b.may(w) || b.memory.Stats().Remembered != before {
			t.Error("before the commit the change is told of, or an answer comes from memory")
		}
		looked = true
	})
	if err := w.give(context.Background(), a.rules, true); err != nil || !looked {
		t.Fatal(err, looked)
	}
	if !b.may(w) {
		t.Error("after the commit the change is unknown")
	}
	b.remembers(w)
}

// A replica that comes while a change is under way of which it was not told answers from memory only afterwards.
func TestJoiningDuringAChange(t *testing.T) {
	t.Parallel()
	location := pgtest.URL(t)
	a := newReplica(t, location)
	w := newCircleWorld(t, a.db)
	db := direct(t, location)
	var b *replica
	store.Announced(a.db, func(context.Context, authz.Tx) {
		if b != nil {
			return
		}
		b = newReplica(t, location).keep()
		await(t, "a lease that was renewed", func() bool { return number(t, db, "SELECT coalesce(max(renewals), 0) FROM replicas") >= 2 })
		if b.db.Circle().Term {
			t.Error("a term began in the middle of a change")
		}
		breakWire(t, db, store.WireName(b.db)) // it begins anew
		await(t, "a wire that was made anew", func() bool { return b.db.Circle().Reconnects > 0 })
		if b.may(w) || b.db.Circle().Term {
			t.Error("before the commit the change is told of, or a term began")
		}
	})
	if err := w.give(context.Background(), a.rules, true); err != nil {
		t.Fatal(err)
	}
	b.awaitTerm(true)
	b.remembers(w)
	if !b.may(w) {
		t.Error("what was committed before the term began is unknown")
	}
}

// A replica that is cut off delays writers by its lease, and by then has no term. What it has missed it does not answer
// when it is back.
func TestCutOff(t *testing.T) {
	t.Parallel()
	location := pgtest.URL(t)
	proxy := proxied(t, location)
	a, b := joined(t, location), joined(t, proxy.URL())
	w := newCircleWorld(t, a.db)
	for i, cut := range []func(){proxy.Stall, proxy.Cut} {
		allowed := i%2 == 0
		b.remembers(w)
		cut()
		began := time.Now()
		if err := w.give(context.Background(), a.rules, allowed); err != nil {
			t.Fatal(err)
		}
		if b.db.Circle().Term {
			t.Errorf("a change was acknowledged after %v while a replica that is cut off had a term", time.Since(began))
		}
		proxy.Heal()
		b.awaitTerm(true)
		b.remembers(w)
		if b.may(w) != allowed {
			t.Error("what was changed meanwhile is unknown")
		}
	}
	if s := a.db.Circle(); s.Removed != 2 || s.LongestWait < testLease/2 || s.LongestWait > 5*testLease {
		t.Errorf("%+v", s)
	}
}

// Rows of processes that are gone are removed by those that are there, and the next writer does not wait for them.
func TestRowsOfTheDead(t *testing.T) {
	t.Parallel()
	location := pgtest.URL(t)
	a := joined(t, location)
	db := direct(t, location)
	must(db.Exec("INSERT INTO replicas (id, renewals, lease_ms, address, version, started_at) VALUES ('dead', 7, 300, '', '', '')"))
	await(t, "the row to go", func() bool { return number(t, db, "SELECT count(1) FROM replicas WHERE id = 'dead'") == 0 })
	if s := a.db.Circle(); !s.Term || s.Removed != 1 {
		t.Errorf("%+v", s)
	}
	a.leave()
	if n := number(t, db, "SELECT count(1) FROM replicas"); n != 0 {
		t.Errorf("a process that left in good order left %d rows", n)
	}
}

// One that was expelled, whoever did it, starts over.
func TestExpelled(t *testing.T) {
	t.Parallel()
	location := pgtest.URL(t)
	a, b := joined(t, location), joined(t, location)
	w := newCircleWorld(t, a.db)
	b.remembers(w)
	must(direct(t, location).Exec("DELETE FROM replicas"))
	await(t, "new terms", func() bool { return a.db.Circle().Terms == 2 && b.db.Circle().Terms == 2 })
	if err := w.give(context.Background(), a.rules, true); err != nil || !b.may(w) {
		t.Error(err, "the change is unknown")
	}
}

// A process that dies between its commit and the word of it leaves no hold behind, nor does one whose client went away.
func TestHoldsEnd(t *testing.T) {
	t.Parallel()
	location := pgtest.URL(t)
	proxy := proxied(t, location)
	a, b := joined(t, location), joined(t, location)
	w := newCircleWorld(t, a.db)
	silent := newReplica(t, location)
	store.Silence(silent.db)
	if err := w.give(context.Background(), silent.rules, true); err != nil {
		t.Fatal(err)
	}
	await(t, "the end of all holds", func() bool { return b.db.Fresh().HeldRegions() == 0 })
	b.remembers(w)

	deaf := joined(t, proxy.URL())
	proxy.Stall()
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		await(t, "the hold", func() bool { return b.db.Fresh().HeldRegions() > 0 })
		cancel()
	}()
	if err := w.give(ctx, a.rules, false); !fault.Is(err, fault.Unavailable) {
		t.Errorf("a client that went away while others were waited for: %v", err)
	}
	await(t, "the end of all holds", func() bool { return b.db.Fresh().HeldRegions() == 0 })
	if !b.may(w) || !a.may(w) {
		t.Error("a change took place whose client was told that it did not")
	}
	proxy.Heal()
	deaf.awaitTerm(true)
}

// A commit whose outcome nobody knows ends the term of the process that asked for it, until that is over.
func TestUndecidedCommit(t *testing.T) {
	t.Parallel()
	location := pgtest.URL(t)
	a, b := joined(t, location), joined(t, location)
	w := newCircleWorld(t, b.db)
	db := direct(t, location)
	a.remembers(w)
	var once sync.Once
	store.Announced(a.db, func(_ context.Context, tx authz.Tx) {
		once.Do(func() { number(t, db, "SELECT count(pg_terminate_backend($1))", must(store.Backend(tx))) })
	})
	if err := w.give(context.Background(), a.rules, true); err == nil {
		t.Fatal("the change was acknowledged")
	}
	await(t, "a second term", func() bool { s := a.db.Circle(); return s.Term && s.Terms == 2 })
	a.remembers(w)
	b.remembers(w)
	if a.may(w) || b.may(w) {
		t.Error("the change took place")
	}
}

// The wire of the writer breaks while it waits: the change is announced again over the next one.
func TestBrokenWhileWaiting(t *testing.T) {
	t.Parallel()
	location := pgtest.URL(t)
	proxy := proxied(t, location)
	a, b, deaf := joined(t, location), joined(t, location), joined(t, proxy.URL())
	w := newCircleWorld(t, a.db)
	db := direct(t, location)
	b.remembers(w)
	proxy.Stall()
	go func() {
		await(t, "the hold", func() bool { return b.db.Fresh().HeldRegions() > 0 })
		breakWire(t, db, store.WireName(a.db))
	}()
	if err := w.give(context.Background(), a.rules, true); err != nil {
		t.Fatal(err)
	}
	if deaf.db.Circle().Term || !b.may(w) {
		t.Error("the change was acknowledged before all had heard of it")
	}
	if a.db.Circle().Reconnects == 0 {
		t.Error("the wire did not break")
	}
	proxy.Heal()
}

// A change of very many regions is told of in as many notifications as it takes.
func TestManyRegions(t *testing.T) {
	t.Parallel()
	location := pgtest.URL(t)
	a, b := joined(t, location), joined(t, location)
	newCircleWorld(t, a.db)
	regions := make([]fresh.Region, 5000)
	for i := range regions {
		regions[i] = fresh.Region{Kind: fresh.Member, ID: fmt.Sprintf("om_01ARZ3NDEKTSV4RRFFQ69G%04d", i)}
	}
	err := a.db.Update(context.Background(), func(tx authz.Tx) error {
		store.Touch(tx, regions...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range regions {
		if !b.heard.forgot(r) {
			t.Fatalf("nobody was told of %s", r)
		}
	}
	await(t, "the end of all holds", func() bool { return b.db.Fresh().HeldRegions() == 0 })
}

// A command beside the servers tells them too.
func TestVisitorsAnnounce(t *testing.T) {
	t.Parallel()
	location := pgtest.URL(t)
	a := joined(t, location)
	w := newCircleWorld(t, a.db)
	a.remembers(w)
	visitor := newReplica(t, location)
	if err := w.give(context.Background(), visitor.rules, true); err != nil || !a.may(w) {
		t.Error(err, "the change is unknown")
	}
}

// Sixteen write at three replicas whose wires break again and again. Whatever was acknowledged is known everywhere.
func TestManyWritersAndBreakingWires(t *testing.T) {
	t.Parallel()
	location := pgtest.URL(t)
	all := []*replica{joined(t, location), joined(t, location), joined(t, location)}
	db := direct(t, location)
	first := newCircleWorld(t, all[0].db)
	worlds := make([]*circleWorld, 16)
	for i := range worlds {
		w := *first
		w.member = first.scene.member(first.org, fmt.Sprint("w", i), asked("member")).ID
		worlds[i] = &w
	}
	written := make(chan struct{})
	broken := make(chan struct{})
	go func() {
		defer close(broken)
		for {
			select {
			case <-written:
				return
			case <-time.After(200 * time.Millisecond):
				breakWire(t, db, store.WireName(all[rand.IntN(3)].db))
			}
		}
	}()
	together(len(worlds), func(i int) error {
		w := worlds[i]
		for round := range 8 {
			allowed := round%2 == 0
			if err := w.give(context.Background(), all[(i+round)%3].rules, allowed); err != nil {
				t.Errorf("writer %d: %v", i, err)
				return nil
			}
			for j, r := range all {
				if r.may(w) != allowed {
					t.Errorf("a change is unknown to replica %d", j)
				}
			}
		}
		return nil
	})
	close(written)
	<-broken
	for _, r := range all {
		r.awaitTerm(true)
		await(t, "the end of all holds", func() bool { return r.db.Fresh().HeldRegions() == 0 })
	}
}
