package browser_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A page is a tab with cookies and storage for itself. What fails ends the test.
type page struct {
	area    // the whole page
	tb      testing.TB
	ctx     context.Context
	address string // of the server
	trouble *trouble
	screen  screen
	scripts bool // are run
	drags   chan *input.DragData

	patience time.Duration // for something to show up
	folder   string        // of pictures
}

type screen struct {
	name          string
	width, height int64
	touch         bool
}

var (
	desktop = screen{name: "", width: 1280, height: 800}
	phone   = screen{name: "-phone", width: 390, height: 844, touch: true}
)

// visit loads the path, which may be an address, and waits until all is there.
func (p *page) visit(path string) {
	p.tb.Helper()
	target := path
	if strings.HasPrefix(path, "/") {
		target = p.address + path
	}
	p.do("load "+path, chromedp.Navigate(target))
	p.rest()
}

// reload loads the page again.
func (p *page) reload() {
	p.tb.Helper()
	p.do("load the page again", chromedp.Reload())
	p.rest()
}

// back goes to the page before.
func (p *page) back() {
	p.tb.Helper()
	p.do("go back", chromedp.NavigateBack())
	p.rest()
}

// at waits until the page has this path, with the query if there is one.
func (p *page) at(path string) {
	p.tb.Helper()
	p.until("the page is at "+path, func(ctx context.Context) error {
		location, err := evaluate[string](ctx, `location.href`)
		if err != nil {
			return err
		}
		u, err := url.Parse(location)
		if err == nil && u.RequestURI() != path {
			err = fmt.Errorf("it is at %s", u.RequestURI())
		}
		return err
	})
}

// named are the keys that are not a character.
var named = map[string]string{
	"Enter": kb.Enter, "Tab": kb.Tab, "Escape": kb.Escape, "Space": " ", "Backspace": kb.Backspace, "Delete": kb.Delete,
	"ArrowUp": kb.ArrowUp, "ArrowDown": kb.ArrowDown, "ArrowLeft": kb.ArrowLeft, "ArrowRight": kb.ArrowRight,
	"Home": kb.Home, "End": kb.End, "PageUp": kb.PageUp, "PageDown": kb.PageDown,
}

var modifiers = map[string]chromedp.Modifier{
	"Shift": chromedp.ModifierShift, "Control": chromedp.ModifierCtrl, "Alt": chromedp.ModifierAlt, "Meta": chromedp.ModifierMeta,
}

// press presses keys one after the other: "a", "Enter", "Shift+Tab".
func (p *page) press(keys ...string) {
	p.tb.Helper()
	for _, combination := range keys {
		parts := strings.Split(combination, "+")
		key := parts[len(parts)-1]
		if code, ok := named[key]; ok {
			key = code
		} else if len([]rune(key)) != 1 {
			p.tb.Fatalf("press(%q): no such key", combination)
		}
		var held []chromedp.KeyOption
		for _, name := range parts[:len(parts)-1] {
			m, ok := modifiers[name]
			if !ok {
				p.tb.Fatalf("press(%q): no such modifier", combination)
			}
			held = append(held, chromedp.KeyModifiers(m))
		}
		p.do("press "+combination, chromedp.KeyEvent(key, held...))
		p.rest()
	}
}

// write types a text into what has the focus.
func (p *page) write(text string) {
	p.tb.Helper()
	p.do("write", chromedp.KeyEvent(text))
	p.rest()
}

// phone makes the page one on a phone, where clicks are touches.
func (p *page) phone() {
	p.tb.Helper()
	p.resize(phone)
}

func (p *page) resize(s screen) {
	p.tb.Helper()
	var options []chromedp.EmulateViewportOption
	if s.touch {
		options = append(options, chromedp.EmulateMobile, chromedp.EmulateTouch, chromedp.EmulatePortrait)
	}
	p.do("resize", chromedp.EmulateViewport(s.width, s.height, options...))
	p.screen = s
}

// scheme makes the system of the person "light" or "dark". Nothing moves, so
// that no test sees a colour on its way to another.
func (p *page) scheme(light string) {
	p.tb.Helper()
	p.do("set the colour scheme", command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: light},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		},
	}))
}

// withoutScripts makes the browser run no scripts, from the next visit on.
func (p *page) withoutScripts() {
	p.tb.Helper()
	p.do("switch off scripts", command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	p.scripts = false
}

// expect says that trouble with this in its text is what the test is about: the
// test fails if there was none.
func (p *page) expect(text string) { p.trouble.expect(text) }

// fits fails if one has to scroll to the side to see all of the page.
func (p *page) fits() {
	p.tb.Helper()
	wide, err := evaluate[[]string](p.ctx, fmt.Sprintf(widerThan, p.screen.width))
	if err != nil {
		p.tb.Fatalf("cannot measure the page: %v", err)
	}
	if len(wide) > 0 {
		p.tb.Errorf("the page is wider than the screen of %d pixels:\n\t%s", p.screen.width, strings.Join(wide, "\n\t"))
	}
}

// widerThan compares with the width that the screen has: on a phone that of the
// window grows with what is in it, and a page that does not ask for the width of
// the device gets one of 980.
const widerThan = `((width) => {
  const root = document.scrollingElement;
  if (root.scrollWidth <= width) return [];
  const clipped = (e) => {
    for (let up = e.parentElement; up && up !== root && up !== document.body; up = up.parentElement) {
      if (getComputedStyle(up).overflowX !== 'visible') return true;
    }
    return false;
  };
  const wide = ['it is ' + root.scrollWidth + ' wide'];
  for (const e of document.body.querySelectorAll('*')) {
    if (wide.length <= 10 && e.getBoundingClientRect().right > width + 0.5 && !clipped(e)) {
      wide.push(e.cloneNode().outerHTML.slice(0, 200));
    }
  }
  return wide;
})(%d)`

// shot writes pictures of the whole page, light and dark.
func (p *page) shot(name string) {
	p.tb.Helper()
	p.bothSchemes(func(scheme string) {
		p.picture(name + p.screen.name + "-" + scheme)
	})
}

func (p *page) bothSchemes(look func(scheme string)) {
	p.tb.Helper()
	for _, scheme := range []string{"dark", "light"} { // and light it stays
		p.scheme(scheme)
		p.rest()
		look(scheme)
	}
}

// unrolled looks at the page in a window that is high enough for all of it, or
// for all of its dialog: what sticks to the edge of a lower one lies over some
// of the rest, until one scrolls.
func (p *page) unrolled(look func()) {
	p.tb.Helper()
	height, err := evaluate[int64](p.ctx, `(() => {
	  const dialog = document.querySelector('dialog[open]');
	  return Math.ceil(dialog ? dialog.scrollHeight + 100 : document.documentElement.scrollHeight);
	})()`)
	if err != nil {
		p.tb.Fatalf("cannot measure the page: %v", err)
	}
	if shown := p.screen; height > shown.height {
		p.resize(screen{shown.name, shown.width, height, shown.touch})
		defer p.resize(shown)
	}
	look()
}

func (p *page) picture(name string) {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.MkdirAll(p.folder, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(p.folder, strings.ReplaceAll(name, "/", "-")+".png"), png, 0o644)
	}
	if err != nil {
		p.tb.Errorf("cannot take the picture %s: %v", name, err)
	}
}

// finish fails the test for all that went wrong on the page so far.
func (p *page) finish() {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	_ = p.still(ctx) // what is on its way is told before the answer to this
	wrong, absent := p.trouble.verdict()
	for _, what := range wrong {
		p.tb.Errorf("trouble: %s", what)
	}
	for _, what := range absent {
		p.tb.Errorf("expected trouble that did not come: %s", what)
	}
	if p.tb.Failed() {
		p.picture("failed-" + p.tb.Name())
	}
}

// do runs actions of the browser that need no patience.
func (p *page) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.tb.Fatalf("cannot %s: %v", what, err)
	}
}

// until waits for something to hold: it looks again whenever the page changed,
// and ends the test when patience is over. The error says why it does not hold.
func (p *page) until(what string, holds func(context.Context) error) {
	p.tb.Helper()
	end := time.Now().Add(p.patience)
	ctx, cancel := context.WithTimeout(p.ctx, p.patience+patience) // the last look must end, too
	defer cancel()
	for {
		why := holds(ctx)
		if why == nil {
			return
		}
		if time.Now().After(end) {
			p.tb.Fatalf("waited %v until %s: %v%s", p.patience, what, why, p.describe())
		}
		p.change(ctx)
	}
}

// change waits until something in the page has changed, but not for long: not
// all that one sees is in the tree.
func (p *page) change(ctx context.Context) {
	if p.scripts {
		if _, err := evaluate[bool](ctx, `new Promise((done) => {
		  const watch = new MutationObserver(end);
		  const timer = setTimeout(end, 50);
		  function end() { watch.disconnect(); clearTimeout(timer); done(true); }
		  watch.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
		})`); err == nil {
			return
		}
	}
	select { // nothing in the page can tell
	case <-ctx.Done():
	case <-time.After(20 * time.Millisecond):
	}
}

// rest waits until the page has all that it asked for and shows it.
func (p *page) rest() {
	p.tb.Helper()
	p.until("the page comes to rest", p.still)
}

func (p *page) still(ctx context.Context) error {
	state, err := evaluate[string](ctx, `document.readyState`)
	if err == nil {
		err = p.frame(ctx)
	}
	if err != nil {
		return err
	}
	if urls := p.trouble.loading(); len(urls) > 0 {
		return fmt.Errorf("it still loads %s", strings.Join(urls, ", "))
	}
	if state != "complete" {
		return fmt.Errorf("it is %s", state)
	}
	return nil
}

// frame waits until what was changed is drawn, and what moves has arrived.
func (p *page) frame(ctx context.Context) error {
	if !p.scripts {
		return nil
	}
	// In the first frame it is drawn, in the second it was. What moves for ever is not waited for.
	_, err := evaluate[bool](ctx, `(async () => {
	  for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
	  const ending = document.getAnimations().filter((a) => a.effect?.getComputedTiming().endTime < Infinity);
	  await Promise.allSettled(ending.map((a) => a.finished));
	  return true;
	})()`)
	return err
}

// describe tells where the page is and what it says.
func (p *page) describe() string {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	text, err := evaluate[string](ctx, `location.pathname + ' says\n' + document.body.innerText.slice(0, 2000)`)
	if err != nil {
		return ""
	}
	return "\n" + text
}

// evaluate runs JavaScript in the page and waits for what it promises.
func evaluate[T any](ctx context.Context, script string) (T, error) {
	return chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}
