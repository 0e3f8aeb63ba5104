package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
)

// A group from creation to deletion (R130, semantics 1.8 and 2.7).
func TestGroups(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org, other := w.organization("Acme"), w.organization("Globex")
		w.prepared()
		a := w.post(groupsOf(org), object{"name": "Engineering", "description": "Builds it"}).is(201).
			has("object", "group").has("organization_id", org).has("name", "Engineering").has("description", "Builds it")
		w.fired("group.created Engineering")
		g := groupsOf(org) + "/" + a.text("id")
		w.get(g).is(200).same(answer{tb: t, call: "the creation", status: 200, raw: a.raw})
		w.patch(g, object{"name": "Eng"}).is(200).has("name", "Eng").has("description", "Builds it").has("created_at", a.text("created_at"))
		b := w.patch(g, object{"description": nil}).is(200).has("name", "Eng").has("description", nil)
		w.fired("group.updated Eng, changed name", "group.updated Eng, changed description")
		w.patch(g, object{}).is(200).same(b)
		w.patch(g, object{"name": "Eng", "description": nil}).is(200).same(b)
		w.fired()

		w.post(groupsOf(org), object{"name": "Eng"}).is(201) // names need not be unique
		w.get(groupsOf(org)).lists("name", "Eng", "Eng").has("data.1.id", a.text("id"))
		w.get(groupsOf(other)).lists("name")
		w.fired("group.created Eng")
		for _, name := range []any{"", " ", "\u200b", strings.Repeat("ü", 257), nil, 1} {
			w.post(groupsOf(org), object{"name": name}).refused(422, "invalid_request_parameters", "name")
			w.patch(g, object{"name": name}).refused(422, "invalid_request_parameters", "name")
		}
		w.post(groupsOf(org), object{}).refused(422, "invalid_request_parameters", "name")
		w.post(groupsOf(org), object{"name": "n", "description": strings.Repeat("d", 151)}).refused(422, "invalid_request_parameters", "description")
		w.get(groupsOf("org_"+nobodys)).refused(404, "entity_not_found")
		w.post(groupsOf("org_"+nobodys), object{"name": "n"}).refused(404, "entity_not_found")

		theirs := groupsOf(other) + "/" + a.text("id") // a group of this organization, through another
		for _, wrong := range []answer{w.get(theirs), w.patch(theirs, object{"name": "x"}), w.delete(theirs), w.get(theirs + "/organization-memberships")} {
			wrong.refused(404, "entity_not_found")
		}
		w.fired()
		w.delete(g).is(204)
		w.fired("group.deleted Eng")
		w.settle()
		for _, gone := range []answer{w.get(g), w.patch(g, object{}), w.delete(g), w.get(g + "/organization-memberships")} {
			gone.refused(404, "entity_not_found")
		}
		w.fired()
	})
}

// Members come and go; what they hold is told before the answer (R131, R135), in single-role mode the role with the
// highest priority (R137).
func TestGroupMembers(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org, other := w.organization("Acme"), w.organization("Globex")
		w.permission("a")
		w.role("admin", "a")
		w.put("/authorization/role_priority", object{"role_slugs": list{"admin", "member"}}).is(200)
		ada, bob := w.member(w.user("ada@acme.example"), org, ""), w.member(w.user("bob@acme.example"), org, "")
		eve := w.member(w.user("eve@globex.example"), other, "")
		g, empty := w.group(org, "Engineering"), w.group(org, "Empty")
		w.post(groupRoles(g), object{"role_slug": "admin"}).is(201)
		w.settle()
		w.prepared()
		member := func(m string) object { return object{"organization_membership_id": m} }

		a := w.post(membersOf(g), member(ada)).is(200).has("object", "group").has("id", g)
		w.fired("group.member_added ada@acme.example of Engineering",
			"organization_membership.updated ada@acme.example in Acme: active admin, changed role roles")
		w.post(membersOf(g), member(ada)).is(200).same(a)
		w.fired()
		w.post(membersOf(empty), member(ada)).is(200)
		w.fired("group.member_added ada@acme.example of Empty")
		if !w.may(ada, "a") || w.may(bob, "a") {
			t.Error("a member of the group may not, or another may")
		}
		w.put(memberships+"/"+bob+"/deactivate", nil).is(200)
		w.post(membersOf(g), member(bob)).is(200)
		w.fired("organization_membership.updated bob@acme.example in Acme: inactive member, changed status",
			"group.member_added bob@acme.example of Engineering",
			"organization_membership.updated bob@acme.example in Acme: inactive admin, changed role roles")

		l := w.get(membersOf(g)).lists("id", bob, ada)
		l.has("data.0.status", "inactive").has("data.1.status", "active").has("data.0.organization_name", "Acme").
			has("data.0.role", nil).has("data.0.roles", nil).has("data.0.user", nil).has("data.0.custom_attributes", object{})
		w.get(membersOf(empty)).lists("id", ada)
		w.get(memberships+"/"+ada+"/groups").lists("id", empty, g)
		w.get(memberships+"/"+bob+"/groups").lists("name", "Engineering")
		w.get(memberships + "/" + eve + "/groups").lists("name")

		for _, wrong := range []string{eve, "om_" + nobodys, "nonsense", g, ""} {
			w.post(membersOf(g), member(wrong)).refused(404, "entity_not_found")
			if wrong != "" {
				w.delete(membersOf(g)+"/"+wrong).refused(404, "entity_not_found")
			}
		}
		w.post(membersOf(g), object{}).refused(422, "invalid_request_parameters", "organization_membership_id")
		w.delete(membersOf(empty)+"/"+bob).refused(404, "entity_not_found")
		w.get(memberships+"/om_"+nobodys+"/groups").refused(404, "entity_not_found")
		w.fired()

		w.delete(membersOf(g) + "/" + ada).is(204)
		w.fired("group.member_removed ada@acme.example of Engineering",
			"organization_membership.updated ada@acme.example in Acme: active member, changed role roles")
		w.delete(membersOf(g)+"/"+ada).refused(404, "entity_not_found")
		w.delete(membersOf(empty) + "/" + ada).is(204)
		w.fired("group.member_removed ada@acme.example of Empty")
		w.settle()
		w.fired()
	})
}

// Deleting a membership, a user or an organization takes the membership out of its groups (R142); deleting a group
// takes from its members what it gave.
func TestGroupsAndDeletion(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org := w.organization("Acme")
		w.role("admin")
		w.put("/authorization/role_priority", object{"role_slugs": list{"admin", "member"}}).is(200)
		cy := w.user("cy@acme.example")
		ada, bob, m := w.member(w.user("ada@acme.example"), org, ""), w.member(w.user("bob@acme.example"), org, "admin"), w.member(cy, org, "")
		g, h := w.group(org, "G"), w.group(org, "H")
		w.join(g, ada, bob, m)
		w.join(h, m)
		w.post(groupRoles(g), object{"role_slug": "admin"}).is(201)
		w.settle()
		w.prepared()

		w.delete(users + "/" + cy).is(200)
		w.fired("organization_membership.deleted cy@acme.example in Acme: active admin",
			"group.member_removed cy@acme.example of G", "group.member_removed cy@acme.example of H", "user.deleted cy@acme.example")
		w.get(membersOf(g)).lists("id", bob, ada)
		w.delete(roles+"/admin").refused(409, "role_has_assignments")
		w.delete(groupPath(g)+"?preview=true").is(200).has("totals.changed", 1).has("members.0.roles_before", list{"admin"}).has("members.0.roles_after", list{"member"})
		w.delete(groupPath(g)).is(204)
		w.get(memberships+"/"+ada).is(200).has("role.slug", "member") // decided at once, told of later
		w.fired("group.deleted G")
		w.settle()
		w.fired("organization_membership.updated ada@acme.example in Acme: active member, changed role roles")
		w.get(rolesGiven(ada)).lists("role.slug", "member")

		w.put(memberships+"/"+bob, object{"role_slug": "member"}).is(200)
		w.post(groupRoles(h), object{"role_slug": "admin"}).is(201)
		w.settle()
		w.fired("organization_membership.updated bob@acme.example in Acme: active member, changed role roles")
		w.delete(roles+"/admin").refused(409, "role_has_assignments") // a group's counts too
		w.put(groupRoles(h), object{"role_assignments": list{}}).is(200)
		w.delete(roles + "/admin").is(204)
		w.fired("role.deleted admin")
		w.join(h, ada)
		w.delete(organizations + "/" + org).is(200)
		w.fired("group.member_added ada@acme.example of H",
			"organization_membership.deleted ada@acme.example in Acme: active member", "group.member_removed ada@acme.example of H",
			"organization_membership.deleted bob@acme.example in Acme: active member", "group.deleted H", "organization.deleted Acme")
		w.get(groupPath(h)).refused(404, "entity_not_found")
		w.get(groupRoles(h)).refused(404, "entity_not_found")
		w.settle()
		w.fired()
	})
}

// One membership is in a hundred groups at most (R132).
func TestGroupLimit(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org := w.organization("Acme")
		m := w.member(w.user("ada@acme.example"), org, "")
		last, first := w.group(org, "last"), w.group(org, "first")
		w.join(first, m)
		w.store(func(tx authz.Tx) error {
			ids := id.NewSource(w.clock.now, nil)
			for i := range authz.MaxMemberGroups - 1 {
				g := authz.Group{ID: id.New[id.Group](ids), Environment: w.env, Organization: id.Organization(org), Name: fmt.Sprint(i), CreatedAt: w.clock.now(), UpdatedAt: w.clock.now()}
				if err := tx.InsertGroup(g); err != nil {
					return err
				}
				if err := tx.AddGroupMember(g, id.Membership(m), w.clock.now()); err != nil {
					return err
				}
			}
			return nil
		})
		w.prepared()
		w.post(membersOf(last), object{"organization_membership_id": m}).refused(400, "group_membership_limit_exceeded")
		w.join(first, m) // is in it already
		w.fired()
		w.delete(membersOf(first) + "/" + m).is(204)
		w.join(last, m)
		w.fired("group.member_removed ada@acme.example of first", "group.member_added ada@acme.example of last")
	})
}

// Groups, their members, and the groups of a member in every direction.
func TestPagesOfGroups(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org := w.organization("Acme")
		var groups, members []string
		for i := range 5 {
			groups = append(groups, w.group(org, fmt.Sprint("g", i)))
			members = append(members, w.member(w.user(fmt.Sprintf("u%d@acme.example", i)), org, ""))
		}
		w.join(groups[0], members[3], members[0], members[4], members[1], members[2]) // ordered by the memberships' age
		for _, g := range []int{4, 2, 1, 3} {
			w.join(groups[g], members[0])
		}
		pages(t, w, groupsOf(org)+"?", groups)
		pages(t, w, membersOf(groups[0])+"?", members)
		pages(t, w, memberships+"/"+members[0]+"/groups?", groups)
	})
}
