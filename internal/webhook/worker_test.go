package webhook_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
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
