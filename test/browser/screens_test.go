package browser_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/dashboard"
)

// TestEveryScreen looks at every screen that there is, as its owner finds it by
// following links: as a page of its own and, where it opens in one, as a dialog.
// A new screen is looked at as soon as something leads to it, and until then
// fails the test.
func TestEveryScreen(t *testing.T) {
	t.Parallel()
	r := start(t)
	session := r.owner(t).session()
	v := r.visitor(t, session)
	w := furnish(t, r, v)

	desks := newDesks(t, r.address, session)

	finds := v.crawl("/dashboard", "/dashboard")
	seen, known, opened := make(map[*dashboard.Screen]bool), make(map[*dashboard.Screen]bool), make(map[*dashboard.Screen]bool)
	for _, f := range finds {
		if f.screen == nil || seen[f.screen] {
			continue
		}
		known[f.screen] = true
		if f.panel && !opened[f.screen] {
			opened[f.screen] = true
			desks.run(t, "dialog "+nameOf(f.screen), func(p *page) { p.lookAtDialog(f) })
		}
		if f.page {
			seen[f.screen] = true
			desks.run(t, nameOf(f.screen), func(p *page) {
				p.visit(f.path)
				if f.panel { // it was looked at as a dialog
					p.glance()
					return
				}
				p.look(nameOf(f.screen))
			})
		}
	}
	for i := range screens {
		if s := &screens[i]; !known[s] && !s.Open && later[s.Path] == "" {
			t.Errorf("no page leads to %s", s.Path)
		}
	}
	lookAtNothing(t, r, v, desks, w)
}

// later are the screens that nothing leads to but what was done before, and
// where they are seen.
var later = map[string]string{
	"/sign-out":                                                  "leads away",
	"/env/{env}/matrix/impact":                                   "TestMatrix",
	"/env/{env}/matrix/apply":                                    "TestMatrix",
	"/env/{env}/organizations/{org}/matrix/impact":               "TestMatrix",
	"/env/{env}/organizations/{org}/matrix/apply":                "TestMatrix",
	"/env/{env}/organizations/{org}/groups/{group}/impact":       "loaded by the dialog of deletion",
	"/env/{env}/organizations/{org}/resources/{resource}/impact": "loaded by the dialog of deletion",
}

// lookAtNothing looks at what screens show where there is nothing: in an
// environment and in an organization that are new.
func lookAtNothing(t *testing.T, r *rolecall, v *visitor, desks desks, w *furnished) {
	t.Helper()
	staging := v.post("/dashboard/new/environment", url.Values{"name": {"staging"}})
	staging = strings.TrimSuffix(staging, "/roles")
	for below, name := range map[string]string{staging: "empty ", r.inside("/organizations/" + w.empty): "empty organization "} {
		seen := make(map[*dashboard.Screen]bool)
		for _, f := range v.crawl(below+"/roles", below) {
			// What asks looks the same where there is something.
			if !f.page || f.screen == nil || seen[f.screen] || f.screen.Posts {
				continue
			}
			seen[f.screen] = true
			desks.run(t, name+nameOf(f.screen), func(p *page) {
				p.visit(f.path)
				p.look(name + nameOf(f.screen))
			})
		}
	}
}

// TestDoors looks at what is shown to who is not inside, and at refusals.
func TestDoors(t *testing.T) {
	t.Parallel()
	r := start(t)
	p := newPage(t, r.address)
	p.visit("/dashboard")
	p.at("/dashboard/sign-in")
	p.has("heading", "Sign in to Rolecall")
	p.look("sign-in")
	p.visit(r.invitation)
	p.look("invitation")
	p.click("button", "Begin") // the browser asks for what is missing
	p.fill("Name", "Olive")
	p.fill("E-mail address", "olive@rolecall.example")
	p.fill("Password", "short")
	p.fill("Password again", "short")
	p.click("button", "Begin")
	p.see("Nothing was saved yet")
	p.look("invitation refused")
	p.holds("Name", "Olive")
	p.fill("Password", password)
	p.fill("Password again", password)
	p.click("button", "Begin")
	p.has("heading", "Roles")

	p.visit("/dashboard/nowhere")
	p.has("heading", "There is nothing here")
	p.look("error not found")
	p.visit("/dashboard/env/environment_01M84VG3S91R22WDNW6CSN3Z66/roles")
	p.has("heading", "There is nothing here")

	other := newPage(t, r.address)
	other.visit(r.invitation)
	other.see("link")
	other.hasNot("button", "Begin")
	other.look("invitation used")
}

// desks are pages of one person, to look at many screens with few of them.
type desks chan *page

func newDesks(t *testing.T, address, session string) desks {
	t.Helper()
	all := make(desks, runtime.GOMAXPROCS(0))
	for range cap(all) {
		all <- takeOver(t, address, session)
	}
	return all
}

// run runs a test at a free desk.
func (d desks) run(t *testing.T, name string, test func(*page)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		p := <-d
		all := p.tb
		p.tb = t
		defer func() {
			p.finish()
			p.tb = all
			d <- p
		}()
		p.resize(desktop)
		test(p)
	})
}

// glance is a look without pictures, at what looks the same elsewhere.
func (p *page) glance() {
	p.tb.Helper()
	p.unrolled(func() { p.unbarred("page", "all") })
	p.fits()
	p.phone()
	p.rest()
	p.fits()
	p.resize(desktop)
}

// look requires of a page that nothing keeps anybody from using it, light and
// dark, at a desk and on a phone, and takes its pictures.
func (p *page) look(name string) {
	p.tb.Helper()
	p.fits()
	p.unrolled(func() {
		p.bothSchemes(func(scheme string) {
			p.unbarred(scheme, which(scheme))
			p.picture(name + "-" + scheme)
		})
	})
	p.phone()
	p.rest()
	p.fits()
	p.unrolled(func() {
		p.unbarred("phone", "shapes")
		p.picture(name + "-phone")
	})
	p.resize(desktop)
}

// lookAtDialog opens a screen from the page that leads to it.
func (p *page) lookAtDialog(f find) {
	p.tb.Helper()
	p.visit(f.from)
	opened, err := evaluate[bool](p.ctx, fmt.Sprintf(`(() => {
	  const link = [...document.querySelectorAll('[data-panel]')].find((l) => l.getAttribute('href') === %q);
	  link?.focus();
	  link?.click();
	  return !!link;
	})()`, f.path))
	if err != nil || !opened {
		p.tb.Fatalf("%s has no link to %s: %v", f.from, f.path, err)
	}
	heading := p.dialog()
	p.look("dialog " + nameOf(f.screen))
	p.press("Escape")
	p.hasNot("dialog", heading)
	back, err := evaluate[string](p.ctx, `document.activeElement.getAttribute('href') ?? ''`)
	if err != nil || back != f.path {
		p.tb.Errorf("after the dialog the focus must be where it was, on the link to %s, got %q %v", f.path, back, err)
	}
}

// dialog waits until one is open, and returns what it is called.
func (p *page) dialog() (heading string) {
	p.tb.Helper()
	p.until("a dialog is open", func(ctx context.Context) (err error) {
		heading, err = evaluate[string](ctx, `document.querySelector('dialog[open] h1')?.innerText ?? ''`)
		if heading = flat(heading); err == nil && heading == "" {
			err = errors.New("none is")
		}
		return err
	})
	p.rest()
	p.has("dialog", heading)
	return heading
}
