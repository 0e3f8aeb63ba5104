package webhook_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/webhook"
)

var (
	disabled = webhook.EndpointChange{Status: authz.Some("disabled")}
	enabled  = webhook.EndpointChange{Status: authz.Some("enabled")}
)

// What an endpoint may be; at most 50 of them, each URL once.
func TestEndpoints(t *testing.T) {
	onBoth(t, func(r *room) {
		first := r.endpoint("https://hooks.example/0")
		if !strings.HasPrefix(string(first.ID), "we_") || !strings.HasPrefix(first.Secret, "whsec_") || len(first.Secret) < 40 || first.Status != webhook.Enabled {
			r.t.Errorf("a new endpoint is %+v", first)
		}
		create := func(c authz.Caller, url string, events ...string) error {
			_, err := r.CreateEndpoint(r.t.Context(), c, webhook.NewEndpoint{URL: url, Events: events})
			return err
		}
		if err := create(r.c, "https://hooks.example/0", "role.created"); !fault.HasCode(err, "duplicate_endpoint") {
			r.t.Errorf("the same URL again: %v", err)
		}
		other := r.c
		other.Environment = r.environment("staging")
		r.check(create(other, "https://hooks.example/0", "role.created"))
		for n := 1; n < webhook.MaxEndpoints; n++ {
			if e := r.endpoint(fmt.Sprint("https://hooks.example/", n)); e.Secret == first.Secret {
				r.t.Error("two endpoints have one secret")
			}
		}
		if err := create(r.c, "https://hooks.example/more", "role.created"); !fault.HasCode(err, "too_many_endpoints") {
			r.t.Errorf("one too many: %v", err)
		}
		r.check(r.DeleteEndpoint(r.t.Context(), r.c, first.ID))
		r.check(create(r.c, "https://hooks.example/0", "role.created"))

		for _, events := range [][]string{nil, {"role.created", "role.invented"}, {""}, {"ROLE.created"}} {
			if err := create(r.c, "https://hooks.example/e", events...); !fault.HasCode(err, "invalid_request_parameters") || !strings.Contains(err.Error(), "events") {
				r.t.Errorf("events %q: %v", events, err)
			}
		}
		if _, err := r.Endpoint(r.t.Context(), other, first.ID); !fault.Is(err, fault.NotFound) {
			r.t.Errorf("another environment's endpoint: %v", err)
		}
	})
}

// Subscribing, also to names that nothing emits yet, follows the contract's list and every event that exists here.
func TestSubscribableEvents(t *testing.T) {
	r := newRoom(t, databases["sqlite"](t), webhook.Options{})
	e := r.endpoint("https://hooks.example", "dsync.user.created", "waitlist_user.denied", "flag.rule_updated", "role.created", "role.created",
		string(event.WebhookEndpointDisabled), string(event.MembershipUpdated), string(event.OrganizationRoleDeleted))
	if len(e.Events) != 7 {
		t.Errorf("subscribed to %q", e.Events)
	}
}

// A disabled endpoint gets nothing, neither what was waiting nor what happens; once enabled again it begins at the
// present (R195). A removed one is gone with its deliveries.
func TestDisabling(t *testing.T) {
	onBoth(t, func(r *room) {
		x := newReceiver(r.t)
		x.answers(fails(500))
		e := r.endpoint(x.URL)
		r.permission("waiting")
		r.step() // fails, and would be tried again
		if e = r.change(e, disabled); e.Status != webhook.Disabled {
			r.t.Errorf("it is %v", e.Status)
		}
		x.answers(nil)
		r.permission("meanwhile")
		r.clock.advance(time.Hour)
		r.step()
		if n := len(x.all()); n != 1 {
			r.t.Fatalf("%d requests, want the one before disabling", n)
		}
		if d := r.only(e); d.State != webhook.Failed || d.LastError != "the endpoint was disabled" {
			r.t.Errorf("what was waiting is %+v", d.Delivery)
		}
		r.change(e, enabled)
		now := r.permission("now")
		r.clock.advance(100 * time.Hour)
		r.step()
		if got := x.all(); len(got) != 2 || got[1].event.ID != now {
			r.t.Errorf("after enabling: %d requests, the last about %v, want %v", len(got), got[len(got)-1].event.ID, now)
		}
		again := r.permission("and-then")
		_, err := r.worker.FanOut(r.t.Context())
		r.check(err)
		waiting := r.deliveries(e)[2]
		if waiting.Event != again {
			r.t.Fatalf("no delivery of %s", again)
		}
		r.check(r.DeleteEndpoint(r.t.Context(), r.c, e.ID))
		if _, err := r.Delivery(r.t.Context(), r.c, e.ID, waiting.ID); !fault.Is(err, fault.NotFound) {
			r.t.Errorf("a delivery of a removed endpoint: %v", err)
		}
		r.step()
		r.step()
		if n := len(x.all()); n != 2 {
			r.t.Errorf("a removed endpoint got something: %d requests", n)
		}
		if n := r.count("webhook_deliveries") + r.count("webhook_attempts") + r.count("webhook_endpoints"); n != 0 {
			r.t.Errorf("%d rows are left of a removed endpoint", n)
		}
	})
}

// Disabled while requests to it are under way: what is not sent yet stays unsent.
func TestDisablingWhileDelivering(t *testing.T) {
	onBoth(t, func(r *room) {
		x := newReceiver(r.t)
		e := r.endpoint(x.URL)
		began, goOn := make(chan struct{}, 100), make(chan struct{})
		x.answers(func(http.ResponseWriter, *http.Request) { began <- struct{}{}; <-goOn })
		for n := range 20 {
			r.permission(fmt.Sprint("p", n))
		}
		done := make(chan error, 1)
		go func() { done <- r.worker.Step(r.t.Context()) }()
		for range 8 {
			r.await("requests", began)
		}
		r.change(e, disabled)
		close(goOn)
		r.check(<-done)
		r.step()
		if n := len(x.all()); n != 8 {
			r.t.Errorf("%d requests, want the 8 that were under way", n)
		}
		states := map[webhook.State]int{}
		for _, d := range r.deliveries(e) {
			states[d.State]++
		}
		if states[webhook.Succeeded]+states[webhook.Failed] != 20 {
			r.t.Errorf("deliveries are %v", states)
		}
	})
}

func (r *room) await(what string, c <-chan struct{}) {
	r.t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		r.t.Fatalf("waiting for %s", what)
	}
}

// An endpoint that took nothing for all attempts of a delivery is disabled, once, with an event that others can
// subscribe to and that does not hold the secret.
func TestFailingEndpointIsDisabled(t *testing.T) {
	onBoth(t, func(r *room) {
		x, watcher := newReceiver(r.t), newReceiver(r.t)
		x.answers(fails(500))
		e := r.endpoint(x.URL)
		r.endpoint(watcher.URL, "webhook_endpoint.disabled")
		r.permission("a")
		r.permission("b")
		for range 7 {
			r.step()
			r.clock.advance(41 * time.Hour)
		}
		r.step()
		if r.status(e) != webhook.Disabled {
			r.t.Fatal("the endpoint is still enabled")
		}
		told := r.lastEvent()
		if told.Type != "webhook_endpoint.disabled" || len(watcher.all()) != 1 || watcher.all()[0].event.ID != told.ID {
			r.t.Fatalf("the last event is %s, and %d were delivered", told.Type, len(watcher.all()))
		}
		if strings.Contains(string(told.Data), e.Secret) || strings.Contains(string(told.Data), "whsec_") {
			r.t.Error("the event holds the secret")
		}
		var data event.WebhookEndpoint
		r.check(json.Unmarshal(told.Data, &data))
		if data.ID != e.ID || data.Status != "disabled" || data.LastError != "answered 500" || data.EndpointURL != x.URL || !strings.Contains(string(told.Context), `"source":"system"`) {
			r.t.Errorf("the event is %s %s", told.Data, told.Context)
		}
	})
}

// One success since a delivery's first attempt keeps the endpoint, whatever else failed.
func TestSuccessKeepsEndpoint(t *testing.T) {
	onBoth(t, func(r *room) {
		x := newReceiver(r.t)
		x.answers(fails(500))
		e := r.endpoint(x.URL)
		bad := r.permission("bad")
		r.step()
		x.answers(nil)
		good := r.permission("good")
		r.step()
		x.answers(fails(500))
		for range 7 {
			r.clock.advance(41 * time.Hour)
			r.step()
		}
		for _, d := range r.deliveries(e) {
			if want := map[id.Event]webhook.State{bad: webhook.Failed, good: webhook.Succeeded}[d.Event]; d.State != want {
				r.t.Errorf("%s is %s, want %s", d.Event, d.State, want)
			}
		}
		if r.status(e) != webhook.Enabled {
			r.t.Error("the endpoint was disabled, though it took something meanwhile")
		}
	})
}

// Deliveries are kept as long as events are, and then removed with their attempts.
func TestSweep(t *testing.T) {
	onBoth(t, func(r *room) {
		x := newReceiver(r.t)
		e := r.endpoint(x.URL)
		r.permission("old")
		r.step()
		r.clock.advance(webhook.Life - time.Minute)
		r.permission("new")
		r.step()
		r.check(r.Sweep(r.t.Context()))
		if n := len(r.deliveries(e)); n != 2 {
			r.t.Errorf("%d deliveries before their time is over, want 2", n)
		}
		r.clock.advance(2 * time.Minute)
		r.check(r.Sweep(r.t.Context()))
		if d, n := r.deliveries(e), r.count("webhook_attempts"); len(d) != 1 || d[0].Type != "permission.created" || n != 1 {
			r.t.Errorf("%d deliveries with %d attempts are left, want the new one", len(d), n)
		}
	})
}

// Whoever may only look sees endpoints and their deliveries, and changes none of it.
func TestReadOnlyCallers(t *testing.T) {
	onBoth(t, func(r *room) {
		e := r.endpoint("https://hooks.example/0")
		c := r.c
		c.Only = &authz.Restriction{ReadOnly: true, Everything: true}
		ctx := r.t.Context()
		if seen, err := r.Endpoint(ctx, c, e.ID); err != nil || seen.ID != e.ID {
			r.t.Errorf("looking at an endpoint: %+v, %v", seen, err)
		}
		for doing, err := range map[string]error{
			"creating": func() error {
				_, err := r.CreateEndpoint(ctx, c, webhook.NewEndpoint{URL: "https://hooks.example/1", Events: []string{"role.created"}})
				return err
			}(),
			"disabling": func() error { _, err := r.UpdateEndpoint(ctx, c, e.ID, disabled); return err }(),
			"replaying a range": func() error {
				_, err := r.ReplayRange(ctx, c, e.ID, webhook.ReplayInput{From: r.clock.now().Add(-time.Hour)})
				return err
			}(),
			"replaying a delivery": func() error { _, err := r.ReplayDelivery(ctx, c, e.ID, "webhook_delivery_x"); return err }(),
			"deleting":             r.DeleteEndpoint(ctx, c, e.ID),
		} {
			if !fault.Is(err, fault.Forbidden) || !fault.HasCode(err, "read_only") {
				r.t.Errorf("%s: %v", doing, err)
			}
		}
		if seen, err := r.Endpoint(ctx, r.c, e.ID); err != nil || seen.Status != webhook.Enabled {
			r.t.Errorf("the endpoint afterwards: %+v, %v", seen, err)
		}
	})
}
