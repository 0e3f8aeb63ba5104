// Package store is the only SQL of the product: it implements the storage contracts of the other rooms on SQLite and
// on PostgreSQL, with one text for each query. It keeps no rules; what a row means is said in the rooms.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/fresh"
)

// Store is an open database. It is safe for concurrent use.
type Store struct {
	dialect dialect
	write   *sql.DB // on SQLite one connection, whose transactions begin immediately
	read    *sql.DB // on PostgreSQL the same pool
	release func() error
	book    *fresh.Book
	peers   peers
	observe func(context.Context, Work) // nil while nobody watches
	hosts   hosts                       // of PostgreSQL
	line    *line                       // for the one writer of an SQLite file; nil where transactions run at the same time
	writers chan struct{}               // of PostgreSQL; full while as many write as may at once

	// beforeExec runs before every statement that writes; tests use it to die between two writes.
	beforeExec func()
}

// Fresh is the agreement between this database and what the process remembers of it.
func (s *Store) Fresh() *fresh.Book { return s.book }

// KeepTerms has terms begin in the book, and end, until the context ends; then the last one ends. Without it nothing is
// answered from memory.
func (s *Store) KeepTerms(ctx context.Context) {
	defer s.book.Lapse()
	s.peers.keep(ctx)
}

// Close ends all connections and gives up the lock on an SQLite file.
func (s *Store) Close() error {
	err := errors.Join(s.peers.close(), s.write.Close())
	if s.read != s.write {
		err = errors.Join(err, s.read.Close())
	}
	return errors.Join(err, s.release())
}

// Ping asks the database for a sign of life.
func (s *Store) Ping(ctx context.Context) error {
	return s.View(ctx, func(r authz.Reader) error {
		_, err := r.Environments()
		return err
	})
}

// A transaction that lost against another is run again until its context ends, and at most maxAttempts times; one that
// failed on a constraint again and again did not lose a race: it is a defect, and so is found.
const (
	maxAttempts    = 500
	maxConstraints = 5
	maxPause       = 100 * time.Millisecond
)

// View implements authz.DB.
func (s *Store) View(ctx context.Context, fn func(authz.Reader) error) error {
	return s.inTx(ctx, s.read, s.dialect.viewOptions, func(t *tx) error { return fn(t) })
}

// Update implements authz.DB.
func (s *Store) Update(ctx context.Context, fn func(authz.Tx) error) error {
	return s.inTx(ctx, s.write, s.dialect.updateOptions, func(t *tx) error { return fn(t) })
}

func (s *Store) inTx(ctx context.Context, db *sql.DB, opts *sql.TxOptions, fn func(*tx) error) (err error) {
	work := Work{Kind: s.dialect.kind(opts), Began: time.Now()}
	if s.observe != nil {
		defer func() {
			work.end(err)
			s.observe(ctx, work)
		}()
	}
	constraints := 0
	for attempt := 1; ; attempt++ {
		work.Retries = attempt - 1
		err := s.attempt(ctx, db, opts, &work, fn)
		if err == nil || isAnswer(err) {
			return err
		}
		lost := s.dialect.lostRace(err)
		if s.dialect.constraint(err) {
			constraints++
			lost = constraints <= maxConstraints
		}
		if !lost || ctx.Err() != nil || attempt == maxAttempts {
			return s.classify(ctx, err)
		}
		longest := min(time.Millisecond<<min(attempt, 10), maxPause)
		select {
		case <-ctx.Done():
		case <-time.After(rand.N(longest)):
		}
	}
}

func (s *Store) attempt(ctx context.Context, db *sql.DB, opts *sql.TxOptions, work *Work, fn func(*tx) error) error {
	if s.line != nil && db == s.write {
		return s.inCompany(ctx, work, fn)
	}
	w, err := s.begin(ctx, db, opts)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	handedOn := false
	defer func() {
		if !handedOn {
			w.rollback()
		}
	}()
	t := &tx{ctx: ctx, asked: ctx, sql: w.tx, store: s}
	if err := fn(t); err != nil {
		return err
	}
	began := time.Now()
	settle, err := s.hold(ctx, t)
	if err != nil {
		return err
	}
	handedOn = true
	if opts.ReadOnly {
		return w.close()
	}
	commits := time.Now()
	if len(t.changed) > 0 {
		work.Announce = commits.Sub(began)
	}
	defer func() { work.Commit = time.Since(commits) }()
	return s.commit(ctx, w, settle)
}

// hold sees to it that no process answers from memory what the transaction is about to change (package fresh). settle
// says when the commit is over, and whether its outcome is known.
func (s *Store) hold(ctx context.Context, t *tx) (settle func(known bool), err error) {
	if len(t.changed) == 0 {
		return func(bool) {}, nil
	}
	regions := slices.Collect(maps.Keys(t.changed))
	release := s.book.Hold(regions)
	ended, err := s.peers.announce(ctx, t, regions)
	if err != nil {
		release()
		return nil, fmt.Errorf("announcing a change: %w", err)
	}
	return func(known bool) {
		if !known { // the commit may still take place, so nothing may be remembered until a term begins anew
			s.book.Lapse()
		}
		ended(known)
		release()
	}, nil
}

// isAnswer tells the refusals and replays of rules from errors of a driver.
func isAnswer(err error) bool {
	var replay *authz.Replay
	var refusal *fault.Error
	return errors.As(err, &replay) || errors.As(err, &refusal)
}

// classify keeps what a driver said away from clients: a database that cannot answer is Unavailable, the rest is a
// defect, to be found in the logs. Only of a change of which it did not say whether it took place nothing is promised.
func (s *Store) classify(ctx context.Context, err error) error {
	if _, undecided := errors.AsType[undecidedError](err); undecided {
		return fault.Unknown(err)
	}
	if ctx.Err() != nil || s.dialect.lostRace(err) || s.dialect.down(err) {
		return fault.Down(err)
	}
	return fmt.Errorf("database: %w", err)
}

// tx implements authz.Tx, and authz.Reader, over one SQL transaction or a part of one.
type tx struct {
	ctx   context.Context // of each statement
	asked context.Context // of who asked for it; looked at between statements
	sql   runner
	store *Store

	until  time.Time // when others have waited for it long enough; zero where nobody does
	late   bool      // it came to that
	broken error     // what a statement said after which none makes sense any more

	changed map[fresh.Region]bool // what decisions depend on and this transaction writes
	made    map[fresh.Region]bool // what nobody can remember, because this transaction made it
}

// runner runs statements in a transaction.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// ready says why another statement must not be run.
func (t *tx) ready() error {
	if t.broken != nil {
		return t.broken
	}
	if !t.until.IsZero() && time.Now().After(t.until) {
		t.late = true
		return errApart
	}
	return t.asked.Err()
}

// heed notes an error after which the database may have undone the transaction, and returns it.
func (t *tx) heed(err error) error {
	if err != nil && t.store.dialect.down(err) {
		t.broken = err
	}
	return err
}

func (t *tx) run(query string, args []any) (sql.Result, error) {
	if err := t.ready(); err != nil {
		return nil, err
	}
	res, err := t.sql.ExecContext(t.ctx, query, args...)
	return res, t.heed(err)
}

func (t *tx) query(query string, args []any) (*sql.Rows, error) {
	if err := harmless(query); err != nil { // a statement that writes can return rows
		return nil, err
	}
	if err := t.ready(); err != nil {
		return nil, err
	}
	rows, err := t.sql.QueryContext(t.ctx, query, args...)
	return rows, t.heed(err)
}

var _ authz.DB = (*Store)(nil)

// exec runs a statement that writes what is never remembered; alter is for the rest.
func (t *tx) exec(doing, query string, args ...any) (affected int, err error) {
	if err := harmless(query); err != nil {
		return 0, fmt.Errorf("%s: %w", doing, err)
	}
	return t.write(doing, query, args)
}

// write runs a statement for exec and alter.
func (t *tx) write(doing, query string, args []any) (affected int, err error) {
	if t.store.beforeExec != nil {
		t.store.beforeExec()
	}
	res, err := t.run(query, args)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", doing, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("%s: counting rows: %w", doing, err)
	}
	return int(n), nil
}

// execOne is exec for a statement that must touch exactly one row.
func (t *tx) execOne(doing, query string, args ...any) error {
	return exactlyOne(doing)(t.exec(doing, query, args...))
}

func exactlyOne(doing string) func(affected int, err error) error {
	return func(affected int, err error) error {
		if err == nil && affected != 1 {
			err = fmt.Errorf("%s: %d rows instead of 1", doing, affected)
		}
		return err
	}
}

// row is what a scan function reads from.
type row interface{ Scan(dest ...any) error }

// all reads every row of a query.
func all[T any](t *tx, doing string, scan func(row) (T, error), query string, args ...any) ([]T, error) {
	rows, err := t.query(query, args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	defer rows.Close()
	var found []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", doing, err)
		}
		found = append(found, v)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return found, nil
}

// one reads the row of a query that has at most one.
func one[T any](t *tx, doing string, scan func(row) (T, error), query string, args ...any) (v T, found bool, err error) {
	rows, err := t.query(query, args)
	if err != nil {
		return v, false, fmt.Errorf("%s: %w", doing, err)
	}
	defer rows.Close()
	if found = rows.Next(); found {
		v, err = scan(rows)
	}
	if err == nil {
		err = errors.Join(rows.Err(), rows.Close())
	}
	if err != nil {
		return v, false, fmt.Errorf("%s: %w", doing, err)
	}
	return v, found, nil
}

// rowFunc is a row that hands on what is scanned into.
type rowFunc func(dest ...any) error

// Scan implements row.
func (f rowFunc) Scan(dest ...any) error { return f(dest...) }

func scanValue[T any](r row) (v T, err error) {
	err = r.Scan(&v)
	return v, err
}

func scanPair[T any](r row) (p [2]T, err error) {
	err = r.Scan(&p[0], &p[1])
	return p, err
}
