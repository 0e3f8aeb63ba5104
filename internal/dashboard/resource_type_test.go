package dashboard_test

import (
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/operator"
)

// Resource types are made, moved and deleted; what cannot be says why and keeps what was typed.
func TestResourceTypes(t *testing.T) {
	h := given(t)
	ed := h.as(operator.Editor)
	ed.get(h.path("/resource-types")).wants(200, "Only the organization yet")
	p := ed.post(h.path("/new/resource-type"), "name", "Project", "slug", "No Slug", "parent_resource_type_slugs", "organization")
	p.wants(422).blames("slug")
	if p.value("name") != "Project" || p.value("slug") != "No Slug" {
		t.Errorf("typed was %q, %q", p.value("name"), p.value("slug"))
	}
	ed.post(h.path("/new/resource-type"), "name", "Project", "slug", "project").wants(422).blames("parent_resource_type_slugs")
	ed.posted(h.path("/new/resource-type"), "name", "Project", "slug", "project", "parent_resource_type_slugs", "organization").wants(200, "“Project” was created", "1 of at most 50")
	ed.posted(h.path("/new/resource-type"), "name", "Task", "slug", "task", "parent_resource_type_slugs", "project")
	ed.post(h.path("/resource-types/project/edit"), "name", "Project", "parent_resource_type_slugs", "task").wants(422, "lies below").blames("parent_resource_type_slugs")
	ed.posted(h.path("/resource-types/task/edit"), "name", "Chore", "parent_resource_type_slugs", "organization", "parent_resource_type_slugs", "project").wants(200, "“Chore” was saved", "Undo")

	ed.get(h.path("/resource-types/project/delete")).wants(200, "still", "the type task below it").lacks("Delete resource type")
	ed.post(h.path("/resource-types/project/delete")).wants(409, "is a parent of 'task'")
	must(h.rules.CreatePermission(t.Context(), h.c, authz.NewPermission{Slug: "plan", Name: "Plan", ResourceType: authz.Some("task")}))
	ed.get(h.path("/resource-types/task/delete")).wants(200, "1 permission made for it")
	if err := h.rules.DeletePermission(t.Context(), h.c, "plan"); err != nil {
		t.Fatal(err)
	}
	ed.get(h.path("/resource-types/task/delete")).wants(200, "0 permissions", "Nobody loses anything")
	gone := ed.posted(h.path("/resource-types/task/delete")).wants(200, "“Chore” was deleted", "Undo")
	var undo []string
	for n := range gone.find("div", "id", "told").Descendants() {
		if n.Data == "input" {
			undo = append(undo, attr(n, "name"), attr(n, "value"))
		}
	}
	ed.posted(h.path("/new/resource-type"), undo...).wants(200, "“Chore” was created")
	if back := must(h.rules.ResourceType(t.Context(), h.c, "task")); len(back.Parents) != 2 || back.Name != "Chore" {
		t.Errorf("it came back as %+v", back)
	}
	h.as(operator.Viewer).post(h.path("/resource-types/task/delete")).wants(403)
	ed.get("/dashboard/env/" + string(h.staging.Environment) + "/resource-types/task/edit").wants(404)
}
