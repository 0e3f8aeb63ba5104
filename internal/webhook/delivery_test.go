package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/webhook"
)

// The signature of known bytes, computed by another implementation (R190, R191).
func TestSign(t *testing.T) {
	t.Parallel()
	got := webhook.Sign("whsec_known", time.UnixMilli(1770091506123), []byte(`{"a":"é"}`))
	// printf '1770091506123.{"a":"é"}' | openssl dgst -sha256 -hmac whsec_known
	if want := "t=1770091506123, v1=e64febdec0a42b5bce3baa7efce4de496c553979085235a3eae67477d72bde5f"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// An event reaches its receiver as one signed POST, whose body is to the letter what GET /events shows (R181, R190).
func TestDelivery(t *testing.T) {
	onBoth(t, func(r *room) {
		x := newReceiver(r.t)
		r.permission("before") // not told to endpoints made later
		e := r.endpoint(x.URL+"/hooks?key=1", "permission.created")
		r.permission("a")
		_, err := r.rules.CreateOrganization(r.t.Context(), r.c, authz.OrganizationInput{Name: authz.Some("not subscribed")})
		r.check(err)
		r.step()
		r.step() // nothing more to do
		got := x.all()
		if len(got) != 1 {
			r.t.Fatalf("%d requests, want 1", len(got))
		}
		p, err := r.rules.ListEvents(r.t.Context(), r.c, authz.EventFilter{Types: []string{"permission.created"}}, page.Request{Limit: 1, Order: page.Desc})
		r.check(err)
		want, err := event.Encode(p.Items[0].Envelope())
		r.check(err)
		g := got[0]
		if string(g.body) != string(want) || !strings.Contains(string(want), `"name":"<a>"`) {
			r.t.Errorf("the body is %s\nwant %s", g.body, want)
		}
		if g.method != "POST" || g.path != "/hooks" || g.header.Get("Content-Type") != "application/json" || g.header.Get("User-Agent") != "Rolecall-Webhooks" {
			r.t.Errorf("%s %s with %v", g.method, g.path, g.header)
		}
		r.signed(g, e.Secret)
		d := r.only(e)
		if d.State != webhook.Succeeded || d.Event != p.Items[0].ID || d.Type != "permission.created" || d.Attempts != 1 || !d.NextAttempt.IsZero() || d.Replay {
			r.t.Errorf("the delivery is %+v", d)
		}
		if len(d.Log) != 1 || d.Log[0].Status != 200 || d.Log[0].Error != "" || d.Log[0].Number != 1 {
			r.t.Errorf("the log is %+v", d.Log)
		}
	})
}

// signed verifies a signature the way that the SDKs do (R190-R192).
func (r *room) signed(g received, secret string) (at time.Time) {
	r.t.Helper()
	t, v1, ok := strings.Cut(g.header.Get("WorkOS-Signature"), ", ")
	ms, err := strconv.ParseInt(strings.TrimPrefix(t, "t="), 10, 64)
	if !ok || err != nil {
		r.t.Fatalf("the signature is %q", g.header.Get("WorkOS-Signature"))
	}
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.%s", ms, g.body)
	if want := "v1=" + hex.EncodeToString(mac.Sum(nil)); v1 != want {
		r.t.Errorf("the signature is %s, want %s", v1, want)
	}
	at = time.UnixMilli(ms)
	if age := r.clock.now().Sub(at); age < 0 || age > 180*time.Second {
		r.t.Errorf("the signature is %v old", age)
	}
	return at
}

// A delivery that fails is tried again with a fresh signature, six times over three days, and what came back is logged
// (R193).
func TestRetries(t *testing.T) {
	onBoth(t, func(r *room) {
		x := newReceiver(r.t)
		x.answers(fails(503))
		e := r.endpoint(x.URL)
		r.permission("a")
		began := r.clock.now()
		r.step()
		first := r.signed(x.all()[0], e.Secret)
		for n, longest := range []time.Duration{time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 41 * time.Hour} {
			d := r.only(e)
			if d.State != webhook.Pending || d.Attempts != n+1 || d.LastError != "answered 503" {
				r.t.Fatalf("after %d attempts: %+v", n+1, d.Delivery)
			}
			wait := d.NextAttempt.Sub(d.UpdatedAt)
			if wait > longest || wait < longest*85/100 {
				r.t.Errorf("attempt %d follows after %v, want about %v", n+2, wait, longest)
			}
			r.clock.advance(d.NextAttempt.Sub(r.clock.now()) - 20*time.Millisecond)
			r.step()
			if len(x.all()) != n+1 {
				r.t.Fatalf("attempt %d came before its time", n+2)
			}
			r.clock.advance(20 * time.Millisecond)
			r.step()
			if len(x.all()) != n+2 {
				r.t.Fatalf("attempt %d did not come", n+2)
			}
			if again := r.signed(x.all()[n+1], e.Secret); !again.After(first) {
				r.t.Error("an attempt has the signature of the first")
			}
		}
		if span := r.clock.now().Sub(began); span > 72*time.Hour+time.Minute || span < 64*time.Hour {
			r.t.Errorf("the attempts spread over %v, want three days", span)
		}
		d := r.only(e)
		if d.State != webhook.Failed || !d.NextAttempt.IsZero() || len(d.Log) != 7 {
			r.t.Errorf("at the end: %+v", d)
		}
		for i, a := range d.Log {
			if a.Number != i+1 || a.Status != 503 || a.Answer != "no 503\n" || a.Error != "answered 503" {
				r.t.Errorf("attempt %d is logged as %+v", i+1, a)
			}
		}
		r.clock.advance(1000 * time.Hour)
		r.step()
		if len(x.all()) != 7 {
			r.t.Errorf("%d attempts, want 7", len(x.all()))
		}
	})
}

// A later attempt that succeeds ends the delivery; what a receiver answers is kept to its first kilobyte, in any bytes.
func TestSuccessAfterFailure(t *testing.T) {
	onBoth(t, func(r *room) {
		x := newReceiver(r.t)
		x.answers(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(500)
			fmt.Fprint(w, "\x00\xff"+strings.Repeat("x", 2_000_000))
		})
		e := r.endpoint(x.URL)
		r.permission("a")
		r.step()
		x.answers(nil)
		r.clock.advance(time.Minute)
		r.step()
		d := r.only(e)
		if d.State != webhook.Succeeded || d.LastError != "" || len(d.Log) != 2 || d.Log[0].Error == "" || d.Log[1].Error != "" {
			r.t.Errorf("%+v", d)
		}
		if a := d.Log[0].Answer; a != "\uFFFD\uFFFD"+strings.Repeat("x", 1022) {
			r.t.Errorf("the answer is logged as %q", a)
		}
		if r.status(e) != webhook.Enabled {
			r.t.Error("the endpoint was disabled")
		}
	})
}
