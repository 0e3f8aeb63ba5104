package authz

import (
	"slices"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
)

// suppose is what the deletion would alter.
func (d deletion) suppose() supposed {
	return supposed{
		owner: d.role.Organization, scope: Scope{Organization: d.role.Organization},
		policy: func(p *Policy) {
			if to := d.newDefaultOf(*p); to != "" {
				p.Default = to
			}
			instead := Replacement{Role: d.replacement}
			if d.replacement == "" {
				instead = Replacement{Role: p.Default, Default: true}
			}
			p.Retired[d.role.ID] = instead
			p.Roles = slices.DeleteFunc(p.Roles, func(r Role) bool { return r.ID == d.role.ID })
		},
	}
}

// SupposeRemoveRole is RemoveRole.
func SupposeRemoveRole(org id.Organization, slug string, in RoleDeletion) Supposition {
	return func(r Reader, c Caller) (supposed, error) {
		d, err := planDeletion(r, c, org, slug, in)
		return d.suppose(), err
	}
}

// SupposeRolePermissions is EditRolePermissions.
func SupposeRolePermissions(org id.Organization, slug string, edit PermissionEdit) Supposition {
	return func(r Reader, c Caller) (supposed, error) {
		if err := ownerExists(r, c, org); err != nil {
			return supposed{}, err
		}
		role, err := ownRole(r, c, org, slug)
		if err != nil {
			return supposed{}, err
		}
		permissions, err := edit.apply(r, c, role)
		return supposed{owner: org, scope: Scope{Organization: org}, policy: func(p *Policy) {
			for i := range p.Roles {
				if p.Roles[i].ID == role.ID {
					p.Roles[i].Permissions = permissions
				}
			}
		}}, err
	}
}

// SupposeDeletePermission is DeletePermission.
func SupposeDeletePermission(slug string) Supposition {
	return func(r Reader, c Caller) (supposed, error) {
		_, err := ownPermission(r, c, slug)
		return supposed{policy: func(p *Policy) {
			for i := range p.Roles {
				p.Roles[i].Permissions = without(p.Roles[i].Permissions, slug)
			}
		}}, err
	}
}

// SupposeDefault is SetDefault.
func SupposeDefault(org id.Organization, slug string) Supposition {
	return func(r Reader, c Caller) (supposed, error) {
		own, err := ownPolicy(r, c, org)
		if err != nil {
			return supposed{}, err
		}
		role, err := own.organizationRole(slug)
		return supposed{owner: org, scope: Scope{Organization: org}, policy: func(p *Policy) {
			if org != "" || !p.Own {
				p.Default = role.ID
			}
		}}, err
	}
}

// SupposePriority is SetPriority.
func SupposePriority(org id.Organization, slugs []string) Supposition {
	return func(r Reader, c Caller) (supposed, error) {
		own, err := ownPolicy(r, c, org)
		if err != nil {
			return supposed{}, err
		}
		order, err := own.reorder(slugs)
		if err == nil && !slices.Equal(order, own.ids()) {
			err = settledMode(r, c)
		}
		return supposed{owner: org, scope: Scope{Organization: org}, policy: func(p *Policy) {
			if org != "" || !p.Own {
				p.Roles, _ = arrange(p.Roles, order)
			}
		}}, err
	}
}

// SupposeMultipleRoles is SetMultipleRoles.
func SupposeMultipleRoles(on bool) Supposition {
	return func(r Reader, c Caller) (supposed, error) {
		_, err := switchable(r, c, on)
		return supposed{policy: func(p *Policy) { p.Multiple = on }}, err
	}
}

// SupposeDeleteGroup is DeleteGroup.
func SupposeDeleteGroup(org id.Organization, g id.Group) Supposition {
	return func(r Reader, c Caller) (supposed, error) {
		found, err := groupIn(r, c, org, g)
		return supposeDeleteGroup(found), err
	}
}

func supposeDeleteGroup(g Group) supposed {
	return supposed{
		owner: g.Organization, scope: Scope{Organization: g.Organization, Group: g.ID},
		drop: func(a Assignment) bool { return a.Group == g.ID },
	}
}

// SupposeDeleteResource is DeleteResource.
func SupposeDeleteResource(org id.Organization, ref ResourceRef, cascade bool) Supposition {
	return func(r Reader, c Caller) (supposed, error) {
		found, err := ownedResource(r, c, org, ref)
		if err != nil {
			return supposed{}, err
		}
		if !cascade {
			if err := alone(r, found); err != nil {
				return supposed{}, err
			}
		}
		all, err := subtree(r, found)
		return supposed{owner: found.Organization, scope: Scope{Organization: found.Organization}, gone: all}, err
	}
}

// PermissionEdit changes the permissions of a role in one of three ways.
type PermissionEdit struct {
	Set    Opt[[]string] // all of them
	Add    string
	Remove string
}

// apply returns the permissions that a role would hold, sorted; an unknown permission is not found, and neither is one
// to remove that the role does not hold (R55, R57). A permission must be made for the role's resource type or one
// below it (R11).
func (e PermissionEdit) apply(r Reader, c Caller, role Role) ([]string, error) {
	switch {
	case e.Remove != "":
		if !slices.Contains(role.Permissions, e.Remove) {
			return nil, fault.Missing("Permission", e.Remove)
		}
		return without(role.Permissions, e.Remove), nil
	case e.Add != "":
		if slices.Contains(role.Permissions, e.Add) {
			return role.Permissions, nil
		}
		wanted := append(slices.Clone(role.Permissions), e.Add)
		slices.Sort(wanted)
		return wanted, fits(r, c, role, []string{e.Add})
	}
	if !e.Set.Set {
		return role.Permissions, nil
	}
	wanted := distinct(e.Set.Value)
	return wanted, fits(r, c, role, wanted)
}

// fits refuses permissions that do not exist or cannot take effect through a role (R11).
func fits(r Reader, c Caller, role Role, slugs []string) error {
	possible := slices.DeleteFunc(slices.Clone(slugs), func(s string) bool { return !permissionSlug.MatchString(s) })
	known, err := r.PermissionsBySlug(c.Environment, possible) // which takes no text that a database cannot hold
	if err != nil {
		return err
	}
	for _, slug := range slugs {
		if _, ok := known[slug]; !ok {
			return fault.Missing("Permission", slug)
		}
	}
	if role.ResourceType == OrganizationType {
		return nil
	}
	types, err := readTypes(r, c)
	if err != nil {
		return err
	}
	for _, slug := range slugs {
		if t := known[slug].ResourceType; !types.under(t, role.ResourceType) {
			return fault.New(fault.Invalid, "permission_resource_type_mismatch",
				"Permission '%s' is made for '%s' and cannot take effect through role '%s', which is held on '%s'.", slug, t, role.Slug, role.ResourceType)
		}
	}
	return nil
}
