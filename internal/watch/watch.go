// Package watch shows operators what the house does: figures for Prometheus, and traces over OpenTelemetry. Rooms tell
// plain figures and know of neither; here these get names, and bounds: no secret, no e-mail address, no id and no name of
// a tenant ever becomes a label or an attribute, and what is counted is bounded by what the program is, not by its data.
package watch

import (
	"context"
	"net/http"
	"time"

	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/web"
	"github.com/rolecall/rolecall/internal/webhook"
)

// Watcher is told what happens. Nothing that it does waits.
type Watcher interface {
	web.Observer
	// Worked is told of a transaction of the store.
	Worked(context.Context, store.Work)
	// Loaded is told of something that was read to be remembered.
	Loaded(context.Context, Load)
	// Attempted is told of an attempt to deliver a webhook.
	Attempted(context.Context, webhook.Attempt)
}

// All is several watchers, each told of everything.
type All []Watcher

// Begin implements web.Observer.
func (all All) Begin(ctx context.Context, req *http.Request) context.Context {
	for _, w := range all {
		ctx = w.Begin(ctx, req)
	}
	return ctx
}

// End implements web.Observer.
func (all All) End(req *http.Request, e web.Ended) {
	for _, w := range all {
		w.End(req, e)
	}
}

// Worked implements Watcher.
func (all All) Worked(ctx context.Context, w store.Work) {
	for _, each := range all {
		each.Worked(ctx, w)
	}
}

// Loaded implements Watcher.
func (all All) Loaded(ctx context.Context, l Load) {
	for _, each := range all {
		each.Loaded(ctx, l)
	}
}

// Attempted implements Watcher.
func (all All) Attempted(ctx context.Context, a webhook.Attempt) {
	for _, each := range all {
		each.Attempted(ctx, a)
	}
}

// Load is one reading of what is to be remembered.
type Load struct {
	Kind  string // one of LoadKinds
	Began time.Time
	Took  time.Duration
	Err   error
}
