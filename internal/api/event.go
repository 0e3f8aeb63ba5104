package api

import (
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// EventList is a page of events. It leads forward only.
type EventList struct {
	Object   string           `json:"object" const:"list"`
	Data     []event.Envelope `json:"data"`
	Metadata Forward          `json:"list_metadata"`
}

// Forward holds the cursor that leads on, null when there is nothing newer yet.
type Forward struct {
	After *string `json:"after"`
}

func showEvents(p page.Page[event.Event]) any {
	l := EventList{Object: "list", Data: make([]event.Envelope, len(p.Items)), Metadata: Forward{After: optional(p.After)}}
	for i, e := range p.Items {
		l.Data[i] = e.Envelope()
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
	if f.From, err = instant("range_start", r.query.Get("range_start")); err != nil {
		return page.Page[event.Event]{}, err
	}
	if f.To, err = instant("range_end", r.query.Get("range_end")); err != nil {
		return page.Page[event.Event]{}, err
	}
	return r.api.rules.ListEvents(r.Context(), r.caller, f, p)
}

// maxEventTypes bounds a filter; the contract knows 111 events.
const maxEventTypes = 200

// instant reads a time, in the ISO 8601 spellings that clients send. Nothing is the zero time.
func instant(name, raw string) (time.Time, error) {
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
