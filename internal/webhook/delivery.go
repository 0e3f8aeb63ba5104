package webhook

import (
	"context"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// State says what became of a delivery.
type State string

// The states.
const (
	Pending   State = "pending"
	Succeeded State = "succeeded"
	Failed    State = "failed" // and not tried again
)

// Delivery is one event on its way to one endpoint.
type Delivery struct {
	ID           id.Delivery
	Endpoint     id.Endpoint
	Event        id.Event
	Type         event.Type
	Replay       bool // asked for again; the first delivery of an event to an endpoint is none
	State        State
	Attempts     int
	FirstAttempt time.Time // zero before
	NextAttempt  time.Time // zero when there is none
	LastError    string    // why it is not delivered; empty when it is, and before the first attempt
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Attempt is one try to deliver, with the answer received.
type Attempt struct {
	Delivery id.Delivery
	Number   int // from 1
	At       time.Time
	Duration time.Duration // in milliseconds
	Status   int           // of the answer; 0 when there was none
	Answer   string        // the beginning of the answer's body
	Error    string        // why it counts as failed; empty when it succeeded
}

// DeliveryFilter narrows a list of deliveries. Zero values do not narrow.
type DeliveryFilter struct {
	State State
	Type  event.Type
}

// Parcel is all that is needed to send a delivery, as it is at the moment of sending.
type Parcel struct {
	Delivery
	URL, Secret string
	Contents    event.Event
	Lost        bool // the event is not kept any more
}

// DeliveryReader finds deliveries.
type DeliveryReader interface {
	Delivery(e id.Endpoint, d id.Delivery) (found Delivery, ok bool, err error)
	Deliveries(e id.Endpoint, f DeliveryFilter, r page.Request) (page.Page[Delivery], error)
	// CountPending counts the pending deliveries of an endpoint, up to max.
	CountPending(e id.Endpoint, max int) (int, error)
	// Attempts lists the attempts of a delivery, the first one first.
	Attempts(id.Delivery) ([]Attempt, error)
}

// DeliveryWriter stores deliveries.
type DeliveryWriter interface {
	InsertDeliveries([]Delivery) error
	// ClaimDeliveries puts up to max deliveries of an endpoint that are due at a time under a claim until another, when
	// they are due again. Of several that claim at once each gets others.
	ClaimDeliveries(e id.Endpoint, claim string, at, until time.Time, max int) ([]id.Delivery, error)
	// ReleaseDeliveries ends a claim: what is still under it is due at the given time.
	ReleaseDeliveries(e id.Endpoint, claim string, at time.Time) error
	// SettleDelivery stores what became of a delivery and ends the claim. held is false when it was lost meanwhile, to
	// another claim or with the delivery; then nothing is stored.
	SettleDelivery(d Delivery, claim string) (held bool, err error)
	InsertAttempts([]Attempt) error
	// VoidDeliveries fails up to max pending deliveries of an endpoint that were made up to a time.
	VoidDeliveries(e id.Endpoint, upTo, now time.Time, reason string, max int) (int, error)
	// PurgeDeliveries removes up to max deliveries of an endpoint, with their attempts.
	PurgeDeliveries(e id.Endpoint, max int) (int, error)
	// DeleteDeliveries removes up to max deliveries older than the given instant, with their attempts.
	DeleteDeliveries(before time.Time, max int) (int, error)
}

// ListDeliveries lists the deliveries of an endpoint.
func (s *Service) ListDeliveries(ctx context.Context, c authz.Caller, e id.Endpoint, f DeliveryFilter, r page.Request) (page.Page[Delivery], error) {
	switch f.State {
	case "", Pending, Succeeded, Failed:
	default:
		return page.Page[Delivery]{}, fault.BadField("status", "must be one of pending, succeeded, failed")
	}
	return readFor(ctx, s, c, func(tx Reader) (page.Page[Delivery], error) {
		if _, err := endpoint(tx, c, e); err != nil {
			return page.Page[Delivery]{}, err
		}
		return tx.Deliveries(e, f, r)
	})
}

// Pending counts what is waiting for an endpoint, and would not be delivered if it were disabled or deleted.
func (s *Service) Pending(ctx context.Context, c authz.Caller, e id.Endpoint) (authz.Count, error) {
	return readFor(ctx, s, c, func(r Reader) (authz.Count, error) {
		if _, err := endpoint(r, c, e); err != nil {
			return authz.Count{}, err
		}
		n, err := r.CountPending(e, authz.MaxCount+1)
		return authz.Count{N: min(n, authz.MaxCount), More: n > authz.MaxCount}, err
	})
}

// LoggedDelivery is a delivery with its attempts.
type LoggedDelivery struct {
	Delivery
	Log []Attempt
}

// Delivery finds a delivery of an endpoint with its log.
func (s *Service) Delivery(ctx context.Context, c authz.Caller, e id.Endpoint, d id.Delivery) (LoggedDelivery, error) {
	return readFor(ctx, s, c, func(r Reader) (LoggedDelivery, error) {
		found, err := delivery(r, c, e, d)
		if err != nil {
			return LoggedDelivery{}, err
		}
		log, err := r.Attempts(d)
		return LoggedDelivery{found, log}, err
	})
}

func delivery(r Reader, c authz.Caller, e id.Endpoint, d id.Delivery) (Delivery, error) {
	if _, err := endpoint(r, c, e); err != nil {
		return Delivery{}, err
	}
	found, ok, err := r.Delivery(e, d)
	if err == nil && !ok {
		err = fault.Missing("Webhook delivery", string(d))
	}
	return found, err
}

// newDelivery is a delivery that is due at once.
func (s *Service) newDelivery(e id.Endpoint, of id.Event, t event.Type, replay bool, now time.Time) Delivery {
	return Delivery{
		ID: id.New[id.Delivery](s.ids), Endpoint: e, Event: of, Type: t, Replay: replay,
		State: Pending, NextAttempt: now, CreatedAt: now, UpdatedAt: now,
	}
}

// ReplayDelivery sends the event of a delivery again, as a delivery of its own.
func (s *Service) ReplayDelivery(ctx context.Context, c authz.Caller, which id.Endpoint, d id.Delivery) (Delivery, error) {
	return write(ctx, s, c, func(tx Tx, now time.Time) (Delivery, error) {
		old, err := delivery(tx, c, which, d)
		if err != nil {
			return Delivery{}, err
		}
		if err := mustBeEnabled(tx, c, which); err != nil {
			return Delivery{}, err
		}
		again := s.newDelivery(which, old.Event, old.Type, true, now)
		return again, tx.InsertDeliveries([]Delivery{again})
	})
}

// mustBeEnabled refuses to queue what would never be sent (R195).
func mustBeEnabled(r Reader, c authz.Caller, which id.Endpoint) error {
	e, err := endpoint(r, c, which)
	if err == nil && e.Status != Enabled {
		err = fault.New(fault.Conflict, "webhook_endpoint_disabled", "The webhook endpoint is disabled. Enable it to send anything to it.")
	}
	return err
}
