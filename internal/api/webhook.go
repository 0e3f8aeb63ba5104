package api

import (
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/web"
	"github.com/rolecall/rolecall/internal/webhook"
)

// WebhookEndpoint is an endpoint, with its secret (semantics 1.13).
type WebhookEndpoint struct {
	Object      string      `json:"object" const:"webhook_endpoint"`
	ID          id.Endpoint `json:"id"`
	EndpointURL string      `json:"endpoint_url"`
	Secret      string      `json:"secret" doc:"Signs what is sent: WorkOS-Signature holds t=<Unix milliseconds>, v1=<hex HMAC-SHA256 of t, a dot and the body>."`
	Status      string      `json:"status" enum:"enabled,disabled"`
	Events      []string    `json:"events"`
	CreatedAt   event.Time  `json:"created_at"`
	UpdatedAt   event.Time  `json:"updated_at"`
}

// WebhookDelivery is one event on its way to an endpoint.
type WebhookDelivery struct {
	Object        string           `json:"object" const:"webhook_delivery"`
	ID            id.Delivery      `json:"id"`
	EndpointID    id.Endpoint      `json:"endpoint_id"`
	EventID       id.Event         `json:"event_id"`
	Event         event.Type       `json:"event"`
	Replay        bool             `json:"replay" doc:"Asked for again."`
	Status        string           `json:"status" enum:"pending,succeeded,failed"`
	AttemptCount  int              `json:"attempt_count"`
	NextAttemptAt *event.Time      `json:"next_attempt_at"`
	LastError     *string          `json:"last_error" doc:"Why it is not delivered."`
	Attempts      []WebhookAttempt `json:"attempts,omitempty" doc:"The first one first. Left out of lists."`
	CreatedAt     event.Time       `json:"created_at"`
	UpdatedAt     event.Time       `json:"updated_at"`
}

// WebhookAttempt is one try to deliver.
type WebhookAttempt struct {
	Number     int        `json:"number"`
	At         event.Time `json:"at"`
	DurationMS int64      `json:"duration_ms"`
	StatusCode *int       `json:"status_code" doc:"Of the answer; null when there was none."`
	Answer     string     `json:"answer" doc:"The first 1024 bytes of the answer's body."`
	Error      *string    `json:"error" doc:"Why it failed; null when it succeeded."`
}

// WebhookReplay is a range of events that is being delivered again.
type WebhookReplay struct {
	Object     string      `json:"object" const:"webhook_replay"`
	ID         id.Replay   `json:"id"`
	EndpointID id.Endpoint `json:"endpoint_id"`
	Queued     int64       `json:"queued" doc:"How many events are delivered again."`
	CreatedAt  event.Time  `json:"created_at"`
}

// NewWebhookEndpoint is the body that creates an endpoint.
type NewWebhookEndpoint struct {
	EndpointURL web.Field[string]   `json:"endpoint_url" required:"true" maxLength:"2048" doc:"An https URL." example:"https://example.com/webhooks"`
	Events      web.Field[[]string] `json:"events" required:"true" doc:"Names of events."`
}

// WebhookEndpointChange is the body that changes an endpoint.
type WebhookEndpointChange struct {
	EndpointURL web.Field[string]   `json:"endpoint_url" maxLength:"2048" doc:"An https URL." example:"https://example.com/webhooks"`
	Status      web.Field[string]   `json:"status" enum:"enabled,disabled" doc:"Enabling starts at the present; use a replay for what happened meanwhile."`
	Events      web.Field[[]string] `json:"events" doc:"Names of events."`
}

// NewWebhookReplay is the body that asks for a range of events.
type NewWebhookReplay struct {
	RangeStart   web.Field[string] `json:"range_start" doc:"ISO 8601; at most 30 days before range_end."`
	RangeEnd     web.Field[string] `json:"range_end" doc:"ISO 8601; now, when absent."`
	AfterEventID web.Field[string] `json:"after_event_id" doc:"In place of a time: everything after this event, which must be of the last 30 days."`
}

func endpointBody(e webhook.Endpoint) WebhookEndpoint {
	return WebhookEndpoint{
		Object: "webhook_endpoint", ID: e.ID, EndpointURL: e.URL, Secret: e.Secret, Status: string(e.Status), Events: e.Events,
		CreatedAt: event.Time(e.CreatedAt), UpdatedAt: event.Time(e.UpdatedAt),
	}
}

func showEndpoint(e webhook.Endpoint) any { return endpointBody(e) }

func deliveryBody(d webhook.Delivery) WebhookDelivery {
	b := WebhookDelivery{
		Object: "webhook_delivery", ID: d.ID, EndpointID: d.Endpoint, EventID: d.Event, Event: d.Type, Replay: d.Replay,
		Status: string(d.State), AttemptCount: d.Attempts, LastError: optional(d.LastError),
		CreatedAt: event.Time(d.CreatedAt), UpdatedAt: event.Time(d.UpdatedAt),
	}
	if !d.NextAttempt.IsZero() {
		b.NextAttemptAt = (*event.Time)(&d.NextAttempt)
	}
	return b
}

func showDelivery(d webhook.Delivery) any { return deliveryBody(d) }

func showLoggedDelivery(d webhook.LoggedDelivery) any {
	b := deliveryBody(d.Delivery)
	for _, a := range d.Log {
		shown := WebhookAttempt{Number: a.Number, At: event.Time(a.At), DurationMS: a.Duration.Milliseconds(), Answer: a.Answer, Error: optional(a.Error)}
		if a.Status != 0 {
			shown.StatusCode = &a.Status
		}
		b.Attempts = append(b.Attempts, shown)
	}
	return b
}

func showReplay(r webhook.Replay) any {
	return WebhookReplay{Object: "webhook_replay", ID: r.ID, EndpointID: r.Endpoint, Queued: r.Queued, CreatedAt: event.Time(r.CreatedAt)}
}

func (r *request) endpoint() (id.Endpoint, error) {
	return pathID[id.Endpoint](r, "id", "Webhook endpoint")
}

func (r *request) delivery() (id.Endpoint, id.Delivery, error) {
	e, err := r.endpoint()
	if err != nil {
		return "", "", err
	}
	d, err := pathID[id.Delivery](r, "deliveryId", "Webhook delivery")
	return e, d, err
}

func listEndpoints(r *request) (page.Page[webhook.Endpoint], error) {
	p, err := pageOf[id.Endpoint](r, page.Desc)
	if err != nil {
		return page.Page[webhook.Endpoint]{}, err
	}
	return r.api.hooks.ListEndpoints(r.Context(), r.caller, p)
}

func createEndpoint(r *request) (webhook.Endpoint, error) {
	in, err := web.Decode[NewWebhookEndpoint](r.body)
	if err != nil {
		return webhook.Endpoint{}, err
	}
	return r.api.hooks.CreateEndpoint(r.Context(), r.caller, webhook.NewEndpoint{URL: in.EndpointURL.Value, Events: in.Events.Value})
}

func getEndpoint(r *request) (webhook.Endpoint, error) {
	e, err := r.endpoint()
	if err != nil {
		return webhook.Endpoint{}, err
	}
	return r.api.hooks.Endpoint(r.Context(), r.caller, e)
}

func updateEndpoint(r *request) (webhook.Endpoint, error) {
	e, err := r.endpoint()
	if err != nil {
		return webhook.Endpoint{}, err
	}
	in, err := web.Decode[WebhookEndpointChange](r.body)
	if err != nil {
		return webhook.Endpoint{}, err
	}
	change := webhook.EndpointChange{URL: in.EndpointURL.Opt(), Status: in.Status.Opt(), Events: in.Events.Opt()}
	return r.api.hooks.UpdateEndpoint(r.Context(), r.caller, e, change)
}

func deleteEndpoint(r *request) error {
	e, err := r.endpoint()
	if err != nil {
		return err
	}
	return r.api.hooks.DeleteEndpoint(r.Context(), r.caller, e)
}

func listDeliveries(r *request) (page.Page[webhook.Delivery], error) {
	e, err := r.endpoint()
	if err != nil {
		return page.Page[webhook.Delivery]{}, err
	}
	p, err := pageOf[id.Delivery](r, page.Desc)
	if err != nil {
		return page.Page[webhook.Delivery]{}, err
	}
	f := webhook.DeliveryFilter{State: webhook.State(r.query.Get("status")), Type: event.Type(r.query.Get("event"))}
	return r.api.hooks.ListDeliveries(r.Context(), r.caller, e, f, p)
}

func getDelivery(r *request) (webhook.LoggedDelivery, error) {
	e, d, err := r.delivery()
	if err != nil {
		return webhook.LoggedDelivery{}, err
	}
	return r.api.hooks.Delivery(r.Context(), r.caller, e, d)
}

func replayDelivery(r *request) (webhook.Delivery, error) {
	e, d, err := r.delivery()
	if err != nil {
		return webhook.Delivery{}, err
	}
	return r.api.hooks.ReplayDelivery(r.Context(), r.caller, e, d)
}

func replayRange(r *request) (webhook.Replay, error) {
	e, err := r.endpoint()
	if err != nil {
		return webhook.Replay{}, err
	}
	in, err := web.Decode[NewWebhookReplay](r.body)
	if err != nil {
		return webhook.Replay{}, err
	}
	ask := webhook.ReplayInput{}
	if in.AfterEventID.Set {
		known := false
		if ask.After, known = id.Parse[id.Event](in.AfterEventID.Value); !known {
			return webhook.Replay{}, fault.BadField("after_event_id", "is not an event of this environment that is still kept")
		}
	}
	if ask.From, err = instant("range_start", in.RangeStart.Value); err != nil {
		return webhook.Replay{}, err
	}
	if ask.To, err = instant("range_end", in.RangeEnd.Value); err != nil {
		return webhook.Replay{}, err
	}
	return r.api.hooks.ReplayRange(r.Context(), r.caller, e, ask)
}
