package authz

import (
	"context"
	"encoding/json"
	"time"

	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// Events are kept for 90 days and one request spans at most 30 (R183).
const (
	EventLife = 90 * 24 * time.Hour
	EventSpan = 30 * 24 * time.Hour
)

// EventFilter narrows a list of events. Zero values do not narrow.
type EventFilter struct {
	Types        []string
	Organization id.Organization
	From, To     time.Time // inclusive
}

// EventReader reads events that have their place in the order.
type EventReader interface {
	// Events lists placed events, oldest first when ascending.
	Events(env id.Environment, f EventFilter, r page.Request) (page.Page[event.Event], error)
	// EventPlaced reports whether a placed event of that id exists, of one organization when org is set, so that it
	// can be a cursor.
	EventPlaced(env id.Environment, org id.Organization, e id.Event) (bool, error)
	// Event finds a placed event, of one organization when org is set.
	Event(env id.Environment, org id.Organization, e id.Event) (found event.Event, ok bool, err error)
	// LastUnplaced finds the largest serial of a committed event that lacks a place.
	LastUnplaced(env id.Environment) (serial int64, found bool, err error)
}

// EventWriter writes events. An event is written without a place and gets one after its commit, in an order that
// agrees with cause and effect; so a reader that walks the places misses nothing, whatever the number of writers.
type EventWriter interface {
	InsertEvents([]event.Event) error
	// DeleteEvents removes up to max events older than the given instant and says how many.
	DeleteEvents(before time.Time, max int) (int, error)
}

// emit adds an event of this change; for an update, before is the former payload, else nil.
func (ch *change) emit(t event.Type, org id.Organization, payload, before any) error {
	context, err := ch.context(payload, before)
	if err != nil {
		return err
	}
	return ch.emitIn(context, t, org, payload)
}

// context is what surrounds an event, encoded.
func (ch *change) context(payload, before any) (json.RawMessage, error) {
	ctx := event.Context{}
	if ch.caller.Actor.ID != "" {
		ctx.Actor = &ch.caller.Actor
	}
	if before != nil {
		previous, err := event.Changed(before, payload)
		if err != nil {
			return nil, err
		}
		ctx.Previous = previous
	}
	return event.Encode(ctx)
}

// emitIn is emit with a context that is known.
func (ch *change) emitIn(context json.RawMessage, t event.Type, org id.Organization, payload any) error {
	data, err := event.Encode(payload)
	if err != nil {
		return err
	}
	ch.events = append(ch.events, event.Event{
		ID: id.New[id.Event](ch.ids), Environment: ch.caller.Environment, Organization: org,
		Type: t, Data: data, Context: context, CreatedAt: ch.now,
	})
	return nil
}

// placeBatch bounds how many events one transaction places.
const placeBatch = 1000

// ListEvents lists what happened in the caller's environment, oldest first unless asked otherwise (R156, C34). A
// cursor must be an event that is still kept: a reader whose cursor is gone has missed events and must know it.
func (s *Service) ListEvents(ctx context.Context, c Caller, f EventFilter, r page.Request) (page.Page[event.Event], error) {
	if !f.From.IsZero() && !f.To.IsZero() {
		if f.To.Before(f.From) {
			return page.Page[event.Event]{}, fault.BadField("range_end", "must not lie before range_start")
		}
		if f.To.Sub(f.From) > EventSpan {
			return page.Page[event.Event]{}, fault.BadField("range_end", "must lie within 30 days of range_start")
		}
	}
	f.Organization = c.within(f.Organization)
	if err := s.PlaceCommitted(ctx, c.Environment); err != nil {
		return page.Page[event.Event]{}, err
	}
	return read(ctx, s, func(tx Reader) (page.Page[event.Event], error) {
		for name, cursor := range map[string]string{"before": r.Before, "after": r.After} {
			if cursor == "" {
				continue
			}
			known, err := tx.EventPlaced(c.Environment, c.bound(), id.Event(cursor))
			if err != nil {
				return page.Page[event.Event]{}, err
			}
			if !known {
				return page.Page[event.Event]{}, fault.BadField(name, "is not an event of this environment that is still kept")
			}
		}
		return tx.Events(c.Environment, f, r)
	})
}

// Event finds an event that is still kept.
func (s *Service) Event(ctx context.Context, c Caller, e id.Event) (event.Event, error) {
	if err := s.PlaceCommitted(ctx, c.Environment); err != nil {
		return event.Event{}, err
	}
	return read(ctx, s, func(r Reader) (event.Event, error) {
		found, ok, err := r.Event(c.Environment, c.bound(), e)
		if err == nil && !ok {
			err = fault.Missing("Event", string(e))
		}
		return found, err
	})
}

// PlaceCommitted places every event committed before the call, and none that is written meanwhile, so that it ends however
// many writers there are.
func (s *Service) PlaceCommitted(ctx context.Context, env id.Environment) error {
	last := int64(0)
	waiting, err := read(ctx, s, func(r Reader) (found bool, err error) {
		last, found, err = r.LastUnplaced(env)
		return found, err
	})
	for placed := placeBatch; err == nil && waiting && placed == placeBatch; {
		placed, err = s.db.PlaceEvents(ctx, env, last, placeBatch)
	}
	return err
}

// Sweep removes events and receipts that are past their life, in small transactions, until none is left or the context
// ends. It is safe to run in several processes at once.
func (s *Service) Sweep(ctx context.Context) error {
	for {
		removed := 0
		err := s.db.Update(ctx, func(tx Tx) error {
			events, err := tx.DeleteEvents(s.instant().Add(-EventLife), placeBatch)
			if err != nil {
				return err
			}
			receipts, err := tx.DeleteReceipts(s.instant().Add(-ReceiptLife), placeBatch)
			if err != nil {
				return err
			}
			jobs, err := tx.DeleteJobs(s.instant().Add(-JobLife), placeBatch)
			removed = events + receipts + jobs
			return err
		})
		if err != nil || removed == 0 {
			return err
		}
	}
}
