package dashboard_test

import (
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/operator"
)

// A yes comes with its path, every part of which leads to its screen.
func TestCheckSaysWhyYes(t *testing.T) {
	a := given(t).acme()
	g, group := a.group(a.ada)
	must(a.rules.CreateRole(t.Context(), a.c, "", authz.NewRole{Slug: authz.Some("owner"), Name: "Owner", ResourceType: authz.Some("workspace"), Permissions: authz.Some([]string{"project:edit"})}))
	must(a.rules.AssignGroupRole(t.Context(), a.c, g, authz.NewAssignment{Role: "owner", Resource: authz.ResourceRef{ID: a.design.ID}}))
	question := a.path("/check?membership=" + string(a.ada) + "&permission=project:edit&type=project&resource=apollo")
	p := a.as(operator.Viewer).get(question)
	p.wants(200, "Yes Ada may project:edit on Apollo", "through group Finance", "Owner owner on workspace Design", "which holds project:edit", "Apollo ‹ in Design ‹ in Acme", "Everything Ada may do on Apollo")
	for _, part := range []string{a.at("/members/" + string(a.ada)), group, a.path("/roles/owner"), a.path("/permissions/project:edit"), a.at("/resources/" + string(a.apollo.ID)), a.at("/resources/" + string(a.design.ID))} {
		if !p.links(part) && !p.links(strings.ReplaceAll(part, ":", "%3A")) {
			t.Errorf("nothing leads to %s", part)
		}
	}
	if !strings.Contains(p.raw, "&#34;explain&#34;:true") {
		t.Error("the API call does not ask for the reason")
	}
}

// A no says what the member holds and what would allow it; an inactive membership says that it is.
func TestCheckSaysWhyNot(t *testing.T) {
	a := given(t).acme()
	ed := a.as(operator.Editor)
	question := a.path("/check?membership=" + string(a.ada) + "&permission=project:edit&resource=" + string(a.apollo.ID))
	p := ed.get(question).wants(200, "No Ada may not project:edit on Apollo", "Member member on organization Acme", "the default role when the membership was made", "What would allow it", "Maker maker on project Apollo", "Give it")
	give := a.at("/resources/" + string(a.apollo.ID) + "/add-role?membership=" + string(a.ada) + "&role_slug=maker")
	if !p.links(give) {
		t.Errorf("nothing leads to %s", give)
	}
	ed.get(give).wants(200, "Ada")
	ed.posted(a.at("/resources/"+string(a.apollo.ID)+"/add-role"), "role_slug", "maker", "organization_membership_id", string(a.ada))
	ed.get(question).wants(200, "Yes Ada may")
	must(a.rules.DeactivateMember(t.Context(), a.c, a.ada))
	ed.get(question).wants(200, "No Ada may not", "The membership is inactive", "Reactivate Ada")
	ed.get(a.path("/check?membership="+string(a.ada)+"&permission=invoices:pay")).wants(200, "on Acme", "inactive")
}

// Whatever a question names that there is not is said at its field, and foreign things do not exist.
func TestCheckAsksForWhatIsMissing(t *testing.T) {
	h := given(t)
	a := h.acme()
	foreign := h.furnish(h.staging)
	v := a.as(operator.Viewer)
	v.get(a.path("/check")).wants(200, "Find the member").lacks("Which member")
	v.get(a.path("/check?organization="+string(a.org))).wants(200, "Which member", "Ada", "Member of Acme")
	v.get(a.path("/check?organization=" + foreign["org"])).wants(404).lacks("Secret")
	v.get(a.path("/check?search=hidden")).wants(200).lacks("hidden@secret.example")
	v.get(a.path("/check?membership="+foreign["membership"])).wants(404).blames("membership").lacks("hidden", "Secret")
	who := "/check?membership=" + string(a.ada)
	v.get(a.path(who)).wants(200, "Everything Ada may do on Acme").lacks("Yes", "What would allow it")
	v.get(a.path(who + "&permission=nope")).wants(404).blames("permission")
	v.get(a.path(who + "&permission=invoices:pay&type=project&resource=gone")).wants(404).blames("resource")
	v.get(a.path(who + "&permission=invoices:pay&resource=apollo")).wants(422).blames("resource")
}
