// Package browser_test uses the dashboard as people do: a real Chromium, driven
// by what they perceive (roles, accessible names, text on the screen), against
// a real server.
//
// One browser serves all tests. Every page has a browser context, so cookies
// and storage, for itself, and fails its test when something went wrong that a
// test would not look at: see trouble_test.go. harness_test.go shows that none
// of the checks made here can pass by accident.
//
// Screenshots are written to the folder screenshots, or to the one that
// ROLECALL_SCREENSHOTS names.
package browser_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/rolecall/rolecall/internal/testneed"
)

// Far more than is needed on a slow machine.
const (
	patience  = 20 * time.Second
	closeTime = 20 * time.Second
)

// chromium is started by the first test that needs it and closed by TestMain:
// a start costs more than most tests.
var chromium sharedBrowser

func TestMain(m *testing.M) {
	code := m.Run()
	if err := chromium.close(); err != nil {
		fmt.Fprintln(os.Stderr, "closing the browser:", err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// A sharedBrowser is a browser that is started when it is first asked for.
type sharedBrowser struct {
	mu      sync.Mutex
	running context.Context // nil before the start
	end     func() error
}

// context returns what pages are made from.
func (b *sharedBrowser) context(tb testing.TB) context.Context {
	tb.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running != nil {
		return b.running
	}
	path := testneed.Chromium(tb)
	folder, err := os.MkdirTemp("", "rolecall-browser")
	if err != nil {
		tb.Fatal(err)
	}
	flags := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.Env("TMPDIR="+folder), // it does not always clean up
		// It sees nothing but pages of ours, and containers rarely allow the sandbox.
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		// Whatever a page wants from elsewhere fails, and so does its test.
		chromedp.Flag("no-proxy-server", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"),
	)
	allocator, endAllocator := chromedp.NewExecAllocator(context.Background(), flags...)
	ctx, _ := chromedp.NewContext(allocator) // ends with the allocator
	b.end = func() error {
		endAllocator()
		return os.RemoveAll(folder)
	}
	if err := chromedp.Do(ctx); err != nil {
		tb.Fatalf("cannot start the browser: %v", errors.Join(err, b.end()))
	}
	b.running = ctx
	return ctx
}

// close ends the browser, if there is one, and removes what it wrote.
func (b *sharedBrowser) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(b.running, closeTime)
	defer cancel()
	return errors.Join(chromedp.Cancel(ctx), b.end())
}

// newPage opens an empty page that speaks to the server at the address, with no
// cookies yet. At the end of the test it fails it if there was trouble.
func newPage(tb testing.TB, address string) *page {
	tb.Helper()
	if testing.Short() {
		tb.Skip("it needs a browser")
	}
	p := &page{tb: tb, address: address, trouble: newTrouble(), scripts: true, drags: make(chan *input.DragData, 1), patience: patience}
	p.folder = cmp.Or(os.Getenv("ROLECALL_SCREENSHOTS"), "screenshots")
	p.area = area{page: p}
	ctx, cancel := chromedp.NewContext(chromium.context(tb), chromedp.WithNewBrowserContext(), chromedp.WithListener(p.hear))
	p.ctx = ctx
	// First of all, so that it runs last: what it closes is needed until then.
	tb.Cleanup(cancel)
	if err := chromedp.Do(ctx, prepare); err != nil {
		tb.Fatalf("cannot open a page: %v", err)
	}
	tb.Cleanup(p.finish)
	p.resize(desktop)
	p.scheme("light")
	return p
}

// prepare switches on what a page is watched by.
func prepare(ctx context.Context, t *chromedp.Target) (none chromedp.Void, err error) {
	if _, err := cdp.Call(ctx, t, network.Enable, network.EnableParams{}); err != nil {
		return none, err
	}
	if _, err := cdp.Call(ctx, t, log.Enable, cdp.Empty{}); err != nil {
		return none, err
	}
	if _, err := cdp.Call(ctx, t, audits.Enable, cdp.Empty{}); err != nil {
		return none, err
	}
	if _, err := cdp.Call(ctx, t, runtime.AddBinding, runtime.AddBindingParams{Name: violationBinding}); err != nil {
		return none, err
	}
	watch := cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: watchViolations}
	if _, err := cdp.Call(ctx, t, cdppage.AddScriptToEvaluateOnNewDocument, watch); err != nil {
		return none, err
	}
	// Of several pages that are open at once each believes that it has the focus.
	_, err = cdp.Call(ctx, t, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	return none, err
}
