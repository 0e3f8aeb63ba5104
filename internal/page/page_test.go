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

// A page of a list that is at hand is what stands after or before the cursor, in the order shown, with cursors exactly
// where more stands (R150-R153).
func TestOf(t *testing.T) {
	all := []string{"c_1", "c_2", "c_4", "c_5", "c_7"}
	self := func(s string) string { return s }
	for _, c := range []struct {
		r             page.Request
		items         string
		before, after string
	}{
		{page.Request{Limit: 2, Order: page.Asc}, "c_1 c_2", "", "c_2"},
		{page.Request{Limit: 2, Order: page.Desc}, "c_7 c_5", "", "c_5"},
		{page.Request{Limit: 2, Order: page.Normal}, "c_7 c_5", "c_5", ""},
		{page.Request{Limit: 5, Order: page.Asc}, "c_1 c_2 c_4 c_5 c_7", "", ""},
		{page.Request{Limit: 2, Order: page.Asc, After: "c_2"}, "c_4 c_5", "c_4", "c_5"},
		{page.Request{Limit: 2, Order: page.Asc, After: "c_3"}, "c_4 c_5", "c_4", "c_5"},
		{page.Request{Limit: 2, Order: page.Asc, After: "c_0"}, "c_1 c_2", "", "c_2"},
		{page.Request{Limit: 2, Order: page.Asc, Before: "c_5"}, "c_2 c_4", "c_2", "c_4"},
		{page.Request{Limit: 9, Order: page.Asc, Before: "c_9"}, "c_1 c_2 c_4 c_5 c_7", "", ""},
		{page.Request{Limit: 2, Order: page.Desc, After: "c_5"}, "c_4 c_2", "c_4", "c_2"},
		{page.Request{Limit: 2, Order: page.Desc, Before: "c_2"}, "c_5 c_4", "c_5", "c_4"},
		{page.Request{Limit: 2, Order: page.Normal, Before: "c_5"}, "c_4 c_2", "c_2", "c_4"},
		{page.Request{Limit: 2, Order: page.Normal, After: "c_2"}, "c_5 c_4", "c_4", "c_5"},
		{page.Request{Limit: 2, Order: page.Asc, After: "c_7"}, "", "", ""},
	} {
		p := page.Of(c.r, all, self)
		if got := strings.Join(p.Items, " "); got != c.items || p.Before != c.before || p.After != c.after {
			t.Errorf("%+v: %q, before %q, after %q; want %q, %q, %q", c.r, got, p.Before, p.After, c.items, c.before, c.after)
		}
	}
	if got := strings.Join(all, " "); got != "c_1 c_2 c_4 c_5 c_7" {
		t.Errorf("the list itself became %q", got)
	}
}
