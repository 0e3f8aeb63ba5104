package decision_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
)

// between is a clock that lets a test act when memory reads it: after it found one member, before it answers.
type between struct {
	*clock
	act atomic.Pointer[func()]
}

func (b *between) now() time.Time {
	if act := b.act.Swap(nil); act != nil {
		(*act)()
	}
	return b.clock.now()
}

func (b *between) next(act func()) { b.act.Store(&act) }

// overSmall is a small world with memory over a gate and a clock by which tests act in its midst.
func overSmall(t *testing.T, o decision.Options) (w *world, org id.Organization, m id.Membership, g *gate, clock *between) {
	w, org, m = small(t, file(t))
	g, clock = &gate{Store: w.db, at: map[string]func(){}}, &between{clock: w.clock}
	w.memory = decision.New(w.rules, g, w.db.Fresh(), clock.now, o)
	w.db.Fresh().Begin(fresh.NewTerm(nil))
	return w, org, m, g, clock
}

// A permission that goes from one member to another while a batch is answered is never with both.
func TestBatchesHoldAtOneInstant(t *testing.T) {
	t.Parallel()
	w, org, _, _, clock := overSmall(t, decision.Options{})
	w.role("", "writer", "a:write")
	first, timed, second := w.member(org, "first", "writer"), w.member(org, "timed"), w.member(org, "second")
	must(w.rules.AssignRole(ctx, w.c, timed, authz.NewAssignment{Role: "writer", ExpiresAt: w.clock.now().Add(time.Hour)}))
	give := func(m id.Membership, role string) {
		must(w.rules.UpdateMember(ctx, w.c, m, authz.RolesInput{Slug: authz.Some(role)}))
	}
	var qs []authz.Question
	for _, m := range []id.Membership{first, timed, second} {
		qs = append(qs, authz.Question{Membership: m, Permission: "a:write"})
		w.may(m, "a:write")
	}
	clock.next(func() {
		give(first, "member")
		give(second, "writer")
		if !w.may(second, "a:write") {
			t.Error("what was given does not hold")
		}
	})
	answers := must(w.memory.CheckAll(ctx, w.c, qs))
	if answers[0].Verdict.Authorized && answers[2].Verdict.Authorized {
		t.Error("both have what there was only once")
	}
}

// Who asks after a change was acknowledged gets neither what was read before it nor has to wait for that reading.
func TestReadingsThatBeganBeforeAChangeServeNobodyAfterIt(t *testing.T) {
	t.Parallel()
	w, _, m, g, _ := overSmall(t, decision.Options{})
	g.when("after member", func() {
		must(w.rules.DeactivateMember(ctx, w.c, m))
		if w.may(m, "a:read") {
			t.Error("a member who was deactivated may")
		}
	})
	w.may(m, "a:read")
	if w.may(m, "a:read") {
		t.Error("what was read before a change is remembered after it")
	}
}

// A request that gives up in the middle of a reading does not take it from the others.
func TestReadingsSurviveWhoGivesUp(t *testing.T) {
	t.Parallel()
	w, _, m, g, _ := overSmall(t, decision.Options{})
	impatient, cancel := context.WithCancel(ctx)
	g.when("before member", cancel)
	w.memory.Check(impatient, w.c, authz.Question{Membership: m, Permission: "a:read"})
	if !w.may(m, "a:read") {
		t.Error("a member may not what the role holds")
	}
	if s := w.memory.Stats(); s.MemberLoads != 1 || s.Members != 1 {
		t.Errorf("what one who gave up had begun to read was not remembered: %+v", s)
	}
}

// A process that writes without telling ends the term, and nothing remembered in it counts any more, in the next either.
func TestNothingOutlivesItsTerm(t *testing.T) {
	t.Parallel()
	w, _, m := small(t, file(t))
	book := fresh.NewBook() // which hears of nothing
	w.memory = decision.New(w.rules, w.db, book, w.clock.now, decision.Options{})
	if w.may(m, "a:read"); w.memory.Stats().Termless != 1 {
		t.Error("something was answered from memory before the first term")
	}
	var strangers atomic.Uint64
	book.Begin(fresh.NewTerm(strangers.Load))
	w.agree("it was made")
	must(w.rules.DeactivateMember(ctx, w.c, m))
	if !w.may(m, "a:read") {
		t.Fatal("memory is not in play")
	}
	strangers.Add(1)
	w.agree("a stranger's change")
	book.Begin(fresh.NewTerm(strangers.Load))
	before := w.memory.Stats().Remembered
	w.agree("the next term began")
	if w.memory.Stats().Remembered == before {
		t.Error("in the next term nothing is remembered")
	}
	book.Lapse()
	w.agree("the last term ended")
}

// What is used stays, what nobody asks for goes after ten to twenty minutes, and there is never more than there may be.
func TestColdMembersGo(t *testing.T) {
	t.Parallel()
	w, org, m, _, _ := overSmall(t, decision.Options{Members: 4})
	other := w.member(org, "other")
	for range 8 {
		w.may(m, "a:read")
		w.clock.move(6 * time.Minute)
		w.memory.Stats()
	}
	if s := w.memory.Stats(); s.MemberLoads != 1 || s.Members != 1 {
		t.Errorf("a member asked for all the time did not stay: %+v", s)
	}
	w.may(other, "a:read")
	for range 4 {
		w.clock.move(6 * time.Minute)
		w.may(m, "a:read")
		w.memory.Stats()
	}
	if s := w.memory.Stats(); s.Members != 1 || s.Evicted != 1 {
		t.Errorf("a member nobody asks for stayed, or another went: %+v", s)
	}
	for i := range 20 {
		w.may(w.member(org, string(rune('a'+i))+"-more"), "a:read")
	}
	if s := w.memory.Stats(); s.Members > 4 || s.Members == 0 {
		t.Errorf("of at most four members there are %d", s.Members)
	}
}

// A member with too many assignments is answered by the rules every time, and rightly.
func TestTooManyAssignments(t *testing.T) {
	t.Parallel()
	w, _, m, _, _ := overSmall(t, decision.Options{Assignments: 1})
	for range 2 {
		if !w.may(m, "a:read") {
			t.Error("a member may not what the role holds")
		}
	}
	if s := w.memory.Stats(); s.Unfit != 2 || s.Members != 0 {
		t.Errorf("%+v", s)
	}
}

// A database that does not answer is what the caller hears of; what is remembered is answered all the same.
func TestWithoutADatabase(t *testing.T) {
	t.Parallel()
	w, org, m, _, _ := overSmall(t, decision.Options{})
	other := w.member(org, "other")
	w.may(m, "a:read")
	done(w.db.Close())
	if !w.may(m, "a:read") {
		t.Error("a member may not what the role holds")
	}
	if v, err := w.memory.Check(ctx, w.c, authz.Question{Membership: other, Permission: "a:read"}); err == nil || v.Authorized || fault.Is(err, fault.NotFound) {
		t.Errorf("without a database a cold check says %v, %v", v.Authorized, err)
	}
}

// A cold check reads each part in one query, and three of them where the environment is warm.
func TestColdChecksReadLittle(t *testing.T) {
	t.Parallel()
	w, org, m, _, _ := overSmall(t, decision.Options{})
	next := w.organization("globex")
	w.role(next, "org-a", "a:read")
	w.resource(next, "folder", "top", "")
	w.may(w.member(org, "warm"), "a:read")
	before := w.memory.Stats()
	for _, m := range []id.Membership{w.member(next, "cold", "org-a"), m} {
		q := authz.Question{Membership: m, Permission: "a:read", Resource: authz.ResourceRef{ExternalID: "top", ResourceType: "folder"}}
		if !must(w.memory.Check(ctx, w.c, q)).Authorized {
			t.Error("a member may not what the role holds")
		}
	}
	s := w.memory.Stats()
	loads := func(s decision.Stats) uint64 {
		return s.MemberLoads + s.OrganizationLoads + s.SharedLoads + s.CatalogueLoads + s.HoldingsLoads + s.PathLoads + s.PolicyLoads
	}
	if n := loads(s) - loads(before); n > 3+2 { // the second one's organization was warm
		t.Errorf("two cold checks read %d parts: %+v", n, s)
	}
}
