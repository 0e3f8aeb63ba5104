package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/store/storetest"
)

// handClock is a clock that is set by hand.
type handClock struct {
	mu sync.Mutex
	at time.Time
}

func newHandClock() *handClock { return &handClock{at: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)} }

func (c *handClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *handClock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

func (c *handClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// jobs lists all jobs, oldest first.
func (s scene) jobs() []authz.Job {
	return must(s.rules.ListJobs(context.Background(), s.c, page.Request{Limit: page.MaxLimit, Order: page.Asc})).Items
}

// holder is who has the one unfinished job, and how far it came.
func (s scene) holder() (worker string, done int, finished bool) {
	jobs := s.jobs()
	j := jobs[len(jobs)-1]
	return j.HeldBy, j.Done, !j.FinishedAt.IsZero()
}

// removal gives some members a role and removes it, so that one job waits.
func (s scene) removal(slug string, members int) authz.Job {
	s.role("", slug)
	org := s.organization(slug)
	for i := range members {
		s.member(org, fmt.Sprint(slug, i), asked(slug))
	}
	return must(s.rules.RemoveRole(context.Background(), s.c, "", slug, authz.RoleDeletion{}))
}

// A job has one worker at a time; one that is silent for the length of a lease loses it, and does nothing more to it when
// it wakes up.
func TestAJobHasOneWorker(t *testing.T) {
	onTwo(t, func(t *testing.T, stores []*store.Store) {
		ctx := context.Background()
		clock := newHandClock()
		s := newSceneAt(t, stores[0], "production", clock.now)
		other := authz.New(stores[1], clock.now, id.NewSource(time.Now, nil))
		s.removal("gone", 3)
		for _, step := range []struct {
			name   string
			pass   time.Duration
			rules  *authz.Service
			worker string
			worked bool
			holder string
			done   int
			end    bool
		}{
			{"the first takes it", 0, s.rules, "first", true, "first", 3, false},
			{"nobody else gets it", 0, other, "second", false, "first", 3, false},
			{"until the lease ends", 15*time.Second - time.Millisecond, other, "second", false, "first", 3, false},
			{"then another does", time.Millisecond, other, "second", true, "", 3, true},
			{"the first has nothing left to do", 0, s.rules, "first", false, "", 3, true},
		} {
			clock.pass(step.pass)
			worked := must(step.rules.Work(ctx, step.worker))
			holder, done, end := s.holder()
			if worked != step.worked || holder != step.holder || done != step.done || end != step.end {
				t.Errorf("%s: worked %v; held by %q, %d done, finished %v", step.name, worked, holder, done, end)
			}
		}
		s.sound()
	})
}

// Sixteen workers of two processes: whoever gets a job first keeps it to its end, every batch is done once.
func TestManyWorkersOneJob(t *testing.T) {
	onTwo(t, func(t *testing.T, stores []*store.Store) {
		clock := newHandClock() // stands still, so that no lease ends
		s := newSceneAt(t, stores[0], "production", clock.now)
		other := authz.New(stores[1], clock.now, id.NewSource(time.Now, nil))
		job := s.removal("gone", 5)
		before := s.updates()
		var mu sync.Mutex
		holders := map[string]bool{}
		for i, err := range together(16, func(i int) error {
			rules := []*authz.Service{s.rules, other}[i%2]
			for range 4 {
				if _, err := rules.Work(context.Background(), fmt.Sprint("worker ", i)); err != nil {
					return err
				}
				j, err := rules.Job(context.Background(), s.c, job.ID)
				if err != nil {
					return err
				}
				mu.Lock()
				holders[j.HeldBy] = true
				mu.Unlock()
			}
			return nil
		}) {
			if err != nil {
				t.Errorf("worker %d: %v", i, err)
			}
		}
		if delete(holders, ""); len(holders) > 1 {
			t.Errorf("the job was held by %v", holders)
		}
		if job = must(s.rules.Job(context.Background(), s.c, job.ID)); job.Done != 5 || job.FinishedAt.IsZero() {
			t.Errorf("the job ended at %d of %d", job.Done, job.Total)
		}
		for m, n := range s.updates() {
			if n -= before[m]; n != 1 {
				t.Errorf("%s was told of %d times", m, n)
			}
		}
		s.sound()
	})
}

// Jobs are done one after the other as they were ordered, and their progress is true at every step.
func TestJobsAreDoneInOrder(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newScene(t, db)
		for _, slug := range []string{"a", "b", "c"} {
			s.removal(slug, 3)
		}
		must(s.rules.SetMultipleRoles(context.Background(), s.c, true))
		must(s.rules.SetMultipleRoles(context.Background(), s.c, false))
		for worked := true; worked; {
			worked = must(s.rules.Work(context.Background(), storetest.Worker))
			jobs := s.jobs()
			open := slices.IndexFunc(jobs, func(j authz.Job) bool { return j.FinishedAt.IsZero() })
			for i, j := range jobs {
				if open >= 0 && i > open && (j.Done > 0 || !j.FinishedAt.IsZero()) {
					t.Errorf("job %d (%s) began before job %d (%s) had ended", i, j.Kind, open, jobs[open].Kind)
				}
				if j.Total > 0 && j.Done > j.Total || !j.FinishedAt.IsZero() && j.Done != j.Total {
					t.Errorf("job %d (%s) says %d of %d, finished at %v", i, j.Kind, j.Done, j.Total, j.FinishedAt)
				}
			}
			if !worked && (len(jobs) != 5 || open >= 0) {
				t.Errorf("%d jobs, the first unfinished is %d", len(jobs), open)
			}
		}
		s.sound()
	})
}

// Switching multiple roles off is for good before it can be switched again; whatever is assigned meanwhile, everybody
// ends with one role.
func TestModeAgainstAssignments(t *testing.T) {
	onTwo(t, func(t *testing.T, stores []*store.Store) {
		ctx := context.Background()
		s := newScene(t, stores[0])
		other := authz.New(stores[1], time.Now, id.NewSource(time.Now, nil))
		slugs := []string{"a", "b", "c"}
		for _, slug := range slugs {
			s.role("", slug)
		}
		must(s.rules.SetMultipleRoles(ctx, s.c, true))
		orgs := []id.Organization{s.organization("follower"), s.organization("own")}
		s.role(orgs[1], "org-x")
		var members []id.Membership
		for i := range 8 {
			members = append(members, s.member(orgs[i%2], fmt.Sprint("m", i), several(slugs...)).ID)
		}
		s.sound()
		errs := together(6, func(i int) error {
			rules, random := []*authz.Service{s.rules, other}[i%2], rand.New(rand.NewPCG(uint64(i), 9))
			for range 8 {
				var err error
				switch m := members[random.IntN(len(members))]; i {
				case 0:
					_, err = rules.SetMultipleRoles(ctx, s.c, random.IntN(2) == 0)
				case 1:
					_, err = rules.Work(ctx, "worker")
				default:
					_, err = rules.UpdateMember(ctx, s.c, m, []authz.RolesInput{several("b", "c"), asked("a"), several("a", "b", "c")}[random.IntN(3)])
				}
				if err != nil && !refusedByRule(err) {
					return err
				}
			}
			return nil
		})
		for i, err := range errs {
			if err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
		}
		settleAs(t, s, "worker")
		must(s.rules.SetMultipleRoles(ctx, s.c, true))
		must(s.rules.UpdateMember(ctx, s.c, members[0], several("b", "c")))
		s.sound()
		must(s.rules.SetMultipleRoles(ctx, s.c, false))
		must(s.rules.SetMultipleRoles(ctx, s.c, false)) // which it is
		if _, err := s.rules.SetMultipleRoles(ctx, s.c, true); !fault.HasCode(err, "mode_change_in_progress") {
			t.Errorf("switching again while members are moved: %v", err)
		}
		members = append(members, s.member(orgs[0], "late", asked("a")).ID) // whom the work meets too
		s.sound()
		s.oneRoleEach(orgs, members)
		must(s.rules.SetMultipleRoles(ctx, s.c, true))
		s.sound()
		s.oneRoleEach(orgs, members) // what was taken off does not come back
	})
}

// settleAs finishes what a worker left.
func settleAs(t *testing.T, s scene, worker string) {
	t.Helper()
	for must(s.rules.Work(context.Background(), worker)) {
	}
}

// oneRoleEach wants one assignment of each member.
func (s scene) oneRoleEach(orgs []id.Organization, members []id.Membership) {
	s.Helper()
	err := s.db.View(context.Background(), func(tx authz.Reader) error {
		for _, org := range orgs {
			of, err := tx.AssignmentsOf(org, members, nil)
			if err != nil {
				return err
			}
			for m, as := range of {
				if len(as) != 1 {
					s.Errorf("%s has %d assignments: %+v", m, len(as), as)
				}
			}
		}
		return nil
	})
	if err != nil {
		s.Fatal(err)
	}
}

// Orders that change while the work after them is under way end in what the last one says.
func TestPriorityAgainstWork(t *testing.T) {
	onTwo(t, func(t *testing.T, stores []*store.Store) {
		ctx := context.Background()
		s := newScene(t, stores[0])
		other := authz.New(stores[1], time.Now, id.NewSource(time.Now, nil))
		slugs := []string{"member", "a", "b", "c"}
		for _, slug := range slugs[1:] {
			s.role("", slug)
		}
		must(s.rules.SetMultipleRoles(ctx, s.c, true))
		org := s.organization("acme")
		for i := range 6 {
			s.member(org, fmt.Sprint("m", i), several(slugs...))
		}
		written := make(chan struct{})
		var workers sync.WaitGroup
		for i, rules := range []*authz.Service{s.rules, other} {
			workers.Go(func() { (&removalRace{scene: s}).work(rules, fmt.Sprint("worker ", i), written) })
		}
		for i, err := range together(4, func(i int) error {
			random := rand.New(rand.NewPCG(uint64(i), 13))
			for range 10 {
				order := slices.Clone(slugs)
				random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
				if _, err := []*authz.Service{s.rules, other}[i%2].SetPriority(ctx, s.c, "", order); err != nil {
					return err
				}
			}
			return nil
		}) {
			if err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
		}
		close(written)
		workers.Wait()
		s.sound()
	})
}

// A first worker that dies between two batches of a job about memberships leaves its place to the next, who goes on from
// there: nobody is told of twice.
func TestAnnouncementsGoOnWhereTheyStopped(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		clock := newHandClock()
		s := newSceneAt(t, db, "production", clock.now)
		s.role("", "later")
		orgs := []id.Organization{s.organization("a"), s.organization("b")}
		storetest.Crowd(t, db, s.c.Environment, orgs, 350, authz.Role{}) // falls back to the default
		storetest.Settle(t, s.rules, s.c)
		before := s.updates()
		must(s.rules.SetDefault(context.Background(), s.c, "", "later"))
		must(s.rules.Work(context.Background(), "dead"))
		if holder, done, _ := s.holder(); holder != "dead" || done != 500 {
			t.Errorf("after one batch the job is held by %q at %d", holder, done)
		}
		clock.pass(time.Minute)
		storetest.Settle(t, s.rules, s.c)
		told := s.updates()
		if len(told) != 700 {
			t.Errorf("%d of 700 members were told of", len(told))
		}
		for m, n := range told {
			if n-before[m] != 1 {
				t.Errorf("%s was told of %d times", m, n-before[m])
			}
		}
	})
}
