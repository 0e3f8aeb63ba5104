// Package operator owns who administers an installation: the API keys, each of one environment, and the people of the
// dashboard with their sessions and the links that invite them; and what keys and people are restricted to. What a
// restriction means is said in package authz. The value of a key, a link and a session is shown once and stored as a
// hash, a password never; nothing here logs any of them.
package operator

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/fresh"
	"github.com/rolecall/rolecall/internal/id"
)

// Key is an API key of one environment. Its value is not part of it.
type Key struct {
	ID          id.APIKey
	Environment id.Environment
	Name        string
	Hash        string // hex SHA-256 of the value; values are random enough to need nothing slower
	Hint        string // first and last characters of the value, to tell keys apart
	// Everything says that the key may let anybody hold any permission; otherwise Granting are all of them. They are
	// kept by id: a permission that is deleted and made again under its old slug is another one (I12).
	Everything bool
	Granting   []id.Permission
	// Permissions are the slugs of those in Granting that still exist, sorted. They are read, not stored.
	Permissions []string
	// Organization is the only one that the key sees and changes; empty for all of the environment.
	Organization id.Organization
	// OrganizationGone says that this organization was deleted: the key works no more. It is read, not stored.
	OrganizationGone bool
	CreatedAt        time.Time
	RevokedAt        time.Time // zero while the key works
}

// Restriction is what the key is held to, nil for one that may do everything in its environment.
func (k Key) Restriction() *authz.Restriction {
	if k.Everything && k.Organization == "" {
		return nil
	}
	return &authz.Restriction{Organization: k.Organization, Permissions: k.Permissions, Everything: k.Everything}
}

// Actor is the key as the events it causes name it.
func (k Key) Actor() event.Actor { return event.Actor{ID: string(k.ID), Source: "api", Name: k.Name} }

// Store is the storage contract of this room. Every change is durable when the call returns.
type Store interface {
	// View reads what keys can be restricted to: permissions and organizations.
	View(context.Context, func(authz.Reader) error) error
	// InsertKey stores a key unless one with the same hash exists, and says whether it did.
	InsertKey(context.Context, Key) (inserted bool, err error)
	// KeyByHash finds a key, revoked or not, as of a moment after every change acknowledged before the call.
	KeyByHash(ctx context.Context, hash string) (k Key, found bool, err error)
	// Keys lists the keys of an environment, or of all when it is empty, oldest first.
	Keys(context.Context, id.Environment) ([]Key, error)
	// RevokeKey marks a key that still works as revoked. found is false when there is none.
	// env is the environment that it must be of; empty for any.
	RevokeKey(ctx context.Context, env id.Environment, k id.APIKey, at time.Time) (found bool, err error)

	// ViewOperators reads people, sessions and invitations as they were at one moment.
	ViewOperators(context.Context, func(PeopleReader) error) error
	// UpdateOperators changes them as if alone, all or nothing. The function may run again, so it touches nothing but
	// its transaction.
	UpdateOperators(context.Context, func(PeopleTx) error) error
}

// PeopleReader reads people and what lets them in.
type PeopleReader interface {
	PersonReader
	SessionReader
	InvitationReader
}

// PeopleTx changes people and what lets them in.
type PeopleTx interface {
	PeopleReader
	PersonTx
	SessionTx
	InvitationTx
}

// Service is the rules of this room. It is safe for concurrent use.
type Service struct {
	store    Store
	now      func() time.Time
	ids      *id.Source
	cost     cost
	hashers  chan struct{} // holds one for each password that is worked on
	attempts *attempts
	book     *fresh.Book
	keys     *remembered
}

// New returns the rules over a store, which remember keys as long as book has a term. It must be called before the
// book's first term begins.
func New(store Store, book *fresh.Book, now func() time.Time, ids *id.Source) *Service {
	s := &Service{
		store: store, now: now, ids: ids, cost: usualCost, hashers: make(chan struct{}, hashesAtOnce), attempts: newAttempts(),
		book: book, keys: &remembered{},
	}
	book.Keep(s.keys)
	return s
}

// moment is now as it is stored.
func (s *Service) moment() time.Time { return s.now().UTC().Truncate(time.Millisecond) }

// CodeKeyExists is the refusal of a key whose value another key has.
const CodeKeyExists = "api_key_exists"

// maxKeyName bounds the name of a key, in bytes.
const maxKeyName = 100

// maxKeyPermissions bounds what one key lists: it is read with every request.
const maxKeyPermissions = 500

// NewKey is what can be said about a key that is made.
type NewKey struct {
	Environment id.Environment
	Name        string
	// Permissions are the only ones that the key may let anybody hold, by slug; an empty list is none of them. Absent
	// means everything.
	Permissions  authz.Opt[[]string]
	Organization id.Organization // the only one that the key sees and changes; empty for all
}

// CreateKey makes a key and returns its value, which cannot be read again.
func (s *Service) CreateKey(ctx context.Context, in NewKey) (Key, string, error) {
	random := make([]byte, 32)
	rand.Read(random) // never fails
	value := "sk_" + base64.RawURLEncoding.EncodeToString(random)
	k, err := s.AdoptKey(ctx, in, value)
	if err != nil {
		return Key{}, "", err
	}
	return k, value, nil
}

// AdoptKey makes a key with a value chosen by the operator: printable ASCII without blanks, at most 255 bytes. Whether
// it is hard to guess is the operator's business.
func (s *Service) AdoptKey(ctx context.Context, in NewKey, value string) (Key, error) {
	if strings.TrimSpace(in.Name) == "" || len(in.Name) > maxKeyName {
		return Key{}, fault.BadField("name", "must be 1 to %d bytes", maxKeyName)
	}
	if value == "" || len(value) > 255 || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return Key{}, fault.BadField("api key", "must be 1 to 255 printable ASCII characters without blanks")
	}
	k := Key{
		ID: id.New[id.APIKey](s.ids), Environment: in.Environment, Name: in.Name, Hash: hash(value), Hint: hint(value),
		Everything: !in.Permissions.Set, Organization: in.Organization, CreatedAt: s.moment(),
	}
	if err := s.store.View(ctx, func(r authz.Reader) error { return k.restrict(r, in.Permissions.Value) }); err != nil {
		return Key{}, err
	}
	inserted, err := s.store.InsertKey(ctx, k)
	if err == nil && !inserted {
		err = fault.New(fault.Conflict, CodeKeyExists, "An API key with this value exists already.")
	}
	return k, err
}

// restrict finds what the key is restricted to, and names all of it that its environment lacks.
func (k *Key) restrict(r authz.Reader, slugs []string) error {
	if k.Organization != "" {
		org, found := id.Parse[id.Organization](string(k.Organization))
		if found {
			var err error
			if _, found, err = r.Organization(k.Environment, org); err != nil {
				return err
			}
		}
		if !found {
			return fault.BadField("organization", "names '%s', which the environment does not have", fault.Short(string(k.Organization)))
		}
	}
	if len(slugs) > maxKeyPermissions {
		return fault.BadField("permissions", "must be at most %d", maxKeyPermissions)
	}
	text := slices.DeleteFunc(slices.Clone(slugs), func(s string) bool { return !utf8.ValidString(s) || strings.ContainsRune(s, 0) })
	known, err := r.PermissionsBySlug(k.Environment, text)
	if err != nil {
		return err
	}
	var unknown []string
	k.Granting, k.Permissions = nil, nil
	for _, slug := range slices.Compact(slices.Sorted(slices.Values(slugs))) {
		p, ok := known[slug]
		if !ok {
			unknown = append(unknown, "'"+fault.Short(slug)+"'")
			continue
		}
		k.Granting, k.Permissions = append(k.Granting, p.ID), append(k.Permissions, slug)
	}
	if len(unknown) > 0 {
		return fault.BadField("permissions", "name what is no permission of the environment: %s", strings.Join(unknown, ", "))
	}
	return nil
}

// ListKeys lists the keys of an environment, or of all when env is empty, oldest first, revoked ones included.
func (s *Service) ListKeys(ctx context.Context, env id.Environment) ([]Key, error) {
	return s.store.Keys(ctx, env)
}

// RevokeKey ends a key of an environment, or of any when env is empty, at once and for good. A key of another environment
// is refused as one that does not exist.
func (s *Service) RevokeKey(ctx context.Context, env id.Environment, k id.APIKey) error {
	found, err := s.store.RevokeKey(ctx, env, k, s.moment())
	if err == nil && !found {
		err = fault.New(fault.NotFound, fault.CodeNotFound, "There is no working API key '%s'.", k)
	}
	return err
}

func hash(value string) string {
	sum := digest(value)
	return hex.EncodeToString(sum[:])
}

func digest(value string) [sha256.Size]byte { return sha256.Sum256([]byte(value)) }

// hint shows as much of a value as helps to recognize it, and nothing of a short one.
func hint(value string) string {
	if len(value) < 20 {
		return "..."
	}
	return value[:3] + "..." + value[len(value)-4:]
}
