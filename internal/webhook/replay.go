package webhook

import (
	"context"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// Range is part of the events of an environment that have a place. Zero values do not narrow.
type Range struct {
	Types       []string
	After, UpTo int64     // places
	From, To    time.Time // inclusive
}

// Placed is an event by its place in the order.
type Placed struct {
	Place     int64
	ID        id.Event
	Type      event.Type
	CreatedAt time.Time
}

// Extent is how many events a range has, and the places of its first and last.
type Extent struct{ Count, First, Last int64 }

// Replay is a range of events that is being delivered to an endpoint again. Its row holds how far it came, so that it
// goes on after any interruption.
type Replay struct {
	ID        id.Replay
	Endpoint  id.Endpoint
	Range           // After moves on
	Queued    int64 // how many events it had when it was asked for
	CreatedAt time.Time
}

// ReplayReader finds replays, and the events that they are about.
type ReplayReader interface {
	// Replays lists the replays of enabled endpoints that have not come to their end.
	Replays() ([]Replay, error)
	Replay(id.Replay) (r Replay, found bool, err error)
	// EventsIn lists up to max events of a range, the first one first.
	EventsIn(env id.Environment, r Range, max int) ([]Placed, error)
	// Measure says how large a range is.
	Measure(env id.Environment, r Range) (Extent, error)
	// PlacedEvent finds an event that has a place.
	PlacedEvent(env id.Environment, e id.Event) (p Placed, found bool, err error)
}

// ReplayWriter stores replays.
type ReplayWriter interface {
	InsertReplay(Replay) error
	// MoveReplay stores how far a replay came.
	MoveReplay(r id.Replay, after int64) error
	// DeleteReplay removes a replay that came to its end.
	DeleteReplay(id.Replay) error
	// DropReplays removes all replays of an endpoint.
	DropReplays(id.Endpoint) error
}

// ReplayInput asks for a range: from a time on, up to another or now, or after an event.
type ReplayInput struct {
	From, To time.Time
	After    id.Event // empty unless asked for
}

// check returns the range with its end filled in.
func (in ReplayInput) check(now time.Time) (ReplayInput, error) {
	timed := !in.From.IsZero() || !in.To.IsZero()
	switch {
	case timed && in.After != "":
		return in, fault.BadField("after_event_id", "cannot be combined with range_start and range_end")
	case in.After != "":
		return in, nil
	case in.From.IsZero():
		return in, fault.BadField("range_start", "is required, unless after_event_id is given")
	case in.To.IsZero():
		in.To = now
	}
	if in.To.Before(in.From) {
		return in, fault.BadField("range_end", "must not lie before range_start")
	}
	if in.To.Sub(in.From) > authz.EventSpan {
		return in, fault.BadField("range_end", "must lie within 30 days of range_start")
	}
	return in, nil
}

// ReplayRange delivers again what an endpoint is subscribed to out of a range of at most 30 days (R183), and says how
// much that is. Deliveries are made in the background, in small steps.
func (s *Service) ReplayRange(ctx context.Context, c authz.Caller, which id.Endpoint, in ReplayInput) (Replay, error) {
	in, err := in.check(s.instant())
	if err != nil {
		return Replay{}, err
	}
	if err := s.rules.PlaceCommitted(ctx, c.Environment); err != nil {
		return Replay{}, err
	}
	// Beside the transaction: it may read many rows, and what is counted does not change.
	planned, err := readFor(ctx, s, c, func(r Reader) (Replay, error) {
		if err := c.Once.Replay(r, s.instant()); err != nil {
			return Replay{}, err
		}
		return s.plan(r, c, which, in)
	})
	if err != nil {
		return Replay{}, err
	}
	return write(ctx, s, c, func(tx Tx, now time.Time) (Replay, error) {
		if err := mustBeEnabled(tx, c, which); err != nil {
			return Replay{}, err
		}
		planned.ID, planned.CreatedAt = id.New[id.Replay](s.ids), now
		if planned.Queued == 0 {
			return planned, nil
		}
		return planned, tx.InsertReplay(planned)
	})
}

// plan finds where in the order of events a replay begins and ends.
func (s *Service) plan(r Reader, c authz.Caller, which id.Endpoint, in ReplayInput) (Replay, error) {
	e, err := endpoint(r, c, which)
	if err != nil {
		return Replay{}, err
	}
	rng := Range{Types: e.Events, From: in.From, To: in.To}
	if in.After != "" {
		after, found, err := r.PlacedEvent(c.Environment, in.After)
		switch {
		case err != nil:
			return Replay{}, err
		case !found:
			return Replay{}, fault.BadField("after_event_id", "is not an event of this environment that is still kept")
		case s.instant().Sub(after.CreatedAt) > authz.EventSpan:
			return Replay{}, fault.BadField("after_event_id", "must be an event of the last 30 days")
		}
		rng.After = after.Place
	}
	x, err := r.Measure(c.Environment, rng)
	if err != nil {
		return Replay{}, err
	}
	rng.After, rng.UpTo = max(rng.After, x.First-1), x.Last
	return Replay{Endpoint: which, Range: rng, Queued: x.Count}, nil
}
