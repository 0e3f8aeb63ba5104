package dashboard

import "strings"

// catalogueScreens is what permissions are made, changed and given by.
func catalogueScreens() []Screen {
	const env, permissions, types = "/env/{env}", "permissions", "types"
	all := []Screen{
		{Path: env + "/permissions", Section: permissions, Needs: viewer, show: listPermissions},
		{Path: env + "/permissions/{permission}", Section: permissions, Needs: viewer, show: showPermission},
		{Path: env + "/permissions/{permission}/holders", Section: permissions, Needs: editor, show: listHolders},
		{Path: env + "/new/permission", Section: permissions, Needs: editor, Posts: true, show: newPermission},
		{Path: env + "/permissions/{permission}/edit", Section: permissions, Needs: editor, Posts: true, show: editPermission},
		{Path: env + "/permissions/{permission}/delete", Section: permissions, Needs: editor, Posts: true, show: deletePermission},
		{Path: env + "/resource-types", Section: types, Needs: viewer, show: listResourceTypes},
		{Path: env + "/new/resource-type", Section: types, Needs: editor, Posts: true, show: newResourceType},
		{Path: env + "/resource-types/{type}/edit", Section: types, Needs: editor, Posts: true, show: editResourceType},
		{Path: env + "/resource-types/{type}/delete", Section: types, Needs: editor, Posts: true, show: deleteResourceType},
	}
	for _, owner := range []string{env, env + "/organizations/{org}"} {
		section := "matrix"
		if strings.Contains(owner, "{org}") {
			section = "organizations"
		}
		all = append(all,
			Screen{Path: owner + "/matrix", Section: section, Needs: viewer, show: showMatrix},
			Screen{Path: owner + "/matrix/export", Section: section, Needs: viewer, show: exportMatrix},
			Screen{Path: owner + "/matrix/review", Section: section, Needs: editor, Posts: true, show: reviewMatrix},
			Screen{Path: owner + "/matrix/apply", Section: section, Needs: editor, Posts: true, show: applyMatrix},
		)
	}
	return all
}
