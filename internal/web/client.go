package web

import (
	"math"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/rolecall/rolecall/internal/fault"
)

// Client is the address that a request comes from, without a port. Behind proxies, whose addresses are given, it is the
// last one in X-Forwarded-For that is no proxy's: what stands before it the client may have made up.
func Client(r *http.Request, proxies []netip.Prefix) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	passed := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, before := range slices.Backward(passed) {
		if !within(host, proxies) {
			return host
		}
		at, err := netip.ParseAddr(strings.TrimSpace(before))
		if err != nil { // nothing, or nonsense: the proxy is all that is known
			return host
		}
		host = at.Unmap().String()
	}
	return host
}

func within(host string, prefixes []netip.Prefix) bool {
	at, err := netip.ParseAddr(host)
	return err == nil && slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(at.Unmap().WithZone("")) })
}

// Later tells the client when to try again, where a refusal says so.
func Later(w http.ResponseWriter, f *fault.Error) {
	switch f.Kind {
	case fault.Unavailable:
		w.Header().Set("Retry-After", "1")
	case fault.TooMany:
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(f.Retry.Seconds())))))
	}
}
