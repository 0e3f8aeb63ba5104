package browser_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/server"
	"github.com/rolecall/rolecall/internal/webhook"
)

// startTime is far more than a start needs on a slow machine.
const startTime = 30 * time.Second

// A rolecall is a running server with a database for itself.
type rolecall struct {
	address     string
	key         string // of the first environment
	invitation  string // the address that makes whoever visits it first the owner
	environment string // id of the first, known as soon as somebody is signed in
	log         *record
}

// start runs a server until the test ends, and then requires of it that it ends
// in good order, that nothing went wrong inside of it, and that no secret is in
// its log. It runs in this process: a program of its own would have to be built
// first.
func start(t *testing.T) *rolecall {
	t.Helper()
	if testing.Short() {
		t.Skip("it needs a browser")
	}
	out, in := io.Pipe()
	r := &rolecall{log: new(record)}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		err := server.Run(ctx, server.Config{
			Listen:   "127.0.0.1:0",
			Database: "sqlite:" + filepath.Join(t.TempDir(), "rolecall.db"),
			JSON:     true,
			Version:  "test",
			Webhooks: webhook.Options{AllowPrivate: true},
			Out:      in,
			Err:      r.log,
		})
		in.CloseWithError(errors.Join(errors.New("the server ended"), err))
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		r.stopped(t, <-ended)
	})
	defer time.AfterFunc(startTime, cancel).Stop()
	line, err := bufio.NewReader(out).ReadBytes('\n')
	var news struct {
		Address   string `json:"address"`
		APIKey    string `json:"api_key"`
		Dashboard string `json:"dashboard"`
	}
	if err == nil {
		err = json.Unmarshal(line, &news)
	}
	if err != nil || news.Address == "" || news.APIKey == "" {
		t.Fatalf("the server announced itself with %q: %v\n%s", line, err, r.log)
	}
	go io.Copy(io.Discard, out) // whatever it still has to tell
	r.address, r.key, r.invitation = news.Address, news.APIKey, news.Dashboard
	return r
}

func (r *rolecall) stopped(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("the server ended with %v", err)
	}
	text := r.log.String()
	for line := range strings.Lines(text) {
		if strings.Contains(line, `"level":"ERROR"`) {
			t.Errorf("the server logged an error: %s", line)
		}
	}
	if strings.Contains(text, r.key) {
		t.Error("the API key is in the server's log")
	}
	if u, err := url.Parse(r.invitation); err == nil && u.Query().Get("token") != "" && strings.Contains(text, u.Query().Get("token")) {
		t.Error("the owner's invitation is in the server's log")
	}
}

// call sends a request with the API key and returns what was answered. It is for
// making a world that a page then shows, so a refusal ends the test.
func (r *rolecall) call(t *testing.T, method, path string, body any) map[string]any {
	t.Helper()
	answer, err := r.ask(t.Context(), method, path, body)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// ask is call for where a test cannot be ended.
func (r *rolecall) ask(ctx context.Context, method, path string, body any) (answer map[string]any, err error) {
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		sent = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, r.address+path, sent)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+r.key)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 400 {
		return nil, fmt.Errorf("%s %s: %s %s %v", method, path, res.Status, text, err)
	}
	if len(text) > 0 {
		if err := json.Unmarshal(text, &answer); err != nil {
			return nil, fmt.Errorf("%s %s: %q: %w", method, path, text, err)
		}
	}
	return answer, nil
}

// create posts to the path and returns the id of what was made.
func (r *rolecall) create(t *testing.T, path string, body map[string]any) string {
	t.Helper()
	made, ok := r.call(t, "POST", path, body)["id"].(string)
	if !ok {
		t.Fatalf("POST %s answered without an id", path)
	}
	return made
}

func (r *rolecall) organization(t *testing.T, name string) (id string) {
	t.Helper()
	return r.create(t, "/organizations", map[string]any{"name": name})
}

func (r *rolecall) user(t *testing.T, email string) (id string) {
	t.Helper()
	return r.create(t, "/user_management/users", map[string]any{"email": email})
}

// membership puts a user into an organization, with its default role if none is
// named.
func (r *rolecall) membership(t *testing.T, organization, user string, roles ...string) (id string) {
	t.Helper()
	body := map[string]any{"organization_id": organization, "user_id": user}
	if len(roles) > 0 {
		body["role_slugs"] = roles
	}
	return r.create(t, "/user_management/organization_memberships", body)
}

// permissions makes permissions whose names are their slugs.
func (r *rolecall) permissions(t *testing.T, slugs ...string) {
	t.Helper()
	for _, slug := range slugs {
		r.create(t, "/authorization/permissions", map[string]any{"slug": slug, "name": slug})
	}
}

// role makes a role of the environment or, with the id of one, of an
// organization.
func (r *rolecall) role(t *testing.T, organization, slug, name string, permissions ...string) {
	t.Helper()
	path := "/authorization/roles"
	if organization != "" {
		path = "/authorization/organizations/" + organization + "/roles"
	}
	r.create(t, path, map[string]any{"slug": slug, "name": name})
	if len(permissions) > 0 {
		r.call(t, "PUT", path+"/"+slug+"/permissions", map[string]any{"permissions": permissions})
	}
}

// A record keeps what a server writes. It may be read at the same time.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(b)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// TestWorld: the server that pages are to show, and what fills it.
func TestWorld(t *testing.T) {
	t.Parallel()
	r := start(t)
	acme := r.organization(t, "Acme")
	r.permissions(t, "invoices:read", "invoices:write")
	r.role(t, "", "billing", "Billing", "invoices:read")
	r.role(t, acme, "org-clerk", "Clerk", "invoices:read", "invoices:write")
	membership := r.membership(t, acme, r.user(t, "ada@acme.example"), "org-clerk")
	check := r.call(t, "POST", "/authorization/organization_memberships/"+membership+"/check", map[string]any{
		"permission_slug": "invoices:write", "resource_external_id": acme, "resource_type_slug": "organization",
	})
	if check["authorized"] != true {
		t.Errorf("the clerk may write invoices, got %v", check)
	}
	p := newPage(t, r.address)
	p.visit("/health")
}
