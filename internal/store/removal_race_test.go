package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/store"
)

// secret is the permission that only the removed role holds.
const secret = "secret:read"

// removalRace is a role that is removed while everybody writes, from two processes where the database allows it.
type removalRace struct {
	scene
	processes []*authz.Service // over stores of their own
	owner     id.Organization  // of the role; empty for the environment's
	gone      authz.Role
	orgs      []id.Organization
	rounds    int

	mu      sync.Mutex
	members []id.Membership
	removed atomic.Bool // whether RemoveRole returned
}

// onTwo runs a test over two stores of one database where it takes two servers, and over one elsewhere.
func onTwo(t *testing.T, test func(*testing.T, []*store.Store)) {
	for name, location := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			where := location(t)
			stores := []*store.Store{open(t, where)}
			if name == "postgres" {
				stores = append(stores, open(t, where))
			} else {
				stores = append(stores, stores[0])
			}
			test(t, stores)
		})
	}
}

func TestRemovalAgainstEverything(t *testing.T) {
	for _, custom := range []bool{false, true} {
		for name, replacement := range map[string]authz.Opt[string]{"replacement": authz.Some("editor"), "default": {}} {
			t.Run(fmt.Sprintf("custom %v, %s", custom, name), func(t *testing.T) {
				onTwo(t, func(t *testing.T, stores []*store.Store) {
					r := newRemovalRace(t, stores, custom)
					job := r.run(authz.RoleDeletion{Replacement: replacement, Default: authz.Some("member")})
					r.sound()
					r.forgotten(r.gone)
					if job = must(r.rules.Job(context.Background(), r.c, job.ID)); job.FinishedAt.IsZero() || job.HeldBy != "" {
						t.Errorf("the job ended as %+v", job)
					}
				})
			})
		}
	}
}

func newRemovalRace(t *testing.T, stores []*store.Store, custom bool) *removalRace {
	ctx := context.Background()
	r := &removalRace{scene: newScene(t, stores[0]), rounds: 12}
	if testing.Short() {
		r.rounds = 4
	}
	for _, db := range stores {
		r.processes = append(r.processes, authz.New(db, time.Now, id.NewSource(time.Now, nil)))
	}
	must(r.rules.CreatePermission(ctx, r.c, authz.NewPermission{Slug: secret, Name: secret}))
	must(r.rules.SetMultipleRoles(ctx, r.c, true))
	r.role("", "editor")
	r.role("", "viewer")
	for i := range 3 {
		r.orgs = append(r.orgs, r.organization(fmt.Sprint("org ", i)))
	}
	r.role(r.orgs[0], "org-first")
	if custom {
		r.owner = r.orgs[0]
	}
	r.gone = r.role(r.owner, "org-gone")
	must(r.rules.EditRolePermissions(ctx, r.c, r.owner, "org-gone", authz.PermissionEdit{Add: secret}))
	for i, org := range r.orgs {
		var in []id.Membership
		for j, roles := range []authz.RolesInput{asked("viewer"), asked("org-gone"), several("org-gone", "viewer"), {}} {
			if custom && i > 0 {
				roles = authz.RolesInput{}
			}
			in = append(in, r.member(org, fmt.Sprintf("m%d-%d", i, j), roles).ID)
		}
		if !custom || i == 0 {
			r.group(org, "group", in[:1], r.gone)
		}
		r.members = append(r.members, in...)
	}
	for _, m := range r.members[:3] { // through the group, and directly
		if !must(r.may(r.rules, m)) {
			t.Errorf("%s may not do what its role allows", m)
		}
	}
	return r
}

func (r *removalRace) may(rules *authz.Service, m id.Membership) (bool, error) {
	d, err := rules.Check(context.Background(), r.c, authz.Question{Membership: m, Permission: secret})
	return d.Authorized, err
}

func (r *removalRace) anyMember(random *rand.Rand) id.Membership {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.members[random.IntN(len(r.members))]
}

// run lets eight write, two work and four check, and orders the removal in the midst of it.
func (r *removalRace) run(in authz.RoleDeletion) authz.Job {
	written := make(chan struct{})
	var warm, background sync.WaitGroup
	warm.Add(8)
	for i, rules := range r.processes {
		background.Go(func() { r.work(rules, fmt.Sprint("worker ", i), written) })
		for range 2 {
			background.Go(func() { r.check(rules, written) })
		}
	}
	ordered := make(chan authz.Job, 1)
	background.Go(func() {
		warm.Wait()
		job, err := r.rules.RemoveRole(context.Background(), r.c, r.owner, "org-gone", in)
		if err != nil {
			r.Errorf("removing the role: %v", err)
		}
		r.removed.Store(true)
		ordered <- job
		r.watch(job, written)
	})
	errs := together(8, func(i int) error {
		random := rand.New(rand.NewPCG(uint64(i), 3))
		for round := range r.rounds {
			if round == r.rounds/2 {
				warm.Done()
			}
			if err := r.write(r.processes[i%2], random, i, round); err != nil && !refusedByRule(err) {
				return err
			}
		}
		return nil
	})
	job := <-ordered
	close(written)
	background.Wait()
	for i, err := range errs {
		if err != nil {
			r.Errorf("writer %d: %v", i, err)
		}
	}
	return job
}

// work does what follows until all is written and nothing is left to do.
func (r *removalRace) work(rules *authz.Service, worker string, written <-chan struct{}) {
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for last := false; ; {
		worked, err := rules.Work(context.Background(), worker)
		switch {
		case err != nil:
			r.Errorf("%s: %v", worker, err)
			return
		case worked:
			continue
		case last:
			return
		}
		select {
		case <-written:
			last = true
		case <-poll.C:
		}
	}
}

// check asks without end: from the moment at which the removal returned nobody may do what only that role allowed.
func (r *removalRace) check(rules *authz.Service, written <-chan struct{}) {
	random := rand.New(rand.NewPCG(5, 5))
	for {
		removed, m := r.removed.Load(), r.anyMember(random)
		may, err := r.may(rules, m)
		if err != nil && !fault.Is(err, fault.NotFound) {
			r.Errorf("checking: %v", err)
			return
		}
		if removed && may {
			r.Errorf("%s may still do what only the removed role allowed", m)
			return
		}
		select {
		case <-written:
			return
		default:
		}
	}
}

// watch follows the progress of the job: it only grows, and never claims what is not done.
func (r *removalRace) watch(job authz.Job, written <-chan struct{}) {
	for done := 0; ; {
		err := r.db.View(context.Background(), func(tx authz.Reader) error {
			j, _, err := tx.Job(r.c.Environment, job.ID)
			if err != nil {
				return err
			}
			left, err := tx.CountNaming(r.gone.ID)
			if j.Done < done || j.Done+left > j.Total {
				r.Errorf("the job says %d of %d after %d, and %d assignments wait", j.Done, j.Total, done, left)
			}
			done = j.Done
			return err
		})
		if err != nil {
			r.Errorf("watching the job: %v", err)
			return
		}
		select {
		case <-written:
			return
		default:
		}
	}
}

// write does what the writer does, each another thing.
func (r *removalRace) write(rules *authz.Service, random *rand.Rand, writer, round int) error {
	ctx := context.Background()
	org, m := r.orgs[random.IntN(len(r.orgs))], r.anyMember(random)
	one := []string{"org-gone", "viewer", "editor"}[random.IntN(3)]
	var err error
	switch writer {
	case 0:
		_, err = rules.UpdateMember(ctx, r.c, m, asked("org-gone"))
	case 1:
		_, err = rules.UpdateMember(ctx, r.c, m, []authz.RolesInput{several("viewer", "editor"), several("member", "org-gone"), asked("editor")}[random.IntN(3)])
	case 2:
		_, err = rules.SetDefault(ctx, r.c, org, one)
	case 3:
		_, err = rules.SetDefault(ctx, r.c, "", one)
	case 4:
		err = r.writeOrganization(rules, fmt.Sprint("passing ", round), round)
	case 5:
		_, err = r.join(rules, org, fmt.Sprint("late", round), []authz.RolesInput{asked("org-gone"), {}}[round%2])
	case 6:
		if _, err = rules.DeactivateMember(ctx, r.c, m); err == nil && random.IntN(2) == 0 {
			_, err = rules.ReactivateMember(ctx, r.c, m)
		}
	default:
		if round%3 == 0 {
			err = rules.DeleteMember(ctx, r.c, m)
		} else {
			_, err = rules.CreateRole(ctx, r.c, org, authz.NewRole{Slug: authz.Some(fmt.Sprint("org-", round)), Name: "x"})
		}
	}
	return err
}

// writeOrganization makes an organization with a member and a first custom role, and deletes every other one.
func (r *removalRace) writeOrganization(rules *authz.Service, name string, round int) error {
	ctx := context.Background()
	org, err := rules.CreateOrganization(ctx, r.c, authz.OrganizationInput{Name: authz.Some(name)})
	if err != nil {
		return err
	}
	slug := "org-gone"
	if r.gone.Custom() {
		slug = "viewer"
	}
	if _, err := r.join(rules, org.ID, fmt.Sprint("passing", round), asked(slug)); err != nil && !refusedByRule(err) {
		return err
	}
	if _, err := rules.CreateRole(ctx, r.c, org.ID, authz.NewRole{Slug: authz.Some("org-first"), Name: "x"}); err != nil {
		return err
	}
	if round%2 == 0 {
		return rules.DeleteOrganization(ctx, r.c, org.ID)
	}
	return nil
}

func (r *removalRace) join(rules *authz.Service, org id.Organization, email string, roles authz.RolesInput) (authz.Member, error) {
	ctx := context.Background()
	u, err := rules.CreateUser(ctx, r.c, authz.UserInput{Email: authz.Some(email + "@x.example")})
	if err != nil {
		return authz.Member{}, err
	}
	m, err := rules.CreateMembership(ctx, r.c, u.ID, org, roles)
	if err == nil {
		r.mu.Lock()
		r.members = append(r.members, m.ID)
		r.mu.Unlock()
	}
	return m, err
}
