package dashboard

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// memberEnd is what a member would lose.
type memberEnd struct {
	authz.Member
	Organization authz.Organization
	Called       string
	Roles        []heldRole
	Permissions  int // that the member loses on the organization
	Below        int // rights on resources below it that the member loses beside those: a permission on a resource each
	Groups       authz.Count
	OnResources  authz.Count // assignments on resources below the organization
	direct       []string    // the roles that were given directly, where that is all there is
}

func (v *visit) memberEnd() (memberEnd, error) {
	m, o, err := v.member()
	if err != nil {
		return memberEnd{}, err
	}
	end := memberEnd{Member: m, Organization: o, Called: called(m.Person)}
	if end.Roles, err = v.finder().heldRoles(m); err != nil {
		return end, err
	}
	impact, err := v.memberImpact(authz.SupposeDeleteMember(m.ID))
	if err != nil {
		return end, err
	}
	if impact != nil {
		end.Permissions, end.Below = lost(impact.Loses, authz.OrganizationResource(o.ID))
	}
	first := page.Request{Limit: page.MaxLimit, Order: page.Asc}
	groups, err := v.door.rules.ListMemberGroups(v.Context(), v.caller, m.ID, first)
	if err != nil {
		return end, err
	}
	end.Groups = authz.Count{N: len(groups.Items), More: groups.After != ""}
	return end, v.addOwnAssignments(&end)
}

// lost counts the rights on the organization itself, and those on resources below it that do not come from there.
func lost(rights []authz.Right, home id.Resource) (here, below int) {
	whole := map[string]bool{}
	for _, r := range rights {
		if r.Resource == home {
			whole[r.Permission] = true
		}
	}
	for _, r := range rights {
		if r.Resource != home && !whole[r.Permission] {
			below++
		}
	}
	return len(whole), below
}

// addOwnAssignments counts what the member has on resources, and keeps what adding the person again would bring back.
func (v *visit) addOwnAssignments(end *memberEnd) error {
	all, err := v.door.rules.ListRoleAssignments(v.Context(), v.caller, end.ID, authz.ResourceRef{}, page.Request{Limit: page.MaxLimit, Order: page.Asc})
	if err != nil {
		return err
	}
	whole := all.After == "" && end.Groups.N == 0 && end.Status == authz.StatusActive
	home := authz.OrganizationResource(end.Organization.ID)
	end.OnResources.More = all.After != ""
	for _, a := range all.Items {
		if a.Resource != home {
			end.OnResources.N++
		}
		whole = whole && a.Resource == home && a.Source == authz.SourceManual && a.StartsAt.IsZero() && a.ExpiresAt.IsZero()
		end.direct = append(end.direct, a.Slug)
	}
	if !whole {
		end.direct = nil
	}
	return nil
}

func deactivateMember(v *visit) error {
	end, err := v.memberEnd()
	if err != nil {
		return err
	}
	m := end.Member
	if v.posted() {
		_, err := v.door.rules.DeactivateMember(v.Context(), v.caller, m.ID)
		if err == nil {
			return v.doneUndoably(v.MemberPath(m), end.Called+" is inactive in "+end.Organization.Name+": checks answer no.", &undo{Action: v.MemberPath(m, "reactivate")})
		}
		if !v.blame(err) {
			return err
		}
	}
	v.example(statusCall(m, "Deactivate the membership", "deactivate", "userManagement.deactivateOrganizationMembership"))
	return v.show("member_deactivate.html", "Deactivate "+end.Called, v.underMember(end.Organization, m), end)
}

func reactivateMember(v *visit) error {
	end, err := v.memberEnd()
	if err != nil {
		return err
	}
	m := end.Member
	if v.posted() {
		_, err := v.door.rules.ReactivateMember(v.Context(), v.caller, m.ID)
		if err == nil {
			return v.doneUndoably(v.MemberPath(m), end.Called+" is active again in "+end.Organization.Name+".", &undo{Action: v.MemberPath(m, "deactivate")})
		}
		if !v.blame(err) {
			return err
		}
	}
	v.example(statusCall(m, "Reactivate the membership", "reactivate", "userManagement.reactivateOrganizationMembership"))
	return v.show("member_reactivate.html", "Reactivate "+end.Called, v.underMember(end.Organization, m), end)
}

func statusCall(m authz.Member, what, verb, node string) Call {
	return Call{What: what, Method: "PUT", Path: "/user_management/organization_memberships/" + string(m.ID) + "/" + verb, Node: node + "(" + encode(m.ID, "") + ")"}
}

func removeMember(v *visit) error {
	end, err := v.memberEnd()
	if err != nil {
		return err
	}
	m, o := end.Member, end.Organization
	if v.posted() {
		err := v.door.rules.DeleteMember(v.Context(), v.caller, m.ID)
		if err == nil {
			return v.doneUndoably(v.In(o.ID, "members"), end.Called+" is no longer a member of "+o.Name+".", end.undo(v.In(o.ID, "new", "member")))
		}
		if !v.blame(err) {
			return err
		}
	}
	v.example(Call{What: "Delete the membership", Method: "DELETE", Path: "/user_management/organization_memberships/" + string(m.ID), Node: "userManagement.deleteOrganizationMembership(" + encode(m.ID, "") + ")"})
	return v.show("member_remove.html", "Remove "+end.Called, v.underMember(o, m), end)
}

// undo is the form that adds the person again, where that brings back all that there was.
func (e memberEnd) undo(action string) *undo {
	if len(e.direct) == 0 {
		return nil
	}
	return &undo{Action: action, Fields: map[string][]string{"user_id": {string(e.Person.ID)}, "role_slugs": e.direct}}
}
