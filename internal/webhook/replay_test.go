package webhook_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/webhook"
)

// One delivery can be sent again, whatever became of it, as a delivery of its own.
func TestReplayOfOne(t *testing.T) {
	onBoth(t, func(r *room) {
		x := newReceiver(r.t)
		e := r.endpoint(x.URL)
		a := r.permission("a")
		r.step()
		old := r.only(e)
		again, err := r.ReplayDelivery(r.t.Context(), r.c, e.ID, old.ID)
		r.check(err)
		if again.ID == old.ID || again.Event != a || !again.Replay || again.State != webhook.Pending {
			r.t.Errorf("the replay is %+v", again)
		}
		r.step()
		got := x.all()
		if len(got) != 2 || string(got[0].body) != string(got[1].body) {
			r.t.Fatalf("%d requests, want the same twice", len(got))
		}
		if now, err := r.Delivery(r.t.Context(), r.c, e.ID, again.ID); err != nil || now.State != webhook.Succeeded || len(now.Log) != 1 {
			r.t.Errorf("%+v, %v", now, err)
		}
		other := r.endpoint(x.URL + "/other")
		if _, err := r.ReplayDelivery(r.t.Context(), r.c, other.ID, old.ID); !fault.Is(err, fault.NotFound) {
			r.t.Errorf("a delivery of another endpoint: %v", err)
		}
		r.change(e, disabled)
		if _, err := r.ReplayDelivery(r.t.Context(), r.c, e.ID, old.ID); !fault.HasCode(err, "webhook_endpoint_disabled") {
			r.t.Errorf("to a disabled endpoint: %v", err)
		}
	})
}

// A range brings again what is subscribed, also what happened while the endpoint was disabled or did not exist.
func TestReplayOfRange(t *testing.T) {
	onBoth(t, func(r *room) {
		r.permission("too-early")
		r.clock.advance(time.Hour)
		start := r.clock.now()
		r.clock.advance(time.Hour)
		a := r.permission("a")
		_, err := r.rules.CreateOrganization(r.t.Context(), r.c, authz.OrganizationInput{Name: authz.Some("not subscribed")})
		r.check(err)
		b := r.permission("b")
		r.clock.advance(time.Hour)
		end := r.clock.now()
		r.clock.advance(time.Hour)
		c := r.permission("too-late")
		x := newReceiver(r.t)
		e := r.endpoint(x.URL)
		for _, ask := range []struct {
			in   webhook.ReplayInput
			want []id.Event
		}{
			{webhook.ReplayInput{From: start, To: end}, []id.Event{a, b}},
			{webhook.ReplayInput{From: start}, []id.Event{a, b, c}},
			{webhook.ReplayInput{After: a}, []id.Event{b, c}},
			{webhook.ReplayInput{After: c}, nil},
			{webhook.ReplayInput{From: end, To: end}, nil},
		} {
			before := len(x.all())
			rep, err := r.ReplayRange(r.t.Context(), r.c, e.ID, ask.in)
			r.check(err)
			if rep.Queued != int64(len(ask.want)) {
				r.t.Errorf("%+v: %d are queued, want %d", ask.in, rep.Queued, len(ask.want))
			}
			r.step()
			if got := x.events(); fmt.Sprint(r.since(x, before)) != fmt.Sprint(ask.want) {
				r.t.Errorf("%+v brought %v, want %v", ask.in, got, ask.want)
			}
			if n := r.count("webhook_replays"); n != 0 {
				r.t.Errorf("%d replays are left", n)
			}
		}
	})
}

// since is the ids of what came after the first n requests, sorted.
func (r *room) since(x *receiver, n int) []id.Event {
	rest := &receiver{got: x.all()[n:]}
	return rest.events()
}

func TestReplayRefusals(t *testing.T) {
	onBoth(t, func(r *room) {
		e := r.endpoint("https://hooks.example")
		a := r.permission("a")
		now := r.clock.now()
		for what, in := range map[string]webhook.ReplayInput{
			"range_start":    {},
			"range_end":      {From: now, To: now.Add(-time.Second)},
			"after_event_id": {From: now, After: a},
		} {
			if _, err := r.ReplayRange(r.t.Context(), r.c, e.ID, in); blamed(err) != what {
				r.t.Errorf("%+v: %v, want %s to blame", in, err, what)
			}
		}
		if _, err := r.ReplayRange(r.t.Context(), r.c, e.ID, webhook.ReplayInput{From: now.Add(-31 * 24 * time.Hour)}); blamed(err) != "range_end" {
			r.t.Errorf("more than 30 days: %v", err)
		}
		if _, err := r.ReplayRange(r.t.Context(), r.c, e.ID, webhook.ReplayInput{After: id.New[id.Event](r.ids)}); blamed(err) != "after_event_id" {
			r.t.Errorf("after an unknown event: %v", err)
		}
		r.clock.advance(31 * 24 * time.Hour)
		if _, err := r.ReplayRange(r.t.Context(), r.c, e.ID, webhook.ReplayInput{After: a}); blamed(err) != "after_event_id" {
			r.t.Errorf("after an old event: %v", err)
		}
		r.change(e, disabled)
		if _, err := r.ReplayRange(r.t.Context(), r.c, e.ID, webhook.ReplayInput{From: r.clock.now()}); !fault.HasCode(err, "webhook_endpoint_disabled") {
			r.t.Errorf("to a disabled endpoint: %v", err)
		}
	})
}

func blamed(err error) string {
	var f *fault.Error
	if !errors.As(err, &f) || len(f.Fields) != 1 {
		return fmt.Sprint(err)
	}
	return f.Fields[0].Name
}

// A long range is taken in steps, each of which can be the last of one process and followed by the next of another;
// all is delivered once.
func TestReplayGoesOn(t *testing.T) {
	onBoth(t, func(r *room) {
		start := r.clock.now()
		want := webhook.StepSize*2 + 7
		r.check(r.db.Update(r.t.Context(), func(tx authz.Tx) error { return tx.InsertEvents(r.manyEvents(want)) }))
		e := r.endpoint("https://hooks.example")
		rep, err := r.ReplayRange(r.t.Context(), r.c, e.ID, webhook.ReplayInput{From: start})
		r.check(err)
		if rep.Queued != int64(want) {
			r.t.Errorf("%d are queued, want %d", rep.Queued, want)
		}
		for step := 1; ; step++ {
			more, err := r.newWorker().FanOut(r.t.Context()) // nothing is kept in the process
			r.check(err)
			if n := r.count("webhook_deliveries"); n != min(want, step*webhook.StepSize) {
				r.t.Fatalf("%d deliveries after step %d", n, step)
			}
			if !more {
				break
			}
		}
		seen := map[id.Event]bool{}
		for _, d := range r.deliveries(e) {
			if seen[d.Event] {
				r.t.Errorf("%s is delivered twice", d.Event)
			}
			seen[d.Event] = true
		}
		if len(seen) != want {
			r.t.Errorf("%d events, want %d", len(seen), want)
		}
	})
}

// Several workers at once take each step of a replay once.
func TestReplayBySeveralWorkers(t *testing.T) {
	onBoth(t, func(r *room) {
		start := r.clock.now()
		want := webhook.StepSize*6 + 7
		r.check(r.db.Update(r.t.Context(), func(tx authz.Tx) error { return tx.InsertEvents(r.manyEvents(want)) }))
		e := r.endpoint("https://hooks.example")
		_, err := r.ReplayRange(r.t.Context(), r.c, e.ID, webhook.ReplayInput{From: start})
		r.check(err)
		var all sync.WaitGroup
		for range 4 {
			w := r.newWorker()
			all.Go(func() {
				for more := true; more; {
					var err error
					if more, err = w.FanOut(r.t.Context()); err != nil {
						r.t.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
		if n := r.count("webhook_deliveries"); n != want {
			r.t.Errorf("%d deliveries, want %d", n, want)
		}
	})
}
