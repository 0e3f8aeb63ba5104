package dashboard

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// userList is a page of the users of the environment.
type userList struct {
	Found  []userRow
	Search string
	Pages  pager
}

type userRow struct {
	authz.User
	Called string
}

func listUsers(v *visit) error {
	r, err := v.part(page.Desc, isCursor[id.User])
	if err != nil {
		return err
	}
	list := userList{Search: strings.TrimSpace(v.query.Get("search"))}
	found, err := v.door.rules.ListUsers(v.Context(), v.caller, authz.UserFilter{Search: list.Search}, r)
	if err != nil {
		return err
	}
	for _, u := range found.Items {
		list.Found = append(list.Found, userRow{u, called(u)})
	}
	list.Pages = v.pages(found.Before, found.After)
	call := Call{What: "List users", Method: "GET", Path: "/user_management/users?limit=25", Node: sdk("userManagement.listUsers", map[string]any{"limit": rows})}
	if list.Search != "" { // an extension, which the SDK lacks
		call.Path, call.Node = call.Path+"&search="+url.QueryEscape(list.Search), ""
	}
	v.example(call, Call{What: "Find a user by e-mail address", Method: "GET", Path: "/user_management/users?email=ann%40acme.example", Node: sdk("userManagement.listUsers", map[string]any{"email": "ann@acme.example"})})
	return v.show("users.html", "Users", nil, list)
}

// theUser is the one that the address names.
func (v *visit) theUser() (authz.User, error) {
	return v.door.rules.User(v.Context(), v.caller, id.User(v.PathValue("user")))
}

func (v *visit) underUser(u authz.User) []crumb {
	return []crumb{{"Users", v.Path("users")}, {called(u), v.Path("users", string(u.ID))}}
}

// userPage is what there is to know of a user.
type userPage struct {
	authz.User
	Called      string
	Size        authz.UserSize
	Memberships []memberRow
	Pages       pager
}

func showUser(v *visit) error {
	u, err := v.theUser()
	if err != nil {
		return err
	}
	r, err := v.part(page.Desc, isCursor[id.Membership])
	if err != nil {
		return err
	}
	shown := userPage{User: u, Called: called(u)}
	if shown.Size, err = v.door.rules.UserSize(v.Context(), v.caller, u.ID); err != nil {
		return err
	}
	found, err := v.door.rules.ListMembers(v.Context(), v.caller, authz.MembershipFilter{User: u.ID, Statuses: anyStatus}, r)
	if err != nil {
		return err
	}
	if shown.Memberships, err = v.rowsOf(found.Items); err != nil {
		return err
	}
	shown.Pages = v.pages(found.Before, found.After)
	v.example(
		Call{What: "Get the user", Method: "GET", Path: "/user_management/users/" + string(u.ID), Node: "userManagement.getUser(" + encode(u.ID, "") + ")"},
		Call{What: "List the memberships", Method: "GET", Path: "/user_management/organization_memberships?user_id=" + string(u.ID) + "&statuses=active,inactive,pending",
			Node: sdk("userManagement.listOrganizationMemberships", map[string]any{"userId": u.ID, "statuses": anyStatus})},
	)
	return v.show("user.html", shown.Called, v.underUser(u)[:1], shown)
}

// userForm is the form of a user, and what it is now where somebody changed it meanwhile.
type userForm struct {
	ID                                                id.User
	Email, FirstName, LastName, Name, External, Lines string
	Verified                                          bool
	Seen                                              string
	Now                                               *userForm
}

func userFormOf(u authz.User) userForm {
	return userForm{
		ID: u.ID, Email: u.Email, FirstName: textOf(u.FirstName), LastName: textOf(u.LastName), Name: textOf(u.Name), External: textOf(u.ExternalID),
		Lines: metadataLines(u.Metadata), Verified: u.EmailVerified, Seen: stamp(u.UpdatedAt),
	}
}

// typedUser reads the form, and says whether it makes sense so far. had is the metadata that there is.
func (v *visit) typedUser(had map[string]string) (form userForm, in authz.UserInput, ok bool) {
	form = userForm{
		Email: v.typed("email"), FirstName: v.typed("first_name"), LastName: v.typed("last_name"), Name: v.typed("name"), External: v.typed("external_id"),
		Lines: v.form.Get("metadata"), Verified: v.typed("email_verified") != "",
	}
	metadata, complaint := typedMetadata(form.Lines)
	if complaint != "" {
		v.complain("metadata", complaint)
	}
	in = authz.UserInput{
		Email: authz.Some(form.Email), EmailVerified: authz.Some(form.Verified), FirstName: authz.Some(v.optional("first_name")),
		LastName: authz.Some(v.optional("last_name")), Name: authz.Some(v.optional("name")), ExternalID: authz.Some(v.optional("external_id")),
		Metadata: authz.Some(metadataChange(had, metadata)),
	}
	return form, in, complaint == ""
}

func newUser(v *visit) error {
	var form userForm
	if v.posted() {
		typed, in, ok := v.typedUser(nil)
		if form = typed; ok {
			u, err := v.door.rules.CreateUser(v.Context(), v.caller, in)
			if err == nil {
				return v.done(v.Path("users", string(u.ID)), called(u)+" is there, and a member of no organization yet.")
			}
			if !v.blame(err) {
				return err
			}
		}
	}
	v.example(form.call("Create a user", "POST", "/user_management/users", "userManagement.createUser", map[string]any{}))
	return v.show("user_form.html", "Create user", []crumb{{"Users", v.Path("users")}}, form)
}

func editUser(v *visit) error {
	u, err := v.theUser()
	if err != nil {
		return err
	}
	form := userFormOf(u)
	if v.posted() {
		typed, in, ok := v.typedUser(u.Metadata)
		typed.ID, typed.Seen = u.ID, form.Seen
		if ok && v.untouched(u.UpdatedAt) {
			changed, err := v.door.rules.UpdateUser(v.Context(), v.caller, u.ID, in)
			if err == nil {
				return v.doneUndoably(v.Path("users", string(u.ID)), called(changed)+" is saved.", form.undo(v.Path("users", string(u.ID), "edit"), changed.UpdatedAt))
			}
			if !v.blame(err) {
				return err
			}
		} else if ok {
			now := form
			typed.Now = &now
		}
		form = typed
	}
	v.example(form.call("Change the user", "PUT", "/user_management/users/"+string(u.ID), "userManagement.updateUser", map[string]any{"userId": u.ID}))
	return v.show("user_form.html", "Edit "+called(u), v.underUser(u), form)
}

// call is what the API has for a form.
func (f userForm) call(what, method, path, node string, argument map[string]any) Call {
	body := map[string]any{"email": f.Email}
	if f.Email == "" {
		body["email"] = "ann@acme.example"
	}
	argument["email"] = body["email"]
	for _, field := range [][3]string{{"first_name", "firstName", f.FirstName}, {"last_name", "lastName", f.LastName}, {"external_id", "externalId", f.External}} {
		if field[2] != "" {
			body[field[0]], argument[field[1]] = field[2], field[2]
		}
	}
	if m, wrong := typedMetadata(f.Lines); wrong == "" && len(m) > 0 {
		body["metadata"], argument["metadata"] = m, m
	}
	return Call{What: what, Method: method, Path: path, Body: body, Node: sdk(node, argument)}
}

// undo is the form that brings back what was, unless somebody changes it again before.
func (f userForm) undo(address string, changed time.Time) *undo {
	fields := url.Values{
		"email": {f.Email}, "first_name": {f.FirstName}, "last_name": {f.LastName}, "name": {f.Name}, "external_id": {f.External},
		"metadata": {f.Lines}, "seen": {stamp(changed)},
	}
	if f.Verified {
		fields.Set("email_verified", "yes")
	}
	return &undo{Action: address, Fields: fields}
}

// userEnd is what ends with a user.
type userEnd struct {
	authz.User
	Called string
	Size   authz.UserSize
}

func deleteUser(v *visit) error {
	u, err := v.theUser()
	if err != nil {
		return err
	}
	end := userEnd{User: u, Called: called(u)}
	if end.Size, err = v.door.rules.UserSize(v.Context(), v.caller, u.ID); err != nil {
		return err
	}
	if v.posted() {
		err := v.door.rules.DeleteUser(v.Context(), v.caller, u.ID)
		if err == nil {
			return v.done(v.Path("users"), fmt.Sprintf("%s is deleted, with %s.", end.Called, counted(end.Size.Organizations, "membership")))
		}
		if !v.blame(err) {
			return err
		}
	}
	v.example(Call{What: "Delete the user", Method: "DELETE", Path: "/user_management/users/" + string(u.ID), Node: "userManagement.deleteUser(" + encode(u.ID, "") + ")"})
	return v.show("user_delete.html", "Delete "+end.Called, v.underUser(u), end)
}

// called is the name of a user, or the address where there is none.
func called(u authz.User) string {
	name := textOf(u.Name)
	if name == "" {
		name = strings.TrimSpace(textOf(u.FirstName) + " " + textOf(u.LastName))
	}
	if name == "" {
		return u.Email
	}
	return name
}
