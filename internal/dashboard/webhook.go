package dashboard

import (
	"encoding/json"
	"net/url"
	"slices"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/webhook"
)

// webhookList is part of the webhook endpoints of an environment, the newest first.
type webhookList struct {
	Endpoints []webhook.Endpoint
	Pager     pager
}

func listWebhooks(v *visit) error {
	part, err := v.part(page.Desc, isCursor[id.Endpoint])
	if err != nil {
		return err
	}
	found, err := v.door.hooks.ListEndpoints(v.Context(), v.caller, part)
	if err != nil {
		return err
	}
	v.example(Call{What: "List webhook endpoints", Method: "GET", Path: "/webhook_endpoints", Node: "webhooks.listWebhookEndpoints()"})
	return v.show("webhooks.html", "Webhooks", nil, webhookList{found.Items, v.pages(found.Before, found.After)})
}

// webhook is the endpoint that the address names.
func (v *visit) webhook() (webhook.Endpoint, error) {
	which, ok := id.Parse[id.Endpoint](v.PathValue("endpoint"))
	if !ok {
		return webhook.Endpoint{}, fault.Missing("Webhook endpoint", v.PathValue("endpoint"))
	}
	return v.door.hooks.Endpoint(v.Context(), v.caller, which)
}

// webhookPath is the address of an endpoint, or of a screen below it.
func (v *visit) webhookPath(e id.Endpoint, below ...string) string {
	return v.Path(append([]string{"webhooks", string(e)}, below...)...)
}

// aboveWebhook is the way to the screens below an endpoint.
func (v *visit) aboveWebhook(e webhook.Endpoint) []crumb {
	return []crumb{{"Webhooks", v.Path("webhooks")}, {hostOf(e.URL), v.webhookPath(e.ID)}}
}

// hostOf is the part of a URL that people know a webhook by.
func hostOf(raw string) string {
	if u, err := url.Parse(raw); err == nil && u.Host != "" {
		return u.Host
	}
	return raw
}

// webhookForm is the form of an endpoint.
type webhookForm struct {
	Endpoint webhook.Endpoint // zero for a new one
	URL      string
	All      bool // everything that Rolecall sends
	Chosen   []string
	Choices  []eventGroup
	Later    []string // events of the contract that are not sent yet
}

// webhookForm is the form as it was sent, or as the endpoint is.
func (v *visit) webhookForm(e webhook.Endpoint) webhookForm {
	sent := emittedEvents()
	later := slices.DeleteFunc(webhook.Subscribable(), func(name string) bool { return slices.Contains(sent, name) })
	form := webhookForm{Endpoint: e, URL: e.URL, Chosen: e.Events, Choices: groupedEvents(sent), Later: later}
	form.All = e.ID == "" || len(sent) == len(e.Events) && !slices.ContainsFunc(sent, func(name string) bool { return !slices.Contains(e.Events, name) })
	if v.posted() {
		form.URL, form.Chosen, form.All = v.typed("endpoint_url"), v.form["events"], v.form.Get("which") == "all"
	}
	return form
}

// events is what is subscribed to. What is added to Rolecall later is not among it: endpoints name their events.
func (f webhookForm) events() []string {
	if f.All {
		return emittedEvents()
	}
	return f.Chosen
}

func newWebhook(v *visit) error {
	form := v.webhookForm(webhook.Endpoint{})
	if v.posted() {
		made, err := v.door.hooks.CreateEndpoint(v.Context(), v.caller, webhook.NewEndpoint{URL: form.URL, Events: form.events()})
		if err == nil {
			return v.done(v.webhookPath(made.ID), "The webhook gets what happens from now on. Its secret is below: verify signatures with it.")
		}
		if !v.blame(err) {
			return err
		}
	}
	body := map[string]any{"endpoint_url": "https://example.com/webhooks", "events": []string{"organization_membership.updated"}}
	v.example(Call{What: "Create a webhook endpoint", Method: "POST", Path: "/webhook_endpoints", Body: body,
		Node: sdk("webhooks.createWebhookEndpoint", map[string]any{"endpointUrl": body["endpoint_url"], "events": body["events"]})})
	return v.show("webhook_form.html", "Create webhook", []crumb{{"Webhooks", v.Path("webhooks")}}, form)
}

// oneWebhook is an endpoint with part of its deliveries.
type oneWebhook struct {
	webhook.Endpoint
	Deliveries []webhook.Delivery
	State      webhook.State // that the deliveries are narrowed to
	Failure    *event.WebhookEndpoint
	FailedAt   event.Event // that tells of it
	Pager      pager
}

func showWebhook(v *visit) error {
	e, err := v.webhook()
	if err != nil {
		return err
	}
	part, err := v.part(page.Desc, isCursor[id.Delivery])
	if err != nil {
		return err
	}
	shown := oneWebhook{Endpoint: e, State: webhook.State(v.query.Get("status"))}
	found, err := v.door.hooks.ListDeliveries(v.Context(), v.caller, e.ID, webhook.DeliveryFilter{State: shown.State}, part)
	if err != nil {
		return err
	}
	v.secret = v.Can(string(editor))
	shown.Deliveries, shown.Pager = found.Items, v.pages(found.Before, found.After)
	if e.Status == webhook.Disabled {
		if shown.FailedAt, shown.Failure, err = v.failure(e); err != nil {
			return err
		}
	}
	at := "/webhook_endpoints/" + string(e.ID)
	v.example(
		Call{What: "List its deliveries", Method: "GET", Path: at + "/deliveries"},
		Call{What: "Disable it", Method: "PATCH", Path: at, Body: map[string]any{"status": "disabled"}, Node: sdk("webhooks.updateWebhookEndpoint", map[string]any{"id": e.ID, "status": "disabled"})},
	)
	return v.show("webhook.html", hostOf(e.URL), []crumb{{"Webhooks", v.Path("webhooks")}}, shown)
}

// failure is why an endpoint was last disabled for its failures, as far as nothing succeeded since.
func (v *visit) failure(e webhook.Endpoint) (event.Event, *event.WebhookEndpoint, error) {
	filter := authz.EventFilter{Types: []string{string(event.WebhookEndpointDisabled)}, From: e.LastSuccess}
	found, err := v.door.rules.ListEvents(v.Context(), v.caller, filter, page.Request{Limit: page.MaxLimit, Order: page.Desc})
	if err != nil {
		return event.Event{}, nil, err
	}
	for _, told := range found.Items {
		var of event.WebhookEndpoint
		if err := json.Unmarshal(told.Data, &of); err == nil && of.ID == e.ID {
			return told, &of, nil
		}
	}
	return event.Event{}, nil, nil
}

func editWebhook(v *visit) error {
	e, err := v.webhook()
	if err != nil {
		return err
	}
	form := v.webhookForm(e)
	if v.posted() {
		_, err := v.door.hooks.UpdateEndpoint(v.Context(), v.caller, e.ID, webhook.EndpointChange{URL: authz.Some(form.URL), Events: authz.Some(form.events())})
		if err == nil {
			back := url.Values{"endpoint_url": {e.URL}, "events": e.Events}
			return v.doneUndoably(v.webhookPath(e.ID), "The webhook is changed. What is waiting goes to the new URL.", &undo{Action: v.webhookPath(e.ID, "edit"), Fields: back})
		}
		if !v.blame(err) {
			return err
		}
	}
	v.example(Call{What: "Change the webhook endpoint", Method: "PATCH", Path: "/webhook_endpoints/" + string(e.ID), Body: map[string]any{"events": e.Events},
		Node: sdk("webhooks.updateWebhookEndpoint", map[string]any{"id": e.ID, "events": e.Events})})
	return v.show("webhook_form.html", "Edit webhook", v.aboveWebhook(e), form)
}

func enableWebhook(v *visit) error {
	e, err := v.webhook()
	if err != nil || !v.posted() {
		if err == nil {
			err = v.leave(v.webhookPath(e.ID))
		}
		return err
	}
	if _, err := v.door.hooks.UpdateEndpoint(v.Context(), v.caller, e.ID, webhook.EndpointChange{Status: authz.Some(string(webhook.Enabled))}); err != nil {
		return err
	}
	return v.done(v.webhookPath(e.ID), "The webhook is enabled and gets what happens from now on. Send what it missed with Replay.")
}

// webhookEnd is the question whether an endpoint is to be disabled or deleted.
type webhookEnd struct {
	webhook.Endpoint
	Pending authz.Count
	Delete  bool
}

func disableWebhook(v *visit) error {
	e, err := v.webhook()
	if err != nil {
		return err
	}
	if v.posted() {
		if _, err := v.door.hooks.UpdateEndpoint(v.Context(), v.caller, e.ID, webhook.EndpointChange{Status: authz.Some(string(webhook.Disabled))}); err != nil {
			return err
		}
		return v.doneUndoably(v.webhookPath(e.ID), "The webhook is disabled. Nothing is sent to it.", &undo{Action: v.webhookPath(e.ID, "enable")})
	}
	v.example(Call{What: "Disable the webhook endpoint", Method: "PATCH", Path: "/webhook_endpoints/" + string(e.ID), Body: map[string]any{"status": "disabled"},
		Node: sdk("webhooks.updateWebhookEndpoint", map[string]any{"id": e.ID, "status": "disabled"})})
	return v.askWebhookEnd("Disable webhook", webhookEnd{Endpoint: e})
}

func deleteWebhook(v *visit) error {
	e, err := v.webhook()
	if err != nil {
		return err
	}
	if v.posted() {
		if err := v.door.hooks.DeleteEndpoint(v.Context(), v.caller, e.ID); err != nil {
			return err
		}
		return v.done(v.Path("webhooks"), "The webhook to "+hostOf(e.URL)+" is deleted.")
	}
	v.example(Call{What: "Delete the webhook endpoint", Method: "DELETE", Path: "/webhook_endpoints/" + string(e.ID), Node: sdk("webhooks.deleteWebhookEndpoint", map[string]any{"id": e.ID})})
	return v.askWebhookEnd("Delete webhook", webhookEnd{Endpoint: e, Delete: true})
}

func (v *visit) askWebhookEnd(title string, end webhookEnd) (err error) {
	if end.Pending, err = v.door.hooks.Pending(v.Context(), v.caller, end.ID); err != nil {
		return err
	}
	return v.show("webhook_end.html", title, v.aboveWebhook(end.Endpoint), end)
}
