package server_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/rolecall/rolecall/internal/server"
)

// receiver takes traces over OTLP/HTTP.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	got  []*spans.ResourceSpans
	sent http.Header
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		var export collector.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &export)
		}
		if err != nil || req.URL.Path != "/v1/traces" {
			t.Errorf("%s got %v", req.URL.Path, err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got, r.sent = append(r.got, export.ResourceSpans...), req.Header
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(r.Close)
	return r
}

// all is every span received.
func (r *receiver) all() (all []*spans.Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, resource := range r.got {
		for _, scope := range resource.ScopeSpans {
			all = append(all, scope.Spans...)
		}
	}
	return all
}

// text is everything received, for searching.
func (r *receiver) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fmt.Sprint(r.got)
}

// named finds a span of a trace by its name.
func (r *receiver) named(trace, name string) *spans.Span {
	for _, s := range r.all() {
		if s.Name == name && (trace == "" || fmt.Sprintf("%x", s.TraceId) == trace) {
			return s
		}
	}
	return nil
}

// Of a request that is part of a trace there are spans in it, with what led to what, and nothing in them is secret or
// personal. What is left is sent when the server stops.
func TestTraces(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		to := newReceiver(t)
		r := start(t, server.Config{Database: database, Traces: to.URL, Metrics: "127.0.0.1:0"})
		const trace, parent, secret = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "canary-77aa"
		asked := func(status int, method, path, body string) {
			r.want(status, r.call(r.key, method, path, body, "traceparent", "00-"+trace+"-"+parent+"-01", "X-Request-ID", "request-7",
				"Cookie", secret, "User-Agent", secret, "Idempotency-Key", secret+method, "baggage", "k="+secret))
		}
		org := r.want(201, r.call(r.key, "POST", "/organizations", `{"name":"Acme"}`)).body["id"].(string)
		user := r.want(201, r.call(r.key, "POST", "/user_management/users", `{"email":"`+secret+`@acme.example"}`)).body["id"].(string)
		member := r.want(201, r.call(r.key, "POST", "/user_management/organization_memberships", `{"organization_id":"`+org+`","user_id":"`+user+`"}`)).body["id"].(string)
		asked(201, "POST", permissions, newPermission("a"))
		asked(200, "POST", "/authorization/organization_memberships/"+member+"/check", `{"permission_slug":"a"}`)
		asked(200, "GET", "/user_management/users?email="+secret+"@acme.example", "")
		asked(404, "GET", "/organizations/external_id/"+secret+"%40acme.example", "")
		asked(404, "GET", "/"+secret, "")
		r.stop()

		check := to.named(trace, "POST /authorization/organization_memberships/{organization_membership_id}/check")
		if check == nil {
			t.Fatalf("no span of the check in %s", to.text())
		}
		if got := fmt.Sprintf("%x", check.ParentSpanId); got != parent || check.Kind != spans.Span_SPAN_KIND_SERVER {
			t.Errorf("the parent is %s, want %s: %v", got, parent, check)
		}
		about := fmt.Sprint(check.Attributes)
		for _, want := range []string{"request-7", "/authorization/organization_memberships/{", "200"} {
			if !strings.Contains(about, want) {
				t.Errorf("nothing says %s: %s", want, about)
			}
		}
		update := to.named(trace, "transaction update")
		made := to.named(trace, "POST "+permissions)
		if update == nil || made == nil || string(update.ParentSpanId) != string(made.SpanId) ||
			update.StartTimeUnixNano < made.StartTimeUnixNano || update.EndTimeUnixNano > made.EndTimeUnixNano {
			t.Errorf("the transaction of a change is no part of its request:\n%v\n%v", made, update)
		}
		for _, inside := range []string{r.key, secret, "acme", "Acme"} {
			if strings.Contains(to.text(), inside) {
				t.Errorf("%q is sent", inside)
			}
		}
		for _, s := range to.all() {
			if len(s.ParentSpanId) == 0 && !strings.HasPrefix(s.Name, "POST ") && !strings.HasPrefix(s.Name, "GET ") {
				t.Errorf("%s belongs to no request", s.Name)
			}
		}
	})
}

// A client may keep its request out of the traces, and a collector that is not there disturbs nobody.
func TestTracesThatNobodyTakes(t *testing.T) {
	t.Parallel()
	to := newReceiver(t)
	r := start(t, server.Config{Database: "sqlite:" + sqliteFile(t), Traces: to.URL})
	r.want(200, r.call(r.key, "GET", roles, "", "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"))
	r.stop()
	if all := to.all(); len(all) > 0 {
		t.Errorf("sent %v", all)
	}
	to.Close()
	r = start(t, server.Config{Database: "sqlite:" + sqliteFile(t), Traces: to.URL})
	r.want(200, r.call(r.key, "GET", roles, ""))
	r.stop()
	if !strings.Contains(r.log.String(), "traces") {
		t.Errorf("the log does not tell of it: %s", r.log)
	}
	for _, address := range []string{"nonsense", "ftp://127.0.0.1", "http://", "http://user:canary-password@127.0.0.1:4318"} {
		_, err := try(t, server.Config{Database: "sqlite:" + sqliteFile(t), Traces: address})
		if err == nil || !strings.Contains(err.Error(), "must be a URL") || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// The standard variables are enough, and those for the collector reach it.
func tracesOfTheProgram(t *testing.T, program string) {
	to := newReceiver(t)
	p := launch(t, program, []string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + to.URL, "OTEL_EXPORTER_OTLP_HEADERS=x-token=canary-token", "OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=here"},
		"--listen", "127.0.0.1:0", "--database", "sqlite:"+sqliteFile(t))
	p.want(200, p.call(p.key, "GET", roles, ""))
	p.cmd.Process.Signal(syscall.SIGTERM)
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d: %s", code, p.log)
	}
	if to.named("", "GET "+roles) == nil || to.sent.Get("X-Token") != "canary-token" {
		t.Errorf("received %s with %v", to.text(), to.sent)
	}
	for _, want := range []string{"rolecall", "service.version", "deployment.environment.name"} {
		if !strings.Contains(to.text(), want) {
			t.Errorf("nothing says %s: %s", want, to.text())
		}
	}
	if strings.Contains(p.log.String()+p.out.String(), "canary-token") {
		t.Error("what is for the collector is told")
	}
}
