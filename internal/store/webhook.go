package store

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/webhook"
)

var _ webhook.DB = (*Store)(nil)

// ViewWebhooks implements webhook.DB.
func (s *Store) ViewWebhooks(ctx context.Context, fn func(webhook.Reader) error) error {
	return s.inTx(ctx, s.read, s.dialect.viewOptions, func(t *tx) error { return fn(t) })
}

// UpdateWebhooks implements webhook.DB.
func (s *Store) UpdateWebhooks(ctx context.Context, fn func(webhook.Tx) error) error {
	return s.inTx(ctx, s.write, s.dialect.updateOptions, func(t *tx) error { return fn(t) })
}

// WorkWebhooks implements webhook.DB.
func (s *Store) WorkWebhooks(ctx context.Context, fn func(webhook.Tx) error) error {
	return s.inTx(ctx, s.write, s.dialect.placeOptions, func(t *tx) error { return fn(t) })
}

// words is a list of strings, kept as JSON text.
type words []string

// Value implements driver.Valuer.
func (w words) Value() (driver.Value, error) {
	b, err := json.Marshal([]string(w))
	return string(b), err
}

// Scan implements sql.Scanner.
func (w *words) Scan(src any) error {
	switch v := src.(type) {
	case string:
		return json.Unmarshal([]byte(v), (*[]string)(w))
	case []byte:
		return json.Unmarshal(v, (*[]string)(w))
	}
	return fmt.Errorf("a list of words stored as %T", src)
}

const endpointColumns = `id, environment_id, url, secret, status, events, place, last_success, void_before, created_at, updated_at`

func scanEndpoint(r row) (e webhook.Endpoint, err error) {
	err = r.Scan(&e.ID, &e.Environment, &e.URL, &e.Secret, &e.Status, (*words)(&e.Events), &e.Place,
		(*stamp)(&e.LastSuccess), (*stamp)(&e.VoidBefore), (*stamp)(&e.CreatedAt), (*stamp)(&e.UpdatedAt))
	return e, err
}

// Endpoint implements webhook.EndpointReader.
func (t *tx) Endpoint(env id.Environment, e id.Endpoint) (webhook.Endpoint, bool, error) {
	return one(t, "reading a webhook endpoint", scanEndpoint,
		`SELECT `+endpointColumns+` FROM webhook_endpoints WHERE id = $1 AND environment_id = $2 AND status <> 'removed'`, e, env)
}

// EndpointByURL implements webhook.EndpointReader.
func (t *tx) EndpointByURL(env id.Environment, url string) (webhook.Endpoint, bool, error) {
	return one(t, "reading a webhook endpoint", scanEndpoint,
		`SELECT `+endpointColumns+` FROM webhook_endpoints WHERE environment_id = $1 AND url = $2 AND status <> 'removed'`, env, url)
}

var endpointList = list[webhook.Endpoint]{
	doing: "listing webhook endpoints", columns: endpointColumns, from: "webhook_endpoints", key: "id",
	scan: scanEndpoint, cursor: func(e webhook.Endpoint) string { return string(e.ID) },
}

// Endpoints implements webhook.EndpointReader.
func (t *tx) Endpoints(env id.Environment, r page.Request) (page.Page[webhook.Endpoint], error) {
	var c condition
	c.add("environment_id = ?", env)
	c.add("status <> 'removed'")
	return endpointList.page(t, c, r, r.Walk().Cursor)
}

// CountEndpoints implements webhook.EndpointReader.
func (t *tx) CountEndpoints(env id.Environment) (int, error) {
	n, _, err := one(t, "counting webhook endpoints", scanValue[int],
		`SELECT count(*) FROM webhook_endpoints WHERE environment_id = $1 AND status <> 'removed'`, env)
	return n, err
}

// LastPlace implements webhook.EndpointReader.
func (t *tx) LastPlace(env id.Environment) (int64, error) {
	last, _, err := one(t, "reading the last place", scanValue[int64], `SELECT last FROM event_places WHERE environment_id = $1`, env)
	return last, err
}

// Listening implements webhook.EndpointReader.
func (t *tx) Listening() ([]id.Environment, error) {
	return all(t, "listing environments with webhook endpoints", scanValue[id.Environment],
		`SELECT DISTINCT environment_id FROM webhook_endpoints WHERE status = 'enabled'`)
}

// Behind implements webhook.EndpointReader.
func (t *tx) Behind() ([]id.Endpoint, error) {
	return all(t, "listing webhook endpoints with new events", scanValue[id.Endpoint], `
		SELECT e.id FROM event_places p
		JOIN webhook_endpoints e ON e.environment_id = p.environment_id AND e.place < p.last
		WHERE e.status = 'enabled'`)
}

// Due implements webhook.EndpointReader.
func (t *tx) Due(at time.Time) ([]id.Endpoint, error) {
	return all(t, "listing webhook endpoints with due deliveries", scanValue[id.Endpoint], `
		SELECT e.id FROM webhook_endpoints e
		WHERE e.status = 'enabled' AND e.void_before IS NULL AND EXISTS (
			SELECT 1 FROM webhook_deliveries d WHERE d.endpoint_id = e.id AND d.state = 'pending' AND d.next_attempt <= $1)`, stamp(at))
}

// Unclean implements webhook.EndpointReader.
func (t *tx) Unclean() ([]webhook.Endpoint, error) {
	return all(t, "listing webhook endpoints to tidy up after", scanEndpoint,
		`SELECT `+endpointColumns+` FROM webhook_endpoints WHERE status = 'removed' OR void_before IS NOT NULL`)
}

// InsertEndpoint implements webhook.EndpointWriter.
func (t *tx) InsertEndpoint(e webhook.Endpoint) error {
	return t.execOne("inserting a webhook endpoint", `
		INSERT INTO webhook_endpoints (`+endpointColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		e.ID, e.Environment, e.URL, e.Secret, e.Status, words(e.Events), e.Place,
		stamp(e.LastSuccess), stamp(e.VoidBefore), stamp(e.CreatedAt), stamp(e.UpdatedAt))
}

// UpdateEndpoint implements webhook.EndpointWriter.
func (t *tx) UpdateEndpoint(e webhook.Endpoint) error {
	return t.execOne("updating a webhook endpoint", `
		UPDATE webhook_endpoints
		SET url = $1, status = $2, events = $3, place = $4, last_success = $5, void_before = $6, updated_at = $7 WHERE id = $8`,
		e.URL, e.Status, words(e.Events), e.Place, stamp(e.LastSuccess), stamp(e.VoidBefore), stamp(e.UpdatedAt), e.ID)
}

// DeleteEndpoint implements webhook.EndpointWriter.
func (t *tx) DeleteEndpoint(e id.Endpoint) error {
	_, err := t.exec("deleting a webhook endpoint", `DELETE FROM webhook_endpoints WHERE id = $1`, e) // another process may have
	return err
}

// LockEndpoint implements webhook.EndpointWriter. On PostgreSQL what is written locks the row, and what comes back is its
// newest version; on SQLite writers run one after the other.
func (t *tx) LockEndpoint(e id.Endpoint) (webhook.Endpoint, bool, error) {
	return one(t, "locking a webhook endpoint", scanEndpoint,
		`UPDATE webhook_endpoints SET place = place WHERE id = $1 AND status <> 'removed' RETURNING `+endpointColumns, e)
}

const replayColumns = `id, endpoint_id, events, after_place, up_to_place, range_start, range_end, queued, created_at`

func scanReplay(r row) (p webhook.Replay, err error) {
	err = r.Scan(&p.ID, &p.Endpoint, (*words)(&p.Types), &p.After, &p.UpTo, (*stamp)(&p.From), (*stamp)(&p.To), &p.Queued, (*stamp)(&p.CreatedAt))
	return p, err
}

// Replays implements webhook.ReplayReader.
func (t *tx) Replays() ([]webhook.Replay, error) {
	return all(t, "listing webhook replays", scanReplay, `
		SELECT `+replayColumns+` FROM webhook_replays
		WHERE endpoint_id IN (SELECT e.id FROM webhook_endpoints e WHERE e.status = 'enabled') ORDER BY id`)
}

// Replay implements webhook.ReplayReader.
func (t *tx) Replay(r id.Replay) (webhook.Replay, bool, error) {
	return one(t, "reading a webhook replay", scanReplay, `SELECT `+replayColumns+` FROM webhook_replays WHERE id = $1`, r)
}

// within is the condition that an event is in a range.
func within(env id.Environment, r webhook.Range) condition {
	var c condition
	c.add("environment_id = ?", env)
	c.add("place IS NOT NULL")
	in(&c, "type", r.Types)
	c.add("place > ?", r.After)
	if r.UpTo > 0 {
		c.add("place <= ?", r.UpTo)
	}
	if !r.From.IsZero() {
		c.add("created_at >= ?", stamp(r.From))
	}
	if !r.To.IsZero() {
		c.add("created_at <= ?", stamp(r.To))
	}
	return c
}

func scanPlaced(r row) (p webhook.Placed, err error) {
	err = r.Scan(&p.Place, &p.ID, &p.Type, (*stamp)(&p.CreatedAt))
	return p, err
}

// EventsIn implements webhook.ReplayReader.
func (t *tx) EventsIn(env id.Environment, r webhook.Range, max int) ([]webhook.Placed, error) {
	c := within(env, r)
	return all(t, "reading events to be delivered", scanPlaced,
		fmt.Sprintf(`SELECT place, id, type, created_at FROM events WHERE %s ORDER BY place LIMIT %d`, c, max), c.args...)
}

// Measure implements webhook.ReplayReader.
func (t *tx) Measure(env id.Environment, r webhook.Range) (webhook.Extent, error) {
	c := within(env, r)
	x, _, err := one(t, "counting events to be delivered", func(r row) (x webhook.Extent, err error) {
		err = r.Scan(&x.Count, &x.First, &x.Last)
		return x, err
	}, `SELECT count(*), coalesce(min(place), 0), coalesce(max(place), 0) FROM events WHERE `+c.String(), c.args...)
	return x, err
}

// PlacedEvent implements webhook.ReplayReader.
func (t *tx) PlacedEvent(env id.Environment, e id.Event) (webhook.Placed, bool, error) {
	return one(t, "finding an event", scanPlaced,
		`SELECT place, id, type, created_at FROM events WHERE id = $1 AND environment_id = $2 AND place IS NOT NULL`, e, env)
}

// InsertReplay implements webhook.ReplayWriter.
func (t *tx) InsertReplay(r webhook.Replay) error {
	return t.execOne("inserting a webhook replay", `
		INSERT INTO webhook_replays (`+replayColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		r.ID, r.Endpoint, words(r.Types), r.After, r.UpTo, stamp(r.From), stamp(r.To), r.Queued, stamp(r.CreatedAt))
}

// MoveReplay implements webhook.ReplayWriter.
func (t *tx) MoveReplay(r id.Replay, after int64) error {
	return t.execOne("moving a webhook replay on", `UPDATE webhook_replays SET after_place = $1 WHERE id = $2`, after, r)
}

// DeleteReplay implements webhook.ReplayWriter.
func (t *tx) DeleteReplay(r id.Replay) error {
	return t.execOne("ending a webhook replay", `DELETE FROM webhook_replays WHERE id = $1`, r)
}

// DropReplays implements webhook.ReplayWriter.
func (t *tx) DropReplays(e id.Endpoint) error {
	_, err := t.exec("dropping webhook replays", `DELETE FROM webhook_replays WHERE endpoint_id = $1`, e)
	return err
}
