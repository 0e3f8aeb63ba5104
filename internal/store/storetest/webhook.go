package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/webhook"
)

// WebhookDB is what the suite of webhooks needs.
type WebhookDB interface {
	authz.DB
	webhook.DB
}

// RunWebhooks runs the suite of the storage contract of webhooks.
func RunWebhooks(t *testing.T, open func(testing.TB) WebhookDB) {
	for name, test := range map[string]func(*testing.T, WebhookDB){
		"every field of webhooks is kept":     everyWebhookField,
		"claims are exclusive, and run out":   claims,
		"claims made at once are disjoint":    claimsAtOnce,
		"only what is held is settled":        settling,
		"webhooks go with their environments": webhookWalls,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func work(t testing.TB, db WebhookDB, fn func(webhook.Tx) error) {
	t.Helper()
	if err := db.WorkWebhooks(context.Background(), fn); err != nil {
		t.Fatalf("WorkWebhooks: %v", err)
	}
}

// endpointOf makes an endpoint of an environment, straight in the store.
func endpointOf(t testing.TB, db WebhookDB, env id.Environment) webhook.Endpoint {
	t.Helper()
	var e webhook.Endpoint
	fill(t, &e, 1)
	e.ID, e.Environment, e.Status, e.Events, e.VoidBefore = id.New[id.Endpoint](ids), env, webhook.Enabled, []string{"a.b", "c"}, time.Time{}
	work(t, db, func(tx webhook.Tx) error { return tx.InsertEndpoint(e) })
	return e
}

func deliveryTo(t testing.TB, e webhook.Endpoint, round int) webhook.Delivery {
	t.Helper()
	var d webhook.Delivery
	fill(t, &d, round)
	d.ID, d.Endpoint, d.State = id.New[id.Delivery](ids), e.ID, webhook.Pending
	return d
}

func everyWebhookField(t *testing.T, db WebhookDB) {
	env := Environment(t, db, "production")
	e := endpointOf(t, db, env.ID)
	d := deliveryTo(t, e, 1)
	a := webhook.Attempt{Delivery: d.ID, Number: 1, At: began, Duration: 12 * time.Millisecond, Status: 503, Answer: "<&>\u2028é", Error: "why"}
	r := webhook.Replay{ID: id.New[id.Replay](ids), Endpoint: e.ID, Queued: 7, CreatedAt: began,
		Range: webhook.Range{Types: []string{"x", "y"}, After: 3, UpTo: 9, From: began, To: began.Add(time.Hour)}}
	e2 := refill(t, e, "ID", "Environment", "Secret", "Status", "CreatedAt")
	d2 := refill(t, d, "ID", "Endpoint", "Event", "Type", "Replay", "CreatedAt")
	work(t, db, func(tx webhook.Tx) error {
		if err := tx.InsertDeliveries([]webhook.Delivery{d}); err != nil {
			return err
		}
		if err := tx.InsertAttempts([]webhook.Attempt{a}); err != nil {
			return err
		}
		return tx.InsertReplay(r)
	})
	work(t, db, func(tx webhook.Tx) error {
		got, _, err := tx.Endpoint(env.ID, e.ID)
		kept(t, "an endpoint", got, e, err)
		stored, _, err := tx.Delivery(e.ID, d.ID)
		kept(t, "a delivery", stored, d, err)
		log, err := tx.Attempts(d.ID)
		kept(t, "the attempts", log, []webhook.Attempt{a}, err)
		open, err := tx.Replays()
		kept(t, "the replays", open, []webhook.Replay{r}, err)
		locked, _, err := tx.LockEndpoint(e.ID)
		kept(t, "a locked endpoint", locked, e, err)
		if err := tx.UpdateEndpoint(e2); err != nil {
			return err
		}
		_, err = tx.SettleDelivery(d2, "")
		return err
	})
	work(t, db, func(tx webhook.Tx) error {
		got, _, err := tx.Endpoint(env.ID, e.ID)
		kept(t, "a changed endpoint", got, e2, err)
		stored, _, err := tx.Delivery(e.ID, d.ID)
		kept(t, "a settled delivery", stored, d2, err)
		return nil
	})
}

func kept[T any](t testing.TB, what string, got, want T, err error) {
	t.Helper()
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%s is not kept: %v\n%s", what, err, diff)
	}
}

func claims(t *testing.T, db WebhookDB) {
	e := endpointOf(t, db, Environment(t, db, "production").ID)
	all := make([]webhook.Delivery, 5)
	for i := range all {
		all[i] = deliveryTo(t, e, i)
		all[i].Event, all[i].NextAttempt = id.New[id.Event](ids), began.Add(time.Duration(i)*time.Minute)
	}
	now, until := began.Add(3*time.Minute), began.Add(time.Hour)
	claim := func(name string, at time.Time, want ...int) {
		t.Helper()
		work(t, db, func(tx webhook.Tx) error {
			got, err := tx.ClaimDeliveries(e.ID, name, at, until, 3)
			held := map[id.Delivery]bool{}
			for _, d := range got {
				held[d] = true
			}
			for _, i := range want {
				if !held[all[i].ID] {
					t.Errorf("%s did not get delivery %d", name, i)
				}
			}
			if len(got) != len(want) {
				t.Errorf("%s got %d deliveries, want %d", name, len(got), len(want))
			}
			return err
		})
	}
	work(t, db, func(tx webhook.Tx) error { return tx.InsertDeliveries(all) })
	work(t, db, func(tx webhook.Tx) error {
		if n, err := tx.CountPending(e.ID, 3); err != nil || n != 3 {
			t.Errorf("counting up to 3 of 5 deliveries: %d, %v", n, err)
		}
		n, err := tx.CountPending(e.ID, 100)
		if n != 5 {
			t.Errorf("counted %d of 5 deliveries", n)
		}
		return err
	})
	claim("a", now, 0, 1, 2) // the earliest first; the last one is not due
	claim("b", now, 3)
	claim("c", now)
	work(t, db, func(tx webhook.Tx) error { return tx.ReleaseDeliveries(e.ID, "b", now) })
	claim("d", now, 3)
	claim("e", until, 4, 0, 1) // claims have run out
}

func claimsAtOnce(t *testing.T, db WebhookDB) {
	e := endpointOf(t, db, Environment(t, db, "production").ID)
	all := make([]webhook.Delivery, 400)
	for i := range all {
		all[i] = deliveryTo(t, e, 1)
		all[i].Event, all[i].NextAttempt = id.New[id.Event](ids), began
	}
	work(t, db, func(tx webhook.Tx) error { return tx.InsertDeliveries(all) })
	var mu sync.Mutex
	owner := map[id.Delivery]int{}
	var claimers sync.WaitGroup
	for i := range 8 {
		claimers.Go(func() {
			for range 8 {
				var got []id.Delivery
				err := db.WorkWebhooks(context.Background(), func(tx webhook.Tx) (err error) {
					got, err = tx.ClaimDeliveries(e.ID, fmt.Sprint(i), began, began.Add(time.Hour), 100)
					return err
				})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				for _, d := range got {
					if other, taken := owner[d]; taken {
						t.Errorf("%s was claimed by %d and %d", d, other, i)
					}
					owner[d] = i
				}
				mu.Unlock()
			}
		})
	}
	claimers.Wait()
	if len(owner) != len(all) {
		t.Errorf("%d deliveries were claimed, want %d", len(owner), len(all))
	}
}

func settling(t *testing.T, db WebhookDB) {
	e := endpointOf(t, db, Environment(t, db, "production").ID)
	d := deliveryTo(t, e, 1)
	d.NextAttempt = began
	work(t, db, func(tx webhook.Tx) error { return tx.InsertDeliveries([]webhook.Delivery{d}) })
	work(t, db, func(tx webhook.Tx) error {
		_, err := tx.ClaimDeliveries(e.ID, "mine", began, began.Add(time.Minute), 1)
		return err
	})
	if _, found, err := db.Parcel(context.Background(), d.ID, "other"); err != nil || found {
		t.Errorf("a parcel under another claim: %v, %v", found, err)
	}
	p, found, err := db.Parcel(context.Background(), d.ID, "mine")
	if err != nil || !found || p.URL != e.URL || p.Secret != e.Secret || !p.Lost {
		t.Errorf("the parcel of an event that is not kept: %+v, %v, %v", p, found, err)
	}
	work(t, db, func(tx webhook.Tx) error {
		if held, err := tx.SettleDelivery(d, "other"); err != nil || held {
			t.Errorf("settled under another claim: %v, %v", held, err)
		}
		if held, err := tx.SettleDelivery(d, "mine"); err != nil || !held {
			t.Errorf("settling: %v, %v", held, err)
		}
		if held, err := tx.SettleDelivery(d, "mine"); err != nil || held {
			t.Errorf("settled twice: %v, %v", held, err)
		}
		return nil
	})
}

func webhookWalls(t *testing.T, db WebhookDB) {
	production, staging := Environment(t, db, "production"), Environment(t, db, "staging")
	e := endpointOf(t, db, production.ID)
	work(t, db, func(tx webhook.Tx) error {
		if _, found, err := tx.Endpoint(staging.ID, e.ID); err != nil || found {
			t.Errorf("another environment's endpoint: %v, %v", found, err)
		}
		if _, found, err := tx.EndpointByURL(staging.ID, e.URL); err != nil || found {
			t.Errorf("another environment's URL: %v, %v", found, err)
		}
		if n, err := tx.CountEndpoints(staging.ID); err != nil || n != 0 {
			t.Errorf("%d endpoints, %v", n, err)
		}
		envs, err := tx.Listening()
		if fmt.Sprint(envs) != fmt.Sprint([]id.Environment{production.ID}) {
			t.Errorf("listening are %v, %v", envs, err)
		}
		return nil
	})
}
