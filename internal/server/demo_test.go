package server_test

import (
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/server"
)

// A demo start leaves a database that is somebody's own alone: no demo world in it, and no new key.
func TestDemoWantsADatabaseOfItsOwn(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		own := start(t, server.Config{Database: database})
		own.want(201, own.call(own.key, "POST", "/authorization/permissions", newPermission("a:read")))
		own.stop()
		r, err := try(t, server.Config{Database: database, Demo: true})
		if err == nil {
			r.stop()
			t.Fatal("a demo was made in a database with a permission of its own")
		}
		if !strings.Contains(err.Error(), "not empty") || strings.Contains(r.out.String(), "sk_") {
			t.Errorf("said %v and announced %s", err, r.out)
		}
		again := start(t, server.Config{Database: database})
		a := again.want(200, again.call(own.key, "GET", "/organizations", ""))
		if got := len(a.body["data"].([]any)); got != 0 {
			t.Errorf("%d organizations were made", got)
		}
	})
}

// A key from the environment is used for the printed requests if it works, and then not told; if it does not, the demo
// makes one that does.
func TestDemoWithAChosenKey(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		const chosen = "sk_chosen_by_the_operator_0123456789"
		first := start(t, server.Config{Database: database, Demo: true, APIKey: chosen})
		if out := first.out.String(); strings.Contains(out, chosen) || !strings.Contains(out, "$ROLECALL_API_KEY") {
			t.Errorf("announced %s", out)
		}
		first.want(200, first.call(chosen, "GET", roles, ""))
		first.stop()
		second := start(t, server.Config{Database: database, Demo: true, APIKey: "sk_unknown_here_0123456789"})
		if second.key == "" || strings.Contains(second.out.String(), "sk_unknown_here") {
			t.Errorf("announced %s", second.out)
		}
		second.want(200, second.call(second.key, "GET", roles, ""))
	})
}
