package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

const eventColumns = `id, environment_id, organization_id, type, data, context, created_at`

func scanEvent(r row) (e event.Event, err error) {
	var data, context string
	err = r.Scan(&e.ID, &e.Environment, &e.Organization, &e.Type, &data, &context, (*stamp)(&e.CreatedAt))
	e.Data, e.Context = json.RawMessage(data), json.RawMessage(context)
	return e, err
}

var eventList = list[event.Event]{
	doing: "listing events", columns: eventColumns, from: "events", key: "place",
	scan: scanEvent, cursor: func(e event.Event) string { return string(e.ID) },
}

// Events implements authz.EventReader.
func (t *tx) Events(env id.Environment, f authz.EventFilter, r page.Request) (page.Page[event.Event], error) {
	var place int64
	if cursor := r.Walk().Cursor; cursor != "" {
		var err error
		if place, _, err = t.placeOf(env, id.Event(cursor)); err != nil {
			return page.Page[event.Event]{}, err
		}
	}
	var c condition
	c.add("environment_id = ?", env)
	c.add("place IS NOT NULL")
	if f.Organization != "" {
		c.add("organization_id = ?", f.Organization)
	}
	in(&c, "type", f.Types)
	if !f.From.IsZero() {
		c.add("created_at >= ?", stamp(f.From))
	}
	if !f.To.IsZero() {
		c.add("created_at <= ?", stamp(f.To))
	}
	return eventList.page(t, c, r, place)
}

func (t *tx) placeOf(env id.Environment, e id.Event) (place int64, found bool, err error) {
	return one(t, "finding the place of an event", scanValue[int64],
		`SELECT place FROM events WHERE id = $1 AND environment_id = $2 AND place IS NOT NULL`, e, env)
}

// EventPlaced implements authz.EventReader.
func (t *tx) EventPlaced(env id.Environment, org id.Organization, e id.Event) (bool, error) {
	_, found, err := one(t, "looking for a placed event", scanValue[int64], `
		SELECT 1 FROM events
		WHERE id = $1 AND environment_id = $2 AND place IS NOT NULL AND (organization_id = $3 OR $3 = '')`, e, env, org)
	return found, err
}

// Event implements authz.EventReader.
func (t *tx) Event(env id.Environment, org id.Organization, e id.Event) (event.Event, bool, error) {
	return one(t, "reading an event", scanEvent, `
		SELECT `+eventColumns+` FROM events
		WHERE id = $1 AND environment_id = $2 AND place IS NOT NULL AND (organization_id = $3 OR $3 = '')`, e, env, org)
}

// LastUnplaced implements authz.EventReader.
func (t *tx) LastUnplaced(env id.Environment) (serial int64, found bool, err error) {
	return one(t, "looking for unplaced events", scanValue[int64],
		`SELECT serial FROM events WHERE environment_id = $1 AND place IS NULL ORDER BY serial DESC LIMIT 1`, env)
}

// eventBatch bounds how many events one statement inserts.
const eventBatch = 50

// InsertEvents implements authz.EventWriter. Serials are given in the order of the list.
func (t *tx) InsertEvents(events []event.Event) error {
	for chunk := range slices.Chunk(events, eventBatch) {
		var c condition
		for _, e := range chunk {
			c.add("(?, ?, ?, ?, ?, ?, ?)", e.ID, e.Environment, e.Organization, e.Type, string(e.Data), string(e.Context), stamp(e.CreatedAt))
		}
		n, err := t.exec("inserting events", `INSERT INTO events (`+eventColumns+`) VALUES `+strings.Join(c.parts, ", "), c.args...)
		if err != nil {
			return err
		}
		if n != len(chunk) {
			return fmt.Errorf("inserting events: %d rows instead of %d", n, len(chunk))
		}
	}
	return nil
}

// PlaceEvents implements authz.DB. Serials are given when an event is written and so may become visible out of order;
// places are given to what is committed, under a lock, so a later place never becomes visible before an earlier one. An
// event whose cause was committed before it began has the larger serial, and so the larger place.
func (s *Store) PlaceEvents(ctx context.Context, env id.Environment, upTo int64, max int) (placed int, err error) {
	err = s.inTx(ctx, s.write, s.dialect.placeOptions, func(t *tx) error {
		// Locks the row. On PostgreSQL the next statement has a snapshot of its own, and so sees what the holder of
		// the lock before us placed.
		last, _, err := one(t, "reading the last place", scanValue[int64], `
			INSERT INTO event_places (environment_id, last) VALUES ($1, 0)
			ON CONFLICT (environment_id) DO UPDATE SET last = event_places.last RETURNING last`, env)
		if err != nil {
			return err
		}
		placed, err = t.exec("placing events", `
			UPDATE events SET place = $1 + n.nth
			FROM (
				SELECT serial, row_number() OVER (ORDER BY serial) AS nth FROM events
				WHERE environment_id = $2 AND place IS NULL AND serial <= $3 ORDER BY serial LIMIT $4
			) AS n
			WHERE events.serial = n.serial`, last, env, upTo, max)
		if err != nil || placed == 0 {
			return err
		}
		return t.execOne("keeping the last place", `UPDATE event_places SET last = $1 WHERE environment_id = $2`, last+int64(placed), env)
	})
	if fault.HasCode(err, fault.CodeUnknown) {
		err = fault.Down(err) // who reads changes nothing that he would have to know of
	}
	return placed, err
}

// DeleteEvents implements authz.EventWriter.
func (t *tx) DeleteEvents(before time.Time, max int) (int, error) {
	return t.exec("deleting old events", `
		DELETE FROM events WHERE serial IN (SELECT serial FROM events WHERE created_at < $1 ORDER BY created_at LIMIT $2)`,
		stamp(before), max)
}

const receiptColumns = `owner, idempotency_key, fingerprint, status, body, created_at`

func scanReceipt(r row) (rc authz.Receipt, err error) {
	var body string
	err = r.Scan(&rc.Owner, &rc.Key, &rc.Fingerprint, &rc.Status, &body, (*stamp)(&rc.CreatedAt))
	rc.Body = []byte(body)
	return rc, err
}

// Receipt implements authz.ReceiptReader.
func (t *tx) Receipt(owner id.APIKey, key string) (authz.Receipt, bool, error) {
	return one(t, "reading a receipt", scanReceipt,
		`SELECT `+receiptColumns+` FROM receipts WHERE owner = $1 AND idempotency_key = $2`, owner, key)
}

// PutReceipt implements authz.ReceiptWriter.
func (t *tx) PutReceipt(r authz.Receipt) error {
	if _, err := t.exec("dropping an expired receipt", `DELETE FROM receipts WHERE owner = $1 AND idempotency_key = $2`, r.Owner, r.Key); err != nil {
		return err
	}
	return t.execOne("keeping a receipt", `
		INSERT INTO receipts (`+receiptColumns+`) VALUES ($1, $2, $3, $4, $5, $6)`,
		r.Owner, r.Key, r.Fingerprint, r.Status, string(r.Body), stamp(r.CreatedAt))
}

// DeleteReceipts implements authz.ReceiptWriter.
func (t *tx) DeleteReceipts(before time.Time, max int) (int, error) {
	return t.exec("deleting old receipts", `
		DELETE FROM receipts WHERE (owner, idempotency_key) IN (
			SELECT owner, idempotency_key FROM receipts WHERE created_at < $1 ORDER BY created_at LIMIT $2)`,
		stamp(before), max)
}
