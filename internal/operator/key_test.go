package operator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/pgtest"
	"github.com/rolecall/rolecall/internal/store"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// room is the rules about keys over a real database with two environments.
type room struct {
	*operator.Service
	db                  *store.Store
	production, staging id.Environment
}

func onBoth(t *testing.T, test func(t *testing.T, r room)) {
	t.Helper()
	t.Parallel()
	for name, location := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "rolecall.db") },
		"postgres": func(t *testing.T) string { return pgtest.URL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			db, err := store.Open(t.Context(), location(t), store.Serve)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			at := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
			now := func() time.Time { at = at.Add(time.Millisecond); return at }
			ids := id.NewSource(now, nil)
			r := room{Service: operator.New(db, db.Fresh(), now, ids), db: db}
			rules := authz.New(db, now, ids)
			for name, env := range map[string]*id.Environment{"production": &r.production, "staging": &r.staging} {
				e, err := rules.CreateEnvironment(t.Context(), name)
				if err != nil {
					t.Fatal(err)
				}
				*env = e.ID
			}
			test(t, r)
		})
	}
}

func TestCreateKey(t *testing.T) {
	onBoth(t, func(t *testing.T, r room) {
		k, value, err := r.CreateKey(t.Context(), operator.NewKey{Environment: r.production, Name: "billing service"})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(value, "sk_") || len(value) < 40 {
			t.Errorf("the value %q is not hard to guess", value)
		}
		_, other, err := r.CreateKey(t.Context(), operator.NewKey{Environment: r.production, Name: "billing service"})
		if err != nil || other == value {
			t.Errorf("a second key under the same name: %q, %v", other, err)
		}
		found, err := r.Authenticate(t.Context(), value)
		if err != nil || !reflect.DeepEqual(found.Key, k) {
			t.Errorf("found %+v, %v, want %+v", found, err, k)
		}
		if a := k.Actor(); a.ID != string(k.ID) || a.Source != "api" || a.Name != "billing service" {
			t.Errorf("the actor is %+v", a)
		}
		for _, name := range []string{"", "  ", strings.Repeat("n", 101)} {
			if _, _, err := r.CreateKey(t.Context(), operator.NewKey{Environment: r.production, Name: name}); !fault.Is(err, fault.Invalid) {
				t.Errorf("a key named %q: %v", name, err)
			}
		}
	})
}

// The value of a key is shown once: it is in nothing that is stored or returned afterwards.
func TestValueIsNotKept(t *testing.T) {
	onBoth(t, func(t *testing.T, r room) {
		_, value, err := r.CreateKey(t.Context(), operator.NewKey{Environment: r.production, Name: "a"})
		if err != nil {
			t.Fatal(err)
		}
		const chosen = "chosen-by-the-operator-0123456789"
		if _, err := r.AdoptKey(t.Context(), operator.NewKey{Environment: r.production, Name: "b"}, chosen); err != nil {
			t.Fatal(err)
		}
		keys, err := r.ListKeys(t.Context(), "")
		if err != nil || len(keys) != 2 {
			t.Fatalf("%d keys, %v", len(keys), err)
		}
		shown := fmt.Sprintf("%+v", keys)
		encoded, err := json.Marshal(keys)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{value, chosen, value[8:24], chosen[8:24]} {
			if strings.Contains(shown, secret) || strings.Contains(string(encoded), secret) {
				t.Errorf("%q is kept: %s", secret, shown)
			}
		}
		// A hint tells keys apart, by their ends.
		for i, v := range []string{value, chosen} {
			if h := keys[i].Hint; !strings.HasPrefix(v, h[:3]) || !strings.HasSuffix(v, h[len(h)-4:]) || len(h) != 10 {
				t.Errorf("the hint of %q is %q", v, h)
			}
		}
	})
}

func TestAdoptKey(t *testing.T) {
	onBoth(t, func(t *testing.T, r room) {
		for i, value := range []string{"short", "x", strings.Repeat("k", 255), "sk_test_!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~"} {
			k, err := r.AdoptKey(t.Context(), operator.NewKey{Environment: r.production, Name: "a"}, value)
			if err != nil {
				t.Errorf("%q: %v", value, err)
				continue
			}
			if len(value) < 20 && strings.ContainsAny(k.Hint, value) {
				t.Errorf("the hint of a short key shows it: %q", k.Hint)
			}
			if found, err := r.Authenticate(t.Context(), value); err != nil || found.ID != k.ID {
				t.Errorf("%d: %v, %v", i, found, err)
			}
		}
		for _, value := range []string{"", " ", "a b", "a\n", "é", "\x00", "\x7f", strings.Repeat("k", 256)} {
			if _, err := r.AdoptKey(t.Context(), operator.NewKey{Environment: r.production, Name: "a"}, value); !fault.Is(err, fault.Invalid) {
				t.Errorf("%q: %v", value, err)
			} else if value != "" && value != " " && strings.Contains(err.Error(), value) {
				t.Errorf("the refusal quotes the value: %v", err)
			}
		}
	})
}

// A revocation holds at once and for good, and a revoked key is refused in the same words as one that never was.
func TestRevokeKey(t *testing.T) {
	onBoth(t, func(t *testing.T, r room) {
		k, value, err := r.CreateKey(t.Context(), operator.NewKey{Environment: r.production, Name: "a"})
		if err != nil {
			t.Fatal(err)
		}
		kept, keptValue, err := r.CreateKey(t.Context(), operator.NewKey{Environment: r.production, Name: "b"})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.RevokeKey(t.Context(), r.production, k.ID); err != nil {
			t.Fatal(err)
		}
		_, revoked := r.Authenticate(t.Context(), value)
		_, wrong := r.Authenticate(t.Context(), "sk_wrong")
		_, none := r.Authenticate(t.Context(), "")
		if !fault.Is(revoked, fault.Unauthorized) || revoked.Error() != wrong.Error() || none.Error() != wrong.Error() {
			t.Errorf("revoked: %v; wrong: %v; none: %v", revoked, wrong, none)
		}
		if strings.Contains(wrong.Error(), "sk_wrong") {
			t.Errorf("the refusal quotes the value: %v", wrong)
		}
		if found, err := r.Authenticate(t.Context(), keptValue); err != nil || found.ID != kept.ID {
			t.Errorf("the other key: %v, %v", found, err)
		}
		for _, again := range []id.APIKey{k.ID, "api_key_01ARZ3NDEKTSV4RRFFQ69G5FAV", "nonsense", ""} {
			for _, env := range []id.Environment{r.production, ""} {
				if err := r.RevokeKey(t.Context(), env, again); !fault.Is(err, fault.NotFound) {
					t.Errorf("revoking %q in %q: %v", again, env, err)
				}
			}
		}
		if err := r.RevokeKey(t.Context(), r.staging, kept.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("revoking a key of another environment: %v", err)
		}
		if _, err := r.Authenticate(t.Context(), keptValue); err != nil {
			t.Errorf("a key that another environment wanted revoked: %v", err)
		}
		keys, err := r.ListKeys(t.Context(), r.production)
		if err != nil || len(keys) != 2 || keys[0].RevokedAt.IsZero() || !keys[0].RevokedAt.After(keys[0].CreatedAt) || !keys[1].RevokedAt.IsZero() {
			t.Errorf("listed: %+v, %v", keys, err)
		}
		if err := r.RevokeKey(t.Context(), "", kept.ID); err != nil {
			t.Errorf("revoking a key of any environment: %v", err)
		}
	})
}

func TestListKeys(t *testing.T) {
	onBoth(t, func(t *testing.T, r room) {
		for _, env := range []id.Environment{r.production, r.staging, r.production} {
			if _, _, err := r.CreateKey(t.Context(), operator.NewKey{Environment: env, Name: "k"}); err != nil {
				t.Fatal(err)
			}
		}
		for env, want := range map[id.Environment]int{r.production: 2, r.staging: 1, "": 3, "environment_01ARZ3NDEKTSV4RRFFQ69G5FAV": 0} {
			keys, err := r.ListKeys(t.Context(), env)
			if err != nil || len(keys) != want {
				t.Errorf("%q has %d keys, %v, want %d", env, len(keys), err, want)
			}
			for i := 1; i < len(keys); i++ {
				if keys[i].CreatedAt.Before(keys[i-1].CreatedAt) {
					t.Errorf("not oldest first: %+v", keys)
				}
			}
		}
	})
}

// Without an answer of the database nobody is let in, and nobody is told that his key is wrong.
func TestAuthenticateWithoutDatabase(t *testing.T) {
	onBoth(t, func(t *testing.T, r room) {
		_, value, err := r.CreateKey(t.Context(), operator.NewKey{Environment: r.production, Name: "a"})
		if err != nil {
			t.Fatal(err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := r.Authenticate(ended, value); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a database that does not answer: %v", err)
		}
	})
}
