package cli_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

type keyLine struct {
	ID, Name, Hint, Value string
	Environment           string     `json:"environment_id"`
	CreatedAt             time.Time  `json:"created_at"`
	RevokedAt             *time.Time `json:"revoked_at"`
	Permissions           []string
	Organization          *string `json:"organization_id"`
	OrganizationDeleted   bool    `json:"organization_deleted"`
}

// status asks a server something with a key.
func status(t *testing.T, address, key string) int {
	t.Helper()
	req, err := http.NewRequest("GET", address+"/authorization/roles", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// Keys and environments are made, listed and revoked beside a running server, which heeds it at once.
func TestKeysBesideAServer(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		address, first := serving(t, database)
		if got := status(t, address, first); got != 200 {
			t.Fatalf("the first key: %d", got)
		}
		made := decoded[keyLine](t, succeeds(t, "api-key", "create", "billing service", "--json", database))
		if made.Name != "billing service" || !strings.HasPrefix(made.Value, "sk_") || !strings.HasPrefix(made.ID, "api_key_") || made.RevokedAt != nil {
			t.Errorf("made %+v", made)
		}
		if got := status(t, address, made.Value); got != 200 {
			t.Errorf("the new key: %d", got)
		}
		staging := decoded[environmentLine](t, succeeds(t, "environment", "create", "staging", "--json", database))
		out := succeeds(t, "api-key", "create", "theirs", "--environment=staging", database)
		if !strings.Contains(out, "shown only now") || !strings.Contains(out, "    sk_") {
			t.Errorf("said %q", out)
		}

		all := decoded[[]keyLine](t, succeeds(t, "api-key", "list", "--json", database))
		if len(all) != 3 || all[1].ID != made.ID || all[2].Environment != staging.ID {
			t.Errorf("listed %+v", all)
		}
		if one := decoded[[]keyLine](t, succeeds(t, "api-key", "list", "--json", "--environment", "staging", database)); len(one) != 1 || one[0].Name != "theirs" {
			t.Errorf("listed %+v", one)
		}
		table := succeeds(t, "api-key", "list", database)
		for _, text := range []string{"billing service", "staging", "production", made.Hint, made.ID} {
			if !strings.Contains(table, text) {
				t.Errorf("the table lacks %q:\n%s", text, table)
			}
		}
		for _, shown := range []string{table, succeeds(t, "api-key", "list", "--json", database)} {
			if strings.Contains(shown, made.Value) || strings.Contains(shown, first) {
				t.Errorf("values are listed: %s", shown)
			}
		}

		if out := succeeds(t, "api-key", "revoke", made.ID, database); !strings.Contains(out, made.ID) {
			t.Errorf("said %q", out)
		}
		if got := status(t, address, made.Value); got != 401 {
			t.Errorf("the revoked key: %d", got)
		}
		if got := status(t, address, first); got != 200 {
			t.Errorf("the other key: %d", got)
		}
		all = decoded[[]keyLine](t, succeeds(t, "api-key", "list", "--json", database))
		if all[1].RevokedAt == nil || all[0].RevokedAt != nil {
			t.Errorf("listed %+v", all)
		}
		fails(t, 1, "There is no working API key", "api-key", "revoke", made.ID, database)
		fails(t, 1, "There is no working API key", "api-key", "revoke", "nonsense", database)
		fails(t, 1, "not found", "api-key", "create", "x", "--environment=nowhere", database)
		fails(t, 1, "not found", "api-key", "list", "--environment=nowhere", database)
		fails(t, 1, "must be", "api-key", "create", "", database)
		if out := succeeds(t, "api-key", "revoke", "--json", all[2].ID, database); !strings.Contains(out, `"revoked":"`+all[2].ID+`"`) {
			t.Errorf("said %q", out)
		}
	})
}

// A database that a server holds can be migrated by that server alone.
func TestMigrateBesideAServer(t *testing.T) {
	t.Parallel()
	database := sqliteDatabase(t)
	serving(t, database)
	fails(t, 1, "in use by another rolecall server", "migrate", database)
}
