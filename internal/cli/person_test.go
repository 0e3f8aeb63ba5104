package cli_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/server"
)

type linkLine struct {
	ID, URL   string
	Email     *string
	Role      string
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

type personLine struct {
	ID, Email, Name, Role string
	CreatedAt             time.Time `json:"created_at"`
	SeenAt                time.Time `json:"last_seen_at"`
}

// accept does what the dashboard does with a link.
func accept(t *testing.T, database, link string, in operator.NewPerson) {
	t.Helper()
	_, token, _ := strings.Cut(link, "?token=")
	err := server.Visit(t.Context(), strings.TrimPrefix(database, "--database="), func(s server.Services) error {
		_, _, err := s.Operators.Accept(t.Context(), token, in)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// People are invited, listed, given another password and removed beside a running server.
func TestPeopleBesideAServer(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		serving(t, database)
		if none := decoded[[]personLine](t, succeeds(t, "operator", "list", "--json", database)); none == nil || len(none) != 0 {
			t.Errorf("listed %+v", none)
		}
		made := decoded[linkLine](t, succeeds(t, "operator", "invite", "--role=owner", "--json", "--url=https://roles.acme.example/", database))
		if !strings.HasPrefix(made.URL, "https://roles.acme.example/dashboard/invitation?token=") || made.Email != nil || made.Role != "owner" {
			t.Errorf("made %+v", made)
		}
		accept(t, database, made.URL, operator.NewPerson{Name: "Ada", Email: "ada@acme.example", Password: "correct horse battery"})
		bound := decoded[linkLine](t, succeeds(t, "operator", "invite", "--email=Bob@acme.example", "--json", database))
		if bound.Email == nil || *bound.Email != "bob@acme.example" || bound.Role != "viewer" || !strings.HasPrefix(bound.URL, "http://localhost:8080/dashboard/invitation?token=") {
			t.Errorf("made %+v", bound)
		}
		accept(t, database, bound.URL, operator.NewPerson{Name: "Bob", Password: "correct horse battery"})

		out := succeeds(t, "operator", "invite", "--role", "editor", database)
		if !strings.Contains(out, "    http://localhost:8080/dashboard/invitation?token=") || !strings.Contains(out, "shown only now") {
			t.Errorf("said %q", out)
		}
		all := decoded[[]personLine](t, succeeds(t, "operator", "list", "--json", database))
		if len(all) != 2 || all[0].Email != "ada@acme.example" || all[0].Role != "owner" || all[1].Name != "Bob" || all[1].Role != "viewer" {
			t.Errorf("listed %+v", all)
		}
		table := succeeds(t, "operator", "list", database)
		for _, text := range []string{"ada@acme.example", "Bob", "viewer", all[1].ID} {
			if !strings.Contains(table, text) {
				t.Errorf("the table lacks %q:\n%s", text, table)
			}
		}
		reset := decoded[linkLine](t, succeeds(t, "operator", "reset-password", "BOB@acme.example", "--json", database))
		accept(t, database, reset.URL, operator.NewPerson{Password: "another battery"})
		if out := succeeds(t, "operator", "reset-password", all[0].ID, database); !strings.Contains(out, "ada@acme.example") {
			t.Errorf("said %q", out)
		}

		if out := succeeds(t, "operator", "remove", "bob@acme.example", database); !strings.Contains(out, all[1].ID) {
			t.Errorf("said %q", out)
		}
		fails(t, 1, "not found", "operator", "remove", "bob@acme.example", database)
		fails(t, 1, "not found", "operator", "remove", "nonsense", database)
		fails(t, 1, "not found", "operator", "reset-password", all[1].ID, database)
		fails(t, 1, "last owner", "operator", "remove", all[0].ID, database)
		fails(t, 1, "there already", "operator", "invite", "--email=ada@acme.example", database)
		fails(t, 1, "email must be", "operator", "invite", "--email=ada", database)
		other := decoded[linkLine](t, succeeds(t, "operator", "invite", "--role=owner", "--json", database))
		accept(t, database, other.URL, operator.NewPerson{Name: "Eve", Email: "eve@acme.example", Password: "correct horse battery"})
		if out := succeeds(t, "operator", "remove", "--json", "ada@acme.example", database); !strings.Contains(out, `"removed":"`+all[0].ID+`"`) {
			t.Errorf("said %q", out)
		}
	})
}

// What cannot be understood is refused before anything is opened.
func TestPeopleUsage(t *testing.T) {
	t.Parallel()
	for says, args := range map[string][]string{
		"--role":   {"operator", "invite", "--role=admin"},
		"--url":    {"operator", "invite", "--url=roles.acme.example"},
		"as http":  {"operator", "reset-password", "ada@acme.example", "--url=ftp://x"},
		"<person>": {"operator", "remove"},
	} {
		r := command(t, append(args, sqliteDatabase(t))...)
		if r.code != 2 || !strings.Contains(r.err, says) {
			t.Errorf("%q: exit %d\n%s%s", args, r.code, r.out, r.err)
		}
	}
}
