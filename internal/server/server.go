// Package server is the roof: it takes the configuration, wires the rooms together, and starts and stops them.
package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/rolecall/rolecall/internal/api"
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/dashboard"
	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/web"
	"github.com/rolecall/rolecall/internal/webhook"
)

// Config is what a server needs to know.
type Config struct {
	Listen   string // host:port; port 0 takes a free one
	Metrics  string // host:port for operators, with metrics; empty for none
	Traces   string // URL of an OpenTelemetry collector; when empty, what the standard variables say
	Database string // sqlite:PATH or a postgres:// URL
	APIKey   string // optional: the first environment's key, used on the first start only
	Demo     bool   // fill an empty database with a demo world
	JSON     bool   // announce as JSON
	Version  string
	Webhooks webhook.Options
	Lease    time.Duration  // how long writers wait for this process on PostgreSQL; store.DefaultLease where it is zero
	Proxies  []netip.Prefix // in front of the server, whose word on where a request comes from counts
	Out      io.Writer      // announcements, among them secrets that are shown once
	Err      io.Writer      // logs
}

// FirstEnvironment is the name of the environment that the first start creates.
const FirstEnvironment = "production"

// drainTime is how long requests under way may go on after the order to stop.
const drainTime = 20 * time.Second

// Services is the rules of the rooms, over one database.
type Services struct {
	Rules     *authz.Service
	Decisions *decision.Service
	Operators *operator.Service
	Hooks     *webhook.Service
}

func services(db *store.Store, loads decision.Loader, o webhook.Options) (Services, *id.Source) {
	ids := id.NewSource(time.Now, nil)
	rules := authz.New(db, time.Now, ids)
	return Services{
		Rules: rules, Decisions: decision.New(rules, loads, db.Fresh(), time.Now, decision.Options{}), Operators: operator.New(db, db.Fresh(), time.Now, ids), Hooks: webhook.New(db, rules, time.Now, ids, o),
	}, ids
}

// Visit opens a database for a short command, also beside a running server, and closes it again.
func Visit(ctx context.Context, database string, do func(Services) error) error {
	db, err := store.Open(ctx, database, store.Visit)
	if err != nil {
		return err
	}
	s, _ := services(db, db, webhook.Options{})
	err = do(s)
	if closing := db.Close(); err == nil { // an error of do goes up as it is
		err = closing
	}
	return err
}

// Migrate brings a database to the schema of this release and returns its version.
func Migrate(ctx context.Context, database string) (int64, error) {
	db, err := store.Open(ctx, database, store.Serve)
	if err != nil {
		return 0, err
	}
	version, err := db.SchemaVersion(ctx)
	return version, errors.Join(err, db.Close())
}

// Run serves until the context ends, then lets requests under way finish and returns nil.
func Run(ctx context.Context, c Config) error {
	if err := c.twoAddresses(); err != nil {
		return err
	}
	defer floorHeap(os.Getenv)()
	log, flush := logger(c.Err)
	defer flush()
	db, err := store.Open(ctx, c.Database, store.Serve)
	if err != nil {
		return err
	}
	err = serve(ctx, c, db, log)
	return errors.Join(err, db.Close())
}

func serve(ctx context.Context, c Config, db *store.Store, log *slog.Logger) error {
	out, err := look(ctx, c, db, log)
	if err != nil {
		return err
	}
	defer out.end() // last, so that the end of everything else is seen
	s, ids := services(db, out.loader(db), c.Webhooks)
	router, err := doors(c, s, db, log)
	if err != nil {
		return err
	}
	// Before anything is created: a first start that cannot listen must not make a key that nobody gets to see.
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	news, err := c.begin(ctx, s, address(listener))
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	news.Metrics = out.address()
	hs := bounded(web.Wrap(router, log, ids, out.observers()...), log)
	worker := webhook.NewWorker(s.Hooks, log)
	out.follow(s, worker)
	db.Introduce(store.Replica{Lease: c.Lease, Address: news.Address, Version: c.Version})
	defer inBackground(ctx, // beside requests that are let finish
		db.KeepTerms,
		func(ctx context.Context) { s.sweep(ctx, log) },
		func(ctx context.Context) { work(ctx, s.Rules, string(id.New[id.Request](ids)), log) },
		worker.Run,
	)()
	served := make(chan error, 2)
	go func() { served <- hs.Serve(listener) }()
	out.serve(served)
	if err := news.announce(c); err != nil {
		return errors.Join(err, hs.Close())
	}
	select {
	case err := <-served:
		return errors.Join(fmt.Errorf("serving: %w", err), hs.Close())
	case <-ctx.Done():
	}
	log.Info("stopping")
	late, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	if err := hs.Shutdown(late); err != nil {
		log.Warn("requests were cut off", "error", err)
		hs.Close()
	}
	log.Info("stopped")
	return nil
}

// doors is everything that the public address serves.
func doors(c Config, s Services, db *store.Store, log *slog.Logger) (*web.Router, error) {
	door, err := api.New(s.Rules, s.Decisions, s.Operators, s.Hooks, c.Version)
	if err != nil {
		return nil, err
	}
	screens, err := dashboard.New(s.Rules, s.Operators, s.Hooks, dashboard.Options{Version: c.Version, Proxies: c.Proxies})
	if err != nil {
		return nil, err
	}
	router := web.NewRouter()
	door.Register(router)
	screens.Register(router)
	health(router, db, log)
	return router, nil
}

func health(r *web.Router, db *store.Store, log *slog.Logger) {
	api.Health(r, func(req *http.Request) error { return db.Ping(req.Context()) }, log)
}

// begin makes what a start makes, and tells of it.
func (c Config) begin(ctx context.Context, s Services, address string) (news, error) {
	n, err := firstStart(ctx, c, s)
	if err != nil {
		return news{}, err
	}
	n.Address = address
	if err := s.inviteFirst(ctx, &n); err != nil {
		return news{}, err
	}
	if c.Demo {
		err = s.demo(ctx, c, &n)
	}
	return n, err
}

// bounded is a server that a slow or greedy client cannot hold.
func bounded(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 2 * time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, DisableGeneralOptionsHandler: true,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// address is where a listener can be reached from this machine.
func address(l net.Listener) string {
	host, port, err := net.SplitHostPort(l.Addr().String())
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsUnspecified() {
		return "http://" + l.Addr().String()
	}
	return "http://" + net.JoinHostPort("localhost", port)
}

// inBackground starts tasks and returns what ends them and waits for their end.
func inBackground(ctx context.Context, tasks ...func(context.Context)) (end func()) {
	ctx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for _, task := range tasks {
		wg.Go(func() { task(ctx) })
	}
	return func() { stop(); wg.Wait() }
}

// How often is looked for work when there was none, and after an error.
const (
	workEvery  = 250 * time.Millisecond
	workPauses = 5 * time.Second
)

// work does what follows changes, in this process, whoever made them.
func work(ctx context.Context, rules *authz.Service, worker string, log *slog.Logger) {
	var told time.Time
	for ctx.Err() == nil {
		pause := workEvery
		worked, err := rules.Work(ctx, worker)
		if err != nil && ctx.Err() == nil && time.Since(told) >= workPauses { // what fails again and again is told now and then
			log.Error("working on what follows changes", "error", err)
			told = time.Now()
		}
		if worked {
			continue
		}
		if err != nil {
			pause = workPauses
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// sweepEvery is how often what is past its life is removed.
const sweepEvery = time.Hour

func (s Services) sweep(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		for _, room := range []struct {
			what  string
			sweep func(context.Context) error
		}{{"events and receipts", s.Rules.Sweep}, {"webhook deliveries", s.Hooks.Sweep}, {"sessions and invitations", s.Operators.SweepSessions}} {
			if err := room.sweep(ctx); err != nil && ctx.Err() == nil {
				log.Error("removing expired "+room.what, "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// news is what a start has to tell.
type news struct {
	Address     string   `json:"address"`
	Metrics     string   `json:"metrics,omitempty"`
	Environment string   `json:"environment,omitempty"`
	APIKey      string   `json:"api_key,omitempty"`
	Dashboard   string   `json:"dashboard,omitempty"` // where the first owner comes in
	Try         []string `json:"try,omitempty"`
	chosen      bool     // the key was given, and is not repeated
}

// firstEnvironment returns the oldest environment, which it creates when there is none. Of replicas that start together
// one is faster.
func (s Services) firstEnvironment(ctx context.Context) (authz.Environment, error) {
	for {
		envs, err := s.Rules.ListEnvironments(ctx)
		if err != nil {
			return authz.Environment{}, err
		}
		if len(envs) > 0 {
			return envs[0], nil
		}
		env, err := s.Rules.CreateEnvironment(ctx, FirstEnvironment)
		if !fault.HasCode(err, "environment_name_conflict") {
			return env, err
		}
	}
}

// firstStart gives the first environment a key when no key was ever made: on the first start, and after one that was
// cut off in between.
func firstStart(ctx context.Context, c Config, s Services) (news, error) {
	env, err := s.firstEnvironment(ctx)
	if err != nil {
		return news{}, fmt.Errorf("creating the first environment: %w", err)
	}
	keys, err := s.Operators.ListKeys(ctx, "")
	if err != nil || len(keys) > 0 {
		return news{}, err
	}
	n := news{Environment: env.Name, chosen: c.APIKey != ""}
	first := operator.NewKey{Environment: env.ID, Name: "first key"}
	if n.chosen {
		_, err = s.Operators.AdoptKey(ctx, first, c.APIKey)
	} else {
		_, n.APIKey, err = s.Operators.CreateKey(ctx, first)
	}
	if err != nil && !fault.HasCode(err, operator.CodeKeyExists) {
		return news{}, fmt.Errorf("creating the first API key: %w", err)
	}
	return n, nil
}

// InvitationPath is where the dashboard takes the token of an invitation, as "?token=".
const InvitationPath = "/dashboard/invitation"

// InvitationURL is the link that stands for an invitation, on a server that is reached at an address.
func InvitationURL(address, token string) string { return address + InvitationPath + "?token=" + token }

// inviteFirst tells where the first owner comes in, at every start until there is one.
func (s Services) inviteFirst(ctx context.Context, n *news) error {
	_, token, err := s.Operators.InviteFirst(ctx)
	if err != nil {
		return fmt.Errorf("inviting the first owner: %w", err)
	}
	if token != "" {
		n.Dashboard = InvitationURL(n.Address, token)
	}
	return nil
}

func (n news) announce(c Config) error {
	if c.JSON {
		if err := json.NewEncoder(c.Out).Encode(n); err != nil {
			return fmt.Errorf("announcing the address: %w", err)
		}
		return nil
	}
	fmt.Fprintf(c.Out, "Rolecall %s listens on %s\n", c.Version, n.Address)
	if n.Metrics != "" {
		fmt.Fprintf(c.Out, "Metrics at %s\n", n.Metrics)
	}
	if n.Environment != "" && n.chosen {
		fmt.Fprintf(c.Out, "Created environment %q with the API key from ROLECALL_API_KEY.\n", n.Environment)
	}
	if n.APIKey != "" {
		fmt.Fprintf(c.Out, "API key of environment %q, shown only now:\n\n    %s\n\n", n.Environment, n.APIKey)
	}
	if n.Dashboard != "" {
		fmt.Fprintf(c.Out, "Open the dashboard, once within 24 hours: %s\n\n", n.Dashboard)
	}
	if len(n.Try) > 0 {
		fmt.Fprintf(c.Out, "Try, in another terminal:\n\n")
		for _, line := range n.Try {
			fmt.Fprintf(c.Out, "%s\n\n", line)
		}
	}
	return nil
}
