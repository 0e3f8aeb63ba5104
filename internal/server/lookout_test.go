package server_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	model "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	names "github.com/prometheus/common/model"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/rolecall/rolecall/internal/server"
	"github.com/rolecall/rolecall/internal/webhook"
)

// figures is what a server shows at /metrics.
type figures struct {
	text     string
	families map[string]*model.MetricFamily
}

func (r *running) scrape() figures {
	r.tb.Helper()
	resp, err := http.Get(r.metrics)
	if err != nil {
		r.tb.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		r.tb.Fatalf("%d %v: %s", resp.StatusCode, err, text)
	}
	parser := expfmt.NewTextParser(names.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		r.tb.Fatal(err)
	}
	return figures{string(text), families}
}

// value is the value of the metric that has the given labels and values among its own; of a histogram how many there are.
func (f figures) value(t *testing.T, name string, labels ...string) float64 {
	t.Helper()
	for _, m := range f.families[name].GetMetric() {
		has := map[string]string{}
		for _, l := range m.GetLabel() {
			has[l.GetName()] = l.GetValue()
		}
		fits := true
		for i := 0; i+1 < len(labels); i += 2 {
			fits = fits && has[labels[i]] == labels[i+1]
		}
		switch {
		case !fits:
		case m.GetHistogram() != nil:
			return float64(m.GetHistogram().GetSampleCount())
		case m.GetCounter() != nil:
			return m.GetCounter().GetValue()
		default:
			return m.GetGauge().GetValue()
		}
	}
	t.Fatalf("no %s %v in\n%s", name, labels, f.text)
	return 0
}

// What a server did is shown at the operators' address, and nowhere else.
func TestMetrics(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		r := start(t, server.Config{Database: database, Metrics: "127.0.0.1:0"})
		const secret = "canary-4f1c"
		org := r.want(201, r.call(r.key, "POST", "/organizations", `{"name":"`+secret+`","external_id":"`+secret+`@acme.example"}`)).body["id"].(string)
		for range 3 {
			r.want(200, r.call(r.key, "GET", "/organizations/"+org, ""))
		}
		r.want(200, r.call(r.key, "GET", "/organizations/external_id/"+secret+"%40acme.example", ""))
		r.want(404, r.call(r.key, "GET", "/organizations/org_01JZ0000000000000000000000", ""))
		r.want(404, r.call(r.key, "GET", "/"+secret, ""))
		r.want(405, r.call(r.key, "PUT", "/organizations", ""))
		r.want(404, r.call(r.key, "GET", "/metrics", ""))
		f := r.scrape()
		const requests, took = "rolecall_http_requests_total", "rolecall_http_request_duration_seconds"
		one := []string{"method", "GET", "route", "/organizations/{id}"}
		for _, c := range []struct {
			got, want float64
		}{
			{f.value(t, requests, append(one, "status", "2xx")...), 3},
			{f.value(t, requests, append(one, "status", "4xx")...), 1},
			{f.value(t, requests, append(one, "status", "5xx")...), 0},
			{f.value(t, took, one...), 4},
			{f.value(t, requests, "route", "none", "status", "4xx"), 3},
			{f.value(t, "rolecall_transactions_total", "kind", "update", "outcome", "failed"), 0},
			{f.value(t, "rolecall_queue_up"), 1},
			{f.value(t, "rolecall_queue_length", "queue", "jobs"), 0},
			{f.value(t, "rolecall_build_info", "version", "test"), 1},
		} {
			if c.got != c.want {
				t.Errorf("%v, want %v in\n%s", c.got, c.want, f.text)
			}
		}
		for _, name := range []string{"rolecall_transaction_duration_seconds", "rolecall_transactions_total"} {
			if f.value(t, name, "kind", "update") < 1 || f.value(t, name, "kind", "view") < 1 {
				t.Errorf("%s counts nothing:\n%s", name, f.text)
			}
		}
		if f.value(t, "rolecall_commit_duration_seconds") < 1 || f.value(t, "go_goroutines") < 1 {
			t.Errorf("nothing is counted:\n%s", f.text)
		}
		for _, inside := range []string{secret, org, r.key, r.environment, "environment_", "org_"} {
			if strings.Contains(f.text, inside) {
				t.Errorf("%q is shown", inside)
			}
		}
	})
}

// Every metric is in the document with its type and its labels, the document has no other, and all are named as
// Prometheus wants them named.
func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	r := start(t, server.Config{Database: "sqlite:" + sqliteFile(t), Metrics: "127.0.0.1:0"})
	r.want(200, r.call(r.key, "GET", roles, ""))
	f := r.scrape()
	shown := map[string]string{}
	for name, family := range f.families {
		if !strings.HasPrefix(name, "rolecall_") {
			continue
		}
		var labels []string
		for _, l := range family.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		slices.Sort(labels)
		shown[name] = strings.ToLower(family.GetType().String()) + " " + strings.Join(labels, " ")
	}
	document, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(rolecall_\\w+)` \\| (\\w+) \\|([^|]*)\\|").FindAllStringSubmatch(string(document), -1) {
		labels := regexp.MustCompile(`\w+`).FindAllString(row[3], -1)
		slices.Sort(labels)
		told[row[1]] = row[2] + " " + strings.Join(labels, " ")
	}
	for _, name := range slices.Sorted(maps.Keys(shown)) {
		if told[name] != shown[name] {
			t.Errorf("%s is %q, and in docs/metrics.md %q", name, shown[name], told[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(told)) {
		if _, ok := shown[name]; !ok {
			t.Errorf("%s is in docs/metrics.md only", name)
		}
	}
	for _, name := range regexp.MustCompile(`rolecall_\w+`).FindAllString(string(document), -1) {
		if _, ok := shown[strings.TrimSuffix(name, "_bucket")]; !ok {
			t.Errorf("docs/metrics.md speaks of %s, which there is not", name)
		}
	}
	problems, err := promlint.New(strings.NewReader(f.text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}

// Without the flag there is no second address; with a wrong one the server does not start, and says why.
func TestMetricsAddress(t *testing.T) {
	t.Parallel()
	silent := start(t, server.Config{Database: "sqlite:" + sqliteFile(t)})
	if strings.Contains(silent.out.String(), "metrics") || silent.metrics != "" {
		t.Errorf("announced %s", silent.out)
	}
	taken := start(t, server.Config{Database: "sqlite:" + sqliteFile(t), Metrics: "127.0.0.1:0"})
	other := strings.TrimPrefix(taken.address, "http://")
	_, port, _ := strings.Cut(other, ":")
	for name, c := range map[string]struct{ listen, metrics, says string }{
		"the same":            {other, other, "cannot share"},
		"the same port":       {other, ":" + port, "cannot share"},
		"the same by name":    {":" + port, "localhost:" + port, "cannot share"},
		"in use":              {"127.0.0.1:0", other, "listening for metrics"},
		"nonsense":            {"127.0.0.1:0", "nonsense", "listening for metrics"},
		"not of this machine": {"127.0.0.1:0", "192.0.2.1:9090", "listening for metrics"},
	} {
		r, err := try(t, server.Config{Database: "sqlite:" + sqliteFile(t), Listen: c.listen, Metrics: c.metrics})
		if err == nil {
			t.Errorf("%s: it started", name)
			r.stop()
		} else if !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		resp, err := http.Get(strings.TrimSuffix(taken.metrics, "/metrics") + path)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %v %v", path, resp, err)
		} else {
			resp.Body.Close()
		}
	}
	taken.stop()
	if _, err := http.Get(taken.metrics); err == nil {
		t.Error("metrics are shown after the end")
	}
	taken = start(t, server.Config{Database: "sqlite:" + sqliteFile(t), Metrics: strings.TrimSuffix(strings.TrimPrefix(taken.metrics, "http://"), "/metrics")})
	taken.scrape()
}

// Checks are counted by what they came to and by what answered them, and what answers depend on by what it took to read
// it: none of it is counted twice.
func TestChecksAreWatched(t *testing.T) {
	t.Parallel()
	to := newReceiver(t)
	r := start(t, server.Config{Database: "sqlite:" + sqliteFile(t), Metrics: "127.0.0.1:0", Traces: to.URL, Demo: true})
	end := time.After(patience)
	for r.scrape().value(t, "rolecall_memory_term") != 1 { // which begins beside the first requests
		select {
		case <-end:
			t.Fatal("no term begins")
		case <-time.After(20 * time.Millisecond):
		}
	}
	var globex string
	for _, o := range r.want(200, r.call(r.key, "GET", "/organizations", "")).body["data"].([]any) {
		if org := o.(map[string]any); org["name"] == "Globex" {
			globex = org["id"].(string)
		}
	}
	members := r.want(200, r.call(r.key, "GET", "/user_management/organization_memberships?role_slug=editor&organization_id="+globex, ""))
	member := members.body["data"].([]any)[0].(map[string]any)["id"].(string)
	const of = "/authorization/organization_memberships/"
	check := func(status int, member, permission string) {
		t.Helper()
		r.want(status, r.call(r.key, "POST", of+member+"/check", `{"permission_slug":"`+permission+`"}`))
	}
	before := r.scrape()
	for range 3 {
		check(200, member, "projects:edit")
		check(200, member, "settings:edit")
	}
	check(404, member, "nothing:like-it")
	r.want(200, r.call(r.key, "POST", "/authorization/checks", `{"checks":[{"organization_membership_id":"`+member+`","permission_slug":"projects:edit"},`+
		`{"organization_membership_id":"`+member+`","permission_slug":"settings:edit"},{"organization_membership_id":"`+member+`","permission_slug":"nothing"}]}`))
	f := r.scrape()
	grown := func(name string, labels ...string) float64 {
		t.Helper()
		return f.value(t, name, labels...) - before.value(t, name, labels...)
	}
	for name, c := range map[string]struct{ got, want float64 }{
		"allowed":  {grown("rolecall_checks_total", "result", "allowed"), 4},
		"denied":   {grown("rolecall_checks_total", "result", "denied"), 4},
		"refused":  {grown("rolecall_checks_total", "result", "refused"), 2},
		"a member": {grown("rolecall_load_duration_seconds", "kind", "member"), 1},
		"failures": {grown("rolecall_load_failures_total", "kind", "member"), 0},
		"entries":  {f.value(t, "rolecall_memory_entries", "kind", "member"), 1},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	if memory := grown("rolecall_answers_total", "by", "memory"); memory < 6 {
		t.Errorf("%v answers from memory", memory)
	}
	all := 0.0
	for _, why := range []string{"remembered", "no_term", "held", "changed", "absent", "unfit", "failed"} {
		all += grown("rolecall_answers_total", "why", why)
	}
	if all != 10 {
		t.Errorf("%v answers, want 10", all)
	}
	before = f
	r.want(200, r.call(r.key, "PUT", "/authorization/roles/editor/permissions", `{"permissions":["projects:read"]}`))
	check(200, member, "projects:edit")
	f = r.scrape()
	if grown("rolecall_announce_duration_seconds") < 1 || grown("rolecall_checks_total", "result", "denied") != 1 || f.value(t, "rolecall_memory_held_regions") != 0 {
		t.Errorf("a change is not seen in\n%s", f.text)
	}
	r.stop()
	if s := to.named("", "load member"); s == nil || len(s.ParentSpanId) == 0 {
		t.Errorf("the span of a reading is %v", s)
	}
}

// Attempts to deliver are counted, and are spans that do not tell where they went.
func TestWebhooksAreWatched(t *testing.T) {
	t.Parallel()
	to := newReceiver(t)
	goOn := make(chan struct{})
	close(goOn)
	url, arrived := hook(t, goOn)
	r := start(t, server.Config{Database: "sqlite:" + sqliteFile(t), Metrics: "127.0.0.1:0", Traces: to.URL, Webhooks: webhook.Options{AllowPrivate: true}})
	r.want(201, r.call(r.key, "POST", endpoints, newEndpoint(url+"/canary-path")))
	r.want(201, r.call(r.key, "POST", permissions, newPermission("a")))
	await(t, "the webhook", arrived)
	end := time.After(patience)
	for r.scrape().value(t, "rolecall_webhook_attempt_duration_seconds", "outcome", "delivered") != 1 {
		select {
		case <-end:
			t.Fatal("the attempt is not counted")
		case <-time.After(20 * time.Millisecond): // the answer is read after the receiver has told of the webhook
		}
	}
	r.stop()
	if s := to.named("", "webhook delivery"); s == nil || s.Kind != spans.Span_SPAN_KIND_CLIENT || s.EndTimeUnixNano < s.StartTimeUnixNano {
		t.Errorf("the span is %v", s)
	}
	if strings.Contains(to.text(), "canary") || strings.Contains(to.text(), strings.TrimPrefix(url, "http://")) {
		t.Error("the address of the receiver is sent")
	}
}

// The program takes both addresses from the environment.
func metricsOfTheProgram(t *testing.T, program string) {
	p := launch(t, program, []string{"ROLECALL_LISTEN=127.0.0.1:0", "ROLECALL_METRICS_LISTEN=127.0.0.1:0"}, "--database", "sqlite:"+sqliteFile(t))
	for range 5 {
		p.want(200, p.call(p.key, "GET", roles, ""))
	}
	if got := p.scrape().value(t, "rolecall_http_requests_total", "route", roles, "status", "2xx"); got != 5 {
		t.Errorf("%v requests, want 5", got)
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d: %s", code, p.log)
	}
}
