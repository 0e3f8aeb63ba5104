package authz

import (
	"context"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// Question asks whether a membership holds a permission on a resource.
type Question struct {
	Membership id.Membership
	Permission string
	Resource   ResourceRef
}

// ResourceRef names a resource by its id or by external id and type. The zero value is the organization itself (C12).
type ResourceRef struct {
	ID           id.Resource
	ExternalID   string
	ResourceType string
}

// OrganizationResource is the id of the implicit resource of an organization (R202).
func OrganizationResource(org id.Organization) id.Resource { return id.Retype[id.Resource](org) }

// Check answers a question over one snapshot that includes every change acknowledged before it was asked (R211). It
// only reads. An unknown membership, permission or resource is not found (R213).
func (s *Service) Check(ctx context.Context, c Caller, q Question) (Decision, error) {
	return read(ctx, s, func(r Reader) (Decision, error) {
		m, err := membership(r, c, q.Membership)
		if err != nil {
			return Decision{}, err
		}
		if _, err := permission(r, c, q.Permission); err != nil {
			return Decision{}, err
		}
		if err := reachable(r, c, m, q.Resource); err != nil {
			return Decision{}, err
		}
		f, err := facts(r, c, m)
		if err != nil {
			return Decision{}, err
		}
		return Decide(f, q.Permission), nil
	})
}

// facts reads what a decision about m depends on.
func facts(r Reader, c Caller, m Membership) (Facts, error) {
	policy, err := loadPolicy(r, c, m.Organization)
	if err != nil {
		return Facts{}, err
	}
	f := Facts{Membership: m, Policy: policy}
	if f.Assignments, err = r.Assignments(m.Organization, m.ID); err != nil {
		return Facts{}, err
	}
	var inEffect []id.Role // the permissions of others cannot matter
	for _, h := range EffectiveRoles(f) {
		inEffect = append(inEffect, h.Role.ID)
	}
	return f, policy.addPermissions(r, inEffect)
}

// reachable finds the resource of a question. The only resource of a membership is its own organization so far, by
// its resource id, or by the organization's id or external id as external id (C27). The external id is compared with
// those two alone, never looked up: an external id made to look like another organization's id leads nowhere.
func reachable(r Reader, c Caller, m Membership, ref ResourceRef) error {
	switch {
	case ref == ResourceRef{}:
		return nil
	case ref.ID != "":
		if ref.ID == OrganizationResource(m.Organization) {
			return nil
		}
		return fault.Missing("Resource", string(ref.ID))
	case ref.ResourceType == OrganizationType && ref.ExternalID == string(m.Organization):
		return nil
	case ref.ResourceType == OrganizationType:
		org, err := organization(r, c, m.Organization)
		if err != nil {
			return err
		}
		if org.ExternalID != nil && *org.ExternalID == ref.ExternalID {
			return nil
		}
	}
	return fault.Missing("Resource", ref.ExternalID)
}
