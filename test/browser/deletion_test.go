package browser_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
)

// TestDeletionOfADefault deletes an environment role that 1,000 organizations
// have as a default of their own, and that a member of each holds.
func TestDeletionOfADefault(t *testing.T) {
	t.Parallel()
	r := start(t)
	p := r.owner(t)
	p.patience = 3 * patience // a thousand of everything, perhaps under the race detector
	const organizations = 1000
	r.permissions(t, "projects:read", "projects:edit", "reports:read")
	r.role(t, "", "standard", "Standard", "projects:read", "reports:read")
	r.role(t, "", "basic", "Basic", "projects:read")
	r.role(t, "", "generous", "Generous", "projects:read", "projects:edit", "reports:read")
	r.call(t, "PUT", "/authorization/default_role", map[string]any{"role_slug": "standard"})
	orgs, members := r.customers(t, organizations)
	r.call(t, "PUT", "/authorization/default_role", map[string]any{"role_slug": "member"})

	p.visit(r.inside("/roles/standard"))
	p.click("link", "Delete…")
	dialog := p.within("dialog", "Delete Standard?")
	dialog.see("Given to 1,000 members. 1,000 organizations have it as their own default.")
	dialog.is("button", "Delete the role", "disabled", "true")
	dialog.choose("Those who hold it get", "nothing instead: their other roles, or the default")
	dialog.choose("The new default of all of them", "Basic (basic)")
	dialog.see("1,000 members in 1,000 organizations would change: 0 gain, 1,000 lose permissions.")
	dialog.click("DisclosureTriangle", "Another default for single organizations")
	dialog.see("100 of 1,000 are listed.")
	dialog.fill("Add an organization, by its name or id", "Customer 0907")
	p.press("Enter")
	dialog.choose("Customer 0907", "Generous")
	dialog.see("1,000 members in 1,000 organizations would change: 1 gain, 999 lose permissions.")
	dialog.fill("Type standard to confirm", "standard")
	p.look("dialog role deletion with numbers")
	dialog.click("button", "Delete the role")

	p.see("“Standard” is gone. Every check sees it from now on")
	p.see("of 1,000 assignments")
	p.look("job")
	p.see("1,000 of 1,000 assignments moved. All is done.")
	for _, i := range []int{0, 1, 99, 500, 906, 999} {
		want := "basic"
		if i == 906 {
			want = "generous"
		}
		if got := r.roleOf(t, members[i]); got != want {
			t.Errorf("the member of customer %04d must have arrived at %s, got %s", i+1, want, got)
		}
		own := r.call(t, "GET", "/authorization/organizations/"+orgs[i]+"/default_role", nil)
		if role, _ := own["role"].(map[string]any); fmt.Sprint(role["slug"]) != want && fmt.Sprint(own["role_slug"]) != want {
			t.Errorf("the default of customer %04d must be %s, got %v", i+1, want, own)
		}
	}
	p.visit(r.inside("/roles"))
	p.notSee("standard")
}

// customers makes organizations with a custom role, so with a default of their
// own, and one user who is a member of all.
func (r *rolecall) customers(t *testing.T, n int) (orgs, members []string) {
	t.Helper()
	user := r.user(t, "consultant@everywhere.example")
	orgs, members = make([]string, n), make([]string, n)
	make1 := func(ctx context.Context, i int) error {
		org, err := r.ask(ctx, "POST", "/organizations", map[string]any{"name": fmt.Sprintf("Customer %04d", i+1)})
		if err != nil {
			return err
		}
		orgs[i] = org["id"].(string)
		if _, err := r.ask(ctx, "POST", "/authorization/organizations/"+orgs[i]+"/roles", map[string]any{"name": "Own", "slug": "org-own"}); err != nil {
			return err
		}
		member, err := r.ask(ctx, "POST", "/user_management/organization_memberships", map[string]any{"organization_id": orgs[i], "user_id": user})
		if err == nil {
			members[i] = member["id"].(string)
		}
		return err
	}
	const hands = 4
	failed := make([]error, hands)
	var all sync.WaitGroup
	for hand := range hands {
		all.Go(func() {
			for i := hand; i < n && failed[hand] == nil; i += hands {
				failed[hand] = make1(t.Context(), i)
			}
		})
	}
	all.Wait()
	if err := errors.Join(failed...); err != nil {
		t.Fatal(err)
	}
	return orgs, members
}
