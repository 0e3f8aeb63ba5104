package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// commitTime bounds how long the outcome of a commit is waited for where no deadline does.
const commitTime = 30 * time.Second

// opened is an open transaction with its connection.
type opened struct {
	conn *sql.Conn
	tx   *sql.Tx
	lift func() bool // has the deadline no longer count; false when it has passed
	end  func()      // gives everything back
}

// begin begins a transaction that ends at the deadline of the context, if that comes before its commit. A client that
// goes away ends its statements, not the transaction.
func (s *Store) begin(ctx context.Context, db *sql.DB, opts *sql.TxOptions) (*opened, error) {
	leave, err := s.enter(ctx, opts)
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		leave()
		return nil, err
	}
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	lift := func() bool { return true }
	if deadline, ok := ctx.Deadline(); ok {
		lift = time.AfterFunc(time.Until(deadline), cancel).Stop
	}
	sqlTx, err := conn.BeginTx(lasting, opts)
	end := func() {
		lift()
		cancel()
		conn.Close()
		leave()
	}
	if err != nil {
		end()
		return nil, err
	}
	return &opened{conn, sqlTx, lift, end}, nil
}

// enter waits until one more may write. Writers whose commits hang, because a standby that must confirm them is gone,
// would otherwise take all connections, and nobody could read.
func (s *Store) enter(ctx context.Context, opts *sql.TxOptions) (leave func(), err error) {
	if opts.ReadOnly {
		return func() {}, nil
	}
	select {
	case s.writers <- struct{}{}:
		return func() { <-s.writers }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// undecidedError says that nothing is known of the outcome of a commit.
type undecidedError struct{ cause error }

func (e undecidedError) Error() string {
	return "the outcome of a commit is unknown: " + e.cause.Error()
}
func (e undecidedError) Unwrap() error { return e.cause }

var errUnreplicated = errors.New("the database gave up waiting for a standby, which may not have the change")

// rollback ends the transaction without a trace.
func (w *opened) rollback() {
	w.tx.Rollback() // whatever it says, nothing was committed
	w.end()
}

// close ends a transaction that only read.
func (w *opened) close() error {
	defer w.end()
	return w.tx.Commit()
}

// commit is for PostgreSQL; the changes of an SQLite file stand in line. It sends the commit and waits for its outcome until the context's deadline; a client that goes away changes
// nothing. The commit itself is never abandoned: settle is told its outcome whenever that comes, and the connection is
// given back only then.
func (s *Store) commit(ctx context.Context, w *opened, settle func(known bool)) error {
	if !w.lift() {
		w.rollback()
		settle(true)
		return context.DeadlineExceeded
	}
	c := w.session()
	outcome, decided := make(chan error, 1), make(chan struct{})
	go func() {
		err := send(w, c)
		settle(err == nil || errors.Is(err, errUnreplicated) || !s.dialect.undecided(err))
		w.end() // before anybody is told, who may close the store next
		close(decided)
		outcome <- err
	}()
	late, cancel := uncancelled(ctx)
	defer cancel()
	var err error
	select {
	case err = <-outcome:
	case <-late.Done():
		go s.hosts.watch(c, decided)
		return undecidedError{late.Err()}
	}
	switch {
	case err == nil:
		return nil
	case s.dialect.undecided(err):
		return undecidedError{err}
	}
	return fmt.Errorf("committing: %w", err)
}

// session is that of the connection.
func (w *opened) session() (found *session) {
	_ = w.conn.Raw(func(conn any) error { // nothing fails
		found = sessionOf(conn)
		return nil
	})
	return found
}

// send commits. A server that was told to cancel a commit that waits for a standby says that it succeeded, with a
// warning that it may be lost.
func send(w *opened, c *session) error {
	c.warned.Store(false)
	c.committing.Store(true)
	err := w.tx.Commit()
	if err == nil && c.warned.Load() {
		return errUnreplicated
	}
	return err
}

// uncancelled is a context that ends at the deadline of another, or in time where that has none, but not when that is
// cancelled.
func uncancelled(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(commitTime)
	}
	return context.WithDeadline(context.WithoutCancel(ctx), deadline)
}
