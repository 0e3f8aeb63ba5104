package dashboard

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// groupList is a page of the groups of an organization.
type groupList struct {
	Owner        id.Organization
	Organization string // its name
	Groups       []groupRow
	Pages        pager
}

type groupRow struct {
	authz.Group
	Size authz.GroupSize
	Path string
}

func listGroups(v *visit) error {
	org := v.organization()
	above, name, err := v.above(org)
	if err != nil {
		return err
	}
	part, err := v.part(page.Desc, isCursor[id.Group])
	if err != nil {
		return err
	}
	found, err := v.door.rules.ListGroups(v.Context(), v.caller, org, part)
	if err != nil {
		return err
	}
	list := groupList{Owner: org, Organization: name, Pages: v.pages(found.Before, found.After)}
	for _, g := range found.Items {
		row := groupRow{Group: g, Path: v.groupPath(g)}
		if row.Size, err = v.door.rules.GroupSize(v.Context(), v.caller, org, g.ID); err != nil {
			return err
		}
		list.Groups = append(list.Groups, row)
	}
	v.example(
		Call{What: "List the groups", Method: "GET", Path: groupsURL(org), Node: sdk("groups.listGroups", map[string]any{"organizationId": org})},
		createGroupCall(org, "Finance", "Pays the bills"),
	)
	return v.show("groups.html", "Groups of "+name, above[:2], list)
}

func groupsURL(org id.Organization) string { return "/organizations/" + string(org) + "/groups" }

func groupURL(g authz.Group) string { return groupsURL(g.Organization) + "/" + string(g.ID) }

func createGroupCall(org id.Organization, name, description string) Call {
	body, node := map[string]any{"name": name}, map[string]any{"organizationId": org, "name": name}
	if description != "" {
		body["description"], node["description"] = description, description
	}
	return Call{What: "Create a group", Method: "POST", Path: groupsURL(org), Body: body, Node: sdk("groups.createGroup", node)}
}

func (v *visit) groupPath(g authz.Group, below ...string) string {
	return v.In(g.Organization, append([]string{"groups", string(g.ID)}, below...)...)
}

// groupForm is the form of a group, of a new one where Group is empty.
type groupForm struct {
	Owner             id.Organization
	Organization      string
	Group             id.Group
	Name, Description string
	Back              string
}

func newGroup(v *visit) error {
	org := v.organization()
	above, name, err := v.aboveIn(org, "Groups", "groups")
	if err != nil {
		return err
	}
	form := groupForm{Owner: org, Organization: name, Name: v.typed("name"), Description: v.typed("description"), Back: v.In(org, "groups")}
	if v.posted() {
		g, err := v.door.rules.CreateGroup(v.Context(), v.caller, org, authz.NewGroup{Name: form.Name, Description: v.optional("description")})
		if err == nil {
			return v.done(v.groupPath(g), "Group “"+g.Name+"” was created. Give it roles, and put members into it.")
		}
		if !v.blame(err) {
			return err
		}
	}
	example := form.Name
	if example == "" {
		example = "Finance"
	}
	v.example(createGroupCall(org, example, form.Description))
	return v.show("group_form.html", "Create group", above, form)
}

// groupAt is the group that an address names, with what surrounds it.
type groupAt struct {
	authz.Group
	Owner        id.Organization
	Organization string // its name
	Path         string
	above        []crumb
}

// Below is an address below the group's.
func (g groupAt) Below(action string) string { return g.Path + "/" + action }

// group finds the group that the address names. The crumbs lead to the group.
func (v *visit) group() (groupAt, error) {
	org := v.organization()
	above, name, err := v.aboveIn(org, "Groups", "groups")
	if err != nil {
		return groupAt{}, err
	}
	g, err := v.door.rules.Group(v.Context(), v.caller, org, id.Group(v.PathValue("group")))
	if err != nil {
		return groupAt{}, err
	}
	at := groupAt{Group: g, Owner: org, Organization: name, Path: v.groupPath(g)}
	at.above = append(above, crumb{g.Name, at.Path})
	return at, nil
}

// groupPage is a group with its roles and a page of its members.
type groupPage struct {
	groupAt
	Size    authz.GroupSize
	Roles   []assigned
	Members []somebody
	Pages   pager
}

func showGroup(v *visit) error {
	at, err := v.group()
	if err != nil {
		return err
	}
	shown := groupPage{groupAt: at}
	if shown.Size, err = v.door.rules.GroupSize(v.Context(), v.caller, at.Owner, at.ID); err != nil {
		return err
	}
	find := v.finder()
	roles, err := v.door.rules.ListGroupRoleAssignments(v.Context(), v.caller, at.ID, firstOf(authz.MaxGroupRoles))
	if err == nil {
		shown.Roles, err = find.assigned(at.Owner, roles.Items)
	}
	if err != nil {
		return err
	}
	if err := v.addGroupMembers(&shown, find); err != nil {
		return err
	}
	v.example(groupCalls(at.Group)...)
	return v.show("group.html", at.Name, at.above[:3], shown)
}

// addGroupMembers reads the page of the members that the address asks for.
func (v *visit) addGroupMembers(shown *groupPage, find *finder) error {
	part, err := v.part(page.Desc, isCursor[id.Membership])
	if err != nil {
		return err
	}
	members, err := v.door.rules.ListGroupMembers(v.Context(), v.caller, shown.Owner, shown.ID, part)
	if err != nil {
		return err
	}
	for _, m := range members.Items {
		who, err := find.member(shown.Owner, m.ID)
		if err != nil {
			return err
		}
		shown.Members = append(shown.Members, who)
	}
	shown.Pages = v.pages(members.Before, members.After)
	return nil
}

// groupCalls is what the API has for a group's page.
func groupCalls(g authz.Group) []Call {
	of := map[string]any{"organizationId": g.Organization, "groupId": g.ID}
	with := map[string]any{"organizationId": g.Organization, "groupId": g.ID, "organizationMembershipId": "om_…"}
	roles := "/authorization/groups/" + string(g.ID) + "/role_assignments"
	return []Call{
		{What: "Get the group", Method: "GET", Path: groupURL(g), Node: sdk("groups.getGroup", of)},
		{What: "List its members", Method: "GET", Path: groupURL(g) + "/organization-memberships", Node: sdk("groups.listOrganizationMemberships", of)},
		{What: "Put a member into it", Method: "POST", Path: groupURL(g) + "/organization-memberships",
			Body: map[string]any{"organization_membership_id": "om_…"}, Node: sdk("groups.addOrganizationMembership", with)},
		{What: "List its roles", Method: "GET", Path: roles, Node: sdk("authorization.listGroupRoleAssignments", map[string]any{"groupId": g.ID})},
		{What: "Give it a role", Method: "POST", Path: roles, Body: map[string]any{"role_slug": "member"},
			Node: sdk("authorization.createGroupRoleAssignment", map[string]any{"groupId": g.ID, "roleSlug": "member"})},
	}
}

func editGroup(v *visit) error {
	at, err := v.group()
	if err != nil {
		return err
	}
	form := groupForm{Owner: at.Owner, Organization: at.Organization, Group: at.ID, Name: at.Name, Description: textOf(at.Description), Back: at.Path}
	if v.posted() {
		before := map[string][]string{"name": {form.Name}, "description": {form.Description}}
		form.Name, form.Description = v.typed("name"), v.typed("description")
		_, err := v.door.rules.UpdateGroup(v.Context(), v.caller, at.Owner, at.ID, authz.Details{
			Name: authz.Some(form.Name), Description: authz.Some(v.optional("description")),
		})
		if err == nil {
			return v.doneUndoably(at.Path, "Group “"+form.Name+"” was saved.", &undo{Action: at.Below("edit"), Fields: before})
		}
		if !v.blame(err) {
			return err
		}
	}
	v.example(Call{What: "Change name and description", Method: "PATCH", Path: groupURL(at.Group), Body: map[string]any{"name": form.Name, "description": form.Description},
		Node: sdk("groups.updateGroup", map[string]any{"organizationId": at.Owner, "groupId": at.ID, "name": form.Name, "description": form.Description})})
	return v.show("group_form.html", "Edit "+at.Name, at.above, form)
}
