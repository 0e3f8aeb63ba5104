package api

import (
	"encoding/json"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// Event is something that happened, as the API shows it. Data depends on the event.
type Event struct {
	Object    string          `json:"object" const:"event"`
	ID        id.Event        `json:"id"`
	Event     event.Type      `json:"event"`
	Data      json.RawMessage `json:"data"`
	CreatedAt event.Time      `json:"created_at"`
	Context   json.RawMessage `json:"context"`
}

// EventList is a page of events. It leads forward only.
type EventList struct {
	Object   string  `json:"object" const:"list"`
	Data     []Event `json:"data"`
	Metadata Forward `json:"list_metadata"`
}

// Forward holds the cursor that leads on, null when there is nothing newer yet.
type Forward struct {
	After *string `json:"after"`
}

func showEvents(p page.Page[event.Event]) any {
	l := EventList{Object: "list", Data: make([]Event, len(p.Items)), Metadata: Forward{After: optional(p.After)}}
	for i, e := range p.Items {
		l.Data[i] = Event{Object: "event", ID: e.ID, Event: e.Type, Data: e.Data, CreatedAt: event.Time(e.CreatedAt), Context: e.Context}
	}
	return l
}

func listEvents(r *request) (page.Page[event.Event], error) {
	p, err := pageOf[id.Event](r, page.Asc)
	if err != nil {
		return page.Page[event.Event]{}, err
	}
	f := authz.EventFilter{Types: r.query.List("events"), Organization: id.Organization(r.query.Get("organization_id"))}
	if len(f.Types) > maxEventTypes {
		return page.Page[event.Event]{}, fault.BadField("events", "must have at most %d names", maxEventTypes)
	}
	if f.From, err = instant(r, "range_start"); err != nil {
		return page.Page[event.Event]{}, err
	}
	if f.To, err = instant(r, "range_end"); err != nil {
		return page.Page[event.Event]{}, err
	}
	return r.api.rules.ListEvents(r.Context(), r.caller, f, p)
}

// maxEventTypes bounds a filter; the contract knows 111 events.
const maxEventTypes = 200

// instant reads a time of the query, in the ISO 8601 spellings that clients send.
func instant(r *request, name string) (time.Time, error) {
	raw := r.query.Get(name)
	if raw == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, raw); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fault.BadField(name, "must be an ISO 8601 time such as 2026-01-15T12:00:00.000Z")
}
