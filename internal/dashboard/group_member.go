package dashboard

import (
	"slices"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// someFound is how many members a search in a panel shows.
const someFound = 10

// memberSearch is the members of an organization from whom one is picked.
type memberSearch struct {
	Search string
	Found  []somebody
	More   bool // whether more were found than are shown
}

// findMembers finds what was searched for: in the address or, once something was picked, in the form.
func (v *visit) findMembers(org id.Organization) (memberSearch, error) {
	s := memberSearch{Search: v.query.Get("search")}
	if v.posted() {
		s.Search = v.typed("search")
	}
	found, err := v.door.rules.ListMembers(v.Context(), v.caller, authz.MembershipFilter{Organization: org, Statuses: anyStatus, Search: s.Search}, firstOf(someFound))
	if err != nil {
		return s, err
	}
	for _, m := range found.Items {
		s.Found = append(s.Found, v.somebody(m))
	}
	s.More = found.After != ""
	return s, nil
}

type groupMemberForm struct {
	groupAt
	memberSearch
	In map[id.Membership]bool // those of the found who are in the group already
}

// markIn finds out who of the found is in the group already.
func (v *visit) markIn(form *groupMemberForm) error {
	form.In = map[id.Membership]bool{}
	for _, s := range form.Found {
		in, err := v.door.rules.ListMemberGroups(v.Context(), v.caller, s.ID, firstOf(authz.MaxMemberGroups))
		if err != nil {
			return err
		}
		form.In[s.ID] = slices.ContainsFunc(in.Items, func(g authz.Group) bool { return g.ID == form.ID })
	}
	return nil
}

func addGroupMember(v *visit) error {
	at, err := v.group()
	if err != nil {
		return err
	}
	if v.posted() {
		m := id.Membership(v.typed("organization_membership_id"))
		_, err := v.door.rules.AddGroupMember(v.Context(), v.caller, at.Owner, at.ID, m)
		if err == nil {
			return v.movedInGroup(at, m, " is in “"+at.Name+"” now and holds its roles.", "remove-member")
		}
		if !v.blameNaming(err, "organization_membership_id") {
			return err
		}
	}
	form := groupMemberForm{groupAt: at}
	if form.memberSearch, err = v.findMembers(at.Owner); err != nil {
		return err
	}
	if err := v.markIn(&form); err != nil {
		return err
	}
	v.example(groupCalls(at.Group)[2])
	return v.show("group_member.html", "Add a member to "+at.Name, at.above, form)
}

func removeGroupMember(v *visit) error {
	at, err := v.group()
	if err != nil {
		return err
	}
	if !v.posted() {
		return v.leave(at.Path)
	}
	m := id.Membership(v.typed("organization_membership_id"))
	err = v.door.rules.RemoveGroupMember(v.Context(), v.caller, at.Owner, at.ID, m)
	if fault.Is(err, fault.NotFound) {
		return v.done(at.Path, "That member was not in the group any more.")
	}
	if err != nil {
		return err
	}
	return v.movedInGroup(at, m, " left “"+at.Name+"” and holds nothing through it any more.", "add-member")
}

// movedInGroup ends a form that put somebody into a group or took somebody out.
func (v *visit) movedInGroup(at groupAt, m id.Membership, told, back string) error {
	who, err := v.finder().member(at.Owner, m)
	if err != nil {
		return err
	}
	return v.doneUndoably(at.Path, who.Name+told, &undo{Action: at.Below(back), Fields: map[string][]string{"organization_membership_id": {string(m)}}})
}
