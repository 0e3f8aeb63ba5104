package dashboard

import (
	"slices"
	"strings"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// standing is what gives a member roles on the organization itself, and the roles that there are.
type standing struct {
	member      authz.Member
	policy      authz.Policy
	assignments []authz.Assignment
}

func (v *visit) standing(m authz.Member) (standing, error) {
	policy, err := v.door.rules.Policy(v.Context(), v.caller, m.Organization)
	if err != nil {
		return standing{}, err
	}
	home := authz.ResourceRef{ID: authz.OrganizationResource(m.Organization)}
	found, err := everyPage(func(r page.Request) (page.Page[authz.RoleAssignment], error) {
		return v.door.rules.ListRoleAssignments(v.Context(), v.caller, m.ID, home, r)
	})
	s := standing{member: m, policy: policy, assignments: make([]authz.Assignment, len(found))}
	for i, a := range found {
		s.assignments[i] = a.Assignment
	}
	return s, err
}

// direct says whether an assignment is one that people and the API set, or the default given at creation.
func direct(a authz.Assignment) bool {
	return a.Source == authz.SourceManual || a.Source == authz.SourceDefault
}

// chosen lists what was given directly, by slug, and says whether all of it was given by somebody and for good, so that
// giving it again brings it back.
func (s standing) chosen() (slugs []string, lasting bool) {
	lasting = true
	for _, a := range s.assignments {
		if !direct(a) {
			continue
		}
		slugs = append(slugs, roleOf(s.policy, a.Role).Slug)
		lasting = lasting && a.Source == authz.SourceManual && a.StartsAt.IsZero() && a.ExpiresAt.IsZero()
	}
	return slugs, lasting
}

// beside lists what gives roles beside what is given directly: groups and identity providers, each source once.
func (s standing) beside() (sources []authz.Source) {
	for _, a := range s.assignments {
		if !direct(a) && !slices.Contains(sources, a.Source) {
			sources = append(sources, a.Source)
		}
	}
	return sources
}

// outlook is what a member would have on the organization after a change.
type outlook struct {
	Roles        []authz.Held
	Gains, Loses []string // permissions
}

// outlook says what choosing roles would come to, by the rules that decide.
func (s standing) outlook(slugs []string) outlook {
	after := slices.DeleteFunc(slices.Clone(s.assignments), direct)
	now := time.Now().UTC()
	for _, r := range organizationRoles(s.policy) {
		if slices.Contains(slugs, r.Slug) {
			after = append(after, authz.Assignment{
				ID: id.Assignment("new " + r.Slug), Organization: s.member.Organization, Membership: s.member.ID, Role: r.ID,
				Resource: authz.OrganizationResource(s.member.Organization), Source: authz.SourceManual, Explicit: true, UpdatedAt: now,
			})
		}
	}
	will := authz.EffectiveRoles(authz.Facts{At: now, Membership: s.member.Membership, Assignments: after, Policy: s.policy})
	had, has := s.permissions(s.member.Held), s.permissions(will)
	return outlook{Roles: will, Gains: without(has, had), Loses: without(had, has)}
}

// permissions lists what roles hold together, sorted.
func (s standing) permissions(held []authz.Held) (all []string) {
	for _, h := range held {
		all = append(all, roleOf(s.policy, h.Role.ID).Permissions...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// memberRolesForm is the form of the roles that a member is given directly on the organization.
type memberRolesForm struct {
	authz.Member
	Called string
	Now    []heldRole
	Beside []authz.Source
	roleChoice
	Outlook *outlook // of the roles chosen; none while nothing is chosen
}

// FromProvider says whether an identity provider gives the member roles.
func (f memberRolesForm) FromProvider() bool {
	return slices.Contains(f.Beside, authz.SourceSSO) || slices.Contains(f.Beside, authz.SourceDirectory)
}

// FromGroup says whether a group gives the member roles.
func (f memberRolesForm) FromGroup() bool { return slices.Contains(f.Beside, authz.SourceGroup) }

func editMemberRoles(v *visit) error {
	m, o, err := v.member()
	if err != nil {
		return err
	}
	s, err := v.standing(m)
	if err != nil {
		return err
	}
	had, lasting := s.chosen()
	form := memberRolesForm{Member: m, Called: called(m.Person), Beside: s.beside(), roleChoice: choiceOf(s.policy, had)}
	if form.Now, err = v.finder().heldRoles(m); err != nil {
		return err
	}
	if v.posted() {
		form.Chosen = v.form["role_slugs"]
	}
	if v.decided() {
		changed, err := v.door.rules.UpdateMember(v.Context(), v.caller, m.ID, form.input())
		if err == nil {
			var back *undo
			if lasting && len(had) > 0 {
				back = &undo{Action: v.MemberPath(m, "roles"), Fields: map[string][]string{"role_slugs": had}}
			}
			return v.doneUndoably(v.MemberPath(m), form.Called+" now has "+heldNames(changed.Held)+".", back)
		}
		if !v.blame(err) {
			return err
		}
	}
	if len(form.Chosen) > 0 {
		will := s.outlook(form.Chosen)
		form.Outlook = &will
	}
	v.example(form.example())
	return v.show("member_roles.html", "Roles of "+form.Called, v.underMember(o, m), form)
}

func (f memberRolesForm) example() Call {
	slugs := append([]string{}, f.Chosen...)
	return Call{
		What: "Replace the roles of the membership", Method: "PUT", Path: "/user_management/organization_memberships/" + string(f.ID), Body: map[string]any{"role_slugs": slugs},
		Node: "userManagement.updateOrganizationMembership(" + encode(f.ID, "") + ", " + encode(map[string]any{"roleSlugs": slugs}, "") + ")",
	}
}

// heldNames names effective roles in a sentence.
func heldNames(held []authz.Held) string {
	names := make([]string, len(held))
	for i, h := range held {
		names[i] = h.Role.Name
	}
	return strings.Join(names, ", ")
}
