package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/web"
	"github.com/rolecall/rolecall/internal/webhook"
)

// Traces sends spans to a collector. It is a Watcher, and safe for concurrent use.
type Traces struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
}

// TracesByEnvironment says whether the standard variables of OpenTelemetry, which lookup finds, name a collector.
func TracesByEnvironment(lookup func(string) string) bool {
	if lookup("OTEL_SDK_DISABLED") == "true" || lookup("OTEL_TRACES_EXPORTER") == "none" {
		return false
	}
	return lookup("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || lookup("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
}

// tracesPath is where a collector takes spans.
const tracesPath = "v1/traces"

// NewTraces sends spans to the collector at an address, over OTLP/HTTP; where the address is empty, to the one that the
// standard variables name. The other standard variables count either way. It does not wait for the collector.
func NewTraces(ctx context.Context, address, version string, log *slog.Logger) (*Traces, error) {
	var options []otlptracehttp.Option
	if address != "" {
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
			return nil, errors.New("the address for traces must be a URL such as http://127.0.0.1:4318, without a user name; " +
				"what else the collector wants to know goes into OTEL_EXPORTER_OTLP_HEADERS")
		}
		options = append(options, otlptracehttp.WithEndpointURL(u.JoinPath(tracesPath).String()))
	}
	exporter, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("preparing traces: %w", err)
	}
	who, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", "rolecall"), attribute.String("service.version", version)),
		resource.WithFromEnv())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading OTEL_RESOURCE_ATTRIBUTES: %w", err), exporter.Shutdown(ctx))
	}
	return newTraces(&told{SpanExporter: exporter, log: log}, who), nil
}

func newTraces(to sdk.SpanExporter, who *resource.Resource) *Traces {
	p := sdk.NewTracerProvider(sdk.WithBatcher(to), sdk.WithResource(who))
	return &Traces{provider: p, tracer: p.Tracer("github.com/rolecall/rolecall")}
}

// Flush sends what is left and ends, before the context ends.
func (t *Traces) Flush(ctx context.Context) error {
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("sending the last traces: %w", err)
	}
	return nil
}

// told is an exporter whose failures are logged, now and then.
type told struct {
	sdk.SpanExporter
	log *slog.Logger

	mu sync.Mutex
	at time.Time
}

// toldEvery is how often is logged that spans are lost.
const toldEvery = time.Minute

// ExportSpans implements sdk.SpanExporter.
func (e *told) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if now := time.Now(); e.at.IsZero() || now.Sub(e.at) > toldEvery {
		e.at = now
		e.log.Warn("traces are lost", "spans", len(spans), "error", err)
	}
	return nil // it is told
}

// Begin implements web.Observer. A caller's traceparent makes the span a part of its trace.
func (t *Traces) Begin(ctx context.Context, req *http.Request) context.Context {
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(req.Header))
	ctx, _ = t.tracer.Start(ctx, method(req), trace.WithSpanKind(trace.SpanKindServer))
	return ctx
}

// End implements web.Observer.
func (t *Traces) End(req *http.Request, e web.Ended) {
	span := trace.SpanFromContext(req.Context())
	defer span.End()
	if !span.IsRecording() {
		return
	}
	about := []attribute.KeyValue{
		attribute.String("http.request.method", method(req)), attribute.String("rolecall.request_id", e.RequestID),
	}
	if req.Pattern != "" {
		_, path := split(req.Pattern)
		span.SetName(req.Pattern)
		about = append(about, attribute.String("http.route", path))
	}
	if e.Status != 0 {
		about = append(about, attribute.Int("http.response.status_code", e.Status))
	}
	span.SetAttributes(about...)
	if e.Status == 0 || e.Status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
}

// method is the method of a request, if it is one.
func method(req *http.Request) string {
	known := []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions}
	if slices.Contains(known, req.Method) {
		return req.Method
	}
	return "_OTHER"
}

// Worked implements Watcher.
func (t *Traces) Worked(ctx context.Context, w store.Work) {
	about := []attribute.KeyValue{
		attribute.String("rolecall.transaction.outcome", w.Outcome), attribute.Int("rolecall.transaction.retries", w.Retries),
	}
	if w.Commit > 0 {
		about = append(about, attribute.Float64("rolecall.transaction.commit_seconds", w.Commit.Seconds()))
	}
	if w.Announce > 0 {
		about = append(about, attribute.Float64("rolecall.transaction.announce_seconds", w.Announce.Seconds()))
	}
	t.part(ctx, "transaction "+w.Kind, w.Began, w.Took, w.Outcome == store.OutcomeFailed || w.Outcome == store.OutcomeUnavailable, about...)
}

// Loaded implements Watcher.
func (t *Traces) Loaded(ctx context.Context, l Load) {
	t.part(ctx, "load "+l.Kind, l.Began, l.Took, l.Err != nil)
}

// part records what was done as a part of a span. What belongs to none, such as looking for work, is done all the time
// and tells nothing.
func (t *Traces) part(ctx context.Context, name string, began time.Time, took time.Duration, failed bool, about ...attribute.KeyValue) {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return
	}
	_, span := t.tracer.Start(ctx, name, trace.WithTimestamp(began), trace.WithAttributes(about...))
	if failed {
		span.SetStatus(codes.Error, "")
	}
	span.End(trace.WithTimestamp(began.Add(took)))
}

// Attempted implements Watcher. The receiver is told nothing of the trace, and the trace nothing of where it is.
func (t *Traces) Attempted(ctx context.Context, a webhook.Attempt) {
	_, span := t.tracer.Start(ctx, "webhook delivery", trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(a.At),
		trace.WithAttributes(
			attribute.String("rolecall.webhook.delivery_id", string(a.Delivery)),
			attribute.Int("rolecall.webhook.attempt", a.Number), attribute.Int("http.response.status_code", a.Status),
		))
	if a.Error != "" {
		span.SetStatus(codes.Error, "")
	}
	span.End(trace.WithTimestamp(a.At.Add(a.Duration)))
}
