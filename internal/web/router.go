package web

import (
	"net/http"
	"path"
	"strings"

	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
)

// Router routes on the escaped path, so that a parameter may hold any character, and answers what it does not know in
// JSON. It is two standard muxes in layers: the contract has pairs such as /organizations/external_id/{external_id}
// and /organizations/{id}/groups, either of which matches paths of the other, and one mux refuses to hold both.
type Router struct {
	layers [2]*http.ServeMux
	known  map[string]bool // methods in use
	typed  string          // below it, addresses are typed by people
}

// NewRouter returns an empty router.
func NewRouter() *Router {
	return &Router{layers: [2]*http.ServeMux{http.NewServeMux(), http.NewServeMux()}, known: map[string]bool{}}
}

// Handle routes a method and path pattern. Patterns with a literal segment where others have a parameter win.
func (r *Router) Handle(method, pattern string, h http.Handler) {
	layer := 1
	if strings.Contains(pattern, "/external_id/") {
		layer = 0
	}
	r.layers[layer].Handle(method+" "+pattern, h)
	r.known[method] = true
}

// ForPeople says that addresses below a prefix are typed by people: a slash too many at their end leads to where it was
// meant to.
func (r *Router) ForPeople(prefix string) { r.typed = prefix }

// ServeHTTP implements http.Handler.
func (r *Router) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if at := req.URL.EscapedPath(); r.typed != "" && strings.HasPrefix(at, r.typed+"/") && strings.HasSuffix(at, "/") {
		meant := *req.URL
		meant.Path, meant.RawPath = strings.TrimRight(meant.Path, "/"), strings.TrimRight(meant.RawPath, "/")
		http.Redirect(w, req, meant.RequestURI(), http.StatusPermanentRedirect)
		return
	}
	if layer, ok := r.match(req); ok {
		layer.ServeHTTP(w, req)
		return
	}
	if allowed := r.allowed(req); allowed != "" {
		w.Header().Set("Allow", allowed)
		body, err := event.Encode(Refusal{Code: "method_not_allowed", Message: "This path does not take " + req.Method + "."})
		if err != nil {
			panic(err)
		}
		Write(w, http.StatusMethodNotAllowed, body)
		return
	}
	Refuse(w, fault.New(fault.NotFound, "route_not_found", "There is nothing at this path."))
}

// match finds the layer that has a handler for the request. Paths that the standard mux would redirect match nothing.
func (r *Router) match(req *http.Request) (*http.ServeMux, bool) {
	if p := req.URL.EscapedPath(); !strings.HasPrefix(p, "/") || path.Clean(p) != p {
		return nil, false
	}
	for _, mux := range r.layers {
		if _, pattern := mux.Handler(req); pattern != "" {
			return mux, true
		}
	}
	return nil, false
}

func (r *Router) allowed(req *http.Request) string {
	var methods []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if !r.known[m] {
			continue
		}
		other := *req
		other.Method = m
		if _, ok := r.match(&other); ok {
			methods = append(methods, m)
		}
	}
	return strings.Join(methods, ", ")
}
