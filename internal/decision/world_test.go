package decision_test

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/pgtest"
	"github.com/rolecall/rolecall/internal/store"
)

// everydayChecks is how many random worlds a property gets where nobody asks for more (-rapid.checks=1000).
const everydayChecks = "8"

func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", everydayChecks); err != nil {
		panic(err)
	}
	pgtest.Main(m)
}

// clock stands still until it is set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) move(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(by)
}

// world is an environment of a real database, with the rules and with memory over it.
type world struct {
	t        testing.TB
	location string
	db       *store.Store
	clock    *clock
	ids      *id.Source
	rules    *authz.Service
	memory   *decision.Service
	c        authz.Caller
	orgs     []id.Organization
	people   []id.Membership
	places   []authz.ResourceRef
	slugs    []string // of permissions, some of which there may not be
}

var ctx = context.Background()

// databases are where a world can be.
var databases = map[string]func(testing.TB) string{"sqlite": file, "postgres": pgtest.URL}

func file(t testing.TB) string { return "sqlite:" + filepath.Join(t.TempDir(), "world.db") }

// open makes an empty world.
func open(t testing.TB, location string) *world {
	t.Helper()
	db, err := store.Open(ctx, location, store.Serve)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	w := &world{t: t, location: location, db: db, clock: &clock{at: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}}
	w.ids = id.NewSource(w.clock.now, nil)
	w.rules = authz.New(db, w.clock.now, w.ids)
	w.c = w.environment("production")
	return w
}

// newWorld is open with memory that follows the changes of the database.
func newWorld(t testing.TB, location string, o decision.Options) *world {
	t.Helper()
	w := open(t, location)
	w.memory = decision.New(w.rules, w.db, w.db.Fresh(), w.clock.now, o)
	w.db.Fresh().Begin(fresh.NewTerm(nil))
	return w
}

func (w *world) environment(name string) authz.Caller {
	env := must(w.rules.CreateEnvironment(ctx, name))
	return authz.Caller{Environment: env.ID, Actor: event.Actor{ID: "test", Source: "system"}}
}

// must is for what cannot fail in a test that is right.
func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("a step of the test failed: %v", err))
	}
	return v
}

func done(err error) { must(0, err) }

// madeFor is the type that a permission is made for.
func madeFor(slug string) string {
	if strings.HasPrefix(slug, "b:") {
		return "project"
	}
	return authz.OrganizationType
}

func (w *world) permission(slugs ...string) {
	for _, slug := range slugs {
		must(w.rules.CreatePermission(ctx, w.c, authz.NewPermission{Slug: slug, Name: slug, ResourceType: authz.Some(madeFor(slug))}))
		w.slugs = append(w.slugs, slug)
	}
}

func (w *world) role(org id.Organization, slug string, holds ...string) {
	must(w.rules.CreateRole(ctx, w.c, org, authz.NewRole{Slug: authz.Some(slug), Name: slug, Permissions: authz.Some(holds)}))
}

func (w *world) roleFor(kind, slug string, holds ...string) {
	must(w.rules.CreateRole(ctx, w.c, "", authz.NewRole{Slug: authz.Some(slug), Name: slug, ResourceType: authz.Some(kind), Permissions: authz.Some(holds)}))
}

func (w *world) holds(org id.Organization, slug string, permissions ...string) {
	must(w.rules.EditRolePermissions(ctx, w.c, org, slug, authz.PermissionEdit{Set: authz.Some(permissions)}))
}

func (w *world) organization(name string) id.Organization {
	org := must(w.rules.CreateOrganization(ctx, w.c, authz.OrganizationInput{Name: authz.Some(name)})).ID
	w.orgs = append(w.orgs, org)
	return org
}

func (w *world) member(org id.Organization, address string, roles ...string) id.Membership {
	u := must(w.rules.CreateUser(ctx, w.c, authz.UserInput{Email: authz.Some(address + "@x.example")}))
	in := authz.RolesInput{}
	if len(roles) > 0 {
		in.Slugs = authz.Some(roles)
	}
	m := must(w.rules.CreateMembership(ctx, w.c, u.ID, org, in)).ID
	w.people = append(w.people, m)
	return m
}

func (w *world) kind(slug string, parents ...string) {
	must(w.rules.CreateResourceType(ctx, w.c, authz.NewResourceType{Slug: slug, Name: slug, Parents: authz.Some(parents)}))
}

func (w *world) resource(org id.Organization, kind, name string, parent id.Resource) authz.Resource {
	in := authz.NewResource{Organization: org, Type: kind, ExternalID: name, Name: name, Parent: authz.ResourceRef{ID: parent}}
	r := must(w.rules.CreateResource(ctx, w.c, in))
	w.places = append(w.places, authz.ResourceRef{ID: r.ID}, authz.ResourceRef{ExternalID: name, ResourceType: kind})
	return r
}

// may asks memory about an organization permission.
func (w *world) may(m id.Membership, permission string) bool {
	w.t.Helper()
	v, err := w.memory.Check(ctx, w.c, authz.Question{Membership: m, Permission: permission})
	if err != nil {
		w.t.Fatalf("checking %s: %v", permission, err)
	}
	return v.Authorized
}

// questions is everything that can be asked in the world, what names nothing included.
func (w *world) questions() []authz.Question {
	refs := append([]authz.ResourceRef{{}, {ExternalID: "nowhere", ResourceType: "project"}, {ExternalID: "acme-1", ResourceType: authz.OrganizationType}}, w.places...)
	for _, org := range w.orgs {
		refs = append(refs, authz.ResourceRef{ID: authz.OrganizationResource(org)}, authz.ResourceRef{ExternalID: string(org), ResourceType: authz.OrganizationType})
	}
	var qs []authz.Question
	people := append([]id.Membership{"om_01JZ0000000000000000000000", "nonsense"}, w.people...)
	for i, m := range people {
		for j, ref := range refs {
			for k, slug := range append([]string{"unknown"}, w.slugs...) {
				qs = append(qs, authz.Question{Membership: m, Permission: slug, Resource: ref, Explain: (i+j+k)%2 == 0})
			}
		}
	}
	return qs
}

// lean drops of a reason what verdicts may leave out.
func lean(r authz.Reason) authz.Reason {
	held := make([]authz.Held, len(r.Held))
	for i, h := range r.Held {
		held[i] = h
		held[i].Role = authz.Role{
			ID: h.Role.ID, Environment: h.Role.Environment, Organization: h.Role.Organization, Slug: h.Role.Slug, ResourceType: h.Role.ResourceType,
		}
	}
	path := make([]authz.Resource, len(r.Path))
	for i, p := range r.Path {
		path[i] = p
		path[i].Description, path[i].CreatedAt, path[i].UpdatedAt = nil, time.Time{}, time.Time{}
	}
	r.Held, r.Path = held, path
	return r
}

// said is an answer in a form that can be compared.
type said struct {
	Authorized bool
	Reason     authz.Reason
	Refusal    string
}

func refused(err error) string {
	f := fault.Of(err)
	return fmt.Sprint(f.Kind, f.Code, f.Message)
}

func byMemory(a decision.Answer) said {
	if a.Refusal != nil {
		return said{Refusal: refused(a.Refusal)}
	}
	return said{Authorized: a.Verdict.Authorized, Reason: lean(a.Verdict.Reason())}
}

func byRules(a authz.Answer) said {
	if a.Refusal != nil {
		return said{Refusal: refused(a.Refusal)}
	}
	return said{Authorized: a.Decision.Authorized, Reason: lean(a.Decision.Reason)}
}

// differ compares memory with the database for one caller: every question alone and in batches, lists and policies.
func (w *world) differ(c authz.Caller) string {
	qs := w.questions()
	for from := 0; from < len(qs); from += authz.MaxQuestions {
		part := qs[from:min(len(qs), from+authz.MaxQuestions)]
		want := must(w.rules.CheckAll(ctx, c, part))
		var known []authz.Question
		var answers []authz.Answer
		for i, q := range part {
			v, err := w.memory.Check(ctx, c, q)
			a := decision.Answer{Explain: q.Explain, Verdict: v}
			if err != nil {
				a.Refusal = fault.Of(err)
			} else {
				known, answers = append(known, q), append(answers, want[i])
			}
			if d := cmp.Diff(byRules(want[i]), byMemory(a), cmpopts.EquateEmpty()); d != "" {
				return fmt.Sprintf("%+v (-rules +memory)\n%s", q, d)
			}
		}
		if len(known) == 0 {
			continue
		}
		for i, a := range must(w.memory.CheckAll(ctx, c, known)) {
			if d := cmp.Diff(byRules(answers[i]), byMemory(a), cmpopts.EquateEmpty()); d != "" || a.Explain != known[i].Explain {
				return fmt.Sprintf("in a batch: %+v (-rules +memory)\n%s", known[i], d)
			}
		}
	}
	return w.listsDiffer(c)
}

// outcome is a result, or its refusal in its place.
func outcome[T any](v T, err error) any {
	if err != nil {
		return refused(err)
	}
	return v
}

func (w *world) listsDiffer(c authz.Caller) string {
	same := cmp.Options{cmp.AllowUnexported(authz.Policy{}), cmpopts.EquateEmpty()}
	for _, org := range append([]id.Organization{"", "org_01JZ0000000000000000000000"}, w.orgs...) {
		want, got := outcome(w.rules.Policy(ctx, c, org)), outcome(w.memory.Policy(ctx, c, org))
		if d := cmp.Diff(want, got, same); d != "" {
			return fmt.Sprintf("the policy of %q (-rules +memory)\n%s", org, d)
		}
	}
	refs := append([]authz.ResourceRef{{}}, w.places...)
	for _, m := range w.people {
		for _, ref := range refs {
			r := page.Request{Limit: 2, Order: page.Desc}
			want, got := outcome(w.rules.PermissionsOn(ctx, c, m, ref, r)), outcome(w.memory.PermissionsOn(ctx, c, m, ref, r))
			if d := cmp.Diff(want, got, same); d != "" {
				return fmt.Sprintf("the permissions of %s on %v (-rules +memory)\n%s", m, ref, d)
			}
		}
	}
	return ""
}

// agree fails the test unless memory answers as the database does.
func (w *world) agree(after string) {
	w.t.Helper()
	if d := w.differ(w.c); d != "" {
		w.t.Fatalf("after %s: %s", after, d)
	}
}
