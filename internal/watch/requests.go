package watch

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rolecall/rolecall/internal/web"
)

// requests is the figures of requests. What a route needs is made once and found by its pattern, of which there are as
// many as the program has routes.
type requests struct {
	took   *prometheus.HistogramVec
	ended  *prometheus.CounterVec
	making sync.Mutex
	routes atomic.Pointer[map[string]*route]
}

// route is the figures of one route.
type route struct {
	took    prometheus.Observer
	classes [len(classes)]prometheus.Counter
}

// classes are the classes of status codes, the one of 200 first, and at the end what stands for no answer.
var classes = [...]string{"2xx", "3xx", "4xx", "5xx", "none"}

func (r *requests) register(in *prometheus.Registry) {
	labels := []string{"method", "route"}
	r.took = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: namespace, Name: "http_request_duration_seconds", Help: "How long requests took, by route.", Buckets: fastBuckets,
	}, labels)
	r.ended = prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "http_requests_total", Help: "Requests, by route and by class of the status answered.",
	}, append(labels, "status"))
	in.MustRegister(r.took, r.ended)
	r.routes.Store(&map[string]*route{})
}

func (r *requests) of(pattern string) *route {
	if found, ok := (*r.routes.Load())[pattern]; ok {
		return found
	}
	r.making.Lock()
	defer r.making.Unlock()
	known := *r.routes.Load()
	if found, ok := known[pattern]; ok {
		return found
	}
	method, path := split(pattern)
	made := &route{took: r.took.WithLabelValues(method, path)}
	for i, class := range classes {
		made.classes[i] = r.ended.WithLabelValues(method, path, class)
	}
	more := maps.Clone(known)
	more[pattern] = made
	r.routes.Store(&more)
	return made
}

// split names the method and the path of a pattern. What no route took has neither: its own could be anything.
func split(pattern string) (method, path string) {
	if pattern == "" {
		return "none", "none"
	}
	method, path, ok := strings.Cut(pattern, " ")
	if !ok {
		return "any", pattern
	}
	return method, path
}

// Begin implements web.Observer.
func (m *Metrics) Begin(ctx context.Context, _ *http.Request) context.Context { return ctx }

// End implements web.Observer.
func (m *Metrics) End(req *http.Request, e web.Ended) {
	of := m.requests.of(req.Pattern)
	of.took.Observe(e.Took.Seconds())
	class := e.Status/100 - 2
	if class < 0 || class >= len(classes) {
		class = len(classes) - 1
	}
	of.classes[class].Inc()
}
