package pgtest

import (
	"net"
	"net/url"
	"sync"
)

// A Proxy stands between a client and a PostgreSQL server, and can come between them.
type Proxy struct {
	url      string
	server   string
	listener net.Listener

	mu    sync.Mutex
	flow  chan struct{} // closed while bytes pass
	cut   bool
	conns map[net.Conn]bool
}

// NewProxy starts a proxy on loopback before the server that a postgres:// URL names.
func NewProxy(location string) (*Proxy, error) {
	u, err := url.Parse(location)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{server: u.Host, listener: l, flow: make(chan struct{}), conns: map[net.Conn]bool{}}
	close(p.flow)
	u.Host = l.Addr().String()
	p.url = u.String()
	go p.accept()
	return p, nil
}

// URL is the server as it is reached through the proxy.
func (p *Proxy) URL() string { return p.url }

// Stall lets nothing pass until Heal, and says so to nobody.
func (p *Proxy) Stall() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.flow:
		p.flow = make(chan struct{})
	default:
	}
}

// Cut ends all connections and takes no new ones until Heal.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = true
	p.closeAll()
}

// Heal lets everything pass again.
func (p *Proxy) Heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = false
	select {
	case <-p.flow:
	default:
		close(p.flow)
	}
}

// Close ends the proxy.
func (p *Proxy) Close() error {
	p.Cut()
	err := p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.flow:
	default:
		close(p.flow)
	}
	return err
}

func (p *Proxy) closeAll() {
	for c := range p.conns {
		c.Close()
	}
	clear(p.conns)
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.connect(client)
	}
}

func (p *Proxy) connect(client net.Conn) {
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		client.Close()
		return
	}
	if !p.keep(client, server) {
		return
	}
	go p.copy(server, client)
	p.copy(client, server)
}

func (p *Proxy) keep(both ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range both {
		if p.cut {
			c.Close()
		} else {
			p.conns[c] = true
		}
	}
	return !p.cut
}

// copy passes bytes on, and ends both connections with the first.
func (p *Proxy) copy(to, from net.Conn) {
	defer func() {
		to.Close()
		from.Close()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.conns, to)
		delete(p.conns, from)
	}()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			p.mu.Lock()
			flow := p.flow
			p.mu.Unlock()
			<-flow
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
