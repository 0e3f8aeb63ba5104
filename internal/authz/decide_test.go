package authz

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/id"
)

// The scene of these tests is one membership of organization org_1. Roles are owner above admin above editor above
// viewer above member, which is the default; each holds one permission named after it, and read is held by all.
const (
	acme    = id.Organization("org_1")
	home    = id.Resource("authz_resource_1")
	project = id.Resource("authz_resource_project")
	task    = id.Resource("authz_resource_task")
)

// noon is the instant of the decisions; hour tells times around it.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func hour(n int) time.Time { return noon.Add(time.Duration(n) * time.Hour) }

func scenePolicy(roles ...string) Policy {
	p := Policy{Organization: acme, Own: true, Default: "member", Retired: map[id.Role]Replacement{}}
	for _, slug := range roles {
		p.Roles = append(p.Roles, Role{ID: id.Role(slug), Slug: slug, Permissions: []string{slug, "read"}})
	}
	return p
}

func sceneFacts(as ...Assignment) Facts {
	return Facts{
		At: noon, Membership: Membership{ID: "om_1", Organization: acme, Status: StatusActive}, Assignments: as,
		Policy: scenePolicy("owner", "admin", "editor", "viewer", "member"),
	}
}

func (f Facts) many() Facts { f.Policy.Multiple = true; return f }

// gone makes roles retired: "editor>viewer" with a replacement, "editor>default" with the default of then, or with the
// default named after another arrow, "editor>default>viewer", where it was pinned.
func (f Facts) gone(roles ...string) Facts {
	for _, r := range roles {
		from, to, _ := strings.Cut(r, ">")
		instead := Replacement{Role: id.Role(to)}
		if kind, pinned, named := strings.Cut(to, ">"); kind == "default" {
			instead = Replacement{Role: f.Policy.Default, Default: true}
			if named {
				instead.Role = id.Role(pinned)
			}
		}
		f.Policy.Retired[id.Role(from)] = instead
		f.Policy.Roles = slices.DeleteFunc(f.Policy.Roles, func(r Role) bool { return r.Slug == from })
	}
	return f
}

func (f Facts) on(path ...id.Resource) Facts {
	for i, r := range path {
		parent := home
		if i+1 < len(path) {
			parent = path[i+1]
		}
		f.Path = append(f.Path, Resource{ID: r, Organization: acme, Parent: parent})
	}
	return f
}

func (f Facts) as(s Status) Facts { f.Membership.Status = s; return f }

// assigned makes an explicit assignment on the organization, updated at noon.
func assigned(role id.Role, source Source) Assignment {
	a := Assignment{
		ID: id.Assignment(string(source) + " " + string(role)), Organization: acme, Role: role, Resource: home, Source: source,
		Explicit: true, UpdatedAt: noon,
	}
	if source == SourceGroup {
		a.Group = "group_1"
	} else {
		a.Membership = "om_1"
	}
	return a
}

func (a Assignment) at(n int) Assignment           { a.UpdatedAt = hour(n); return a }
func (a Assignment) upon(r id.Resource) Assignment { a.Resource = r; return a }
func (a Assignment) from(n int) Assignment         { a.StartsAt = hour(n); return a }
func (a Assignment) until(n int) Assignment        { a.ExpiresAt = hour(n); return a }

func told(held []Held) string {
	words := make([]string, len(held))
	for i, h := range held {
		words[i] = fmt.Sprint(h.Role.Slug, "/", h.Source)
	}
	return strings.Join(words, " ")
}

func TestEffectiveRoles(t *testing.T) {
	manual := func(r id.Role) Assignment { return assigned(r, SourceManual) }
	group := func(r id.Role) Assignment { return assigned(r, SourceGroup) }
	first := func(r id.Role) Assignment { return assigned(r, SourceDefault) }
	for _, c := range []struct {
		rule  string
		facts Facts
		want  string
	}{
		{"I6: nothing assigned, so the current default", sceneFacts(), "member/default"},
		{"I6: also with multiple roles", sceneFacts().many(), "member/default"},
		{"R24: the default given at creation is not the current one", sceneFacts(first("editor")), "editor/default"},
		{"R24: what was asked for outranks it, however low", sceneFacts(first("admin"), manual("viewer")), "viewer/manual"},
		{"R24: and with multiple roles does not join it", sceneFacts(first("admin"), manual("viewer")).many(), "viewer/manual"},
		{"R24: a group's role outranks it too", sceneFacts(first("admin"), group("viewer")), "viewer/group"},
		{"R35: of several the highest", sceneFacts(manual("viewer"), manual("admin"), manual("editor")), "admin/manual"},
		{"R81: with multiple roles all, highest first", sceneFacts(manual("viewer"), manual("admin")).many(), "admin/manual viewer/manual"},
		{"R82, R83: switched off, the highest alone", sceneFacts(manual("viewer"), manual("owner"), group("admin")), "owner/manual"},
		{"R136: group roles are added", sceneFacts(manual("viewer"), group("admin")).many(), "admin/group viewer/manual"},
		{"R137: one role, the group's is higher", sceneFacts(manual("viewer"), group("admin")), "admin/group"},
		{"R137: one role, the direct one is higher", sceneFacts(manual("admin"), group("viewer")), "admin/manual"},
		{"R138, C8: the group is left, what it displaced is back", sceneFacts(manual("viewer")), "viewer/manual"},
		{"R139: one role from two sources is told once, the direct one first", sceneFacts(group("admin"), manual("admin")).many(), "admin/manual"},
		{"R100: several mapped groups, one role", sceneFacts(assigned("viewer", SourceDirectory), assigned("admin", SourceDirectory)), "admin/directory"},
		{"R100: several mapped groups, all roles", sceneFacts(assigned("viewer", SourceSSO), assigned("admin", SourceSSO)).many(), "admin/sso viewer/sso"},
		{"R133: a role on a project is none on the organization", sceneFacts(manual("owner").upon(project)).on(project), "member/default"},
		{"I5: a role that is not available is without effect", sceneFacts(manual("theirs")), "member/default"},
		{"I5: and displaces nothing", sceneFacts(manual("theirs"), first("editor")), "editor/default"},
		{"I5: nor what people asked for", sceneFacts(assigned("theirs", SourceDirectory), manual("viewer")), "viewer/manual"},
		{"R65: roles are kept while inactive", sceneFacts(manual("admin")).as(StatusInactive), "admin/manual"},

		{"R45: gone without replacement, its holders get the default", sceneFacts(manual("editor")).gone("editor>default"), "member/default"},
		{"R45: with multiple roles the others stay", sceneFacts(manual("editor"), manual("viewer")).many().gone("editor>default"), "viewer/manual"},
		{"R45: whatever the default is", sceneFacts(manual("editor"), manual("viewer")).many().gone("editor>default>owner"), "viewer/manual"},
		{"R45: with one role as well", sceneFacts(manual("editor"), group("viewer")).gone("editor>default"), "viewer/group"},
		{"R45: the default as it was when the role went", sceneFacts(manual("editor")).gone("editor>default>viewer"), "viewer/default"},
		{"R45: a member gets the default, not two of them",
			sceneFacts(manual("editor"), first("viewer")).many().gone("editor>default>admin"), "admin/default"},
		{"R45: a result of a directory whose role is gone stops outranking", sceneFacts(assigned("editor", SourceDirectory), manual("viewer")).gone("editor>default"), "viewer/manual"},
		{"R45: a group has no default, so its row counts for nothing", sceneFacts(group("editor"), first("viewer")).gone("editor>default"), "viewer/default"},
		{"R45: and is not the default of then either", sceneFacts(group("editor")).gone("editor>default>viewer"), "member/default"},
		{"R46: a replacement keeps the source", sceneFacts(manual("editor"), first("owner")).gone("editor>viewer"), "viewer/manual"},
		{"R46: a group's too", sceneFacts(group("editor")).gone("editor>admin"), "admin/group"},
		{"R46: and what an identity provider said", sceneFacts(assigned("editor", SourceSSO), manual("owner").at(-1)).gone("editor>viewer"), "viewer/sso"},
		{"R46: a default given at creation follows", sceneFacts(first("editor")).gone("editor>viewer"), "viewer/default"},
		{"R46: a replacement held anyway is told once", sceneFacts(manual("editor"), manual("viewer")).many().gone("editor>viewer"), "viewer/manual"},
		{"R45, R46: a chain is followed to its end", sceneFacts(manual("owner")).gone("owner>admin", "admin>editor", "editor>viewer"), "viewer/manual"},
		{"R45, R46: a chain that ends at the default", sceneFacts(manual("owner")).gone("owner>admin", "admin>default"), "member/default"},
		{"R45, R46: beyond a default the source stays default", sceneFacts(manual("owner"), manual("viewer")).many().gone("owner>default>admin", "admin>editor"), "viewer/manual"},
		{"R45, R46: a group's chain that ends at the default", sceneFacts(group("owner"), first("viewer")).gone("owner>admin", "admin>default"), "viewer/default"},

		{"begins at its instant", sceneFacts(manual("admin").from(0)), "admin/manual"},
		{"not before", sceneFacts(manual("admin").from(1), manual("viewer")), "viewer/manual"},
		{"has ended at its instant", sceneFacts(manual("admin").until(0), manual("viewer")), "viewer/manual"},
		{"not before", sceneFacts(manual("admin").from(-1).until(1), manual("viewer")), "admin/manual"},
		{"an empty interval never counts", sceneFacts(manual("admin").from(0).until(0)), "member/default"},
		{"what has ended displaces nothing", sceneFacts(manual("admin").until(0), first("viewer")), "viewer/default"},
		{"a role that is gone keeps its interval", sceneFacts(manual("editor").until(0)).gone("editor>admin"), "member/default"},
	} {
		if got := told(EffectiveRoles(c.facts)); got != c.want {
			t.Errorf("%s: %s, want %s", c.rule, got, c.want)
		}
	}
}

func TestNoDefault(t *testing.T) {
	broken := sceneFacts()
	broken.Policy.Default = "lost"
	if held := EffectiveRoles(broken); len(held) != 0 {
		t.Errorf("a default that is no role gave %+v", held)
	}
	if Decide(broken, "read").Authorized || EffectivePermissions(broken) != nil {
		t.Error("a damaged policy authorized something")
	}
	circle := sceneFacts(assigned("editor", SourceManual), assigned("editor", SourceManual).upon(project)).on(project).gone("editor>viewer", "viewer>editor")
	if got := told(append(EffectiveRoles(circle), RolesOnPath(circle)...)); got != "member/default" {
		t.Errorf("roles that replace each other gave %s", got)
	}
}

func TestRolesOnPath(t *testing.T) {
	manual := func(r id.Role) Assignment { return assigned(r, SourceManual) }
	group := func(r id.Role) Assignment { return assigned(r, SourceGroup) }
	for _, c := range []struct {
		rule  string
		facts Facts
		want  string
	}{
		{"R208: on the resource itself", sceneFacts(manual("viewer").upon(task)).on(task, project), "viewer/manual"},
		{"R208: on an ancestor", sceneFacts(manual("viewer").upon(project)).on(task, project), "viewer/manual"},
		{"R208: not on a descendant", sceneFacts(manual("viewer").upon(task)).on(project), ""},
		{"R208: not on a neighbour", sceneFacts(manual("viewer").upon("authz_resource_other")).on(task, project), ""},
		{"R208: nearest resource first, then highest role", sceneFacts(manual("owner").upon(project), manual("viewer").upon(task), group("editor").upon(task)).on(task, project),
			"editor/group viewer/manual owner/manual"},
		{"R84: many, though members hold one role", sceneFacts(manual("editor").upon(task), manual("viewer").upon(task)).on(task), "editor/manual viewer/manual"},
		{"R84: sources are not weighed there", sceneFacts(manual("editor").upon(task).at(5), assigned("viewer", SourceDirectory).upon(task).at(1)).on(task), "editor/manual viewer/directory"},
		{"R218: roles of groups count there", sceneFacts(group("viewer").upon(project)).on(task, project), "viewer/group"},
		{"roles on the organization are EffectiveRoles'", sceneFacts(manual("owner")).on(task), ""},
		{"nothing stands in for a role there", sceneFacts(manual("editor").upon(task)).on(task).gone("editor>default"), ""},
		{"nor for a group's", sceneFacts(group("editor").upon(task)).on(task).gone("editor>default"), ""},
		{"R46: a replacement does", sceneFacts(manual("editor").upon(task), group("owner").upon(task)).on(task).gone("editor>viewer", "owner>admin"), "admin/group viewer/manual"},
		{"R46: and is told once on each resource", sceneFacts(manual("editor").upon(task), manual("viewer").upon(task), manual("viewer").upon(project)).on(task, project).gone("editor>viewer"),
			"viewer/manual viewer/manual"},
		{"I5: a role that is not available is without effect", sceneFacts(manual("theirs").upon(task)).on(task), ""},
		{"begins at its instant", sceneFacts(manual("editor").upon(task).from(0)).on(task), "editor/manual"},
		{"not before", sceneFacts(manual("editor").upon(task).from(1)).on(task), ""},
		{"has ended at its instant", sceneFacts(manual("editor").upon(task).until(0)).on(task), ""},
		{"not before", sceneFacts(manual("editor").upon(task).until(1)).on(task), "editor/manual"},
	} {
		if got := told(RolesOnPath(c.facts)); got != c.want {
			t.Errorf("%s: %q, want %q", c.rule, got, c.want)
		}
	}
}

// Of several assignments of one role the oldest direct one is the reason, so that a reason does not depend on the order
// in which rows are read.
func TestWhichAssignmentIsNamed(t *testing.T) {
	named := func(a Assignment, name id.Assignment) Assignment { a.ID = name; return a }
	older, newer := named(assigned("admin", SourceManual), "b"), named(assigned("admin", SourceManual), "c")
	olderGroup, newerGroup := named(assigned("admin", SourceGroup), "a"), named(assigned("admin", SourceGroup), "d")
	for _, c := range []struct {
		given []Assignment
		want  id.Assignment
	}{
		{[]Assignment{olderGroup, newer, older}, "b"}, {[]Assignment{newer, newerGroup}, "c"}, {[]Assignment{newerGroup, olderGroup}, "a"},
	} {
		for range 2 {
			slices.Reverse(c.given)
			if held := EffectiveRoles(sceneFacts(c.given...)); held[0].Assignment != c.want || held[0].Resource != home {
				t.Errorf("the reason is %+v, want assignment %s", held[0], c.want)
			}
		}
	}
	if h := EffectiveRoles(sceneFacts(olderGroup))[0]; h.Group != "group_1" {
		t.Errorf("a group's role does not name the group: %+v", h)
	}
	if h := EffectiveRoles(sceneFacts())[0]; h.Assignment != "" || h.Group != "" || h.Resource != home {
		t.Errorf("the default fallen back to names an assignment: %+v", h)
	}
}

func TestDecide(t *testing.T) {
	manual := func(r id.Role) Assignment { return assigned(r, SourceManual) }
	literal := sceneFacts(manual("admin"))
	literal.Policy.Roles[1].Permissions = []string{"posts:*"}
	for _, c := range []struct {
		rule       string
		facts      Facts
		permission string
		want       string
	}{
		{"R208: by a role on the organization", sceneFacts(manual("admin")), "admin", "role admin/manual"},
		{"R210: which counts on every resource", sceneFacts(manual("admin")).on(task, project), "admin", "role admin/manual"},
		{"R208: by a role on the resource", sceneFacts(manual("viewer"), manual("admin").upon(task)).on(task, project), "admin", "role admin/manual"},
		{"R208: by a role above", sceneFacts(manual("viewer"), manual("admin").upon(project)).on(task, project), "admin", "role admin/manual"},
		{"R208: the organization's is the first reason", sceneFacts(assigned("viewer", SourceGroup), manual("admin").upon(task)).on(task), "read", "role viewer/group"},
		{"a role on a resource is none elsewhere", sceneFacts(manual("admin").upon(task)).on(project), "admin", "no_role member/default"},
		{"all roles that do not hold it are told", sceneFacts(manual("editor"), manual("viewer").upon(task)).on(task).many(), "admin", "no_role editor/manual viewer/manual"},
		{"R82: a lower role does not count where one is held", sceneFacts(manual("editor"), manual("viewer")), "viewer", "no_role editor/manual"},
		{"R81: with multiple roles it does", sceneFacts(manual("editor"), manual("viewer")).many(), "viewer", "role viewer/manual"},
		{"R84: lower roles on resources always do", sceneFacts(manual("editor").upon(task), manual("viewer").upon(task)).on(task), "viewer", "role viewer/manual"},
		{"I6: by the default fallen back to", sceneFacts(), "member", "role member/default"},
		{"R51: no wildcards", literal, "posts:read", "no_role admin/manual"},
		{"R51: matched literally", literal, "posts:*", "role admin/manual"},
		{"R51: all of it", sceneFacts(manual("admin")), "admi", "no_role admin/manual"},
		{"R212: inactive", sceneFacts(manual("admin"), manual("admin").upon(task)).on(task).as(StatusInactive), "admin", "not_active"},
		{"R212: pending", sceneFacts(manual("admin")).as(StatusPending), "admin", "not_active"},
		{"R212: not known to be active", sceneFacts(manual("admin")).as(""), "admin", "not_active"},
	} {
		d := Decide(c.facts, c.permission)
		if got := strings.TrimSpace(string(d.Reason.Cause) + " " + told(d.Reason.Held)); got != c.want {
			t.Errorf("%s: %s, want %s", c.rule, got, c.want)
		}
		if d.Authorized != strings.HasPrefix(c.want, "role ") {
			t.Errorf("%s: authorized %v", c.rule, d.Authorized)
		}
		if d.Reason.Permission != c.permission || d.Reason.Status != c.facts.Membership.Status || len(d.Reason.Path) != len(c.facts.Path) {
			t.Errorf("%s: the reason does not repeat the question: %+v", c.rule, d.Reason)
		}
	}
}

func TestEffectivePermissions(t *testing.T) {
	manual := func(r id.Role) Assignment { return assigned(r, SourceManual) }
	for _, c := range []struct {
		rule  string
		facts Facts
		want  string
	}{
		{"R81: the union, each once, sorted", sceneFacts(manual("viewer"), manual("admin")).many(), "admin read viewer"},
		{"R82: of one role", sceneFacts(manual("viewer"), manual("admin")), "admin read"},
		{"R216: with those of the path", sceneFacts(manual("viewer"), manual("editor").upon(task), assigned("owner", SourceGroup).upon(project)).on(task, project), "editor owner read viewer"},
		{"R212: none while inactive", sceneFacts(manual("viewer")).as(StatusInactive), ""},
		{"R212: none while pending", sceneFacts(manual("viewer")).as(StatusPending), ""},
	} {
		got := EffectivePermissions(c.facts)
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", c.rule, got, c.want)
		}
		for _, r := range []string{"owner", "admin", "editor", "viewer", "member", "read", "nothing"} {
			if Decide(c.facts, r).Authorized != slices.Contains(got, r) {
				t.Errorf("%s: list and check disagree about %s", c.rule, r)
			}
		}
	}
}
