// Package webhook owns endpoints, to which the events of an environment are sent, and the deliveries: which event goes
// to which endpoint, signed (R190), tried again until it succeeds or has been tried enough (R193), with the answers
// received kept as a log. That an address may be called at all is decided here, too.
//
// Events it leaves to authz, which writes and orders them. A delivery happens at least once, in no promised order (R182).
package webhook

import (
	"context"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
)

// DB is the storage contract of this room.
type DB interface {
	// ViewWebhooks runs fn over one consistent snapshot.
	ViewWebhooks(ctx context.Context, fn func(Reader) error) error
	// UpdateWebhooks runs fn as if alone and commits all of it or nothing. fn may run again.
	UpdateWebhooks(ctx context.Context, fn func(Tx) error) error
	// WorkWebhooks commits all of fn or nothing, and fn may run again; but others may change things between its
	// statements, except a locked endpoint. It is for the bookkeeping of deliveries, which as serializable
	// transactions would make the writers of events wait.
	WorkWebhooks(ctx context.Context, fn func(Tx) error) error
	// Parcel reads a delivery that is still pending and under a claim, and whose endpoint is still enabled, as of a
	// moment after every change acknowledged before the call.
	Parcel(ctx context.Context, d id.Delivery, claim string) (p Parcel, found bool, err error)
}

// Reader reads one snapshot. Look-ups report a missing row by found = false.
type Reader interface {
	EndpointReader
	DeliveryReader
	ReplayReader
	authz.ReceiptReader
}

// Tx reads and writes inside one transaction.
type Tx interface {
	Reader
	EndpointWriter
	DeliveryWriter
	ReplayWriter
	authz.ReceiptWriter
	InsertEvents([]event.Event) error
}

// Service is the rules of this room. It is safe for concurrent use.
type Service struct {
	db    DB
	rules *authz.Service
	now   func() time.Time
	ids   *id.Source
	guard guard
	woken chan struct{} // gets a value when there is something to deliver
}

// Options are what an operator decides.
type Options struct {
	// AllowPrivate lets endpoints be on loopback, private and link-local addresses, and take plain http.
	AllowPrivate bool
}

// New returns the rules over a store. rules orders the events.
func New(db DB, rules *authz.Service, now func() time.Time, ids *id.Source, o Options) *Service {
	return &Service{db: db, rules: rules, now: now, ids: ids, guard: newGuard(o.AllowPrivate), woken: make(chan struct{}, 1)}
}

// wake tells the worker of this process to look at once.
func (s *Service) wake() {
	select {
	case s.woken <- struct{}{}:
	default: // it will look anyway
	}
}

// instant is the current time at the precision that is stored and shown.
func (s *Service) instant() time.Time { return s.now().UTC().Truncate(time.Millisecond) }

// write runs fn in a transaction and returns its result; every change that a caller asks for goes through here. A
// request that already succeeded under its key is not run again: the error is then an *authz.Replay.
func write[T any](ctx context.Context, s *Service, c authz.Caller, fn func(tx Tx, now time.Time) (T, error)) (T, error) {
	var result T
	// Endpoints hear of all of the environment.
	if err := authz.MayCause(c.Only, "", nil); err != nil {
		return result, err
	}
	err := s.db.UpdateWebhooks(ctx, func(tx Tx) error {
		now := s.instant()
		if err := c.Once.Replay(tx, now); err != nil {
			return err
		}
		r, err := fn(tx, now)
		if err != nil {
			return err
		}
		result = r
		return c.Once.Keep(tx, now, r)
	})
	if err != nil {
		var zero T
		return zero, err
	}
	s.wake()
	return result, nil
}

// readFor is read on behalf of a caller.
func readFor[T any](ctx context.Context, s *Service, c authz.Caller, fn func(Reader) (T, error)) (T, error) {
	if err := authz.MayRead(c.Only, ""); err != nil {
		var zero T
		return zero, err
	}
	return read(ctx, s, fn)
}

// read runs fn over one snapshot and returns its result.
func read[T any](ctx context.Context, s *Service, fn func(Reader) (T, error)) (T, error) {
	var result T
	err := s.db.ViewWebhooks(ctx, func(r Reader) error {
		v, err := fn(r)
		result = v
		return err
	})
	if err != nil {
		var zero T
		return zero, err
	}
	return result, nil
}

// Life is how long deliveries are kept with their attempts, as long as the events that they are about (R183).
const Life = authz.EventLife

// sweepBatch bounds what one transaction removes.
const sweepBatch = 1000

// Sweep removes deliveries that are past their life, in small transactions, until none is left or the context ends.
func (s *Service) Sweep(ctx context.Context) error {
	for {
		removed := 0
		err := s.db.WorkWebhooks(ctx, func(tx Tx) (err error) {
			removed, err = tx.DeleteDeliveries(s.instant().Add(-Life), sweepBatch)
			return err
		})
		if err != nil || removed == 0 {
			return err
		}
	}
}
