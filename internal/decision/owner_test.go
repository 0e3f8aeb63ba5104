package decision_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/id"
)

// The policy of an environment is nobody else's, whatever somebody calls an organization.
func TestPolicyOfAnEnvironmentIsNoOrganizations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, decision.Options{})
	must(w.memory.Policy(ctx, w.c, ""))
	named := id.Organization(w.c.Environment)
	want, got := outcome(w.rules.Policy(ctx, w.c, named)), outcome(w.memory.Policy(ctx, w.c, named))
	if _, refusal := want.(string); !refusal || !cmp.Equal(want, got) {
		t.Errorf("memory says %v, the rules say %v", got, want)
	}
}
