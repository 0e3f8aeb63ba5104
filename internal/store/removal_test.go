package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
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

// member puts a new user into an organization.
func (s scene) member(org id.Organization, email string, roles authz.RolesInput) authz.Member {
	ctx := context.Background()
	u := must(s.rules.CreateUser(ctx, s.c, authz.UserInput{Email: authz.Some(email + "@x.example")}))
	return must(s.rules.CreateMembership(ctx, s.c, u.ID, org, roles))
}

func several(slugs ...string) authz.RolesInput { return authz.RolesInput{Slugs: authz.Some(slugs)} }

func (s scene) update(do func(authz.Tx) error) {
	s.Helper()
	if err := s.db.Update(context.Background(), do); err != nil {
		s.Fatalf("writing to the store: %v", err)
	}
}

// group makes a group as its rule would: with its members, its roles on the organization and its events.
func (s scene) group(org id.Organization, name string, in []id.Membership, roles ...authz.Role) authz.Group {
	ids, now := id.NewSource(time.Now, nil), time.Now().UTC().Truncate(time.Millisecond)
	g := authz.Group{ID: id.New[id.Group](ids), Environment: s.c.Environment, Organization: org, Name: name, CreatedAt: now, UpdatedAt: now}
	emitted := func(t event.Type, payload any) event.Event {
		return event.Event{
			ID: id.New[id.Event](ids), Environment: s.c.Environment, Organization: org, Type: t,
			Data: must(event.Encode(payload)), Context: []byte(`{}`), CreatedAt: now,
		}
	}
	s.update(func(tx authz.Tx) error {
		events := []event.Event{emitted(event.GroupCreated, g.Payload())}
		if err := tx.InsertGroup(g); err != nil {
			return err
		}
		for _, m := range in {
			if err := tx.AddGroupMember(g, m, now); err != nil {
				return err
			}
			events = append(events, emitted(event.GroupMemberAdded, event.GroupMember{GroupID: g.ID, MembershipID: m}))
		}
		for _, r := range roles {
			a := authz.Assignment{
				ID: id.New[id.Assignment](ids), Environment: s.c.Environment, Organization: org, Group: g.ID, Role: r.ID,
				Resource: authz.OrganizationResource(org), Source: authz.SourceGroup, Explicit: true, CreatedAt: now, UpdatedAt: now,
			}
			if err := tx.InsertAssignment(a, time.Time{}); err != nil {
				return err
			}
		}
		announce := authz.Job{
			ID: id.New[id.Job](ids), Environment: s.c.Environment, Organization: org, Kind: authz.JobAnnounce, Subject: string(g.ID),
			CreatedAt: now, UpdatedAt: now,
		}
		if err := tx.InsertJob(announce); err != nil {
			return err
		}
		return tx.InsertEvents(events)
	})
	return g
}

// updates counts the organization_membership.updated of each membership.
func (s scene) updates() map[string]int {
	s.Helper()
	count := map[string]int{}
	filter := authz.EventFilter{Types: []string{string(event.MembershipUpdated)}}
	for r := (page.Request{Limit: page.MaxLimit, Order: page.Asc}); ; {
		p := must(s.rules.ListEvents(context.Background(), s.c, filter, r))
		for _, e := range p.Items {
			count[dataID(s, e)]++
		}
		if r.After = p.After; r.After == "" {
			return count
		}
	}
}

// forgotten checks that a role which was removed left nothing behind.
func (s scene) forgotten(role authz.Role) {
	s.Helper()
	err := s.db.View(context.Background(), func(tx authz.Reader) error {
		naming, err := tx.CountNaming(role.ID)
		if err != nil {
			return err
		}
		if naming > 0 {
			s.Errorf("%d assignments still name %s", naming, role.Slug)
		}
		use, err := tx.RoleUse(role.Environment, role.ID)
		if err != nil {
			return err
		}
		if use != (authz.Use{}) {
			s.Errorf("the role %s is still used: %+v", role.Slug, use)
		}
		if _, found, err := tx.Organization(role.Environment, role.Organization); role.Custom() && (err != nil || !found) {
			return err
		}
		standing, _, err := tx.Standing(role.Environment, role.Organization)
		roles := standing.Roles
		for _, r := range roles {
			if r.ID == role.ID {
				s.Errorf("the row of role %s is still there", role.Slug)
			}
		}
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
}

// In a calm run every member that a deletion moves is told of exactly once, with the right roles, and nobody else,
// however many ways lead to the role: directly, as the default given at creation, through a group, beside another role.
func TestRemovalTellsOfEachMemberOnce(t *testing.T) {
	for name, replacement := range map[string]authz.Opt[string]{"replacement": authz.Some("editor"), "default": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, db *store.Store) {
				ctx := context.Background()
				s := newScene(t, db)
				gone, _ := s.role("", "gone"), s.role("", "editor")
				s.role("", "other")
				must(s.rules.SetMultipleRoles(ctx, s.c, true))
				must(s.rules.SetDefault(ctx, s.c, "", "gone"))
				orgs := []id.Organization{s.organization("follower"), s.organization("own")}
				s.role(orgs[1], "org-x")
				moved, same := map[string]string{}, map[string]bool{}
				instead := map[string]string{"default": "member", "replacement": "editor"}[name]
				for i, org := range orgs {
					moved[string(s.member(org, fmt.Sprint("given", i), authz.RolesInput{}).ID)] = instead
					moved[string(s.member(org, fmt.Sprint("asked", i), asked("gone")).ID)] = instead
					both := s.member(org, fmt.Sprint("both", i), several("gone", "other")).ID
					moved[string(both)] = map[string]string{"default": "other", "replacement": "editor,other"}[name]
					inGroup := s.member(org, fmt.Sprint("group", i), asked("other")).ID
					s.group(org, "g", []id.Membership{inGroup, both}, gone)
					moved[string(inGroup)] = moved[string(both)]
					same[string(s.member(org, fmt.Sprint("same", i), asked("other")).ID)] = true
				}
				s.sound()
				before := s.updates()
				job := must(s.rules.RemoveRole(ctx, s.c, "", "gone", authz.RoleDeletion{Replacement: replacement, Default: authz.Some("member")}))
				if job.Total != 8 || job.Done != 0 {
					t.Errorf("8 assignments name the role, the job says %d of %d", job.Done, job.Total)
				}
				atOnce := decisions(storetest.Look(t, s.db, s.rules, s.c))
				after := decisions(s.sound())
				wantSame(t, "the work changed a decision", atOnce, after)
				s.forgotten(gone)
				for m, n := range s.updates() {
					switch n -= before[m]; {
					case moved[m] != "" && n != 1, moved[m] == "" && n != 0:
						t.Errorf("%s was told of %d times", m, n)
					}
				}
				for m, roles := range moved {
					if shown := must(s.rules.Member(ctx, s.c, id.Membership(m))).Shown; fmt.Sprint(shown) != "["+spaced(roles)+"]" {
						t.Errorf("%s shows %v, want %s", m, shown, roles)
					}
				}
				if job = must(s.rules.Job(ctx, s.c, job.ID)); job.Done != 8 || job.FinishedAt.IsZero() {
					t.Errorf("the job ended at %d of %d, finished at %v", job.Done, job.Total, job.FinishedAt)
				}
			})
		})
	}
}

// A member whose role was removed gets the default of that moment, whether the job reached him before the default was
// changed or after, and however his organization came by its default meanwhile.
func TestDefaultOfTheMomentOfRemoval(t *testing.T) {
	for _, early := range []bool{true, false} {
		t.Run(fmt.Sprint("work before the change ", early), func(t *testing.T) {
			t.Parallel()
			onEach(t, func(t *testing.T, db *store.Store) {
				ctx := context.Background()
				s := newScene(t, db)
				gone := s.role("", "gone")
				for _, slug := range []string{"then", "later", "latest", "own-then", "own-later"} {
					s.role("", slug)
				}
				orgs := map[string]id.Organization{"follower": s.organization("a"), "detached": s.organization("b"), "own": s.organization("c")}
				s.role(orgs["own"], "org-x")
				must(s.rules.SetDefault(ctx, s.c, "", "then"))
				must(s.rules.SetDefault(ctx, s.c, orgs["own"], "own-then"))
				members := map[string]id.Membership{}
				for name, org := range orgs {
					members[name] = s.member(org, name, asked("gone")).ID
				}
				must(s.rules.RemoveRole(ctx, s.c, "", "gone", authz.RoleDeletion{}))
				if early {
					storetest.Settle(t, s.rules, s.c)
				}
				must(s.rules.SetDefault(ctx, s.c, "", "later"))
				must(s.rules.SetDefault(ctx, s.c, orgs["own"], "own-later"))
				s.role(orgs["detached"], "org-y") // takes the environment's default of now, not of the moment
				must(s.rules.SetDefault(ctx, s.c, orgs["detached"], "own-later"))
				must(s.rules.SetDefault(ctx, s.c, "", "latest"))
				want := map[string]string{"follower": "then", "detached": "then", "own": "own-then"}
				for range 2 { // before and after the work
					for name, m := range members {
						if held := must(s.rules.Member(ctx, s.c, m)).Held; len(held) != 1 || held[0].Role.Slug != want[name] {
							t.Errorf("the %s member holds %v, want %s", name, held, want[name])
						}
					}
					s.sound()
				}
				s.forgotten(gone)
			})
		})
	}
}

// The same, for removals, defaults, first custom roles and batches of work in any order: a removal is all that changes
// what members hold.
func TestDefaultsAndRemovalsInAnyOrder(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		for seed := range uint64(3) {
			r := &removals{scene: newSceneAt(t, db, fmt.Sprint("seed ", seed), time.Now), random: rand.New(rand.NewPCG(seed, 11)), defaults: map[id.Organization]string{}, holds: map[id.Membership]string{}}
			r.begin()
			for range 40 {
				r.step()
				if t.Failed() {
					t.Fatalf("seed %d, after:\n%s", seed, r.history)
				}
			}
			r.sound()
			r.compare()
			for _, role := range r.removed {
				r.forgotten(role)
			}
		}
	})
}

// removals is a naive model of what members hold while roles are removed.
type removals struct {
	scene
	random   *rand.Rand
	slugs    []string
	orgs     []id.Organization
	own      []id.Organization          // those with a default of their own
	defaults map[id.Organization]string // of owners
	members  []id.Membership
	holds    map[id.Membership]string
	of       map[id.Membership]id.Organization
	removed  []authz.Role
	history  string
}

func (r *removals) begin() {
	r.defaults[""], r.of = authz.SeededRole, map[id.Membership]id.Organization{}
	r.slugs = []string{authz.SeededRole}
	for i := range 5 {
		r.role("", fmt.Sprint("r", i))
		r.slugs = append(r.slugs, fmt.Sprint("r", i))
	}
	for i := range 3 {
		org := r.organization(fmt.Sprint("o", i))
		r.orgs = append(r.orgs, org)
		for j, slug := range r.slugs {
			m := r.member(org, fmt.Sprint(i, "-", j), asked(slug)).ID
			r.members, r.holds[m], r.of[m] = append(r.members, m), slug, org
		}
	}
}

func (r *removals) any(of []string) string { return of[r.random.IntN(len(of))] }

func (r *removals) step() {
	ctx := context.Background()
	slug := r.any(r.slugs)
	switch r.random.IntN(8) {
	case 0, 1:
		owners := append([]id.Organization{""}, r.own...)
		owner := owners[r.random.IntN(len(owners))]
		r.history += fmt.Sprintf("default of %q is %s\n", owner, slug)
		must(r.rules.SetDefault(ctx, r.c, owner, slug))
		r.defaults[owner] = slug
	case 2:
		org := r.orgs[r.random.IntN(len(r.orgs))]
		r.history += fmt.Sprintf("custom role of %s\n", org)
		r.role(org, fmt.Sprint("org-", r.random.Uint64()))
		if _, own := r.defaults[org]; !own {
			r.defaults[org], r.own = r.defaults[""], append(r.own, org)
		}
	case 3, 4:
		r.history += "work\n"
		must(r.rules.Work(ctx, storetest.Worker))
	case 5:
		r.role("", "again")
		must(r.rules.UpdateMember(ctx, r.c, r.anyone(), asked("again"))) // which is gone at once
		r.remove("again")
	default:
		if slug != authz.SeededRole {
			r.remove(slug)
			r.role("", slug) // the slug is free, and it is another role
		}
	}
	r.compare()
}

func (r *removals) anyone() id.Membership {
	m := r.members[r.random.IntN(len(r.members))]
	r.holds[m] = "again"
	return m
}

// remove removes a role of the environment, sometimes with a replacement, and plays what must follow.
func (r *removals) remove(slug string) {
	ctx := context.Background()
	in := authz.RoleDeletion{Default: authz.Some(r.any(drop(r.slugs, slug)))}
	if r.random.IntN(2) == 0 {
		in.Replacement = authz.Some(r.any(drop(r.slugs, slug)))
	}
	r.history += fmt.Sprintf("remove %s %+v\n", slug, in)
	r.removed = append(r.removed, must(r.rules.Role(ctx, r.c, "", slug)))
	must(r.rules.RemoveRole(ctx, r.c, "", slug, in))
	for owner, d := range r.defaults {
		if d == slug {
			r.defaults[owner] = in.Default.Value
		}
	}
	for m, held := range r.holds {
		if held != slug {
			continue
		}
		r.holds[m] = in.Replacement.Value
		if d, own := r.defaults[r.of[m]]; !in.Replacement.Set && own {
			r.holds[m] = d
		} else if !in.Replacement.Set {
			r.holds[m] = r.defaults[""]
		}
	}
}

func (r *removals) compare() {
	r.Helper()
	for m, want := range r.holds {
		if held := must(r.rules.Member(context.Background(), r.c, m)).Held; len(held) != 1 || held[0].Role.Slug != want {
			r.Errorf("%s holds %v, want %s", m, held, want)
		}
	}
}

// What a role that is gone counts as cannot be deleted in its turn while assignments wait to be moved to it, and an
// organization can be deleted at any time.
func TestWhatRemovalsLeanOn(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		ctx := context.Background()
		s := newScene(t, db)
		for _, slug := range []string{"gone", "lost", "instead", "then", "later"} {
			s.role("", slug)
		}
		must(s.rules.SetDefault(ctx, s.c, "", "then"))
		org, short := s.organization("acme"), s.organization("short-lived")
		s.member(org, "a", asked("gone"))
		s.member(org, "b", asked("lost"))
		custom := s.role(short, "org-gone")
		m := s.member(short, "c", asked("org-gone"))
		s.group(short, "g", []id.Membership{m.ID}, custom)
		must(s.rules.RemoveRole(ctx, s.c, "", "gone", authz.RoleDeletion{Replacement: authz.Some("instead")}))
		must(s.rules.RemoveRole(ctx, s.c, "", "lost", authz.RoleDeletion{}))
		must(s.rules.RemoveRole(ctx, s.c, short, "org-gone", authz.RoleDeletion{}))
		must(s.rules.SetDefault(ctx, s.c, "", "later"))
		for _, slug := range []string{"instead", "then"} {
			if err := s.rules.DeleteRole(ctx, s.c, "", slug); !fault.Is(err, fault.Conflict) {
				t.Errorf("deleting %s, which assignments are to be moved to: %v", slug, err)
			}
		}
		if err := s.rules.DeleteOrganization(ctx, s.c, short); err != nil {
			t.Errorf("deleting an organization whose role is on its way out: %v", err)
		}
		s.sound()
	})
}
