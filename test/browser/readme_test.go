package browser_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestReadmePictures takes the pictures that the README shows. They are written
// anew by
//
//	ROLECALL_SCREENSHOTS=../../docs/screenshots go test ./test/browser -run TestReadmePictures
func TestReadmePictures(t *testing.T) {
	t.Parallel()
	r := start(t)
	p := r.owner(t)
	w := furnish(t, r, r.visitor(t, p.session()))
	r.role(t, "", "standard", "Standard", "projects:read", "reports:read")
	r.call(t, "PUT", "/authorization/default_role", map[string]any{"role_slug": "standard"})
	r.customers(t, 60)
	r.call(t, "PUT", "/authorization/default_role", map[string]any{"role_slug": "member"})

	p.visit(r.inside("/roles"))
	p.snap("roles")
	p.visit(r.inside("/matrix"))
	p.snap("matrix")
	p.visit(r.inside("/organizations/" + w.acme + "/roles"))
	p.snap("organization-roles")
	p.visit(r.inside("/check?membership=" + w.members["Dana"] + "&permission=invoices:pay"))
	p.see("Yes")
	p.snap("check")

	p.visit(r.inside("/roles/standard"))
	p.click("link", "Delete…")
	dialog := p.within("dialog", "Delete Standard?")
	dialog.choose("Those who hold it get", "Editor (editor)")
	dialog.choose("The new default of all of them", "Member (member)")
	dialog.see("60 members in 60 organizations would change: 60 gain, 60 lose permissions.")
	p.snap("delete-role")
}

// snap writes a picture of the window as it is, small enough for a document.
func (p *page) snap(name string) {
	p.tb.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.MkdirAll(p.folder, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(p.folder, name+".png"), png, 0o644)
	}
	if err != nil {
		p.tb.Errorf("cannot take the picture %s: %v", name, err)
	}
	if len(png) > 150<<10 {
		p.tb.Errorf("the picture %s has %d bytes, too many for a document", name, len(png))
	}
}
