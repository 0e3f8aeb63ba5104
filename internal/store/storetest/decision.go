package storetest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// LoaderDB is what the suite of loading for memory needs.
type LoaderDB interface {
	authz.DB
	decision.Loader
}

// RunLoaders runs the suite of the storage contract of what is loaded for memory.
func RunLoaders(t *testing.T, open func(testing.TB) LoaderDB) {
	for name, test := range map[string]func(*testing.T, LoaderDB){
		"all that decisions depend on is loaded": loadEverything,
		"nothing is loaded through a wall":       loadWalls,
		"too many assignments are none":          loadTooMany,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// Loads checks for everything in an environment that what is loaded for memory is what the rules read.
func Loads(t testing.TB, db LoaderDB, env id.Environment) {
	t.Helper()
	l := loading{TB: t, db: db, env: env}
	view(t, db, func(r authz.Reader) error {
		l.r = r
		l.shared()
		for _, o := range everything(t, func(p page.Request) (page.Page[authz.Organization], error) {
			return r.Organizations(env, authz.OrganizationFilter{}, p)
		}) {
			l.own(o)
			for _, m := range everything(t, func(p page.Request) (page.Page[authz.Membership], error) {
				return r.Memberships(env, authz.MembershipFilter{Organization: o.ID}, p)
			}) {
				l.member(m)
			}
			for _, place := range everything(t, func(p page.Request) (page.Page[authz.Resource], error) {
				return r.Resources(env, authz.ResourceFilter{Organization: o.ID}, p)
			}) {
				l.path(place)
			}
		}
		return nil
	})
}

// loading compares what is loaded with what a reader gives in a world that nobody changes meanwhile.
type loading struct {
	testing.TB
	db  LoaderDB
	env id.Environment
	r   authz.Reader
}

// ok returns what must have been read, or loaded, and found where that is told.
func ok[T any](l loading, v T, err error, found ...bool) T {
	l.Helper()
	if err != nil || slices.Contains(found, false) {
		l.Fatalf("reading: found %v, %v", found, err)
	}
	return v
}

// equals compares without regard to the order of what has none.
func equals[T any](l loading, what string, read, loaded T) {
	l.Helper()
	options := gocmp.Options{
		cmpopts.EquateEmpty(),
		cmpopts.SortSlices(func(a, b authz.Role) int { return cmp.Compare(a.ID, b.ID) }),
		cmpopts.SortSlices(func(a, b authz.Permission) int { return cmp.Compare(a.ID, b.ID) }),
		cmpopts.SortSlices(func(a, b authz.Assignment) int { return cmp.Compare(a.ID, b.ID) }),
		cmpopts.SortSlices(func(a, b id.Permission) int { return cmp.Compare(a, b) }),
	}
	if d := gocmp.Diff(read, loaded, options); d != "" {
		l.Errorf("%s: what readers read (-) and what is loaded (+) differ:\n%s", what, d)
	}
}

// set reads what is stored of the roles of one owner, with what they hold, by slug.
func (l loading) set(org id.Organization) (authz.RoleSet, map[id.Role][]string) {
	l.Helper()
	standing, found, err := l.r.Standing(l.env, org)
	set := authz.RoleSet{Default: ok(l, standing, err, found).Own, Order: standing.Order}
	switch {
	case org == "":
		set.Default = standing.Shared
	case set.Default == "": // it follows the environment's
		set.Order = nil
	}
	var ids []id.Role
	for _, r := range standing.Roles {
		if r.Organization == org {
			set.Roles, ids = append(set.Roles, r), append(ids, r.ID)
		}
	}
	set.Pinned, err = l.r.PinnedDefaults(l.env, org)
	ok(l, set, err)
	held, err := l.r.RolePermissions(l.env, org, ids)
	for role, slugs := range ok(l, held, err) {
		if len(slugs) == 0 {
			delete(held, role)
		}
	}
	return set, held
}

// byID turns slugs into ids.
func (l loading) byID(held map[id.Role][]string) map[id.Role][]id.Permission {
	l.Helper()
	turned := map[id.Role][]id.Permission{}
	for role, slugs := range held {
		known, err := l.r.PermissionsBySlug(l.env, slugs)
		for _, slug := range slugs {
			turned[role] = append(turned[role], ok(l, known, err)[slug].ID)
		}
	}
	return turned
}

func (l loading) shared() {
	l.Helper()
	shared, found, err := l.db.LoadShared(context.Background(), l.env)
	ok(l, shared, err, found)
	set, held := l.set("")
	equals(l, "what organizations share", set, shared.Roles)
	standing, found, err := l.r.Standing(l.env, "")
	equals(l, "whether members may hold several roles", ok(l, standing, err, found).Multiple, shared.Multiple)

	catalogue, err := l.db.LoadCatalogue(context.Background(), l.env)
	equals(l, "what environment roles hold", l.byID(held), ok(l, catalogue, err).Held)
	equals(l, "the catalogue", everything(l, func(p page.Request) (page.Page[authz.Permission], error) { return l.r.Permissions(l.env, p) }), catalogue.Permissions)
}

func (l loading) own(o authz.Organization) {
	l.Helper()
	own, found, err := l.db.LoadOwn(context.Background(), l.env, o.ID)
	ok(l, own, err, found)
	set, held := l.set(o.ID)
	equals(l, "what an organization has of its own", decision.Own{Name: o.Name, ExternalID: o.ExternalID, Roles: set, Held: l.byID(held)}, own)
	holdings, err := l.db.LoadHoldings(context.Background(), o.ID)
	equals(l, "what custom roles hold", own.Held, ok(l, holdings, err))
}

func (l loading) member(m authz.Membership) {
	l.Helper()
	of, err := l.r.AssignmentsOf(m.Organization, []id.Membership{m.ID}, nil)
	held := ok(l, of, err)[m.ID]
	want := decision.Member{
		Membership:  authz.Membership{ID: m.ID, Environment: m.Environment, Organization: m.Organization, User: m.User, Status: m.Status},
		Assignments: held,
	}
	for _, most := range []int{len(held) + 1, len(held), len(held) - 1} {
		if most < len(held) {
			want.Assignments, want.TooMany = nil, true
		}
		if most >= 0 {
			loaded, found, err := l.db.LoadMember(context.Background(), l.env, m.ID, most)
			equals(l, fmt.Sprintf("a member with %d assignments, %d of them asked for", len(held), most), want, ok(l, loaded, err, found))
		}
	}
}

func (l loading) path(of authz.Resource) {
	l.Helper()
	above, err := l.r.Ancestors(of.Organization, []authz.Resource{of})
	want := append([]authz.Resource{of}, ok(l, above, err)[of.ID]...)
	for _, ref := range []authz.ResourceRef{{ID: of.ID}, {ResourceType: of.Type, ExternalID: of.ExternalID}} {
		loaded, found, err := l.db.LoadPath(context.Background(), l.env, of.Organization, ref)
		equals(l, "a path", want, ok(l, loaded, err, found))
	}
}

// loadEverything compares all with the readers, before and after things are deleted, and checks that the world has all
// of what it is to be compared in.
func loadEverything(t *testing.T, db LoaderDB) {
	ctx := context.Background()
	h, other := newHousehold(t, db, "production"), newHousehold(t, db, "staging")
	Loads(t, db, h.env.ID)
	Loads(t, db, other.env.ID)
	l := loading{TB: t, db: db, env: h.env.ID}

	shared, found, err := db.LoadShared(ctx, h.env.ID)
	if ok(l, shared, err, found); !shared.Multiple || len(shared.Roles.Roles) != 6 || len(shared.Roles.Order) != 2 || len(shared.Roles.Pinned) != 1 {
		t.Errorf("what organizations share is loaded as %+v", shared)
	}
	own, found, err := db.LoadOwn(ctx, h.env.ID, h.own.ID)
	if ok(l, own, err, found); len(own.Roles.Roles) != 5 || len(own.Roles.Order) != 2 || len(own.Roles.Pinned) != 1 || own.Roles.Default == "" || len(own.Held) != 2 {
		t.Errorf("what an organization has of its own is loaded as %+v", own)
	}
	bare, found, err := db.LoadOwn(ctx, h.env.ID, h.bare.ID)
	if ok(l, bare, err, found); bare.Name != "bare" || bare.Roles.Default != "" || len(bare.Roles.Roles) != 0 || len(bare.Held) != 0 {
		t.Errorf("an organization with nothing of its own is loaded as %+v", bare)
	}
	ada, found, err := db.LoadMember(ctx, h.env.ID, h.band.ada.ID, 100)
	if ok(l, ada, err, found); len(ada.Assignments) != 4 {
		t.Errorf("a member is loaded as %+v", ada)
	}
	path, found, err := db.LoadPath(ctx, h.env.ID, h.own.ID, authz.ResourceRef{ResourceType: "note", ExternalID: "n1"})
	if got := names(ok(l, path, err, found)); got != "n1 s1 t1 p1 w1" {
		t.Errorf("a path is loaded as %q", got)
	}

	update(t, db, func(tx authz.Tx) error {
		return cmp.Or(
			tx.DeleteAssignmentsOf(h.own.ID, authz.AssignmentFilter{Group: h.band.h.ID}), tx.DeleteGroup(h.band.h),
			tx.DeleteAssignmentsOf(h.own.ID, authz.AssignmentFilter{Roles: []id.Role{h.roles["own gone"].ID}, Resources: []id.Resource{h.forest.by["n1"].ID}}),
			tx.DeleteRole(h.roles["own gone"]), tx.DeleteResources(h.own.ID, []id.Resource{h.forest.by["n1"].ID}),
			tx.DeleteMemberships(authz.MembershipFilter{User: h.band.bob.User}),
		)
	})
	Loads(t, db, h.env.ID)
	_, bobFound, err := db.LoadMember(ctx, h.env.ID, h.band.bob.ID, 100)
	_, placeFound, err2 := db.LoadPath(ctx, h.env.ID, h.own.ID, authz.ResourceRef{ID: h.forest.by["n1"].ID})
	if err != nil || err2 != nil || bobFound || placeFound {
		t.Errorf("after they were deleted a member is found %v (%v), a resource %v (%v)", bobFound, err, placeFound, err2)
	}
}

// loadWalls asks for what is another environment's, another organization's or nobody's.
func loadWalls(t *testing.T, db LoaderDB) {
	ctx := context.Background()
	h, other := newHousehold(t, db, "production"), newHousehold(t, db, "staging")
	none := func(what string, found bool, err error) {
		t.Helper()
		if found || err != nil {
			t.Errorf("I8: %s is found: %v (%v)", what, found, err)
		}
	}
	_, found, err := db.LoadShared(ctx, "environment_none")
	none("an unknown environment", found, err)
	for what, org := range map[string]id.Organization{"another environment's organization": other.own.ID, "an unknown one": "org_none", "no organization": ""} {
		own, found, err := db.LoadOwn(ctx, h.env.ID, org)
		none(what, found || own.Held != nil || own.Roles.Roles != nil, err)
	}
	for what, m := range map[string]id.Membership{"another environment's membership": other.band.ada.ID, "an unknown one": "om_none", "a group": id.Membership(h.band.g.ID)} {
		f, found, err := db.LoadMember(ctx, h.env.ID, m, 10)
		none(what, found || f.Assignments != nil || f.TooMany, err)
	}
	w1, foreign := h.forest.by["w1"], other.forest.by["w1"]
	for what, ask := range map[string]struct {
		env id.Environment
		org id.Organization
		ref authz.ResourceRef
	}{
		"another organization's resource":             {h.env.ID, h.bare.ID, authz.ResourceRef{ID: w1.ID}},
		"another environment's resource":              {h.env.ID, h.own.ID, authz.ResourceRef{ID: foreign.ID}},
		"a resource in another environment's name":    {other.env.ID, h.own.ID, authz.ResourceRef{ID: w1.ID}},
		"an external id in another one's name":        {other.env.ID, h.own.ID, authz.ResourceRef{ResourceType: w1.Type, ExternalID: w1.ExternalID}},
		"an external id of another organization's":    {h.env.ID, h.bare.ID, authz.ResourceRef{ResourceType: "note", ExternalID: "n1"}},
		"an external id of another type":              {h.env.ID, h.own.ID, authz.ResourceRef{ResourceType: "project", ExternalID: "w1"}},
		"an external id in other letters":             {h.env.ID, h.own.ID, authz.ResourceRef{ResourceType: w1.Type, ExternalID: strings.ToUpper(w1.ExternalID)}},
		"the organization itself, which has no row":   {h.env.ID, h.own.ID, authz.ResourceRef{ID: authz.OrganizationResource(h.own.ID)}},
		"a reference to nothing":                      {h.env.ID, h.own.ID, authz.ResourceRef{}},
		"an id that is a resource's external id only": {h.env.ID, h.own.ID, authz.ResourceRef{ID: "w1"}},
	} {
		_, found, err := db.LoadPath(ctx, ask.env, ask.org, ask.ref)
		none(what, found, err)
	}
}

// loadTooMany puts more on a member, and on a group, than is asked for.
func loadTooMany(t *testing.T, db LoaderDB) {
	h := newHousehold(t, db, "production")
	const many = 30
	update(t, db, func(tx authz.Tx) error {
		for i := range 2 * many {
			a := authz.Assignment{
				ID: id.New[id.Assignment](ids), Environment: h.env.ID, Organization: h.own.ID, Membership: h.band.bob.ID, Role: h.env.DefaultRole,
				Resource: id.New[id.Resource](ids), Source: authz.SourceManual, CreatedAt: began, UpdatedAt: began,
			}
			if i >= many {
				a.Membership, a.Group = "", h.band.g.ID
			}
			if err := tx.InsertAssignment(a, time.Time{}); err != nil {
				return err
			}
		}
		return nil
	})
	Loads(t, db, h.env.ID)
	for _, most := range []int{0, 1, many - 1, many, many + 1, 2 * many} {
		for _, m := range []authz.Membership{h.band.ada, h.band.bob} {
			f, found, err := db.LoadMember(context.Background(), h.env.ID, m.ID, most)
			if err != nil || !found || f.Status != m.Status {
				t.Fatalf("a member with too many assignments is found %v as %+v (%v)", found, f, err)
			}
			if !f.TooMany && len(f.Assignments) > most || f.TooMany && f.Assignments != nil {
				t.Errorf("at most %d of a member's assignments are loaded as %d (too many: %v)", most, len(f.Assignments), f.TooMany)
			}
		}
	}
}
