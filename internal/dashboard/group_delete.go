package dashboard

import (
	"slices"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// atOnce is how many members an impact is worked out for within the panel that asks; for more it follows on its own.
const atOnce = 1000

// aftermath is what a deletion would do, to be shown before it is confirmed.
type aftermath struct {
	Later   string // the address of the impact, where it takes too long to wait for
	Known   bool
	Impact  authz.Impact
	Members []concerned
	All     string // the address of the whole impact
	More    bool   // whether the address shows more than this
	Next    string
}

// concerned is a member whom a change would concern.
type concerned struct {
	Who           somebody
	Before, After []string // effective roles
	Gains, Loses  []shownRight
	More          int // rights that are not listed
}

// shownRight is a permission on a resource, without a name where that is the organization.
type shownRight struct {
	Permission string
	On         namedLink
}

// fewRights is how many rights of one member a page lists.
const fewRights = 12

// aftermath works out what a change would do, a page of it at a time.
func (v *visit) aftermath(org id.Organization, suppose authz.Supposition, all string) (aftermath, error) {
	after := v.query.Get("after")
	impact, err := v.door.rules.Preview(v.Context(), v.caller, suppose, authz.ImpactRequest{Limit: rows, After: after})
	if err != nil {
		return aftermath{}, err
	}
	c := aftermath{Known: true, Impact: impact, All: all, Next: v.pages("", impact.After).Next}
	c.More = impact.After != "" && (v.inDialog() || v.Here() != all)
	find := v.finder(org)
	for _, m := range impact.Members {
		m.Gains, m.Loses = find.widest(m.Gains), find.widest(m.Loses)
		one := concerned{Before: m.Before, After: m.After, More: max(0, len(m.Gains)-fewRights) + max(0, len(m.Loses)-fewRights)}
		if one.Who, err = find.member(m.ID); err != nil {
			return c, err
		}
		if one.Gains, err = find.rights(m.Gains); err != nil {
			return c, err
		}
		if one.Loses, err = find.rights(m.Loses); err != nil {
			return c, err
		}
		c.Members = append(c.Members, one)
	}
	return c, nil
}

// widest leaves out rights on resources that the whole organization's imply.
func (f *finder) widest(rights []authz.Right) []authz.Right {
	home := authz.OrganizationResource(f.org)
	return slices.DeleteFunc(slices.Clone(rights), func(r authz.Right) bool {
		return r.Resource != home && slices.Contains(rights, authz.Right{Permission: r.Permission, Resource: home})
	})
}

func (f *finder) rights(rights []authz.Right) ([]shownRight, error) {
	shown := make([]shownRight, 0, min(len(rights), fewRights))
	for _, r := range rights[:min(len(rights), fewRights)] {
		one := shownRight{Permission: r.Permission}
		if r.Resource != authz.OrganizationResource(f.org) {
			on, err := f.resource(r.Resource)
			if err != nil {
				return nil, err
			}
			one.On = on
		}
		shown = append(shown, one)
	}
	return shown, nil
}

// beforehand is aftermath for a panel: of many members they follow on their own.
func (v *visit) beforehand(org id.Organization, members authz.Count, suppose authz.Supposition, all string) (aftermath, error) {
	if members.More || members.N > atOnce {
		return aftermath{Later: all, All: all}, nil
	}
	return v.aftermath(org, suppose, all)
}

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
	if v.posted() {
		err := v.door.rules.DeleteGroup(v.Context(), v.caller, at.Owner, at.ID)
		if err == nil {
			return v.done(v.ownerPath(at.Owner, "groups"), "Group “"+at.Name+"” was deleted. Its members stay in the organization.")
		}
		if !v.blame(err) {
			return err
		}
	}
	form := groupDeletion{groupAt: at}
	if form.Size, err = v.door.rules.GroupSize(v.Context(), v.caller, at.Owner, at.ID); err != nil {
		return err
	}
	if form.Aftermath, err = v.beforehand(at.Owner, form.Size.Members, authz.SupposeDeleteGroup(at.Owner, at.ID), at.Below("impact")); err != nil {
		return err
	}
	v.example(previewCall(groupURL(at.Group)+"?"), Call{What: "Delete the group", Method: "DELETE", Path: groupURL(at.Group),
		Node: sdk("groups.deleteGroup", map[string]any{"organizationId": at.Owner, "groupId": at.ID})})
	return v.show("group_delete.html", "Delete "+at.Name, at.above, form)
}

// previewCall asks what a deletion would do.
func previewCall(path string) Call {
	return Call{What: "See what it would do, without doing it", Method: "DELETE", Path: path + "preview=true"}
}

// impactPage is all that a deletion would do.
type impactPage struct {
	Aftermath  aftermath
	Pager      pager
	What, Back string
}

func groupImpact(v *visit) error {
	at, err := v.group()
	if err != nil {
		return err
	}
	shown, err := v.aftermathPage(at.Owner, authz.SupposeDeleteGroup(at.Owner, at.ID))
	if err != nil {
		return err
	}
	v.example(previewCall(groupURL(at.Group) + "?"))
	return v.show("impact.html", "What deleting "+at.Name+" would do", at.above, impactPage{shown, pager{Next: shown.Next}, "group “" + at.Name + "”", at.Below("delete")})
}

// aftermathPage is aftermath for the address that shows nothing else. A cursor that is none is refused by name.
func (v *visit) aftermathPage(org id.Organization, suppose authz.Supposition) (aftermath, error) {
	if after := v.query.Get("after"); after != "" && !isCursor[id.Membership](after) {
		return aftermath{}, fault.BadField("after", "is not a cursor of this list")
	}
	return v.aftermath(org, suppose, v.Here())
}
