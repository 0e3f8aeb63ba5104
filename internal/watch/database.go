package watch

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/store"
)

// Database shows the connections of a database, and what waits in it. Every method of the store that it asks is safe
// beside everything else.
type Database struct {
	db     *store.Store
	log    *slog.Logger
	now    func() time.Time
	queues queues
}

// NewDatabase returns the figures of a database.
func NewDatabase(db *store.Store, now func() time.Time, log *slog.Logger) *Database {
	return &Database{db: db, log: log, now: now}
}

// What waits is counted at most this often and this far, so that nobody burdens the database by looking at it.
const (
	countEvery = 5 * time.Second
	countTime  = 2 * time.Second
	countMost  = authz.MaxCount
)

// queues is the last count.
type queues struct {
	mu sync.Mutex
	at time.Time
	q  store.Queues
	ok bool
}

var (
	poolMost    = figure("database_connections_max", "Connections that may be open at once, by pool.", "pool")
	poolOpen    = figure("database_connections", "Open connections, by pool and by whether they are in use.", "pool", "state")
	poolWaits   = figure("database_connection_waits_total", "How often a connection had to be waited for, by pool.", "pool")
	poolWaited  = figure("database_connection_wait_seconds_total", "How long connections were waited for, by pool.", "pool")
	poolClosed  = figure("database_connections_closed_total", "Connections closed because they were idle or old, by pool.", "pool")
	queueLength = figure("queue_length", "What waits to be done, by queue, counted every 5 seconds at most, up to 10000: a value of 10001 says more.", "queue")
	queueRead   = figure("queue_up", "1 if the queues could be counted when they were last looked at, else 0.")
)

// Describe implements prometheus.Collector.
func (d *Database) Describe(to chan<- *prometheus.Desc) {
	for _, f := range []*prometheus.Desc{poolMost, poolOpen, poolWaits, poolWaited, poolClosed, queueLength, queueRead} {
		to <- f
	}
}

// Collect implements prometheus.Collector.
func (d *Database) Collect(to chan<- prometheus.Metric) {
	for _, p := range d.db.Pools() {
		gauge(to, poolMost, p.Most, p.Name)
		gauge(to, poolOpen, p.InUse, p.Name, "in_use")
		gauge(to, poolOpen, p.Idle, p.Name, "idle")
		counter(to, poolWaits, float64(p.Waits), p.Name)
		counter(to, poolWaited, p.Waited.Seconds(), p.Name)
		counter(to, poolClosed, float64(p.Closed), p.Name)
	}
	q, ok := d.count()
	gauge(to, queueRead, truth(ok))
	if !ok {
		return // what was counted long ago says nothing
	}
	for name, n := range map[string]authz.Count{
		"jobs": q.Jobs, "events": q.Events, "webhook_deliveries": q.Deliveries, "assignments": q.Assignments,
	} {
		length := n.N
		if n.More {
			length++
		}
		gauge(to, queueLength, length, name)
	}
}

// count counts what waits, unless that was done just now.
func (d *Database) count() (store.Queues, bool) {
	c := &d.queues
	c.mu.Lock()
	defer c.mu.Unlock()
	now := d.now()
	if age := now.Sub(c.at); age >= 0 && age < countEvery {
		return c.q, c.ok
	}
	ctx, cancel := context.WithTimeout(context.Background(), countTime)
	defer cancel()
	q, err := d.db.Queues(ctx, now, countMost)
	if err != nil && (c.ok || c.at.IsZero()) {
		d.log.Warn("counting what waits, for metrics", "error", err)
	}
	c.at, c.q, c.ok = now, q, err == nil
	return c.q, c.ok
}

type number interface {
	~int | ~int64 | ~uint64 | ~float64
}

func gauge[N number](to chan<- prometheus.Metric, of *prometheus.Desc, v N, labels ...string) {
	to <- prometheus.MustNewConstMetric(of, prometheus.GaugeValue, float64(v), labels...)
}

func counter[N number](to chan<- prometheus.Metric, of *prometheus.Desc, v N, labels ...string) {
	to <- prometheus.MustNewConstMetric(of, prometheus.CounterValue, float64(v), labels...)
}

func truth(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
