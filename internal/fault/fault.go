// Package fault is the vocabulary of what can go wrong: a small closed set of kinds, each refusal with the code and
// message of the public contract and, where a field is to blame, the field. It knows no HTTP, no SQL and no language
// of any door; every door has one table from Kind to its own protocol.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Kind says what sort of thing went wrong. The set is closed.
type Kind uint8

// The kinds. Internal is the zero value, so that an error nobody classified is never shown to a client.
const (
	Internal     Kind = iota // a defect or a state that must not be; its text stays inside
	BadRequest               // the request is understood and makes no sense now (contract status 400)
	Invalid                  // a field is missing, of the wrong type, too long or malformed (422)
	Unauthorized             // no valid credential (401)
	Forbidden                // a valid credential that may not do this (403)
	NotFound                 // unknown, or somebody else's: the two must be indistinguishable (404)
	Conflict                 // true now, contradicted by what is stored (409)
	TooLarge                 // more bytes than the limit (413)
	TooMany                  // more attempts than are let through; later (429)
	Unavailable              // the database or the process cannot answer at the moment; try again (503)
)

// Codes shared by more than one rule. Codes are part of the wire contract and never change.
const (
	CodeInvalidParameters = "invalid_request_parameters"
	CodeBadRequest        = "bad_request"
	CodeNotFound          = "entity_not_found"
	CodeForbidden         = "forbidden"
)

// Field blames one input field. Name is the wire spelling, such as role_slug; Message is a sentence without the name;
// Code is the contract's code for it, where there is one.
type Field struct {
	Name    string
	Message string
	Code    string
}

// Error is a refusal that may be shown to whoever asked. Message never holds internal text or a secret.
type Error struct {
	Kind    Kind
	Code    string
	Message string
	Fields  []Field
	Details map[string]any // more that the contract lets this refusal carry, by its wire spelling; values encode as JSON
	Retry   time.Duration  // after how long asking again makes sense, where that is known
	cause   error
}

// Error joins code, message and, for the logs only, the cause.
func (e *Error) Error() string {
	s := e.Message
	if e.Code != "" {
		s = e.Code + ": " + s
	}
	if e.cause != nil {
		s += ": " + e.cause.Error()
	}
	return s
}

// Unwrap gives the cause, which only logs may print.
func (e *Error) Unwrap() error { return e.cause }

// New makes a refusal of the given kind.
func New(kind Kind, code, format string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Missing is the one answer for what is unknown and for what belongs to somebody else. What is the noun in words
// ("Role"), name is what the caller asked for, returned to him unchanged.
func Missing(what, name string) *Error {
	return New(NotFound, CodeNotFound, "%s '%s' not found.", what, Short(name))
}

// Short cuts text of a client for a refusal that repeats it, so that a refusal stays small.
func Short(s string) string {
	const most = 128
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

// BadField is a refusal because of a single field.
func BadField(name, format string, args ...any) *Error {
	return BadFields(Field{Name: name, Message: fmt.Sprintf(format, args...)})
}

// mostFields bounds how many fields one refusal names, so that a small request cannot ask for a large answer.
const mostFields = 20

// BadFields is a refusal because of the given fields, the first twenty of them named. It must get at least one.
func BadFields(fields ...Field) *Error {
	fields = fields[:min(len(fields), mostFields)]
	parts := make([]string, len(fields))
	for i, f := range fields {
		parts[i] = f.Name + " " + f.Message
	}
	return &Error{
		Kind:    Invalid,
		Code:    CodeInvalidParameters,
		Message: "Validation failed: " + strings.Join(parts, "; ") + ".",
		Fields:  fields,
	}
}

// Down reports that a part the answer needs is not reachable at the moment. The cause is for the logs.
func Down(cause error) *Error {
	return &Error{
		Kind:    Unavailable,
		Code:    "temporarily_unavailable",
		Message: "The database cannot answer at the moment; try again.",
		cause:   cause,
	}
}

// CodeUnknown is that of a change of which nobody knows whether it took place.
const CodeUnknown = "outcome_unknown"

// Unknown reports that the database did not say in time whether a change took place: it may have, or still do so. The
// cause is for the logs.
func Unknown(cause error) *Error {
	return &Error{
		Kind:    Unavailable,
		Code:    CodeUnknown,
		Message: "The database did not say whether the change took place; repeat the request with the same Idempotency-Key, or look.",
		cause:   cause,
	}
}

// Of returns the refusal inside err, or an Internal one that wraps err, or nil for nil.
func Of(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: Internal, Code: "internal_error", Message: "Internal error.", cause: err}
}

// Is reports whether err is a refusal with the given kind.
func Is(err error, kind Kind) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == kind
}

// HasCode reports whether err is a refusal with the given code.
func HasCode(err error, code string) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}
