package browser_test

import (
	"fmt"
	"slices"
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

	finds := v.crawl("/dashboard", "/dashboard")
	seen := make(map[*dashboard.Screen]bool)
	for _, f := range finds {
		if f.screen == nil {
			continue
		}
		if f.panel && !seen[f.screen] {
			t.Run("dialog "+nameOf(f.screen), func(t *testing.T) {
				t.Parallel()
				takeOver(t, r.address, session).lookAtDialog(f)
			})
		}
		if f.page && !seen[f.screen] {
			t.Run(nameOf(f.screen), func(t *testing.T) {
				t.Parallel()
				p := takeOver(t, r.address, session)
				p.visit(f.path)
				p.look(nameOf(f.screen))
			})
		}
		seen[f.screen] = seen[f.screen] || f.page
	}
	for i := range screens {
		if s := &screens[i]; !seen[s] && !slices.ContainsFunc(finds, func(f find) bool { return f.screen == s }) && !s.Open {
			t.Errorf("no page leads to %s", s.Path)
		}
	}
	_ = w
}

// look requires of a page that nothing keeps anybody from using it, light and
// dark, at a desk and on a phone, and takes its pictures.
func (p *page) look(name string) {
	p.tb.Helper()
	p.axe()
	p.fits()
	p.shot(name)
	p.phone()
	p.rest()
	p.axe()
	p.fits()
	p.picture(name + "-phone")
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
	p.rest()
	heading, err := evaluate[string](p.ctx, `document.querySelector('dialog[open] h1')?.innerText ?? ''`)
	if err != nil || heading == "" {
		p.tb.Fatalf("the dialog did not open: %v%s", err, p.describe())
	}
	p.has("dialog", flat(heading))
	p.look("dialog " + strings.ReplaceAll(nameOf(f.screen), "/", " "))
	p.press("Escape")
	p.hasNot("dialog", flat(heading))
}
