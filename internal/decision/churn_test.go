package decision_test

import (
	"fmt"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/decision"
)

// What was made and deleted again leaves nothing behind in memory, however often that happened.
func TestChurnLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t, file(t), decision.Options{})
	w.permission("a:read", "a:write")
	w.role("", "admin", "a:read")
	org := w.organization("acme")
	w.role(org, "org-writer", "a:write")
	admin, writer := w.member(org, "ada", "admin"), w.member(org, "eve", "org-writer")
	for i := range decision.MostUnused + 50 {
		slug := fmt.Sprint("passing-", i%7)
		must(w.rules.CreatePermission(ctx, w.c, authz.NewPermission{Slug: slug, Name: slug}))
		w.role("", slug, slug)
		for m, holds := range map[string]bool{"a:read": true, "a:write": false, slug: false} {
			if w.may(admin, m) != holds || w.may(writer, m) != (m == "a:write") {
				t.Fatalf("after %d rounds memory is wrong about %s", i, m)
			}
		}
		done(w.rules.DeleteRole(ctx, w.c, "", slug))
		done(w.rules.DeletePermission(ctx, w.c, slug))
	}
	w.agree("the churn")
	if permissions, roles := w.memory.Numbered(w.c.Environment); permissions > decision.MostUnused || roles > decision.MostUnused {
		t.Errorf("%d permissions and %d roles are numbered", permissions, roles)
	}
	before := w.memory.Stats()
	for range 10 {
		w.may(admin, "a:read")
	}
	if after := w.memory.Stats(); after.Remembered != before.Remembered+10 {
		t.Errorf("%d of 10 questions were answered from memory", after.Remembered-before.Remembered)
	}
}
