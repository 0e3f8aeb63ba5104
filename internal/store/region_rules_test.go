package store_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/store"
)

// readers are the rules that change nothing.
var readers = []string{
	"Check", "CheckAll", "Environment", "EnvironmentByName", "EnvironmentSize", "Event", "Group", "GroupRoleAssignment",
	"GroupSize", "Job", "LastRoleChange", "ListAccess", "ListEnvironments", "ListEvents", "ListGroupMembers",
	"ListGroupRoleAssignments", "ListGroups", "ListJobs", "ListMemberGroups", "ListMembers", "ListOrganizations",
	"ListPermissions", "ListResourceAssignments", "ListResourceTypes", "ListResources", "ListRoleAssignments", "ListRoles",
	"ListUsers", "Member", "MembersWith", "Order", "Organization", "OrganizationByExternalID", "OrganizationSize",
	"Permission", "PermissionUse", "PermissionsOn", "Policy", "Preview", "Resource", "ResourceType", "ResourcesFor", "Role",
	"RoleUse", "UseOfRole", "User", "UserByExternalID", "UserSize",
}

// Every rule that changes something holds the regions of exactly what it changes: more would make others forget for
// nothing, and with less they would answer from what is no more.
func TestRulesHoldTheRegionsTheyChange(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		w := newTelling(t, s)
		w.catalogue()
		w.people()
		w.things()
		w.groups()
		w.ownRoles()
		w.removals()
		w.time()
		w.keys()
		w.ends()
		service := reflect.TypeFor[*authz.Service]()
		for m := range service.Methods() {
			if w.ran[m.Name] == slices.Contains(readers, m.Name) {
				t.Errorf("authz.Service.%s must be a step of this test or one of those that change nothing, and not both", m.Name)
			}
		}
		reader := reflect.TypeFor[authz.Reader]()
		for m := range reflect.TypeFor[authz.Tx]().Methods() {
			if _, reads := reader.MethodByName(m.Name); !reads && !w.wrote[m.Name] {
				t.Errorf("no step of this test writes by authz.Tx.%s", m.Name)
			}
		}
	})
}

func (w *telling) catalogue() {
	ctx, r := context.Background(), w.rules
	for _, slug := range []string{"a:read", "a:write"} {
		w.holds("c:env", "CreatePermission", func() error {
			return done(r.CreatePermission(ctx, w.c, authz.NewPermission{Slug: slug, Name: slug}))
		})
	}
	w.holds("c:env", "UpdatePermission", func() error {
		return done(r.UpdatePermission(ctx, w.c, "a:read", authz.Details{Name: authz.Some("Read")}))
	})
	for _, slug := range []string{"editor", "viewer", "spare"} {
		w.holds("e:env", "CreateRole", func() error {
			return done(r.CreateRole(ctx, w.c, "", authz.NewRole{Slug: authz.Some(slug), Name: slug}))
		})
	}
	w.holds("c:env", "EditRolePermissions", func() error {
		return done(r.EditRolePermissions(ctx, w.c, "", "editor", authz.PermissionEdit{Add: "a:read"}))
	})
	w.holds("c:env", "UpdateRole", func() error {
		return done(r.UpdateRole(ctx, w.c, "", "editor", authz.Details{Name: authz.Some("Writer")}))
	})
	w.holds("c:env", "ReviseRole", func() error {
		from := must(r.Role(ctx, w.c, "", "editor")).Content()
		return done(r.ReviseRole(ctx, w.c, "", "editor", from, authz.RoleContent{Name: "Editor", Permissions: []string{"a:write"}}))
	})
	w.holds("e:env", "SetPriority", func() error {
		return done(r.SetPriority(ctx, w.c, "", []string{"editor", "viewer", "spare", "member"}))
	})
	w.holds("e:env", "SetDefault", func() error { return done(r.SetDefault(ctx, w.c, "", "viewer")) })
	w.works("")
	w.holds("e:env", "DeleteRole", func() error { return r.DeleteRole(ctx, w.c, "", "spare") })
	w.holds("e:env", "SetMultipleRoles", func() error { return done(r.SetMultipleRoles(ctx, w.c, true)) })
	w.works("")
}

func (w *telling) people() {
	ctx, r := context.Background(), w.rules
	once := w.c
	once.Once = &authz.Once{Key: "k", Owner: "o", Fingerprint: "f", Render: func(any) (int, []byte, error) { return 201, nil, nil }}
	w.holds("", "CreateOrganization", func() error {
		o, err := r.CreateOrganization(ctx, once, authz.OrganizationInput{Name: authz.Some("acme")})
		w.name("acme", string(o.ID))
		return err
	})
	w.holds("", "CreateOrganization", func() error {
		w.name("other", string(w.organization("other")))
		return nil
	})
	acme := id.Organization(w.id("acme"))
	metadata, external := "v", "x1"
	w.holds("", "UpdateOrganization", func() error {
		in := authz.OrganizationInput{Metadata: authz.Some(map[string]*string{"k": &metadata})}
		return done(r.UpdateOrganization(ctx, w.c, acme, in))
	})
	w.holds("o:acme", "UpdateOrganization", func() error {
		return done(r.UpdateOrganization(ctx, w.c, acme, authz.OrganizationInput{ExternalID: authz.Some(&external)}))
	})
	w.holds("o:acme", "UpdateOrganization", func() error {
		return done(r.UpdateOrganization(ctx, w.c, acme, authz.OrganizationInput{Name: authz.Some("Acme")}))
	})
	w.holds("", "CreateUser", func() error { w.name("user", string(w.user(1))); return nil })
	w.holds("", "UpdateUser", func() error {
		return done(r.UpdateUser(ctx, w.c, id.User(w.id("user")), authz.UserInput{Name: authz.Some(&metadata)}))
	})
	for org, m := range map[string]string{"acme": "ada", "other": "eve"} { // of one user
		w.holds("", "CreateMembership", func() error {
			got, err := r.CreateMembership(ctx, w.c, id.User(w.id("user")), id.Organization(w.id(org)), asked("editor"))
			w.name(m, string(got.ID))
			return err
		})
	}
	ada := w.ada()
	w.holds("m:ada", "UpdateMember", func() error { return done(r.UpdateMember(ctx, w.c, ada, asked("viewer"))) })
	w.holds("m:ada", "DeactivateMember", func() error { return done(r.DeactivateMember(ctx, w.c, ada)) })
	w.holds("m:ada", "ReactivateMember", func() error { return done(r.ReactivateMember(ctx, w.c, ada)) })
	w.holds("m:ada", "AssignRole", func() error { return done(r.AssignRole(ctx, w.c, ada, authz.NewAssignment{Role: "editor"})) })
	w.holds("m:ada", "UnassignRole", func() error { return r.UnassignRole(ctx, w.c, ada, authz.RoleCriteria{Role: "editor"}) })
}

func (w *telling) things() {
	ctx, r := context.Background(), w.rules
	acme := id.Organization(w.id("acme"))
	for _, slug := range []string{"folder", "thing"} {
		w.holds("", "CreateResourceType", func() error { w.resourceType(slug); return nil })
	}
	w.holds("", "UpdateResourceType", func() error {
		return done(r.UpdateResourceType(ctx, w.c, "thing", authz.ResourceTypeChange{Parents: authz.Some([]string{"folder", "organization"})}))
	})
	w.role("", "helper")
	w.holds("e:env", "CreateRole", func() error {
		return done(r.CreateRole(ctx, w.c, "", authz.NewRole{Slug: authz.Some("keeper"), Name: "Keeper", ResourceType: authz.Some("folder")}))
	})
	var folder authz.Resource
	w.holds("", "CreateResource", func() error {
		folder = must(w.putResource(acme, "folder", "f", ""))
		return done(w.putResource(acme, "thing", "t", folder.ID))
	})
	w.holds("r:acme", "UpdateResource", func() error {
		return done(r.UpdateResource(ctx, w.c, acme, authz.ResourceRef{ID: folder.ID}, authz.ResourceChange{Details: authz.Details{Name: authz.Some("F")}}))
	})
	on := authz.NewAssignment{Role: "keeper", Resource: authz.ResourceRef{ID: folder.ID}}
	var given authz.RoleAssignment
	w.holds("m:ada", "AssignRole", func() (err error) { given, err = r.AssignRole(ctx, w.c, w.ada(), on); return err })
	w.holds("m:ada", "RemoveRoleAssignment", func() error { return r.RemoveRoleAssignment(ctx, w.c, w.ada(), given.ID) })
	w.holds("m:ada", "AssignRole", func() error { return done(r.AssignRole(ctx, w.c, w.ada(), on)) })
	w.holds("r:acme", "DeleteResource", func() error { return r.DeleteResource(ctx, w.c, acme, authz.ResourceRef{ID: folder.ID}, true) })
	w.holds("", "DeleteResourceType", func() error { return r.DeleteResourceType(ctx, w.c, "thing") })
}

func (w *telling) groups() {
	ctx, r := context.Background(), w.rules
	acme := id.Organization(w.id("acme"))
	var g authz.Group
	w.holds("", "CreateGroup", func() (err error) {
		g, err = r.CreateGroup(ctx, w.c, acme, authz.NewGroup{Name: "group"})
		return err
	})
	w.holds("", "UpdateGroup", func() error {
		return done(r.UpdateGroup(ctx, w.c, acme, g.ID, authz.Details{Name: authz.Some("Group")}))
	})
	w.holds("m:ada", "AddGroupMember", func() error { return done(r.AddGroupMember(ctx, w.c, acme, g.ID, w.ada())) })
	w.holds("o:acme", "AssignGroupRole", func() error {
		return done(r.AssignGroupRole(ctx, w.c, g.ID, authz.NewAssignment{Role: "editor"}))
	})
	w.holds("o:acme", "UnassignGroupRole", func() error { return r.UnassignGroupRole(ctx, w.c, g.ID, authz.RoleCriteria{Role: "editor"}) })
	w.holds("o:acme", "ReplaceGroupRoleAssignments", func() error {
		return done(r.ReplaceGroupRoleAssignments(ctx, w.c, g.ID, []authz.NewAssignment{{Role: "editor"}, {Role: "helper"}}))
	})
	given := must(r.AssignGroupRole(ctx, w.c, g.ID, authz.NewAssignment{Role: "viewer"}))
	w.holds("o:acme", "RemoveGroupRoleAssignment", func() error { return r.RemoveGroupRoleAssignment(ctx, w.c, g.ID, given.ID) })
	w.works("")
	w.holds("m:ada", "RemoveGroupMember", func() error { return r.RemoveGroupMember(ctx, w.c, acme, g.ID, w.ada()) })
	must(r.AddGroupMember(ctx, w.c, acme, g.ID, w.ada()))
	w.holds("o:acme", "DeleteGroup", func() error { return r.DeleteGroup(ctx, w.c, acme, g.ID) })
	w.works("")
}

func (w *telling) ownRoles() {
	ctx, r := context.Background(), w.rules
	acme := id.Organization(w.id("acme"))
	for _, slug := range []string{"org-a", "org-b", "org-c"} {
		w.holds("o:acme", "CreateRole", func() error {
			return done(r.CreateRole(ctx, w.c, acme, authz.NewRole{Slug: authz.Some(slug), Name: slug}))
		})
	}
	w.holds("h:acme", "EditRolePermissions", func() error {
		return done(r.EditRolePermissions(ctx, w.c, acme, "org-a", authz.PermissionEdit{Add: "a:read"}))
	})
	w.holds("h:acme", "UpdateRole", func() error {
		return done(r.UpdateRole(ctx, w.c, acme, "org-a", authz.Details{Name: authz.Some("A")}))
	})
	w.holds("o:acme", "SetDefault", func() error { return done(r.SetDefault(ctx, w.c, acme, "org-b")) })
	w.holds("o:acme", "SetPriority", func() error {
		var slugs []string
		for _, role := range must(r.Policy(ctx, w.c, acme)).Roles {
			slugs = append([]string{role.Slug}, slugs...)
		}
		return done(r.SetPriority(ctx, w.c, acme, slugs))
	})
	w.works("")
	w.holds("o:acme", "DeleteRole", func() error { return r.DeleteRole(ctx, w.c, acme, "org-c") })
}

// removals removes roles that are held and are defaults, and changes a default before what follows is done.
func (w *telling) removals() {
	ctx, r := context.Background(), w.rules
	acme := id.Organization(w.id("acme"))
	must(r.UpdateMember(ctx, w.c, w.ada(), several("org-a", "helper", "editor")))
	w.holds("o:acme", "RemoveRole", func() error { return done(r.RemoveRole(ctx, w.c, acme, "org-a", authz.RoleDeletion{})) })
	w.holds("o:acme", "SetDefault", func() error { return done(r.SetDefault(ctx, w.c, acme, "helper")) })
	w.works("o:acme")
	w.holds("e:env", "RemoveRole", func() error {
		return done(r.RemoveRole(ctx, w.c, "", "helper", authz.RoleDeletion{Default: authz.Some("member"), Replacement: authz.Some("viewer")}))
	})
	w.works("e:env o:acme")
	must(r.UpdateMember(ctx, w.c, w.ada(), several("viewer", "editor")))
	w.holds("e:env", "SetMultipleRoles", func() error { return done(r.SetMultipleRoles(ctx, w.c, false)) })
	w.works("m:ada")
}

// time lets an assignment begin and end.
func (w *telling) time() {
	ctx, r := context.Background(), w.rules
	now := w.clock.now()
	must(r.AssignRole(ctx, w.c, w.ada(), authz.NewAssignment{Role: "viewer", StartsAt: now.Add(time.Hour), ExpiresAt: now.Add(2 * time.Hour)}))
	for range 2 {
		w.clock.pass(time.Hour)
		w.works("m:ada")
	}
	w.holds("", "PlaceCommitted", func() error { return r.PlaceCommitted(ctx, w.c.Environment) })
	w.holds("", "Sweep", func() error { return r.Sweep(ctx) })
}

func (w *telling) keys() {
	ctx, now := context.Background(), w.clock.now()
	for _, by := range []id.Environment{w.c.Environment, ""} {
		k := operator.Key{ID: id.APIKey("key_" + by), Environment: w.c.Environment, Name: "n", Hash: "h" + string(by), Everything: true, CreatedAt: now}
		w.holds("", "", func() error { return done(w.db.InsertKey(ctx, k)) })
		w.holds("", "", func() error { return done(w.db.RevokeKey(ctx, "environment_of_another", k.ID, now)) })
		w.holds("k:env", "", func() error { return done(w.db.RevokeKey(ctx, by, k.ID, now)) })
		w.holds("", "", func() error { return done(w.db.RevokeKey(ctx, by, k.ID, now)) })
	}
}

// ends deletes, and first gives and takes more assignments at once than are told of one by one.
func (w *telling) ends() {
	ctx, r := context.Background(), w.rules
	acme := id.Organization(w.id("acme"))
	w.holds("c:env k:env", "DeletePermission", func() error { return r.DeletePermission(ctx, w.c, "a:read") })
	many := make([]authz.Assignment, 65)
	for i := range many {
		many[i] = authz.Assignment{
			ID: id.Assignment("a" + string(rune('A'+i))), Environment: w.c.Environment, Organization: acme, Membership: w.ada(),
			Role: must(r.Role(ctx, w.c, "", "editor")).ID, Resource: id.Resource("r" + string(rune('A'+i))), Source: authz.SourceManual,
			CreatedAt: w.clock.now(), UpdatedAt: w.clock.now(),
		}
	}
	w.holds("m:ada", "", func() error {
		return w.db.Update(ctx, func(tx authz.Tx) (err error) {
			for _, a := range many {
				err = errors.Join(err, tx.InsertAssignment(a, time.Time{}))
			}
			return err
		})
	})
	w.holds("o:acme", "", func() error {
		return w.db.Update(ctx, func(tx authz.Tx) error { return tx.DeleteAssignments(acme, many) })
	})
	w.holds("", "", func() error { // what is there no more changes nothing
		return w.db.Update(ctx, func(tx authz.Tx) error { return tx.DeleteAssignments(acme, many) })
	})
	w.holds("m:ada", "DeleteMember", func() error { return r.DeleteMember(ctx, w.c, w.ada()) })
	must(r.CreateMembership(ctx, w.c, id.User(w.id("user")), acme, authz.RolesInput{}))
	for _, m := range must(r.ListMembers(ctx, w.c, authz.MembershipFilter{Organization: acme}, page.Request{Limit: 9, Order: page.Asc})).Items {
		w.name("ada2", string(m.ID))
	}
	w.holds("m:ada2 m:eve", "DeleteUser", func() error { return r.DeleteUser(ctx, w.c, id.User(w.id("user"))) })
	w.member(acme, "last", authz.RolesInput{})
	w.holds("k:env o:acme", "DeleteOrganization", func() error { return r.DeleteOrganization(ctx, w.c, acme) })
}
