package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rolecall/rolecall/internal/dashboard"
)

var (
	fullEstate = estate{organizations: 10_000, memberships: 1_000_000, permissions: 500, roles: 200, groups: 30,
		resources: 10_000, events: 200_000, deliveries: 50_000}
	quickEstate = estate{organizations: 200, memberships: 10_000, permissions: 500, roles: 200, groups: 30,
		resources: 1_000, events: 5_000, deliveries: 1_000}
)

// Bounds that a page is measured against.
const (
	slowPage  = 200.0   // ms, of the median
	heavyPage = 150_000 // bytes as sent
	// longestLook bounds how long one page is looked at.
	longestLook = 5 * time.Second
)

// screens measures every screen that can be looked at, over a large world.
func (b *bench) screens(ctx context.Context, report *Report) error {
	databases, err := b.databases(ctx, "screens")
	if err != nil {
		return err
	}
	e := pick(b, fullEstate, quickEstate)
	for _, d := range databases {
		if err := b.settleEstate(ctx, d, e); err != nil {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
		if err := b.screensOn(ctx, d, report); err != nil {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
	}
	report.Notes = append(report.Notes, fmt.Sprintf(
		"screens: %d organizations, %d memberships, a tenth of them in one organization, %d permissions, %d environment roles, %d events, %d deliveries",
		e.organizations, e.memberships, e.permissions, e.roles, e.events, e.deliveries))
	return nil
}

// screensOn measures the screens over a world that is there.
func (b *bench) screensOn(ctx context.Context, d database, report *Report) (err error) {
	ids, err := knownIDs(ctx, d)
	if err != nil {
		return err
	}
	s, err := b.serve(ctx, d)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	bare, err := b.launchBare(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.stop()) }()
	v, err := newVisitor(ctx, s, bare)
	if err != nil {
		return err
	}
	ids["{person}"], ids["{invitation}"] = v.person, "none"
	rows, err := b.walk(ctx, d, v, ids)
	if err != nil {
		return err
	}
	report.Screens = append(report.Screens, rows...)
	heaviest := slices.MaxFunc(rows, func(a, b ScreenRow) int { return a.Packed - b.Packed })
	load, err := v.weigh(ctx, heaviest.address)
	if err != nil {
		return err
	}
	load.Database, load.Screen, load.Shown = d.Name, heaviest.Screen, heaviest.Shown
	report.Heaviest = append(report.Heaviest, load)
	return b.paint(ctx, d, v, ids, report)
}

// walk measures screen by screen, in the order of the table.
func (b *bench) walk(ctx context.Context, d database, v *visitor, ids map[string]string) ([]ScreenRow, error) {
	var rows []ScreenRow
	for _, s := range dashboard.Screens() {
		if s.Open || unmeasured[s.Path] || !strings.Contains(s.Path, b.Screen) {
			continue
		}
		b.say("screens: %s, %s", d.Name, s.Path)
		address, err := filled(s.Path, ids)
		if err != nil {
			return nil, err
		}
		first, err := b.look(ctx, v, s.Path, "first page", address)
		if err != nil {
			return nil, err
		}
		if first.Status < http.StatusMultipleChoices || first.Status >= http.StatusInternalServerError {
			rows = append(rows, first) // the others only take forms, and lead elsewhere
		}
		for _, more := range first.doc.further(parts[s.Path]) {
			query, err := filled(more.query, ids)
			if err != nil {
				return nil, err
			}
			where := query
			if strings.HasPrefix(query, "?") {
				where = address + query
			}
			row, err := b.look(ctx, v, s.Path, more.shown, where)
			if err == nil && row.Status != http.StatusOK && row.Status < http.StatusInternalServerError {
				err = fmt.Errorf("%s was answered %d", where, row.Status)
			}
			if err != nil {
				return nil, err
			}
			rows = append(rows, row)
		}
	}
	for i := range rows {
		rows[i].Database = d.Name
	}
	return rows, nil
}

// unmeasured are the screens that are no pages: they lead elsewhere, or are files that are written as they are read.
var unmeasured = map[string]bool{
	"/": true, "/sign-out": true, "/env/{env}/matrix/export": true, "/env/{env}/organizations/{org}/matrix/export": true,
	"/env/{env}/organizations/{org}/access": true,
}

var placeholder = regexp.MustCompile(`\{[\w-]+\}`)

// filled puts the ids of the world into an address.
func filled(path string, ids map[string]string) (string, error) {
	var unknown error
	filled := placeholder.ReplaceAllStringFunc(path, func(name string) string {
		if name == "{slug}" && !strings.Contains(path, "{org}") {
			name = "{environment-slug}"
		}
		if ids[name] == "" {
			unknown = fmt.Errorf("nothing is known to put for %s in %s", name, path)
		}
		return ids[name]
	})
	return strings.TrimSuffix(filled, "/"), unknown
}

// look measures one address beside the bare handler that sends the same bytes, one after the other. The first look
// warms up.
func (b *bench) look(ctx context.Context, v *visitor, screen, shown, address string) (row ScreenRow, err error) {
	row = ScreenRow{Screen: screen, Shown: shown, address: address}
	page, first, err := v.see(ctx, address)
	if err != nil || page.status != http.StatusOK {
		row.Status, row.First = page.status, milliseconds(first)
		return row, err
	}
	row.Plain, row.Packed, row.First, row.Status, row.doc = len(page.plain), page.sent, milliseconds(first), page.status, page.doc
	if err := v.bareShows(ctx, page); err != nil {
		return row, err
	}
	times := min(pick(b, 10, 3), max(1, int(longestLook/(first+1)))) // what takes long is not looked at often
	var product, bare, ratio []float64
	for range times {
		_, took, err := v.see(ctx, address)
		if err != nil {
			return row, err
		}
		floor, err := v.seeBare(ctx)
		if err != nil {
			return row, err
		}
		product, bare = append(product, milliseconds(took)), append(bare, milliseconds(floor))
		ratio = append(ratio, float64(took)/float64(floor))
	}
	row.Times, row.Median, row.Highest, row.Floor, row.Ratio = times, median(product), highest(product), median(bare), median(ratio)
	return row, nil
}
