package authz_test

import (
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
)

// facts are those of one membership where admin stands above member, which is the default.
func facts(status authz.Status, assignments ...authz.Assignment) authz.Facts {
	return authz.Facts{
		Membership:  authz.Membership{ID: "om_1", Organization: "org_1", Status: status},
		Assignments: assignments,
		Policy: authz.Policy{
			Organization: "org_1", Default: "member", Own: true,
			Roles: []authz.Role{
				{ID: "admin", Slug: "admin", Permissions: []string{"a:read", "a:write"}},
				{ID: "billing", Slug: "org-billing", Organization: "org_1", Permissions: []string{"b:*"}},
				{ID: "member", Slug: "member", Permissions: []string{"m:see"}},
			},
		},
	}
}

func given(role id.Role, source authz.Source) authz.Assignment {
	return authz.Assignment{ID: id.Assignment("for " + role), Membership: "om_1", Organization: "org_1", Role: role, Source: source}
}

func TestEffectiveRole(t *testing.T) {
	for name, c := range map[string]struct {
		facts  authz.Facts
		role   string
		source authz.Source
	}{
		"the one asked for":                      {facts(authz.StatusActive, given("billing", authz.SourceManual)), "org-billing", authz.SourceManual},
		"the default given at creation (R24)":    {facts(authz.StatusActive, given("admin", authz.SourceDefault)), "admin", authz.SourceDefault},
		"nothing left: the current default (I6)": {facts(authz.StatusActive), "member", authz.SourceDefault},
		"asked for beats a higher default":       {facts(authz.StatusActive, given("admin", authz.SourceDefault), given("member", authz.SourceManual)), "member", authz.SourceManual},
		"the highest of several (R35)":           {facts(authz.StatusActive, given("member", authz.SourceManual), given("billing", authz.SourceManual)), "org-billing", authz.SourceManual},
		"a role of another organization is void": {facts(authz.StatusActive, given("theirs", authz.SourceManual)), "member", authz.SourceDefault},
		"roles are kept while inactive (R65)":    {facts(authz.StatusInactive, given("admin", authz.SourceManual)), "admin", authz.SourceManual},
	} {
		held := authz.EffectiveRoles(c.facts)
		if len(held) != 1 || held[0].Role.Slug != c.role || held[0].Source != c.source {
			t.Errorf("%s: %+v, want %s from %s", name, held, c.role, c.source)
		}
	}
	broken := facts(authz.StatusActive)
	broken.Policy.Default = "gone"
	if held := authz.EffectiveRoles(broken); len(held) != 0 {
		t.Errorf("a default that is no role gave %+v", held)
	}
	if authz.Decide(broken, "m:see").Authorized {
		t.Error("a damaged policy authorized something")
	}
}

func TestDecide(t *testing.T) {
	admin := facts(authz.StatusActive, given("admin", authz.SourceManual))
	billing := facts(authz.StatusActive, given("billing", authz.SourceManual))
	for name, c := range map[string]struct {
		facts      authz.Facts
		permission string
		want       bool
		cause      authz.Cause
	}{
		"held":                     {admin, "a:write", true, authz.CauseRole},
		"not held":                 {admin, "b:*", false, authz.CauseNoRole},
		"no wildcards (R51)":       {billing, "b:read", false, authz.CauseNoRole},
		"matched literally (R51)":  {billing, "b:*", true, authz.CauseRole},
		"inactive (R212)":          {facts(authz.StatusInactive, given("admin", authz.SourceManual)), "a:read", false, authz.CauseNotActive},
		"pending":                  {facts(authz.StatusPending, given("admin", authz.SourceManual)), "a:read", false, authz.CauseNotActive},
		"unknown status":           {facts("", given("admin", authz.SourceManual)), "a:read", false, authz.CauseNotActive},
		"prefix is not enough":     {admin, "a:rea", false, authz.CauseNoRole},
		"case matters":             {admin, "A:READ", false, authz.CauseNoRole},
		"by the default fallen to": {facts(authz.StatusActive), "m:see", true, authz.CauseRole},
	} {
		d := authz.Decide(c.facts, c.permission)
		if d.Authorized != c.want || d.Reason.Cause != c.cause {
			t.Errorf("%s: %+v, want %v because of %s", name, d, c.want, c.cause)
		}
		if d.Reason.Permission != c.permission || d.Authorized && len(d.Reason.Held) != 1 {
			t.Errorf("%s: the reason does not tell the path: %+v", name, d.Reason)
		}
	}
	why := authz.Decide(admin, "a:write").Reason.Held[0]
	if why.Assignment != "for admin" || why.Role.Slug != "admin" || why.Source != authz.SourceManual {
		t.Errorf("the reason names %+v", why)
	}
}
