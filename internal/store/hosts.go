package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// connectTime bounds one attempt to connect, unless the URL has a connect_timeout.
	connectTime = 5 * time.Second
	// silenceTime is after how long without a sign of life a server is given up. It is what a host that vanished without
	// a word costs the statements, and the commits, that were sent to it.
	silenceTime = 10 * time.Second
	// pingTime is how long a connection that nobody used for idleTime may take to show that it is alive. After two that do
	// not the pool makes a new one, so this is what a server that hangs costs a request that did not begin on it.
	pingTime = 2 * time.Second
	idleTime = time.Second
)

// postgresConfig reads a postgres:// URL, which may name several servers.
func postgresConfig(location string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(location)
	if err != nil {
		// What pgx says may quote the URL, and with it the password.
		return nil, errors.New("the postgres:// URL of the database cannot be read; it looks like postgres://user:password@host:5432/name, or names several hosts, separated by commas")
	}
	_, query, _ := strings.Cut(location, "?")
	parameters, err := url.ParseQuery(query)
	if err != nil {
		return nil, errors.New("the parameters in the postgres:// URL of the database cannot be read")
	}
	switch parameters.Get("target_session_attrs") {
	case "", "any", "primary", "read-write":
	default:
		return nil, errors.New("target_session_attrs of the postgres:// URL asks for a standby; Rolecall needs the server that takes writes: leave it out, or say read-write")
	}
	// A standby answers from the past, so it is never asked, whatever the URL names.
	config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTime
	}
	fatal := config.OnPgError
	config.OnPgError = func(c *pgconn.PgConn, e *pgconn.PgError) bool {
		return e.Code != readOnly && fatal(c, e) // false closes the connection: the next one finds who takes writes now
	}
	// A sequential scan makes a serializable transaction conflict with every write to the table.
	config.RuntimeParams["enable_seqscan"] = "off"
	// Where there is no index all the same, as on small tables, the price put on scans would have queries compiled.
	config.RuntimeParams["jit"] = "off"
	config.RuntimeParams["application_name"] = "rolecall"
	return config, nil
}

// readOnly is the state in which PostgreSQL refuses a write because it is, or has become, a standby.
const readOnly = "25006"

// hosts makes connections to whichever server of a database takes writes.
type hosts []*pgx.ConnConfig

// newHosts takes the servers that a configuration names apart, so that one which does not answer delays nobody who looks
// for another.
func newHosts(config *pgx.ConnConfig) hosts {
	var h hosts
	fallbacks := config.Fallbacks // of the first server too, with and without TLS
	config = config.Copy()
	config.Fallbacks = nil
	h = append(h, config)
	for _, f := range fallbacks {
		last := h[len(h)-1]
		if f.Host == last.Host && f.Port == last.Port {
			last.Fallbacks = append(last.Fallbacks, f)
			continue
		}
		next := config.Copy()
		next.Host, next.Port, next.TLSConfig, next.Fallbacks = f.Host, f.Port, f.TLSConfig, nil
		h = append(h, next)
	}
	return h
}

// Driver implements driver.Connector.
func (hosts) Driver() driver.Driver { return stdlib.GetDefaultDriver() }

// againEvery is after how long a server that refused is asked again while another has not answered yet.
const againEvery = 200 * time.Millisecond

// Connect implements driver.Connector: it asks all servers at once and takes the first that takes writes. While one does
// not answer at all the others are asked again, since one of them may be about to take over from it.
func (h hosts) Connect(ctx context.Context) (driver.Conn, error) {
	if len(h) == 1 {
		return connect(ctx, h[0])
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type answer struct {
		host int
		conn driver.Conn
		err  error
	}
	answers, asked := make(chan answer, len(h)), 0
	ask := func(host int, after time.Duration) {
		asked++
		go func() {
			select {
			case <-ctx.Done():
			case <-time.After(after):
			}
			conn, err := connect(ctx, h[host])
			answers <- answer{host, conn, err}
		}()
	}
	defer func() { // what comes too late is not needed
		go func() {
			for ; asked > 0; asked-- {
				if a := <-answers; a.err == nil {
					a.conn.Close()
				}
			}
		}()
	}()
	for host := range h {
		ask(host, 0)
	}
	problems := make([]error, len(h))
	for slices.Contains(problems, nil) {
		a := <-answers
		asked--
		if a.err == nil {
			return a.conn, nil
		}
		problems[a.host] = a.err
		ask(a.host, againEvery)
	}
	return nil, errors.Join(problems...)
}

// single is a connection outside of the pool.
func (h hosts) single(ctx context.Context) (*pgx.Conn, error) {
	conn, err := h.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return conn.(*stdlib.Conn).Conn(), nil
}

// session is what is known of a connection to PostgreSQL beside what the driver knows.
type session struct {
	server     net.Conn
	committing atomic.Bool
	warned     atomic.Bool // the server warned of something that has no code of its own
}

// sessionOf is the session of a driver's connection; nil for SQLite's.
func sessionOf(conn any) *session {
	c, ok := conn.(*stdlib.Conn)
	if !ok {
		return nil
	}
	s, _ := c.Conn().PgConn().CustomData()[sessionKey].(*session)
	return s
}

const sessionKey = "session"

// watchEvery is how often is looked whether another server has taken over while a commit waits for its outcome.
const watchEvery = 5 * time.Second

// watch breaks off a session's commit, which the request that it belongs to no longer waits for, when another server
// takes writes: the one that it was sent to hangs, and may do so for ever.
func (h hosts) watch(s *session, decided <-chan struct{}) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-decided:
			return
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(context.Background(), watchEvery)
		conn, err := h.Connect(ctx)
		cancel()
		if err != nil {
			continue
		}
		another := sessionOf(conn).server.RemoteAddr().String() != s.server.RemoteAddr().String()
		conn.Close()
		if another {
			s.server.Close()
			return
		}
	}
}

var errNoCancel = errors.New("a commit is not cancelled")

func connect(ctx context.Context, config *pgx.ConnConfig) (driver.Conn, error) {
	s := &session{}
	dialer := net.Dialer{
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silenceTime / 2, Interval: silenceTime / 10, Count: 5},
		Control:         giveUpSilence,
	}
	config = config.Copy()
	config.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		// The driver dials again to have the server cancel what it is doing. A commit that waits for a standby would go on
		// without it: everybody would see the change, and a failover would take it back.
		if s.committing.Load() {
			return nil, errNoCancel
		}
		return dialer.DialContext(ctx, network, address)
	}
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		if n.Code == "01000" {
			s.warned.Store(true)
		}
	}
	var rested bool
	look := stdlib.OptionShouldPing(func(_ context.Context, p stdlib.ShouldPingParams) bool {
		rested = p.IdleDuration > idleTime
		return false // as the driver pings there is no end to it but that of the request
	})
	again := stdlib.OptionResetSession(func(ctx context.Context, c *pgx.Conn) error {
		s.committing.Store(false) // a connection that broke stays as it was while it is cleaned up
		if !rested {
			return nil
		}
		ctx, cancel := context.WithTimeout(ctx, pingTime)
		defer cancel()
		if c.Ping(ctx) != nil {
			return driver.ErrBadConn
		}
		return nil
	})
	conn, err := stdlib.GetConnector(*config, look, again).Connect(ctx)
	if err != nil {
		return nil, err
	}
	pg := conn.(*stdlib.Conn).Conn().PgConn()
	pg.CustomData()[sessionKey], s.server = s, pg.Conn()
	return conn, nil
}
