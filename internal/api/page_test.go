package api_test

import (
	"fmt"
	"slices"
	"testing"
)

// Every paginated list in all orders and directions, with exact cursors (R150-R155).
func TestPages(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org := w.organization("Acme")
		var ids [4][]string // oldest first
		for i := range 5 {
			ids[0] = append(ids[0], w.post(permissions, object{"slug": fmt.Sprint(i), "name": "n"}).is(201).text("id"))
			ids[2] = append(ids[2], w.user(fmt.Sprintf("u%d@acme.example", i)))
			ids[3] = append(ids[3], w.member(ids[2][i], org, ""))
			if i > 0 {
				w.organization("n")
			}
		}
		ids[1] = w.get(organizations + "?order=asc").each("id")
		for i, path := range []string{permissions + "?", organizations + "?", users + "?", memberships + "?organization_id=" + org + "&"} {
			pages(t, w, path, ids[i])
		}
	})
}

func pages(t *testing.T, w *world, path string, oldest []string) {
	newest := slices.Clone(oldest)
	slices.Reverse(newest)
	page := func(query string, want []string, before, after any) {
		t.Helper()
		w.get(path+query).lists("id", want...).has("list_metadata", object{"before": before, "after": after})
	}
	page("", newest, nil, nil) // R150
	page("limit=100", newest, nil, nil)
	page("limit=5", newest, nil, nil)
	for order, shown := range map[string][]string{"": newest, "order=desc&": newest, "order=asc&": oldest} {
		page(order+"limit=2", shown[:2], nil, shown[1])
		page(order+"limit=2&after="+shown[1], shown[2:4], shown[2], shown[3])
		page(order+"limit=2&after="+shown[3], shown[4:], shown[4], nil)
		page(order+"limit=2&after="+shown[2], shown[3:], shown[3], nil)
		page(order+"limit=2&after="+shown[4], nil, nil, nil)
		page(order+"limit=2&before="+shown[3], shown[1:3], shown[1], shown[2])
		page(order+"limit=2&before="+shown[2], shown[:2], nil, shown[1])
		page(order+"limit=2&before="+shown[1], shown[:1], nil, shown[0])
		page(order+"limit=2&before="+shown[0], nil, nil, nil)
		page(order+"limit=1&before="+shown[4], shown[3:4], shown[3], shown[3])
	}
	// R153: newest first as well, with before leading to older and after to newer ones.
	page("order=normal&limit=2", newest[:2], newest[1], nil)
	page("order=normal&limit=2&before="+newest[1], newest[2:4], newest[3], newest[2])
	page("order=normal&limit=2&before="+newest[3], newest[4:], nil, newest[4])
	page("order=normal&limit=2&after="+newest[3], newest[1:3], newest[2], newest[1])
	page("order=normal&limit=2&after="+newest[1], newest[:1], newest[0], nil)

	for _, limit := range []string{"0", "101", "-1", "x", "1.5", "1e1", "99999999999999999999", "%20", "0x10"} { // R154
		w.get(path+"limit="+limit).refused(422, "invalid_request_parameters", "limit")
	}
	w.get(path+"order=up").refused(422, "invalid_request_parameters", "order")
	w.get(path+"order=ASC").refused(422, "invalid_request_parameters", "order")
	w.get(path+"before="+oldest[0]+"&after="+oldest[1]).refused(422, "invalid_request_parameters", "before") // R155
	w.get(path+"limit=0&order=up&after=x").refused(422, "invalid_request_parameters", "limit", "order", "after")
	for _, cursor := range []string{"x", "event_" + nobodys, oldest[0] + "0", "'", "%27%20OR%201=1--"} { // R154; security case 8
		w.get(path+"after="+cursor).refused(422, "invalid_request_parameters", "after")
		w.get(path+"before="+cursor).refused(422, "invalid_request_parameters", "before")
	}
}

// A cursor is a position: it stays one when its item is gone, and an id of this kind that never was is one too (R151).
func TestCursorOfADeletedItem(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		var ids []string
		for i := range 4 {
			ids = append(ids, w.user(fmt.Sprintf("u%d@acme.example", i)))
		}
		w.delete(users + "/" + ids[1]).is(200)
		w.get(users+"?order=asc&after="+ids[1]).lists("id", ids[2], ids[3])
		w.get(users+"?order=asc&before="+ids[1]).lists("id", ids[0])
		w.get(users + "?after=user_" + nobodys).is(200)
	})
}

// Following after to the end sees each item once, while others come and go (R151, trap of 2.15).
func TestFollowingPages(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		var made []string
		for i := range 7 {
			made = append(made, w.user(fmt.Sprintf("u%d@acme.example", i)))
		}
		var seen []string
		query := "?limit=2"
		for round := 0; ; round++ {
			a := w.get(users + query).is(200)
			seen = append(seen, a.each("id")...)
			if a.at("list_metadata.after") == nil {
				break
			}
			w.user(fmt.Sprintf("late%d@acme.example", round))
			query = "?limit=2&after=" + a.text("list_metadata.after")
		}
		slices.Reverse(made)
		if !slices.Equal(seen, made) {
			t.Errorf("saw %q, want %q", seen, made)
		}
	})
}
