package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/web"
)

// logged sends one request through Wrap and returns the answer and the lines of the log.
func logged(t *testing.T, h http.HandlerFunc, req *http.Request) (*httptest.ResponseRecorder, []map[string]any) {
	t.Helper()
	var out bytes.Buffer
	w := httptest.NewRecorder()
	web.Wrap(h, slog.New(slog.NewJSONHandler(&out, nil)), id.NewSource(nil, nil)).ServeHTTP(w, req)
	var lines []map[string]any
	for dec := json.NewDecoder(&out); ; {
		var line map[string]any
		err := dec.Decode(&line)
		if errors.Is(err, io.EOF) {
			return w, lines
		}
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line)
	}
}

// One line a request, which names route, status and id, and nothing that the request held.
func TestOneLineARequest(t *testing.T) {
	t.Parallel()
	req := httptest.NewRequest("POST", "/things/secret-in-path?email=secret-in-query", strings.NewReader("secret-in-body"))
	req.Header.Set("Authorization", "Bearer secret-in-header")
	req.Header.Set("Idempotency-Key", "secret-in-key")
	req.Header.Set("User-Agent", "secret-in-agent")
	req.Header.Set("X-Request-ID", "sent-1")
	w, lines := logged(t, func(w http.ResponseWriter, r *http.Request) {
		web.Note(w, slog.String("environment", "environment_1"))
		web.Refuse(w, fault.New(fault.Conflict, "slug_conflict", "'secret-in-message' exists."))
	}, req)
	if w.Code != 409 || w.Header().Get("X-Request-ID") != "sent-1" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if len(lines) != 1 {
		t.Fatalf("%d lines: %v", len(lines), lines)
	}
	for name, want := range map[string]any{"method": "POST", "status": 409.0, "request_id": "sent-1", "environment": "environment_1", "code": "slug_conflict", "level": "INFO"} {
		if lines[0][name] != want {
			t.Errorf("%s is %v, want %v", name, lines[0][name], want)
		}
	}
	if _, ok := lines[0]["ms"].(float64); !ok {
		t.Errorf("no duration: %v", lines[0])
	}
	if strings.Contains(fmt.Sprint(lines), "secret") {
		t.Errorf("the log holds what the request held: %v", lines)
	}
}

// A panic is a 500 in JSON that tells nothing, and the log tells where.
func TestPanic(t *testing.T) {
	t.Parallel()
	w, lines := logged(t, func(http.ResponseWriter, *http.Request) { panic("internal secret") }, httptest.NewRequest("GET", "/", nil))
	if w.Code != 500 || !strings.Contains(w.Body.String(), `"code":"internal_error"`) || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if len(lines) != 2 || lines[0]["panic"] != "internal secret" || !strings.Contains(fmt.Sprint(lines[0]["stack"]), "middleware_test.go") || lines[1]["status"] != 500.0 || lines[1]["level"] != "ERROR" {
		t.Errorf("logged %v", lines)
	}
	w, _ = logged(t, func(w http.ResponseWriter, _ *http.Request) { web.Write(w, 201, []byte("{}")); panic("late") }, httptest.NewRequest("GET", "/", nil))
	if w.Code != 201 || w.Body.String() != "{}" {
		t.Errorf("after an answer: %d %s", w.Code, w.Body)
	}
}

// An error that nobody classified is a 500 without its text, which only the log gets; so is a database that is down.
func TestInternalErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		status int
		code   string
	}{
		{errors.New("internal detail"), 500, "internal_error"},
		{fmt.Errorf("wrapped: %w", errors.New("internal detail")), 500, "internal_error"},
		{fault.Down(errors.New("internal detail")), 503, "temporarily_unavailable"},
	} {
		w, lines := logged(t, func(w http.ResponseWriter, _ *http.Request) { web.Refuse(w, c.err) }, httptest.NewRequest("GET", "/", nil))
		if w.Code != c.status || !strings.Contains(w.Body.String(), `"code":"`+c.code+`"`) || strings.Contains(w.Body.String(), "detail") {
			t.Errorf("%v: %d %s", c.err, w.Code, w.Body)
		}
		if (w.Header().Get("Retry-After") != "") != (c.status == 503) {
			t.Errorf("%v: Retry-After %q", c.err, w.Header().Get("Retry-After"))
		}
		if len(lines) != 1 || lines[0]["level"] != "ERROR" || !strings.Contains(fmt.Sprint(lines[0]["error"]), "internal detail") {
			t.Errorf("%v is logged as %v", c.err, lines)
		}
	}
}

// seen is an observer that keeps what it is told.
type seen struct{ told []string }

type seenKey struct{}

func (s *seen) Begin(ctx context.Context, req *http.Request) context.Context {
	s.told = append(s.told, "begin "+req.Method+" "+req.Pattern)
	return context.WithValue(ctx, seenKey{}, "kept")
}

func (s *seen) End(req *http.Request, e web.Ended) {
	s.told = append(s.told, fmt.Sprintf("end %q %v %s %d %v", req.Pattern, req.Context().Value(seenKey{}), e.RequestID, e.Status, e.Took > 0))
}

// Observers are told of every request by its route, however it ends, and what they add to its context is there.
func TestObservers(t *testing.T) {
	t.Parallel()
	router := web.NewRouter()
	router.Handle("GET", "/things/{id}", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Context().Value(seenKey{}) != "kept" {
			t.Error("the context is another")
		}
		switch r.PathValue("id") {
		case "panics":
			panic("at the worst moment")
		case "breaks":
			panic(http.ErrAbortHandler)
		}
		web.Write(w, 200, nil)
	}))
	var s seen
	h := web.Wrap(router, slog.New(slog.DiscardHandler), id.NewSource(nil, nil), &s)
	for target, want := range map[string]string{
		"/things/1":      `end "GET /things/{id}" kept x-1 200 true`,
		"/things/panics": `end "GET /things/{id}" kept x-1 500 true`,
		"/things/breaks": `end "GET /things/{id}" kept x-1 0 true`,
		"/nowhere":       `end "" kept x-1 404 true`,
	} {
		s.told = nil
		req := httptest.NewRequest("GET", target, nil)
		req.Header.Set("X-Request-ID", "x-1")
		func() {
			defer func() { recover() }()
			h.ServeHTTP(httptest.NewRecorder(), req)
		}()
		if got := strings.Join(s.told, ", "); got != "begin GET , "+want {
			t.Errorf("%s: told %s, want %s", target, got, want)
		}
	}
}

// Every kind of fault has a status and a body of one shape.
func TestRefuse(t *testing.T) {
	t.Parallel()
	for kind, status := range map[fault.Kind]int{
		fault.BadRequest: 400, fault.Invalid: 422, fault.Unauthorized: 401, fault.Forbidden: 403, fault.NotFound: 404,
		fault.Conflict: 409, fault.TooLarge: 413, fault.TooMany: 429, fault.Unavailable: 503, fault.Internal: 500,
	} {
		w := httptest.NewRecorder()
		web.Refuse(w, fmt.Errorf("context: %w", fault.New(kind, "the_code", "The <message>.")))
		if w.Code != status || w.Body.String() != `{"code":"the_code","message":"The <message>."}` {
			t.Errorf("kind %d: %d %s", kind, w.Code, w.Body)
		}
		if (w.Header().Get("WWW-Authenticate") != "") != (status == 401) {
			t.Errorf("kind %d: WWW-Authenticate %q", kind, w.Header().Get("WWW-Authenticate"))
		}
	}
	for retry, want := range map[time.Duration]string{0: "1", time.Millisecond: "1", 30 * time.Second: "30", 61*time.Second + 1: "62"} {
		f := fault.New(fault.TooMany, "the_code", "The message.")
		f.Retry = retry
		w := httptest.NewRecorder()
		if web.Refuse(w, f); w.Header().Get("Retry-After") != want {
			t.Errorf("again in %v: Retry-After %q, want %s", retry, w.Header().Get("Retry-After"), want)
		}
	}
	w := httptest.NewRecorder()
	web.Refuse(w, fault.BadFields(fault.Field{Name: "a", Message: "is odd"}, fault.Field{Name: "b", Message: "is not"}))
	const want = `{"code":"invalid_request_parameters","message":"Validation failed: a is odd; b is not.","errors":[{"field":"a","code":"a is odd","message":"is odd"},{"field":"b","code":"b is not","message":"is not"}]}`
	if w.Code != 422 || w.Body.String() != want {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	w = httptest.NewRecorder()
	web.Refuse(w, &authz.Replay{Receipt: authz.Receipt{Status: 201, Body: []byte(`{"first":true}`)}})
	if w.Code != 201 || w.Body.String() != `{"first":true}` || w.Header().Get("Idempotent-Replayed") != "true" {
		t.Errorf("a replay: %d %s %v", w.Code, w.Body, w.Header())
	}
}

// A request has its time; what is done for it ends then.
func TestRequestTimeLimit(t *testing.T) {
	t.Parallel()
	logged(t, func(_ http.ResponseWriter, r *http.Request) {
		until, limited := r.Context().Deadline()
		if left := time.Until(until); !limited || left > web.RequestLimit || left < web.RequestLimit-time.Minute {
			t.Errorf("the request ends in %v", left)
		}
		if errors.Is(r.Context().Err(), context.Canceled) {
			t.Error("it has ended already")
		}
	}, httptest.NewRequest("GET", "/", nil))
}

// An answer that fails while it is sent is broken off, so that nobody takes a part for the whole, and the log says why.
func TestBrokenStream(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logged := make(chan struct{})
	serve := web.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		web.Stream(w, http.StatusOK, "text/csv", func(w io.Writer) error {
			if _, err := io.WriteString(w, strings.Repeat("a,b\n", 10_000)); err != nil {
				return err
			}
			return errors.New("the rest is lost")
		})
	}), slog.New(slog.NewJSONHandler(&out, nil)), id.NewSource(nil, nil))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(logged)
		serve.ServeHTTP(w, r)
	}))
	defer server.Close()
	resp, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if kind := resp.Header.Get("Content-Type"); kind != "text/csv; charset=utf-8" {
		t.Errorf("Content-Type %q", kind)
	}
	if body, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("%d bytes were read to their end", len(body))
	}
	<-logged
	if line := out.String(); !strings.Contains(line, "the rest is lost") || strings.Contains(line, "stack") {
		t.Errorf("the log says %s", line)
	}
}
