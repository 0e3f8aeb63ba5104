package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
)

// eventReader follows /events by cursor, as the mirror of a customer would, and tells each event in one line.
type eventReader struct {
	client *client
	cursor string
	labels map[string]string // names by id, as the events told them
	stated bool              // the test says which events fire, so it must say so of all
}

// expect compares the events since the last call with lines.
func (e *eventReader) expect(tb testing.TB, want []string) {
	tb.Helper()
	e.stated = true
	if got := e.read(tb); !slices.Equal(got, want) {
		tb.Errorf("events\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// finish looks for events that the test did not speak of.
func (e *eventReader) finish(tb testing.TB) {
	if !e.stated || tb.Failed() {
		return
	}
	fresh := *e.client
	fresh.tb = background{tb}
	e.client = &fresh
	if left := e.read(fresh.tb); len(left) > 0 {
		tb.Errorf("events that the test does not state:\n  %s", strings.Join(left, "\n  "))
	}
}

// read reads to the end, in pages of several sizes.
func (e *eventReader) read(tb testing.TB) []string {
	tb.Helper()
	var lines []string
	for {
		path := "/events?limit=100"
		if e.cursor != "" {
			path += "&after=" + e.cursor
		}
		a := e.client.in(tb).get(path).is(200)
		var page struct {
			Data     []firedEvent
			Metadata struct{ After *string } `json:"list_metadata"`
		}
		if err := json.Unmarshal(a.raw, &page); err != nil {
			tb.Fatal(err)
		}
		for _, f := range page.Data {
			f.checkEnvelope(tb, string(e.client.keyID))
			lines = append(lines, e.line(tb, f))
			e.cursor = f.ID
		}
		if page.Metadata.After == nil {
			return lines
		}
		if *page.Metadata.After != e.cursor {
			tb.Fatalf("list_metadata.after is %s, and the last event %s", *page.Metadata.After, e.cursor)
		}
	}
}

// firedEvent is an event as it was read.
type firedEvent struct {
	ID, Event string
	Data      map[string]any
	Context   struct {
		Actor    *event.Actor
		Previous map[string]any `json:"previous_attributes"`
	}
}

// payloads is the keys of the data of each object (semantics 3.14 and C29); a question mark marks what may be absent.
var payloads = map[string]string{
	"permission":              "created_at description id name object resource_type_slug slug system updated_at",
	"role":                    "created_at object permissions? resource_type_slug slug updated_at",
	"organization_role":       "created_at description name object organization_id permissions resource_type_slug slug updated_at",
	"organization":            "allow_profiles_outside_organization created_at domains external_id id metadata name object stripe_customer_id? updated_at",
	"user":                    "created_at email email_verified external_id first_name id last_name last_sign_in_at locale metadata name object profile_picture_url updated_at",
	"group":                   "created_at description id name object organization_id updated_at",
	"group.member_added":      "group_id organization_membership_id",
	"group.member_removed":    "group_id organization_membership_id",
	"organization_membership": "created_at custom_attributes directory_managed id object organization_id role roles status updated_at user_id",
}

// keysOf is the keys of the data of an event.
func keysOf(event string) string {
	if own, there := payloads[event]; there {
		return own
	}
	noun, _, _ := strings.Cut(event, ".")
	return payloads[noun]
}

func (f firedEvent) checkEnvelope(tb testing.TB, key string) {
	tb.Helper()
	noun, _, _ := strings.Cut(f.Event, ".")
	if object, there := f.Data["object"]; there && object != noun {
		tb.Errorf("%s holds an object %v", f.Event, object)
	}
	fields := strings.Fields(keysOf(f.Event))
	for _, name := range fields {
		name, optional := strings.CutSuffix(name, "?")
		if _, there := f.Data[name]; !there && !optional {
			tb.Errorf("%s lacks %s: %v", f.Event, name, f.Data)
		}
	}
	for name := range f.Data {
		if !slices.ContainsFunc(fields, func(n string) bool { return strings.TrimSuffix(n, "?") == name }) {
			tb.Errorf("%s has a key %s, which its payload lacks", f.Event, name)
		}
	}
	byKey := f.Context.Actor != nil && f.Context.Actor.Source == "api" && strings.HasPrefix(f.Context.Actor.ID, "api_key_")
	byTime := f.Context.Actor != nil && *f.Context.Actor == authz.SystemActor
	if !byKey && !byTime {
		tb.Errorf("%s: the actor is %+v, want the key %s", f.Event, f.Context.Actor, key)
	}
	// A role renamed shows no difference: its events have no name (C29).
	if f.Event != "role.updated" && strings.HasSuffix(f.Event, ".updated") != (f.Context.Previous != nil) {
		tb.Errorf("%s has previous_attributes %v", f.Event, f.Context.Previous)
	}
}

// line tells an event by what identifies its object and by what it is about.
func (e *eventReader) line(tb testing.TB, f firedEvent) string {
	tb.Helper()
	text := func(name string) string { s, _ := f.Data[name].(string); return s }
	line := f.Event + " "
	switch noun, _, _ := strings.Cut(f.Event, "."); noun {
	case "permission":
		line += text("slug")
	case "role":
		line += text("slug")
		if _, there := f.Data["permissions"]; there {
			line += fmt.Sprint(" ", f.Data["permissions"])
		}
	case "organization_role":
		line += fmt.Sprintf("%s/%s %v", e.label(text("organization_id")), text("slug"), f.Data["permissions"])
	case "organization":
		line += text("name")
		e.labels[text("id")] = text("name")
	case "user":
		line += text("email")
		e.labels[text("id")] = text("email")
	case "group":
		if g := text("group_id"); g != "" {
			line += e.label(text("organization_membership_id")) + " of " + e.label(g)
			break
		}
		line += text("name")
		e.labels[text("id")] = text("name")
	case "organization_membership":
		e.labels[text("id")] = e.label(text("user_id"))
		line += fmt.Sprintf("%s in %s: %s %s", e.label(text("user_id")), e.label(text("organization_id")), text("status"), slugsOf(f.Data))
	default:
		tb.Errorf("an event %s that this test cannot tell: give it a line here", f.Event)
	}
	if f.Context.Previous != nil {
		names := make([]string, 0, len(f.Context.Previous))
		for name := range f.Context.Previous {
			names = append(names, name)
		}
		sort.Strings(names)
		line += ", changed " + strings.Join(names, " ")
	}
	return line
}

// slugsOf gives the roles of a membership, of which role must be the first.
func slugsOf(membership map[string]any) string {
	var slugs []string
	roles, _ := membership["roles"].([]any)
	for _, r := range roles {
		slug, _ := r.(map[string]any)["slug"].(string)
		slugs = append(slugs, slug)
	}
	first, _ := membership["role"].(map[string]any)
	if len(slugs) == 0 || first["slug"] != slugs[0] {
		return fmt.Sprintf("role %v of %v", first, slugs)
	}
	return strings.Join(slugs, " ")
}

func (e *eventReader) label(id string) string {
	if l, known := e.labels[id]; known {
		return l
	}
	return id
}

// background is a test whose context does not end with it: cleanups still talk to the server.
type background struct{ testing.TB }

func (background) Context() context.Context { return context.Background() }
