package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/webhook"
)

// Every event is delivered exactly once when nothing fails, with several workers at once, of two processes where the
// database takes two, while sixteen write.
func TestExactlyOnce(t *testing.T) {
	onBoth(t, func(r *room) {
		x := newReceiver(r.t)
		a, b := r.endpoint(x.URL+"/a"), r.endpoint(x.URL+"/b", "permission.created")
		workers := []*webhook.Worker{r.worker, r.newWorker()}
		if !strings.HasPrefix(r.location, "sqlite:") {
			second := newSecondProcess(r)
			workers = append(workers, second)
		}
		const writers, each = 16, 12
		written := make(chan struct{})
		var errs [writers]error
		go func() {
			defer close(written)
			var all sync.WaitGroup
			for i := range writers {
				all.Go(func() {
					for n := range each {
						in := authz.NewPermission{Slug: fmt.Sprintf("p%d-%d", i, n), Name: "n"}
						if _, err := r.rules.CreatePermission(context.Background(), r.c, in); err != nil {
							errs[i] = err
							return
						}
					}
				})
			}
			all.Wait()
		}()
		var running sync.WaitGroup
		for _, w := range workers {
			running.Go(func() {
				for writing := true; writing; {
					select {
					case <-written:
						writing = false // and once more
					default:
					}
					if err := w.Step(context.Background()); err != nil {
						r.t.Error(err)
						return
					}
				}
			})
		}
		running.Wait()
		r.check(errors.Join(errs[:]...))
		r.step()
		got := map[string]int{}
		for _, g := range x.all() {
			got[g.path+" "+string(g.event.ID)]++
		}
		if len(got) != 2*writers*each || len(x.all()) != len(got) {
			r.t.Errorf("%d requests about %d different deliveries, want %d once each", len(x.all()), len(got), 2*writers*each)
		}
		for _, e := range []webhook.Endpoint{a, b} {
			all := r.deliveries(e)
			if len(all) != writers*each {
				r.t.Errorf("%d deliveries, want %d", len(all), writers*each)
			}
			for _, d := range all {
				if d.State != webhook.Succeeded || d.Attempts != 1 {
					r.t.Errorf("%+v", d)
				}
			}
		}
	})
}

// newSecondProcess is a worker with a store of its own over the same database.
func newSecondProcess(r *room) *webhook.Worker {
	r.t.Helper()
	other := *r
	other.db = openAgain(r)
	other.rules = authz.New(other.db, r.clock.now, r.ids)
	other.Service = webhook.New(other.db, other.rules, r.clock.now, r.ids, webhook.Options{AllowPrivate: true})
	return other.newWorker()
}

// A process that dies between sending and recording leaves a claim. When that is over, another sends again: at least
// once, not at most (R182). Until then nobody does.
func TestCrashBeforeRecording(t *testing.T) {
	onBoth(t, func(r *room) {
		x := newReceiver(r.t)
		e := r.endpoint(x.URL)
		a := r.permission("a")
		dying := &crashing{Store: r.db}
		s := webhook.New(dying, r.rules, r.clock.now, r.ids, webhook.Options{AllowPrivate: true})
		w := webhook.NewWorker(s, discard)
		x.answers(func(http.ResponseWriter, *http.Request) { dying.die() })
		if err := w.Step(r.t.Context()); err != nil {
			r.t.Fatal(err)
		}
		x.answers(nil)
		if d := r.only(e); len(x.all()) != 1 || d.State != webhook.Pending || d.Attempts != 0 || len(d.Log) != 0 {
			r.t.Fatalf("after the crash: %d requests, %+v", len(x.all()), d)
		}
		r.clock.advance(webhook.ClaimTime / 2)
		r.step()
		if len(x.all()) != 1 {
			r.t.Fatal("it was sent again while claimed")
		}
		r.clock.advance(webhook.ClaimTime / 2)
		r.step()
		if d := r.only(e); d.State != webhook.Succeeded || d.Attempts != 1 || !slices.Equal(x.events(), []id.Event{a, a}) {
			r.t.Errorf("afterwards: %v, %+v", x.events(), d)
		}
	})
}

// A receiver that does not answer holds up its own deliveries alone.
func TestSlowReceiver(t *testing.T) {
	onBoth(t, func(r *room) {
		slow, fast := newReceiver(r.t), newReceiver(r.t)
		began, goOn, arrived := make(chan struct{}, 100), make(chan struct{}), make(chan struct{}, 100)
		slow.answers(func(http.ResponseWriter, *http.Request) { began <- struct{}{}; <-goOn })
		fast.answers(func(http.ResponseWriter, *http.Request) { arrived <- struct{}{} })
		es, ef := r.endpoint(slow.URL), r.endpoint(fast.URL)
		const events = 30
		for n := range events {
			r.permission(fmt.Sprint("p", n))
		}
		ctx, stop := context.WithCancel(r.t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); r.worker.Run(ctx) }()
		r.await("the slow receiver", began)
		for range events {
			r.await("what the fast receiver gets", arrived)
		}
		r.permission("later")
		r.await("what happens later", arrived)
		if n := len(slow.all()); n > 8 {
			r.t.Errorf("the slow receiver has %d requests at once, want at most 8", n)
		}
		// The order to stop: what is under way is let finish and recorded, what is not is given back.
		stop()
		close(goOn)
		r.await("the worker's end", ended)
		under := len(slow.all())
		if n := r.states(es)[webhook.Succeeded]; n != under || under == events+1 {
			r.t.Errorf("%d of %d requests to the slow receiver are recorded", n, under)
		}
		if n := r.states(ef)[webhook.Succeeded]; n != events+1 {
			r.t.Errorf("%d deliveries to the fast receiver are recorded, want %d", n, events+1)
		}
		slow.answers(nil)
		r.step() // at once: no claim is left
		if n := r.states(es)[webhook.Succeeded]; n != events+1 || len(slow.all()) != events+1 {
			r.t.Errorf("in the end %d deliveries to the slow receiver succeeded with %d requests, want %d", n, len(slow.all()), events+1)
		}
	})
}

func (r *room) states(e webhook.Endpoint) map[webhook.State]int {
	r.t.Helper()
	n := map[webhook.State]int{}
	for _, d := range r.deliveries(e) {
		n[d.State]++
	}
	return n
}

// A receiver that does not answer in time has failed.
func TestNoAnswer(t *testing.T) {
	onBoth(t, func(r *room) {
		x, end := newReceiver(r.t), make(chan struct{})
		x.answers(func(http.ResponseWriter, *http.Request) { <-end })
		e := r.endpoint(x.URL)
		r.permission("a")
		r.worker.Impatient(50 * time.Millisecond)
		r.step()
		close(end)
		if d := r.only(e); d.State != webhook.Pending || d.Log[0].Status != 0 || !strings.Contains(d.LastError, "no complete answer") {
			r.t.Errorf("%+v", d)
		}
	})
}

// A receiver that dies over its answer has failed, whatever status it began with.
func TestAnswerCutOff(t *testing.T) {
	onBoth(t, func(r *room) {
		x := newReceiver(r.t)
		x.answers(func(w http.ResponseWriter, req *http.Request) {
			hijacked, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				r.t.Error(err)
				return
			}
			fmt.Fprint(hijacked, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbut then")
			hijacked.Close()
		})
		e := r.endpoint(x.URL)
		r.permission("a")
		r.step()
		if d := r.only(e); d.State != webhook.Pending || !strings.Contains(d.LastError, "EOF") || d.Log[0].Status != 200 || d.Log[0].Answer != "but then" {
			r.t.Errorf("%+v", d)
		}
	})
}

// Changing the URL and the secret's owner in between: what waits is sent to the endpoint as it is then.
func TestWaitingGoesToTheNewURL(t *testing.T) {
	onBoth(t, func(r *room) {
		before, after := newReceiver(r.t), newReceiver(r.t)
		before.answers(fails(500))
		e := r.endpoint(before.URL)
		a := r.permission("a")
		r.step()
		r.change(e, webhook.EndpointChange{URL: authz.Some(after.URL)})
		r.clock.advance(time.Hour)
		r.step()
		if !slices.Equal(after.events(), []id.Event{a}) || len(before.all()) != 1 {
			r.t.Errorf("the new URL got %v", after.events())
		}
	})
}

// What waits for an event that is not kept any more has failed, once and without blame for the endpoint.
func TestEventNotKept(t *testing.T) {
	onBoth(t, func(r *room) {
		x := newReceiver(r.t)
		x.answers(fails(500))
		e := r.endpoint(x.URL)
		r.permission("a")
		r.step()
		r.check(r.db.Update(r.t.Context(), func(tx authz.Tx) error {
			_, err := tx.DeleteEvents(r.clock.now(), 100)
			return err
		}))
		r.clock.advance(time.Hour)
		r.step()
		if d := r.only(e); d.State != webhook.Failed || d.LastError != "the event is not kept any more" || len(d.Log) != 2 || len(x.all()) != 1 {
			r.t.Errorf("%+v", d)
		}
		if r.status(e) != webhook.Enabled {
			r.t.Error("the endpoint was disabled")
		}
	})
}

// What goes wrong with one endpoint does not keep the others from theirs, and is logged once.
func TestBrokenEndpointAlone(t *testing.T) {
	r := newRoom(t, databases["sqlite"](t), webhook.Options{AllowPrivate: true})
	x, arrived := newReceiver(t), make(chan struct{}, 10)
	x.answers(func(http.ResponseWriter, *http.Request) { arrived <- struct{}{} })
	broken, whole := r.endpoint(x.URL+"/broken"), r.endpoint(x.URL+"/whole")
	log := &counter{}
	s := webhook.New(&failing{Store: r.db, endpoint: broken.ID}, r.rules, r.clock.now, r.ids, webhook.Options{AllowPrivate: true})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); webhook.NewWorker(s, slog.New(log)).Run(ctx) }()
	for n := range 3 {
		r.permission(fmt.Sprint("p", n))
		r.await("what the other endpoint gets", arrived)
	}
	stop()
	r.await("the worker's end", ended)
	if n := len(r.deliveries(broken)); n != 0 || r.states(whole)[webhook.Succeeded] != 3 {
		t.Errorf("%d deliveries to the broken endpoint, and to the other %v", n, r.states(whole))
	}
	if n := log.lines.Load(); n != 1 {
		t.Errorf("the problem was logged %d times, want once", n)
	}
}

// failing is a store that cannot lock one endpoint.
type failing struct {
	*store.Store
	endpoint id.Endpoint
}

func (f *failing) WorkWebhooks(ctx context.Context, fn func(webhook.Tx) error) error {
	return f.Store.WorkWebhooks(ctx, func(tx webhook.Tx) error { return fn(failingTx{tx, f.endpoint}) })
}

type failingTx struct {
	webhook.Tx
	endpoint id.Endpoint
}

func (f failingTx) LockEndpoint(e id.Endpoint) (webhook.Endpoint, bool, error) {
	if e == f.endpoint {
		return webhook.Endpoint{}, false, errors.New("this endpoint is broken")
	}
	return f.Tx.LockEndpoint(e)
}

// counter is a log that counts its lines.
type counter struct{ lines atomic.Int64 }

func (*counter) Enabled(context.Context, slog.Level) bool    { return true }
func (c *counter) WithAttrs([]slog.Attr) slog.Handler        { return c }
func (c *counter) WithGroup(string) slog.Handler             { return c }
func (c *counter) Handle(context.Context, slog.Record) error { c.lines.Add(1); return nil }
