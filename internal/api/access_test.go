package api_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
)

func accessOf(org string, query ...string) string {
	return "/authorization/organizations/" + org + "/access?" + pairs(query...)
}

// Who may do what in an organization, and who of them holds a role or a permission.
func TestAccess(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		o := newOrchard(w)
		o.groupedAs("admin", o.bob)
		w.get(accessOf(o.org)).lists("email", "eve@acme.example", "bob@acme.example", "ada@acme.example", "admin@acme.example").
			has("data.1", object{
				"object": "member_access", "organization_membership_id": o.bob, "user_id": w.get(memberships + "/" + o.bob).text("user_id"), "email": "bob@acme.example",
				"name": "", "status": "active", "role_slugs": list{"admin"}, "permission_slugs": list{"org:admin", "project:edit", "project:read"},
			}).has("data.2.permission_slugs", list{}) // what is held on resources only is not told
		w.get(accessOf(o.org, "role_slug", "admin")).lists("organization_membership_id", o.bob, o.admin)
		w.get(accessOf(o.org, "permission_slug", "project:edit", "order", "asc", "limit", "1")).lists("organization_membership_id", o.admin).has("list_metadata", object{"before": nil, "after": o.admin})
		w.get(accessOf(o.org, "permission_slug", "project:edit", "role_slug", "member")).lists("organization_membership_id")
		w.put(memberships+"/"+o.admin+"/deactivate", nil).is(200)
		w.get(accessOf(o.org, "role_slug", "admin")).lists("organization_membership_id", o.bob)
		w.get(accessOf(o.org, "role_slug", "admin", "statuses", "inactive")).lists("organization_membership_id", o.admin).has("data.0.permission_slugs", list{}).has("data.0.role_slugs", list{"admin"})
		w.get(accessOf(o.org, "permission_slug", "project:edit", "statuses", "inactive,active")).lists("organization_membership_id", o.bob)
		w.get(accessOf(o.org, "role_slug", "nowhere")).refused(404, "entity_not_found")
		w.get(accessOf(o.org, "permission_slug", "nowhere")).refused(404, "entity_not_found")
		w.get(accessOf(o.org, "statuses", "gone")).refused(422, "invalid_request_parameters", "statuses")
		w.get(accessOf(o.org, "format", "xml")).refused(422, "invalid_request_parameters", "format")
		w.get(accessOf("org_"+nobodys)).refused(404, "entity_not_found")
		w.get(accessOf("org_"+nobodys, "format", "csv")).refused(404, "entity_not_found")
		w.get(accessOf(o.org, "format", "csv", "role_slug", "nowhere")).refused(404, "entity_not_found")

		list := memberships + "?organization_id=" + o.org
		w.get(list+"&role_slug=admin").lists("id", o.bob).has("data.0.role.slug", "admin")
		w.get(list+"&role_slug=admin&statuses=active,inactive&order=asc&limit=1").lists("id", o.admin).has("list_metadata.after", o.admin)
		w.get(list+"&role_slug=member").lists("id", o.eve, o.ada)
		w.get(list+"&role_slug=member&user_id="+w.get(memberships+"/"+o.ada).text("user_id")).lists("id", o.ada)
		w.get(list + "&role_slug=nowhere").lists("id")
		w.get(memberships + "?role_slug=admin&organization_id=org_" + nobodys).lists("id")
		w.get(memberships+"?role_slug=admin&user_id=user_"+nobodys).refused(422, "invalid_request_parameters", "role_slug")
		w.prepared()
	})
}

// table reads a CSV answer.
func (a answer) rows() [][]string {
	a.tb.Helper()
	a.is(200)
	rows, err := csv.NewReader(bytes.NewReader(a.raw)).ReadAll()
	if err != nil {
		a.tb.Fatal(err)
	}
	return rows
}

// The table has everybody, oldest first, whatever page is asked for, and nothing in it is a formula.
func TestAccessAsTable(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		o := newOrchard(w)
		var want [][]string
		for i, name := range []string{"=1+1", "+49", "-5", "@SUM(A1)", "\tx", "\rx", "Ada, \"Lady\"\nLovelace", "harmless = yes"} {
			u := w.post(users, object{"email": fmt.Sprintf("u%d@acme.example", i), "name": name}).is(201).text("id")
			m := w.member(u, o.org, "admin")
			if i < 6 {
				name = "'" + name
			}
			want = append(want, []string{m, u, fmt.Sprintf("u%d@acme.example", i), name, "active", "admin", "org:admin project:edit project:read"})
		}
		u := w.post(users, object{"email": "+plus@acme.example", "first_name": "Plus", "last_name": "Minus"}).is(201).text("id")
		m := w.member(u, o.org, "")
		a := w.get(accessOf(o.org, "format", "csv", "limit", "1", "order", "desc"))
		rows := a.rows()
		if got := strings.Join(rows[0], " "); got != "organization_membership_id user_id email name status role_slugs permission_slugs" {
			t.Errorf("header %s", got)
		}
		if len(rows) != 1+4+len(want)+1 {
			t.Fatalf("%d rows", len(rows))
		}
		for i, row := range want {
			if got := rows[5+i]; !slices.Equal(got, row) {
				t.Errorf("row %q, want %q", got, row)
			}
		}
		if got, row := rows[len(rows)-1], []string{m, u, "'+plus@acme.example", "Plus Minus", "active", "member", ""}; !slices.Equal(got, row) {
			t.Errorf("row %q, want %q", got, row)
		}
		if a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("headers %v", a.header)
		}
		if rows := w.get(accessOf(o.org, "format", "csv", "role_slug", "member")).rows(); len(rows) != 5 {
			t.Errorf("%d rows of members", len(rows))
		}
		w.prepared()
	})
}

// A large organization is listed exactly, in pages and as a table: who holds a permission through a group and who by
// himself, of twenty thousand.
func TestDiscoveryInALargeOrganization(t *testing.T) {
	if testing.Short() {
		t.Skip("short: an organization with 20,000 members takes a while to make")
	}
	onBoth(t, func(t *testing.T, w *world) {
		o := newOrchard(w)
		const many = 20_000
		want := []string{o.admin, o.bob} // with project:edit on p1
		o.update(func(tx authz.Tx) error {
			g, _, err := tx.Group(w.env, id.Group(o.group))
			if err != nil {
				return err
			}
			for i := range many {
				email := fmt.Sprintf("m%d@acme.example", i)
				u := authz.User{ID: id.New[id.User](o.ids), Environment: w.env, Email: email, EmailKey: email, CreatedAt: o.at, UpdatedAt: o.at}
				m := authz.Membership{ID: id.New[id.Membership](o.ids), Environment: w.env, Organization: id.Organization(o.org), User: u.ID, Status: authz.StatusActive, CreatedAt: o.at, UpdatedAt: o.at}
				if i%7 == 0 {
					m.Status = authz.StatusInactive
				}
				if err := tx.InsertUser(u); err != nil {
					return err
				}
				if err := tx.InsertMembership(m); err != nil {
					return err
				}
				if i%40 != 0 && i < many-3000 { // nobody of the last ones but every fortieth
					continue
				}
				if err := tx.AddGroupMember(g, m.ID, o.at); err != nil {
					return err
				}
				if m.Status == authz.StatusActive {
					want = append(want, string(m.ID))
				}
			}
			return nil
		})
		slices.Sort(want)
		path := "/authorization/resources/" + o.p1 + "/organization_memberships?limit=100&order=asc&permission_slug=project:edit"
		if got := w.every(path); !slices.Equal(got, want) {
			t.Errorf("%d members, want %d", len(got), len(want))
		}
		if rows := w.get(accessOf(o.org, "format", "csv", "statuses", "active,inactive")).rows(); len(rows) != 1+4+many {
			t.Errorf("a table of %d rows", len(rows))
		}
		w.get(accessOf(o.org, "role_slug", "admin")).lists("organization_membership_id", o.admin) // one in all
	})
}

// every reads a list to its end.
func (c *client) every(path string) (all []string) {
	c.tb.Helper()
	for after := ""; ; {
		a := c.get(path + after)
		all = append(all, a.each("id")...)
		next := a.text("list_metadata.after")
		if next == "" {
			return all
		}
		after = "&after=" + next
	}
}
