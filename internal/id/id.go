// Package id owns the identifiers of every object: a prefix that says what it names, an underscore and a ULID
// (26 upper-case Crockford characters). Ids sort by creation, begin each millisecond at 80 fresh random bits and step by
// up to 32 fresh random bits within it, are never reused, and have one Go type each, so that an organization's id cannot
// be passed where a role's is wanted.
package id

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// One type for each noun. The prefixes are those of the public contract (semantics 1.1).
type (
	Environment     string // environment_…
	APIKey          string // api_key_…
	Permission      string // perm_…
	Role            string // role_…
	Organization    string // org_…
	Domain          string // org_domain_…
	User            string // user_…
	Membership      string // om_…
	Assignment      string // role_assignment_…
	Group           string // group_…
	GroupAssignment string // gra_…
	Job             string // job_…
	Resource        string // authz_resource_…
	Event           string // event_…
	Request         string // req_…
	Endpoint        string // we_…
	Delivery        string // webhook_delivery_…
	Replay          string // webhook_replay_…
	Operator        string // operator_…
	Invitation      string // invitation_…
)

func (Environment) prefix() string     { return "environment" }
func (APIKey) prefix() string          { return "api_key" }
func (Permission) prefix() string      { return "perm" }
func (Role) prefix() string            { return "role" }
func (Organization) prefix() string    { return "org" }
func (Domain) prefix() string          { return "org_domain" }
func (User) prefix() string            { return "user" }
func (Membership) prefix() string      { return "om" }
func (Assignment) prefix() string      { return "role_assignment" }
func (Group) prefix() string           { return "group" }
func (GroupAssignment) prefix() string { return "gra" }
func (Job) prefix() string             { return "job" }
func (Resource) prefix() string        { return "authz_resource" }
func (Event) prefix() string           { return "event" }
func (Request) prefix() string         { return "req" }
func (Endpoint) prefix() string        { return "we" }
func (Delivery) prefix() string        { return "webhook_delivery" }
func (Replay) prefix() string          { return "webhook_replay" }
func (Operator) prefix() string        { return "operator" }
func (Invitation) prefix() string      { return "invitation" }

// Any is every id type of this package.
type Any interface {
	~string
	prefix() string
}

// Source makes new ids. Ids of one source made within a millisecond keep the order in which they were made.
type Source struct {
	mu      sync.Mutex
	now     func() time.Time
	entropy *ulid.MonotonicEntropy
}

// NewSource returns a source that takes the time from now and randomness from random; nil means the system's.
func NewSource(now func() time.Time, random io.Reader) *Source {
	if now == nil {
		now = time.Now
	}
	if random == nil {
		random = rand.Reader
	}
	return &Source{now: now, entropy: ulid.Monotonic(random, 0)}
}

// New makes an id of the wanted type. It panics only when the random source fails, which leaves nothing sensible to do.
func New[T Any](s *Source) T {
	s.mu.Lock()
	defer s.mu.Unlock()
	var zero T
	u, err := ulid.New(ulid.Timestamp(s.now()), s.entropy)
	if err != nil {
		panic(fmt.Sprintf("making an id: %v", err))
	}
	return T(zero.prefix() + "_" + u.String())
}

// Parse reads an id strictly: right prefix, 26 characters, upper-case Crockford, no overflow. Anything else cannot
// name an object and is reported by ok = false.
func Parse[T Any](s string) (parsed T, ok bool) {
	prefix := parsed.prefix()
	n := len(prefix)
	if len(s) != n+1+ulid.EncodedSize || s[:n] != prefix || s[n] != '_' || s[n+1] > '7' { // greater ones overflow
		return "", false
	}
	var bad byte
	for i := n + 1; i < len(s); i++ {
		bad |= digit[s[i]]
	}
	if bad&notDigit != 0 {
		return "", false
	}
	return T(s), true
}

// Prefix says how ids of a type begin, underscore included.
func Prefix[T Any]() string {
	var zero T
	return zero.prefix() + "_"
}

// Retype carries the ULID of one id over to another type: the implicit resource of an organization has the id of the
// organization with another prefix, so that it needs no row and no look-up.
func Retype[To, From Any](from From) To {
	var to To
	return To(to.prefix() + strings.TrimPrefix(string(from), from.prefix()))
}

// Derive makes the id of what follows from two things: the same two always give the same id, different ones different
// ids. It has the time of the first, beside which it sorts, and in place of randomness 80 bits of a hash of both.
func Derive[T Any](first T, second string) T {
	u := ulid.MustParseStrict(strings.TrimPrefix(string(first), Prefix[T]()))
	sum := sha256.Sum256([]byte(string(first) + " " + second))
	copy(u[6:], sum[:])
	return T(Prefix[T]() + u.String())
}

// Moment returns the part of an id that tells its millisecond: ids sort by it before anything else.
func Moment[T Any](v T) string {
	const length = 10
	rest := strings.TrimPrefix(string(v), Prefix[T]())
	return rest[:min(length, len(rest))]
}

// Suffix returns the last n characters of an id in lower case. They come from its random part for n up to 16.
func Suffix[T Any](v T, n int) string {
	s := strings.ToLower(string(v))
	if n >= len(s) {
		return s
	}
	return s[len(s)-n:]
}
