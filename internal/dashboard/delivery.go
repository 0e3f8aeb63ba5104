package dashboard

import (
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/webhook"
)

// oneDelivery is a delivery with its attempts, and where it goes.
type oneDelivery struct {
	Endpoint webhook.Endpoint
	webhook.LoggedDelivery
}

// delivery is the delivery that the address names.
func (v *visit) delivery() (oneDelivery, error) {
	e, err := v.webhook()
	if err != nil {
		return oneDelivery{}, err
	}
	which, ok := id.Parse[id.Delivery](v.PathValue("delivery"))
	if !ok {
		return oneDelivery{}, fault.Missing("Webhook delivery", v.PathValue("delivery"))
	}
	d, err := v.door.hooks.Delivery(v.Context(), v.caller, e.ID, which)
	return oneDelivery{e, d}, err
}

func showDelivery(v *visit) error {
	d, err := v.delivery()
	if err != nil {
		return err
	}
	at := "/webhook_endpoints/" + string(d.Endpoint.ID) + "/deliveries/" + string(d.ID)
	v.example(
		Call{What: "Get the delivery with its attempts", Method: "GET", Path: at},
		Call{What: "Send it again", Method: "POST", Path: at + "/replay"},
	)
	return v.show("delivery.html", "Delivery of "+string(d.Type), v.aboveWebhook(d.Endpoint), d)
}

func replayDelivery(v *visit) error {
	d, err := v.delivery()
	if err != nil {
		return err
	}
	if v.posted() {
		again, err := v.door.hooks.ReplayDelivery(v.Context(), v.caller, d.Endpoint.ID, d.ID)
		if err == nil {
			return v.done(v.webhookPath(d.Endpoint.ID, "deliveries", string(again.ID)), "The event is on its way again, as a delivery of its own.")
		}
		if !v.blame(err) {
			return err
		}
	}
	v.example(Call{What: "Send it again", Method: "POST", Path: "/webhook_endpoints/" + string(d.Endpoint.ID) + "/deliveries/" + string(d.ID) + "/replay"})
	return v.show("delivery_replay.html", "Send again", v.aboveWebhook(d.Endpoint), d)
}

// replayForm asks for a range of time, in UTC.
type replayForm struct {
	webhook.Endpoint
	From, To string
}

func replayRange(v *visit) error {
	e, err := v.webhook()
	if err != nil {
		return err
	}
	form := replayForm{Endpoint: e, From: v.typed("range_start"), To: v.typed("range_end")}
	if v.posted() {
		queued, err := v.replay(form)
		if err == nil {
			told := "The webhook is subscribed to nothing that happened then. Nothing is sent."
			if queued > 0 {
				told = plural(queued, "event is", "events are") + " on the way again."
			}
			return v.done(v.webhookPath(e.ID), told)
		}
		if !v.blame(err) {
			return err
		}
	} else if !e.LastSuccess.IsZero() {
		form.From = e.LastSuccess.UTC().Format(browserTime)
	}
	v.example(Call{What: "Send a range of time again", Method: "POST", Path: "/webhook_endpoints/" + string(e.ID) + "/replay",
		Body: map[string]any{"range_start": "2026-01-15T12:00:00.000Z", "range_end": "2026-01-15T13:00:00.000Z"}})
	return v.show("webhook_replay.html", "Replay a time", v.aboveWebhook(e), form)
}

func (v *visit) replay(form replayForm) (queued int, err error) {
	var in webhook.ReplayInput
	if in.From, err = typedTime("range_start", form.From); err != nil {
		return 0, err
	}
	if in.To, err = typedTime("range_end", form.To); err != nil {
		return 0, err
	}
	r, err := v.door.hooks.ReplayRange(v.Context(), v.caller, form.ID, in)
	return int(r.Queued), err
}

// EventPath is the address of the event that a delivery is about.
func (v *visit) EventPath(e id.Event) string { return v.Path("events", string(e)) }
