package decision

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
)

// What is remembered never changes after it was published, but for its life and for parts that are found through it and
// have a life of their own: environment → shared, catalogue; organization → holdings, tree. A member stands on its
// organization, and that on what its environment shares: when one dies, so does all that stands on it.

// environment is where what is remembered of an environment is found. It numbers permissions and roles, which keep
// their numbers until it is forgotten because too many are of what is gone.
type environment struct {
	id        id.Environment
	shared    atomic.Pointer[shared]
	catalogue atomic.Pointer[catalogue]
	lists     atomic.Pointer[life] // of the policies that are remembered in full

	mu          sync.Mutex
	permissions map[id.Permission]int32
	roles       map[id.Role]int32
}

// shared is what the organizations of an environment have in common, and the roster of those that follow it.
type shared struct {
	life
	Shared
	roster *roster
}

// catalogue is the permissions of an environment and which of them its own roles hold.
type catalogue struct {
	life
	number map[string]int32 // of a permission, by slug
	sorted []listed         // by id
	held   bits             // by the number of the role
}

// slug is that of the permission with a number.
func (c *catalogue) slug(n int32) string {
	i := slices.IndexFunc(c.sorted, func(l listed) bool { return l.number == n })
	return c.sorted[i].Slug
}

// listed is a permission with its number.
type listed struct {
	authz.Permission
	number int32
}

// roster is the roles available to an organization in their order, as its decisions need them.
type roster struct {
	roles    []role
	standard id.Role // the default
	multiple bool
	retired  map[id.Role]authz.Replacement
	custom   int // how many of the roles are the organization's own
}

// role is a role as decisions need it. Its number is that of an environment role in its environment, and of a custom one
// its place among those of its organization.
type role struct {
	id     id.Role
	slug   string
	kind   string
	number int32
	custom bool
}

// organization is what is remembered of one.
type organization struct {
	life
	id       id.Organization
	env      *environment
	shared   *shared
	roster   *roster
	name     string
	home     id.Resource // its own resource
	external string      // and the external id of that
	held     atomic.Pointer[holdings]
	tree     atomic.Pointer[tree]
}

// weight is how many roles it lists that others do not list for it.
func (o *organization) weight() int {
	if o.roster == o.shared.roster {
		return 0
	}
	return len(o.roster.roles) + len(o.roster.retired)
}

func (o *organization) stands() bool { return o.alive() && o.shared.alive() }

// holdings is what the custom roles of an organization hold, by their numbers.
type holdings struct {
	life
	bits
}

// tree is those resources of an organization that were asked for.
type tree struct {
	life
	mu     sync.RWMutex
	byID   map[id.Bytes]*resource
	byName map[name]*resource
}

type name struct{ kind, external string }

type resource struct {
	tree     *tree
	above    *resource // nil directly below the organization
	id       id.Bytes
	kind     string
	external string
	name     string
}

// member is what is remembered of a membership. There may be millions: nearly all fit into this, where they hold one
// role that nothing but a change takes from them.
type member struct {
	in     *organization
	more   *more // nil where only holds what there is
	only   id.Bytes
	high   uint64 // first half of its id; the other is its key
	life          // beside the small ones, so that there are no gaps
	role   uint16
	source uint8
	status uint8
}

func (m *member) stands() bool { return m.alive() && m.in.stands() }

// more is what does not fit into a member.
type more struct {
	from, until int64 // milliseconds in which it is right, from included; zero where there is no end
	home        []grant
	below       []spot // by resource
}

func high(b id.Bytes) uint64 { return binary.BigEndian.Uint64(b[:8]) }

func low(b id.Bytes) uint64 { return binary.BigEndian.Uint64(b[8:]) }

// holds says whether it is right at an instant.
func (m *more) holds(at int64) bool {
	return (m.from == 0 || at >= m.from) && (m.until == 0 || at < m.until)
}

// spot is what is held on a resource.
type spot struct {
	on     id.Bytes
	grants []grant
}

// grant is a role that is in effect, and through what.
type grant struct {
	assignment id.Bytes
	group      id.Bytes
	role       uint16
	source     uint8
}

// on returns what is held on a resource itself.
func (m *more) on(r id.Bytes) []grant {
	at, found := slices.BinarySearchFunc(m.below, r, func(s spot, r id.Bytes) int { return bytes.Compare(s.on[:], r[:]) })
	if !found {
		return nil
	}
	return m.below[at].grants
}

// bits is a row of bits for each of several roles.
type bits struct {
	width int // words of a row
	words []uint64
}

func (b *bits) has(row, n int32) bool {
	word := int(n >> 6)
	if word >= b.width {
		return false
	}
	at := int(row)*b.width + word
	return at < len(b.words) && b.words[at]&(1<<(n&63)) != 0
}

// newBits makes rows of the numbers given for them.
func newBits(rows [][]int32) bits {
	highest := int32(-1)
	for _, row := range rows {
		for _, n := range row {
			highest = max(highest, n)
		}
	}
	b := bits{width: int(highest>>6) + 1}
	b.words = make([]uint64, b.width*len(rows))
	for i, row := range rows {
		for _, n := range row {
			b.words[i*b.width+int(n>>6)] |= 1 << (n & 63)
		}
	}
	return b
}
