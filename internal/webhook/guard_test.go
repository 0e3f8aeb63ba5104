package webhook_test

import (
	"context"
	"encoding/binary"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/webhook"
)

// What no endpoint may be, in every spelling that something might take for an address of its own (security case 12).
func TestRefusedURLs(t *testing.T) {
	t.Parallel()
	r := newRoom(t, databases["sqlite"](t), webhook.Options{})
	e := r.endpoint("https://hooks.example")
	for _, url := range []string{
		"", "hooks.example", "//hooks.example", "/path", "https:", "https://", "https:///path", "https:hooks.example", "ftp://hooks.example",
		"http://hooks.example", "javascript:alert(1)", "https://user@hooks.example", "https://user:pass@hooks.example", "https://hooks.example/#f",
		"https://hooks.example#", "https://hooks.example:0", "https://hooks.example:99999999", "https://hooks.example:x", "https://hooks.example:",
		"https://hooks example", "https://[::1", " https://hooks.example", "https://hooks.example/\x00",
		// loopback
		"https://127.0.0.1", "https://127.0.0.1:8443/x", "https://127.255.255.254", "https://127.1", "https://2130706433", "https://0x7f000001",
		"https://0x7f.0.0.1", "https://0177.0.0.1", "https://017700000001", "https://127.0.0.1.", "https://0", "https://0.0.0.0", "https://[::1]", "https://[::]",
		"https://[0:0:0:0:0:0:0:1]", "https://localhost", "https://LOCALHOST", "https://localhost.", "https://x.localhost", "https://%31%32%37.0.0.1",
		// private, shared, link-local, metadata
		"https://10.0.0.1", "https://172.16.0.1", "https://172.31.255.255", "https://192.168.1.1", "https://100.64.0.1", "https://169.254.169.254",
		"https://0xa9fea9fe", "https://[fe80::1]", "https://[fe80::1%25eth0]", "https://[fc00::1]", "https://[fd00:ec2::254]", "https://[fec0::1]",
		// those, mapped, translated or tunnelled
		"https://[::ffff:127.0.0.1]", "https://[::ffff:7f00:1]", "https://[::127.0.0.1]", "https://[64:ff9b::7f00:1]", "https://[64:ff9b:1::1]",
		"https://[2002:7f00:1::]", "https://[2002:a00:1::1]", "https://[2001:0:1::1]", "https://[::ffff:0:127.0.0.1]",
		// nobody's in particular
		"https://224.0.0.1", "https://[ff02::1]", "https://255.255.255.255", "https://240.0.0.1", "https://192.0.2.1", "https://198.18.0.1", "https://[2001:db8::1]",
	} {
		if _, err := r.CreateEndpoint(t.Context(), r.c, webhook.NewEndpoint{URL: url, Events: []string{"role.created"}}); !fault.HasCode(err, "invalid_url") {
			t.Errorf("an endpoint at %q: %v", url, err)
		}
		if _, err := r.UpdateEndpoint(t.Context(), r.c, e.ID, webhook.EndpointChange{URL: authz.Some(url)}); !fault.HasCode(err, "invalid_url") {
			t.Errorf("a change to %q: %v", url, err)
		}
	}
	for _, url := range []string{
		"https://hooks.example:8443/a/b?token=c", "HTTPS://Hooks.Example", "https://1.1.1.1", "https://[2606:4700::1111]/", "https://a1.example2",
		"https://0x7f.example", "https://localhost.example", "https://münchen.example",
	} {
		r.endpoint(url)
	}
	if _, err := r.CreateEndpoint(t.Context(), r.c, webhook.NewEndpoint{URL: "https://hooks.example/" + strings.Repeat("a", webhook.MaxURL), Events: []string{"role.created"}}); blamed(err) != "endpoint_url" {
		t.Errorf("a very long URL: %v", err)
	}
}

// An operator who allows private addresses gets them, and plain http, and nothing else.
func TestAllowedURLs(t *testing.T) {
	t.Parallel()
	r := newRoom(t, databases["sqlite"](t), webhook.Options{AllowPrivate: true})
	for _, url := range []string{"http://127.0.0.1:1", "http://localhost", "https://10.0.0.1", "http://[::1]:8080/x"} {
		r.endpoint(url)
	}
	for _, url := range []string{"ftp://localhost", "http://user@localhost", "localhost", "http://localhost/#x"} {
		if r.Refuses(url) == "" {
			t.Errorf("%s is allowed", url)
		}
	}
}

// A name is judged by what it stands for when it is dialled, by the very address that is dialled: one that answers with
// an allowed address first and with this machine's the second time is refused then, and each attempt asks once.
func TestRebinding(t *testing.T) {
	t.Parallel()
	inside, port := listener(t, "127.0.0.1:0")
	outside, _ := listener(t, "127.0.0.2:"+port)
	names := &nameServer{answers: []string{"127.0.0.2", "127.0.0.1"}}
	r := newRoom(t, databases["sqlite"](t), webhook.Options{})
	r.Allow(netip.MustParsePrefix("127.0.0.2/32"))
	r.worker = webhook.NewWorkerResolving(r.Service, discard, names.start(t))
	e := r.endpoint("https://hooks.example:" + port)
	r.permission("a")
	r.step()
	if d := r.only(e); outside.Load() != 1 || d.Attempts != 1 || strings.Contains(d.LastError, "not allowed") || d.LastError == "" { // it is no TLS server
		t.Errorf("the allowed address was dialled %d times: %+v", outside.Load(), d.Delivery)
	}
	r.clock.advance(time.Minute)
	r.step()
	d := r.only(e)
	if inside.Load() != 0 || d.Attempts != 2 || !strings.Contains(d.LastError, "the address is not allowed") || strings.Contains(d.LastError, "127.0.0.1") {
		t.Errorf("this machine was dialled %d times: %+v", inside.Load(), d.Delivery)
	}
	if n := names.asked.Load(); n != 2 {
		t.Errorf("the name was looked up %d times in two attempts", n)
	}
}

// The machine's own names stand for it, too.
func TestLocalName(t *testing.T) {
	t.Parallel()
	inside, port := listener(t, "127.0.0.1:0")
	names := &nameServer{answers: []string{"127.0.0.1"}}
	for _, address := range []string{"127.0.0.1", "169.254.169.254", "10.0.0.1", "0.0.0.0"} {
		names.mu.Lock()
		names.answers = []string{address}
		names.mu.Unlock()
		r := newRoom(t, databases["sqlite"](t), webhook.Options{})
		r.worker = webhook.NewWorkerResolving(r.Service, discard, names.start(t))
		e := r.endpoint("https://internal.example:" + port)
		r.permission("a")
		r.step()
		if d := r.only(e); inside.Load() != 0 || d.Log[0].Status != 0 || !strings.Contains(d.Log[0].Error, "the address is not allowed") {
			t.Errorf("a name that stands for %s: %+v", address, d)
		}
	}
}

// A redirect is an answer that is no success, and is not followed.
func TestRedirect(t *testing.T) {
	onBoth(t, func(r *room) {
		x, target := newReceiver(r.t), newReceiver(r.t)
		for _, status := range []int{301, 302, 303, 307, 308} {
			x.answers(func(w http.ResponseWriter, req *http.Request) { http.Redirect(w, req, target.URL, status) })
			e := r.endpoint(x.URL + "/" + http.StatusText(status))
			r.permission(strings.ToLower(strings.ReplaceAll(http.StatusText(status), " ", "-")))
			r.step()
			d := r.only(e)
			if d.State != webhook.Pending || d.Log[0].Status != status || !strings.Contains(d.Log[0].Error, "redirects are not followed") {
				r.t.Errorf("after %d: %+v", status, d)
			}
			r.change(e, disabled)
		}
		if n := len(target.all()); n != 0 {
			r.t.Errorf("%d redirects were followed", n)
		}
	})
}

// A receiver must prove who it is.
func TestUntrustedCertificate(t *testing.T) {
	t.Parallel()
	r := newRoom(t, databases["sqlite"](t), webhook.Options{AllowPrivate: true})
	x := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was called") }))
	x.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	x.StartTLS()
	defer x.Close()
	e := r.endpoint(x.URL)
	r.permission("a")
	r.step()
	if d := r.only(e); d.State != webhook.Pending || !strings.Contains(d.LastError, "certificate") {
		t.Errorf("%+v", d.Delivery)
	}
}

// listener counts the connections to an address, each of which it closes.
func listener(t *testing.T, address string) (count *atomic.Int64, port string) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("this machine has no such address: %v", err)
	}
	t.Cleanup(func() { l.Close() })
	count = new(atomic.Int64)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			count.Add(1)
			c.Close()
		}
	}()
	_, port, err = net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return count, port
}

// nameServer answers each question for an address with the next of its answers, the last one again and again.
type nameServer struct {
	mu      sync.Mutex
	answers []string
	asked   atomic.Int64
}

func (n *nameServer) start(t *testing.T) *net.Resolver {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		for {
			question := make([]byte, 1024)
			size, from, err := c.ReadFrom(question)
			if err != nil {
				return
			}
			if _, err := c.WriteTo(n.reply(question[:size]), from); err != nil {
				return
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", c.LocalAddr().String())
	}}
}

// reply makes the answer to a DNS question: an A record, or nothing for other types.
func (n *nameServer) reply(question []byte) []byte {
	end := 12
	for question[end] != 0 { // labels, each after its length
		end += int(question[end]) + 1
	}
	end += 5
	reply := append([]byte{question[0], question[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question[12:end]...)
	if binary.BigEndian.Uint16(question[end-4:]) != 1 {
		return reply
	}
	n.asked.Add(1)
	n.mu.Lock()
	defer n.mu.Unlock()
	address := n.answers[0]
	if len(n.answers) > 1 {
		n.answers = n.answers[1:]
	}
	reply[7] = 1
	reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4) // the name asked for, A, IN, not to be remembered
	return append(reply, netip.MustParseAddr(address).AsSlice()...)
}
