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
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/store/storetest"
)

// scene is an environment with its rules, for tests that act as several callers.
type scene struct {
	testing.TB
	db    *store.Store
	rules *authz.Service
	c     authz.Caller
}

func newScene(t testing.TB, s *store.Store) scene {
	t.Helper()
	return newSceneAt(t, s, "production", time.Now)
}

// newSceneAt is newScene for an environment of another name and with another clock.
func newSceneAt(t testing.TB, db *store.Store, name string, now func() time.Time) scene {
	t.Helper()
	rules := authz.New(db, now, id.NewSource(time.Now, nil))
	env, err := rules.CreateEnvironment(context.Background(), name)
	if err != nil {
		t.Fatalf("creating an environment: %v", err)
	}
	return scene{t, db, rules, authz.Caller{Environment: env.ID, Actor: event.Actor{ID: "test", Source: "system"}}}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func (s scene) organization(name string) id.Organization {
	return must(s.rules.CreateOrganization(context.Background(), s.c, authz.OrganizationInput{Name: authz.Some(name)})).ID
}

func (s scene) role(org id.Organization, slug string) authz.Role {
	return must(s.rules.CreateRole(context.Background(), s.c, org, authz.NewRole{Slug: authz.Some(slug), Name: slug}))
}

func (s scene) user(n int) id.User {
	return must(s.rules.CreateUser(context.Background(), s.c, authz.UserInput{Email: authz.Some(fmt.Sprintf("u%d@x.example", n))})).ID
}

func asked(slug string) authz.RolesInput { return authz.RolesInput{Slug: authz.Some(slug)} }

// together runs all at once and returns their errors in order.
func together(n int, do func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = do(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// sound does the work that follows changes and checks every invariant and that the events tell the whole story.
func (s scene) sound() storetest.World {
	s.Helper()
	storetest.Mirror(s, s.db, s.rules, s.c)
	return storetest.Look(s, s.db, s.rules, s.c)
}

func TestTwoFirstCustomRolesAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newScene(t, db)
		s.role("", "admin")
		for round := range 5 {
			name := fmt.Sprint("org ", round)
			org := s.organization(name)
			for i, err := range together(2, func(i int) error {
				_, err := s.rules.CreateRole(context.Background(), s.c, org, authz.NewRole{Name: fmt.Sprint("role ", i)})
				return err
			}) {
				if err != nil {
					t.Fatalf("writer %d: %v", i, err)
				}
			}
			p := must(s.rules.Policy(context.Background(), s.c, org))
			if len(p.Roles) != 4 || p.Roles[0].Slug != "member" || p.Roles[1].Slug != "admin" || !p.Own {
				t.Errorf("R32: two first custom roles left %d roles, own %v", len(p.Roles), p.Own)
			}
		}
		s.sound()
	})
}

func TestEqualSlugsAtOnce(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newScene(t, db)
		org := s.organization("acme")
		for _, owner := range []id.Organization{"", org} {
			errs := together(8, func(int) error {
				_, err := s.rules.CreateRole(context.Background(), s.c, owner, authz.NewRole{Slug: authz.Some("org-billing-" + fmt.Sprint(len(owner))), Name: "Billing"})
				return err
			})
			wantOne(t, errs, fault.Conflict)
		}
		wantOne(t, together(8, func(int) error {
			_, err := s.rules.CreatePermission(context.Background(), s.c, authz.NewPermission{Slug: "a:b", Name: "x"})
			return err
		}), fault.Conflict)
		wantOne(t, together(8, func(int) error {
			_, err := s.rules.CreateUser(context.Background(), s.c, authz.UserInput{Email: authz.Some("Same@x.example")})
			return err
		}), fault.BadRequest)
		u := s.user(1)
		wantOne(t, together(8, func(int) error {
			_, err := s.rules.CreateMembership(context.Background(), s.c, u, org, authz.RolesInput{})
			return err
		}), fault.Conflict)
		s.sound()
	})
}

// wantOne wants one success and the given refusal for all others.
func wantOne(t *testing.T, errs []error, refusal fault.Kind) {
	t.Helper()
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		} else if !fault.Is(err, refusal) {
			t.Errorf("a loser got %v", err)
		}
	}
	if done != 1 {
		t.Errorf("%d succeeded, want exactly 1", done)
	}
}

func TestDeleteAgainstAssign(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newScene(t, db)
		org := s.organization("acme")
		s.role(org, "org-keep")
		ctx := context.Background()
		for round := range 8 {
			slug := fmt.Sprint("org-", round)
			s.role(org, slug)
			m := must(s.rules.CreateMembership(ctx, s.c, s.user(round), org, asked("org-keep")))
			errs := together(3, func(i int) error {
				switch i {
				case 0:
					return s.rules.DeleteRole(ctx, s.c, org, slug)
				case 1:
					_, err := s.rules.UpdateMember(ctx, s.c, m.ID, asked(slug))
					return err
				default:
					_, err := s.rules.SetDefault(ctx, s.c, org, slug)
					return err
				}
			})
			deleted, held := errs[0] == nil, errs[1] == nil || errs[2] == nil
			if deleted == held {
				t.Errorf("I5: deleted %v (%v), assigned %v, made default %v", deleted, errs[0], errs[1], errs[2])
			}
		}
		s.sound()
	})
}

func TestSixteenWritersOnOneOrganization(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newScene(t, db)
		ctx := context.Background()
		org := s.organization("acme")
		for _, slug := range []string{"a:read", "a:write", "b:read"} {
			must(s.rules.CreatePermission(ctx, s.c, authz.NewPermission{Slug: slug, Name: slug}))
		}
		s.role("", "admin")
		s.role(org, "org-base")
		member := must(s.rules.CreateMembership(ctx, s.c, s.user(0), org, authz.RolesInput{}))
		var stop sync.WaitGroup
		done := make(chan struct{})
		seen := make(chan []id.Event, 1)
		stop.Go(func() { seen <- follow(s, done) })
		errs := together(16, func(i int) error {
			random := rand.New(rand.NewPCG(uint64(i), 7))
			for round := range rounds {
				if err := s.anyChange(random, org, member.ID, i, round); err != nil && !refusedByRule(err) {
					return err
				}
			}
			return nil
		})
		close(done)
		stop.Wait()
		for i, err := range errs {
			if err != nil {
				t.Errorf("writer %d: %v", i, err)
			}
		}
		s.sound()
		s.sawAll(<-seen)
	})
}

// refusedByRule tells the refusals that concurrent writers may honestly get.
func refusedByRule(err error) bool {
	return fault.Is(err, fault.Conflict) || fault.Is(err, fault.NotFound) || fault.Is(err, fault.Invalid) || fault.Is(err, fault.BadRequest)
}

func (s scene) anyChange(random *rand.Rand, org id.Organization, m id.Membership, writer, round int) error {
	ctx := context.Background()
	slug := fmt.Sprintf("org-%d", random.IntN(6))
	permission := []string{"a:read", "a:write", "b:read"}[random.IntN(3)]
	var err error
	switch random.IntN(9) {
	case 0, 1:
		_, err = s.rules.CreateRole(ctx, s.c, org, authz.NewRole{Slug: authz.Some(slug), Name: slug})
	case 2:
		err = s.rules.DeleteRole(ctx, s.c, org, slug)
	case 3:
		_, err = s.rules.EditRolePermissions(ctx, s.c, org, "org-base", authz.PermissionEdit{Add: permission})
	case 4:
		_, err = s.rules.EditRolePermissions(ctx, s.c, org, "org-base", authz.PermissionEdit{Remove: permission})
	case 5:
		_, err = s.rules.UpdateMember(ctx, s.c, m, asked(slug))
	case 6:
		_, err = s.rules.SetDefault(ctx, s.c, org, slug)
	case 7:
		_, err = s.rules.CreateRole(ctx, s.c, "", authz.NewRole{Slug: authz.Some(fmt.Sprintf("env-%d-%d", writer, round)), Name: "x"})
	default:
		var p authz.Policy
		if p, err = s.rules.Policy(ctx, s.c, org); err == nil {
			var slugs []string
			for _, r := range p.Roles {
				slugs = append(slugs, r.Slug)
			}
			random.Shuffle(len(slugs), func(i, j int) { slugs[i], slugs[j] = slugs[j], slugs[i] })
			_, err = s.rules.SetPriority(ctx, s.c, org, slugs)
		}
	}
	return err
}

// follow walks the events by cursor while others write, until done is closed, and returns the ids in the order seen.
func follow(s scene, done <-chan struct{}) (seen []id.Event) {
	for r := (page.Request{Limit: 7, Order: page.Asc}); ; {
		p := must(s.rules.ListEvents(context.Background(), s.c, authz.EventFilter{}, r))
		for _, e := range p.Items {
			seen = append(seen, e.ID)
		}
		if len(seen) > 0 {
			r.After = string(seen[len(seen)-1])
		}
		select {
		case <-done:
			return seen
		default:
		}
	}
}

// sawAll wants what a follower saw to be the beginning of the history as it is read afterwards: nothing missed,
// nothing twice (R182).
func (s scene) sawAll(seen []id.Event) {
	s.Helper()
	var all []id.Event
	for r := (page.Request{Limit: 100, Order: page.Asc}); ; {
		p := must(s.rules.ListEvents(context.Background(), s.c, authz.EventFilter{}, r))
		for _, e := range p.Items {
			all = append(all, e.ID)
		}
		if r.After = p.After; r.After == "" {
			break
		}
	}
	if len(seen) > len(all) || !slices.Equal(seen, all[:len(seen)]) {
		s.Errorf("a reader that walked %d events during the writes missed or repeated some of %d", len(seen), len(all))
	}
}

// Making an environment role costs the same however many organizations have an order of their own (R33).
func TestEnvironmentRoleWritesNothingPerOrganization(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newScene(t, db)
		written := func() int {
			n := 0
			store.OnExec(db, func() { n++ })
			defer store.OnExec(db, nil)
			s.role("", fmt.Sprint("r", time.Now().UnixNano()))
			return n
		}
		before := written()
		for i := range 5 {
			s.role(s.organization(fmt.Sprint(i)), "org-x")
		}
		if after := written(); after != before {
			t.Errorf("creating an environment role ran %d statements with no organization of its own order and %d with five", before, after)
		}
		s.sound()
	})
}
