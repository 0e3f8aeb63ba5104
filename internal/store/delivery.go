package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/webhook"
)

const deliveryColumns = `id, endpoint_id, event_id, type, replay, state, attempts, first_attempt, next_attempt, last_error, created_at, updated_at`

// into is where the columns of a delivery go.
func into(d *webhook.Delivery) []any {
	return []any{&d.ID, &d.Endpoint, &d.Event, &d.Type, (*flag)(&d.Replay), &d.State, &d.Attempts,
		(*stamp)(&d.FirstAttempt), (*stamp)(&d.NextAttempt), &d.LastError, (*stamp)(&d.CreatedAt), (*stamp)(&d.UpdatedAt)}
}

func scanDelivery(r row) (d webhook.Delivery, err error) {
	err = r.Scan(into(&d)...)
	return d, err
}

// Delivery implements webhook.DeliveryReader.
func (t *tx) Delivery(e id.Endpoint, d id.Delivery) (webhook.Delivery, bool, error) {
	return one(t, "reading a webhook delivery", scanDelivery,
		`SELECT `+deliveryColumns+` FROM webhook_deliveries WHERE id = $1 AND endpoint_id = $2`, d, e)
}

var deliveryList = list[webhook.Delivery]{
	doing: "listing webhook deliveries", columns: deliveryColumns, from: "webhook_deliveries", key: "id",
	scan: scanDelivery, cursor: func(d webhook.Delivery) string { return string(d.ID) },
}

// Deliveries implements webhook.DeliveryReader.
func (t *tx) Deliveries(e id.Endpoint, f webhook.DeliveryFilter, r page.Request) (page.Page[webhook.Delivery], error) {
	var c condition
	c.add("endpoint_id = ?", e)
	if f.State != "" {
		c.add("state = ?", f.State)
	}
	if f.Type != "" {
		c.add("type = ?", f.Type)
	}
	return deliveryList.page(t, c, r, r.Walk().Cursor)
}

// CountPending implements webhook.DeliveryReader.
func (t *tx) CountPending(e id.Endpoint, max int) (int, error) {
	n, _, err := one(t, "counting pending webhook deliveries", scanValue[int], `
		SELECT count(*) FROM (SELECT id FROM webhook_deliveries WHERE endpoint_id = $1 AND state = $2 LIMIT $3) AS waiting`,
		e, webhook.Pending, max)
	return n, err
}

const attemptColumns = `delivery_id, number, at, duration, status, answer, error`

// Attempts implements webhook.DeliveryReader.
func (t *tx) Attempts(d id.Delivery) ([]webhook.Attempt, error) {
	return all(t, "reading the attempts of a webhook delivery", func(r row) (a webhook.Attempt, err error) {
		var milliseconds int64
		err = r.Scan(&a.Delivery, &a.Number, (*stamp)(&a.At), &milliseconds, &a.Status, &a.Answer, &a.Error)
		a.Duration = time.Duration(milliseconds) * time.Millisecond
		return a, err
	}, `SELECT `+attemptColumns+` FROM webhook_attempts WHERE delivery_id = $1 ORDER BY number`, d)
}

// InsertAttempts implements webhook.DeliveryWriter.
func (t *tx) InsertAttempts(attempts []webhook.Attempt) error {
	if len(attempts) == 0 {
		return nil
	}
	var c condition
	for _, a := range attempts {
		c.add("(?, ?, ?, ?, ?, ?, ?)", a.Delivery, a.Number, stamp(a.At), a.Duration.Milliseconds(), a.Status, a.Answer, a.Error)
	}
	_, err := t.exec("inserting attempts", `INSERT INTO webhook_attempts (`+attemptColumns+`) VALUES `+strings.Join(c.parts, ", "), c.args...)
	return err
}

func scanParcel(r row) (p webhook.Parcel, err error) {
	var data, context string
	e := &p.Contents
	err = r.Scan(append(into(&p.Delivery), &p.URL, &p.Secret, &e.ID, &e.Environment, &e.Type, &data, &context, (*stamp)(&e.CreatedAt))...)
	e.Data, e.Context, p.Lost = []byte(data), []byte(context), e.ID == ""
	return p, err
}

var selectParcel = `
	SELECT d.` + strings.ReplaceAll(deliveryColumns, ", ", ", d.") + `,
		e.url, e.secret, coalesce(v.id, ''), e.environment_id, d.type, coalesce(v.data, ''), coalesce(v.context, ''), v.created_at
	FROM webhook_deliveries d
	JOIN webhook_endpoints e ON e.id = d.endpoint_id
	LEFT JOIN events v ON v.id = d.event_id
	WHERE d.id = $1 AND d.claim = $2 AND d.state = 'pending' AND e.status = 'enabled' AND e.void_before IS NULL`

// Parcel implements webhook.DB.
func (s *Store) Parcel(ctx context.Context, d id.Delivery, claim string) (p webhook.Parcel, found bool, err error) {
	p, err = scanParcel(s.read.QueryRowContext(ctx, selectParcel, d, claim)) // one statement is a snapshot by itself
	if errors.Is(err, sql.ErrNoRows) {
		return webhook.Parcel{}, false, nil
	}
	if err != nil {
		return webhook.Parcel{}, false, s.classify(ctx, fmt.Errorf("reading what a webhook delivery sends: %w", err))
	}
	return p, true, nil
}

// InsertDeliveries implements webhook.DeliveryWriter.
func (t *tx) InsertDeliveries(deliveries []webhook.Delivery) error {
	for chunk := range slices.Chunk(deliveries, deliveryBatch) {
		var c condition
		for _, d := range chunk {
			c.add("(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '')", d.ID, d.Endpoint, d.Event, d.Type, flag(d.Replay), d.State, d.Attempts,
				stamp(d.FirstAttempt), stamp(d.NextAttempt), d.LastError, stamp(d.CreatedAt), stamp(d.UpdatedAt))
		}
		n, err := t.exec("inserting webhook deliveries",
			`INSERT INTO webhook_deliveries (`+deliveryColumns+`, claim) VALUES `+strings.Join(c.parts, ", "), c.args...)
		if err != nil {
			return err
		}
		if n != len(chunk) {
			return fmt.Errorf("inserting webhook deliveries: %d rows instead of %d", n, len(chunk))
		}
	}
	return nil
}

// deliveryBatch bounds how many deliveries one statement inserts.
const deliveryBatch = 100

// ClaimDeliveries implements webhook.DeliveryWriter. Its outer conditions are those of the inner query: who waited for
// another's claim finds them changed, and leaves the rows alone.
func (t *tx) ClaimDeliveries(e id.Endpoint, claim string, at, until time.Time, max int) ([]id.Delivery, error) {
	return all(t, "claiming webhook deliveries", scanValue[id.Delivery], `
		UPDATE webhook_deliveries SET claim = $1, next_attempt = $2
		WHERE state = 'pending' AND next_attempt <= $4 AND id IN (
			SELECT d.id FROM webhook_deliveries d
			WHERE d.endpoint_id = $3 AND d.state = 'pending' AND d.next_attempt <= $4
			ORDER BY d.next_attempt, d.id LIMIT $5)
		RETURNING id`, claim, stamp(until), e, stamp(at), max)
}

// ReleaseDeliveries implements webhook.DeliveryWriter.
func (t *tx) ReleaseDeliveries(e id.Endpoint, claim string, at time.Time) error {
	_, err := t.exec("releasing webhook deliveries", `
		UPDATE webhook_deliveries SET claim = '', next_attempt = $1 WHERE endpoint_id = $2 AND state = 'pending' AND claim = $3`,
		stamp(at), e, claim)
	return err
}

// SettleDelivery implements webhook.DeliveryWriter.
func (t *tx) SettleDelivery(d webhook.Delivery, claim string) (held bool, err error) {
	n, err := t.exec("settling a webhook delivery", `
		UPDATE webhook_deliveries
		SET state = $1, attempts = $2, claim = '', first_attempt = $3, next_attempt = $4, last_error = $5, updated_at = $6
		WHERE id = $7 AND claim = $8`,
		d.State, d.Attempts, stamp(d.FirstAttempt), stamp(d.NextAttempt), d.LastError, stamp(d.UpdatedAt), d.ID, claim)
	return n == 1, err
}

// VoidDeliveries implements webhook.DeliveryWriter.
func (t *tx) VoidDeliveries(e id.Endpoint, upTo, now time.Time, reason string, max int) (int, error) {
	return t.exec("voiding webhook deliveries", `
		UPDATE webhook_deliveries SET state = 'failed', claim = '', next_attempt = NULL, last_error = $1, updated_at = $2
		WHERE id IN (
			SELECT d.id FROM webhook_deliveries d
			WHERE d.endpoint_id = $3 AND d.state = 'pending' AND d.created_at <= $4 ORDER BY d.id LIMIT $5)`,
		reason, stamp(now), e, stamp(upTo), max)
}

// PurgeDeliveries implements webhook.DeliveryWriter.
func (t *tx) PurgeDeliveries(e id.Endpoint, max int) (int, error) {
	return t.exec("deleting the deliveries of a webhook endpoint", `
		DELETE FROM webhook_deliveries WHERE id IN (
			SELECT d.id FROM webhook_deliveries d WHERE d.endpoint_id = $1 ORDER BY d.id LIMIT $2)`, e, max)
}

// DeleteDeliveries implements webhook.DeliveryWriter.
func (t *tx) DeleteDeliveries(before time.Time, max int) (int, error) {
	return t.exec("deleting old webhook deliveries", `
		DELETE FROM webhook_deliveries WHERE id IN (
			SELECT d.id FROM webhook_deliveries d WHERE d.created_at < $1 ORDER BY d.created_at LIMIT $2)`, stamp(before), max)
}
