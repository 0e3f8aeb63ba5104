package cli_test

import (
	"encoding/json"
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

// Keys are made with a restriction, which the server heeds and the list shows; what is unknown is named.
func TestRestrictedKeys(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		address, first := serving(t, database)
		for _, slug := range []string{"invoices:read", "invoices:pay"} {
			call(t, address, first, "POST", "/authorization/permissions", `{"slug":"`+slug+`","name":"n"}`, nil)
		}
		var org struct{ ID string }
		call(t, address, first, "POST", "/organizations", `{"name":"Acme"}`, &org)
		create := func(args ...string) keyLine {
			return decoded[keyLine](t, succeeds(t, append([]string{"api-key", "create", "k", "--json", database}, args...)...))
		}
		all := create()
		some := create("--permissions", "invoices:read,invoices:pay", "--organization", org.ID)
		none := create("--permissions", "")
		if all.Permissions != nil || all.Organization != nil {
			t.Errorf("made %+v", all)
		}
		if strings.Join(some.Permissions, " ") != "invoices:pay invoices:read" || some.Organization == nil || *some.Organization != org.ID {
			t.Errorf("made %+v", some)
		}
		if none.Permissions == nil || len(none.Permissions) > 0 || none.Organization != nil {
			t.Errorf("made %+v", none)
		}
		const role = `{"slug":"r","name":"r"}`
		for key, want := range map[string]int{some.Value: 403, none.Value: 201} {
			if got := call(t, address, key, "POST", "/authorization/roles", role, nil); got != want {
				t.Errorf("a restricted key creates an environment role: %d, want %d", got, want)
			}
		}
		if out := succeeds(t, "api-key", "create", "k", "--permissions=", "--organization="+org.ID, database); !strings.Contains(out, "Organizations: "+org.ID+". May grant: nothing.") {
			t.Errorf("said %q", out)
		}
		listed := decoded[[]keyLine](t, succeeds(t, "api-key", "list", "--json", database))
		if len(listed) != 5 || len(listed[2].Permissions) != 2 || listed[2].OrganizationDeleted {
			t.Errorf("listed %+v", listed)
		}
		call(t, address, first, "DELETE", "/organizations/"+org.ID, "", nil)
		if got := status(t, address, some.Value); got != 401 {
			t.Errorf("the key of a deleted organization: %d", got)
		}
		table := succeeds(t, "api-key", "list", database)
		for _, text := range []string{"everything", "nothing", "invoices:pay,invoices:read", org.ID + " (deleted)", "MAY GRANT"} {
			if !strings.Contains(table, text) {
				t.Errorf("the table lacks %q:\n%s", text, table)
			}
		}
		fails(t, 1, "'invoices:burn'", "api-key", "create", "k", "--permissions=invoices:read,invoices:burn", database)
		fails(t, 1, org.ID, "api-key", "create", "k", "--organization="+org.ID, database)
	})
}

// call sends a request and reads its answer into a value, unless it is nil.
func call(t *testing.T, address, key, method, path, body string, into any) int {
	t.Helper()
	req, err := http.NewRequest(method, address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if into != nil {
		if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
			t.Fatal(err)
		}
	}
	return resp.StatusCode
}

// A database that a server holds can be migrated by that server alone.
func TestMigrateBesideAServer(t *testing.T) {
	t.Parallel()
	database := sqliteDatabase(t)
	serving(t, database)
	fails(t, 1, "in use by another rolecall server", "migrate", database)
}
