package authz

import (
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// ofMember is a supposition about one membership.
func ofMember(m id.Membership, suppose func(Reader, Caller, Membership, *supposed) error) Supposition {
	return func(r Reader, c Caller) (supposed, error) {
		found, err := membership(r, c, m)
		if err != nil {
			return supposed{}, err
		}
		s := supposed{owner: found.Organization, scope: Scope{Organization: found.Organization, Membership: m}}
		err = suppose(r, c, found, &s)
		return s, err
	}
}

// SupposeDeactivateMember is DeactivateMember.
func SupposeDeactivateMember(m id.Membership) Supposition {
	return ofMember(m, func(_ Reader, _ Caller, found Membership, s *supposed) error {
		if found.Status == StatusPending {
			return pendingRefusal("deactivate")
		}
		s.idle = true
		return nil
	})
}

// SupposeDeleteMember is DeleteMember.
func SupposeDeleteMember(m id.Membership) Supposition {
	return ofMember(m, func(_ Reader, _ Caller, _ Membership, s *supposed) error {
		s.leave = true
		return nil
	})
}

// SupposeRemoveGroupMember is RemoveGroupMember.
func SupposeRemoveGroupMember(org id.Organization, g id.Group, m id.Membership) Supposition {
	return ofMember(m, func(r Reader, c Caller, _ Membership, s *supposed) error {
		group, err := groupIn(r, c, org, g)
		if err != nil {
			return err
		}
		in, err := r.InGroup(group, m)
		if err == nil && !in {
			err = fault.Missing("Organization membership", string(m))
		}
		s.drop = func(a Assignment) bool { return a.Group == g }
		return err
	})
}

// SupposeRemoveRoleAssignment is RemoveRoleAssignment of an assignment that the membership has itself.
func SupposeRemoveRoleAssignment(m id.Membership, which id.Assignment) Supposition {
	return ofMember(m, func(r Reader, _ Caller, found Membership, s *supposed) error {
		stored, ok, err := r.Assignment(found.Organization, which)
		if err == nil && (!ok || stored.Membership != m) {
			err = fault.Missing("Role assignment", string(which))
		}
		s.drop = func(a Assignment) bool { return a.ID == which }
		return err
	})
}
