package browser_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/rolecall/rolecall/internal/testneed"
)

// A barrier is what axe found: something that keeps some people from using the
// page.
type barrier struct {
	Rule   string `json:"rule"`
	Help   string `json:"help"`
	Target string `json:"target"`
	HTML   string `json:"html"`
	Why    string `json:"why"`
}

// runAxe asks for the rules of the standards and of best practice. What axe
// knows about colours alone takes it half of its time.
const runAxe = `((which) => axe.run(document, {
  runOnly: which === 'colours' ? {type: 'rule', values: ['color-contrast', 'link-in-text-block']} :
    {type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']},
  rules: which === 'shapes' ? {'color-contrast': {enabled: false}} : {},
  resultTypes: ['violations'],
}).then(({violations}) => violations.flatMap((v) => v.nodes.map((n) => ({
  rule: v.id, help: v.help, target: n.target.join(' '), html: n.html, why: n.failureSummary,
})))))('%s')`

// axe fails the test for each barrier of the page as it is now, light and dark.
// Between the two nothing but colours differs.
func (p *page) axe() {
	p.tb.Helper()
	p.bothSchemes(func(scheme string) { p.unbarred(scheme, which(scheme)) })
}

// which part of its rules axe has to try in the scheme, after all in the first.
func which(scheme string) string {
	if scheme == "light" {
		return "colours"
	}
	return "all"
}

// unbarred fails the test for each barrier of the page by some of the rules.
func (p *page) unbarred(where, which string) {
	p.tb.Helper()
	for _, b := range p.barriers(which) {
		p.tb.Errorf("barrier (%s) %s: %s\n\t%s\n\t%s\n\t%s", where, b.Rule, b.Help, b.Target, b.HTML, strings.ReplaceAll(b.Why, "\n", "\n\t"))
	}
}

func (p *page) barriers(which string) []barrier {
	p.tb.Helper()
	if !p.scripts {
		p.tb.Fatal("axe is a script, and this page runs none")
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	// Evaluated by the browser itself, it is not subject to the policy of the page.
	there, err := evaluate[bool](ctx, `!!window.axe`)
	if err == nil && !there {
		_, err = evaluate[bool](ctx, testneed.Axe(p.tb)+"\n;true")
	}
	if err != nil {
		p.tb.Fatalf("cannot load axe: %v", err)
	}
	found, err := evaluate[[]barrier](ctx, fmt.Sprintf(runAxe, which))
	if err != nil {
		p.tb.Fatalf("cannot run axe: %v", err)
	}
	return found
}
