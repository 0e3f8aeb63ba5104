package webhook

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// How much is delivered at once, in this process: a slow receiver can hold up its own deliveries, and the others only
// when so many of them are slow that they fill all places.
const (
	atOnce      = 64
	perEndpoint = 8
)

// turns is how many of the worker's transactions are under way at once: requests need the database, too.
const turns = 8

const (
	// poll is how often the worker looks for new events; nothing else wakes it for those.
	poll = 500 * time.Millisecond
	// claimSize is how many deliveries to one endpoint are claimed at once.
	claimSize = 64
	// claimTime is how long a claim holds. What a process claimed and did not record before it died is delivered again
	// after this time.
	claimTime = 5 * time.Minute
	// recordTime is how long storing the last outcomes may take after the order to stop.
	recordTime = 5 * time.Second
)

// Worker delivers. Any number of processes may have one over the same database.
type Worker struct {
	rules  *Service
	db     DB
	log    *slog.Logger
	client *http.Client
	places chan struct{} // one for each request under way
	turns  chan struct{} // one for each transaction under way

	observe func(context.Context, Attempt) // nil while nobody watches

	mu      sync.Mutex
	serving map[id.Endpoint]bool
	running sync.WaitGroup
	problem string // the last that was logged
	logged  time.Time
}

// NewWorker returns a worker for the endpoints of a service.
func NewWorker(s *Service, log *slog.Logger) *Worker { return newWorker(s, log, nil) }

func newWorker(s *Service, log *slog.Logger, resolver *net.Resolver) *Worker {
	return &Worker{
		rules: s, db: s.db, log: log, client: s.guard.client(resolver),
		places: make(chan struct{}, atOnce), turns: make(chan struct{}, turns), serving: map[id.Endpoint]bool{},
	}
}

// Observe has fn told of every attempt to deliver when it was made. It must be called before Run, and fn must not wait.
func (w *Worker) Observe(fn func(context.Context, Attempt)) { w.observe = fn }

func (w *Worker) work(ctx context.Context, fn func(Tx) error) error {
	w.turns <- struct{}{}
	defer func() { <-w.turns }()
	return w.db.WorkWebhooks(ctx, fn)
}

func (w *Worker) parcel(ctx context.Context, d id.Delivery, claim string) (Parcel, bool, error) {
	w.turns <- struct{}{}
	defer func() { <-w.turns }()
	return w.db.Parcel(ctx, d, claim)
}

// Run delivers until the context ends, and then returns when what is under way is recorded: after at most the time of
// one request.
func (w *Worker) Run(ctx context.Context) {
	defer w.client.CloseIdleConnections()
	defer w.running.Wait()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for ctx.Err() == nil {
		more, err := w.FanOut(ctx)
		err = errors.Join(err, w.serveDue(ctx))
		w.report(ctx, err)
		if more && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-w.rules.woken:
		}
	}
}

// Step does what is due now and returns when it is done.
func (w *Worker) Step(ctx context.Context) error {
	for {
		more, err := w.FanOut(ctx)
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	err := w.serveDue(ctx)
	w.running.Wait()
	return err
}

// again is how long a problem that goes on is logged once.
const again = time.Minute

func (w *Worker) report(ctx context.Context, err error) {
	if err == nil || ctx.Err() != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if text := err.Error(); text != w.problem || time.Since(w.logged) > again {
		w.problem, w.logged = text, time.Now()
		level := slog.LevelError
		if fault.Is(err, fault.Unavailable) {
			level = slog.LevelWarn
		}
		w.log.Log(ctx, level, "delivering webhooks", "error", err)
	}
}

// serveDue starts serving every endpoint that something is due for, unless it is being served.
func (w *Worker) serveDue(ctx context.Context) error {
	due, err := read(ctx, w.rules, func(r Reader) ([]id.Endpoint, error) { return r.Due(w.rules.instant()) })
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range due {
		if w.serving[e] {
			continue
		}
		w.serving[e] = true
		w.running.Go(func() {
			err := w.serve(ctx, e)
			w.mu.Lock()
			delete(w.serving, e)
			w.mu.Unlock()
			w.report(ctx, err)
		})
	}
	return nil
}

// serve delivers to one endpoint until nothing is due.
func (w *Worker) serve(ctx context.Context, e id.Endpoint) error {
	for ctx.Err() == nil {
		claim := rand.Text()
		var claimed []id.Delivery
		err := w.work(ctx, func(tx Tx) (err error) {
			now := w.rules.instant()
			claimed, err = tx.ClaimDeliveries(e, claim, now, now.Add(claimTime), claimSize)
			return err
		})
		if err != nil || len(claimed) == 0 {
			return err
		}
		served, err := w.deliver(ctx, e, claim, claimed)
		if err != nil || !served {
			return err
		}
	}
	return nil
}

// deliver sends what was claimed, several at once, and records it as it comes in. served is false when the endpoint
// takes nothing any more.
func (w *Worker) deliver(ctx context.Context, e id.Endpoint, claim string, claimed []id.Delivery) (served bool, err error) {
	queue := make(chan id.Delivery, len(claimed))
	for _, d := range claimed {
		queue <- d
	}
	close(queue)
	done := make(chan outcome, len(claimed))
	problems := make([]error, min(perEndpoint, len(claimed)))
	var senders sync.WaitGroup
	for i := range problems {
		senders.Go(func() {
			for d := range queue {
				if problems[i] == nil {
					problems[i] = w.one(ctx, d, claim, done)
				}
			}
		})
	}
	go func() { senders.Wait(); close(done) }()
	tried := 0
	for first := range done {
		batch := []outcome{first}
		for range len(done) {
			batch = append(batch, <-done)
		}
		tried += len(batch)
		err = errors.Join(err, w.late(ctx, func(ctx context.Context) error { return w.record(ctx, e, claim, batch) }))
	}
	if err = errors.Join(append(problems, err)...); err != nil || tried == len(claimed) {
		return true, err
	}
	return false, w.late(ctx, func(ctx context.Context) error {
		return w.work(ctx, func(tx Tx) error { return tx.ReleaseDeliveries(e, claim, w.rules.instant()) })
	})
}

// late runs what must be stored also after the order to stop.
func (w *Worker) late(ctx context.Context, store func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	return store(ctx)
}

// one sends one delivery when there is a place for it, unless the order to stop comes first or the endpoint takes
// nothing any more. A request that has begun goes on after the order to stop.
func (w *Worker) one(ctx context.Context, d id.Delivery, claim string, done chan<- outcome) error {
	select {
	case w.places <- struct{}{}:
		defer func() { <-w.places }()
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return nil
	}
	p, found, err := w.parcel(ctx, d, claim)
	if err != nil || !found {
		return err
	}
	done <- outcome{p.Delivery, w.send(context.WithoutCancel(ctx), p), p.Lost} // the client bounds the time of a request
	return nil
}
