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
// and /organizations/{id}/groups, either of which matches paths of the other, and one mux refuses to hold both. What the
// first does not know it leaves to the second, and that to unknown.
type Router struct {
	layers [2]*http.ServeMux
	known  map[string]bool // methods in use
	typed  string          // below it, addresses are typed by people
}

// anything is the pattern of what a layer does not know.
const anything = "/"

// external is what every path that the first layer knows holds, unless it is escaped.
const external = "external_id"

// NewRouter returns an empty router.
func NewRouter() *Router {
	r := &Router{layers: [2]*http.ServeMux{http.NewServeMux(), http.NewServeMux()}, known: map[string]bool{}}
	r.layers[0].Handle(anything, r.layers[1])
	r.layers[1].HandleFunc(anything, r.unknown)
	return r
}

// Handle routes a method and path pattern. Patterns with a literal segment where others have a parameter win.
func (r *Router) Handle(method, pattern string, h http.Handler) {
	layer := 1
	if strings.Contains(pattern, "/"+external+"/") {
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
	if !clean(req) { // the standard mux would redirect
		r.unknown(w, req)
		return
	}
	layer := r.layers[1]
	if at := req.URL.EscapedPath(); strings.Contains(at, external) || strings.Contains(at, "%") {
		layer = r.layers[0]
	}
	layer.ServeHTTP(w, req)
}

// unknown answers what no pattern matches.
func (r *Router) unknown(w http.ResponseWriter, req *http.Request) {
	req.Pattern = "" // the log names no route
	allowed := r.allowed(req)
	if allowed == "" {
		Refuse(w, fault.New(fault.NotFound, "route_not_found", "There is nothing at this path."))
		return
	}
	w.Header().Set("Allow", allowed)
	body, err := event.Encode(Refusal{Code: "method_not_allowed", Message: "This path does not take " + req.Method + "."})
	if err != nil {
		panic(err)
	}
	Write(w, http.StatusMethodNotAllowed, body)
}

func clean(req *http.Request) bool {
	p := req.URL.EscapedPath()
	return strings.HasPrefix(p, "/") && path.Clean(p) == p
}

// matches says whether a layer has a handler for the request.
func (r *Router) matches(req *http.Request) bool {
	for _, mux := range r.layers {
		if _, pattern := mux.Handler(req); pattern != "" && pattern != anything {
			return true
		}
	}
	return false
}

func (r *Router) allowed(req *http.Request) string {
	if !clean(req) {
		return ""
	}
	var methods []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if !r.known[m] {
			continue
		}
		other := *req
		other.Method = m
		if r.matches(&other) {
			methods = append(methods, m)
		}
	}
	return strings.Join(methods, ", ")
}
