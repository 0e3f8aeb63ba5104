package web_test

import (
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/rolecall/rolecall/internal/web"
)

// A client cannot choose the address that it is known by; a proxy that is trusted can.
func TestClient(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct{ remote, passed, want string }{
		{"192.0.2.1:1234", "", "192.0.2.1"},
		{"192.0.2.1:1234", "203.0.113.9", "192.0.2.1"}, // no proxy of ours
		{"[2001:db8::1]:1234", "", "2001:db8::1"},
		{"10.1.1.1:1234", "203.0.113.9", "203.0.113.9"},
		{"10.1.1.1:1234", "198.51.100.7, 203.0.113.9", "203.0.113.9"},
		{"10.1.1.1:1234", "198.51.100.7, 203.0.113.9, 10.2.2.2", "203.0.113.9"},
		{"[fd00::1]:1234", "::ffff:203.0.113.9", "203.0.113.9"},
		{"10.1.1.1:1234", "", "10.1.1.1"},
		{"10.1.1.1:1234", "203.0.113.9, nonsense", "10.1.1.1"},
		{"10.1.1.1:1234", "10.3.3.3, 10.2.2.2", "10.3.3.3"},
		{"@", "203.0.113.9", "@"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		if c.passed != "" {
			r.Header.Set("X-Forwarded-For", c.passed)
		}
		if got := web.Client(r, proxies); got != c.want {
			t.Errorf("%s with %q is %s, want %s", c.remote, c.passed, got, c.want)
		}
	}
}
