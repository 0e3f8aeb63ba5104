package webhook

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
)

// retries is how long after a failed attempt the next one follows: six of them, over three days in all (R193). Each is
// made up to a tenth earlier, so that what failed together is not tried together again and again.
var retries = []time.Duration{
	time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 40*time.Hour + 49*time.Minute,
}

// outcome is a delivery, as it was before an attempt, and the attempt.
type outcome struct {
	Delivery
	attempt Attempt
	lost    bool // there is nothing that could be sent
}

// settle applies an attempt; again says whether another may follow. spent says that it was the last one, and failed.
func (d *Delivery) settle(a Attempt, again bool) (spent bool) {
	d.Attempts, d.LastError = a.Number, a.Error
	if d.FirstAttempt.IsZero() {
		d.FirstAttempt = a.At
	}
	d.UpdatedAt = a.At.Add(a.Duration)
	d.NextAttempt = time.Time{}
	switch {
	case a.Error == "":
		d.State = Succeeded
	case d.Attempts > len(retries) || !again:
		d.State = Failed
		return again
	default:
		after := retries[d.Attempts-1]
		d.NextAttempt = d.UpdatedAt.Add(after - rand.N(after/10)).Truncate(time.Millisecond)
	}
	return false
}

// record stores what came of deliveries to one endpoint. An endpoint that took nothing since the first attempt of a
// delivery which was tried for the last time is disabled, with an event about it.
func (w *Worker) record(ctx context.Context, to id.Endpoint, claim string, outcomes []outcome) error {
	return w.work(ctx, func(tx Tx) error {
		e, found, err := tx.LockEndpoint(to)
		if err != nil || !found {
			return err
		}
		var spent []Delivery
		var made []Attempt
		success := e.LastSuccess
		for _, o := range outcomes {
			d := o.Delivery
			last := d.settle(o.attempt, e.Status == Enabled && !o.lost)
			held, err := tx.SettleDelivery(d, claim)
			if err != nil {
				return err
			}
			if !held {
				continue
			}
			if last {
				spent = append(spent, d)
			}
			made = append(made, o.attempt)
			if d.State == Succeeded && o.attempt.At.After(success) {
				success = o.attempt.At
			}
		}
		if err := tx.InsertAttempts(made); err != nil {
			return err
		}
		return w.judge(tx, e, success, spent)
	})
}

// judge stores an endpoint's last success and disables it when it deserves no more attempts.
func (w *Worker) judge(tx Tx, e Endpoint, success time.Time, spent []Delivery) error {
	changed := !success.Equal(e.LastSuccess)
	e.LastSuccess = success
	for _, d := range spent {
		if e.Status != Enabled || !success.Before(d.FirstAttempt) {
			continue
		}
		changed = true
		now := w.rules.instant()
		if err := e.disable(tx, now); err != nil {
			return err
		}
		told, err := w.disabled(e, d.LastError, now)
		if err != nil {
			return err
		}
		if err := tx.InsertEvents([]event.Event{told}); err != nil {
			return err
		}
	}
	if !changed {
		return nil
	}
	return tx.UpdateEndpoint(e)
}

// disabled is the event about an endpoint that was disabled because of its failures.
func (w *Worker) disabled(e Endpoint, lastError string, now time.Time) (event.Event, error) {
	data, err := event.Encode(e.payload(lastError))
	if err != nil {
		return event.Event{}, err
	}
	context, err := event.Encode(event.Context{Actor: &event.Actor{ID: "webhooks", Source: "system", Name: "Webhook delivery"}})
	return event.Event{
		ID: id.New[id.Event](w.rules.ids), Environment: e.Environment, Type: event.WebhookEndpointDisabled,
		Data: data, Context: context, CreatedAt: now,
	}, err
}
