package watch_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/watch"
	"github.com/rolecall/rolecall/internal/web"
)

const checkRoute = "POST /authorization/organization_memberships/{organization_membership_id}/check"

func TestRequestsAreCounted(t *testing.T) {
	t.Parallel()
	m := watch.NewMetrics("1", "SQLite")
	for _, e := range []struct {
		pattern string
		status  int
	}{{checkRoute, 200}, {checkRoute, 201}, {checkRoute, 404}, {checkRoute, 0}, {checkRoute, 999}, {"", 404}, {"", 405}, {"/any", 302}} {
		m.End(&http.Request{Method: "odd-canary", Pattern: e.pattern}, web.Ended{Status: e.status, Took: 3 * time.Millisecond})
	}
	w := httptest.NewRecorder()
	m.Handler(slog.New(slog.DiscardHandler)).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	const check = `method="POST",route="/authorization/organization_memberships/{organization_membership_id}/check"`
	for _, line := range []string{
		`rolecall_http_requests_total{` + check + `,status="2xx"} 2`,
		`rolecall_http_requests_total{` + check + `,status="4xx"} 1`,
		`rolecall_http_requests_total{` + check + `,status="5xx"} 0`,
		`rolecall_http_requests_total{` + check + `,status="none"} 2`,
		`rolecall_http_requests_total{method="none",route="none",status="4xx"} 2`,
		`rolecall_http_requests_total{method="any",route="/any",status="3xx"} 1`,
		`rolecall_http_request_duration_seconds_bucket{` + check + `,le="0.0025"} 0`,
		`rolecall_http_request_duration_seconds_bucket{` + check + `,le="0.005"} 5`,
	} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("no %s", line)
		}
	}
	if strings.Contains(w.Body.String(), "canary") {
		t.Error("what a client sends becomes a label")
	}
}

// A check is answered in microseconds, and so is counted in nanoseconds.
func TestCountingARequestAllocatesNothing(t *testing.T) {
	all := watch.All{watch.NewMetrics("1", "SQLite")}
	req := &http.Request{Method: "POST", Pattern: checkRoute}
	if n := testing.AllocsPerRun(1000, func() {
		all.Begin(context.Background(), req)
		all.End(req, web.Ended{Status: 200, Took: 30 * time.Microsecond})
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCountingARequest(b *testing.B) {
	all := watch.All{watch.NewMetrics("1", "SQLite")}
	req := &http.Request{Method: "POST", Pattern: checkRoute}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		all.Begin(ctx, req)
		all.End(req, web.Ended{Status: 200, Took: 30 * time.Microsecond})
	}
}

func BenchmarkCountingRequestsAtOnce(b *testing.B) {
	all := watch.All{watch.NewMetrics("1", "SQLite")}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		req := &http.Request{Method: "POST", Pattern: checkRoute}
		ctx := context.Background()
		for pb.Next() {
			all.Begin(ctx, req)
			all.End(req, web.Ended{Status: 200, Took: 30 * time.Microsecond})
		}
	})
}

// A scrape of a server that has served every route: about 180 of them.
func BenchmarkScrape(b *testing.B) {
	m := watch.NewMetrics("1", "SQLite")
	for i := range 180 {
		m.End(&http.Request{Pattern: fmt.Sprintf("GET /authorization/things/%d", i)}, web.Ended{Status: 200, Took: time.Millisecond})
	}
	show := m.Handler(slog.New(slog.DiscardHandler))
	for b.Loop() {
		w := httptest.NewRecorder()
		show.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		b.ReportMetric(float64(w.Body.Len()), "bytes")
	}
}
