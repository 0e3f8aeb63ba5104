package decision_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"pgregory.net/rapid"
)

// The vocabulary is small, so that random operations often meet each other.
var (
	someSlugs  = []string{"a:read", "a:write", "b:*"}
	sharedOnes = []string{"admin", "editor", "lead", "member"}
	customOnes = []string{"org-a", "org-b"}
)

// chance is a world that changes at random.
type chance struct {
	*rapid.T
	*world
	groups    []authz.Group
	resources []authz.Resource
	users     []id.User
	made      int
}

func newChance(t *testing.T, rt *rapid.T, location string, o decision.Options) *chance {
	r := &chance{T: rt, world: newWorld(t, location, o)}
	r.kind("folder", authz.OrganizationType)
	r.kind("box", authz.OrganizationType, "folder")
	r.kind("project", authz.OrganizationType, "folder", "box")
	r.permission(someSlugs...)
	r.role("", "admin", "a:read", "a:write")
	r.role("", "editor", "a:read")
	r.roleFor("folder", "lead", "b:*")
	for i := range 2 {
		org := r.organization(fmt.Sprint("acme-", i))
		for j := range 2 {
			r.member(org, fmt.Sprint("early-", i, "-", j))
		}
		folder := r.resource(org, "folder", "outer", "")
		inner := r.resource(org, "box", "inner", folder.ID)
		r.resources = append(r.resources, folder, inner, r.resource(org, "project", "deep", inner.ID))
		r.groups = append(r.groups, must(r.rules.CreateGroup(ctx, r.c, org, authz.NewGroup{Name: "crew"})))
	}
	return r
}

func one[V any](r *chance, from []V, label string) V {
	if len(from) == 0 {
		r.Skip("nothing there")
	}
	return rapid.SampledFrom(from).Draw(r.T, label)
}

func (r *chance) org() id.Organization { return one(r, r.orgs, "organization") }

// owner is an organization or, empty, the environment, with the slug of a role that it may have.
func (r *chance) owner() (id.Organization, string) {
	if rapid.Bool().Draw(r.T, "shared") {
		return "", one(r, sharedOnes, "role")
	}
	return r.org(), one(r, customOnes, "role")
}

func (r *chance) some() []string {
	return slices.DeleteFunc(slices.Clone(someSlugs), func(string) bool { return rapid.Bool().Draw(r.T, "left out") })
}

// tried lets an operation be refused.
func (r *chance) tried(err error) bool {
	if f := fault.Of(err); f != nil && (f.Kind == fault.Internal || f.Kind == fault.Unavailable) {
		r.T.Fatalf("an operation failed: %v", err)
	}
	return err == nil
}

func try[V any](r *chance) func(V, error) (V, bool) {
	return func(v V, err error) (V, bool) { return v, r.tried(err) }
}

// assignment is one that may be given, on the organization or below it, for a time or for ever.
func (r *chance) assignment() authz.NewAssignment {
	in := authz.NewAssignment{Role: one(r, append(sharedOnes, customOnes...), "role")}
	if len(r.resources) > 0 && rapid.Bool().Draw(r.T, "below") {
		in.Resource = authz.ResourceRef{ID: one(r, r.resources, "resource").ID}
		in.Role = "lead"
	}
	now := r.clock.now()
	switch rapid.IntRange(0, 3).Draw(r.T, "interval") {
	case 0:
		in.ExpiresAt = now.Add(time.Minute)
	case 1:
		in.StartsAt, in.ExpiresAt = now.Add(time.Minute), now.Add(2*time.Minute)
	}
	return in
}

// provided has an identity provider say something, which no rule does yet.
func (r *chance) provided() {
	m := one(r, r.people, "member")
	r.tried(r.db.Update(ctx, func(tx authz.Tx) error {
		of, ok, err := tx.Membership(r.c.Environment, m)
		if err != nil || !ok {
			return err
		}
		home := authz.OrganizationResource(of.Organization)
		standing, _, err := tx.Standing(r.c.Environment, of.Organization)
		if err != nil {
			return err
		}
		roles := slices.DeleteFunc(standing.Roles, func(role authz.Role) bool {
			return role.ResourceType != authz.OrganizationType || !role.RetiredAt.IsZero()
		})
		slices.SortFunc(roles, func(a, b authz.Role) int { return int(a.Ordinal - b.Ordinal) })
		source := one(r, []authz.Source{authz.SourceSSO, authz.SourceDirectory}, "source")
		there, err := tx.AssignmentsOf(of.Organization, []id.Membership{m}, []id.Resource{home})
		if err != nil || slices.ContainsFunc(there[m], func(a authz.Assignment) bool { return a.Source == source }) {
			return err
		}
		return tx.InsertAssignment(authz.Assignment{
			ID: id.New[id.Assignment](r.ids), Environment: r.c.Environment, Organization: of.Organization, Membership: m, Role: one(r, roles, "role").ID,
			Resource: home, Source: source, Explicit: rapid.Bool().Draw(r.T, "explicit"), CreatedAt: r.clock.now(), UpdatedAt: r.clock.now(),
		}, time.Time{})
	}))
}

func (r *chance) permissionSteps() map[string]func() {
	return map[string]func(){
		"create a permission": func() {
			slug := one(r, someSlugs, "slug")
			_, err := r.rules.CreatePermission(ctx, r.c, authz.NewPermission{Slug: slug, Name: slug, ResourceType: authz.Some(madeFor(slug))})
			r.tried(err)
		},
		"delete a permission": func() { r.tried(r.rules.DeletePermission(ctx, r.c, one(r, someSlugs, "slug"))) },
		"rename a permission": func() {
			r.made++
			_, err := r.rules.UpdatePermission(ctx, r.c, one(r, someSlugs, "slug"), authz.Details{Name: authz.Some(fmt.Sprint("name ", r.made))})
			r.tried(err)
		},
	}
}

func (r *chance) roleSteps() map[string]func() {
	return map[string]func(){
		"create a role": func() {
			org, slug := r.owner()
			_, err := r.rules.CreateRole(ctx, r.c, org, authz.NewRole{Slug: authz.Some(slug), Name: slug, Permissions: authz.Some(r.some())})
			r.tried(err)
		},
		"edit a role": func() {
			org, slug := r.owner()
			_, err := r.rules.EditRolePermissions(ctx, r.c, org, slug, authz.PermissionEdit{Set: authz.Some(r.some())})
			r.tried(err)
		},
		"rename a role": func() {
			r.made++
			org, slug := r.owner()
			_, err := r.rules.UpdateRole(ctx, r.c, org, slug, authz.Details{Name: authz.Some(fmt.Sprint("name ", r.made))})
			r.tried(err)
		},
		"delete a role": func() {
			org, slug := r.owner()
			r.tried(r.rules.DeleteRole(ctx, r.c, org, slug))
		},
		"remove a role": func() {
			org, slug := r.owner()
			in := authz.RoleDeletion{Default: authz.Some("member")}
			if rapid.Bool().Draw(r.T, "replaced") {
				in.Replacement = authz.Some(one(r, append(sharedOnes, customOnes...), "replacement"))
			}
			_, err := r.rules.RemoveRole(ctx, r.c, org, slug, in)
			r.tried(err)
		},
		"set the default": func() {
			org, slug := r.owner()
			_, err := r.rules.SetDefault(ctx, r.c, org, slug)
			r.tried(err)
		},
		"set the order": func() {
			org, _ := r.owner()
			p, err := r.rules.Order(ctx, r.c, org)
			if r.tried(err); err != nil {
				return
			}
			var slugs []string
			for _, role := range p.Roles {
				slugs = append(slugs, role.Slug)
			}
			_, err = r.rules.SetPriority(ctx, r.c, org, rapid.Permutation(slugs).Draw(r.T, "order"))
			r.tried(err)
		},
		"switch the mode": func() {
			_, err := r.rules.SetMultipleRoles(ctx, r.c, rapid.Bool().Draw(r.T, "multiple"))
			r.tried(err)
		},
		"work a little": func() { must(r.rules.Work(ctx, "test")) },
		"sweep":         func() { r.tried(r.rules.Sweep(ctx)) },
		"move the clock": func() {
			r.clock.move(time.Duration(rapid.IntRange(-90, 120).Draw(r.T, "seconds")) * time.Second)
		},
	}
}

func (r *chance) memberSteps() map[string]func() {
	return map[string]func(){
		"join": func() {
			r.made++
			u, ok := try[authz.User](r)(r.rules.CreateUser(ctx, r.c, authz.UserInput{Email: authz.Some(fmt.Sprint("u", r.made, "@x.example"))}))
			if !ok {
				return
			}
			in := authz.RolesInput{}
			if rapid.Bool().Draw(r.T, "with a role") {
				in.Slug = authz.Some(one(r, append(sharedOnes, customOnes...), "role"))
			}
			r.users = append(r.users, u.ID)
			for _, org := range r.orgs {
				if m, ok := try[authz.Member](r)(r.rules.CreateMembership(ctx, r.c, u.ID, org, in)); ok {
					r.people = append(r.people, m.ID)
				}
			}
		},
		"change roles": func() {
			slugs := slices.Compact(slices.Sorted(slices.Values([]string{one(r, sharedOnes, "role"), one(r, append(sharedOnes, customOnes...), "role")})))
			_, err := r.rules.UpdateMember(ctx, r.c, one(r, r.people, "member"), authz.RolesInput{Slugs: authz.Some(slugs)})
			r.tried(err)
		},
		"deactivate":    func() { try[authz.Member](r)(r.rules.DeactivateMember(ctx, r.c, one(r, r.people, "member"))) },
		"reactivate":    func() { try[authz.Member](r)(r.rules.ReactivateMember(ctx, r.c, one(r, r.people, "member"))) },
		"leave":         func() { r.tried(r.rules.DeleteMember(ctx, r.c, one(r, r.people, "member"))) },
		"delete a user": func() { r.tried(r.rules.DeleteUser(ctx, r.c, one(r, r.users, "user"))) },
		"provide":       r.provided,
		"assign": func() {
			try[authz.RoleAssignment](r)(r.rules.AssignRole(ctx, r.c, one(r, r.people, "member"), r.assignment()))
		},
		"take an assignment": func() {
			m := one(r, r.people, "member")
			list, ok := try[page.Page[authz.RoleAssignment]](r)(r.rules.ListRoleAssignments(ctx, r.c, m, authz.ResourceRef{}, page.Request{Limit: 100, Order: page.Asc}))
			if ok && len(list.Items) > 0 {
				r.tried(r.rules.RemoveRoleAssignment(ctx, r.c, m, one(r, list.Items, "assignment").ID))
			}
		},
	}
}

func (r *chance) groupSteps() map[string]func() {
	return map[string]func(){
		"assign to a group": func() {
			try[authz.RoleAssignment](r)(r.rules.AssignGroupRole(ctx, r.c, one(r, r.groups, "group").ID, r.assignment()))
		},
		"empty a group's assignments": func() {
			_, err := r.rules.ReplaceGroupRoleAssignments(ctx, r.c, one(r, r.groups, "group").ID, nil)
			r.tried(err)
		},
		"into a group": func() {
			g := one(r, r.groups, "group")
			_, err := r.rules.AddGroupMember(ctx, r.c, g.Organization, g.ID, one(r, r.people, "member"))
			r.tried(err)
		},
		"out of a group": func() {
			g := one(r, r.groups, "group")
			r.tried(r.rules.RemoveGroupMember(ctx, r.c, g.Organization, g.ID, one(r, r.people, "member")))
		},
		"delete a group": func() {
			g := one(r, r.groups, "group")
			if rapid.IntRange(0, 2).Draw(r.T, "really") == 0 {
				r.tried(r.rules.DeleteGroup(ctx, r.c, g.Organization, g.ID))
			}
		},
	}
}

func (r *chance) placeSteps() map[string]func() {
	return map[string]func(){
		"create a group": func() {
			if g, ok := try[authz.Group](r)(r.rules.CreateGroup(ctx, r.c, r.org(), authz.NewGroup{Name: "more"})); ok {
				r.groups = append(r.groups, g)
			}
		},
		"create a resource": func() {
			r.made++
			in := authz.NewResource{Organization: r.org(), Type: one(r, []string{"folder", "box"}, "type"), ExternalID: one(r, []string{"outer", "inner"}, "name"), Name: "x"}
			if made, ok := try[authz.Resource](r)(r.rules.CreateResource(ctx, r.c, in)); ok {
				r.resources, r.places = append(r.resources, made), append(r.places, authz.ResourceRef{ID: made.ID})
			}
		},
		"move a resource": func() {
			it, to := one(r, r.resources, "resource"), authz.ResourceRef{}
			if rapid.Bool().Draw(r.T, "below another") {
				to.ID = one(r, r.resources, "parent").ID
			}
			_, err := r.rules.UpdateResource(ctx, r.c, it.Organization, authz.ResourceRef{ID: it.ID}, authz.ResourceChange{Parent: authz.Some(to)})
			r.tried(err)
		},
		"rename a resource": func() {
			r.made++
			it := one(r, r.resources, "resource")
			in := authz.ResourceChange{Details: authz.Details{Name: authz.Some(fmt.Sprint("name ", r.made))}}
			_, err := r.rules.UpdateResource(ctx, r.c, it.Organization, authz.ResourceRef{ID: it.ID}, in)
			r.tried(err)
		},
		"delete a resource": func() {
			it := one(r, r.resources, "resource")
			r.tried(r.rules.DeleteResource(ctx, r.c, it.Organization, authz.ResourceRef{ID: it.ID}, true))
		},
		"change an organization": func() {
			r.made++
			external := fmt.Sprint("acme-", r.made%3)
			in := authz.OrganizationInput{Name: authz.Some(fmt.Sprint("name ", r.made)), ExternalID: authz.Some(&external)}
			_, err := r.rules.UpdateOrganization(ctx, r.c, r.org(), in)
			r.tried(err)
		},
		"delete an organization": func() {
			if rapid.IntRange(0, 3).Draw(r.T, "really") == 0 {
				r.tried(r.rules.DeleteOrganization(ctx, r.c, r.org()))
			}
		},
	}
}

// After every step of a random sequence of changes, all that is remembered answers as the database does: every check
// with its reason, alone and in batches, every list and policy, for every caller.
func TestMemoryAgreesWithTheDatabase(t *testing.T) {
	t.Parallel()
	for name, location := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) { history(t, rt, location(t)) })
		})
	}
}

// tight has room for less than there is.
var tight = decision.Options{Members: 3, Organizations: 2, Resources: 4, Policies: 2, Assignments: 3, Rosters: 9, Listed: 20}

// history changes a world at random and looks at it after every step.
func history(t *testing.T, rt *rapid.T, location string) {
	r := newChance(t, rt, location, rapid.SampledFrom([]decision.Options{{}, tight}).Draw(rt, "options"))
	defer r.db.Close()
	other := r.environment("staging")
	callers := []authz.Caller{r.c, other, {Environment: r.c.Environment, Only: &authz.Restriction{Organization: r.orgs[0]}}}
	actions := map[string]func(*rapid.T){}
	for _, steps := range []map[string]func(){r.permissionSteps(), r.roleSteps(), r.memberSteps(), r.groupSteps(), r.placeSteps()} {
		for name, do := range steps {
			actions[name] = func(*rapid.T) { do() }
		}
	}
	looked := 0
	actions[""] = func(rt *rapid.T) {
		c := callers[0]
		if looked++; looked%3 == 0 {
			c = rapid.SampledFrom(callers).Draw(rt, "caller")
		}
		if d := r.differ(c); d != "" {
			rt.Fatalf("for %+v: %s", c, d)
		}
	}
	rt.Repeat(actions)
	s := r.memory.Stats()
	if possible := s.Asked() - s.Absent - s.Unfit; s.Remembered < possible/4 {
		rt.Errorf("of %d questions that memory could answer it answered %d: %+v", possible, s.Remembered, s)
	}
}
