package authz

import (
	"context"
	"time"

	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
)

// DB is the storage contract. Every error that is not a fault is a defect; a database that cannot answer is a fault of
// kind Unavailable.
type DB interface {
	// View runs fn over one consistent snapshot.
	View(ctx context.Context, fn func(Reader) error) error
	// Update runs fn as if alone and commits all of it or, when fn or the commit fails, nothing. fn may run again,
	// so it must touch nothing but its Tx. When Update returns nil the change is durable.
	Update(ctx context.Context, fn func(Tx) error) error
	// PlaceEvents gives at most max of the committed events of an environment that have no place and a serial up to
	// the given one the next places, by serial, and says how many it placed. It is the one write beside Update: it
	// decides nothing, and as part of a serializable transaction it would make every writer wait for every reader.
	PlaceEvents(ctx context.Context, env id.Environment, upTo int64, max int) (placed int, err error)
}

// Reader reads one snapshot. Look-ups report a missing row by found = false, not by an error.
type Reader interface {
	EnvironmentReader
	PermissionReader
	RoleReader
	OrganizationReader
	UserReader
	MembershipReader
	AssignmentReader
	GroupReader
	ResourceReader
	JobReader
	EventReader
	ReceiptReader
	CountReader
}

// Tx reads and writes inside one transaction.
type Tx interface {
	Reader
	EnvironmentWriter
	PermissionWriter
	RoleWriter
	OrganizationWriter
	UserWriter
	MembershipWriter
	AssignmentWriter
	GroupWriter
	ResourceWriter
	JobWriter
	EventWriter
	ReceiptWriter
}

// Service is the rules over a database. It is safe for concurrent use.
type Service struct {
	db  DB
	now func() time.Time
	ids *id.Source
}

// New returns the rules over db. Clock and ids are handed in so that every rule can be tested without waiting.
func New(db DB, now func() time.Time, ids *id.Source) *Service {
	return &Service{db: db, now: now, ids: ids}
}

// Caller is on whose behalf a rule runs: the environment that it is walled into, who it is, and, for a request that
// may be repeated, the receipt that makes the repetition harmless.
type Caller struct {
	Environment id.Environment
	Actor       event.Actor
	Only        *Restriction // nil: everything in the environment
	Once        *Once
}

// SystemActor is who acts when nobody asked: time, or the server itself.
var SystemActor = event.Actor{ID: "system", Source: "system", Name: "Rolecall"}

// nowhere is an organization that no row has.
const nowhere = id.Organization("none")

// within is the organization that a list may show: the one asked for, where the caller sees it, or the one that the
// caller is limited to; empty for all of the environment.
func (c Caller) within(asked id.Organization) id.Organization {
	only := c.bound()
	switch {
	case only == "":
		return asked
	case asked == "" || asked == only:
		return only
	}
	return nowhere
}

// bound is the organization that the caller is limited to; empty for none.
func (c Caller) bound() id.Organization {
	if c.Only == nil {
		return ""
	}
	return c.Only.Organization
}

// unbound is the caller without its restriction, for look-ups that no answer depends on but in being found.
func (c Caller) unbound() Caller {
	c.Only = nil
	return c
}

// change is one transaction of one caller: the store, the instant of the change and the events it causes.
type change struct {
	Tx
	caller Caller
	now    time.Time
	ids    *id.Source
	asked  bool          // whether MayCause was asked
	events []event.Event // in the order in which they happened, written at the end
}

// write runs fn in a transaction and returns its result. With a receipt in the caller, a request that already
// succeeded is not run again: the error is then a *Replay that holds the first answer.
func write[T any](ctx context.Context, s *Service, c Caller, fn func(*change) (T, error)) (T, error) {
	var result T
	if c.Only != nil && c.Only.ReadOnly { // whatever the rule would find out and say before it asks
		return result, MayCause(c.Only, "", nil)
	}
	err := s.db.Update(ctx, func(tx Tx) error {
		ch := &change{Tx: tx, caller: c, now: s.instant(), ids: s.ids}
		if err := c.Once.Replay(ch, ch.now); err != nil {
			return err
		}
		r, err := fn(ch)
		if err != nil {
			return err
		}
		if err := ch.guard(); err != nil {
			return err
		}
		result = r
		if err := ch.InsertEvents(ch.events); err != nil {
			return err
		}
		return c.Once.Keep(ch, ch.now, r)
	})
	if err != nil {
		var zero T
		return zero, err
	}
	return result, nil
}

// read runs fn over one snapshot and returns its result.
func read[T any](ctx context.Context, s *Service, fn func(Reader) (T, error)) (T, error) {
	var result T
	err := s.db.View(ctx, func(r Reader) error {
		v, err := fn(r)
		if err != nil {
			return err
		}
		result = v
		return nil
	})
	if err != nil {
		var zero T
		return zero, err
	}
	return result, nil
}

// instant is the current time at the precision that is stored and shown.
func (s *Service) instant() time.Time { return s.now().UTC().Truncate(time.Millisecond) }
