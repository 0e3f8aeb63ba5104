package dashboard

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// eventList is part of what happened in an environment or an organization, the newest first.
type eventList struct {
	Owner        id.Organization
	Organization string // its name
	Events       []happened
	Choices      []eventGroup
	Chosen       []string
	From, To     string // as typed
	Filtered     bool
	Pager        pager
}

// eventGroup is the events about one noun.
type eventGroup struct {
	Name  string
	Types []string
}

// groupedEvents sorts names of events into groups by what they are about, in the order of the names.
func groupedEvents(names []string) []eventGroup {
	var groups []eventGroup
	for _, name := range names {
		noun, _, _ := strings.Cut(name, ".")
		title := nounOf(noun)
		if n := len(groups); n == 0 || groups[n-1].Name != title {
			groups = append(groups, eventGroup{Name: title})
		}
		last := &groups[len(groups)-1]
		last.Types = append(last.Types, name)
	}
	return groups
}

// emittedEvents is the names of all events that there can be.
func emittedEvents() []string {
	var names []string
	for _, t := range event.Types() {
		names = append(names, string(t))
	}
	return names
}

func listEvents(v *visit) error {
	list, above, err := v.eventList()
	if err != nil {
		return err
	}
	filter, err := list.filter()
	var found page.Page[event.Event]
	if err == nil {
		var part page.Request
		if part, err = v.part(page.Desc, isCursor[id.Event]); err != nil {
			return err
		}
		found, err = v.door.rules.ListEvents(v.Context(), v.caller, filter, part)
	}
	if err != nil && (v.query.Has("after") || v.query.Has("before") || !v.blame(err)) {
		return err
	}
	known := v.finder()
	for _, e := range found.Items {
		h, err := known.told(e)
		if err != nil {
			return err
		}
		list.Events = append(list.Events, h)
	}
	list.Pager = v.pages(found.Before, found.After)
	v.example(list.example())
	title := "Events"
	if list.Owner != "" {
		title = "Events of " + list.Organization
	}
	return v.show("events.html", title, above, list)
}

// eventList is the list that the address asks for, without its events.
func (v *visit) eventList() (eventList, []crumb, error) {
	list := eventList{
		Owner: v.organization(), Choices: groupedEvents(emittedEvents()), Chosen: v.query["events"],
		From: v.query.Get("range_start"), To: v.query.Get("range_end"),
	}
	list.Filtered = len(list.Chosen) > 0 || list.From != "" || list.To != ""
	if list.Owner == "" {
		return list, nil, nil
	}
	above, name, err := v.above(list.Owner)
	if err != nil {
		return list, nil, err
	}
	list.Organization = name
	return list, above[:2], nil
}

// filter is what the list is narrowed to. A day is meant as a whole.
func (l eventList) filter() (authz.EventFilter, error) {
	f := authz.EventFilter{Organization: l.Owner, Types: l.Chosen}
	known := emittedEvents()
	for _, name := range l.Chosen {
		if !slices.Contains(known, name) {
			return f, fault.BadField("events", "has the unknown event '%s'", fault.Short(name))
		}
	}
	var err error
	if f.From, err = typedTime("range_start", l.From); err != nil {
		return f, err
	}
	if f.To, err = typedTime("range_end", l.To); err == nil && len(l.To) == len(time.DateOnly) {
		f.To = f.To.Add(24*time.Hour - time.Millisecond)
	}
	return f, err
}

func (l eventList) example() Call {
	query := url.Values{"order": {"desc"}}
	options := map[string]any{"order": "desc"}
	if len(l.Chosen) > 0 {
		query["events"], options["events"] = l.Chosen, l.Chosen
	}
	if l.Owner != "" {
		query.Set("organization_id", string(l.Owner))
		options["organizationId"] = l.Owner
	}
	return Call{What: "List events", Method: "GET", Path: "/events?" + query.Encode(), Node: sdk("events.listEvents", options)}
}

// oneEvent is an event with all that is known of it.
type oneEvent struct {
	Owner id.Organization
	happened
	Before, After      bool // whether there is anything on that side
	Changed, Unchanged []attribute
	Raw                string
}

func showEvent(v *visit) error {
	which, ok := id.Parse[id.Event](v.PathValue("event"))
	if !ok {
		return fault.Missing("Event", v.PathValue("event"))
	}
	e, err := v.door.rules.Event(v.Context(), v.caller, which)
	if err != nil {
		return err
	}
	org := v.organization()
	above := []crumb{{"Events", v.Path("events")}}
	if org != "" {
		if e.Organization != org {
			return fault.Missing("Event", string(which))
		}
		if above, _, err = v.above(org); err != nil {
			return err
		}
		above[2] = crumb{"Events", v.In(org, "events")}
	}
	shown, err := v.finder().compared(e)
	if err != nil {
		return err
	}
	shown.Owner = org
	v.example(Call{What: "List what happened after it", Method: "GET", Path: "/events?after=" + string(e.ID), Node: sdk("events.listEvents", map[string]any{"events": []event.Type{e.Type}, "after": e.ID})})
	return v.show("event.html", shown.What, above, shown)
}
