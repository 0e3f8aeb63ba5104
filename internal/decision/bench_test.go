package decision_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/store"
)

// busy is a world as large as the figures in docs/performance.md assume of one organization.
func busy(tb testing.TB) (w *world, member, lead id.Membership, deep authz.Resource) {
	w = newWorld(tb, decision.Options{})
	w.kind("folder", authz.OrganizationType)
	w.kind("box", "folder")
	w.kind("shelf", "box")
	w.kind("project", "shelf")
	var held []string
	for i := range 100 {
		w.permission(fmt.Sprint("a:", i))
		if i < 25 {
			held = append(held, fmt.Sprint("a:", i))
		}
	}
	w.permission("b:see")
	w.roleFor("folder", "lead", "b:see")
	org := w.organization("acme")
	for i := range 5 {
		w.role(org, fmt.Sprint("org-", i), held[:10]...)
	}
	w.role("", "editor", held...)
	member, lead = w.member(org, "ada", "editor"), w.member(org, "bob", "org-0")
	top := w.resource(org, "folder", "top", "")
	parent := top
	for _, kind := range []string{"box", "shelf", "project"} {
		parent = w.resource(org, kind, "deep", parent.ID)
	}
	must(w.rules.AssignRole(ctx, w.c, lead, authz.NewAssignment{Role: "lead", Resource: authz.ResourceRef{ID: top.ID}}))
	return w, member, lead, parent
}

// asked is one question of each kind, warm, with its answer.
func asked(tb testing.TB) (w *world, qs map[string]authz.Question, yes map[string]bool) {
	w, m, lead, deep := busy(tb)
	qs = map[string]authz.Question{
		"organization allowed": {Membership: m, Permission: "a:3"},
		"organization denied":  {Membership: m, Permission: "a:33"},
		"custom role":          {Membership: lead, Permission: "a:9"},
		"resource allowed":     {Membership: lead, Permission: "b:see", Resource: authz.ResourceRef{ID: deep.ID}},
		"resource denied":      {Membership: lead, Permission: "a:99", Resource: authz.ResourceRef{ID: deep.ID}},
		"resource by name":     {Membership: lead, Permission: "b:see", Resource: authz.ResourceRef{ExternalID: "deep", ResourceType: "project"}},
	}
	yes = map[string]bool{"organization allowed": true, "custom role": true, "resource allowed": true, "resource by name": true}
	for name, q := range qs {
		if v := must(w.memory.Check(ctx, w.c, q)); v.Authorized != yes[name] {
			tb.Fatalf("%s: %+v", name, v.Reason())
		}
	}
	return w, qs, yes
}

// A check of what is remembered makes no garbage.
func TestWarmChecksAllocateNothing(t *testing.T) {
	w, qs, yes := asked(t)
	for name, q := range qs {
		if n := testing.AllocsPerRun(1000, func() {
			if v, err := w.memory.Check(ctx, w.c, q); err != nil || v.Authorized != yes[name] {
				t.Error(name, v.Authorized, err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	w, qs, _ := asked(b)
	for name, q := range qs {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.memory.Check(ctx, w.c, q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCheckAll(b *testing.B) {
	w, qs, _ := asked(b)
	batch := make([]authz.Question, 100)
	for i := range batch {
		batch[i] = qs["organization allowed"]
		if i%2 == 0 {
			batch[i] = qs["resource allowed"]
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		must(w.memory.CheckAll(ctx, w.c, batch))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(batch)), "ns/question")
}

func BenchmarkParallel(b *testing.B) {
	w, qs, _ := asked(b)
	q := qs["organization allowed"]
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			must(w.memory.Check(ctx, w.c, q))
		}
	})
}

// crowd reads one membership as if it were many: each has an id and an assignment of its own.
type crowd struct {
	*store.Store
	ids *id.Source
	one decision.Member
}

func (c crowd) LoadMember(ctx context.Context, env id.Environment, m id.Membership, most int) (decision.Member, bool, error) {
	f := c.one
	f.ID, f.Assignments = m, slices.Clone(f.Assignments)
	for i := range f.Assignments {
		f.Assignments[i].Membership, f.Assignments[i].ID = m, id.New[id.Assignment](c.ids)
	}
	return f, true, nil
}

// A remembered membership with one role takes less than 100 bytes, all that is needed to find it included.
func TestMembersAreSmall(t *testing.T) {
	w := newWorld(t, decision.Options{})
	w.permission("a:read")
	w.role("", "editor", "a:read")
	one := w.member(w.organization("acme"), "ada", "editor")
	facts, _, err := w.db.LoadMember(ctx, w.c.Environment, one, 10)
	done(err)
	// Per shard there are just too many for half the room, so that its table has just doubled: the worst there is.
	const n = 240_000
	people := make([]id.Membership, n)
	for i := range people {
		people[i] = id.New[id.Membership](w.ids)
	}
	book := fresh.NewBook()
	memory := decision.New(w.rules, crowd{w.db, w.ids, facts}, book, w.clock.now, decision.Options{})
	book.Begin(fresh.NewTerm(nil))
	before := heap()
	for _, m := range people {
		if v := must(memory.Check(ctx, w.c, authz.Question{Membership: m, Permission: "a:read"})); !v.Authorized {
			t.Fatal(v.Reason())
		}
	}
	each := float64(heap()-before) / n
	if s := memory.Stats(); s.Members != n || s.Evicted > 0 {
		t.Fatalf("%+v", s)
	}
	t.Logf("%.1f bytes for each of %d", each, n)
	if each >= 100 {
		t.Errorf("a membership takes %.1f bytes", each)
	}
	runtime.KeepAlive(people)
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
