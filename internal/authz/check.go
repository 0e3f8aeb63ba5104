package authz

import (
	"context"
	"slices"
	"time"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// Question asks whether a membership holds a permission on a resource.
type Question struct {
	Membership id.Membership
	Permission string
	Resource   ResourceRef
	Explain    bool // the path of the reason ends with the organization's own resource, by its name
}

// ResourceRef names a resource by its id or by external id and type. The zero value is the organization itself (C12).
type ResourceRef struct {
	ID           id.Resource
	ExternalID   string
	ResourceType string
}

// MaxQuestions is how many questions one batch may hold.
const MaxQuestions = 1000

// Answer is what one question of a batch got: a decision, or the refusal that the question alone would have got.
type Answer struct {
	Question Question
	Decision Decision
	Refusal  *fault.Error
}

// Check answers a question over one snapshot that includes every change acknowledged before it was asked (R211). It
// only reads. An unknown membership, permission or resource is not found (R213).
func (s *Service) Check(ctx context.Context, c Caller, q Question) (Decision, error) {
	return read(ctx, s, func(r Reader) (Decision, error) { return newAsker(r, c, s.instant()).ask(q) })
}

// CheckAll answers questions over one snapshot, each as Check would.
func (s *Service) CheckAll(ctx context.Context, c Caller, qs []Question) ([]Answer, error) {
	if len(qs) == 0 || len(qs) > MaxQuestions {
		return nil, fault.BadField("checks", "must hold 1 to %d questions", MaxQuestions)
	}
	return read(ctx, s, func(r Reader) ([]Answer, error) {
		a := newAsker(r, c, s.instant())
		answers := make([]Answer, len(qs))
		for i, q := range qs {
			d, err := a.ask(q)
			if f := fault.Of(err); f != nil && f.Kind != fault.NotFound {
				return nil, err
			} else if f != nil {
				answers[i].Refusal = f
			}
			answers[i].Question, answers[i].Decision = q, d
		}
		return answers, nil
	})
}

// asker answers questions over one snapshot and remembers what several of them need.
type asker struct {
	r           Reader
	c           Caller
	at          time.Time
	policies    policies
	permissions map[ownedRole]bool // roles whose permissions are known to the policy of an organization
	catalogue   map[string]error
	roots       map[id.Organization]Resource
}

type ownedRole struct {
	organization id.Organization
	role         id.Role
}

func newAsker(r Reader, c Caller, at time.Time) *asker {
	return &asker{
		r: r, c: c, at: at, policies: policies{}, permissions: map[ownedRole]bool{}, catalogue: map[string]error{},
		roots: map[id.Organization]Resource{},
	}
}

func (a *asker) ask(q Question) (Decision, error) {
	m, err := membership(a.r, a.c, q.Membership)
	if err != nil {
		return Decision{}, err
	}
	if err := a.known(q.Permission); err != nil {
		return Decision{}, err
	}
	where, err := locate(a.r, a.c, m.Organization, q.Resource)
	if err != nil {
		return Decision{}, err
	}
	f, err := a.facts(m, where)
	if err != nil {
		return Decision{}, err
	}
	d := Decide(f, q.Permission)
	if q.Explain {
		root, err := a.root(m.Organization)
		if err != nil {
			return Decision{}, err
		}
		d.Reason.Path = append(slices.Clone(d.Reason.Path), root)
	}
	return d, nil
}

// root is the organization's own resource, where every path ends.
func (a *asker) root(org id.Organization) (Resource, error) {
	if root, known := a.roots[org]; known {
		return root, nil
	}
	o, err := organization(a.r, a.c, org)
	if err != nil {
		return Resource{}, err
	}
	a.roots[org] = o.own()
	return a.roots[org], nil
}

// known refuses a permission that the catalogue lacks.
func (a *asker) known(slug string) error {
	err, asked := a.catalogue[slug]
	if !asked {
		_, err = permission(a.r, a.c, slug)
		a.catalogue[slug] = err
	}
	return err
}

// facts reads what a decision about m at a place depends on.
func (a *asker) facts(m Membership, where place) (Facts, error) {
	if err := a.policies.read(a.r, a.c, []Membership{m}); err != nil {
		return Facts{}, err
	}
	f := Facts{At: a.at, Membership: m, Policy: a.policies[m.Organization], Path: where.path}
	of, err := a.r.AssignmentsOf(m.Organization, []id.Membership{m.ID}, where.resources(m.Organization))
	if err != nil {
		return Facts{}, err
	}
	f.Assignments = of[m.ID]
	return f, a.addPermissions(f)
}

// addPermissions reads the permissions of the roles in effect; those of others cannot matter.
func (a *asker) addPermissions(f Facts) error {
	var missing []id.Role
	for _, h := range append(EffectiveRoles(f), RolesOnPath(f)...) {
		if key := (ownedRole{f.Policy.Organization, h.Role.ID}); !a.permissions[key] {
			a.permissions[key] = true
			missing = append(missing, h.Role.ID)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return f.Policy.addPermissions(a.r, missing)
}

// place is a resource in an organization: its id and its path, which is empty for the organization's own.
type place struct {
	id   id.Resource
	path []Resource
}

// resources lists what roles can be held on so that they count at the place.
func (p place) resources(org id.Organization) []id.Resource {
	on := []id.Resource{OrganizationResource(org)}
	for _, r := range p.path {
		on = append(on, r.ID)
	}
	return on
}

// locate finds the resource that a reference names in an organization. The organization's own goes by its resource id,
// or by the organization's id or external id as external id (C27); that external id is compared with those two alone,
// never looked up: one made to look like another organization's id leads nowhere.
func locate(r Reader, c Caller, org id.Organization, ref ResourceRef) (place, error) {
	home := place{id: OrganizationResource(org)}
	if ref == (ResourceRef{}) || ref.ID == home.id {
		return home, nil
	}
	if ref.ID == "" && ref.ResourceType == OrganizationType {
		return home, ownResource(r, c, org, ref.ExternalID)
	}
	var found Resource
	var ok bool
	var err error
	name := string(ref.ID)
	if ref.ID != "" {
		found, ok, err = r.Resource(c.Environment, ref.ID)
	} else {
		name = ref.ExternalID
		found, ok, err = r.ResourceByExternalID(org, ref.ResourceType, ref.ExternalID)
	}
	if err != nil {
		return place{}, err
	}
	if !ok || found.Organization != org {
		return place{}, fault.Missing("Resource", name)
	}
	return placeOf(r, found)
}

// placeOf adds the ancestors of a resource.
func placeOf(r Reader, of Resource) (place, error) {
	above, err := r.Ancestors(of.Organization, []Resource{of})
	return place{id: of.ID, path: append([]Resource{of}, above[of.ID]...)}, err
}

// ownResource says whether an external id names an organization's own resource.
func ownResource(r Reader, c Caller, org id.Organization, externalID string) error {
	if externalID == string(org) { // which is known without reading it
		return nil
	}
	o, err := organization(r, c, org)
	if err == nil && !o.named(externalID) {
		err = fault.Missing("Resource", externalID)
	}
	return err
}
