package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/server"
	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/webhook"
)

// senders is how many requests at once the product makes to one endpoint, and so does the bare loop.
const senders = 8

// webhook measures deliveries to one receiver beside a loop of requests with the same body to the same receiver.
func (b *bench) webhook(ctx context.Context, report *Report) error {
	databases, err := b.databases(ctx, "webhook")
	if err != nil {
		return err
	}
	for _, d := range databases {
		row, err := b.webhookOn(ctx, d)
		if err != nil {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
		report.Webhook = append(report.Webhook, row)
	}
	return nil
}

func (b *bench) webhookOn(ctx context.Context, d database) (row WebhookRow, err error) {
	events := pick(b, 4000, 400)
	w, err := b.settle(ctx, d, plan{organizations: 1})
	if err != nil {
		return row, err
	}
	began := time.Now().UTC().Truncate(time.Millisecond)
	body, err := happen(ctx, d, events)
	if err != nil {
		return row, err
	}
	s, err := b.serve(ctx, d)
	if err != nil {
		return row, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	r := newReceiver()
	defer r.Close()
	endpoint, err := subscribe(ctx, s, w, r.URL)
	if err != nil {
		return row, err
	}
	row = WebhookRow{Database: d.Name, Events: events, Connections: senders}
	for round := range b.Rounds + 1 { // the first only warms up
		b.say("webhook: %s, round %d of %d", d.Name, round, b.Rounds)
		floor, err := r.timed(ctx, events, func() error { return postAll(ctx, r.URL, body, events) })
		if err != nil {
			return row, fmt.Errorf("bare requests: %w", err)
		}
		product, err := r.timed(ctx, events, func() error {
			_, err := ask(ctx, s, w, "/webhook_endpoints/"+endpoint+"/replay", map[string]any{"range_start": event.Time(began)}, http.StatusAccepted)
			return err
		})
		if err != nil {
			return row, err
		}
		if round > 0 {
			row.rounds.product, row.rounds.floor = append(row.rounds.product, product), append(row.rounds.floor, floor)
			row.rounds.ratio = append(row.rounds.ratio, product/floor)
		}
	}
	row.Product, row.Floor, row.Ratio = rate(row.rounds.product), rate(row.rounds.floor), median(row.rounds.ratio)
	return row, delivered(ctx, d, id.Endpoint(endpoint), events*(b.Rounds+1))
}

// happen writes events that an endpoint can subscribe to and returns one as it is sent.
func happen(ctx context.Context, d database, count int) (body []byte, err error) {
	db, err := store.Open(ctx, d.location, store.Serve)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	ids := id.NewSource(time.Now, nil)
	env, err := authz.New(db, time.Now, ids).EnvironmentByName(ctx, server.FirstEnvironment)
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	data, err := event.Encode(event.Permission{
		Object: "permission", ID: id.New[id.Permission](ids), Slug: "invoices:read", Name: "Read invoices",
		ResourceTypeSlug: "organization", CreatedAt: event.Time(now), UpdatedAt: event.Time(now),
	})
	if err != nil {
		return nil, err
	}
	all := make([]event.Event, count)
	for i := range all {
		all[i] = event.Event{
			ID: id.New[id.Event](ids), Environment: env.ID, Type: event.PermissionUpdated, Data: data, Context: []byte(`{}`), CreatedAt: now,
		}
	}
	if err := db.Update(ctx, func(tx authz.Tx) error { return tx.InsertEvents(all) }); err != nil {
		return nil, err
	}
	return event.Encode(all[0].Envelope())
}

// subscribe makes an endpoint at a URL.
func subscribe(ctx context.Context, s *process, w *world, url string) (string, error) {
	made, err := ask(ctx, s, w, "/webhook_endpoints", map[string]any{"endpoint_url": url, "events": []event.Type{event.PermissionUpdated}}, http.StatusCreated)
	if err != nil {
		return "", err
	}
	var endpoint struct{ ID string }
	err = json.Unmarshal(made, &endpoint)
	return endpoint.ID, err
}

func ask(ctx context.Context, s *process, w *world, path string, body any, status int) ([]byte, error) {
	encoded, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Address+path, bytes.NewReader(encoded))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+w.key)
	req.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != status {
		err = fmt.Errorf("%s answered %d: %s", path, answer.StatusCode, text)
	}
	return text, err
}

// receiver counts the requests that it takes.
type receiver struct {
	*httptest.Server
	count   atomic.Int64
	target  atomic.Int64
	reached chan time.Time
}

func newReceiver() *receiver {
	r := &receiver{reached: make(chan time.Time, 1)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body)
		w.WriteHeader(http.StatusOK)
		if r.count.Add(1) == r.target.Load() {
			r.reached <- time.Now()
		}
	}))
	return r
}

// mostWait bounds a round, for the case that something never arrives.
const mostWait = 5 * time.Minute

// timed says how many requests arrive in a second, from the call of send until the last of n.
func (r *receiver) timed(ctx context.Context, n int, send func() error) (perSecond float64, err error) {
	r.target.Store(r.count.Load() + int64(n))
	began := time.Now()
	if err := send(); err != nil {
		return 0, err
	}
	select {
	case end := <-r.reached:
		return float64(n) / end.Sub(began).Seconds(), nil
	case <-time.After(mostWait):
		return 0, fmt.Errorf("only %d of %d requests arrived", r.count.Load(), r.target.Load())
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// postAll is the least that sending takes: the standard client, with as many connections.
func postAll(ctx context.Context, url string, body []byte, n int) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: senders}}
	defer client.CloseIdleConnections()
	var all sync.WaitGroup
	var next atomic.Int64
	errs := make([]error, senders)
	for i := range errs {
		all.Go(func() {
			for errs[i] == nil && next.Add(1) <= int64(n) {
				errs[i] = postOne(ctx, client, url, body)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

func postOne(ctx context.Context, client *http.Client, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return errors.Join(err, answer.Body.Close())
}

// delivered counts the deliveries: there must be as many as were asked for, and none that failed on the way.
func delivered(ctx context.Context, d database, e id.Endpoint, want int) error {
	return server.Visit(ctx, d.location, func(s server.Services) error {
		env, err := s.Rules.EnvironmentByName(ctx, server.FirstEnvironment)
		if err != nil {
			return err
		}
		c, count := authz.Caller{Environment: env.ID}, 0
		for q := (page.Request{Limit: page.MaxLimit, Order: page.Asc}); ; {
			p, err := s.Hooks.ListDeliveries(ctx, c, e, webhook.DeliveryFilter{}, q)
			if err != nil {
				return err
			}
			for _, d := range p.Items {
				if d.Attempts <= 1 && d.LastError == "" {
					count++
				}
			}
			if p.After == "" {
				break
			}
			q.After = p.After
		}
		if count != want {
			return fmt.Errorf("%d deliveries at the first attempt, want %d", count, want)
		}
		return nil
	})
}
