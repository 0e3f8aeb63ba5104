// Package web is the hall that all doors share: routing, reading requests, writing answers, and the bridge from
// faults to HTTP. It knows no noun of the product.
package web

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
)

// statuses is the bridge from kinds of faults to HTTP.
var statuses = map[fault.Kind]int{
	fault.Internal:     http.StatusInternalServerError,
	fault.BadRequest:   http.StatusBadRequest,
	fault.Invalid:      http.StatusUnprocessableEntity,
	fault.Unauthorized: http.StatusUnauthorized,
	fault.Forbidden:    http.StatusForbidden,
	fault.NotFound:     http.StatusNotFound,
	fault.Conflict:     http.StatusConflict,
	fault.TooLarge:     http.StatusRequestEntityTooLarge,
	fault.TooMany:      http.StatusTooManyRequests,
	fault.Unavailable:  http.StatusServiceUnavailable,
}

// Status is the HTTP status of a kind of fault.
func Status(k fault.Kind) int { return statuses[k] }

// Refusal is the body of every answer that is not a success. There is never a key "error": clients would take the
// answer for one of OAuth.
type Refusal struct {
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Errors  []RefusedField `json:"errors,omitempty"`
}

// with adds what a refusal carries beside code and message.
func (r Refusal) with(details map[string]any) any {
	if len(details) == 0 {
		return r
	}
	all := map[string]any{"code": r.Code, "message": r.Message}
	for name, v := range details {
		all[name] = v
	}
	return all
}

// RefusedField names one field and says in Code what is wrong with it: in the contract's word where it has one, else in
// a sentence, because clients print it.
type RefusedField struct {
	Field   string `json:"field"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// What the headers of every answer say, made once. They are never changed.
var (
	isJSON  = []string{"application/json; charset=utf-8"}
	noStore = []string{"no-store"}
	noSniff = []string{"nosniff"}
)

// Write sends a body that is encoded already. A nil body sends none.
func Write(w http.ResponseWriter, status int, body []byte) {
	if body != nil {
		h := w.Header()
		h["Content-Type"], h["Cache-Control"], h["X-Content-Type-Options"] = isJSON, noStore, noSniff
		if len(body) > 2<<10 { // of shorter ones the server tells the length itself
			h["Content-Length"] = []string{strconv.Itoa(len(body))}
		}
	}
	w.WriteHeader(status)
	w.Write(body) // a client that went away has nobody left to tell
}

// Stream sends an answer that is made while it is sent. What fails by then breaks the connection off, so that nobody
// takes a part for the whole.
func Stream(w http.ResponseWriter, status int, kind string, write func(io.Writer) error) {
	w.Header().Set("Content-Type", kind+"; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Disposition", "attachment")
	w.WriteHeader(status)
	if err := write(w); err != nil {
		Blame(w, err)
		panic(http.ErrAbortHandler)
	}
}

// Refuse answers an error: a fault by its kind, a replay by the first answer, anything else as an internal error whose
// text only Cause of the writer, and so the log, gets.
func Refuse(w http.ResponseWriter, err error) {
	var replay *authz.Replay
	if errors.As(err, &replay) {
		w.Header().Set("Idempotent-Replayed", "true")
		Write(w, replay.Receipt.Status, replay.Receipt.Body)
		return
	}
	Blame(w, err)
	f := fault.Of(err)
	body := Refusal{Code: f.Code, Message: f.Message}
	for _, field := range f.Fields {
		code := field.Code
		if code == "" {
			code = field.Name + " " + field.Message
		}
		body.Errors = append(body.Errors, RefusedField{Field: field.Name, Code: code, Message: field.Message})
	}
	if f.Kind == fault.Unauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="rolecall"`)
	}
	Later(w, f)
	encoded, err := event.Encode(body.with(f.Details))
	if err != nil { // strings always encode
		panic(err)
	}
	Write(w, statuses[f.Kind], encoded)
}
