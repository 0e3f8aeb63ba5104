package dashboard

import (
	"slices"
	"strings"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// assignForm is the form that gives a member one role more: on a resource, or for a time.
type assignForm struct {
	authz.Member
	Called            string
	Roles             []authz.Role
	Types             []authz.ResourceType
	Multiple          bool
	Role              string
	Type, External    string
	Resource          id.Resource
	StartsAt, Expires string
}

func assignRole(v *visit) error {
	m, o, err := v.member()
	if err != nil {
		return err
	}
	form, err := v.assignForm(m)
	if err != nil {
		return err
	}
	if v.posted() {
		if in, ok := form.input(v); ok {
			given, err := v.door.rules.AssignRole(v.Context(), v.caller, m.ID, in)
			if err == nil {
				return v.done(v.MemberPath(m), form.Called+" is assigned "+given.Slug+where(given)+".")
			}
			if fault.Is(err, fault.NotFound) {
				v.complain("resource_external_id", "names no resource of "+o.Name+" of that type")
			} else if !v.blame(err) {
				return err
			}
		}
	}
	v.example(form.example())
	return v.show("member_assign.html", "Assign a role to "+form.Called, v.underMember(o, m), form)
}

// assignForm reads the form that was sent or, before that, where the address says it should begin.
func (v *visit) assignForm(m authz.Member) (assignForm, error) {
	values := v.query
	if v.posted() {
		values = v.form
	}
	form := assignForm{
		Member: m, Called: called(m.Person), Role: values.Get("role_slug"), Type: values.Get("resource_type_slug"), External: values.Get("resource_external_id"),
		Resource: id.Resource(values.Get("resource_id")), StartsAt: values.Get("starts_at"), Expires: values.Get("expires_at"),
	}
	policy, err := v.door.rules.Order(v.Context(), v.caller, m.Organization)
	if err != nil {
		return form, err
	}
	form.Roles, form.Multiple = policy.Roles, policy.Multiple
	form.Types, err = v.door.rules.ListResourceTypes(v.Context(), v.caller)
	return form, err
}

// input is the assignment that was asked for, and whether it makes sense so far.
func (f assignForm) input(v *visit) (in authz.NewAssignment, ok bool) {
	in = authz.NewAssignment{Role: f.Role, Resource: f.on(), StartsAt: v.moment("starts_at"), ExpiresAt: v.moment("expires_at")}
	if f.Role == "" {
		v.complain("role_slug", "must be chosen")
	}
	return in, len(v.complaints) == 0
}

// on is the resource that was named; the organization itself where none was.
func (f assignForm) on() authz.ResourceRef {
	switch {
	case f.Resource != "":
		return authz.ResourceRef{ID: f.Resource}
	case f.Type == "" || f.Type == authz.OrganizationType:
		return authz.ResourceRef{}
	}
	return authz.ResourceRef{ResourceType: f.Type, ExternalID: f.External}
}

// where is the resource of an assignment in a sentence; nothing for the organization itself.
func where(a authz.RoleAssignment) string {
	if a.On.Type == authz.OrganizationType {
		return ""
	}
	return " on " + a.On.Type + " " + a.On.ExternalID
}

func (f assignForm) example() Call {
	body := map[string]any{"role_slug": f.Role}
	argument := map[string]any{"organizationMembershipId": f.ID, "roleSlug": f.Role}
	if f.Role == "" && len(f.Roles) > 0 {
		body["role_slug"], argument["roleSlug"] = f.Roles[0].Slug, f.Roles[0].Slug
	}
	if on := f.on(); on.ExternalID != "" {
		body["resource_external_id"], body["resource_type_slug"] = on.ExternalID, on.ResourceType
		argument["resourceExternalId"], argument["resourceTypeSlug"] = on.ExternalID, on.ResourceType
	} else {
		home := string(authz.OrganizationResource(f.Organization))
		body["resource_id"], argument["resourceId"] = home, home
	}
	node := sdk("authorization.assignRole", argument)
	if f.StartsAt != "" || f.Expires != "" { // an extension, which the SDK lacks
		node = ""
		for name, value := range map[string]string{"starts_at": f.StartsAt, "expires_at": f.Expires} {
			if value != "" {
				body[name] = value
			}
		}
	}
	return Call{What: "Assign the role", Method: "POST", Path: "/authorization/organization_memberships/" + string(f.ID) + "/role_assignments", Body: body, Node: node}
}

// unassignment is what taking one assignment off a member means.
type unassignment struct {
	Member     authz.Member
	Called     string
	Row        assignmentRow
	Impact     *authz.MemberImpact // nil where nothing would change now
	Then       string              // the roles in effect on the organization afterwards
	Changeable bool                // here; what a group or an identity provider gives is changed there
}

func unassignRole(v *visit) error {
	m, o, err := v.member()
	if err != nil {
		return err
	}
	u, err := v.unassignment(m)
	if err != nil {
		return err
	}
	a := u.Row
	if v.posted() {
		err := v.door.rules.RemoveRoleAssignment(v.Context(), v.caller, m.ID, a.ID)
		if err == nil {
			return v.doneUndoably(v.MemberPath(m), u.Called+" is no longer assigned "+a.Role.Name+where(a.RoleAssignment)+".", a.undo(v.MemberPath(m, "assign")))
		}
		if !v.blame(err) {
			return err
		}
	}
	removal := map[string]any{"organizationMembershipId": m.ID, "roleAssignmentId": a.ID}
	v.example(Call{What: "Remove the assignment", Method: "DELETE", Path: "/authorization/organization_memberships/" + string(m.ID) + "/role_assignments/" + string(a.ID), Node: sdk("authorization.removeRoleAssignment", removal)})
	return v.show("member_unassign.html", "Take off a role", v.underMember(o, m), u)
}

// unassignment finds the assignment that the address names: on the resource that it names, which has few of one member.
func (v *visit) unassignment(m authz.Member) (unassignment, error) {
	on := authz.ResourceRef{ID: id.Resource(v.query.Get("resource_id"))}
	if on.ID == "" {
		on.ID = authz.OrganizationResource(m.Organization)
	}
	all, err := everyPage(func(r page.Request) (page.Page[authz.RoleAssignment], error) {
		return v.door.rules.ListRoleAssignments(v.Context(), v.caller, m.ID, on, r)
	})
	if err != nil {
		return unassignment{}, err
	}
	policy, err := v.door.rules.Order(v.Context(), v.caller, m.Organization)
	if err != nil {
		return unassignment{}, err
	}
	u := unassignment{Member: m, Called: called(m.Person)}
	for _, a := range all {
		if string(a.ID) == v.PathValue("assignment") {
			u.Row = assignmentRow{RoleAssignment: a, Role: roleOf(policy, a.Assignment.Role)}
		}
	}
	if u.Row.ID == "" {
		return u, fault.Missing("Role assignment", v.PathValue("assignment"))
	}
	group, err := v.finder().group(m.Organization, u.Row.Group)
	if err != nil {
		return u, err
	}
	u.Row.GroupName = group.Name
	if u.Changeable = u.Row.Source == authz.SourceManual || u.Row.Source == authz.SourceDefault; u.Changeable {
		u.Impact, err = v.memberImpact(authz.SupposeRemoveRoleAssignment(m.ID, u.Row.ID))
	}
	if u.Impact != nil {
		u.Then = roleNames(policy, u.Impact.After)
	}
	return u, err
}

// memberImpact is what a change would do to the one member whom it concerns, nil where that is nothing.
func (v *visit) memberImpact(suppose authz.Supposition) (*authz.MemberImpact, error) {
	impact, err := v.door.rules.Preview(v.Context(), v.caller, suppose, authz.ImpactRequest{Limit: 1})
	if err != nil || len(impact.Members) == 0 {
		return nil, err
	}
	return &impact.Members[0], nil
}

// roleNames names roles of a policy in a sentence.
func roleNames(p authz.Policy, slugs []string) string {
	var names []string
	for _, r := range p.Roles {
		if slices.Contains(slugs, r.Slug) {
			names = append(names, r.Name)
		}
	}
	return strings.Join(names, ", ")
}

// undo is the form that assigns it again. A default is not assigned by anybody and has none.
func (a assignmentRow) undo(action string) *undo {
	if a.Source != authz.SourceManual {
		return nil
	}
	return &undo{Action: action, Fields: assignmentFields(a.RoleAssignment)}
}
