package store_test

import (
	"context"
	"errors"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
)

// step is one acknowledged operation of the script, done at an instant.
type step struct {
	at    time.Duration // after the beginning
	do    func() error
	batch bool // work in the background, which gives its events their places after its commit
}

// played is a scene with the things that the script makes.
type played struct {
	scene
	steps             []step
	at                time.Duration
	org, other, third id.Organization
	u, v, w           id.User
	m, n, o           authz.Member
	group             authz.Group
}

// script is one operation of every kind that writes, in an order in which each has something to do. What follows a
// change is done in batches, each of which is an operation of its own.
func script(s scene) []step {
	p := &played{scene: s}
	p.beginning()
	p.people()
	p.removals()
	p.customRemovals()
	p.groupRemoval()
	p.mode()
	p.time()
	p.ending()
	return p.steps
}

func (p *played) then(operations ...func() error) {
	for _, do := range operations {
		p.steps = append(p.steps, step{at: p.at, do: do})
	}
}

// work is batches of what follows, after which nothing is left.
func (p *played) work(batches int) {
	for i := range batches {
		p.then(func() error {
			worked, err := p.rules.Work(context.Background(), "script")
			if err == nil && !worked {
				err = errors.New("there was nothing to do")
			}
			if err != nil || i < batches-1 {
				return err
			}
			if left, err := p.rules.Work(context.Background(), "script"); err != nil || left {
				return errors.Join(errors.New("there was more to do"), err)
			}
			return nil
		})
		p.steps[len(p.steps)-1].batch = true
	}
}

func (p *played) role(owner *id.Organization, slug string, permissions ...string) {
	p.then(func() error {
		return done(p.rules.CreateRole(context.Background(), p.c, *owner, authz.NewRole{Slug: authz.Some(slug), Name: slug}))
	})
	if len(permissions) > 0 {
		p.then(func() error {
			return done(p.rules.EditRolePermissions(context.Background(), p.c, *owner, slug, authz.PermissionEdit{Set: authz.Some(permissions)}))
		})
	}
}

func (p *played) organization(into *id.Organization, in authz.OrganizationInput) {
	p.then(func() error {
		o, err := p.rules.CreateOrganization(context.Background(), p.c, in)
		*into = o.ID
		return err
	})
}

func (p *played) user(into *id.User, email string) {
	p.then(func() error {
		u, err := p.rules.CreateUser(context.Background(), p.c, authz.UserInput{Email: authz.Some(email)})
		*into = u.ID
		return err
	})
}

func (p *played) join(into *authz.Member, u *id.User, org *id.Organization, roles authz.RolesInput) {
	p.then(func() (err error) {
		*into, err = p.rules.CreateMembership(context.Background(), p.c, *u, *org, roles)
		return err
	})
}

func (p *played) assign(m *authz.Member, roles authz.RolesInput) {
	p.then(func() error { return done(p.rules.UpdateMember(context.Background(), p.c, m.ID, roles)) })
}

func (p *played) fallback(owner *id.Organization, slug string) {
	p.then(func() error { return done(p.rules.SetDefault(context.Background(), p.c, *owner, slug)) })
}

func (p *played) multiple(on bool) {
	p.then(func() error { return done(p.rules.SetMultipleRoles(context.Background(), p.c, on)) })
}

func (p *played) remove(owner *id.Organization, slug string, in func() authz.RoleDeletion) {
	p.then(func() error { return done(p.rules.RemoveRole(context.Background(), p.c, *owner, slug, in())) })
}

var environmentOwned = new(id.Organization)

func (p *played) beginning() {
	ctx := context.Background()
	for _, slug := range []string{"a:read", "a:write"} {
		p.then(func() error {
			return done(p.rules.CreatePermission(ctx, p.c, authz.NewPermission{Slug: slug, Name: slug}))
		})
	}
	p.role(environmentOwned, "admin", "a:read", "a:write")
	p.organization(&p.org, authz.OrganizationInput{
		Name: authz.Some("acme"), Domains: authz.Some([]authz.DomainInput{{Name: "acme.example", State: authz.DomainPending}}),
	})
	p.organization(&p.other, authz.OrganizationInput{Name: authz.Some("other")})
	p.organization(&p.third, authz.OrganizationInput{Name: authz.Some("third")})
	p.role(&p.org, "org-billing")
	p.role(&p.org, "org-auditor")
	p.role(&p.other, "org-x")
	p.role(environmentOwned, "late")
	p.then(func() error {
		return done(p.rules.EditRolePermissions(ctx, p.c, p.org, "org-billing", authz.PermissionEdit{Add: "a:read"}))
	})
	p.fallback(&p.org, "org-billing")
	p.work(1)
	p.then(func() error {
		return done(p.rules.SetPriority(ctx, p.c, p.org, []string{"late", "org-billing", "org-auditor", "admin", "member"}))
	})
	p.work(1)
}

func (p *played) people() {
	ctx := context.Background()
	v1 := "v"
	p.user(&p.u, "u@x.example")
	p.user(&p.v, "v@x.example")
	p.user(&p.w, "w@x.example")
	p.join(&p.m, &p.u, &p.org, authz.RolesInput{})
	p.join(&p.n, &p.v, &p.other, asked("admin"))
	p.assign(&p.m, asked("org-auditor"))
	p.then(
		func() error { return done(p.rules.DeactivateMember(ctx, p.c, p.m.ID)) },
		func() error { return done(p.rules.ReactivateMember(ctx, p.c, p.m.ID)) },
		func() error {
			return done(p.rules.UpdateRole(ctx, p.c, p.org, "org-billing", authz.Details{Name: authz.Some("Billing!")}))
		},
		func() error {
			return done(p.rules.UpdateOrganization(ctx, p.c, p.org, authz.OrganizationInput{Metadata: authz.Some(map[string]*string{"k": &v1})}))
		},
		func() error {
			return done(p.rules.UpdateUser(ctx, p.c, p.u, authz.UserInput{Metadata: authz.Some(map[string]*string{"k": &v1})}))
		},
	)
}

// removals removes a role that is held, asked for and as the default, and is the default of the environment and of two
// organizations, each of which gets another one.
func (p *played) removals() {
	p.role(environmentOwned, "gone", "a:write")
	for _, owner := range []*id.Organization{environmentOwned, &p.org, &p.other} {
		p.fallback(owner, "gone")
	}
	p.work(3)
	p.join(&p.o, &p.w, &p.third, authz.RolesInput{})
	p.assign(&p.m, asked("gone"))
	p.multiple(true)
	p.work(1)
	p.assign(&p.n, several("admin", "gone"))
	p.remove(environmentOwned, "gone", func() authz.RoleDeletion {
		return authz.RoleDeletion{
			Replacement: authz.Some("admin"), Default: authz.Some("member"),
			Defaults: []authz.OrganizationDefault{{Organization: p.org, Slug: "org-billing"}, {Organization: p.other, Slug: "org-x"}},
		}
	})
	p.work(3) // move, forget, tell of those who fall back
}

// customRemovals removes a custom role for one that its holder has already, and one without a replacement whose
// default changes before its assignments are moved.
func (p *played) customRemovals() {
	p.role(&p.org, "org-gone", "a:read")
	p.role(&p.org, "org-lost")
	p.assign(&p.m, several("org-gone", "org-auditor"))
	p.remove(&p.org, "org-gone", func() authz.RoleDeletion { return authz.RoleDeletion{Replacement: authz.Some("org-auditor")} })
	p.work(2)
	p.assign(&p.m, asked("org-lost"))
	p.remove(&p.org, "org-lost", func() authz.RoleDeletion { return authz.RoleDeletion{} })
	p.fallback(&p.org, "org-auditor")
	p.work(3)
}

// groupRemoval removes a role that a group holds: its members are told of by a job of its own.
func (p *played) groupRemoval() {
	ctx := context.Background()
	p.role(environmentOwned, "shared", "a:write")
	p.then(func() error {
		r, err := p.rules.Role(ctx, p.c, "", "shared")
		if err == nil {
			p.group = p.scene.group(p.org, "group", []id.Membership{p.m.ID}, r)
		}
		return err
	})
	p.work(1)
	p.remove(environmentOwned, "shared", func() authz.RoleDeletion { return authz.RoleDeletion{Replacement: authz.Some("late")} })
	p.work(3)
}

func (p *played) mode() {
	p.assign(&p.m, several("org-billing", "org-auditor", "member"))
	p.multiple(false)
	p.work(1)
}

// time lets an assignment begin and end.
func (p *played) time() {
	ctx := context.Background()
	p.then(func() error {
		r, err := p.rules.Role(ctx, p.c, "", "admin")
		if err != nil {
			return err
		}
		began := newHandClock().at
		a := authz.Assignment{
			ID: id.New[id.Assignment](id.NewSource(time.Now, nil)), Environment: p.c.Environment, Organization: p.third, Membership: p.o.ID,
			Role: r.ID, Resource: authz.OrganizationResource(p.third), Source: authz.SourceManual, Explicit: true,
			StartsAt: began.Add(time.Hour), ExpiresAt: began.Add(2 * time.Hour), CreatedAt: began, UpdatedAt: began,
		}
		return p.db.Update(ctx, func(tx authz.Tx) error { return tx.InsertAssignment(a, a.StartsAt) })
	})
	p.at = time.Hour
	p.work(1)
	p.at = 2 * time.Hour
	p.work(1)
}

func (p *played) ending() {
	ctx := context.Background()
	p.then(
		func() error { return p.rules.DeletePermission(ctx, p.c, "a:read") },
		func() error { // a group loses its roles, as by its rule
			return p.db.Update(ctx, func(tx authz.Tx) error {
				j := authz.Job{
					ID: id.New[id.Job](id.NewSource(time.Now, nil)), Environment: p.c.Environment, Organization: p.org,
					Kind: authz.JobAnnounce, Subject: string(p.group.ID), CreatedAt: newHandClock().at, UpdatedAt: newHandClock().at,
				}
				return errors.Join(tx.DeleteAssignmentsOf(p.org, authz.AssignmentFilter{Group: p.group.ID}), tx.InsertJob(j))
			})
		},
	)
	p.work(1)
	p.then(
		func() error { return p.rules.DeleteRole(ctx, p.c, "", "late") },
		func() error { return p.rules.DeleteMember(ctx, p.c, p.n.ID) },
		func() error { return p.rules.DeleteOrganization(ctx, p.c, p.other) },
		func() error { return p.rules.DeleteUser(ctx, p.c, p.w) },
		func() error { return p.rules.DeleteOrganization(ctx, p.c, p.org) },
	)
}
