package cli

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/server"
)

// people is commands of nobody in particular, the zero Person: whoever can open the database may do everything.
type people struct {
	Invite        personInvite `cmd:"" help:"Make a link that lets somebody into the dashboard, once."`
	List          personList   `cmd:"" help:"List the people of the dashboard."`
	Remove        personRemove `cmd:"" help:"Remove somebody from the dashboard, at once."`
	ResetPassword personReset  `cmd:"" help:"Make a link that lets somebody set another password, once."`
}

// shownPerson is somebody as --json writes him.
type shownPerson struct {
	ID        id.Operator   `json:"id"`
	Email     string        `json:"email"`
	Name      string        `json:"name"`
	Role      operator.Role `json:"role"`
	CreatedAt time.Time     `json:"created_at"`
	SeenAt    time.Time     `json:"last_seen_at"`
}

func showPerson(p operator.Person) shownPerson {
	return shownPerson{ID: p.ID, Email: p.Email, Name: p.Name, Role: p.Role, CreatedAt: p.CreatedAt, SeenAt: p.SeenAt}
}

// shownInvitation is a link as --json writes it. null stands for an e-mail address that its holder chooses.
type shownInvitation struct {
	ID        id.Invitation `json:"id"`
	Email     *string       `json:"email"`
	Role      operator.Role `json:"role"`
	CreatedAt time.Time     `json:"created_at"`
	ExpiresAt time.Time     `json:"expires_at"`
	URL       string        `json:"url"`
}

// link is the flag that says where the dashboard is.
type link struct {
	URL string `name:"url" default:"http://localhost:8080" placeholder:"URL" help:"Where people reach the server. Default: ${default}."`
}

// Validate refuses what no link can be made of.
func (l link) Validate() error {
	u, err := url.Parse(l.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("--url must be as http://localhost:8080 or https://roles.example.com")
	}
	return nil
}

// show prints a link, which is shown only now.
func (l link) show(r *run, f format, i operator.Invitation, token, purpose string) error {
	shown := shownInvitation{
		ID: i.ID, Role: i.Role, CreatedAt: i.CreatedAt, ExpiresAt: i.ExpiresAt,
		URL: server.InvitationURL(strings.TrimRight(l.URL, "/"), token),
	}
	if i.Email != "" {
		shown.Email = &i.Email
	}
	return f.print(r.Out, shown, func(w io.Writer) {
		fmt.Fprintf(w, "%s. The link works once, until %s, and is shown only now:\n\n    %s\n\n", purpose, i.ExpiresAt.Format(time.RFC3339), shown.URL)
	})
}

type personInvite struct {
	database
	format
	link
	Email string        `placeholder:"EMAIL" help:"The only e-mail address that the link is for. Default: whoever has the link chooses it."`
	Role  operator.Role `enum:"viewer,editor,owner" default:"viewer" placeholder:"ROLE" help:"What the person may do: viewer sees everything, editor changes it, owner also decides about people. Default: ${default}."`
}

// Help is the long help of the command.
func (personInvite) Help() string {
	return `Works beside a running server. Nothing is sent: give the link to the person yourself. It works for seven days.

Examples:
  rolecall operator invite --role owner
  rolecall operator invite --email ada@acme.example --role editor --url https://roles.acme.example`
}

// Run runs the command.
func (c personInvite) Run(r *run) error {
	return server.Visit(r.ctx, c.Database, func(s server.Services) error {
		i, token, err := s.Operators.Invite(r.ctx, operator.Person{}, operator.NewInvitation{Email: c.Email, Role: c.Role})
		if err != nil {
			return err
		}
		return c.show(r, c.format, i, token, fmt.Sprintf("Invited somebody as %s", i.Role))
	})
}

type personReset struct {
	database
	format
	link
	Person string `arg:"" help:"E-mail address or id of the person, as 'rolecall operator list' shows them."`
}

// Help is the long help of the command.
func (personReset) Help() string {
	return `Works beside a running server. Nothing is sent: give the link to the person yourself. It works for 24 hours; until it is
used, the old password and the sessions last.

Example:
  rolecall operator reset-password ada@acme.example`
}

// Run runs the command.
func (c personReset) Run(r *run) error {
	return server.Visit(r.ctx, c.Database, func(s server.Services) error {
		p, err := s.Operators.FindPerson(r.ctx, c.Person)
		if err != nil {
			return err
		}
		i, token, err := s.Operators.ResetPassword(r.ctx, operator.Person{}, p.ID)
		if err != nil {
			return err
		}
		return c.show(r, c.format, i, token, fmt.Sprintf("%s may set another password", p.Email))
	})
}

type personList struct {
	database
	format
}

// Help is the long help of the command.
func (personList) Help() string { return "Example:\n  rolecall operator list --json" }

// Run runs the command.
func (c personList) Run(r *run) error {
	return server.Visit(r.ctx, c.Database, func(s server.Services) error {
		people, err := s.Operators.ListPeople(r.ctx)
		if err != nil {
			return err
		}
		shown := make([]shownPerson, len(people))
		for i, p := range people {
			shown[i] = showPerson(p)
		}
		return c.print(r.Out, shown, func(w io.Writer) {
			t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
			fmt.Fprintln(t, "ID\tE-MAIL\tNAME\tROLE\tCREATED\tLAST SEEN")
			for _, p := range people {
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", p.ID, p.Email, p.Name, p.Role, p.CreatedAt.Format(time.RFC3339), p.SeenAt.Format(time.RFC3339))
			}
			t.Flush()
		})
	})
}

type personRemove struct {
	database
	format
	Person string `arg:"" help:"E-mail address or id of the person, as 'rolecall operator list' shows them."`
}

// Help is the long help of the command.
func (personRemove) Help() string {
	return "Works beside a running server, which refuses the person from then on. The last owner stays.\n\nExample:\n  rolecall operator remove ada@acme.example"
}

// Run runs the command.
func (c personRemove) Run(r *run) error {
	return server.Visit(r.ctx, c.Database, func(s server.Services) error {
		p, err := s.Operators.FindPerson(r.ctx, c.Person)
		if err != nil {
			return err
		}
		if err := s.Operators.RemovePerson(r.ctx, operator.Person{}, p.ID); err != nil {
			return err
		}
		return c.print(r.Out, map[string]string{"removed": string(p.ID)}, func(w io.Writer) { fmt.Fprintf(w, "Removed %s (%s).\n", p.Email, p.ID) })
	})
}
