package dashboard

import (
	"slices"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// aftermath is what a deletion would do, member by member.
type aftermath struct {
	foresight
	Members []concerned
	All     string // the address of the whole of it, where this is not
}

// concerned is a member whom a change would concern.
type concerned struct {
	Who          somebody
	Gains, Loses []shownRight
	More         int // rights that are not listed
}

// shownRight is a permission on a resource, without a name where that is the organization.
type shownRight struct {
	Permission string
	On         namedLink
}

// fewRights is how many rights of one member a page lists.
const fewRights = 12

// aftermath foresees a deletion; all is the address that shows the whole of it.
func (v *visit) aftermath(org id.Organization, suppose authz.Supposition, all string) (aftermath, error) {
	f, err := v.foresee(suppose, authz.ImpactRequest{Limit: rows})
	if err != nil || f.Late {
		return aftermath{foresight: f}, err
	}
	after := aftermath{foresight: f}
	if f.After != "" {
		after.All = all
	}
	after.Members, err = v.concerned(org, f.Impact.Members)
	return after, err
}

// concerned names the members whom a change would concern, and what it would do to each.
func (v *visit) concerned(org id.Organization, members []authz.MemberImpact) ([]concerned, error) {
	find := v.finder()
	all := make([]concerned, len(members))
	for i, m := range members {
		m.Gains, m.Loses = widest(org, m.Gains), widest(org, m.Loses)
		one := concerned{More: max(0, len(m.Gains)-fewRights) + max(0, len(m.Loses)-fewRights)}
		var err error
		if one.Who, err = find.member(org, m.ID); err != nil {
			return nil, err
		}
		if one.Gains, err = find.rights(org, m.Gains); err != nil {
			return nil, err
		}
		if one.Loses, err = find.rights(org, m.Loses); err != nil {
			return nil, err
		}
		all[i] = one
	}
	return all, nil
}

// widest leaves out rights on resources that the whole organization's imply.
func widest(org id.Organization, rights []authz.Right) []authz.Right {
	home := authz.OrganizationResource(org)
	return slices.DeleteFunc(slices.Clone(rights), func(r authz.Right) bool {
		return r.Resource != home && slices.Contains(rights, authz.Right{Permission: r.Permission, Resource: home})
	})
}

func (f *finder) rights(org id.Organization, rights []authz.Right) ([]shownRight, error) {
	shown := make([]shownRight, 0, min(len(rights), fewRights))
	for _, r := range rights[:min(len(rights), fewRights)] {
		one := shownRight{Permission: r.Permission}
		if r.Resource != authz.OrganizationResource(org) {
			on, err := f.resource(org, r.Resource)
			if err != nil {
				return nil, err
			}
			one.On = on
		}
		shown = append(shown, one)
	}
	return shown, nil
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

// showImpact is the page that shows all that a deletion would do and nothing else, and so waits for it. A cursor that is
// none is refused by name.
func (v *visit) showImpact(org id.Organization, suppose authz.Supposition, title string, above []crumb, shown impactPage) error {
	after := v.query.Get("after")
	if after != "" && !isCursor[id.Membership](after) {
		return fault.BadField("after", "is not a cursor of this list")
	}
	impact, err := v.await(suppose, authz.ImpactRequest{Limit: rows, After: after})
	if err != nil {
		return err
	}
	shown.Aftermath.Impact, shown.Pager = impact, v.pages("", impact.After)
	if shown.Aftermath.Members, err = v.concerned(org, impact.Members); err != nil {
		return err
	}
	return v.show("impact.html", title, above, shown)
}
