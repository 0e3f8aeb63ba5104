// Package cli is the door for people at a terminal: the commands of the binary. Output is for people unless --json is
// given; secrets are shown once, on standard output, and never logged.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/server"
	"github.com/rolecall/rolecall/internal/store"
	"github.com/rolecall/rolecall/internal/webhook"
)

// Version is the release that this binary is.
const Version = "0.1.0"

// Streams are where a command writes.
type Streams struct{ Out, Err io.Writer }

// commands is the command line.
type commands struct {
	Serve       serve       `cmd:"" help:"Run the server."`
	Migrate     migrate     `cmd:"" help:"Bring the database to the schema of this release, with the server stopped."`
	APIKey      apiKey      `cmd:"" name:"api-key" help:"Create, list and revoke API keys."`
	Environment environment `cmd:"" help:"Create and list environments."`
	Operator    people      `cmd:"" help:"Invite, list and remove the people of the dashboard."`
	Version     version     `cmd:"" help:"Say which release this is."`
}

// run is what a command gets.
type run struct {
	ctx context.Context
	Streams
}

// Main runs the command that args name and returns the exit code: 0 when it succeeded, 1 when it failed, 2 when it was
// not understood. A context that ends stops a server in good order.
func Main(ctx context.Context, args []string, s Streams) int {
	exit := -1
	parser, err := kong.New(&commands{}, kong.Name("rolecall"),
		kong.Description("Roles for multi-tenant applications: environment roles shared by every organization, custom roles of one organization, and the answer to \"may this member do that?\"."),
		kong.Writers(s.Out, s.Err), kong.Exit(func(code int) { exit = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.Vars{"database": defaultDatabase()},
		kong.ShortUsageOnError())
	if err != nil {
		fmt.Fprintln(s.Err, "rolecall:", err)
		return 1
	}
	parsed, err := parser.Parse(args)
	if exit >= 0 { // --help
		return exit
	}
	if err != nil {
		fmt.Fprintln(s.Err, "rolecall:", err)
		fmt.Fprintf(s.Err, "Try '%s --help'.\n", command(err))
		return 2
	}
	if err := parsed.Run(&run{ctx: ctx, Streams: s}); err != nil {
		fmt.Fprintln(s.Err, "rolecall:", reason(err))
		return 1
	}
	return 0
}

// command names the command whose help answers a usage error.
func command(err error) string {
	var usage *kong.ParseError
	if errors.As(err, &usage) && usage.Context.Selected() != nil {
		return "rolecall " + strings.TrimPrefix(usage.Context.Selected().FullPath(), "rolecall ")
	}
	return "rolecall"
}

// reason is an error in words for people: a bare refusal without its code.
func reason(err error) string {
	f, bare := err.(*fault.Error)
	switch {
	case !bare:
		return err.Error()
	case errors.Unwrap(f) != nil:
		return f.Message + " (" + errors.Unwrap(f).Error() + ")"
	}
	return f.Message
}

// defaultDatabase is a file in the user's data directory, or in the working directory where there is none.
func defaultDatabase() string {
	dir := os.Getenv("XDG_DATA_HOME")
	if home, err := os.UserHomeDir(); dir == "" && err == nil {
		switch runtime.GOOS {
		case "darwin":
			dir = filepath.Join(home, "Library", "Application Support")
		case "windows":
			dir = os.Getenv("LocalAppData")
		default:
			dir = filepath.Join(home, ".local", "share")
		}
	}
	return "sqlite:" + filepath.Join(dir, "rolecall", "rolecall.db")
}

// database is the flag that names the database.
type database struct {
	Database string `env:"ROLECALL_DATABASE" default:"${database}" placeholder:"URL" help:"sqlite:PATH, or a postgres:// URL. Default: ${default}."`
}

// format is the flag that asks for output for programs.
type format struct {
	JSON bool `name:"json" help:"Write JSON, for programs."`
}

// print writes a result as JSON or, for people, with text.
func (f format) print(w io.Writer, v any, text func(io.Writer)) error {
	if !f.JSON {
		text(w)
		return nil
	}
	if err := json.NewEncoder(w).Encode(v); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

type serve struct {
	database
	format
	Listen              string         `env:"ROLECALL_LISTEN" default:"127.0.0.1:8080" placeholder:"ADDRESS" help:"Host and port to listen on; port 0 takes a free one and prints it. Default: ${default}."`
	MetricsListen       string         `env:"ROLECALL_METRICS_LISTEN" placeholder:"ADDRESS" help:"Host and port for operators: /metrics for Prometheus, /healthz and /readyz. Whoever reaches it may read it, so keep it off public networks. Default: off."`
	Traces              string         `env:"ROLECALL_TRACES" placeholder:"URL" help:"OpenTelemetry collector to send traces to, over OTLP/HTTP, such as http://127.0.0.1:4318. The standard variables such as OTEL_EXPORTER_OTLP_ENDPOINT do the same. Default: off."`
	APIKey              string         `env:"ROLECALL_API_KEY" name:"api-key" hidden:"" help:"The first environment's key, on the first start only. Prefer the environment variable: a flag is visible to other users of the machine."`
	WebhookAllowPrivate bool           `env:"ROLECALL_WEBHOOK_ALLOW_PRIVATE" help:"Let webhook endpoints be on loopback, private and link-local addresses and take plain http. Whoever has an API key can then make this server call them."`
	TrustedProxies      []netip.Prefix `env:"ROLECALL_TRUSTED_PROXIES" placeholder:"CIDR,..." help:"Addresses of proxies in front of this server, whose X-Forwarded-For says where a sign-in comes from. Without it everybody behind a proxy shares one limit of attempts."`
	Lease               time.Duration  `env:"ROLECALL_LEASE" default:"2s" placeholder:"TIME" help:"On PostgreSQL: how long changes wait at most for a replica that stopped or cannot be reached, 200ms to 1m. Default: ${default}."`
	Demo                bool           `help:"Fill an empty database with a small demo world and print requests to try."`
}

// Help is the long help of the command.
func (serve) Help() string {
	return `On the first start an environment named "production" is created and its API key printed, once. Set ROLECALL_API_KEY to choose the key instead. Until the dashboard has an owner, every start prints the link by which the first one comes in.

Examples:
  rolecall serve
  rolecall serve --metrics-listen 127.0.0.1:9090
  rolecall serve --listen 127.0.0.1:0 --database sqlite:/var/lib/rolecall/rolecall.db
  ROLECALL_DATABASE=postgres://rolecall:secret@db.internal/rolecall rolecall serve --listen :8080`
}

// Validate refuses what no server should start with.
func (c serve) Validate() error {
	if c.Lease < store.ShortestLease || c.Lease > store.LongestLease {
		return fmt.Errorf("--lease must be between %v and %v", store.ShortestLease, store.LongestLease)
	}
	return nil
}

// Run runs the command.
func (c serve) Run(r *run) error {
	return server.Run(r.ctx, server.Config{
		Listen: c.Listen, Metrics: c.MetricsListen, Traces: c.Traces, Database: c.Database, APIKey: c.APIKey, Demo: c.Demo, JSON: c.JSON,
		Webhooks: webhook.Options{AllowPrivate: c.WebhookAllowPrivate}, Proxies: c.TrustedProxies, Lease: c.Lease, Version: Version, Out: r.Out, Err: r.Err,
	})
}

type migrate struct {
	database
	format
}

// Help is the long help of the command.
func (migrate) Help() string {
	return `A server migrates its database by itself when it starts; this command is for doing it beforehand. Make a backup first: there is no way back.

Example:
  rolecall migrate --database sqlite:/var/lib/rolecall/rolecall.db`
}

// Run runs the command.
func (c migrate) Run(r *run) error {
	version, err := server.Migrate(r.ctx, c.Database)
	if err != nil {
		return err
	}
	return c.print(r.Out, map[string]int64{"schema": version}, func(w io.Writer) {
		fmt.Fprintf(w, "The database has schema %d, which is what this release needs.\n", version)
	})
}

type version struct{ format }

// Help is the long help of the command.
func (version) Help() string { return "Example:\n  rolecall version --json" }

// Run runs the command.
func (c version) Run(r *run) error {
	return c.print(r.Out, map[string]string{"version": Version, "go": runtime.Version()}, func(w io.Writer) {
		fmt.Fprintf(w, "rolecall %s (%s, %s/%s)\n", Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	})
}
