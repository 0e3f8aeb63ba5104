package dashboard_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/webhook"
)

// hook makes a webhook for organizations.
func (h *house) hook(c authz.Caller, url string) webhook.Endpoint {
	h.Helper()
	return must(h.hooks.CreateEndpoint(h.Context(), c, webhook.NewEndpoint{URL: url, Events: []string{"organization.created"}}))
}

// deliver makes the deliveries of what happened, and sends none.
func (h *house) deliver() {
	h.Helper()
	w := webhook.NewWorker(h.hooks, slog.New(slog.DiscardHandler))
	for more := true; more; {
		more = must(w.FanOut(h.Context()))
	}
}

// A webhook is refused where the API refuses it, with what was typed; it subscribes to everything or to what is chosen.
func TestCreateWebhook(t *testing.T) {
	h := given(t)
	ed := h.as(operator.Editor)
	p := ed.post(h.path("/new/webhook"), "endpoint_url", "https://127.0.0.1/hook", "which", "some", "events", "user.created").wants(422, "loopback").blames("endpoint_url")
	if p.value("endpoint_url") != "https://127.0.0.1/hook" {
		t.Errorf("what was typed is lost: %q", p.value("endpoint_url"))
	}
	for n := range p.doc.Descendants() {
		if attr(n, "value") == "user.created" && attr(n, "name") == "events" {
			if _, ok := checked(n.Attr)["checked"]; !ok {
				t.Error("what was chosen is lost")
			}
		}
	}
	ed.post(h.path("/new/webhook"), "endpoint_url", "https://hooks.example/x", "which", "some").wants(422, "must name at least one event")
	ed.post(h.path("/new/webhook"), "endpoint_url", "https://hooks.example/x", "which", "some", "events", "role.invented").wants(422, "role.invented")
	ed.posted(h.path("/new/webhook"), "endpoint_url", "https://hooks.example/x", "which", "all").wants(200, "hooks.example/x", "Show the secret")
	made := must(h.hooks.ListEndpoints(t.Context(), h.c, page.Request{Limit: 10, Order: page.Desc})).Items[0]
	if len(made.Events) != len(event.Types()) {
		t.Errorf("it is subscribed to %q", made.Events)
	}
	ed.post(h.path("/new/webhook"), "endpoint_url", "https://hooks.example/x", "which", "all").wants(409, "exists already")
}

// The secret is for those who may change the webhook.
func TestWebhookSecret(t *testing.T) {
	h := given(t)
	e := h.hook(h.c, "https://hooks.example/x")
	at := h.path("/webhooks/" + string(e.ID))
	h.as(operator.Editor).get(at).wants(200, e.Secret)
	if p := h.as(operator.Viewer).get(at).wants(200, "hooks.example"); strings.Contains(p.raw, e.Secret) || p.links(at+"/edit") || p.links(at+"/delete") {
		t.Error("a viewer sees the secret, or what he may not do")
	}
	if strings.Contains(h.log.String(), e.Secret) {
		t.Error("the secret is in the log")
	}
}

// Nothing is disabled or deleted without saying how many deliveries it costs.
func TestEndOfAWebhook(t *testing.T) {
	h := given(t)
	e := h.hook(h.c, "https://hooks.example/x")
	for _, name := range []string{"Acme", "Globex"} {
		must(h.rules.CreateOrganization(t.Context(), h.c, authz.OrganizationInput{Name: authz.Some(name)}))
	}
	h.deliver()
	ed := h.as(operator.Editor)
	at := h.path("/webhooks/" + string(e.ID))
	ed.get(at).wants(200, "organization.created", "pending")
	ed.get(at+"?status=failed").wants(200, "No delivery is failed")
	ed.get(at+"/disable").wants(200, "2 pending deliveries are not sent any more")
	ed.posted(at+"/disable").wants(200, "disabled: nothing is sent to it", "Undo")
	ed.posted(at+"/enable").wants(200, "gets what happens from now on")
	ed.get(at+"/delete").wants(200, "pending deliveries", "cannot be undone")
	ed.posted(at+"/delete").wants(200, "No webhook yet")
	ed.get(at).wants(http.StatusNotFound)
}

// A webhook that took nothing for days says why it is disabled, and what to do.
func TestWebhookDisabledByFailures(t *testing.T) {
	h := given(t)
	now := time.Now()
	clock := func() time.Time { return now }
	h.hooks = webhook.New(h.db, h.rules, clock, id.NewSource(clock, nil), webhook.Options{AllowPrivate: true})
	deaf := httptest.NewServer(http.NotFoundHandler())
	e := h.hook(h.c, deaf.URL)
	must(h.rules.CreateOrganization(t.Context(), h.c, authz.OrganizationInput{Name: authz.Some("Acme")}))
	ed := h.as(operator.Editor)
	at := h.path("/webhooks/" + string(e.ID))
	w := webhook.NewWorker(h.hooks, slog.New(slog.DiscardHandler))
	for range 7 {
		ed.get(at).wants(200, "enabled").lacks("Rolecall disabled")
		if err := w.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		now = now.Add(48 * time.Hour)
	}
	deaf.Close()
	p := ed.get(at).wants(200, "Rolecall disabled this webhook", "The last error: answered 404", "failed")
	one := ""
	for n := range p.doc.Descendants() {
		if strings.Contains(attr(n, "href"), "/deliveries/") {
			one = attr(n, "href")
		}
	}
	ed.get(one).wants(200, "7 of at most 7", "status 404", "404 page not found").lacks("Next attempt")
	ed.get(at+"/disable").wants(200, "0 deliveries are pending")
	ed.posted(at+"/enable").wants(200, "gets what happens from now on").lacks("Rolecall disabled")
}

// An edit can be taken back by the form that the next page offers.
func TestEditWebhook(t *testing.T) {
	h := given(t)
	e := h.hook(h.c, "https://hooks.example/x")
	ed := h.as(operator.Editor)
	at := h.path("/webhooks/" + string(e.ID))
	ed.get(at+"/edit").wants(200, "Only these")
	ed.post(at+"/edit", "endpoint_url", "ftp://hooks.example", "which", "all").wants(422).blames("endpoint_url")
	p := ed.posted(at+"/edit", "endpoint_url", "https://hooks.example/y", "which", "some", "events", "user.created", "events", "user.deleted").wants(200, "hooks.example/y", "Undo")
	if p.find("form", "action", at+"/edit") == nil {
		t.Fatal("there is no way back")
	}
	ed.posted(at+"/edit", "endpoint_url", p.value("endpoint_url"), "events", p.value("events"))
	if now := must(h.hooks.Endpoint(t.Context(), h.c, e.ID)); now.URL != e.URL || len(now.Events) != 1 || now.Events[0] != "organization.created" {
		t.Errorf("after the undo it is %s, %q", now.URL, now.Events)
	}
}

// One delivery, and a range of time, are sent again.
func TestReplay(t *testing.T) {
	h := given(t)
	e := h.hook(h.c, "https://hooks.example/x")
	must(h.rules.CreateOrganization(t.Context(), h.c, authz.OrganizationInput{Name: authz.Some("Acme")}))
	h.deliver()
	d := must(h.hooks.ListDeliveries(t.Context(), h.c, e.ID, webhook.DeliveryFilter{}, page.Request{Limit: 1, Order: page.Desc})).Items[0]
	ed := h.as(operator.Editor)
	at := h.path("/webhooks/" + string(e.ID))
	one := at + "/deliveries/" + string(d.ID)
	if !ed.get(one).wants(200, "No attempt yet").links(h.path("/events/" + string(d.Event))) {
		t.Error("the delivery does not lead to its event")
	}
	ed.get(one+"/replay").wants(200, "1 event")
	ed.posted(one+"/replay").wants(200, "on its way again", "replay")
	ed.post(at+"/replay", "range_start", "").wants(422).blames("range_start")
	p := ed.post(at+"/replay", "range_start", "2026-02-01T00:00", "range_end", "2026-01-01T00:00").wants(422).blames("range_end")
	if p.value("range_start") != "2026-02-01T00:00" {
		t.Errorf("what was typed is lost: %q", p.value("range_start"))
	}
	ed.posted(at+"/replay", "range_start", d.CreatedAt.UTC().Add(-3600e9).Format("2006-01-02T15:04")).wants(200, "1 event is on the way again")
	h.as(operator.Viewer).post(at+"/replay", "range_start", "2026-01-01T00:00").wants(http.StatusForbidden)
}

// Another environment's webhooks and deliveries do not exist.
func TestForeignWebhooks(t *testing.T) {
	h := given(t)
	e := h.hook(h.staging, "https://secret.example/x")
	must(h.rules.CreateOrganization(t.Context(), h.staging, authz.OrganizationInput{Name: authz.Some("Acme")}))
	h.deliver()
	d := must(h.hooks.ListDeliveries(t.Context(), h.staging, e.ID, webhook.DeliveryFilter{}, page.Request{Limit: 1, Order: page.Desc})).Items[0]
	ed := h.as(operator.Editor)
	at := h.path("/webhooks/" + string(e.ID))
	for _, below := range []string{"", "/edit", "/disable", "/delete", "/replay", "/deliveries/" + string(d.ID), "/deliveries/" + string(d.ID) + "/replay"} {
		ed.get(at + below).wants(http.StatusNotFound).lacks("secret.example")
	}
	for _, below := range []string{"/edit", "/enable", "/disable", "/delete", "/replay", "/deliveries/" + string(d.ID) + "/replay"} {
		ed.post(at+below, "endpoint_url", "https://mine.example", "which", "all", "range_start", "2026-01-01").wants(http.StatusNotFound)
	}
	ed.get(h.path("/webhooks")).wants(200, "No webhook yet")
	if now := must(h.hooks.Endpoint(t.Context(), h.staging, e.ID)); now.URL != e.URL || now.Status != webhook.Enabled {
		t.Errorf("it was changed: %+v", now.Status)
	}
}
