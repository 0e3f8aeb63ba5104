package dashboard

// groupScreens is the screens of groups and resources, and the check.
func groupScreens() []Screen {
	const org = "/env/{env}/organizations/{org}"
	const group, resource = org + "/groups/{group}", org + "/resources/{resource}"
	all := []Screen{
		{Path: org + "/groups", Needs: viewer, show: listGroups},
		{Path: org + "/new/group", Needs: editor, Posts: true, show: newGroup},
		{Path: group, Needs: viewer, show: showGroup},
		{Path: group + "/edit", Needs: editor, Posts: true, show: editGroup},
		{Path: group + "/delete", Needs: editor, Posts: true, show: deleteGroup},
		{Path: group + "/impact", Needs: editor, show: groupImpact},
		{Path: group + "/add-member", Needs: editor, Posts: true, show: addGroupMember},
		{Path: group + "/remove-member", Needs: editor, Posts: true, show: removeGroupMember},
		{Path: group + "/add-role", Needs: editor, Posts: true, show: addGroupRole},
		{Path: group + "/remove-role", Needs: editor, Posts: true, show: removeGroupRole},

		{Path: org + "/resources", Needs: viewer, show: listResources},
		{Path: org + "/new/resource", Needs: editor, Posts: true, show: newResource},
		{Path: resource, Needs: viewer, show: showResource},
		{Path: resource + "/roles", Needs: viewer, show: listRolesOnResource},
		{Path: resource + "/access", Needs: viewer, show: listAccessToResource},
		{Path: resource + "/edit", Needs: editor, Posts: true, show: editResource},
		{Path: resource + "/move", Needs: editor, Posts: true, show: moveResource},
		{Path: resource + "/delete", Needs: editor, Posts: true, show: deleteResource},
		{Path: resource + "/impact", Needs: editor, show: resourceImpact},
		{Path: resource + "/add-role", Needs: editor, Posts: true, show: assignOnResource},
		{Path: resource + "/remove-role", Needs: editor, Posts: true, show: unassignOnResource},
	}
	for i := range all {
		all[i].Section = "organizations"
	}
	return append(all, Screen{Path: "/env/{env}/check", Section: "check", Needs: viewer, show: checkAccess})
}
