package authz

import (
	"context"
	"maps"
	"slices"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// Supposition is a change to be looked at before it is made. It is refused as the change itself would be.
type Supposition func(Reader, Caller) (supposed, error)

// supposed is how a change would alter what decisions depend on.
type supposed struct {
	owner  id.Organization       // whose matter the change is; empty for the environment's
	scope  Scope                 // the memberships that it can concern
	policy func(*Policy)         // alters the policy of an organization; nil: not at all
	drop   func(Assignment) bool // the assignments that would be gone; nil: none
	gone   []Resource            // the resource that would be gone, with what is below it
	idle   bool                  // whether the memberships would be inactive
	leave  bool                  // whether they would be gone
}

// Right is a permission on a resource and everything below it.
type Right struct {
	Permission string
	Resource   id.Resource
}

// MemberImpact is what a change would do to one membership.
type MemberImpact struct {
	Membership
	Before, After []string // effective roles, by slug
	Gains, Loses  []Right  // sorted
}

// ImpactTotals counts memberships: those whose roles or rights would be others, and of them those that would gain and
// those that would lose a right. One can do both.
type ImpactTotals struct{ Changed, Gaining, Losing, Organizations int }

// OrganizationImpact is the same for the memberships of one organization.
type OrganizationImpact struct {
	Organization             id.Organization
	Name                     string
	Changed, Gaining, Losing int
}

// ImpactRequest asks for part of an impact: a page of the memberships concerned, or of the organizations.
type ImpactRequest struct {
	ByOrganization bool
	Limit          int    // 1 to page.MaxLimit
	After          string // id of the last item of the page before; empty for the first page
}

// Impact is exactly what a change would do: who would hold which other roles and rights. Totals are there on the first
// page only, for they need all of it.
type Impact struct {
	Totals        *ImpactTotals
	Members       []MemberImpact
	Organizations []OrganizationImpact
	After         string // cursor of the next page, empty where none follows
}

// Preview says what a change would do, without doing anything.
func (s *Service) Preview(ctx context.Context, c Caller, suppose Supposition, req ImpactRequest) (Impact, error) {
	return read(ctx, s, func(r Reader) (Impact, error) {
		sup, err := suppose(r, c)
		if err != nil {
			return Impact{}, err
		}
		if err := MayCause(c.Only, sup.owner, nil); err != nil {
			return Impact{}, err
		}
		from, err := start(r, c, req)
		if err != nil {
			return Impact{}, err
		}
		report := reporter{req: req}
		if req.After == "" {
			report.totals = &ImpactTotals{}
		}
		w := newWhatIf(r, c, s.instant(), sup)
		if err := w.walk(from, report.add); err != nil {
			return Impact{}, err
		}
		return report.impact(r, c)
	})
}

// start finds the position that a page begins after.
func start(r Reader, c Caller, req ImpactRequest) (Position, error) {
	switch {
	case req.After == "":
		return Position{}, nil
	case req.ByOrganization:
		org, ok := id.Parse[id.Organization](req.After)
		if !ok {
			return Position{}, fault.BadField("after", "must be the id of an organization of the page before")
		}
		return Position{Organization: org, Membership: lastMembership}, nil
	}
	m, err := membership(r, c, id.Membership(req.After))
	if err != nil {
		return Position{}, fault.BadField("after", "must be the id of a membership of the page before")
	}
	return Position{Organization: m.Organization, Membership: m.ID}, nil
}

// lastMembership sorts behind every membership.
const lastMembership = id.Membership("~")

// reporter gathers impacts into one page and its totals.
type reporter struct {
	req     ImpactRequest
	totals  *ImpactTotals
	members []MemberImpact
	orgs    []OrganizationImpact
	last    id.Organization
}

// add takes the next impact and says whether more are wanted.
func (p *reporter) add(i MemberImpact) bool {
	if p.totals != nil {
		p.totals.count(i, p.last != i.Organization)
	}
	full := false
	if p.req.ByOrganization {
		if p.last != i.Organization && len(p.orgs) <= p.req.Limit {
			p.orgs = append(p.orgs, OrganizationImpact{Organization: i.Organization})
		}
		if at := len(p.orgs) - 1; p.orgs[at].Organization == i.Organization {
			p.orgs[at].count(i)
		}
		full = len(p.orgs) > p.req.Limit
	} else {
		if len(p.members) <= p.req.Limit {
			p.members = append(p.members, i)
		}
		full = len(p.members) > p.req.Limit
	}
	p.last = i.Organization
	return !full || p.totals != nil
}

func (t *ImpactTotals) count(i MemberImpact, another bool) {
	t.Changed++
	if len(i.Gains) > 0 {
		t.Gaining++
	}
	if len(i.Loses) > 0 {
		t.Losing++
	}
	if another {
		t.Organizations++
	}
}

func (o *OrganizationImpact) count(i MemberImpact) {
	o.Changed++
	if len(i.Gains) > 0 {
		o.Gaining++
	}
	if len(i.Loses) > 0 {
		o.Losing++
	}
}

func (p *reporter) impact(r Reader, c Caller) (Impact, error) {
	out := Impact{Totals: p.totals, Members: p.members, Organizations: p.orgs}
	if len(p.members) > p.req.Limit {
		out.Members = p.members[:p.req.Limit]
		out.After = string(out.Members[p.req.Limit-1].ID)
	}
	if len(p.orgs) > p.req.Limit {
		out.Organizations = p.orgs[:p.req.Limit]
		out.After = string(out.Organizations[p.req.Limit-1].Organization)
	}
	if len(out.Organizations) == 0 {
		return out, nil
	}
	ids := column(out.Organizations, func(o OrganizationImpact) id.Organization { return o.Organization })
	names, err := r.OrganizationNames(c.Environment, ids)
	for i, o := range out.Organizations {
		out.Organizations[i].Name = names[o.Organization]
	}
	return out, err
}

// permitSupposed asks for everything that anybody would gain by a change, now or once a membership is active again or
// loses what stands above.
func (ch *change) permitSupposed(org id.Organization, sup supposed) error {
	if !ch.caller.limited() {
		return ch.permit(org)
	}
	gains := map[string]bool{}
	w := newWhatIf(ch, ch.caller, ch.now, sup)
	w.latent = true
	err := w.walk(Position{}, func(i MemberImpact) bool {
		for _, g := range i.Gains {
			gains[g.Permission] = true
		}
		return true
	})
	if err != nil {
		return err
	}
	return ch.permit(org, slices.Sorted(maps.Keys(gains))...)
}
