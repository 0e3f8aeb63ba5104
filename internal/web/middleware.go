package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// RequestLimit is how long a request may take before its work is abandoned and answered 503.
const RequestLimit = 30 * time.Second

// recorder remembers what was answered, for the log.
type recorder struct {
	http.ResponseWriter
	status int
	cause  error
	note   []any
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Note adds attributes to the log line of the request. They must not be secret.
func Note(w http.ResponseWriter, attributes ...any) {
	if r, ok := w.(*recorder); ok {
		r.note = append(r.note, attributes...)
	}
}

// Blame gives the log line of the request the error that was answered.
func Blame(w http.ResponseWriter, err error) {
	if r, ok := w.(*recorder); ok {
		r.cause = err
	}
}

var sentID = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)

// Observer is told of every request, and must not wait.
type Observer interface {
	// Begin is told that a request begins, before its route is known, and may add to the context that it is served in.
	Begin(ctx context.Context, req *http.Request) context.Context
	// End is told how it ended. The context of the request is that of Begin; its Pattern is empty where no route took it.
	End(req *http.Request, e Ended)
}

// Ended is how a request ended.
type Ended struct {
	RequestID string
	Status    int // 0 when nothing was answered
	Took      time.Duration
}

// Wrap gives every request an id (that of the client when it sent a sensible X-Request-ID), a time limit and one line
// in the log, turns a panic into a 500 and tells observers. The line names the route, never the URL: that may hold
// e-mail addresses.
func Wrap(next http.Handler, log *slog.Logger, ids *id.Source, observers ...Observer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		began := time.Now()
		rid := req.Header.Get("X-Request-ID")
		if !sentID.MatchString(rid) {
			rid = string(id.New[id.Request](ids))
		}
		w.Header().Set("X-Request-ID", rid)
		rec := &recorder{ResponseWriter: w}
		ctx := req.Context()
		for _, o := range observers {
			ctx = o.Begin(ctx, req)
		}
		ctx, cancel := context.WithTimeout(ctx, RequestLimit)
		defer cancel()
		req = req.WithContext(ctx)
		defer func() {
			p := recover()
			if p != nil && p != http.ErrAbortHandler {
				log.Error("panic", "request_id", rid, "panic", p, "stack", string(debug.Stack()))
				if rec.status == 0 {
					Refuse(rec, fault.Of(errors.New("panic")))
				}
			}
			took := time.Since(began)
			line(log, rec, req, rid, took)
			for _, o := range observers {
				o.End(req, Ended{RequestID: rid, Status: rec.status, Took: took})
			}
			if p == http.ErrAbortHandler { // the server breaks the connection off
				panic(p)
			}
		}()
		next.ServeHTTP(rec, req)
	})
}

func line(log *slog.Logger, rec *recorder, req *http.Request, rid string, took time.Duration) {
	level, attributes := slog.LevelInfo, []any{
		"method", req.Method, "route", req.Pattern, "status", rec.status, "ms", float64(took.Microseconds()) / 1000, "request_id", rid,
	}
	attributes = append(attributes, rec.note...)
	if rec.cause != nil && errors.Is(req.Context().Err(), context.Canceled) {
		attributes = append(attributes, "gone", true) // the client went away; nobody got the answer
	} else if rec.cause != nil {
		f := fault.Of(rec.cause)
		attributes = append(attributes, "code", f.Code)
		if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
			level, attributes = slog.LevelError, append(attributes, "error", rec.cause)
		}
	}
	log.Log(req.Context(), level, "request", attributes...)
}
