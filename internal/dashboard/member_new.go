package dashboard

import (
	"slices"
	"strings"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// roleChoice is what roles can be chosen for a member, and what is chosen.
type roleChoice struct {
	Roles    []authz.Role
	Default  authz.Role
	Multiple bool
	Adding   bool // whether none at all means the default
	Chosen   []string
}

// Choice is what templates show of the choice.
func (c roleChoice) Choice() roleChoice { return c }

func choiceOf(p authz.Policy, chosen []string) roleChoice {
	d, _ := p.DefaultRole()
	return roleChoice{Roles: organizationRoles(p), Default: d, Multiple: p.Multiple, Chosen: chosen}
}

// input is the roles chosen; the blank choice is the default.
func (c roleChoice) input() authz.RolesInput {
	wanted := slices.DeleteFunc(slices.Clone(c.Chosen), func(slug string) bool { return slug == "" })
	if c.Adding && len(wanted) == 0 {
		return authz.RolesInput{}
	}
	return authz.RolesInput{Slugs: authz.Some(append([]string{}, wanted...))}
}

// memberForm is the form that puts somebody into an organization.
type memberForm struct {
	Organization           authz.Organization
	Search                 string
	Found                  []foundPerson
	More                   bool
	User                   string // id of who is chosen; empty for somebody new
	Email, FirstName, Last string
	Returns                bool // whether who is chosen was a member before, whom taking back would end for good
	roleChoice
}

// foundPerson is somebody whom a search found.
type foundPerson struct {
	authz.User
	Called string
	Status authz.Status // of the membership that there is already; empty for none
}

// mostFound is how many people a search for one of them shows.
const mostFound = 5

func addMember(v *visit) error {
	o, err := v.theOrganization()
	if err != nil {
		return err
	}
	form, err := v.memberForm(o)
	if err != nil {
		return err
	}
	if v.posted() {
		m, err := v.join(&form)
		if err == nil {
			back := &undo{Action: v.MemberPath(m, "remove")}
			if form.Returns {
				back = nil
			}
			return v.doneUndoably(v.MemberPath(m), called(m.Person)+" is a member of "+o.Name+".", back)
		}
		if !v.blame(err) {
			return err
		}
	}
	if err := v.addFound(&form); err != nil {
		return err
	}
	v.example(form.examples()...)
	return v.show("member_new.html", "Add a member", v.underOrganization(o, crumb{"Members", v.In(o.ID, "members")}), form)
}

func (v *visit) memberForm(o authz.Organization) (memberForm, error) {
	form := memberForm{Organization: o, Search: strings.TrimSpace(v.query.Get("search"))}
	policy, err := v.door.rules.Policy(v.Context(), v.caller, o.ID)
	if err != nil {
		return form, err
	}
	form.roleChoice = choiceOf(policy, v.form["role_slugs"])
	form.Adding = true
	if v.posted() {
		form.Search, form.User = v.typed("search"), v.typed("user_id")
		form.Email, form.FirstName, form.Last = v.typed("email"), v.typed("first_name"), v.typed("last_name")
	} else if strings.Contains(form.Search, "@") {
		form.Email = form.Search
	}
	return form, nil
}

// join makes the member, and before that the user where it is somebody new. Should the first be done and the second
// not, the form goes on with the user that there is now.
func (v *visit) join(form *memberForm) (authz.Member, error) {
	if form.User == "" {
		made, err := v.door.rules.CreateUser(v.Context(), v.caller, authz.UserInput{
			Email: authz.Some(form.Email), FirstName: authz.Some(v.optional("first_name")), LastName: authz.Some(v.optional("last_name")),
		})
		if err != nil {
			return authz.Member{}, err
		}
		form.User = string(made.ID)
	}
	there, err := v.membershipOf(form.Organization.ID, id.User(form.User))
	if err != nil {
		return authz.Member{}, err
	}
	form.Returns = len(there) > 0
	return v.door.rules.CreateMembership(v.Context(), v.caller, id.User(form.User), form.Organization.ID, form.input())
}

// addFound finds whom the search means, and whoever is chosen already.
func (v *visit) addFound(form *memberForm) error {
	var people []authz.User
	if form.Search != "" {
		found, err := v.door.rules.ListUsers(v.Context(), v.caller, authz.UserFilter{Search: form.Search}, page.Request{Limit: mostFound, Order: page.Desc})
		if err != nil {
			return err
		}
		people, form.More = found.Items, found.After != ""
	}
	if form.User != "" && !slices.ContainsFunc(people, func(u authz.User) bool { return string(u.ID) == form.User }) {
		u, err := v.door.rules.User(v.Context(), v.caller, id.User(form.User))
		if err != nil {
			return err
		}
		people = append(people, u)
	}
	for _, u := range people {
		there, err := v.membershipOf(form.Organization.ID, u.ID)
		if err != nil {
			return err
		}
		c := foundPerson{User: u, Called: called(u)}
		if len(there) > 0 {
			c.Status = there[0].Status
		}
		form.Found = append(form.Found, c)
		if form.User == "" && !v.posted() && c.Free() {
			form.User = string(u.ID)
		}
	}
	return nil
}

// membershipOf is the one membership that a user can have in an organization, if there is one.
func (v *visit) membershipOf(org id.Organization, u id.User) ([]authz.Member, error) {
	found, err := v.door.rules.ListMembers(v.Context(), v.caller, authz.MembershipFilter{Organization: org, User: u, Statuses: anyStatus}, page.Request{Limit: 1, Order: page.Asc})
	return found.Items, err
}

// Free says whether the person can be put into the organization.
func (c foundPerson) Free() bool { return c.Status == "" || c.Status == authz.StatusInactive }

func (f memberForm) examples() []Call {
	who := f.User
	if who == "" {
		who = "user_01JZ0000000000000000000000"
	}
	body := map[string]any{"user_id": who, "organization_id": f.Organization.ID}
	argument := map[string]any{"userId": who, "organizationId": f.Organization.ID}
	if in := f.input(); in.Slugs.Set {
		body["role_slugs"], argument["roleSlugs"] = in.Slugs.Value, in.Slugs.Value
	}
	return []Call{
		{What: "Create a user", Method: "POST", Path: "/user_management/users", Body: map[string]any{"email": "ann@acme.example"}, Node: sdk("userManagement.createUser", map[string]any{"email": "ann@acme.example"})},
		{What: "Put a user into the organization", Method: "POST", Path: "/user_management/organization_memberships", Body: body, Node: sdk("userManagement.createOrganizationMembership", argument)},
	}
}
