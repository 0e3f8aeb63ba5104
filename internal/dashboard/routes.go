package dashboard

import (
	"strings"

	"github.com/rolecall/rolecall/internal/operator"
)

// Screen is one address of the dashboard.
type Screen struct {
	Path    string        // below Prefix; {env} is the environment that all of the screen is walled into
	Section string        // of the navigation
	Needs   operator.Role // the role without which the screen is neither shown nor done
	Posts   bool          // takes a form
	Open    bool          // needs nobody to be signed in
	show    func(*visit) error
}

func (s Screen) address() string { return strings.TrimSuffix(Prefix+s.Path, "/") }

// Screens is the table of all addresses but the files. A screen that takes a form changes something and so needs an
// editor, but for those that concern nobody but the person himself and those that only ask.
func Screens() []Screen {
	var all []Screen
	for _, group := range [][]Screen{
		entryScreens(), personScreens(), roleScreens(), catalogueScreens(), customerScreens(), groupScreens(),
		operationScreens(),
	} {
		all = append(all, group...)
	}
	return all
}

// Who may use most screens.
const (
	viewer = operator.Viewer
	editor = operator.Editor
	owner  = operator.Owner
)

func entryScreens() []Screen {
	return []Screen{
		{Path: "/sign-in", Open: true, Posts: true, show: signIn},
		{Path: "/invitation", Open: true, Posts: true, show: acceptInvitation},
		{Path: "/sign-out", Needs: viewer, Posts: true, show: signOut},
		{Path: "/", Needs: viewer, show: start},
	}
}

func roleScreens() []Screen {
	var all []Screen
	for _, owner := range []string{"/env/{env}", "/env/{env}/organizations/{org}"} {
		section := "roles"
		if strings.Contains(owner, "{org}") {
			section = "organizations"
		}
		all = append(all,
			Screen{Path: owner + "/roles", Section: section, Needs: viewer, show: listRoles},
			Screen{Path: owner + "/new/role", Section: section, Needs: editor, Posts: true, show: newRole},
			Screen{Path: owner + "/default", Section: section, Needs: editor, Posts: true, show: chooseDefault},
			Screen{Path: owner + "/roles/{slug}", Section: section, Needs: viewer, show: showRole},
			Screen{Path: owner + "/roles/{slug}/edit", Section: section, Needs: editor, Posts: true, show: editRole},
			Screen{Path: owner + "/roles/{slug}/delete", Section: section, Needs: editor, Posts: true, show: removeRole},
			Screen{Path: owner + "/order", Section: section, Needs: editor, Posts: true, show: orderRoles},
		)
	}
	return all
}

func personScreens() []Screen {
	return []Screen{
		{Path: "/people", Section: "people", Needs: owner, show: listPeople},
		{Path: "/new/person", Section: "people", Needs: owner, Posts: true, show: invitePerson},
		{Path: "/people/{person}/role", Section: "people", Needs: owner, Posts: true, show: changePersonRole},
		{Path: "/people/{person}/password", Section: "people", Needs: owner, Posts: true, show: resetPassword},
		{Path: "/people/{person}/sign-out", Section: "people", Needs: owner, Posts: true, show: endSessions},
		{Path: "/people/{person}/remove", Section: "people", Needs: owner, Posts: true, show: removePerson},
		{Path: "/invitations/{invitation}/revoke", Section: "people", Needs: owner, Posts: true, show: revokeInvitation},
		{Path: "/account", Section: "account", Needs: viewer, Posts: true, show: account},
	}
}
