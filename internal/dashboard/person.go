package dashboard

import (
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
)

// personRoles is what each role may do, in words.
var personRoles = []struct{ Role, May string }{
	{string(operator.Viewer), "sees everything and changes nothing"},
	{string(operator.Editor), "changes roles, organizations, members, webhooks"},
	{string(operator.Owner), "also decides about people, environments and API keys"},
}

// peopleShown is who may sign in and who is invited.
type peopleShown struct {
	People      []operator.Person
	Invitations []operator.Invitation
	Roles       []struct{ Role, May string }
}

func listPeople(v *visit) error {
	people, err := v.door.people.ListPeople(v.Context())
	if err != nil {
		return err
	}
	open, err := v.door.people.ListInvitations(v.Context())
	if err != nil {
		return err
	}
	for i, invitation := range open {
		for _, p := range people {
			if string(p.ID) == invitation.CreatedBy {
				open[i].CreatedBy = p.Name
			}
		}
	}
	return v.show("people.html", "People", nil, peopleShown{people, open, personRoles})
}

var peopleAbove = []crumb{{"People", within("people")}}

// invite is the form that invites somebody, and then the link, which is shown only once.
type invite struct {
	Email, Role string
	Roles       []struct{ Role, May string }
	Invitation  operator.Invitation
	Link        string
}

func invitePerson(v *visit) error {
	form := invite{Email: v.typed("email"), Role: v.typed("role"), Roles: personRoles}
	if form.Role == "" {
		form.Role = string(operator.Viewer)
	}
	if v.posted() {
		made, token, err := v.door.people.Invite(v.Context(), v.session.Person, operator.NewInvitation{Email: form.Email, Role: operator.Role(form.Role)})
		if err == nil {
			form.Invitation, form.Link = made, v.invitationLink(token)
		} else if !v.blame(err) {
			return err
		}
	}
	return v.show("person_invite.html", "Invite a person", peopleAbove, form)
}

func (v *visit) invitationLink(token string) string {
	v.secret = true
	return v.host() + within("invitation") + "?token=" + token
}

// person finds the person that the address names.
func (v *visit) person() (operator.Person, error) {
	people, err := v.door.people.ListPeople(v.Context())
	if err != nil {
		return operator.Person{}, err
	}
	for _, p := range people {
		if string(p.ID) == v.PathValue("person") {
			return p, nil
		}
	}
	return operator.Person{}, fault.Missing("Person", v.PathValue("person"))
}

// personForm is a form about one person.
type personForm struct {
	Person     operator.Person
	Self       bool
	Role       string
	Roles      []struct{ Role, May string }
	Invitation operator.Invitation
	Link       string
	back       *undo
}

// aboutPerson shows a form about a person and does it when it is sent.
func (v *visit) aboutPerson(template, title string, do func(*personForm) (told string, err error)) error {
	p, err := v.person()
	if err != nil {
		return err
	}
	form := personForm{Person: p, Self: p.ID == v.session.Person.ID, Role: v.typed("role"), Roles: personRoles}
	if form.Role == "" {
		form.Role = string(p.Role)
	}
	if v.posted() {
		told, err := do(&form)
		if err == nil && told != "" {
			return v.doneUndoably(within("people"), told, form.back)
		}
		if err != nil && !v.blame(err) {
			return err
		}
	}
	return v.show(template, title, peopleAbove, form)
}

func changePersonRole(v *visit) error {
	return v.aboutPerson("person_role.html", "Change role", func(f *personForm) (string, error) {
		before := f.Person.Role
		p, err := v.door.people.ChangeRole(v.Context(), v.session.Person, f.Person.ID, operator.Role(f.Role))
		if err != nil {
			return "", err
		}
		f.back = &undo{Action: within("people", string(p.ID), "role"), Fields: map[string][]string{"role": {string(before)}}}
		return p.Name + " is " + string(p.Role) + " now.", nil
	})
}

func resetPassword(v *visit) error {
	return v.aboutPerson("person_password.html", "New password", func(f *personForm) (string, error) {
		made, token, err := v.door.people.ResetPassword(v.Context(), v.session.Person, f.Person.ID)
		if err == nil {
			f.Invitation, f.Link = made, v.invitationLink(token)
		}
		return "", err
	})
}

func endSessions(v *visit) error {
	return v.aboutPerson("person_sign_out.html", "Sign out everywhere", func(f *personForm) (string, error) {
		return f.Person.Name + " is signed out everywhere.", v.door.people.EndSessions(v.Context(), v.session.Person, f.Person.ID)
	})
}

func removePerson(v *visit) error {
	return v.aboutPerson("person_remove.html", "Remove a person", func(f *personForm) (string, error) {
		return f.Person.Name + " was removed and can do nothing here any more.", v.door.people.RemovePerson(v.Context(), v.session.Person, f.Person.ID)
	})
}

func revokeInvitation(v *visit) error {
	if v.posted() {
		if err := v.door.people.RevokeInvitation(v.Context(), v.session.Person, id.Invitation(v.PathValue("invitation"))); err != nil {
			return err
		}
		return v.done(within("people"), "The link opens nothing any more.")
	}
	return v.leave(within("people"))
}

func account(v *visit) error {
	if v.posted() {
		if v.form.Get("new_password") != v.form.Get("again") {
			v.complain("again", "must be the same as the new password")
		} else {
			token, err := v.door.people.ChangePassword(v.Context(), v.token, v.form.Get("old_password"), v.form.Get("new_password"))
			if err == nil {
				v.token = token
				v.setCookie(sessionCookie, token, 0)
				return v.done(within("account"), "Your password was changed. All other sessions of yours ended.")
			}
			if fault.Of(err).Kind == fault.Unauthorized {
				v.complain("old_password", "is not right")
			} else if !v.blame(err) {
				return err
			}
		}
	}
	return v.show("account.html", "Your account", nil, nil)
}
