package browser_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"

	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The checks of this package, checked: whatever is wrong with a page must fail
// the test of it.

// impatient is how long a test waits here for what will not come.
const impatient = 50 * time.Millisecond

// A verdict is a test within a test, which may fail.
type verdict struct {
	testing.TB
	mu       sync.Mutex
	errors   []string
	cleanups []func()
}

func (v *verdict) Helper()           {}
func (v *verdict) Cleanup(do func()) { v.cleanups = append(v.cleanups, do) }
func (v *verdict) Failed() bool      { return len(v.errors) > 0 }
func (v *verdict) Errorf(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.errors = append(v.errors, fmt.Sprintf(format, args...))
}
func (v *verdict) Fatalf(format string, args ...any) {
	v.Errorf(format, args...)
	runtime.Goexit()
}
func (v *verdict) Fatal(args ...any) { v.Fatalf("%s", fmt.Sprint(args...)) }

// run runs a part of the test, of which a failure may end only that part.
func (v *verdict) run(part func()) {
	var done sync.WaitGroup
	done.Go(part)
	done.Wait()
}

// judge runs a test within this one, on a page that it opens and closes, and
// returns why it failed.
func judge(t *testing.T, address string, test func(p *page)) []string {
	t.Helper()
	v := &verdict{TB: t}
	v.run(func() {
		p := newPage(v, address)
		p.folder = t.TempDir() // that it fails is no news
		test(p)
	})
	for _, do := range slices.Backward(v.cleanups) {
		v.run(do)
	}
	return v.errors
}

// TestTroubleFails: one thing is wrong with each of these pages, and that alone
// fails their test, although what is looked for is there.
func TestTroubleFails(t *testing.T) {
	address := pages(t)
	for path, want := range map[string]string{
		"/error":     `console error: "a message" 42`,
		"/warning":   `console warning: "a warning"`,
		"/throw":     `exception: .*nobody catches this`,
		"/promise":   `exception: .*nobody awaits this`,
		"/eval":      `content security policy: script-src forbids eval`,
		"/inline":    `content security policy: style-src-attr forbids inline`,
		"/style":     `content security policy: style-src-attr forbids inline`,
		"/script":    `content security policy: script-src-elem forbids inline`,
		"/elsewhere": `content security policy: img-src forbids http://example.com`,
		"/no-style":  `browser error .*/missing.css`,
		"/no-image":  `request: 404 for .*/missing.png`,
		"/fetch":     `request: 500 for .*/broken`,
		"/cutting":   `request: net::\S+ +for .*/cut`,
		"/asking":    `dialog of the browser .*Sure\?`,
		"/broken":    `request: 500 for .*/broken`,
	} {
		t.Run(strings.Trim(path, "/"), func(t *testing.T) {
			t.Parallel()
			fails(t, address, want, func(p *page) { p.visit(path) })
		})
	}
}

// fails requires that a test fails for this reason, and that it says so.
func fails(t *testing.T, address, reason string, test func(p *page)) {
	t.Helper()
	saysWhy(t, judge(t, address, test), reason)
}

func saysWhy(t *testing.T, errors []string, reason string) {
	t.Helper()
	if said := strings.Join(errors, "\n"); !regexp.MustCompile(reason).MatchString(said) {
		t.Errorf("it must fail with %s, got:\n%s", reason, said)
	}
}

func TestCleanPagePasses(t *testing.T) {
	t.Parallel()
	address := pages(t)
	p := newPage(t, address)
	p.visit("/clean")
	p.at("/clean")
	p.see("All is well")
	p.notSee("Hidden words")
	p.hasNot("button", "Hidden")
	p.axe()
	p.fits()
	p.phone()
	p.fits()
}

// TestExpectedTrouble: a test may be about trouble, which then has to come.
func TestExpectedTrouble(t *testing.T) {
	t.Parallel()
	address := pages(t)
	if errors := judge(t, address, func(p *page) {
		p.expect("500 for " + address + "/broken")
		p.visit("/fetch")
	}); len(errors) > 0 {
		t.Errorf("trouble that is expected must not fail, got %q", errors)
	}
	fails(t, address, "expected trouble that did not come: 500", func(p *page) {
		p.expect("500")
		p.visit("/clean")
	})
}

// TestBarriersFail: axe is asked, its answer counts, and light and dark are
// looked at each for itself.
func TestBarriersFail(t *testing.T) {
	t.Parallel()
	v := &verdict{TB: t}
	p := newPage(t, pages(t))
	p.tb = v
	defer func() { p.tb = t }()
	p.expect("FormEmptyIdAndNameAttributesForInputError") // a field that has no label
	for path, want := range map[string]string{
		"/no-label":  `barrier \(dark\) label: `,
		"/pale":      `barrier \(light\) color-contrast: `,
		"/dark-pale": `barrier \(dark\) color-contrast: `,
		"/tiny":      `barrier \(dark\) target-size: `,   // of WCAG 2.2
		"/jump":      `barrier \(dark\) heading-order: `, // best practice
	} {
		t.Run(strings.Trim(path, "/"), func(t *testing.T) {
			v.errors = nil
			v.run(func() {
				p.visit(path)
				p.axe()
			})
			saysWhy(t, v.errors, want)
		})
	}
}

// TestTooWideFails, also where the browser would hide it by zooming out.
func TestTooWideFails(t *testing.T) {
	t.Parallel()
	address := pages(t)
	fails(t, address, `wider than the screen of 390 pixels:\n\tit is 7\d\d wide\n\t<p class="wide">`, func(p *page) {
		p.phone()
		p.visit("/wide")
		p.fits()
	})
	fails(t, address, `wider than the screen of 390 pixels:\n\tit is 980 wide`, func(p *page) {
		p.phone()
		p.visit("/no-viewport")
		p.fits()
	})
	p := newPage(t, address)
	p.phone()
	p.visit("/wide-scroll")
	p.fits()
}

// TestWaitingEnds: what does not come fails the test, and the failure helps.
func TestWaitingEnds(t *testing.T) {
	t.Parallel()
	v := &verdict{TB: t}
	p := newPage(t, pages(t))
	p.tb = v
	defer func() { p.tb = t }()
	p.expect(`"tomorrow" does not conform`)
	for name, c := range map[string]struct {
		path, reason string
		test         func(p *page)
	}{
		"text":              {"/clean", `one sees “Nothing”: it is not there\n/clean says\nTest\n\nAll is well`, func(p *page) { p.see("Nothing") }},
		"hidden text":       {"/clean", `it is not there`, func(p *page) { p.see("Hidden words") }},
		"text that is left": {"/clean", `it is there`, func(p *page) { p.notSee("All is well") }},
		"order":             {"/clean", `“Test” is not where`, func(p *page) { p.order("All is well", "Test") }},
		"path":              {"/clean", `it is at /clean`, func(p *page) { p.at("/other") }},
		"no such name":      {"/twins", `there are: “Save”, “Save”`, func(p *page) { p.click("button", "Sav") }},
		"two of them":       {"/twins", `there are 2 times`, func(p *page) { p.click("button", "Save") }},
		"no such area":      {"/similar", `of 4, the number of listitem “Nobody” is 0`, func(p *page) { p.within("listitem", "Nobody").see("") }},
		"two areas":         {"/similar", `of 4, the number of listitem “Edit” is 3`, func(p *page) { p.within("listitem", "Edit").see("") }},
		"something left":    {"/twins", `until there is no button`, func(p *page) { p.hasNot("button", "Save") }},
		"hidden":            {"/clean", `there is no button “Hidden”`, func(p *page) { p.click("button", "Hidden") }},
		"covered":           {"/covered", `it lies behind <div class="cover">`, func(p *page) { p.click("button", "Save") }},
		"disabled":          {"/disabled", `it is disabled`, func(p *page) { p.click("button", "Save") }},
		"behind a dialog":   {"/dialog", `there is no button “Open”`, func(p *page) { p.click("button", "Open"); p.click("button", "Open") }},
		"value":             {"/form", `it holds “old”`, func(p *page) { p.holds("Name", "new") }},
		"option":            {"/form", `the options are Admin, Editor`, func(p *page) { p.choose("Role", "Owner") }},
		"no date":           {"/form", `tomorrow is no date`, func(p *page) { p.fill("Day", "tomorrow") }},
		"focus":             {"/form", `it is on textbox “Name”`, func(p *page) { p.press("Tab"); p.focused("button", "Send") }},
		"property":          {"/disabled", `it is true`, func(p *page) { p.is("button", "Save", "disabled", "false") }},
		"endless request":   {"/waiting", `it still loads \S+/never`, func(p *page) { p.click("heading", "Test") }},
		"key":               {"/form", `no such key`, func(p *page) { p.press("Return") }},
	} {
		t.Run(name, func(t *testing.T) {
			v.errors = nil
			v.run(func() {
				p.patience = patience
				p.visit(c.path)
				p.patience = impatient
				c.test(p)
			})
			saysWhy(t, v.errors, c.reason)
		})
	}
}

// TestHands: what is done arrives, light or heavy.
func TestHands(t *testing.T) {
	t.Parallel()
	p := newPage(t, pages(t))
	p.visit("/form")
	p.holds("Name", "old")
	p.fill("Name", "")
	p.holds("Name", "")
	p.fill("Name", "Zoë & “Bob”")
	p.choose("Role", "Editor")
	p.fill("Day", "2026-11-23")
	p.click("button", "Send") // far below
	p.at("/form")
	p.see(`You wrote "Zoë & “Bob”" and chose "Editor" on "2026-11-23"`)
	p.back()
	p.at("/form")

	p.visit("/form")
	p.press("Tab")
	p.focused("textbox", "Name")
	p.write("by keys")
	p.press("Tab", "ArrowDown", "Shift+Tab", "Control+a", "x", "Enter")
	p.see(`You wrote "x" and chose "Editor"`)
}

func TestAreas(t *testing.T) {
	t.Parallel()
	p := newPage(t, pages(t))
	p.visit("/rows")
	p.within("table", "Roles").order("Admin", "Editor")
	row := p.within("row", "Editor")
	row.see("Delete")
	row.notSee("Admin")
	row.click("button", "Delete")
	p.within("row", "Admin").hasNot("link", "Delete")
	row.click("link", "Delete")
	p.at("/clean")
	p.has("heading", "Test")

	p.visit("/similar")
	p.within("listitem", "Editor").see("like others")
	p.within("listitem", "Owner").see("of all")
}

func TestWaitingForScripts(t *testing.T) {
	t.Parallel()
	p := newPage(t, pages(t))
	p.visit("/later")
	p.see("Here at last")

	p.expect("Sure?")
	p.visit("/asking")
	p.see("It is sure")

	p.visit("/dialog")
	p.click("button", "Open")
	p.within("dialog", "Question").click("button", "Close")
	p.hasNot("dialog", "Question")
	p.click("button", "Open")
	p.press("Escape")
	p.focused("button", "Open")

	p.visit("/check")
	p.is("checkbox", "Active", "checked", "false")
	p.click("checkbox", "Active")
	p.is("checkbox", "Active", "checked", "true")
}

// TestDrag moves in the two ways that lists can be made of.
func TestDrag(t *testing.T) {
	t.Parallel()
	p := newPage(t, pages(t))
	for _, path := range []string{"/list-by-mouse", "/list-by-browser"} {
		p.visit(path)
		p.order("One", "Two", "Three")
		p.drag("listitem", "One", "listitem", "Three")
		p.order("Two", "Three", "One")
		p.drag("listitem", "One", "listitem", "Two")
		p.order("One", "Two", "Three")
	}
}

func TestWithoutScripts(t *testing.T) {
	t.Parallel()
	p := newPage(t, pages(t))
	p.visit("/rows")
	p.notSee("Without scripts")
	p.withoutScripts()
	p.reload()
	p.see("Without scripts")
	p.within("row", "Editor").click("link", "Delete")
	p.at("/clean")
	p.visit("/later")
	p.notSee("Here at last")
	p.visit("/form")
	p.fill("Name", "no script")
	p.fill("Day", "2026-11-23")
	p.choose("Role", "Editor")
	p.folder = t.TempDir()
	p.shot("without-scripts")
	p.click("button", "Send")
	p.see(`You wrote "no script" and chose "Editor" on "2026-11-23"`)
}

// TestPhone: a phone is touched.
func TestPhone(t *testing.T) {
	t.Parallel()
	p := newPage(t, pages(t))
	p.phone()
	p.visit("/touch")
	p.click("button", "Touch me")
	p.see("Touched with a finger")
	p.visit("/form")
	p.fill("Name", "thumb")
	p.click("button", "Send")
	p.see(`You wrote "thumb"`)
}

// TestPagesKnowNothingOfEachOther: neither cookies nor storage.
func TestPagesKnowNothingOfEachOther(t *testing.T) {
	t.Parallel()
	address := pages(t)
	first, second := newPage(t, address), newPage(t, address)
	first.visit("/cookie")
	first.visit("/cookie")
	first.see("You were here")
	second.visit("/cookie")
	second.see("You are new")
}

func TestShots(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("ROLECALL_SCREENSHOTS", folder)
	p := newPage(t, pages(t))
	p.visit("/form")
	p.shot("form")
	p.phone()
	p.shot("form")
	fails(t, p.address, "trouble", func(p *page) {
		p.folder = folder
		p.visit("/error")
	})

	sizes := map[string]image.Point{}
	pictures := map[string]string{}
	for _, name := range []string{"form-light", "form-dark", "form-phone-light", "form-phone-dark", "failed-TestShots"} {
		content, err := os.ReadFile(filepath.Join(folder, name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		picture, err := png.DecodeConfig(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		sizes[name], pictures[name] = image.Pt(picture.Width, picture.Height), string(content)
	}
	if sizes["form-light"].X != 1280 || sizes["form-light"].Y < 3000 || sizes["form-phone-dark"].X != 390 {
		t.Errorf("the pictures must show the whole page at the width of the screen, got %v", sizes)
	}
	if pictures["form-light"] == pictures["form-dark"] {
		t.Error("light and dark look the same")
	}
}
