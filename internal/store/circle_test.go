package store_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/pgtest"
	"github.com/rolecall/rolecall/internal/store"
)

// testLease is short, so that tests which wait for its end do not wait long, and long enough for a busy machine.
const testLease = time.Second

// replica is a server's share of a database, as a process of its own would have it.
type replica struct {
	t      *testing.T
	db     *store.Store
	rules  *authz.Service
	memory *decision.Service
	heard  *recorder
	leave  func()
}

// recorder is a memory that notes what it had to forget.
type recorder struct {
	mu      sync.Mutex
	regions []fresh.Region
}

func (r *recorder) Forget(regions []fresh.Region) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.regions = append(r.regions, regions...)
}

func (r *recorder) forgot(region fresh.Region) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Contains(r.regions, region)
}

// newReplica opens a database without terms.
func newReplica(t *testing.T, location string) *replica {
	t.Helper()
	db := open(t, location)
	r := &replica{t: t, db: db, heard: &recorder{}, rules: authz.New(db, time.Now, id.NewSource(time.Now, nil))}
	r.memory = decision.New(r.rules, db, db.Fresh(), time.Now, decision.Options{})
	db.Fresh().Keep(r.heard)
	db.Introduce(store.Replica{Lease: testLease, Address: "http://" + t.Name(), Version: "test"})
	return r
}

// keep has terms begin until the test ends, or leave is called.
func (r *replica) keep() *replica {
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan struct{})
	go func() {
		r.db.KeepTerms(ctx)
		close(gone)
	}()
	r.leave = sync.OnceFunc(func() { cancel(); <-gone })
	r.t.Cleanup(r.leave)
	return r
}

// joined is a replica that has a term.
func joined(t *testing.T, location string) *replica {
	t.Helper()
	r := newReplica(t, location).keep()
	r.awaitTerm(true)
	return r
}

func (r *replica) awaitTerm(has bool) {
	r.t.Helper()
	await(r.t, fmt.Sprint("a term: ", has), func() bool {
		if r.db.Circle().Trouble != "" {
			r.t.Log(r.db.Circle().Trouble)
		}
		return r.db.Circle().Term == has
	})
}

// await asks again and again for what another process or the database does, which tells nobody.
func await(t *testing.T, what string, done func() bool) {
	t.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	end := time.After(30 * time.Second)
	for !done() {
		select {
		case <-again.C:
		case <-end:
			t.Fatalf("waiting for %s", what)
		}
	}
}

// may asks as a client of this replica does, again when the pool had a connection that is gone.
func (r *replica) may(w *circleWorld) (authorized bool) {
	r.t.Helper()
	await(r.t, "an answer", func() bool {
		v, err := r.memory.Check(context.Background(), w.c, authz.Question{Membership: w.member, Permission: "secret"})
		if err != nil && !fault.Is(err, fault.Unavailable) {
			r.t.Fatal(err)
		}
		authorized = v.Authorized
		return err == nil
	})
	return authorized
}

// remembers makes a replica remember an answer, and shows that it does.
func (r *replica) remembers(w *circleWorld) {
	r.t.Helper()
	await(r.t, "an answer from memory", func() bool {
		before := r.memory.Stats().Remembered
		r.may(w)
		return r.memory.Stats().Remembered > before
	})
}

// circleWorld is a member whose role changes.
type circleWorld struct {
	scene
	org    id.Organization
	member id.Membership
}

func newCircleWorld(t *testing.T, db *store.Store) *circleWorld {
	t.Helper()
	w := &circleWorld{scene: newScene(t, db)}
	ctx := context.Background()
	must(w.rules.CreatePermission(ctx, w.c, authz.NewPermission{Slug: "secret", Name: "n"}))
	must(w.rules.CreateRole(ctx, w.c, "", authz.NewRole{Slug: authz.Some("holder"), Name: "n", Permissions: authz.Some([]string{"secret"})}))
	w.org = w.organization("acme")
	w.member = w.scene.member(w.org, "m", asked("member")).ID
	return w
}

// give gives the member the role by rules, or takes it.
func (w *circleWorld) give(ctx context.Context, rules *authz.Service, allowed bool) error {
	role := "member"
	if allowed {
		role = "holder"
	}
	_, err := rules.UpdateMember(ctx, w.c, w.member, asked(role))
	return err
}

// Every replica answers from memory, and no answer that begins after a change was acknowledged is older than it.
func TestReplicasFollowEachOther(t *testing.T) {
	t.Parallel()
	location := pgtest.URL(t)
	all := []*replica{joined(t, location), joined(t, location), joined(t, location)}
	w := newCircleWorld(t, all[0].db)
	for i := range 12 {
		for _, r := range all {
			r.remembers(w)
		}
		allowed := i%2 == 0
		if err := w.give(context.Background(), all[i%3].rules, allowed); err != nil {
			t.Fatal(err)
		}
		for j, r := range all {
			if r.may(w) != allowed {
				t.Errorf("change %d, acknowledged by replica %d, is unknown to replica %d", i, i%3, j)
			}
		}
	}
	for i, r := range all {
		if s := r.db.Circle(); s.Replicas != 3 || s.Waits == 0 || s.Removed+s.Expelled > 0 {
			t.Errorf("replica %d: %+v", i, s)
		}
		await(t, "the end of all holds", func() bool { return r.db.Fresh().HeldRegions() == 0 })
	}
}
