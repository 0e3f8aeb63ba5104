package api_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// Oldest first, after leads to newer ones, nothing but after in list_metadata, null when drained (R156, R182, C34).
func TestEventsInOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		slugs := make([]string, 12)
		for i := range slugs {
			slugs[i] = fmt.Sprintf("p%02d", i)
		}
		w.permission(slugs...)
		a := w.get("/events").lists("data.slug", slugs[:10]...) // ten by default
		meta, _ := a.at("list_metadata").(map[string]any)
		if len(meta) != 1 || meta["after"] != a.text("data.9.id") {
			t.Errorf("list_metadata is %v", meta)
		}
		a.has("data.0.object", "event").has("data.0.event", "permission.created").has("data.0.context.actor.id", string(w.keyID)).has("data.0.context.actor.source", "api")
		if !strings.HasPrefix(a.text("data.0.id"), "event_") || a.text("data.0.created_at") != a.text("data.0.data.created_at") {
			t.Errorf("an event: %s", a.raw)
		}
		ids := append(a.each("id"), w.get("/events?after="+a.text("list_metadata.after")).lists("data.slug", slugs[10:]...).has("list_metadata.after", nil).each("id")...)

		w.get("/events?limit=12").lists("id", ids...).has("list_metadata.after", nil)
		w.get("/events?after="+ids[11]).lists("id").has("list_metadata.after", nil)
		w.get("/events?order=asc&limit=2&after="+ids[3]).lists("id", ids[4], ids[5]).has("list_metadata.after", ids[5])
		w.get("/events?order=asc&limit=2&before="+ids[3]).lists("id", ids[1], ids[2])
		newest := slices.Clone(ids)
		slices.Reverse(newest)
		w.get("/events?order=desc&limit=3").lists("id", newest[:3]...).has("list_metadata.after", newest[2])
		w.get("/events?order=desc&limit=3&after="+newest[2]).lists("id", newest[3:6]...)
		w.get("/events?order=normal&limit=3").lists("id", newest[:3]...)
		w.get("/events?order=normal&limit=3&after="+newest[4]).lists("id", newest[1:4]...).has("list_metadata.after", newest[1])

		// New ones appear after the last, and a mirror that keeps its cursor misses none.
		w.role("admin")
		w.get("/events?after="+ids[11]).lists("event", "role.created")
	})
}

// The filters (semantics 2.11, C22): by name in all three spellings, by organization, by time.
func TestEventFilters(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.permission("a")
		w.role("admin")
		acme, globex := w.organization("Acme"), w.organization("Globex")
		w.custom(acme, "org-x")
		w.custom(globex, "org-y")
		for _, spelling := range []string{"events=role.created,permission.created", "events=role.created&events=permission.created", "events[]=role.created&events[]=permission.created", "events%5B%5D=role.created%2Cpermission.created", "events=role.created,,&events[]=permission.created"} {
			w.get("/events?"+spelling).lists("event", "permission.created", "role.created")
		}
		w.get("/events?events=nothing.happened").lists("event")
		w.get("/events?organization_id="+acme).lists("event", "organization.created", "organization_role.created")
		w.get("/events?events=organization_role.created&organization_id="+globex).lists("data.slug", "org-y")
		w.get("/events?organization_id=org_" + nobodys).lists("event")
		w.get("/events?organization_id=nonsense").lists("event")
		// A cursor need not match the filter.
		first := w.get("/events?limit=1").text("data.0.id")
		w.get("/events?events=role.created&after="+first).lists("event", "role.created")

		names := make([]string, 201)
		for i := range names {
			names[i] = fmt.Sprintf("n%d", i)
		}
		w.get("/events?events="+strings.Join(names, ",")).refused(422, "invalid_request_parameters", "events")
		w.get("/events?events=" + strings.Join(names[:200], ",")).lists("event")
	})
}

// Times (R156, R183): at most 30 days apart, inclusive, in the spellings that clients send.
func TestEventRange(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.permission("early")
		w.clock.advance(48 * time.Hour)
		w.permission("late")
		at := w.get("/events").each("created_at")
		early, err := time.Parse(time.RFC3339, at[0])
		if err != nil {
			t.Fatal(err)
		}
		day := early.Format("2006-01-02")
		query := func(start, end string) string {
			return "/events?" + url.Values{"range_start": {start}, "range_end": {end}}.Encode()
		}
		w.get(query(at[0], at[0])).lists("data.slug", "early")
		w.get(query(at[0], "")).lists("data.slug", "early", "late")
		w.get(query("", at[1])).lists("data.slug", "early", "late")
		w.get(query(at[1], "")).lists("data.slug", "late")
		w.get(query(day, early.Add(24*time.Hour).Format("2006-01-02"))).lists("data.slug", "early")
		w.get(query(early.In(time.FixedZone("", 5*3600)).Format(time.RFC3339Nano), "")).lists("data.slug", "early", "late")
		w.get(query(early.Format("2006-01-02T15:04:05"), early.Add(time.Hour).Format("2006-01-02T15:04:05"))).lists("data.slug", "early")

		w.get(query(at[0], early.Add(30*24*time.Hour).Format(time.RFC3339Nano))).is(200)
		w.get(query(at[0], early.Add(30*24*time.Hour+time.Millisecond).Format(time.RFC3339Nano))).refused(422, "invalid_request_parameters", "range_end")
		w.get(query(at[1], at[0])).refused(422, "invalid_request_parameters", "range_end")
		for _, wrong := range []string{"yesterday", "1700000000", "2026-13-01", "2026-02-30T00:00:00Z", "99999-01-01", "2026-01-01 00:00", "\x00"} {
			w.get(query(wrong, "")).is(422)
			w.get(query("", wrong)).is(422)
		}
		w.get(query("0001-01-01", "")).lists("data.slug", "early", "late")
		w.get(query("", "9999-12-31T23:59:59Z")).lists("data.slug", "early", "late")
		w.get(query("0000-01-01T00:00:00+14:00", "")).is(200)
		w.get(query("", "9999-12-31T23:59:59-14:00")).is(200)
	})
}

// A cursor that is no event kept here is refused: whoever has it has missed events and must know (R154, I8).
func TestEventCursors(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.permission("a")
		other, _ := w.environment(t, "staging")
		other.permission("b")
		theirs := other.get("/events").text("data.0.id")
		for _, cursor := range []string{"event_" + nobodys, theirs, "nonsense", "perm_" + nobodys, "0", "-1"} {
			w.get("/events?after="+cursor).refused(422, "invalid_request_parameters", "after")
			w.get("/events?before="+cursor).refused(422, "invalid_request_parameters", "before")
		}
		w.get("/events").lists("data.slug", "a")
		other.get("/events").lists("data.slug", "b")

		// Events are kept for 90 days (R183).
		last := w.get("/events").text("data.0.id")
		w.clock.advance(90*24*time.Hour + time.Second)
		w.permission("c")
		if err := w.rules.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.get("/events").lists("data.slug", "c")
		w.get("/events?after="+last).refused(422, "invalid_request_parameters", "after")
	})
}
