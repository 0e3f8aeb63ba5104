package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// wire is the connection over which a process hears of the others, tells them, and renews its lease: whoever renews also
// hears. One goroutine uses it.
type wire struct {
	c       *circle
	conn    *pgx.Conn
	channel string // on which changes are announced; answers go to one for each process
	mute    string // why nothing can be heard over it; empty where it can
	hearing bool   // of changes
	listed  time.Time
	listNow bool
	seen    map[string]sighting // the other rows
	lapsed  map[string]int64    // rows to remove, with the renewals they stood still at
	dead    []string            // rows that were removed in the exchange that is under way
	answers map[string][]uint64 // owed, by the process that waits for them
}

// How long is waited for the wire.
const (
	shortestReconnect = 20 * time.Millisecond
	longestReconnect  = time.Second
	exchangeTime      = 2 * time.Second // for one exchange with the database, unless the lease is longer
	longestExchange   = 10 * time.Second
	wirelessTime      = 5 * time.Second // after which a change fails that cannot be announced
	overTime          = 10 * time.Millisecond
	quietTime         = time.Minute // how long nothing may be said over it
)

// run keeps the circle in touch until it is closed.
func (c *circle) run() {
	defer close(c.ended)
	pause, lost := shortestReconnect, time.Now()
	for connected := false; c.life.Err() == nil; {
		w, err := c.connect()
		if err == nil {
			if connected {
				c.count(func(s *Circle) { s.Reconnects++ })
			}
			connected, pause = true, shortestReconnect
			err = w.serve()
			w.close()
			lost = time.Now()
		}
		c.broke(err, lost)
		select {
		case <-c.life.Done():
		case <-time.After(pause):
			pause = min(2*pause, longestReconnect)
		}
	}
}

// broke has every announcement sent anew over the next wire. They fail when there has been none for too long.
func (c *circle) broke(err error, lost time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.state.Trouble = err.Error()
	}
	for _, a := range c.open {
		if a.sent = false; time.Since(lost) > wirelessTime {
			c.finish(a, err)
		}
	}
}

func (c *circle) connect() (*wire, error) {
	ctx, cancel := context.WithTimeout(c.life, wirelessTime)
	defer cancel()
	conn, err := c.dial(ctx)
	if err != nil {
		return nil, fmt.Errorf("connecting to hear of changes: %w", err)
	}
	w := &wire{c: c, conn: conn, seen: map[string]sighting{}, lapsed: map[string]int64{}, answers: map[string][]uint64{}}
	if err := w.prepare(ctx); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

// prepare names the channels by the table that all processes share, so that databases and schemas are told apart, and
// listens for answers.
func (w *wire) prepare(ctx context.Context) error {
	// Renewals must not count on a server that has lost its standby to another primary, where writers look for them.
	// The name is for people who look at the connections.
	if _, err := w.conn.Exec(ctx, "SELECT set_config('synchronous_commit', 'on', 1 = 0), set_config('application_name', $1, 1 = 0)", "rolecall "+w.c.id); err != nil {
		return fmt.Errorf("preparing to hear of changes: %w", err)
	}
	var table, backend uint32
	err := w.conn.QueryRow(ctx, "SELECT CAST(CAST('replicas' AS regclass) AS oid), pg_backend_pid()").Scan(&table, &backend)
	if err != nil {
		return fmt.Errorf("preparing to hear of changes: %w", err)
	}
	w.channel = fmt.Sprintf("rolecall_%d", table)
	if backend != w.conn.PgConn().PID() {
		w.mute = "a connection pooler stands before PostgreSQL, through which processes cannot hear of changes; nothing is answered from memory"
	}
	_, err = w.conn.Exec(ctx, "LISTEN "+w.channelOf(w.c.id))
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused) && (refused.Code == "0A000" || refused.Code == "42601"): // not supported, or unknown
		w.mute = "the database has no LISTEN; nothing is answered from memory"
	case err != nil:
		return fmt.Errorf("preparing to hear of changes: %w", err)
	}
	w.c.count(func(s *Circle) { s.Trouble = w.mute })
	return nil
}

// channelOf is where a process gets its answers.
func (w *wire) channelOf(process string) string {
	return pgx.Identifier{w.channel + "_" + process}.Sanitize()
}

func (w *wire) close() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.c.life), time.Second)
	defer cancel()
	w.conn.Close(ctx) // a connection that broke says so, and is closed all the same
}

// serve uses the wire until it breaks or the circle is closed.
func (w *wire) serve() error {
	if err := w.c.self.arrive(w); err != nil {
		return err
	}
	for {
		if err := w.hear(); err != nil {
			return err
		}
		now := time.Now()
		if w.c.life.Err() != nil {
			return errors.Join(w.exchange(now), w.c.self.leave(w))
		}
		due := w.c.self.due(w)
		acts := !due.After(now)
		if acts { // before others are served, who may have a lot to tell
			if err := w.c.self.act(w); err != nil {
				return err
			}
		}
		var err error
		if w.mustExchange(now) {
			err = w.exchange(now)
		} else if !acts {
			err = w.wait(w.next(due))
		}
		if err != nil {
			return err
		}
	}
}

// bounded is a context for one exchange with the database.
func (w *wire) bounded() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(w.c.life), min(max(exchangeTime, w.c.lease()), longestExchange))
}

// wait waits for a notification, for something to do, or for a moment.
func (w *wire) wait(until time.Time) error {
	ctx, cancel := context.WithDeadline(context.Background(), until)
	defer cancel()
	c := w.c
	c.mu.Lock()
	if c.stirred {
		c.stirred = false
		c.mu.Unlock()
		return nil
	}
	c.stir = cancel
	c.mu.Unlock()
	n, err := w.conn.WaitForNotification(ctx)
	c.mu.Lock()
	c.stir, c.stirred = nil, false
	c.mu.Unlock()
	if n != nil {
		return w.heard(n)
	}
	if ctx.Err() != nil && !w.conn.IsClosed() {
		return nil
	}
	return fmt.Errorf("waiting to hear of changes: %w", err)
}

// hear takes what arrived during an exchange.
func (w *wire) hear() error {
	over, cancel := context.WithCancel(context.Background())
	cancel() // so that it takes what is there and does not wait
	for {
		n, err := w.conn.WaitForNotification(over)
		if n == nil {
			if w.conn.IsClosed() {
				return fmt.Errorf("hearing of changes: %w", err)
			}
			return nil
		}
		if err := w.heard(n); err != nil {
			return err
		}
	}
}
