package main

import (
	"fmt"
	"io"
	"net/http"
)

// ScreenRow is one page of the dashboard beside a bare handler that sends the same bytes. Times are medians.
type ScreenRow struct {
	Database string  `json:"database"`
	Screen   string  `json:"screen"`
	Shown    string  `json:"shown"`  // which part of it
	Status   int     `json:"status"` // nothing is measured unless it is 200
	Times    int     `json:"times"`
	Median   float64 `json:"median_ms"`
	Highest  float64 `json:"highest_ms"`
	First    float64 `json:"first_ms"` // of the look that is not counted
	Floor    float64 `json:"bare_ms"`
	Ratio    float64 `json:"ratio"` // of the two times
	Plain    int     `json:"bytes"`
	Packed   int     `json:"bytes_sent"` // packed by gzip where the server does so
	address  string
	doc      document
}

// over says whether the page takes longer or weighs more than pages should.
func (r ScreenRow) over() bool { return r.Median > slowPage || r.Packed > heavyPage }

// LoadRow is what a browser loads for the heaviest page when it has kept nothing.
type LoadRow struct {
	Database    string `json:"database"`
	Screen      string `json:"screen"`
	Shown       string `json:"shown"`
	Plain       int    `json:"bytes"`
	Packed      int    `json:"bytes_sent"`
	Requests    int    `json:"requests"`
	FilesPacked int    `json:"bytes_sent_of_files"`
}

// PaintRow is when a browser shows a page: the first of it, and the largest part of it. Times are medians.
type PaintRow struct {
	Database string  `json:"database"`
	Screen   string  `json:"screen"`
	Cache    string  `json:"cache"` // cold or warm
	Times    int     `json:"times"`
	First    float64 `json:"first_paint_ms"`
	Highest  float64 `json:"first_paint_highest_ms"`
	Largest  float64 `json:"largest_contentful_paint_ms"`
	Latest   float64 `json:"largest_contentful_paint_highest_ms"`
	first    []float64
	largest  []float64
}

func screensText(t io.Writer, r Report) {
	if len(r.Screens) == 0 {
		return
	}
	fmt.Fprintf(t, "\nScreens, ms\tscreen\tpart\tmedian\tslowest\tfirst\tbare handler\tratio\tbytes\tsent\ttimes\n")
	for _, s := range r.Screens {
		if s.Status != http.StatusOK {
			fmt.Fprintf(t, "%s\t%s\t%s\tanswered %d\t\t%.1f\t\t\t\t\t\tOVER\n", s.Database, s.Screen, s.Shown, s.Status, s.First)
			continue
		}
		over := ""
		if s.over() {
			over = "\tOVER"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%.1f\t%.1f\t%.1f\t%.2f\t%.1f\t%d\t%d\t%d%s\n",
			s.Database, s.Screen, s.Shown, s.Median, s.Highest, s.First, s.Floor, s.Ratio, s.Plain, s.Packed, s.Times, over)
	}
	fmt.Fprintf(t, "\nHeaviest page, bytes\tscreen\tpart\tpage\tsent\trequests\tfiles, sent\n")
	for _, l := range r.Heaviest {
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%d\t%d\t%d\n", l.Database, l.Screen, l.Shown, l.Plain, l.Packed, l.Requests, l.FilesPacked)
	}
	if len(r.Paint) == 0 {
		return
	}
	fmt.Fprintf(t, "\nPaint, ms\tscreen\tcache\tfirst\tslowest\tlargest\tslowest\ttimes\n")
	for _, p := range r.Paint {
		fmt.Fprintf(t, "%s\t%s\t%s\t%.1f\t%.1f\t%.1f\t%.1f\t%d\n", p.Database, p.Screen, p.Cache, p.First, p.Highest, p.Largest, p.Latest, p.Times)
	}
}
