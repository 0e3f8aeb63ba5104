// Package dashboard is the door for people: server-rendered screens, one file for each noun. routes.go is the table of
// all of them. A screen works as a plain page with links and forms; where there is JavaScript, the pages that the table
// calls panels open in a dialog instead, from the same address and the same template.
//
// It owns how things are shown and asked for. What may be done, and by whom, it leaves to the rooms.
package dashboard

import (
	"fmt"
	"html/template"
	"net/http"
	"net/netip"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/web"
	"github.com/rolecall/rolecall/internal/webhook"
)

// Prefix is the path that everything of this door is below.
const Prefix = "/dashboard"

// Door serves the screens. It is safe for concurrent use.
type Door struct {
	rules     *authz.Service
	people    *operator.Service
	hooks     *webhook.Service
	options   Options
	templates map[string]*template.Template
	static    map[string]asset
	origin    *http.CrossOriginProtection
	patience  time.Duration // see foresight
	limit     time.Duration
}

// Options is what a dashboard needs to know of where it runs.
type Options struct {
	Version string         // shown to people
	Proxies []netip.Prefix // whose word on where a request comes from counts
}

// New returns the door over the rooms.
func New(rules *authz.Service, people *operator.Service, hooks *webhook.Service, o Options) (*Door, error) {
	static, err := loadAssets()
	if err != nil {
		return nil, fmt.Errorf("preparing the dashboard's files: %w", err)
	}
	d := &Door{rules: rules, people: people, hooks: hooks, options: o, static: static, origin: http.NewCrossOriginProtection(), patience: patience, limit: limit}
	if d.templates, err = parseTemplates(static); err != nil {
		return nil, fmt.Errorf("reading the dashboard's templates: %w", err)
	}
	return d, nil
}

// Register adds all routes.
func (d *Door) Register(r *web.Router) {
	r.ForPeople(Prefix)
	for name, a := range d.static {
		r.Handle(http.MethodGet, Prefix+"/static/"+name, a)
	}
	for _, s := range Screens() {
		r.Handle(http.MethodGet, s.address(), d.serve(s))
		if s.Posts {
			r.Handle(http.MethodPost, s.address(), d.serve(s))
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		r.Handle(method, Prefix+"/{rest...}", d.serve(Screen{Path: "/{rest...}", Needs: operator.Viewer, show: nothingHere}))
	}
}

// policy is what a browser may do with a page: use what this host serves, and nothing else.
const policy = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"

// guard sets what every answer carries.
func guard(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}
