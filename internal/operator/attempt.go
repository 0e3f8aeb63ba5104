package operator

import (
	"hash/maphash"
	"math"
	"net/netip"
	"sync"
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"golang.org/x/time/rate"
)

// counted is a kind of attempts.
type counted int

const (
	signInsFrom counted = iota // a network
	signInsAs                  // an e-mail address, whether or not it is anybody's
	changesBy                  // a person who changes his password
)

// pace is how often may be tried: so many times at once, then once in a while. A network may be a proxy before many
// people.
func (c counted) pace() (burst int, every time.Duration) {
	if c == signInsFrom {
		return 40, 3 * time.Second
	}
	return 10, 30 * time.Second
}

// slots bounds what is remembered of each kind: names that fall together, by a hash that nobody outside can predict, are
// counted as one. So no flood of names makes this forget another one.
const slots = 1 << 14

// attempts counts how often a password was tried, in this process alone.
type attempts struct {
	mu       sync.Mutex
	seed     maphash.Seed
	limiters map[counted]map[uint64]*rate.Limiter
}

func newAttempts() *attempts {
	return &attempts{seed: maphash.MakeSeed(), limiters: map[counted]map[uint64]*rate.Limiter{signInsFrom: {}, signInsAs: {}, changesBy: {}}}
}

// allow counts an attempt of a kind under a name, or refuses it when there were too many.
func (a *attempts) allow(now time.Time, kind counted, name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	slot := maphash.String(a.seed, name) % slots
	l := a.limiters[kind][slot]
	if l == nil {
		burst, every := kind.pace()
		l = rate.NewLimiter(rate.Every(every), burst)
		a.limiters[kind][slot] = l
	}
	if l.AllowN(now, 1) {
		return nil
	}
	f := fault.New(fault.TooMany, CodeTooManyAttempts, "There were too many attempts; try again later.")
	f.Retry = time.Duration(math.Ceil((1-l.TokensAt(now))/float64(l.Limit()))) * time.Second
	return f
}

// network is what one client is taken to have of addresses: one of IPv4, a /64 of IPv6.
func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if ip = ip.Unmap().WithZone(""); ip.Is4() {
		return ip.String()
	}
	return netip.PrefixFrom(ip, 64).Masked().String()
}
