package dashboard

import "github.com/rolecall/rolecall/internal/authz"

type groupDeletion struct {
	groupAt
	Aftermath aftermath
	Size      authz.GroupSize
}

func deleteGroup(v *visit) error {
	at, err := v.group()
	if err != nil {
		return err
	}
	if v.decided() {
		err := v.door.rules.DeleteGroup(v.Context(), v.caller, at.Owner, at.ID)
		if err == nil {
			return v.done(v.In(at.Owner, "groups"), "Group “"+at.Name+"” was deleted. Its members stay in the organization.")
		}
		if !v.blame(err) {
			return err
		}
	}
	form := groupDeletion{groupAt: at}
	if form.Size, err = v.door.rules.GroupSize(v.Context(), v.caller, at.Owner, at.ID); err != nil {
		return err
	}
	if form.Aftermath, err = v.aftermath(at.Owner, authz.SupposeDeleteGroup(at.Owner, at.ID), at.Below("impact")); err != nil {
		return err
	}
	v.example(previewCall(groupURL(at.Group)+"?"), Call{What: "Delete the group", Method: "DELETE", Path: groupURL(at.Group),
		Node: sdk("groups.deleteGroup", map[string]any{"organizationId": at.Owner, "groupId": at.ID})})
	return v.show("group_delete.html", "Delete "+at.Name, at.above, form)
}

func groupImpact(v *visit) error {
	at, err := v.group()
	if err != nil {
		return err
	}
	v.example(previewCall(groupURL(at.Group) + "?"))
	return v.showImpact(at.Owner, authz.SupposeDeleteGroup(at.Owner, at.ID), "What deleting "+at.Name+" would do", at.above,
		impactPage{What: "group “" + at.Name + "”", Back: at.Below("delete")})
}
