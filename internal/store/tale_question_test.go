package store_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// may asks one question and tells the answer with its reason.
func (w *tale) may(a []string) (string, error) {
	m, err := known(w.members, "member", a[0])
	if err != nil {
		return "", err
	}
	q := authz.Question{Membership: m.ID, Permission: a[1]}
	if a[2] != "" {
		kind, external, _ := strings.Cut(a[2], ":")
		q.Resource = authz.ResourceRef{ResourceType: kind, ExternalID: external}
	}
	d, err := w.rules.Check(w.Context(), w.c, q)
	if fault.Is(err, fault.NotFound) {
		return "not found", nil
	} else if err != nil {
		return "", err
	}
	if err := w.sameInBatch(q, d); err != nil {
		return "", err
	}
	if want := w.path(a[2], m.Organization); !slices.Equal(paths(d.Reason.Path), want) {
		return "", fmt.Errorf("the reason looks at %v, the path is %v", paths(d.Reason.Path), want)
	}
	switch r := d.Reason; {
	case d.Authorized != (r.Cause == authz.CauseRole):
		return "", fmt.Errorf("authorized %v because of %s", d.Authorized, r.Cause)
	case r.Cause == authz.CauseRole:
		return fmt.Sprintf("yes because %s on %s %s", r.Held[0].Role.Slug, w.thing(r.Held[0].Resource), w.how(r.Held[0])), nil
	case r.Cause == authz.CauseNotActive:
		return fmt.Sprintf("no because the membership is %s", r.Status), nil
	}
	return "no because no role holds it", nil
}

// sameInBatch wants the question to be answered alike with others and by resource id.
func (w *tale) sameInBatch(q authz.Question, want authz.Decision) error {
	other := q
	other.Resource = authz.ResourceRef{ID: authz.OrganizationResource(w.orgOf(q.Membership))}
	if q.Resource.ExternalID != "" {
		other.Resource.ID = w.things[q.Resource.ResourceType+":"+q.Resource.ExternalID].ID
	}
	answers, err := w.rules.CheckAll(w.Context(), w.c, []authz.Question{other, q})
	if err != nil {
		return err
	}
	for _, a := range answers {
		if d := cmp.Diff(want, a.Decision); d != "" || a.Refusal != nil {
			return fmt.Errorf("in a batch: %v %s", a.Refusal, d)
		}
	}
	return nil
}

func (w *tale) orgOf(m id.Membership) id.Organization {
	for _, known := range w.members {
		if known.ID == m {
			return known.Organization
		}
	}
	return ""
}

// path is where roles must be looked for, below the organization.
func (w *tale) path(thing string, org id.Organization) (path []id.Resource) {
	if thing == "" {
		return nil
	}
	for at := w.things[thing]; ; {
		path = append(path, at.ID)
		if at.Parent == authz.OrganizationResource(org) {
			return path
		}
		at = w.things[w.thing(at.Parent)]
	}
}

func paths(rs []authz.Resource) (ids []id.Resource) {
	for _, r := range rs {
		ids = append(ids, r.ID)
	}
	return ids
}

func (w *tale) thing(r id.Resource) string {
	for name, known := range w.things {
		if known.ID == r {
			return name
		}
	}
	return "organization"
}

// how tells why a role is held.
func (w *tale) how(h authz.Held) string {
	switch {
	case h.Source == authz.SourceGroup:
		for name, g := range w.groups {
			if g.ID == h.Group {
				return "via group:" + name
			}
		}
		return "via an unknown group"
	case h.Source == authz.SourceManual:
		return "assigned"
	case h.Source == authz.SourceDefault && h.Assignment != "":
		return "given as default"
	case h.Source == authz.SourceDefault:
		return "as the current default"
	}
	return "by " + string(h.Source)
}

// roles tells the effective roles on the organization, and wants both ways of reading a member to show the same.
func (w *tale) roles(a []string) (string, error) {
	m, err := known(w.members, "member", a[0])
	if err != nil {
		return "", err
	}
	member, err := w.rules.Member(w.Context(), w.c, m.ID)
	if err != nil {
		return "", err
	}
	words := make([]string, len(member.Held))
	for i, h := range member.Held {
		words[i] = h.Role.Slug + " " + w.how(h)
	}
	return strings.Join(words, ", "), nil
}

// permissions lists what a member may, which is what checks allow.
func (w *tale) permissions(a []string) (string, error) {
	var all []string
	for _, p := range w.catalog {
		answer, err := w.may([]string{a[0], p, a[1]})
		if err != nil {
			return "", err
		}
		if strings.HasPrefix(answer, "yes ") {
			all = append(all, p)
		}
	}
	if slices.Sort(all); len(all) == 0 {
		return "none", nil
	}
	return strings.Join(all, ", "), nil
}
