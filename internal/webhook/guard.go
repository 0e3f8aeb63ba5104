package webhook

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// guard keeps requests away from addresses that are this machine's or its network's own business: loopback, private,
// link-local with the metadata services of clouds, multicast and reserved ones, and what maps or tunnels to them.
type guard struct {
	open bool // the operator allows all of them
	safe *ssrf.Guardian
}

func newGuard(open bool, more ...ssrf.Option) guard {
	return guard{open: open, safe: ssrf.New(append(more, ssrf.WithAnyPort())...)}
}

// errAddress is the error of a connection to an address that is not allowed. It does not say which address: a name of
// the internal network must not be resolved for whoever can make an endpoint.
var errAddress = errors.New("the address is not allowed: it is loopback, private, link-local, multicast or reserved " +
	"(the operator can allow it with --webhook-allow-private)")

// control decides about an address that is about to be dialled. It is asked after names are resolved, with the very
// address that the connection will go to, so that a name that answers differently the second time gains nothing.
func (g guard) control(network, address string, c syscall.RawConn) error {
	if g.open {
		return nil
	}
	if g.safe.Safe(network, address, c) != nil {
		return errAddress
	}
	return nil
}

// refuses says why a URL cannot be an endpoint's, or nothing. Names that are not addresses pass: they may stand for
// something else tomorrow, and so are looked at when they are dialled.
func (g guard) refuses(raw string) string {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return "must be an absolute https URL"
	case u.User != nil:
		return "must not hold a user name or password"
	case u.Fragment != "" || strings.Contains(raw, "#"):
		return "must not have a fragment"
	case !rightPort(u):
		return "must have a port from 1 to 65535, or none"
	case g.open:
		return ""
	case u.Scheme != "https":
		return "must be an https URL"
	}
	if !g.allowsHost(u.Hostname()) {
		return "must not be on a loopback, private, link-local or reserved address"
	}
	return ""
}

// rightPort says whether the port can be one, or is left out altogether.
func rightPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && n > 0
}

func (g guard) allowsHost(host string) bool {
	if address, err := netip.ParseAddr(host); err == nil {
		return address.Zone() == "" && g.safe.SafeAddr(address) == nil
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, err := netip.ParseAddr(host); err == nil { // with a dot at its end
		return false
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	// Some resolvers take 127.1, 2130706433 and 0x7f000001 for addresses: no name ends in a number.
	numeric := strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") && strings.Trim(last[2:], "0123456789abcdef") == ""
	return !numeric && last != "localhost"
}

// The bounds of one request.
const (
	requestTime   = 10 * time.Second // from dialling to the end of the answer
	maxHeader     = 64 << 10
	maxDiscarded  = 64 << 10 // of an answer's body, read so that the connection can be used again
	idleTime      = 90 * time.Second
	dialTime      = 5 * time.Second
	handshakeTime = 5 * time.Second
)

// client makes the client that calls receivers: no proxy, which would dial for us, and no redirects.
func (g guard) client(resolver *net.Resolver) *http.Client {
	dialer := &net.Dialer{Timeout: dialTime, Resolver: resolver, Control: g.control}
	return &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, Proxy: nil, TLSHandshakeTimeout: handshakeTime,
			MaxIdleConnsPerHost: perEndpoint, MaxIdleConns: 2 * atOnce, IdleConnTimeout: idleTime,
			MaxResponseHeaderBytes: maxHeader, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       requestTime,
	}
}
