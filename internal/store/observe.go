package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
)

// Work is one transaction that ended, whatever became of it.
type Work struct {
	Kind     string // one of WorkKinds
	Outcome  string // one of Outcomes
	Began    time.Time
	Took     time.Duration
	Retries  int           // how often it ran again because it lost against another
	Commit   time.Duration // what COMMIT took; 0 when it did not come to that, and where nothing can be written
	Announce time.Duration // how long it waited for other processes to stop answering from memory; 0 when it need not
}

// WorkKinds are the kinds of transactions: one that reads, one that changes, and the bookkeeping of events and
// deliveries, which decides nothing.
var WorkKinds = []string{workView, workUpdate, workKeep}

// Outcomes are what becomes of a transaction: it succeeded, the rules refused or replayed, the database could not
// answer (or the client had left), or there is a defect.
var Outcomes = []string{OutcomeDone, OutcomeRefused, OutcomeUnavailable, OutcomeFailed}

const (
	workView   = "view"
	workUpdate = "update"
	workKeep   = "bookkeeping"

	// The outcomes, as Outcomes tells them apart.
	OutcomeDone        = "done"
	OutcomeRefused     = "refused"
	OutcomeUnavailable = "unavailable"
	OutcomeFailed      = "failed"
)

// Observe has fn told of every transaction when it has ended, with the context that it ran for. It must be called
// before the store is used by several at once, and fn must not wait.
func (s *Store) Observe(fn func(context.Context, Work)) { s.observe = fn }

// kind is the kind of the transactions that begin with opts.
func (d dialect) kind(opts *sql.TxOptions) string {
	switch opts {
	case d.viewOptions:
		return workView
	case d.updateOptions:
		return workUpdate
	}
	return workKeep
}

func (w *Work) end(err error) {
	w.Took = time.Since(w.Began)
	switch {
	case err == nil:
		w.Outcome = OutcomeDone
	case fault.Is(err, fault.Unavailable):
		w.Outcome = OutcomeUnavailable
	case isAnswer(err):
		w.Outcome = OutcomeRefused
	default:
		w.Outcome = OutcomeFailed
	}
}

// Pool is the connections of one use.
type Pool struct {
	Name        string // "write", "read", or "all" where both are one
	Most        int    // that may be open
	InUse, Idle int
	Waits       int64         // how often somebody had to wait for a connection
	Waited      time.Duration // how long, all together
	Closed      int64         // because they were idle or old
}

// Pools is what the connections are doing at the moment.
func (s *Store) Pools() []Pool {
	if s.read == s.write {
		return []Pool{pool("all", s.write)}
	}
	return []Pool{pool("write", s.write), pool("read", s.read)}
}

func pool(name string, db *sql.DB) Pool {
	n := db.Stats()
	return Pool{
		Name: name, Most: n.MaxOpenConnections, InUse: n.InUse, Idle: n.Idle, Waits: n.WaitCount, Waited: n.WaitDuration,
		Closed: n.MaxIdleClosed + n.MaxIdleTimeClosed + n.MaxLifetimeClosed,
	}
}

// Name is which database it is: "SQLite" or "PostgreSQL".
func (s *Store) Name() string { return s.dialect.name }

// Queues is how much waits to be done.
type Queues struct {
	Jobs        authz.Count // work that follows changes and is not finished
	Events      authz.Count // events without a place, which nobody can read yet
	Deliveries  authz.Count // webhook deliveries that are neither made nor given up
	Assignments authz.Count // assignments whose beginning or end is due and not yet told of
}

// Queues counts what waits at a time, each up to most.
func (s *Store) Queues(ctx context.Context, at time.Time, most int) (q Queues, err error) {
	err = s.inTx(ctx, s.read, s.dialect.viewOptions, func(t *tx) error {
		return t.sizes(most, `SELECT `+upTo(most, `jobs WHERE finished_at IS NULL`)+`, `+
			upTo(most, `events WHERE place IS NULL`)+`, `+
			upTo(most, `webhook_deliveries WHERE state = 'pending'`)+`, `+
			upTo(most, `assignments WHERE due_at <= $1`),
			[]any{stamp(at)}, &q.Jobs, &q.Events, &q.Deliveries, &q.Assignments)
	})
	return q, err
}
