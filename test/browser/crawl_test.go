package browser_test

import (
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/internal/dashboard"
	"golang.org/x/net/html"
)

// A find is an address that a page leads to.
type find struct {
	screen *dashboard.Screen
	path   string // with its query
	from   string // the page that leads there
	panel  bool   // by a link that opens a dialog
	page   bool   // whether there is a page to be seen, not a file or another address
}

// enough is how many addresses of a screen are looked into for further links.
const enough = 3

// crawl follows the links and forms of all pages below a path, and returns what
// it found, each address once, in the order of the finds. A link that leads
// nowhere fails the test.
func (v *visitor) crawl(start, below string) []find {
	v.t.Helper()
	queue := []find{{path: start, screen: screenOf(start)}}
	known := map[string]bool{start: true}
	looked := make(map[*dashboard.Screen]int)
	for i := 0; i < len(queue); i++ {
		f := &queue[i]
		if f.screen == nil {
			v.t.Errorf("%s leads to %s, which is no screen", f.from, f.path)
			continue
		}
		if looked[f.screen]++; looked[f.screen] > enough {
			continue
		}
		links, status := v.links(f.path)
		if status != 200 && status != 303 {
			v.t.Errorf("%s leads to %s, which answers %d", f.from, f.path, status)
		}
		f.page = status == 200 && links != nil
		for _, l := range links {
			if !known[l.path] && strings.HasPrefix(l.path, below) {
				known[l.path] = true
				queue = append(queue, find{path: l.path, screen: screenOf(l.path), from: queue[i].path, panel: l.panel})
			}
		}
	}
	return queue
}

// links asks for a page and returns where it leads; nil if it is no page.
func (v *visitor) links(path string) (found []find, status int) {
	v.t.Helper()
	res, err := v.client.Get(v.address + path)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		io.Copy(io.Discard, res.Body)
		return nil, res.StatusCode
	}
	if location := res.Header.Get("Location"); location != "" {
		return []find{{path: location}}, res.StatusCode
	}
	tree, err := html.Parse(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	base, err := url.Parse(path)
	if err != nil {
		v.t.Fatal(err)
	}
	found = []find{}
	for n := range tree.Descendants() {
		panel := slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "data-panel" })
		for _, a := range n.Attr {
			if n.Data == "link" || !slices.Contains([]string{"href", "action", "formaction", "hx-get", "hx-post"}, a.Key) {
				continue
			}
			if u, err := base.Parse(a.Val); err == nil && u.Host == "" && u.RequestURI() != "/dashboard/sign-out" {
				found = append(found, find{path: u.RequestURI(), panel: panel})
			}
		}
	}
	return found, res.StatusCode
}

// screens is the table of all screens, once, so that they can be told by their
// addresses.
var screens = dashboard.Screens()

// screenOf finds the screen of an address: of those that fit the one with the
// fewest wildcards.
func screenOf(path string) (found *dashboard.Screen) {
	path, _, _ = strings.Cut(path, "?")
	wildcards := func(s *dashboard.Screen) int { return strings.Count(s.Path, "{") }
	for i := range screens {
		s := &screens[i]
		pattern := strings.TrimSuffix(dashboard.Prefix+wildcard.ReplaceAllString(s.Path, `[^/]+`), "/")
		if regexp.MustCompile("^"+pattern+"$").MatchString(path) && (found == nil || wildcards(s) < wildcards(found)) {
			found = s
		}
	}
	return found
}

var wildcard = regexp.MustCompile(`\{\w+\}`)

// nameOf is a name for pictures of the screen.
func nameOf(s *dashboard.Screen) string {
	name := strings.NewReplacer("/env/{env}", "", "{", "", "}", "").Replace(s.Path)
	if name = strings.Trim(name, "/"); name == "" {
		return "start"
	}
	return name
}
