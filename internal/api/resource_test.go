package api_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// workspaces makes the types of most tests here: workspaces, projects in them or in the organization, tasks in projects.
func (c *client) workspaces() {
	c.tb.Helper()
	c.resourceType("workspace")
	c.resourceType("project", "workspace", "organization")
	c.resourceType("task", "project")
}

// A resource from its creation to its deletion (R203, R204, semantics 1.9). Nothing of it causes an event.
func TestResources(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org := w.organization("Acme")
		w.workspaces()
		w.prepared()
		a := w.post(resources, object{"organization_id": org, "resource_type_slug": "workspace", "external_id": "w-1", "name": "Main", "description": "All of it"}).is(201)
		a.has("object", "authorization_resource").has("organization_id", org).has("resource_type_slug", "workspace").has("external_id", "w-1").
			has("name", "Main").has("description", "All of it").has("parent_resource_id", home(org))
		if !strings.HasPrefix(a.text("id"), "authz_resource_") || a.text("created_at") != a.text("updated_at") {
			t.Errorf("a new resource is %s", a.raw)
		}
		made := answer{tb: t, status: 200, raw: a.raw, call: "the creation"}
		w.get(resources + "/" + a.text("id")).is(200).same(made)
		w.get(resourceAt(org, "workspace", "w-1")).is(200).same(made)
		body := object{"organization_id": org, "resource_type_slug": "workspace", "external_id": "w-1", "name": "Other"}
		w.post(resources, body).refused(409, "authorization_resource_external_id_conflict")
		body["organization_id"] = w.organization("Globex") // unique in the organization, and in the type
		w.post(resources, body).is(201)
		w.resource(org, "project", "w-1", "")
		w.prepared()

		b := w.patch(resources+"/"+a.text("id"), object{"name": "Second", "external_id": "x", "resource_type_slug": "task", "organization_id": "x"}).is(200)
		b.has("name", "Second").has("external_id", "w-1").has("resource_type_slug", "workspace").has("description", "All of it").has("organization_id", org)
		if b.text("updated_at") <= a.text("updated_at") || b.text("created_at") != a.text("created_at") {
			t.Errorf("times after an update: %s", b.raw)
		}
		w.patch(resourceAt(org, "workspace", "w-1"), object{"name": "Second", "parent_resource_id": home(org)}).is(200).
			same(answer{tb: t, status: 200, raw: b.raw, call: "the update"})
		w.patch(resourceAt(org, "workspace", "w-1"), object{"description": nil}).is(200).has("description", nil)

		w.delete(resourceAt(org, "workspace", "w-1")).is(204)
		for _, gone := range []string{resources + "/" + a.text("id"), resourceAt(org, "workspace", "w-1"), resources + "/authz_resource_" + nobodys, resources + "/x"} {
			w.get(gone).refused(404, "entity_not_found")
			w.patch(gone, object{"name": "x"}).refused(404, "entity_not_found")
			w.delete(gone).refused(404, "entity_not_found")
		}
		w.get(resourceAt(org, "project", "w-1")).is(200)
		w.fired()
	})
}

func TestResourceRefusals(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org := w.organization("Acme")
		w.workspaces()
		w.prepared()
		right := func(change object) object {
			body := object{"organization_id": org, "resource_type_slug": "workspace", "external_id": "w", "name": "n"}
			for k, v := range change {
				body[k] = v
			}
			return body
		}
		w.post(resources, object{}).refused(422, "invalid_request_parameters", "external_id", "name", "organization_id", "resource_type_slug")
		for field, wrong := range map[string]list{
			"external_id":        {"", "ä", "a\u0000", "..", ".", "/", strings.Repeat("x", 129), nil, 5},
			"name":               {"", "  ", strings.Repeat("n", 49), nil},
			"description":        {strings.Repeat("d", 151)},
			"resource_type_slug": {"", "Project!", strings.Repeat("a", 49), nil},
		} {
			for _, v := range wrong {
				w.post(resources, right(object{field: v})).refused(422, "invalid_request_parameters", field)
			}
		}
		w.post(resources, right(object{"organization_id": "org_" + nobodys})).refused(404, "entity_not_found")
		w.post(resources, right(object{"organization_id": "x"})).refused(404, "entity_not_found")
		w.post(resources, right(object{"resource_type_slug": "nothing"})).refused(404, "entity_not_found")
		w.post(resources, right(object{"resource_type_slug": "organization"})).refused(400, "bad_request") // R202
		w.get(resources + "?organization_id=" + org).lists("id")
		r := w.resource(org, "workspace", "w", "")
		w.patch(resources+"/"+r, object{"name": "", "description": strings.Repeat("d", 151)}).refused(422, "invalid_request_parameters", "name", "description")
		w.get(resources+"/"+r).is(200).has("name", "n")
		w.fired()
	})
}

// External ids are the caller's own and may look like anything that ASCII can write.
func TestResourceExternalIDs(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org := w.organization("Acme")
		w.workspaces()
		for _, x := range []string{"a/b", "a/../b", "../../secrets", "%2F", "%00", "a b", "?a=b#c", "a;b", "...", "\t", "'--", "organization", org, strings.Repeat("x", 128), "role_assignments"} {
			made := w.resource(org, "workspace", x, "")
			path := resourceAt(org, "workspace", x)
			w.get(path).is(200).has("id", made).has("external_id", x)
			w.patch(path, object{"name": "m"}).is(200).has("id", made)
			w.get(resources+"?organization_id="+org+"&resource_external_id="+url.QueryEscape(x)).lists("id", made)
			w.delete(path).is(204)
			w.get(path).refused(404, "entity_not_found")
		}
	})
}

// An organization's own resource comes with the organization, by its resource id or either external id, and is in no
// list; nothing can be done to it (R202, C27).
func TestOwnResource(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		acme := w.organization("Acme")
		globex := w.post(organizations, object{"name": "Globex", "external_id": "cus/42"}).is(201)
		other, _ := w.environment(t, "staging")
		theirs := other.organization("Theirs")
		w.prepared()
		own := w.get(resources + "/" + home(acme)).is(200)
		own.has("object", "authorization_resource").has("id", home(acme)).has("external_id", acme).has("resource_type_slug", "organization").
			has("parent_resource_id", nil).has("name", "Acme").has("description", nil).has("organization_id", acme)
		w.get(resourceAt(acme, "organization", acme)).is(200).same(own)

		org := globex.text("id")
		own = w.get(resources+"/"+home(org)).is(200).has("external_id", "cus/42").has("created_at", globex.text("created_at"))
		w.get(resourceAt(org, "organization", "cus/42")).is(200).same(own)
		w.get(resourceAt(org, "organization", org)).is(200).same(own)
		for _, path := range []string{
			resourceAt(acme, "organization", "cus/42"), resourceAt(acme, "organization", org), resourceAt("org_"+nobodys, "organization", "org_"+nobodys),
			resources + "/" + home(theirs), resourceAt(theirs, "organization", theirs), resourceAt(acme, "workspace", acme),
		} {
			w.get(path).refused(404, "entity_not_found")
			w.delete(path).refused(404, "entity_not_found")
		}
		for _, path := range []string{resources + "/" + home(org), resourceAt(org, "organization", org), resourceAt(org, "organization", "cus/42")} {
			w.patch(path, object{"name": "x"}).refused(400, "bad_request")
			w.patch(path, object{}).refused(400, "bad_request")
			w.delete(path).refused(400, "bad_request")
			w.delete(path+"?cascade_delete=true").refused(400, "bad_request")
		}
		w.get(resources + "?organization_id=" + org).lists("id")
		w.get(resources + "?resource_type_slug=organization").lists("id")
		w.fired()
	})
}

// A parent is named by id or by external id and type, is of the same organization and of a type that fits (R205).
func TestResourceParents(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org, other := w.organization("Acme"), w.organization("Globex")
		w.workspaces()
		w.prepared()
		space, another := w.resource(org, "workspace", "w", ""), w.resource(org, "workspace", "w/2", "")
		foreign := w.resource(other, "workspace", "w", "")
		project := w.resource(org, "project", "p", space)
		task := w.resource(org, "task", "t", project)
		body := func(change object) object {
			b := object{"organization_id": org, "resource_type_slug": "project", "external_id": "new", "name": "n"}
			for k, v := range change {
				b[k] = v
			}
			return b
		}
		const by, ext, kind = "parent_resource_id", "parent_resource_external_id", "parent_resource_type_slug"
		for _, c := range []struct {
			parent object
			want   string
		}{
			{object{}, home(org)}, {object{by: nil}, home(org)}, {object{by: home(org)}, home(org)}, {object{by: space}, space},
			{object{ext: "w/2", kind: "workspace"}, another}, {object{ext: org, kind: "organization"}, home(org)},
		} {
			id := w.post(resources, body(c.parent)).is(201).has(by, c.want).text("id")
			w.patch(resources+"/"+id, object{by: another}).is(200).has(by, another)
			if len(c.parent) > 0 {
				w.patch(resources+"/"+id, c.parent).is(200).has(by, c.want)
			}
			w.delete(resources + "/" + id).is(204)
		}
		for _, c := range []struct {
			parent object
			status int
			field  string
		}{
			{object{by: space, ext: "w", kind: "workspace"}, 422, by}, {object{by: nil, kind: "workspace"}, 422, by},
			{object{ext: "w"}, 422, ext}, {object{kind: "workspace"}, 422, ext}, {object{ext: "", kind: "workspace"}, 422, ext}, {object{ext: "w", kind: ""}, 422, ext},
			{object{by: foreign}, 404, ""}, {object{by: home(other)}, 404, ""}, {object{ext: other, kind: "organization"}, 404, ""},
			{object{by: "authz_resource_" + nobodys}, 404, ""}, {object{by: "x"}, 404, ""}, {object{by: ""}, 404, ""}, {object{by: org}, 404, ""},
			{object{ext: "nothing", kind: "workspace"}, 404, ""}, {object{ext: "w", kind: "nothing"}, 404, ""},
			{object{by: project}, 422, by}, {object{by: task}, 422, by}, {object{ext: "t", kind: "task"}, 422, by}, // types that do not fit
		} {
			for _, a := range []answer{w.post(resources, body(c.parent)), w.patch(resources+"/"+project, c.parent), w.patch(resourceAt(org, "project", "p"), c.parent)} {
				if c.status == 404 {
					a.refused(404, "entity_not_found")
				} else {
					a.refused(422, "invalid_request_parameters", c.field)
				}
			}
		}
		// Neither a task nor a resource under one that is to move lies directly below the organization.
		w.post(resources, body(object{"resource_type_slug": "task"})).refused(422, "invalid_request_parameters", by)
		w.patch(resources+"/"+task, object{by: nil}).refused(422, "invalid_request_parameters", by)
		w.get(resources+"/"+project).is(200).has(by, space)
		w.get(resources+"?organization_id="+org+"&order=asc").lists("id", space, another, project, task)
		w.fired()
	})
}

// What is held on a resource is held on everything below it, and follows it at once to another parent (R205, R208).
func TestInheritanceFollowsTheParent(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		org := w.organization("Acme")
		w.workspaces()
		w.post(permissions, object{"slug": "task:edit", "name": "n", "resource_type_slug": "task"}).is(201)
		w.post(roles, object{"slug": "editor", "name": "n", "resource_type_slug": "workspace"}).is(201)
		w.put(roles+"/editor/permissions", object{"permissions": list{"task:edit"}}).is(200)
		a, b := w.resource(org, "workspace", "a", ""), w.resource(org, "workspace", "b", "")
		project := w.resource(org, "project", "p", a)
		task := w.resource(org, "task", "t", project)
		m := w.member(w.user("ada@acme.example"), org, "")
		w.assigned(org, m, "editor", a)
		w.prepared()
		may := func(want bool) {
			t.Helper()
			for _, on := range []object{{"resource_id": task}, {"resource_external_id": "t", "resource_type_slug": "task"}, {"resource_id": project}} {
				on["permission_slug"] = "task:edit"
				w.post(checkOf(m), on).is(200).has("authorized", want)
			}
			w.post(checkOf(m), object{"permission_slug": "task:edit", "resource_id": a}).is(200).has("authorized", true)
			w.post(checkOf(m), object{"permission_slug": "task:edit"}).is(200).has("authorized", false)
		}
		may(true)
		w.patch(resources+"/"+project, object{"parent_resource_id": b}).is(200)
		may(false)
		w.patch(resources+"/"+project, object{"parent_resource_id": nil}).is(200)
		may(false)
		w.patch(resources+"/"+project, object{"parent_resource_external_id": "a", "parent_resource_type_slug": "workspace"}).is(200)
		may(true)
		w.fired()
	})
}

// Every filter of the list, alone and together (semantics 2.6, C15). What names nothing lists nothing.
func TestResourceList(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		acme := w.organization("Acme")
		globex := w.post(organizations, object{"name": "Globex", "external_id": "gx"}).is(201).text("id")
		w.workspaces()
		w.prepared()
		w1, w2, g1 := w.resource(acme, "workspace", "1", ""), w.resource(acme, "workspace", "2", ""), w.resource(globex, "workspace", "1", "")
		p1, p2, gp := w.resource(acme, "project", "1", w1), w.resource(acme, "project", "2", ""), w.resource(globex, "project", "1", g1)
		list := func(query string, want ...string) {
			t.Helper()
			w.get(resources+"?order=asc&"+query).lists("id", want...)
		}
		list("organization_id="+acme, w1, w2, p1, p2)
		list("resource_type_slug=workspace", w1, w2, g1)
		list("resource_type_slug=project&resource_external_id=1", p1, gp)
		list("organization_id="+acme+"&resource_external_id=1", w1, p1)
		list("organization_id="+globex+"&resource_type_slug=project", gp)
		list("organization_id="+acme+"&parent_resource_id="+home(acme), w1, w2, p2)
		list("organization_id="+acme+"&resource_type_slug=project&parent_resource_id="+w1, p1)
		list("resource_type_slug=project&parent_resource_id="+g1, gp)
		list("parent_resource_id="+g1, gp) // says the organization by itself
		list("parent_resource_id="+home(globex), g1)
		for _, name := range []string{"parent_external_id", "parent_resource_external_id"} {
			list("organization_id="+acme+"&parent_resource_type_slug=workspace&"+name+"=1", p1)
			list("organization_id="+acme+"&parent_resource_type_slug=organization&"+name+"="+acme, w1, w2, p2)
			list("organization_id="+globex+"&parent_resource_type_slug=organization&"+name+"=gx", g1)
			list("organization_id=" + acme + "&parent_resource_type_slug=organization&" + name + "=gx")
			list("organization_id=" + acme + "&parent_resource_type_slug=workspace&" + name + "=3")
			w.get(resources+"?organization_id="+acme+"&"+name+"=1").refused(422, "invalid_request_parameters", "parent_external_id")
			w.get(resources+"?resource_type_slug=project&parent_resource_type_slug=workspace&"+name+"=1").refused(422, "invalid_request_parameters", "organization_id")
			w.get(resources+"?organization_id="+acme+"&parent_resource_id="+w1+"&"+name+"=1").refused(422, "invalid_request_parameters", "parent_resource_id")
		}
		list("organization_id=org_" + nobodys)
		list("organization_id=x&resource_type_slug=project")
		list("resource_type_slug=nothing")
		list("parent_resource_id=x")
		list("parent_resource_id=authz_resource_" + nobodys)
		list("organization_id=" + globex + "&parent_resource_id=" + w1)
		for _, query := range []string{"", "?limit=5", "?resource_external_id=1", "?parent_resource_type_slug=workspace&parent_external_id=1", "?organization_id=&resource_type_slug="} {
			w.get(resources+query).refused(400, "missing_organization_id_or_resource_type_slug")
		}
		w.get(resources+"?organization_id="+acme+"&parent_resource_type_slug=workspace").refused(422, "invalid_request_parameters", "parent_external_id")
		w.get(resources+"?organization_id="+acme+"&parent_resource_type_slug=w&parent_external_id=1&parent_resource_external_id=1").
			refused(422, "invalid_request_parameters", "parent_external_id")
		w.fired()
		pages(t, w, resources+"?organization_id="+acme+"&", []string{w1, w2, p1, p2, w.resource(acme, "task", "1", p1)})
	})
}

// Who may not give a permission away cannot do it by putting a resource where others hold it, and who is limited to an
// organization finds no resource of another (user-pains D16).
func TestLimitedCallersAndResources(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		acme, globex := w.organization("Acme"), w.organization("Globex")
		w.workspaces()
		for _, slug := range []string{"read", "pay"} {
			w.post(permissions, object{"slug": slug, "name": "n", "resource_type_slug": "project"}).is(201)
		}
		w.post(roles, object{"slug": "payer", "name": "n", "resource_type_slug": "workspace"}).is(201)
		w.put(roles+"/payer/permissions", object{"permissions": list{"read", "pay"}}).is(200)
		guarded, open := w.resource(acme, "workspace", "guarded", ""), w.resource(acme, "workspace", "open", "")
		foreign := w.resource(globex, "workspace", "w", "")
		w.assigned(acme, w.member(w.user("ada@acme.example"), acme, ""), "payer", guarded)
		w.prepared()

		caller := func(r authz.Restriction) authz.Caller {
			return authz.Caller{Environment: w.env, Actor: event.Actor{ID: "api_key_x", Source: "api"}, Only: &r}
		}
		few, both := caller(authz.Restriction{Permissions: []string{"read"}}), caller(authz.Restriction{Permissions: []string{"pay", "read"}})
		ofAcme := caller(authz.Restriction{Organization: id.Organization(acme), Everything: true})
		code := func(want string, _ any, err error) {
			t.Helper()
			if got := fault.Of(err); want == "" && err != nil || want != "" && (got == nil || got.Code != want) {
				t.Errorf("refused with %v, want %q", err, want)
			}
		}
		n := 0
		create := func(c authz.Caller, org, parent string) (authz.Resource, error) {
			n++
			in := authz.NewResource{Organization: id.Organization(org), Type: "project", ExternalID: fmt.Sprint(n), Name: "n", Parent: authz.ResourceRef{ID: id.Resource(parent)}}
			return w.rules.CreateResource(ctx, c, in)
		}
		move := func(c authz.Caller, r id.Resource, parent string) (authz.Resource, error) {
			return w.rules.UpdateResource(ctx, c, "", authz.ResourceRef{ID: r}, authz.ResourceChange{Parent: authz.Some(authz.ResourceRef{ID: id.Resource(parent)})})
		}
		at := func(resource string) authz.ResourceRef { return authz.ResourceRef{ID: id.Resource(resource)} }
		try := func(want string, r authz.Resource, err error) id.Resource {
			t.Helper()
			code(want, r, err)
			return r.ID
		}

		r, err := create(few, acme, guarded)
		try("permission_escalation", r, err)
		r, err = create(few, acme, open)
		project := try("", r, err)
		r, err = move(few, project, guarded)
		try("permission_escalation", r, err)
		r, err = move(few, project, home(acme))
		try("", r, err)
		r, err = move(both, project, guarded)
		try("", r, err)
		r, err = w.rules.UpdateResource(ctx, few, "", authz.ResourceRef{ID: project}, authz.ResourceChange{Details: authz.Details{Name: authz.Some("stays")}, Parent: authz.Some(at(guarded))})
		try("", r, err)
		r, err = create(both, acme, guarded)
		try("", r, err)

		r, err = create(ofAcme, globex, "")
		try("entity_not_found", r, err)
		r, err = create(ofAcme, acme, foreign)
		try("entity_not_found", r, err)
		r, err = create(ofAcme, acme, guarded)
		try("", r, err)
		r, err = move(ofAcme, id.Resource(foreign), "")
		try("entity_not_found", r, err)
		for _, hidden := range []string{foreign, home(globex)} {
			r, err = w.rules.Resource(ctx, ofAcme, "", at(hidden))
			try("entity_not_found", r, err)
			code("entity_not_found", nil, w.rules.DeleteResource(ctx, ofAcme, "", at(hidden), true))
		}
		code("", nil, w.rules.DeleteResource(ctx, few, "", at(guarded), true))
		_, err = w.rules.CreateResourceType(ctx, ofAcme, authz.NewResourceType{Slug: "x", Name: "n"})
		code("organization_restricted", nil, err)
		code("organization_restricted", nil, w.rules.DeleteResourceType(ctx, ofAcme, "task"))

		for _, f := range []authz.ResourceFilter{{Type: "workspace"}, {Organization: id.Organization(acme)}, {Organization: id.Organization(globex)}} {
			p, err := w.rules.ListResources(ctx, ofAcme, f, authz.ResourceRef{}, page.Request{Limit: 10, Order: page.Asc})
			code("", nil, err)
			if want := f.Organization != id.Organization(globex); len(p.Items) == 1 != want || want && p.Items[0].ID != id.Resource(open) {
				t.Errorf("%+v lists %v", f, p.Items)
			}
		}
		w.fired()
	})
}
