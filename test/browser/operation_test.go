package browser_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// operating is a signed-in owner of an environment in which something happened, and an address that refuses the first
// event that it is sent.
func operating(t *testing.T) (p *page, r *rolecall, env, organization, hook string) {
	t.Helper()
	r = start(t)
	var refused atomic.Bool
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if refused.CompareAndSwap(false, true) {
			w.WriteHeader(http.StatusServiceUnavailable)
			io.WriteString(w, "<b>The queue is full</b>, and this answer is long enough to be broken into several lines wherever it is shown.")
		}
	}))
	t.Cleanup(receiver.Close)
	hook = r.create(t, "/webhook_endpoints", map[string]any{"endpoint_url": receiver.URL + "/webhooks", "events": []string{"organization.created", "organization_role.updated"}})
	organization = r.organization(t, "Acme")
	r.permissions(t, "invoices:read", "invoices:pay")
	r.role(t, "", "billing", "Billing", "invoices:read", "invoices:pay")
	r.role(t, organization, "org-clerk", "Clerk", "invoices:read")
	r.call(t, "PUT", "/authorization/settings", map[string]any{"multiple_roles": true})
	r.membership(t, organization, r.user(t, "ada@acme.example"), "org-clerk", "billing")
	r.call(t, "PUT", "/authorization/organizations/"+organization+"/roles/org-clerk/permissions", map[string]any{"permissions": []string{"invoices:pay"}})

	p = newPage(t, r.address)
	p.visit(r.invitation)
	p.fill("Name", "Ada Lovelace")
	p.fill("E-mail address", "ada@rolecall.example")
	p.fill("Password", "correct horse battery")
	p.fill("Password again", "correct horse battery")
	p.click("button", "Begin")
	p.see("Environment roles")
	env, err := evaluate[string](p.ctx, `location.pathname.split('/').slice(0, 4).join('/')`)
	if err != nil {
		t.Fatal(err)
	}
	return p, r, env, organization, hook
}

// Every screen of operation has no barrier, and fits a phone.
func TestOperationScreens(t *testing.T) {
	t.Parallel()
	p, _, env, organization, hook := operating(t)
	at := map[string]string{
		"events": env + "/events", "events-filtered": env + "/events?events=organization.created&events=user.created", "events-nothing": env + "/events?events=group.created",
		"organization-events": env + "/organizations/" + organization + "/events",
		"webhooks":            env + "/webhooks", "webhook": env + "/webhooks/" + hook, "webhook-new": env + "/new/webhook",
		"webhook-edit": env + "/webhooks/" + hook + "/edit", "webhook-disable": env + "/webhooks/" + hook + "/disable",
		"webhook-delete": env + "/webhooks/" + hook + "/delete", "webhook-replay": env + "/webhooks/" + hook + "/replay", "deliveries-none": env + "/webhooks/" + hook + "?status=succeeded&after=",
		"keys": env + "/keys", "keys-revoked": env + "/keys?show=revoked", "key-new": env + "/new/key",
		"jobs": env + "/jobs", "settings": env + "/settings", "settings-mode": env + "/settings/mode?multiple_roles=off&impact=yes",
		"environments": "/dashboard/environments", "environment-new": "/dashboard/new/environment",
	}
	first := func(selector string) string {
		href, err := evaluate[string](p.ctx, `document.querySelector('`+selector+`').getAttribute('href')`)
		if err != nil {
			t.Fatal(err)
		}
		return href
	}
	p.visit(at["events-filtered"])
	at["event-created"] = first("tbody th a")
	p.visit(env + "/events?events=organization_role.updated")
	at["event-updated"] = first("tbody th a")
	p.visit(at["jobs"])
	at["job"] = first("tbody th a")
	p.visit(at["webhook"])
	at["delivery"] = first("tbody tr:last-child th a")
	at["delivery-replay"] = at["delivery"] + "/replay"
	p.visit(at["keys"])
	at["key-revoke"] = first("tbody .actions a")
	for name, address := range at {
		p.visit(address)
		p.axe()
		p.fits()
		p.shot(name)
	}
	p.phone()
	for name, address := range at {
		p.visit(address)
		p.fits()
		p.shot(name)
	}
}

// A key is made and revoked in dialogs; its value is seen once.
func TestKeysInDialogs(t *testing.T) {
	t.Parallel()
	p, _, env, _, _ := operating(t)
	p.visit(env + "/keys")
	p.click("link", "Create API key")
	d := p.within("dialog", "Create API key")
	d.fill("Name", "billing service")
	d.fill("Only one organization (optional)", "Acme")
	p.axe()
	d.click("button", "Create API key")
	p.see("Copy it now")
	p.axe()
	p.shot("key-made")
	p.click("link", "I have copied it")
	p.see("billing service")
	p.notSee("Copy it now")
	p.within("row", "billing service").has("link", "Acme")
	value, err := evaluate[string](p.ctx, `[...document.querySelectorAll('tbody .actions a')].find((a) => a.textContent.includes('billing service')).textContent`)
	if err != nil {
		t.Fatal(err)
	}
	p.click("link", strings.Join(strings.Fields(value), " "))
	p.see("1 key stops working")
	p.axe()
	p.click("button", "Revoke API key")
	p.see("is revoked")
}

// Multiple roles are switched off in a dialog that gets its numbers by itself, and the progress arrives at its end by itself.
func TestSwitchOffInDialog(t *testing.T) {
	t.Parallel()
	p, _, env, _, _ := operating(t)
	p.visit(env + "/settings")
	p.click("link", "Switch off")
	p.see("1 member in 1 organization would change")
	p.see("ada@acme.example")
	p.axe()
	p.shot("settings-mode-dialog")
	p.click("button", "Switch off")
	p.see("Multiple roles are off")
	p.see("All is done")
	p.axe()
	p.shot("job-finished")
}

// A webhook is refused in its dialog with what was typed, then made.
func TestWebhookInDialog(t *testing.T) {
	t.Parallel()
	p, _, env, _, _ := operating(t)
	p.visit(env + "/webhooks")
	p.click("link", "Create webhook")
	d := p.within("dialog", "Create webhook")
	p.axe()
	d.fill("URL", "ftp://hooks.example")
	d.click("button", "Create webhook")
	p.see("must be an absolute https URL")
	d.holds("URL", "ftp://hooks.example")
	p.axe()
	p.shot("webhook-refused")
	d.fill("URL", "https://hooks.example/x")
	d.click("button", "Create webhook")
	p.see("gets what happens from now on")
	p.phone()
	p.fits()
}
