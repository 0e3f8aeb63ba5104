package watch

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/webhook"
)

// Every name is rolecall_ and one of these, in docs/metrics.md.
const namespace = "rolecall"

// The buckets: requests and transactions take from a tenth of a millisecond to the time limit of a request, deliveries
// up to their own.
var (
	fastBuckets = []float64{.0001, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5, 30}
	slowBuckets = []float64{.01, .05, .1, .5, 1, 5, 10}
)

// Metrics is the figures of one process. It is a Watcher, and safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	requests requests
	work     work
	loads    map[string]load
	attempts map[bool]prometheus.Observer
}

// NewMetrics returns the figures of a release.
func NewMetrics(version, database string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: namespace, Name: "build_info", Help: "Always 1; the labels say which release this is, and on which database.",
			ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version(), "database": database},
		}, func() float64 { return 1 }),
	)
	m.requests.register(m.registry)
	m.work.register(m.registry)
	m.registerLoads()
	m.registerAttempts()
	return m
}

// Handler shows the figures in the formats that Prometheus reads.
func (m *Metrics) Handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: problems{log}, ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 8,
	})
}

// problems logs what is wrong with figures.
type problems struct{ log *slog.Logger }

// Println implements promhttp.Logger.
func (p problems) Println(v ...any) { p.log.Error("showing metrics", "error", fmt.Sprint(v...)) }

// Watch has the figures of a source shown, read when they are asked for.
func (m *Metrics) Watch(c prometheus.Collector) { m.registry.MustRegister(c) }

// figure describes a figure that is read when it is asked for.
func figure(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

// histogram makes one observer for each value of its label.
func histogram(r *prometheus.Registry, name, help, label string, buckets []float64, values ...string) map[string]prometheus.Observer {
	v := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}, []string{label})
	r.MustRegister(v)
	each := make(map[string]prometheus.Observer, len(values))
	for _, value := range values {
		each[value] = v.WithLabelValues(value)
	}
	return each
}

// load is the figures of one kind of reading.
type load struct {
	took   prometheus.Observer
	failed prometheus.Counter
}

func (m *Metrics) registerLoads() {
	took := histogram(m.registry, "load_duration_seconds", "How long it took to read what decisions remember, by what was read.", "kind", fastBuckets, LoadKinds...)
	failed := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "load_failures_total", Help: "Readings of what decisions remember that failed or were given up.",
	}, []string{"kind"})
	m.registry.MustRegister(failed)
	m.loads = map[string]load{}
	for _, kind := range LoadKinds {
		m.loads[kind] = load{took[kind], failed.WithLabelValues(kind)}
	}
}

// Loaded implements Watcher.
func (m *Metrics) Loaded(_ context.Context, l Load) {
	of := m.loads[l.Kind]
	of.took.Observe(l.Took.Seconds())
	if l.Err != nil {
		of.failed.Inc()
	}
}

func (m *Metrics) registerAttempts() {
	each := histogram(m.registry, "webhook_attempt_duration_seconds", "How long attempts to deliver webhooks took, by what came of them.", "outcome", slowBuckets, "delivered", "failed")
	m.attempts = map[bool]prometheus.Observer{true: each["delivered"], false: each["failed"]}
}

// Attempted implements Watcher.
func (m *Metrics) Attempted(_ context.Context, a webhook.Attempt) {
	m.attempts[a.Error == ""].Observe(a.Duration.Seconds())
}

// work is the figures of transactions.
type work struct {
	kinds            map[string]workOf
	commit, announce prometheus.Histogram
}

type workOf struct {
	took     prometheus.Observer
	outcomes map[string]prometheus.Counter
	retries  prometheus.Counter
}

func (w *work) register(r *prometheus.Registry) {
	took := histogram(r, "transaction_duration_seconds", "How long transactions of the database took with their repetitions, by kind.", "kind", fastBuckets, store.WorkKinds...)
	w.commit = prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: namespace, Name: "commit_duration_seconds", Help: "How long the COMMIT of transactions that may write took.", Buckets: fastBuckets,
	})
	w.announce = prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: namespace, Name: "announce_duration_seconds", Help: "How long changes waited, before their COMMIT, for every process to stop answering from memory.", Buckets: fastBuckets,
	})
	ended := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "transactions_total", Help: "Transactions of the database, by kind and by what came of them.",
	}, []string{"kind", "outcome"})
	retries := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "transaction_retries_total", Help: "Repetitions of transactions that lost against others, by kind.",
	}, []string{"kind"})
	r.MustRegister(ended, retries, w.commit, w.announce)
	w.kinds = map[string]workOf{}
	for _, kind := range store.WorkKinds {
		of := workOf{took[kind], map[string]prometheus.Counter{}, retries.WithLabelValues(kind)}
		for _, outcome := range store.Outcomes {
			of.outcomes[outcome] = ended.WithLabelValues(kind, outcome)
		}
		w.kinds[kind] = of
	}
}

// Worked implements Watcher.
func (m *Metrics) Worked(_ context.Context, w store.Work) {
	of := m.work.kinds[w.Kind]
	of.took.Observe(w.Took.Seconds())
	of.outcomes[w.Outcome].Inc()
	if w.Retries > 0 {
		of.retries.Add(float64(w.Retries))
	}
	if w.Commit > 0 {
		m.work.commit.Observe(w.Commit.Seconds())
	}
	if w.Announce > 0 {
		m.work.announce.Observe(w.Announce.Seconds())
	}
}
