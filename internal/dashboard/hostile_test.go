package dashboard_test

import (
	"net/url"
	"testing"

	"github.com/rolecall/rolecall/internal/operator"
)

// Text that PostgreSQL refuses to look at is refused before it gets there, wherever it stands.
func TestTextThatNoDatabaseHolds(t *testing.T) {
	h := given(t)
	w := h.furnish(h.c)
	ed := h.as(operator.Editor)
	for _, bad := range []string{"%ff", "a%00", "%c0%80", "%ed%a0%80"} {
		for _, path := range []string{"/organizations/" + bad, "/users/" + bad, "/roles/" + bad + "/edit", "/organizations/" + w["org"] + "/groups/" + bad} {
			ed.get(h.path(path)).wants(404, "No screen has this address")
			ed.post(h.path(path)).wants(404, "No screen has this address")
		}
		text := must(url.QueryUnescape(bad))
		ed.get(h.path("/roles?search="+bad)).wants(422, "search must be valid UTF-8 without NUL")
		ed.post(h.path("/new/role"), "name", text).wants(422, "name must be text without NUL")
		ed.post(h.path("/roles/reader/delete"), "default_of_"+text, "member").wants(400, "The name of a field must be text without NUL")
	}
}
