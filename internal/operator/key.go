// Package operator owns who administers an installation: so far the API keys, each of one environment. A key's value
// is shown once and stored as a hash; nothing here logs it.
package operator

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"time"

	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// Key is an API key of one environment. Its value is not part of it.
type Key struct {
	ID          id.APIKey
	Environment id.Environment
	Name        string
	Hash        string // hex SHA-256 of the value; values are random enough to need nothing slower
	Hint        string // first and last characters of the value, to tell keys apart
	CreatedAt   time.Time
	RevokedAt   time.Time // zero while the key works
}

// Actor is the key as the events it causes name it.
func (k Key) Actor() event.Actor { return event.Actor{ID: string(k.ID), Source: "api", Name: k.Name} }

// Store is the storage contract of this room. Every change is durable when the call returns.
type Store interface {
	// InsertKey stores a key unless one with the same hash exists, and says whether it did.
	InsertKey(context.Context, Key) (inserted bool, err error)
	// KeyByHash finds a key, revoked or not, as of a moment after every change acknowledged before the call.
	KeyByHash(ctx context.Context, hash string) (k Key, found bool, err error)
	// Keys lists the keys of an environment, or of all when it is empty, oldest first.
	Keys(context.Context, id.Environment) ([]Key, error)
	// RevokeKey marks a key that still works as revoked. found is false when there is none.
	RevokeKey(ctx context.Context, k id.APIKey, at time.Time) (found bool, err error)
}

// Service is the rules of this room. It is safe for concurrent use.
type Service struct {
	store Store
	now   func() time.Time
	ids   *id.Source
}

// New returns the rules over a store.
func New(store Store, now func() time.Time, ids *id.Source) *Service {
	return &Service{store: store, now: now, ids: ids}
}

// CodeKeyExists is the refusal of a key whose value another key has.
const CodeKeyExists = "api_key_exists"

// maxKeyName bounds the name of a key, in bytes.
const maxKeyName = 100

// CreateKey makes a key for an environment and returns its value, which cannot be read again.
func (s *Service) CreateKey(ctx context.Context, env id.Environment, name string) (Key, string, error) {
	random := make([]byte, 32)
	rand.Read(random) // never fails
	value := "sk_" + base64.RawURLEncoding.EncodeToString(random)
	k, err := s.AdoptKey(ctx, env, name, value)
	return k, value, err
}

// AdoptKey makes a key with a value chosen by the operator: printable ASCII without blanks, at most 255 bytes. Whether
// it is hard to guess is the operator's business.
func (s *Service) AdoptKey(ctx context.Context, env id.Environment, name, value string) (Key, error) {
	if strings.TrimSpace(name) == "" || len(name) > maxKeyName {
		return Key{}, fault.BadField("name", "must be 1 to %d bytes", maxKeyName)
	}
	if value == "" || len(value) > 255 || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Key{}, fault.BadField("api key", "must be 1 to 255 printable ASCII characters without blanks")
	}
	k := Key{
		ID: id.New[id.APIKey](s.ids), Environment: env, Name: name, Hash: hash(value), Hint: hint(value),
		CreatedAt: s.now().UTC().Truncate(time.Millisecond),
	}
	inserted, err := s.store.InsertKey(ctx, k)
	if err == nil && !inserted {
		err = fault.New(fault.Conflict, CodeKeyExists, "An API key with this value exists already.")
	}
	return k, err
}

// Authenticate finds the key with that value. A wrong and a revoked key are the same refusal. A revocation holds from
// the moment it was acknowledged: nothing is remembered between calls.
func (s *Service) Authenticate(ctx context.Context, value string) (Key, error) {
	k, found, err := s.store.KeyByHash(ctx, hash(value))
	if err != nil {
		return Key{}, err
	}
	if !found || !k.RevokedAt.IsZero() {
		return Key{}, fault.New(fault.Unauthorized, "unauthorized", "The API key is missing, unknown or revoked.")
	}
	return k, nil
}

// ListKeys lists the keys of an environment, or of all when env is empty, oldest first, revoked ones included.
func (s *Service) ListKeys(ctx context.Context, env id.Environment) ([]Key, error) {
	return s.store.Keys(ctx, env)
}

// RevokeKey ends a key at once and for good.
func (s *Service) RevokeKey(ctx context.Context, k id.APIKey) error {
	found, err := s.store.RevokeKey(ctx, k, s.now().UTC().Truncate(time.Millisecond))
	if err == nil && !found {
		err = fault.New(fault.NotFound, fault.CodeNotFound, "There is no working API key '%s'.", k)
	}
	return err
}

func hash(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])
}

// hint shows as much of a value as helps to recognize it, and nothing of a short one.
func hint(value string) string {
	if len(value) < 20 {
		return "..."
	}
	return value[:3] + "..." + value[len(value)-4:]
}
