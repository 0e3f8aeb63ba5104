package store

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/fresh"
)

// Replica is what the other processes on the same PostgreSQL get to know of one that keeps terms.
type Replica struct {
	Lease   time.Duration // how long they wait for it at most, and it for the database; DefaultLease where it is zero
	Address string        // for people to look at, as is Version
	Version string
}

// The bounds of a lease.
const (
	DefaultLease  = 2 * time.Second
	ShortestLease = 200 * time.Millisecond
	LongestLease  = time.Minute
)

// Introduce says what other processes on the same database get to know of this one. It must be called before KeepTerms,
// and means nothing on SQLite.
func (s *Store) Introduce(r Replica) {
	if c, ok := s.peers.(*circle); ok {
		if r.Lease == 0 {
			r.Lease = DefaultLease
		}
		c.mu.Lock()
		c.about = r
		c.mu.Unlock()
	}
}

// circle is the peers of a process on PostgreSQL: all processes that have a row in the table replicas, and tell each other
// of changes by LISTEN and NOTIFY over one connection each, the wire. docs/adr/0021-replicas.md has the protocol, and why
// it keeps the agreement.
type circle struct {
	dial func(context.Context) (*pgx.Conn, error)
	book *fresh.Book
	id   string // of this process, by which the others answer it
	self member // is the wire's alone

	life  context.Context
	end   context.CancelFunc
	once  sync.Once
	ended chan struct{} // closed when the wire is gone

	mu        sync.Mutex
	about     Replica
	stir      context.CancelFunc // ends the wire's wait for notifications; nil while it does not wait
	stirred   bool               // there is something to do that the wire has not seen
	keeping   bool               // terms are wanted
	parted    chan struct{}      // closed when this process has no row any more, after keeping has ended
	lost      int                // how many commits had an outcome that nobody knows
	others    bool               // there were other rows when they were last listed
	ticket    uint64             // of the last announcement
	open      map[uint64]*announcement
	over      []uint64 // announcements whose transaction ended, of which the others were not told yet
	overSince time.Time
	state     Circle
}

func newCircle(book *fresh.Book, dial func(context.Context) (*pgx.Conn, error)) *circle {
	c := &circle{
		dial: dial, book: book, id: rand.Text(), about: Replica{Lease: DefaultLease},
		ended: make(chan struct{}), open: map[uint64]*announcement{},
	}
	c.self = member{c: c, holds: map[holdKey]*foreignHold{}, mine: map[string]bool{}}
	c.life, c.end = context.WithCancel(context.Background())
	return c
}

// start connects the wire, at the first need of it.
func (c *circle) start() { c.once.Do(func() { go c.run() }) }

// wake has the wire look for what there is to do. The caller holds c.mu.
func (c *circle) wake() {
	c.stirred = true
	if c.stir != nil {
		c.stir()
	}
}

// announcement is a change that the others are, or were, told of.
type announcement struct {
	ticket  uint64
	xid     string // empty where the only question is whether there are others
	regions []fresh.Region
	began   time.Time

	sent     bool            // over the present wire
	waiting  map[string]bool // the rows of those that have not answered; nil until they were listed
	answered map[string]bool
	done     chan struct{} // closed with err or others
	err      error
	others   bool
}

// finish answers whoever waits for the announcement. The caller holds c.mu.
func (c *circle) finish(a *announcement, err error) {
	if _, ok := c.open[a.ticket]; ok {
		delete(c.open, a.ticket)
		a.err = err
		close(a.done)
	}
}

var errClosed = errors.New("the database is being closed")

// announce implements peers.
func (c *circle) announce(ctx context.Context, t *tx, regions []fresh.Region) (ended func(known bool), err error) {
	c.mu.Lock()
	others := c.others
	c.state.Announcements++
	c.mu.Unlock()
	if !others {
		if others, err = c.tell(ctx, &announcement{}); err != nil {
			return nil, err
		}
	}
	if !others { // whoever joins from now on waits for the end of this transaction
		return func(known bool) { c.settled(nil, known) }, nil
	}
	a := &announcement{regions: regions}
	a.xid, _, err = one(t, "asking for the number of the transaction", scanValue[string], "SELECT pg_current_xact_id() || ''")
	if err != nil {
		return nil, err
	}
	_, err = c.tell(ctx, a)
	c.waited(a)
	if err != nil {
		c.settled(a, true) // it will not commit
		return nil, err
	}
	return func(known bool) { c.settled(a, known) }, nil
}

// tell waits until the announcement was answered by all whom it concerns.
func (c *circle) tell(ctx context.Context, a *announcement) (others bool, err error) {
	c.start()
	c.mu.Lock()
	c.ticket++
	a.ticket, a.began, a.done, a.answered = c.ticket, time.Now(), make(chan struct{}), map[string]bool{}
	c.open[a.ticket] = a
	c.wake()
	c.mu.Unlock()
	select {
	case <-a.done:
	case <-ctx.Done():
		err = ctx.Err()
	case <-c.ended:
		err = errClosed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.finish(a, err)
	if a.err != nil {
		return false, fault.Down(a.err)
	}
	return a.others, nil
}

// settled takes note that a transaction is over or, where that is not known, begins to mistrust the memory of this
// process. The caller still holds what it changed.
func (c *circle) settled(a *announcement, known bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !known: // the others find out by its number
		c.lost++
		c.book.Lapse()
		c.wake()
	case a != nil:
		if len(c.over) == 0 {
			c.overSince = time.Now()
			c.wake()
		}
		c.over = append(c.over, a.ticket)
	}
}

// partTime bounds how long a process that ends waits for its row to be removed.
const partTime = 2 * time.Second

// keep implements peers.
func (c *circle) keep(ctx context.Context) {
	parted := make(chan struct{})
	c.mu.Lock()
	c.keeping, c.parted = true, parted
	c.wake()
	c.mu.Unlock()
	c.start()
	select {
	case <-ctx.Done():
	case <-c.ended:
		return
	}
	c.mu.Lock()
	c.keeping = false
	c.book.Lapse()
	c.wake()
	c.mu.Unlock()
	select {
	case <-parted:
	case <-c.ended:
	case <-time.After(partTime):
	}
}

// close implements peers.
func (c *circle) close() error {
	c.once.Do(func() { close(c.ended) }) // there was never a need of a wire
	c.mu.Lock()
	c.end()
	c.wake()
	c.mu.Unlock()
	<-c.ended
	return nil
}
