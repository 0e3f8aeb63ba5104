package main

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/rolecall/rolecall/internal/testneed"
)

// painted are the screens whose painting is timed.
var painted = []string{"/env/{env}/roles", "/env/{env}/permissions", "/env/{env}/matrix", "/env/{env}/organizations"}

// paintTime bounds the painting of one page.
const paintTime = time.Minute

// paints are the times that a browser tells once a page has come to rest, in milliseconds from the begin of its loading.
type paints struct {
	First   float64 `json:"first"`
	Largest float64 `json:"largest"`
}

// readPaints waits for a largest paint and for two frames in which it did not grow.
const readPaints = `new Promise((resolve) => {
  let largest = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) largest = entry.startTime;
  }).observe({type: 'largest-contentful-paint', buffered: true});
  const frame = (before) => requestAnimationFrame(() => requestAnimationFrame(() => {
    const first = performance.getEntriesByName('first-paint')[0];
    if (first && largest && largest === before) resolve({first: first.startTime, largest});
    else setTimeout(frame, 100, largest);
  }));
  frame(0);
})`

// paint times the painting of pages, each in a profile that holds nothing, and then once more in the same one.
func (b *bench) paint(ctx context.Context, d database, v *visitor, ids map[string]string, report *Report) (err error) {
	path, err := testneed.FindChromium()
	if err != nil {
		report.Notes = append(report.Notes, "screens: paint was not measured on "+d.Name+": no Chromium: "+err.Error())
		return nil
	}
	folder, err := os.MkdirTemp(b.folder, "chromium-")
	if err != nil {
		return err
	}
	allocator, end := chromedp.NewExecAllocator(ctx, append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.Env("TMPDIR="+folder), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 800),
		chromedp.Flag("no-proxy-server", true), chromedp.Flag("disable-component-update", true))...)
	defer end()
	browser, closeBrowser := chromedp.NewContext(allocator)
	defer closeBrowser()
	if err := chromedp.Do(browser); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, chromedp.Cancel(browser)) }()
	for _, screen := range painted {
		if !strings.Contains(screen, b.Screen) {
			continue
		}
		b.say("screens: %s, painting %s", d.Name, screen)
		address, err := filled(screen, ids)
		if err != nil {
			return err
		}
		cold, warm := PaintRow{Database: d.Name, Screen: screen, Cache: "cold"}, PaintRow{Database: d.Name, Screen: screen, Cache: "warm"}
		for range b.Rounds {
			both, err := v.painting(browser, v.at(address))
			if err != nil {
				return err
			}
			cold.add(both[0])
			warm.add(both[1])
		}
		report.Paint = append(report.Paint, cold.finish(), warm.finish())
	}
	return nil
}

// painting opens a page twice in a new profile.
func (v *visitor) painting(browser context.Context, address string) (both [2]paints, err error) {
	tab, closeTab := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	defer closeTab()
	if err := chromedp.Do(tab, v.signIn()); err != nil {
		return both, err
	}
	ctx, cancel := context.WithTimeout(tab, paintTime)
	defer cancel()
	for i := range both {
		if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
			return both, err
		}
		if both[i], err = chromedp.Run(ctx, chromedp.Evaluate[paints](readPaints, chromedp.EvalAwaitPromise)); err != nil {
			return both, err
		}
		if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
			return both, err
		}
	}
	return both, nil
}

// signIn gives a profile the visitor's cookies.
func (v *visitor) signIn() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for _, c := range v.cookies() {
			in := network.SetCookieParams{Name: c.Name, Value: c.Value, URL: v.server.Address + "/dashboard", Path: "/dashboard"}
			if _, err := cdp.Call(ctx, t, network.SetCookie, in); err != nil {
				return err
			}
		}
		return nil
	})
}

func (v *visitor) cookies() []*http.Cookie {
	at, err := url.Parse(v.server.Address + "/dashboard/")
	if err != nil {
		panic(err) // the address was visited
	}
	return v.client.Jar.Cookies(at)
}

func (r *PaintRow) add(p paints) {
	r.first, r.largest = append(r.first, p.First), append(r.largest, p.Largest)
}

func (r PaintRow) finish() PaintRow {
	r.Times, r.First, r.Highest, r.Largest, r.Latest = len(r.first), median(r.first), highest(r.first), median(r.largest), highest(r.largest)
	return r
}
