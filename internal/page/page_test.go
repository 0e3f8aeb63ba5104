package page_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/page"
)

func isCursor(s string) bool { return strings.HasPrefix(s, "c_") }

func TestParse(t *testing.T) {
	for name, c := range map[string]struct {
		raw     page.Raw
		refused string // the parameter that must be named; "" when it is fine
	}{
		"nothing":       {page.Raw{}, ""},
		"all":           {page.Raw{Limit: "100", Order: "normal", After: "c_1"}, ""},
		"zero":          {page.Raw{Limit: "0"}, "limit"},
		"too many":      {page.Raw{Limit: "101"}, "limit"},
		"negative":      {page.Raw{Limit: "-1"}, "limit"},
		"no number":     {page.Raw{Limit: "ten"}, "limit"},
		"huge":          {page.Raw{Limit: strings.Repeat("9", 40)}, "limit"},
		"fraction":      {page.Raw{Limit: "1.5"}, "limit"},
		"order":         {page.Raw{Order: "up"}, "order"},
		"order in caps": {page.Raw{Order: "DESC"}, "order"},
		"after":         {page.Raw{After: "'; DROP TABLE roles"}, "after"},
		"before":        {page.Raw{Before: "x"}, "before"},
		"both (R155)":   {page.Raw{Before: "c_1", After: "c_2"}, "before"},
	} {
		_, err := page.Parse(c.raw, page.Desc, isCursor)
		switch {
		case c.refused == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.refused != "" && (!fault.Is(err, fault.Invalid) || fault.Of(err).Fields[0].Name != c.refused):
			t.Errorf("%s: %v, want a refusal that names %s", name, err, c.refused)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("10", "desc", "", "c_1")
	f.Add("", "", "c_", "")
	f.Fuzz(func(t *testing.T, limit, order, before, after string) {
		r, err := page.Parse(page.Raw{Limit: limit, Order: order, Before: before, After: after}, page.Desc, isCursor)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Errorf("refused with %v", err)
			}
			return
		}
		if r.Limit < page.MinLimit || r.Limit > page.MaxLimit || r.Before != "" && r.After != "" {
			t.Errorf("accepted %+v", r)
		}
		if n, err := strconv.Atoi(limit); limit != "" && (err != nil || n != r.Limit) {
			t.Errorf("limit %q became %d", limit, r.Limit)
		}
	})
}
