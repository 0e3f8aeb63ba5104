package api

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/web"
)

// groupAssignment reads which assignment of a group a path names. Inside it has the id of any assignment.
func (r *request) groupAssignment() (id.Assignment, error) {
	a, err := pathID[id.GroupAssignment](r, "role_assignment_id", "Group role assignment")
	if err != nil {
		return "", err
	}
	return id.Retype[id.Assignment](a), nil
}

func listGroupRoleAssignments(r *request) (page.Page[authz.RoleAssignment], error) {
	g, err := r.group("group_id")
	if err != nil {
		return page.Page[authz.RoleAssignment]{}, err
	}
	p, err := pageOf[id.GroupAssignment](r, page.Desc)
	if err != nil {
		return page.Page[authz.RoleAssignment]{}, err
	}
	for _, cursor := range []*string{&p.Before, &p.After} {
		if *cursor != "" {
			*cursor = string(id.Retype[id.Assignment](id.GroupAssignment(*cursor)))
		}
	}
	found, err := r.api.rules.ListGroupRoleAssignments(r.Context(), r.caller, g, p)
	for _, cursor := range []*string{&found.Before, &found.After} {
		if *cursor != "" {
			*cursor = string(id.Retype[id.GroupAssignment](id.Assignment(*cursor)))
		}
	}
	return found, err
}

func getGroupRoleAssignment(r *request) (authz.RoleAssignment, error) {
	g, err := r.group("group_id")
	if err != nil {
		return authz.RoleAssignment{}, err
	}
	a, err := r.groupAssignment()
	if err != nil {
		return authz.RoleAssignment{}, err
	}
	return r.api.rules.GroupRoleAssignment(r.Context(), r.caller, g, a)
}

func assignGroupRole(r *request) (authz.RoleAssignment, error) {
	g, err := r.group("group_id")
	if err != nil {
		return authz.RoleAssignment{}, err
	}
	in, err := r.newAssignment()
	if err != nil {
		return authz.RoleAssignment{}, err
	}
	return r.api.rules.AssignGroupRole(r.Context(), r.caller, g, in)
}

// given reads what a group is to have. What is malformed is named by its index.
func (in GroupRoleAssignments) given() ([]authz.NewAssignment, error) {
	const field = "role_assignments"
	entries, err := web.DecodeItems(field, in.RoleAssignments.Value)
	if err != nil {
		return nil, err
	}
	wanted := make([]authz.NewAssignment, len(entries))
	for i, entry := range entries {
		if wanted[i], err = entry.given(); fault.Is(err, fault.Invalid) {
			return nil, fault.BadFields(web.Indexed(field, i, fault.Of(err))...)
		} else if err != nil {
			return nil, err
		}
	}
	return wanted, nil
}

func replaceGroupRoleAssignments(r *request) (page.Page[authz.RoleAssignment], error) {
	g, err := r.group("group_id")
	if err != nil {
		return page.Page[authz.RoleAssignment]{}, err
	}
	in, err := web.Decode[GroupRoleAssignments](r.body)
	if err != nil {
		return page.Page[authz.RoleAssignment]{}, err
	}
	wanted, err := in.given()
	if err != nil {
		return page.Page[authz.RoleAssignment]{}, err
	}
	return r.api.rules.ReplaceGroupRoleAssignments(r.Context(), r.caller, g, wanted)
}

func unassignGroupRole(r *request) error {
	g, err := r.group("group_id")
	if err != nil {
		return err
	}
	which, err := r.criteria()
	if err != nil {
		return err
	}
	return r.api.rules.UnassignGroupRole(r.Context(), r.caller, g, which)
}

func removeGroupRoleAssignment(r *request) error {
	g, err := r.group("group_id")
	if err != nil {
		return err
	}
	a, err := r.groupAssignment()
	if err != nil {
		return err
	}
	return r.api.rules.RemoveGroupRoleAssignment(r.Context(), r.caller, g, a)
}
