package webhook

import (
	"context"
	"errors"
	"time"

	"github.com/rolecall/rolecall/internal/id"
)

// stepSize bounds how many events one transaction looks at, and how many rows one of the chores touches.
const stepSize = 500

// FanOut makes the deliveries of everything that was committed before the call and of the replays that were asked for,
// and tidies up after endpoints that were disabled or removed. more says that it stopped at its bounds. What fails for one
// endpoint does not keep the others from theirs.
func (w *Worker) FanOut(ctx context.Context) (more bool, err error) {
	listening, err := read(ctx, w.rules, func(r Reader) ([]id.Environment, error) { return r.Listening() })
	if err != nil {
		return false, err
	}
	var problems []error
	for _, env := range listening {
		problems = append(problems, w.rules.rules.PlaceCommitted(ctx, env))
	}
	for _, step := range []func(context.Context) (bool, error){w.firsts, w.replays, w.chores} {
		further, err := step(ctx)
		problems = append(problems, err)
		more = more || further
	}
	return more, errors.Join(problems...)
}

// firsts makes first deliveries: each subscribed event of each endpoint once, however many processes do so at the same
// time, because the deliveries and the endpoint's place are one transaction that holds the endpoint.
func (w *Worker) firsts(ctx context.Context) (more bool, err error) {
	behind, err := read(ctx, w.rules, func(r Reader) ([]id.Endpoint, error) { return r.Behind() })
	if err != nil {
		return false, err
	}
	var problems []error
	for _, which := range behind {
		further := false
		err := w.work(ctx, func(tx Tx) error {
			e, found, err := tx.LockEndpoint(which)
			if err != nil || !found || e.Status != Enabled {
				return err
			}
			last, err := tx.LastPlace(e.Environment)
			if err != nil {
				return err
			}
			r := Range{Types: e.Events, After: e.Place, UpTo: last}
			if e.Place, further, err = w.queue(tx, e, r, false); err != nil {
				return err
			}
			return tx.UpdateEndpoint(e)
		})
		problems = append(problems, err)
		more = more || further && err == nil
	}
	return more, errors.Join(problems...)
}

// queue makes deliveries of the first events of a range and says up to which place it came.
func (w *Worker) queue(tx Tx, e Endpoint, r Range, replay bool) (reached int64, more bool, err error) {
	events, err := tx.EventsIn(e.Environment, r, stepSize)
	if err != nil {
		return 0, false, err
	}
	now := w.rules.instant()
	deliveries := make([]Delivery, len(events))
	for i, p := range events {
		deliveries[i] = w.rules.newDelivery(e.ID, p.ID, p.Type, replay, now)
	}
	if err := tx.InsertDeliveries(deliveries); err != nil {
		return 0, false, err
	}
	if len(events) < stepSize {
		return r.UpTo, false, nil
	}
	return events[len(events)-1].Place, true, nil
}

// replays takes every replay one step further. It holds the endpoint, so that two processes do not take the same step.
func (w *Worker) replays(ctx context.Context) (more bool, err error) {
	open, err := read(ctx, w.rules, func(r Reader) ([]Replay, error) { return r.Replays() })
	if err != nil {
		return false, err
	}
	var problems []error
	for _, o := range open {
		further := false
		err := w.work(ctx, func(tx Tx) error {
			e, found, err := tx.LockEndpoint(o.Endpoint)
			if err != nil || !found || e.Status != Enabled {
				return err
			}
			r, found, err := tx.Replay(o.ID)
			if err != nil || !found {
				return err
			}
			var reached int64
			if reached, further, err = w.queue(tx, e, r.Range, true); err != nil {
				return err
			}
			if !further {
				return tx.DeleteReplay(r.ID)
			}
			return tx.MoveReplay(r.ID, reached)
		})
		problems = append(problems, err)
		more = more || further && err == nil
	}
	return more, errors.Join(problems...)
}

// voided is why a delivery failed that was waiting when its endpoint was disabled.
const voided = "the endpoint was disabled"

// chores voids what waited for endpoints that were disabled and removes what belonged to removed ones, in small steps.
func (w *Worker) chores(ctx context.Context) (more bool, err error) {
	unclean, err := read(ctx, w.rules, func(r Reader) ([]Endpoint, error) { return r.Unclean() })
	if err != nil {
		return false, err
	}
	var problems []error
	for _, u := range unclean {
		touched := 0
		err := w.work(ctx, func(tx Tx) (err error) {
			if u.Status == Removed {
				if touched, err = tx.PurgeDeliveries(u.ID, stepSize); err == nil && touched == 0 {
					err = tx.DeleteEndpoint(u.ID)
				}
				return err
			}
			touched, err = w.void(tx, u.ID)
			return err
		})
		problems = append(problems, err)
		more = more || touched > 0 && err == nil
	}
	return more, errors.Join(problems...)
}

func (w *Worker) void(tx Tx, which id.Endpoint) (touched int, err error) {
	e, found, err := tx.LockEndpoint(which)
	if err != nil || !found || e.VoidBefore.IsZero() {
		return 0, err
	}
	touched, err = tx.VoidDeliveries(e.ID, e.VoidBefore, w.rules.instant(), voided, stepSize)
	if err != nil || touched > 0 {
		return touched, err
	}
	e.VoidBefore = time.Time{}
	return 0, tx.UpdateEndpoint(e)
}
