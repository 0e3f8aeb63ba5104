package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/watch"
	"github.com/rolecall/rolecall/internal/web"
	"github.com/rolecall/rolecall/internal/webhook"
)

// twoAddresses refuses one address for clients and for operators: what operators see is not for everybody.
func (c Config) twoAddresses() error {
	if c.Metrics == "" {
		return nil
	}
	public, err := net.ResolveTCPAddr("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	own, err := net.ResolveTCPAddr("tcp", c.Metrics)
	if err != nil {
		return fmt.Errorf("listening for metrics: %w", err)
	}
	anywhere := func(a *net.TCPAddr) bool { return a.IP == nil || a.IP.IsUnspecified() }
	if own.Port != 0 && own.Port == public.Port && (own.IP.Equal(public.IP) || anywhere(own) || anywhere(public)) {
		return fmt.Errorf("metrics and the API cannot share the address %s; give --metrics-listen another port", c.Metrics)
	}
	return nil
}

// lookout is what watches a server: nothing, unless it is asked for.
type lookout struct {
	log      *slog.Logger
	db       *store.Store
	watchers watch.All
	metrics  *watch.Metrics
	traces   *watch.Traces
	listener net.Listener
	server   *http.Server
}

// flushTime bounds how long the last traces may take after everything else has ended.
const flushTime = 5 * time.Second

// look begins to watch a database, and listens where the configuration says so.
func look(ctx context.Context, c Config, db *store.Store, log *slog.Logger) (*lookout, error) {
	l := &lookout{log: log, db: db}
	if c.Metrics != "" {
		var err error
		if l.listener, err = net.Listen("tcp", c.Metrics); err != nil {
			return nil, fmt.Errorf("listening for metrics: %w", err)
		}
		l.metrics = watch.NewMetrics(c.Version, db.Name())
		l.watchers = append(l.watchers, l.metrics)
	}
	if c.Traces != "" || watch.TracesByEnvironment(os.Getenv) {
		var err error
		if l.traces, err = watch.NewTraces(ctx, c.Traces, c.Version, log); err != nil {
			l.end()
			return nil, err
		}
		l.watchers = append(l.watchers, l.traces)
	}
	if len(l.watchers) > 0 {
		db.Observe(l.watchers.Worked)
	}
	return l, nil
}

// loader is what decisions read from.
func (l *lookout) loader(from decision.Loader) decision.Loader {
	if len(l.watchers) == 0 {
		return from
	}
	return watch.Loader(from, l.watchers)
}

// observers are told of requests.
func (l *lookout) observers() (all []web.Observer) {
	for _, w := range l.watchers {
		all = append(all, w)
	}
	return all
}

// follow has what services and the worker tell shown.
func (l *lookout) follow(s Services, w *webhook.Worker) {
	if len(l.watchers) > 0 {
		w.Observe(l.watchers.Attempted)
	}
	if l.metrics != nil {
		l.metrics.Watch(watch.NewDatabase(l.db, time.Now, l.log))
		l.metrics.Watch(watch.NewMemory(l.db.Fresh(), s.Decisions))
		l.metrics.Watch(watch.NewCircle(l.db.Circle))
	}
}

// address is where the metrics are; empty for nowhere.
func (l *lookout) address() string {
	if l.listener == nil {
		return ""
	}
	return address(l.listener) + "/metrics"
}

// serve serves operators until end.
func (l *lookout) serve(served chan<- error) {
	if l.metrics == nil {
		return
	}
	router := web.NewRouter()
	router.Handle(http.MethodGet, "/metrics", l.metrics.Handler(l.log))
	health(router, l.db, l.log)
	l.server = bounded(router, l.log)
	go func() {
		if err := l.server.Serve(l.listener); !errors.Is(err, http.ErrServerClosed) {
			served <- fmt.Errorf("metrics: %w", err)
		}
	}()
}

// end stops watching.
func (l *lookout) end() {
	if l.listener != nil {
		l.listener.Close() // which the server, if there is one, has closed or does not need any more
	}
	if l.server != nil {
		l.server.Close()
	}
	if l.traces != nil {
		late, cancel := context.WithTimeout(context.Background(), flushTime)
		defer cancel()
		if err := l.traces.Flush(late); err != nil {
			l.log.Warn("ending traces", "error", err)
		}
	}
}
