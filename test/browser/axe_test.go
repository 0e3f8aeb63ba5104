package browser_test

import (
	"context"
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

const runAxe = `axe.run(document, {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  resultTypes: ['violations'],
}).then(({violations}) => violations.flatMap((v) => v.nodes.map((n) => ({
  rule: v.id, help: v.help, target: n.target.join(' '), html: n.html, why: n.failureSummary,
}))))`

// axe fails the test for each barrier of the page as it is now, light and dark.
func (p *page) axe() {
	p.tb.Helper()
	if !p.scripts {
		p.tb.Fatal("axe is a script, and this page runs none")
	}
	source := testneed.Axe(p.tb)
	told := make(map[barrier]bool) // most are the same in light and dark
	p.bothSchemes(func(scheme string) {
		for _, b := range p.barriers(source) {
			if !told[b] {
				told[b] = true
				p.tb.Errorf("barrier (%s) %s: %s\n\t%s\n\t%s\n\t%s", scheme, b.Rule, b.Help, b.Target, b.HTML, strings.ReplaceAll(b.Why, "\n", "\n\t"))
			}
		}
	})
}

func (p *page) barriers(source string) []barrier {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	// Evaluated by the browser itself, it is not subject to the policy of the page.
	there, err := evaluate[bool](ctx, `!!window.axe`)
	if err == nil && !there {
		_, err = evaluate[bool](ctx, source+"\n;true")
	}
	if err != nil {
		p.tb.Fatalf("cannot load axe: %v", err)
	}
	found, err := evaluate[[]barrier](ctx, runAxe)
	if err != nil {
		p.tb.Fatalf("cannot run axe: %v", err)
	}
	return found
}
