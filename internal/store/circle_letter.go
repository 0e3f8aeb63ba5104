package store

import (
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rolecall/rolecall/internal/fresh"
)

// letter is what one notification says: to everybody which changes begin and which ended, or to one process that its
// announcements were heard.
type letter struct {
	From  string   `json:"from"`            // the process; of an answer the row
	Holds []hold   `json:"holds,omitempty"` // of changes that are about to be committed
	Over  []uint64 `json:"over,omitempty"`  // tickets of changes that ended
	Heard []uint64 `json:"heard,omitempty"` // tickets of changes that the row holds
}

// hold is a change, or a part of one.
type hold struct {
	Ticket  uint64   `json:"n"`
	Xid     string   `json:"x"`
	Regions []string `json:"r"`
	More    bool     `json:"more,omitempty"` // further parts follow in the same transaction
}

const (
	// letterSize bounds the text of a notification; PostgreSQL takes less than 8,000 bytes.
	letterSize = 7500
	// holdSize is more than a hold takes without its regions.
	holdSize = 80
	// mostTickets are told of in one letter.
	mostTickets = 300
)

// letters are notifications in the order in which they are sent.
type letters struct{ channels, texts []string }

func (l *letters) add(channel string, m letter) error {
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("writing a notification: %w", err)
	}
	l.channels, l.texts = append(l.channels, channel), append(l.texts, string(text))
	return nil
}

// write writes the letters of a round. others says whether somebody may read them.
func (r *round) write(w *wire, others bool) error {
	var all []letter
	if others {
		for start := 0; start < len(r.over); start += mostTickets {
			all = append(all, letter{From: w.c.id, Over: r.over[start:min(start+mostTickets, len(r.over))]})
		}
	}
	for _, m := range append(all, spread(w.c.id, r.announced)...) {
		if err := r.add(w.channel, m); err != nil {
			return err
		}
	}
	for process, tickets := range w.answers {
		for start := 0; start < len(tickets); start += mostTickets {
			heard := tickets[start:min(start+mostTickets, len(tickets))]
			if err := r.add(w.channel+"_"+process, letter{From: w.c.self.row, Heard: heard}); err != nil {
				return err
			}
		}
	}
	return nil
}

// spread puts announcements into as few letters as they fit in.
func spread(from string, announced []*announcement) []letter {
	var all []letter
	m, size := letter{From: from}, 0
	send := func() {
		if len(m.Holds) > 0 {
			all = append(all, m)
			m, size = letter{From: from}, 0
		}
	}
	for _, a := range announced {
		if a.xid == "" {
			continue
		}
		if size+holdSize > letterSize {
			send()
		}
		h := hold{Ticket: a.ticket, Xid: a.xid}
		size += holdSize
		for _, r := range a.regions {
			text := r.String()
			if size+len(text)+3 > letterSize {
				h.More = true
				m.Holds = append(m.Holds, h)
				send()
				h, size = hold{Ticket: a.ticket, Xid: a.xid}, holdSize
			}
			h.Regions = append(h.Regions, text)
			size += len(text) + 3
		}
		m.Holds = append(m.Holds, h)
	}
	send()
	return all
}

// heard takes in a notification.
func (w *wire) heard(n *pgconn.Notification) error {
	var m letter
	if err := json.Unmarshal([]byte(n.Payload), &m); err != nil {
		return fmt.Errorf("a notification that is none of ours: %w", err)
	}
	if len(m.Heard) > 0 {
		w.c.answeredBy(m.From, m.Heard)
	}
	if m.From == w.c.id || len(m.Holds)+len(m.Over) == 0 {
		return nil
	}
	for _, h := range m.Holds {
		regions := make([]fresh.Region, len(h.Regions))
		for i, text := range h.Regions {
			var err error
			if regions[i], err = fresh.ParseRegion(text); err != nil {
				return fmt.Errorf("hearing of a change: %w", err)
			}
		}
		w.c.self.hold(m.From, h, regions)
		if !h.More && w.c.self.row != "" {
			w.answers[m.From] = append(w.answers[m.From], h.Ticket)
		}
	}
	w.c.self.release(m.From, m.Over)
	return nil
}

// answeredBy takes note that a row holds what announcements said.
func (c *circle) answeredBy(row string, tickets []uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, ticket := range tickets {
		a := c.open[ticket]
		if a == nil {
			continue
		}
		a.answered[row] = true
		if a.waiting[row] {
			if delete(a.waiting, row); len(a.waiting) == 0 {
				c.finish(a, nil)
			}
		}
	}
}
