package store_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/store"
)

// What a change of one membership would take is foreseen, and what the change does; nobody else is concerned.
func TestImpactOnOneMember(t *testing.T) {
	onEach(t, func(t *testing.T, db *store.Store) {
		s := newScene(t, db)
		ctx := context.Background()
		s.permissions("a", "b")
		must(s.rules.SetMultipleRoles(ctx, s.c, true))
		org := s.organization("Acme")
		reader := must(s.rules.CreateRole(ctx, s.c, "", authz.NewRole{Slug: authz.Some("reader"), Name: "R", Permissions: authz.Some([]string{"a"})}))
		writer := must(s.rules.CreateRole(ctx, s.c, "", authz.NewRole{Slug: authz.Some("writer"), Name: "W", Permissions: authz.Some([]string{"b"})}))
		ada := s.member(org, "ada", asked(reader.Slug))
		eve := s.member(org, "eve", asked(reader.Slug))
		group := must(s.rules.CreateGroup(ctx, s.c, org, authz.NewGroup{Name: "writers"}))
		empty := must(s.rules.CreateGroup(ctx, s.c, org, authz.NewGroup{Name: "empty"}))
		for _, m := range []id.Membership{ada.ID, eve.ID} {
			must(s.rules.AddGroupMember(ctx, s.c, org, group.ID, m))
		}
		must(s.rules.AssignGroupRole(ctx, s.c, group.ID, authz.NewAssignment{Role: writer.Slug}))
		own := ada.Held[0].Assignment
		for name, c := range map[string]struct {
			suppose authz.Supposition
			after   []string
			loses   []string
		}{
			"deactivate":            {authz.SupposeDeactivateMember(ada.ID), []string{"reader", "writer"}, []string{"a", "b"}},
			"delete":                {authz.SupposeDeleteMember(ada.ID), []string{}, []string{"a", "b"}},
			"take out of the group": {authz.SupposeRemoveGroupMember(org, group.ID, ada.ID), []string{"reader"}, []string{"b"}},
			"take the role off":     {authz.SupposeRemoveRoleAssignment(ada.ID, own), []string{"writer"}, []string{"a"}},
		} {
			impact := must(s.rules.Preview(ctx, s.c, c.suppose, authz.ImpactRequest{Limit: 10}))
			if len(impact.Members) != 1 || *impact.Totals != (authz.ImpactTotals{Changed: 1, Losing: 1, Organizations: 1}) {
				t.Fatalf("%s: %+v of %+v", name, impact.Totals, impact.Members)
			}
			m := impact.Members[0]
			var loses []string
			for _, right := range m.Loses {
				loses = append(loses, right.Permission)
			}
			if m.ID != ada.ID || !slices.Equal(m.After, c.after) || !slices.Equal(loses, c.loses) || len(m.Gains) > 0 {
				t.Errorf("%s: %s would hold %v and lose %v", name, m.ID, m.After, loses)
			}
		}
		for name, suppose := range map[string]authz.Supposition{
			"no membership":              authz.SupposeDeleteMember("om_none"),
			"another one's role":         authz.SupposeRemoveRoleAssignment(eve.ID, own),
			"a group of nobody":          authz.SupposeRemoveGroupMember(org, "group_none", ada.ID),
			"a group that she is not in": authz.SupposeRemoveGroupMember(org, empty.ID, ada.ID),
			"an assignment of nobody":    authz.SupposeRemoveRoleAssignment(ada.ID, "role_assignment_none"),
		} {
			if _, err := s.rules.Preview(ctx, s.c, suppose, authz.ImpactRequest{Limit: 10}); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := s.rules.RemoveGroupMember(ctx, s.c, org, group.ID, ada.ID); err != nil {
			t.Fatal(err)
		}
		if now := must(s.rules.Member(ctx, s.c, ada.ID)); fmt.Sprint(now.Shown) != "[reader]" {
			t.Errorf("after she left the group she holds %v", now.Shown)
		}
		s.sound()
	})
}
