package dashboard

// customerScreens are those of organizations, their members, and users.
func customerScreens() []Screen {
	const list, org = "/env/{env}/organizations", "/env/{env}/organizations/{org}"
	return append([]Screen{
		{Path: list, Section: "organizations", Needs: viewer, show: listOrganizations},
		{Path: "/env/{env}/new/organization", Section: "organizations", Needs: editor, Posts: true, show: newOrganization},
		{Path: org, Section: "organizations", Needs: viewer, show: showOrganization},
		{Path: org + "/edit", Section: "organizations", Needs: editor, Posts: true, show: editOrganization},
		{Path: org + "/delete", Section: "organizations", Needs: editor, Posts: true, show: deleteOrganization},
		{Path: org + "/access", Section: "organizations", Needs: viewer, show: exportAccess},
	}, append(memberScreens(org), userScreens()...)...)
}

func memberScreens(org string) []Screen {
	const section = "organizations"
	list, one := org+"/members", org+"/members/{member}"
	return []Screen{
		{Path: list, Section: section, Needs: viewer, show: listMembers},
		{Path: org + "/new/member", Section: section, Needs: editor, Posts: true, show: addMember},
		{Path: one, Section: section, Needs: viewer, show: showMember},
		{Path: one + "/roles", Section: section, Needs: editor, Posts: true, show: editMemberRoles},
		{Path: one + "/assign", Section: section, Needs: editor, Posts: true, show: assignRole},
		{Path: one + "/assignments/{assignment}/remove", Section: section, Needs: editor, Posts: true, show: unassignRole},
		{Path: one + "/deactivate", Section: section, Needs: editor, Posts: true, show: deactivateMember},
		{Path: one + "/reactivate", Section: section, Needs: editor, Posts: true, show: reactivateMember},
		{Path: one + "/remove", Section: section, Needs: editor, Posts: true, show: removeMember},
	}
}

func userScreens() []Screen {
	const section, list, one = "users", "/env/{env}/users", "/env/{env}/users/{user}"
	return []Screen{
		{Path: list, Section: section, Needs: viewer, show: listUsers},
		{Path: "/env/{env}/new/user", Section: section, Needs: editor, Posts: true, show: newUser},
		{Path: one, Section: section, Needs: viewer, show: showUser},
		{Path: one + "/edit", Section: section, Needs: editor, Posts: true, show: editUser},
		{Path: one + "/delete", Section: section, Needs: editor, Posts: true, show: deleteUser},
	}
}
