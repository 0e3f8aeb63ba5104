package dashboard

import (
	"net/url"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// heldRole is an effective role with what it comes from, in words.
type heldRole struct {
	authz.Held
	GroupName string
}

// From is where the role comes from, in short.
func (h heldRole) From() string { return sourceName(h.Source, h.GroupName) }

func sourceName(s authz.Source, group string) string {
	switch s {
	case authz.SourceGroup:
		return "group " + group
	case authz.SourceSSO:
		return "single sign-on"
	case authz.SourceDirectory:
		return "directory"
	case authz.SourceManual:
		return "direct"
	}
	return "default"
}

// memberRow is a member of a list.
type memberRow struct {
	authz.Member
	Called string
	Roles  []heldRole
}

// rowsOf adds to members what their roles come from.
func (v *visit) rowsOf(members []authz.Member) ([]memberRow, error) {
	find := v.finder()
	all := make([]memberRow, len(members))
	for i, m := range members {
		roles, err := find.heldRoles(m)
		if err != nil {
			return nil, err
		}
		all[i] = memberRow{Member: m, Called: called(m.Person), Roles: roles}
	}
	return all, nil
}

func (f *finder) heldRoles(m authz.Member) ([]heldRole, error) {
	all := make([]heldRole, len(m.Held))
	for i, h := range m.Held {
		group, err := f.group(m.Organization, h.Group)
		if err != nil {
			return nil, err
		}
		all[i] = heldRole{Held: h, GroupName: group.Name}
	}
	return all, nil
}

// memberList is a page of the members of an organization.
type memberList struct {
	Organization         authz.Organization
	Found                []memberRow
	Roles                []authz.Role // that members can have on the organization
	Search, Role, Status string
	Pages                pager
}

// Filtered says whether the list is narrowed.
func (l memberList) Filtered() bool { return l.Search != "" || l.Role != "" || l.Status != "" }

func listMembers(v *visit) error {
	o, err := v.theOrganization()
	if err != nil {
		return err
	}
	r, err := v.part(page.Desc, isCursor[id.Membership])
	if err != nil {
		return err
	}
	list := memberList{Organization: o, Search: strings.TrimSpace(v.query.Get("search")), Role: v.query.Get("role_slug"), Status: v.query.Get("status")}
	found, err := v.door.rules.ListMembers(v.Context(), v.caller, list.filter(), r)
	if err != nil {
		return err
	}
	if list.Found, err = v.rowsOf(found.Items); err != nil {
		return err
	}
	policy, err := v.door.rules.Order(v.Context(), v.caller, o.ID)
	if err != nil {
		return err
	}
	list.Roles, list.Pages = organizationRoles(policy), v.pages(found.Before, found.After)
	v.example(list.examples()...)
	return v.show("members.html", "Members of "+o.Name, v.underOrganization(o), list)
}

func (l memberList) filter() authz.MembershipFilter {
	f := authz.MembershipFilter{Organization: l.Organization.ID, Search: l.Search, Role: l.Role, Statuses: anyStatus}
	if l.Status != "" {
		f.Statuses = []authz.Status{authz.Status(l.Status)}
	}
	return f
}

func (l memberList) examples() []Call {
	org := l.Organization.ID
	path := "/user_management/organization_memberships?organization_id=" + string(org)
	argument := map[string]any{"organizationId": org, "limit": rows}
	if l.Status != "" {
		path += "&statuses=" + url.QueryEscape(l.Status)
		argument["statuses"] = []string{l.Status}
	}
	node := sdk("userManagement.listOrganizationMemberships", argument)
	for _, extension := range [][2]string{{"role_slug", l.Role}, {"search", l.Search}} {
		if extension[1] != "" { // the SDK lacks both
			path, node = path+"&"+extension[0]+"="+url.QueryEscape(extension[1]), ""
		}
	}
	return []Call{
		{What: "List the members", Method: "GET", Path: path, Node: node},
		{What: "Export who has access, as CSV", Method: "GET", Path: authorizationPath(org) + "/access?format=csv"},
	}
}

// organizationRoles are the roles of a policy that can be held on the organization itself.
func organizationRoles(p authz.Policy) []authz.Role {
	return slices.DeleteFunc(slices.Clone(p.Roles), func(r authz.Role) bool { return r.ResourceType != authz.OrganizationType })
}

// member is the membership that the address names, in the organization that it names.
func (v *visit) member() (authz.Member, authz.Organization, error) {
	o, err := v.theOrganization()
	if err != nil {
		return authz.Member{}, o, err
	}
	m, err := v.door.rules.Member(v.Context(), v.caller, id.Membership(v.PathValue("member")))
	if err == nil && m.Organization != o.ID {
		err = fault.Missing("Organization membership", v.PathValue("member"))
	}
	return m, o, err
}

// MemberPath is an address below a member.
func (v *visit) MemberPath(m authz.Member, parts ...string) string {
	return v.In(m.Organization, append([]string{"members", string(m.ID)}, parts...)...)
}

// underMember is the way to a screen below a member.
func (v *visit) underMember(o authz.Organization, m authz.Member) []crumb {
	return v.underOrganization(o, crumb{"Members", v.In(o.ID, "members")}, crumb{called(m.Person), v.MemberPath(m)})
}

// memberPage is what there is to know of a member.
type memberPage struct {
	Organization authz.Organization
	memberRow
	Groups      page.Page[authz.Group]
	Assignments []assignmentRow
	Pages       pager
	Permissions []permissionGroup
	Count       int // of permissions
}

// assignmentRow is an assignment with what it comes from, in words.
type assignmentRow struct {
	authz.RoleAssignment
	Role      authz.Role
	GroupName string
}

// From is where the assignment comes from, in short.
func (a assignmentRow) From() string { return sourceName(a.Source, a.GroupName) }

// Home says whether it is one on the organization itself.
func (a assignmentRow) Home() bool { return a.On.Type == authz.OrganizationType }

func showMember(v *visit) error {
	m, o, err := v.member()
	if err != nil {
		return err
	}
	shown := memberPage{Organization: o, memberRow: memberRow{Member: m, Called: called(m.Person)}}
	find := v.finder()
	first := page.Request{Limit: page.MaxLimit, Order: page.Asc}
	if shown.Groups, err = v.door.rules.ListMemberGroups(v.Context(), v.caller, m.ID, first); err != nil {
		return err
	}
	if shown.Roles, err = find.heldRoles(m); err != nil {
		return err
	}
	if err = v.addAssignments(&shown, find); err != nil {
		return err
	}
	permissions, err := v.permissionsOf(m.ID)
	if err != nil {
		return err
	}
	shown.Permissions, shown.Count = grouped(permissions), len(permissions)
	v.example(memberExamples(m)...)
	return v.show("member.html", shown.Called, v.underMember(o, m)[:3], shown)
}

func (v *visit) addAssignments(shown *memberPage, find *finder) error {
	r, err := v.part(page.Desc, isCursor[id.Assignment])
	if err != nil {
		return err
	}
	found, err := v.door.rules.ListRoleAssignments(v.Context(), v.caller, shown.ID, authz.ResourceRef{}, r)
	if err != nil {
		return err
	}
	policy, err := v.door.rules.Policy(v.Context(), v.caller, shown.Organization.ID)
	if err != nil {
		return err
	}
	for _, a := range found.Items {
		group, err := find.group(a.Organization, a.Group)
		if err != nil {
			return err
		}
		shown.Assignments = append(shown.Assignments, assignmentRow{RoleAssignment: a, Role: roleOf(policy, a.Assignment.Role), GroupName: group.Name})
	}
	for i, h := range shown.Roles {
		shown.Roles[i].Role = roleOf(policy, h.Role.ID)
	}
	shown.Pages = v.pages(found.Before, found.After)
	return nil
}

// roleOf finds a role of a policy.
func roleOf(p authz.Policy, role id.Role) authz.Role {
	i := slices.IndexFunc(p.Roles, func(r authz.Role) bool { return r.ID == role })
	if i < 0 {
		return authz.Role{}
	}
	return p.Roles[i]
}

// permissionsOf lists what a member may do on the organization itself, by slug.
func (v *visit) permissionsOf(m id.Membership) ([]authz.Permission, error) {
	all, err := everyPage(func(r page.Request) (page.Page[authz.Permission], error) {
		return v.door.rules.PermissionsOn(v.Context(), v.caller, m, authz.ResourceRef{}, r)
	})
	slices.SortFunc(all, func(a, b authz.Permission) int { return strings.Compare(a.Slug, b.Slug) })
	return all, err
}

func memberExamples(m authz.Member) []Call {
	of := map[string]any{"organizationMembershipId": m.ID}
	base := "/authorization/organization_memberships/" + string(m.ID)
	home := string(authz.OrganizationResource(m.Organization))
	return []Call{
		{What: "Get the membership", Method: "GET", Path: "/user_management/organization_memberships/" + string(m.ID), Node: "userManagement.getOrganizationMembership(" + encode(m.ID, "") + ")"},
		{What: "List its assignments", Method: "GET", Path: base + "/role_assignments", Node: sdk("authorization.listRoleAssignments", of)},
		{What: "List its permissions on the organization", Method: "GET", Path: base + "/resources/" + home + "/permissions",
			Node: sdk("authorization.listEffectivePermissions", map[string]any{"organizationMembershipId": m.ID, "resourceId": home})},
	}
}

// anyStatus is all memberships, whatever their status.
var anyStatus = []authz.Status{authz.StatusActive, authz.StatusInactive, authz.StatusPending}
