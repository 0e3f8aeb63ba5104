package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// deliver does what the worker would do now.
func (w *world) deliver() {
	w.tb.Helper()
	if err := w.worker.Step(context.Background()); err != nil {
		w.tb.Fatal(err)
	}
}

// inbox is a receiver of webhooks, which answers with a status.
type inbox struct {
	*httptest.Server
	mu     sync.Mutex
	bodies []string
	status int
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	x := &inbox{status: 200}
	x.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		x.mu.Lock()
		defer x.mu.Unlock()
		x.bodies = append(x.bodies, string(body))
		w.WriteHeader(x.status)
		fmt.Fprintf(w, "thanks for %d", len(x.bodies))
	}))
	t.Cleanup(x.Close)
	return x
}

func (x *inbox) answer(status int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.status = status
}

func (x *inbox) all() []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return append([]string{}, x.bodies...)
}

// An endpoint from its creation to its deletion (semantics 1.13, 2.11). Changing endpoints is no event.
func TestWebhookEndpoints(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		body := object{"endpoint_url": "https://hooks.example/a", "events": list{"role.created", "dsync.user.created"}}
		a := w.post(endpoints, body).is(201)
		a.has("object", "webhook_endpoint").has("endpoint_url", "https://hooks.example/a").has("status", "enabled").has("events", list{"role.created", "dsync.user.created"})
		if !strings.HasPrefix(a.text("id"), "we_") || !strings.HasPrefix(a.text("secret"), "whsec_") || a.text("created_at") != a.text("updated_at") {
			t.Errorf("a new endpoint is %s", a.raw)
		}
		one := endpoints + "/" + a.text("id")
		created := answer{tb: t, status: 200, raw: a.raw, call: "the creation"}
		w.get(one).is(200).same(created)
		w.get(endpoints).lists("secret", a.text("secret")) // in full, as the contract has it
		w.post(endpoints, body).refused(409, "duplicate_endpoint")

		w.patch(one, object{}).is(200).same(created) // R41
		b := w.patch(one, object{"endpoint_url": "https://hooks.example/b", "events": list{"user.created"}, "status": "disabled", "secret": "mine"}).is(200)
		b.has("endpoint_url", "https://hooks.example/b").has("events", list{"user.created"}).has("status", "disabled").has("secret", a.text("secret"))
		if b.text("updated_at") <= a.text("updated_at") {
			t.Errorf("times after an update: %s", b.raw)
		}
		c := w.post(endpoints, body).is(201) // its URL is free again
		w.patch(one, object{"endpoint_url": "https://hooks.example/a"}).refused(409, "duplicate_endpoint")
		w.patch(one, object{"status": "enabled"}).is(200).has("status", "enabled")
		w.get(endpoints).lists("id", c.text("id"), a.text("id"))
		w.get(endpoints+"?order=asc&limit=1").lists("id", a.text("id")).has("list_metadata.after", a.text("id"))

		w.delete(one).is(204)
		w.get(one).refused(404, "entity_not_found")
		w.patch(one, object{"status": "enabled"}).refused(404, "entity_not_found")
		w.delete(one).refused(404, "entity_not_found")
		w.get(one+"/deliveries").refused(404, "entity_not_found")
		w.post(one+"/replay", object{"range_start": "2026-02-01"}).refused(404, "entity_not_found")
		w.get(endpoints).lists("id", c.text("id"))
		w.fired()
	})
}

func TestWebhookEndpointRefusals(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		for _, url := range []string{"", "hooks.example", "ftp://hooks.example", "https://u:p@hooks.example", "https://hooks.example/#x"} {
			w.post(endpoints, object{"endpoint_url": url, "events": list{"role.created"}}).refused(422, "invalid_url", "endpoint_url")
		}
		w.post(endpoints, object{"endpoint_url": "https://hooks.example", "events": list{}}).refused(422, "invalid_request_parameters", "events")
		w.post(endpoints, object{"endpoint_url": "https://hooks.example", "events": list{"role.created", "role.invented"}}).
			refused(422, "invalid_request_parameters", "events").has("errors.0.code", "unknown_event_type")
		one := endpoints + "/" + w.post(endpoints, object{"endpoint_url": "https://hooks.example", "events": list{"role.created"}}).is(201).text("id")
		w.patch(one, object{"status": "paused"}).refused(422, "invalid_request_parameters", "status")
		w.patch(one, object{"endpoint_url": "nowhere"}).refused(422, "invalid_url", "endpoint_url")
		w.get(one+"/deliveries?status=done").refused(422, "invalid_request_parameters", "status")
		w.post(one+"/replay", object{}).refused(422, "invalid_request_parameters", "range_start")
		w.post(one+"/replay", object{"range_start": "yesterday"}).refused(422, "invalid_request_parameters", "range_start")
		w.post(one+"/replay", object{"after_event_id": "event_" + nobodys}).refused(422, "invalid_request_parameters", "after_event_id")
		w.get(one+"/deliveries/webhook_delivery_"+nobodys).refused(404, "entity_not_found")
		w.get(endpoints).lists("endpoint_url", "https://hooks.example")
	})
}

// A delivery, its log with the answers, and its replay. The body is to the letter what /events lists (R181).
func TestWebhookDeliveries(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		x := newInbox(t)
		one := endpoints + "/" + w.post(endpoints, object{"endpoint_url": x.URL, "events": list{"permission.created", "permission.deleted"}}).is(201).text("id")
		w.permission("a", "b")
		w.role("not-subscribed")
		x.answer(503)
		w.deliver()
		sent := w.get("/events?events=permission.created").lists("event", "permission.created", "permission.created")
		var page struct{ Data []json.RawMessage }
		if err := json.Unmarshal(sent.raw, &page); err != nil {
			t.Fatal(err)
		}
		got := x.all()
		if len(got) != 2 || got[0] != string(page.Data[0]) && got[0] != string(page.Data[1]) {
			t.Fatalf("sent was %q, listed is %s", got, sent.raw)
		}
		ids := sent.each("id")

		pending := w.get(one+"/deliveries?order=asc").lists("event_id", ids...)
		pending.has("data.0.object", "webhook_delivery").has("data.0.status", "pending").has("data.0.attempt_count", 1).has("data.0.event", "permission.created").
			has("data.0.last_error", "answered 503").has("data.0.replay", false).has("data.0.attempts", nil)
		if pending.text("data.0.next_attempt_at") <= pending.text("data.0.updated_at") {
			t.Errorf("the next attempt does not follow: %s", pending.raw)
		}
		first := one + "/deliveries/" + pending.text("data.0.id")
		log := w.get(first).is(200).has("attempts.0.status_code", 503).has("attempts.0.number", 1).has("attempts.0.error", "answered 503")
		if !strings.HasPrefix(log.text("attempts.0.answer"), "thanks for ") {
			t.Errorf("the answer is not in the log: %s", log.raw)
		}
		w.delete(permissions + "/b").is(204)
		x.answer(200)
		w.clock.advance(time.Minute)
		w.deliver()
		w.get(first).is(200).has("status", "succeeded").has("next_attempt_at", nil).has("last_error", nil).has("attempts.1.status_code", 200).has("attempts.1.error", nil)
		w.get(one + "/deliveries?status=pending").lists("id")
		w.get(one+"/deliveries?event=permission.deleted&status=succeeded").lists("event", "permission.deleted")
		w.get(one + "/deliveries?limit=2&after=" + pending.text("data.0.id")).lists("id")

		again := w.post(first+"/replay", nil).is(201).has("replay", true).has("status", "pending").has("event_id", ids[0]).has("attempt_count", 0)
		w.deliver()
		w.get(one+"/deliveries/"+again.text("id")).is(200).has("status", "succeeded")
		w.post(one+"/replay", object{"after_event_id": ids[0]}).is(202).has("object", "webhook_replay").has("queued", 2)
		w.post(one+"/replay", object{"range_start": "2026-01-15", "range_end": "2026-01-20T00:00:00Z"}).is(202).has("queued", 0)
		w.deliver()
		if n := len(x.all()); n != 2+3+1+2 {
			t.Errorf("%d requests in all, want 8", n)
		}
		w.patch(one, object{"status": "disabled"}).is(200)
		w.post(first+"/replay", nil).refused(409, "webhook_endpoint_disabled")
		w.post(one+"/replay", object{"after_event_id": ids[0]}).refused(409, "webhook_endpoint_disabled")
		w.prepared()
	})
}

// A repeated creation is the same endpoint, not a second one and no conflict; a repeated replay sends nothing twice.
func TestWebhooksOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		x := newInbox(t)
		body := object{"endpoint_url": x.URL, "events": list{"permission.created"}}
		first := w.once("k").post(endpoints, body).is(201).replayed(false)
		w.once("k").post(endpoints, body).replayed(true).same(first)
		w.once("k").post(endpoints, object{"endpoint_url": x.URL, "events": list{"role.created"}}).refused(422, "idempotency_key_reused")
		w.get(endpoints).lists("id", first.text("id"))
		one := endpoints + "/" + first.text("id")
		w.permission("a")
		w.deliver()
		again := w.get(one+"/deliveries").text("data.0.id") + "/replay"
		a := w.once("r").post(one+"/deliveries/"+again, nil).is(201)
		w.once("r").post(one+"/deliveries/"+again, nil).replayed(true).same(a)
		b := w.once("s").post(one+"/replay", object{"range_start": "2026-02-01"}).is(202).has("queued", 1)
		w.once("s").post(one+"/replay", object{"range_start": "2026-02-01"}).replayed(true).same(b)
		w.deliver()
		if n := len(x.all()); n != 3 {
			t.Errorf("%d requests, want 3", n)
		}
	})
}

// The events of one environment are for its own endpoints.
func TestWebhooksOfOtherEnvironments(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other, _ := w.environment(t, "staging")
		mine, theirs := newInbox(t), newInbox(t)
		w.post(endpoints, object{"endpoint_url": mine.URL, "events": list{"permission.created"}}).is(201)
		one := endpoints + "/" + other.post(endpoints, object{"endpoint_url": theirs.URL, "events": list{"permission.created"}}).is(201).text("id")
		w.permission("a")
		w.deliver()
		if len(mine.all()) != 1 || len(theirs.all()) != 0 {
			t.Errorf("%d and %d requests, want 1 and 0", len(mine.all()), len(theirs.all()))
		}
		event := w.get("/events").text("data.0.id")
		other.post(one+"/replay", object{"after_event_id": event}).refused(422, "invalid_request_parameters", "after_event_id")
		other.post(one+"/replay", object{"range_start": "2026-02-01"}).is(202).has("queued", 0)
		w.get(one+"/deliveries").refused(404, "entity_not_found")
		w.prepared()
	})
}

// Every event that is emitted here, and every one that the contract lets an endpoint subscribe to, can be subscribed to.
func TestWebhookEventNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqliteFile(t))
	names := list{}
	for _, name := range emitted {
		names = append(names, name)
	}
	w.post(endpoints, object{"endpoint_url": "https://hooks.example/emitted", "events": names}).is(201).has("events", names)
	theirs := specification{root: publicContract(t)}
	schema := theirs.content(theirs.operation("POST", endpoints)["requestBody"])
	names = theirs.resolve(branch(branch(schema, "properties"), "events")["items"])["enum"].([]any)
	if len(names) < 93 {
		t.Errorf("the contract has only %d names: does this test still see them?", len(names))
	}
	w.post(endpoints, object{"endpoint_url": "https://hooks.example/contract", "events": names}).is(201).has("events", names)
}
