package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/store/storetest"
)

const (
	workUntil    = "ROLECALL_TEST_WORK_UNTIL"
	workDatabase = "ROLECALL_TEST_WORK_DATABASE"
	workClock    = "ROLECALL_TEST_WORK_CLOCK"
)

// TestWorkingChild is a worker that dies before a write. It does nothing when it runs as a test.
func TestWorkingChild(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv(workUntil))
	if err != nil {
		return
	}
	db, err := store.Open(context.Background(), os.Getenv(workDatabase), store.Serve)
	if err != nil {
		t.Fatal(err)
	}
	now := must(time.Parse(time.RFC3339, os.Getenv(workClock)))
	rules := authz.New(db, func() time.Time { return now }, id.NewSource(time.Now, nil))
	dieAt(db, n)
	for worked := true; worked; {
		if worked, err = rules.Work(context.Background(), fmt.Sprint("process ", os.Getpid())); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Println("finished")
}

// A removal that concerns 2,000 members of 20 organizations comes to its end through processes that are killed at random
// writes: every member is told of once, whatever they did twice, and holds what it must.
func TestRemovalOfThousandsIsResumed(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a dozen processes; run without -short")
	}
	for name, location := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			where := location(t)
			clock := newHandClock()
			env, job, members := crowded(t, where, clock)
			random := rand.New(rand.NewPCG(2000, 1))
			killed := 0
			for finished := false; !finished; {
				clock.pass(lease) // the one before is dead
				most := 24        // a batch takes about a dozen writes
				if killed >= 8 {
					most = 1 << 20 // enough of them were
				}
				finished = child(t, "TestWorkingChild", []string{
					workUntil + "=" + strconv.Itoa(1+random.IntN(most)), workDatabase + "=" + where, workClock + "=" + clock.now().Format(time.RFC3339),
				}, func(string) {})
				if !finished {
					killed++
				}
			}
			if killed < 5 {
				t.Errorf("only %d processes were killed: the work is too small for this test", killed)
			}
			movedOnce(t, where, clock, env, job, members)
		})
	}
}

// crowded orders the removal of a role that 2,000 members hold.
func crowded(t *testing.T, where string, clock *handClock) (id.Environment, authz.Job, []id.Membership) {
	t.Helper()
	db, err := store.Open(context.Background(), where, store.Serve)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s := newSceneAt(t, db, "production", clock.now)
	gone := s.role("", "gone")
	s.role("", "then")
	s.role("", "later")
	var orgs []id.Organization
	for i := range 20 {
		orgs = append(orgs, s.organization(fmt.Sprint("org ", i)))
		if i%2 == 1 {
			s.role(orgs[i], "org-x")
		}
	}
	members := storetest.Crowd(t, db, s.c.Environment, orgs, 100, gone)
	must(s.rules.SetDefault(context.Background(), s.c, "", "then"))
	storetest.Settle(t, s.rules, s.c)
	job := must(s.rules.RemoveRole(context.Background(), s.c, "", "gone", authz.RoleDeletion{}))
	must(s.rules.SetDefault(context.Background(), s.c, "", "later"))
	return s.c.Environment, job, members
}

// movedOnce checks the end: the default of the moment for everybody, with one event each.
func movedOnce(t *testing.T, where string, clock *handClock, env id.Environment, job authz.Job, members []id.Membership) {
	t.Helper()
	db := open(t, where)
	s := scene{t, db, authz.New(db, clock.now, id.NewSource(time.Now, nil)), authz.Caller{Environment: env}}
	told := s.updates()
	if len(told) != len(members) {
		t.Errorf("%d of %d members were told of", len(told), len(members))
	}
	own := map[id.Organization]bool{}
	for _, m := range members {
		if told[string(m)] != 1 {
			t.Errorf("%s was told of %d times", m, told[string(m)])
		}
		found := must(s.rules.Member(context.Background(), s.c, m))
		if _, known := own[found.Organization]; !known {
			own[found.Organization] = must(s.rules.Policy(context.Background(), s.c, found.Organization)).Own
		}
		want := "then"
		if own[found.Organization] {
			want = authz.SeededRole
		}
		if len(found.Held) != 1 || found.Held[0].Role.Slug != want || fmt.Sprint(found.Shown) != "["+want+"]" {
			t.Errorf("%s holds %v and shows %v, want %s", m, found.Held, found.Shown, want)
		}
	}
	if job = must(s.rules.Job(context.Background(), s.c, job.ID)); job.Done != len(members) || job.Total != len(members) || job.FinishedAt.IsZero() {
		t.Errorf("the job ended at %d of %d, finished at %v", job.Done, job.Total, job.FinishedAt)
	}
	s.forgotten(authz.Role{ID: id.Role(job.Subject), Environment: env, Slug: "gone"})
	storetest.Settle(t, s.rules, s.c)
}
