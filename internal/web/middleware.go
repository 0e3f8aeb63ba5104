package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
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
	note   []slog.Attr
	room   [2]slog.Attr // for as many notes as most requests have
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
func Note(w http.ResponseWriter, attributes ...slog.Attr) {
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

const requestID = "X-Request-Id" // X-Request-ID, as package http keeps it

// sensible says whether an id that a client sent may go into the log and back to it: 1 to 128 letters, digits and
// any of . _ : -
func sensible(id string) bool {
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '_', c == ':', c == '-':
		default:
			return false
		}
	}
	return id != "" && len(id) <= 128
}

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
		rid := req.Header.Get(requestID)
		if !sensible(rid) {
			rid = string(id.New[id.Request](ids))
		}
		w.Header()[requestID] = []string{rid}
		rec := &recorder{ResponseWriter: w}
		rec.note = rec.room[:0]
		ctx := req.Context()
		for _, o := range observers {
			ctx = o.Begin(ctx, req)
		}
		limit := newLimit(ctx, began.Add(RequestLimit))
		defer limit.end()
		req = req.WithContext(limit)
		defer func() {
			p := recover()
			if p != nil && p != http.ErrAbortHandler {
				log.Error("panic", "request_id", rid, "panic", p, "stack", string(debug.Stack()))
				if rec.status == 0 {
					Refuse(rec, fault.Of(errors.New("panic")))
				}
			}
			ended := time.Now()
			line(log, rec, req, rid, began, ended)
			for _, o := range observers {
				o.End(req, Ended{RequestID: rid, Status: rec.status, Took: ended.Sub(began)})
			}
			if p == http.ErrAbortHandler { // the server breaks the connection off
				panic(p)
			}
		}()
		next.ServeHTTP(rec, req)
	})
}

func line(log *slog.Logger, rec *recorder, req *http.Request, rid string, began, ended time.Time) {
	level := slog.LevelInfo
	var room [12]slog.Attr
	attributes := append(room[:0], slog.String("method", req.Method), slog.String("route", req.Pattern), slog.Int("status", rec.status),
		slog.Float64("ms", float64(ended.Sub(began).Microseconds())/1000), slog.String("request_id", rid))
	attributes = append(attributes, rec.note...)
	if rec.cause != nil && errors.Is(req.Context().Err(), context.Canceled) {
		attributes = append(attributes, slog.Bool("gone", true)) // the client went away; nobody got the answer
	} else if rec.cause != nil {
		f := fault.Of(rec.cause)
		attributes = append(attributes, slog.String("code", f.Code))
		if f.Kind == fault.Internal || f.Kind == fault.Unavailable {
			level, attributes = slog.LevelError, append(attributes, slog.Any("error", rec.cause))
		}
	}
	if !log.Enabled(req.Context(), level) {
		return
	}
	record := slog.NewRecord(ended, level, "request", 0) // the line of code that logs is always this one
	record.AddAttrs(attributes...)
	_ = log.Handler().Handle(req.Context(), record) // there is nowhere to tell that the log cannot be written, as ever
}
