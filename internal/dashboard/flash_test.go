package dashboard_test

import (
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/operator"
)

// A name can be longer, once it is encoded, than what a cookie holds.
func TestLongNamesAreTold(t *testing.T) {
	h := given(t)
	ed := h.as(operator.Editor)
	for _, letter := range []string{"<", "𝒳", "x"} {
		long := strings.Repeat(letter, 256)
		u := must(h.rules.CreateUser(t.Context(), h.c, authz.UserInput{Email: authz.Some("long@x.example"), FirstName: authz.Some(&long), LastName: authz.Some(&long)}))
		ed.posted(h.path("/users/"+string(u.ID)+"/delete")).wants(200, strings.Repeat(letter, 200)+letter, "…")
	}
}
