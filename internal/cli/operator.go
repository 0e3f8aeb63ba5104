package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/server"
)

type apiKey struct {
	Create keyCreate `cmd:"" help:"Create an API key of an environment. Its value is printed once."`
	List   keyList   `cmd:"" help:"List API keys, revoked ones included. Values are not shown."`
	Revoke keyRevoke `cmd:"" help:"End an API key, at once and for good."`
}

// shownKey is a key as --json writes it. null stands for all permissions and all organizations.
type shownKey struct {
	ID               id.APIKey        `json:"id"`
	Environment      id.Environment   `json:"environment_id"`
	Name             string           `json:"name"`
	Hint             string           `json:"hint"`
	Permissions      []string         `json:"permissions"`
	Organization     *id.Organization `json:"organization_id"`
	OrganizationGone bool             `json:"organization_deleted"`
	CreatedAt        time.Time        `json:"created_at"`
	RevokedAt        *time.Time       `json:"revoked_at"`
	Value            string           `json:"value,omitempty"`
}

func showKey(k operator.Key, value string) shownKey {
	shown := shownKey{
		ID: k.ID, Environment: k.Environment, Name: k.Name, Hint: k.Hint, OrganizationGone: k.OrganizationGone, CreatedAt: k.CreatedAt, Value: value,
	}
	if !k.Everything {
		shown.Permissions = append([]string{}, k.Permissions...)
	}
	if k.Organization != "" {
		shown.Organization = &k.Organization
	}
	if !k.RevokedAt.IsZero() {
		shown.RevokedAt = &k.RevokedAt
	}
	return shown
}

// grants is what a key may let people hold, in words.
func grants(k operator.Key) string {
	switch {
	case k.Everything:
		return "everything"
	case len(k.Permissions) == 0:
		return "nothing"
	}
	return strings.Join(k.Permissions, ",")
}

// territory is where a key works, in words.
func territory(k operator.Key) string {
	switch {
	case k.Organization == "":
		return "all"
	case k.OrganizationGone:
		return string(k.Organization) + " (deleted)"
	}
	return string(k.Organization)
}

type keyCreate struct {
	database
	format
	Environment  string          `default:"production" help:"Name of the environment. Default: ${default}."`
	Permissions  *string         `placeholder:"SLUG,..." help:"Permissions that the key may let people hold, and no others; '' for none. Default: everything."`
	Organization id.Organization `placeholder:"ORG_ID" help:"The only organization that the key sees and changes. Default: all of the environment."`
	Name         string          `arg:"" help:"What the key is for."`
}

// Help is the long help of the command.
func (keyCreate) Help() string {
	return `Works beside a running server.

A restricted key is for those to whom you delegate: whatever way it takes, nobody comes to hold a permission through it that
is not on its list, and with an organization nothing else exists for it but what the environment shares. It can still take
away. A restriction cannot be changed; make another key and revoke this one.

Examples:
  rolecall api-key create 'billing service' --environment production
  rolecall api-key create 'Acme admin page' --permissions invoices:read,invoices:pay --organization org_01JZ0000000000000000000000
  rolecall api-key create 'auditor' --permissions ''`
}

// key is what the command line asks for.
func (c keyCreate) key(env id.Environment) operator.NewKey {
	in := operator.NewKey{Environment: env, Name: c.Name, Organization: c.Organization}
	if c.Permissions != nil {
		in.Permissions.Set = true
		if *c.Permissions != "" {
			in.Permissions.Value = strings.Split(*c.Permissions, ",")
		}
	}
	return in
}

// Run runs the command.
func (c keyCreate) Run(r *run) error {
	return server.Visit(r.ctx, c.Database, func(s server.Services) error {
		env, err := s.Rules.EnvironmentByName(r.ctx, c.Environment)
		if err != nil {
			return err
		}
		k, value, err := s.Operators.CreateKey(r.ctx, c.key(env.ID))
		if err != nil {
			return err
		}
		return c.print(r.Out, showKey(k, value), func(w io.Writer) {
			fmt.Fprintf(w, "Created %s for environment %s. Organizations: %s. May grant: %s. The key, shown only now:\n\n    %s\n\n",
				k.ID, env.Name, territory(k), grants(k), value)
		})
	})
}

type keyList struct {
	database
	format
	Environment string `help:"Only keys of the environment with this name."`
}

// Help is the long help of the command.
func (keyList) Help() string { return "Example:\n  rolecall api-key list --json" }

// Run runs the command.
func (c keyList) Run(r *run) error {
	return server.Visit(r.ctx, c.Database, func(s server.Services) error {
		names := map[id.Environment]string{}
		envs, err := s.Rules.ListEnvironments(r.ctx)
		if err != nil {
			return err
		}
		for _, e := range envs {
			names[e.ID] = e.Name
		}
		var only id.Environment
		if c.Environment != "" {
			env, err := s.Rules.EnvironmentByName(r.ctx, c.Environment)
			if err != nil {
				return err
			}
			only = env.ID
		}
		keys, err := s.Operators.ListKeys(r.ctx, only)
		if err != nil {
			return err
		}
		shown := make([]shownKey, len(keys))
		for i, k := range keys {
			shown[i] = showKey(k, "")
		}
		return c.print(r.Out, shown, func(w io.Writer) { keyTable(w, keys, names) })
	})
}

func keyTable(w io.Writer, keys []operator.Key, environments map[id.Environment]string) {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "ID\tENVIRONMENT\tNAME\tKEY\tORGANIZATIONS\tMAY GRANT\tCREATED\tREVOKED")
	for _, k := range keys {
		revoked := "-"
		if !k.RevokedAt.IsZero() {
			revoked = k.RevokedAt.Format(time.RFC3339)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, environments[k.Environment], k.Name, k.Hint,
			territory(k), grants(k), k.CreatedAt.Format(time.RFC3339), revoked)
	}
	t.Flush()
}

type keyRevoke struct {
	database
	format
	ID string `arg:"" help:"Id of the key, as 'rolecall api-key list' shows it."`
}

// Help is the long help of the command.
func (keyRevoke) Help() string {
	return "Works beside a running server, which refuses the key from then on.\n\nExample:\n  rolecall api-key revoke api_key_01JZ0000000000000000000000"
}

// Run runs the command.
func (c keyRevoke) Run(r *run) error {
	return server.Visit(r.ctx, c.Database, func(s server.Services) error {
		if err := s.Operators.RevokeKey(r.ctx, "", id.APIKey(c.ID)); err != nil {
			return err
		}
		return c.print(r.Out, map[string]string{"revoked": c.ID}, func(w io.Writer) {
			fmt.Fprintf(w, "Revoked %s.\n", c.ID)
		})
	})
}

type environment struct {
	Create environmentCreate `cmd:"" help:"Create an environment, with its member role."`
	List   environmentList   `cmd:"" help:"List environments."`
}

// shownEnvironment is an environment as --json writes it.
type shownEnvironment struct {
	ID        id.Environment `json:"id"`
	Name      string         `json:"name"`
	CreatedAt time.Time      `json:"created_at"`
}

func showEnvironment(e authz.Environment) shownEnvironment {
	return shownEnvironment{ID: e.ID, Name: e.Name, CreatedAt: e.CreatedAt}
}

type environmentCreate struct {
	database
	format
	Name string `arg:"" help:"Name of the environment, unique in the installation."`
}

// Help is the long help of the command.
func (environmentCreate) Help() string {
	return "Works beside a running server. Give the environment a key with 'rolecall api-key create'.\n\nExample:\n  rolecall environment create staging"
}

// Run runs the command.
func (c environmentCreate) Run(r *run) error {
	return server.Visit(r.ctx, c.Database, func(s server.Services) error {
		e, err := s.Rules.CreateEnvironment(r.ctx, c.Name)
		if err != nil {
			return err
		}
		return c.print(r.Out, showEnvironment(e), func(w io.Writer) { fmt.Fprintf(w, "Created environment %s (%s).\n", e.Name, e.ID) })
	})
}

type environmentList struct {
	database
	format
}

// Help is the long help of the command.
func (environmentList) Help() string { return "Example:\n  rolecall environment list" }

// Run runs the command.
func (c environmentList) Run(r *run) error {
	return server.Visit(r.ctx, c.Database, func(s server.Services) error {
		envs, err := s.Rules.ListEnvironments(r.ctx)
		if err != nil {
			return err
		}
		shown := make([]shownEnvironment, len(envs))
		for i, e := range envs {
			shown[i] = showEnvironment(e)
		}
		return c.print(r.Out, shown, func(w io.Writer) {
			t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
			fmt.Fprintln(t, "ID\tNAME\tCREATED")
			for _, e := range envs {
				fmt.Fprintf(t, "%s\t%s\t%s\n", e.ID, e.Name, e.CreatedAt.Format(time.RFC3339))
			}
			t.Flush()
		})
	})
}
