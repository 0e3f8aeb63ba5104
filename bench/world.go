package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/server"
	"github.com/rolecall/rolecall/internal/store"
)

// plan is what a world is made of.
type plan struct {
	organizations int
	members       int // of each organization
	customRoles   int // of each organization
}

// Every world has 100 permissions and 4 environment roles that hold a quarter of them each; a custom role holds 10.
const (
	permissions      = 100
	environmentRoles = 4
	environmentHolds = permissions / environmentRoles
	customHolds      = 10
)

// world is what a database holds, as the load needs to know it.
type world struct {
	key           string // an API key
	organizations []id.Organization
	questions     []question // one in two is answered yes
	seats         []seat
	customRoles   int // of each organization
}

// seat is a member with the permissions of its role: a number of them from a first one on.
type seat struct {
	member       id.Membership
	organization id.Organization
	first, holds int
}

type question struct {
	member     id.Membership
	permission string
	allowed    bool
}

// settler makes a world by the rules.
type settler struct {
	rules  *authz.Service
	caller authz.Caller
	plan   plan
}

// together is a storage whose transactions are all one that is open already. It makes a world in few commits.
type together struct{ tx authz.Tx }

// View implements authz.DB.
func (t together) View(_ context.Context, fn func(authz.Reader) error) error { return fn(t.tx) }

// Update implements authz.DB.
func (t together) Update(_ context.Context, fn func(authz.Tx) error) error { return fn(t.tx) }
func (t together) PlaceEvents(context.Context, id.Environment, int64, int) (int, error) {
	return 0, errors.New("events cannot be placed within another transaction")
}

// perCommit is how many organizations are made in one transaction.
const perCommit = 25

// settle fills an empty database and closes it.
func (b *bench) settle(ctx context.Context, d database, p plan) (w *world, err error) {
	b.say("%s: making a world of %d organizations", d.Name, p.organizations)
	db, err := store.Open(ctx, d.location, store.Serve)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	ids := id.NewSource(time.Now, nil)
	env, err := authz.New(db, time.Now, ids).CreateEnvironment(ctx, server.FirstEnvironment)
	if err != nil {
		return nil, err
	}
	w = &world{customRoles: p.customRoles}
	if _, w.key, err = operator.New(db, db.Fresh(), time.Now, ids).CreateKey(ctx, operator.NewKey{Environment: env.ID, Name: "bench"}); err != nil {
		return nil, err
	}
	caller := authz.Caller{Environment: env.ID, Actor: event.Actor{ID: "bench", Source: "system", Name: "bench"}}
	settling := func(make func(settler) error) error {
		return db.Update(ctx, func(tx authz.Tx) error {
			return make(settler{rules: authz.New(together{tx}, time.Now, ids), caller: caller, plan: p})
		})
	}
	if err := settling(func(s settler) error { return s.environment(ctx) }); err != nil {
		return nil, err
	}
	for first := 0; first < p.organizations; first += perCommit {
		var part world // the transaction may run again
		err := settling(func(s settler) error {
			part = world{}
			for n := first; n < min(first+perCommit, p.organizations); n++ {
				if err := s.organization(ctx, n, &part); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		w.organizations = append(w.organizations, part.organizations...)
		w.questions = append(w.questions, part.questions...)
		w.seats = append(w.seats, part.seats...)
	}
	rand.Shuffle(len(w.questions), func(i, j int) { w.questions[i], w.questions[j] = w.questions[j], w.questions[i] })
	if d.Name == "PostgreSQL" { // what its own housekeeping would do a little later, in the middle of a round
		err = execute(ctx, d.location, "VACUUM ANALYZE")
	}
	return w, err
}

func permissionSlug(n int) string { return fmt.Sprintf("things%02d:read", n%permissions) }

func permissionSlugs(first, count int) []string {
	slugs := make([]string, count)
	for i := range slugs {
		slugs[i] = permissionSlug(first + i)
	}
	return slugs
}

func environmentSlug(n int) string {
	if n == 0 {
		return authz.SeededRole
	}
	return fmt.Sprintf("role-%d", n)
}

func customSlug(n int) string { return fmt.Sprintf("org-custom-%d", n) }

func (s settler) environment(ctx context.Context) error {
	for n := range permissions {
		slug := permissionSlug(n)
		if _, err := s.rules.CreatePermission(ctx, s.caller, authz.NewPermission{Slug: slug, Name: slug}); err != nil {
			return err
		}
	}
	for n := range environmentRoles {
		slug := environmentSlug(n)
		if slug != authz.SeededRole {
			if _, err := s.rules.CreateRole(ctx, s.caller, "", authz.NewRole{Slug: authz.Some(slug), Name: slug}); err != nil {
				return err
			}
		}
		holds := permissionSlugs(n*environmentHolds, environmentHolds)
		if _, err := s.rules.EditRolePermissions(ctx, s.caller, "", slug, authz.PermissionEdit{Set: authz.Some(holds)}); err != nil {
			return err
		}
	}
	return nil
}

func (s settler) organization(ctx context.Context, n int, w *world) error {
	o, err := s.rules.CreateOrganization(ctx, s.caller, authz.OrganizationInput{Name: authz.Some(fmt.Sprintf("Organization %d", n))})
	if err != nil {
		return err
	}
	w.organizations = append(w.organizations, o.ID)
	for r := range s.plan.customRoles {
		slug := customSlug(r)
		if _, err := s.rules.CreateRole(ctx, s.caller, o.ID, authz.NewRole{Slug: authz.Some(slug), Name: slug}); err != nil {
			return err
		}
		holds := permissionSlugs(r*2*customHolds, customHolds)
		if _, err := s.rules.EditRolePermissions(ctx, s.caller, o.ID, slug, authz.PermissionEdit{Set: authz.Some(holds)}); err != nil {
			return err
		}
	}
	for m := range s.plan.members {
		if err := s.member(ctx, o.ID, n, m, w); err != nil {
			return err
		}
	}
	return nil
}

// member makes one member and two questions about it. Every other member has a custom role.
func (s settler) member(ctx context.Context, org id.Organization, o, m int, w *world) error {
	u, err := s.rules.CreateUser(ctx, s.caller, authz.UserInput{Email: authz.Some(fmt.Sprintf("member-%d@organization-%d.example", m, o))})
	if err != nil {
		return err
	}
	role := m / 2 % environmentRoles
	slug, first, holds := environmentSlug(role), role*environmentHolds, environmentHolds
	if s.plan.customRoles > 0 && m%2 == 1 {
		role = m / 2 % s.plan.customRoles
		slug, first, holds = customSlug(role), role*2*customHolds, customHolds
	}
	member, err := s.rules.CreateMembership(ctx, s.caller, u.ID, org, authz.RolesInput{Slug: authz.Some(slug)})
	if err != nil {
		return err
	}
	w.seats = append(w.seats, seat{member.ID, org, first, holds})
	w.questions = append(w.questions,
		question{member.ID, permissionSlug(first + (o+m)%holds), true},
		question{member.ID, permissionSlug(first + holds + (o+m)%(permissions-holds)), false})
	return nil
}
