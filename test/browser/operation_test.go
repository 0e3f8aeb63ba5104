package browser_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/rolecall/rolecall/internal/testneed"
)

// TestMultipleRoles are switched on and off again, each time with who is
// concerned.
func TestMultipleRoles(t *testing.T) {
	t.Parallel()
	r := start(t)
	p := r.owner(t)
	r.permissions(t, "invoices:read", "reports:read")
	r.role(t, "", "clerk", "Clerk", "invoices:read")
	r.role(t, "", "analyst", "Analyst", "reports:read")
	r.call(t, "PUT", "/authorization/role_priority", map[string]any{"role_slugs": []string{"analyst", "clerk", "member"}})
	acme := r.organization(t, "Acme")
	ada := r.membership(t, acme, r.user(t, "ada@acme.example"), "clerk")

	p.visit(r.inside("/settings"))
	p.click("link", "Switch on")
	dialog := p.within("dialog", "Switch multiple roles on")
	dialog.see("Nobody would gain or lose anything.")
	dialog.click("button", "Switch on")
	p.see("Multiple roles are on. The roles of a member add up from now on.")

	r.call(t, "PUT", "/user_management/organization_memberships/"+ada, map[string]any{"role_slugs": []string{"clerk", "analyst"}})
	r.may(t, ada, "invoices:read", true)
	p.visit(r.inside("/settings"))
	p.click("link", "Switch off")
	dialog = p.within("dialog", "Switch multiple roles off")
	dialog.see("1 member in 1 organization would change: 0 gain, 1 lose permissions.")
	dialog.within("row", "ada@acme.example").order("Acme", "analyst, clerk", "analyst")
	p.look("dialog multiple roles off")
	dialog.click("button", "Switch off")
	p.see("Multiple roles are off. Each member has one role from now on.")
	p.see("All is done.")
	r.may(t, ada, "invoices:read", false)
	r.may(t, ada, "reports:read", true)
}

// TestMatrix is searched, ticked, reviewed with its numbers, and applied.
func TestMatrix(t *testing.T) {
	t.Parallel()
	r := start(t)
	p := r.owner(t)
	r.permissions(t, "invoices:read", "invoices:pay", "reports:read")
	r.role(t, "", "clerk", "Clerk", "invoices:read")
	r.membership(t, r.organization(t, "Acme"), r.user(t, "ada@acme.example"), "clerk")
	p.visit(r.inside("/matrix"))
	p.fill("Find permissions", "invoices")
	p.click("button", "Search")
	p.see("invoices:pay")
	p.notSee("reports:read")
	p.click("checkbox", "invoices:pay Clerk clerk")
	p.click("checkbox", "invoices:read Clerk clerk")
	p.click("checkbox", "invoices:read Member member")
	p.click("button", "Review changes")
	p.see("3 changes of 2 roles")
	p.see("1 member in 1 organization")
	p.look("matrix review with numbers")
	if got := r.permissionsOf(t, "clerk"); len(got) != 1 || got[0] != "invoices:read" {
		t.Errorf("nothing may be saved yet, got %v", got)
	}
	p.click("button", "Apply to 2 roles")
	p.has("button", "Undo")
	if got := r.permissionsOf(t, "clerk"); len(got) != 1 || got[0] != "invoices:pay" {
		t.Errorf("what was ticked must be saved, got %v", got)
	}
	if got := r.permissionsOf(t, "member"); len(got) != 1 || got[0] != "invoices:read" {
		t.Errorf("what was ticked must be saved, got %v", got)
	}
	p.click("button", "Undo")
	p.is("checkbox", "invoices:read Clerk clerk", "checked", "true")
	p.is("checkbox", "invoices:pay Clerk clerk", "checked", "false")
}

// TestWebhook is made on the screen and told of what happens from then on.
func TestWebhook(t *testing.T) {
	t.Parallel()
	r := start(t)
	p := r.owner(t)
	told := make(chan string, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		var event struct {
			Event string `json:"event"`
		}
		if err := json.NewDecoder(req.Body).Decode(&event); err != nil {
			event.Event = err.Error()
		}
		told <- event.Event
	}))
	t.Cleanup(receiver.Close)
	p.visit(r.inside("/webhooks"))
	p.click("link", "Create the first webhook")
	dialog := p.within("dialog", "Create webhook")
	dialog.fill("URL", receiver.URL+"/hook")
	dialog.click("button", "Create webhook")
	p.see("The webhook gets what happens from now on.")
	r.role(t, "", "clerk", "Clerk")
	select {
	case got := <-told:
		if got != "role.created" {
			t.Errorf("the webhook must be told of the role, got %s", got)
		}
	case <-time.After(patience):
		t.Fatal("the webhook was not called")
	}
	p.reload()
	p.see("role.created")
}

// TestKey is shown once, and what the screens show as calls works with it.
func TestKey(t *testing.T) {
	t.Parallel()
	curl, err := exec.LookPath("curl")
	if err != nil {
		testneed.Missing(t, "curl", err.Error())
	}
	r := start(t)
	p := r.owner(t)
	p.allowClipboard()
	p.visit(r.inside("/keys"))
	p.click("link", "Create API key")
	dialog := p.within("dialog", "Create API key")
	dialog.fill("Name", "billing service")
	dialog.click("button", "Create API key")
	p.see("Copy it now: this is the only time that it is shown.")
	p.look("key shown once")
	p.click("button", "Copy the API key")
	p.see("Copied")
	key := p.clipboard()
	if !strings.HasPrefix(key, "sk_") {
		t.Fatalf("the key must be copied, got %d characters", len(key))
	}
	p.reload()
	p.see("billing service")
	p.notSee(key)

	p.visit(r.inside("/roles"))
	p.click("DisclosureTriangle", "The same by API")
	p.click("button", "Copy as curl: List the environment roles")
	line := p.clipboard()
	if strings.Contains(line, key) || strings.Contains(line, r.key) {
		t.Error("no key may be in what is shown")
	}
	run := exec.CommandContext(t.Context(), "sh", "-c", line+" -sS --fail-with-body")
	run.Env = append(os.Environ(), "ROLECALL_API_KEY="+key)
	out, err := run.CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"slug":"member"`) {
		t.Errorf("%s with %s: %v\n%s", line, curl, err, out)
	}

	p.visit(r.inside("/keys"))
	p.click("link", "Revoke billing service "+key[:3]+"..."+key[len(key)-4:])
	p.within("dialog", "Revoke").click("button", "Revoke API key")
	p.see("API key billing service is revoked.")
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", strings.ReplaceAll(line, "$ROLECALL_API_KEY", key)+" -sS --fail-with-body").CombinedOutput(); err == nil {
		t.Errorf("a revoked key must be refused, got %s", out)
	}
}

// allowClipboard lets the test read what was copied.
func (p *page) allowClipboard() {
	p.tb.Helper()
	me, err := chromedp.Call(p.ctx, target.GetTargetInfo, target.GetTargetInfoParams{})
	if err != nil {
		p.tb.Fatal(err)
	}
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		p.do("allow the clipboard", command(browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: name}, Setting: browser.PermissionSettingGranted,
			Origin: p.address, BrowserContextID: me.TargetInfo.BrowserContextID,
		}))
	}
}

// clipboard is what was copied last.
func (p *page) clipboard() string {
	p.tb.Helper()
	text, err := evaluate[string](p.ctx, `navigator.clipboard.readText()`)
	if err != nil {
		p.tb.Fatalf("cannot read the clipboard: %v", err)
	}
	return text
}

// TestSignOut ends a session for good, and a sign-in leads back to where one
// wanted to go.
func TestSignOut(t *testing.T) {
	t.Parallel()
	r := start(t)
	p := r.owner(t)
	before := p.session()
	p.click("button", "Olive")
	p.click("button", "Sign out")
	p.at("/dashboard/sign-in")
	if _, status := r.visitor(t, before).links(r.inside("/roles")); status != 303 {
		t.Errorf("the session must be over, got %d", status)
	}
	p.visit(r.inside("/permissions"))
	p.has("heading", "Sign in to Rolecall")
	p.fill("E-mail address", "olive@rolecall.example")
	p.fill("Password", "wrong horse battery")
	p.click("button", "Sign in")
	p.see("This e-mail address and password do not belong together.")
	p.holds("E-mail address", "olive@rolecall.example")
	p.look("sign-in refused")
	p.fill("Password", password)
	p.click("button", "Sign in")
	p.at(r.inside("/permissions"))
	if p.session() == before {
		t.Error("a sign-in must begin a new session")
	}
}
