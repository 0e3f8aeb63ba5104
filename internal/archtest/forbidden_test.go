package archtest

import (
	"testing"
)

// TestForbidden shows that the rules bite, and where they must not.
func TestForbidden(t *testing.T) {
	const house = module + "/internal/"
	for _, c := range []struct {
		folder, imported string
		allowed          bool
	}{
		{"internal/fault", "errors", true},
		{"internal/fault", "github.com/oklog/ulid/v2", false},
		{"internal/id", "github.com/oklog/ulid/v2", true},
		{"internal/page", house + "fault", true},
		{"internal/page", house + "authz", false},
		{"internal/event", "net/http", false},

		{"internal/authz", house + "id", true},
		{"internal/authz", "golang.org/x/text/unicode/norm", true},
		{"internal/authz", "golang.org/x/sync/errgroup", false},
		{"internal/authz", "database/sql", false},
		{"internal/authz", "net/http", false},
		{"internal/authz", house + "operator", false},
		{"internal/authz", house + "store", false},

		{"internal/operator", house + "authz", true},
		{"internal/operator", "golang.org/x/crypto/argon2", true},
		{"internal/operator", house + "session", false},
		{"internal/webhook", house + "web", false},

		{"internal/store", "github.com/jackc/pgx/v5/stdlib", true},
		{"internal/store", house + "directory", true},
		{"internal/store", house + "web", false},
		{"internal/store", house + "api", false},
		{"internal/store/migrations", "database/sql", true},
		{"internal/store/storetest", house + "pgtest", true},
		{"internal/pgtest", "database/sql", true},
		{"internal/pgtest", house + "testneed", true},
		{"internal/cli", "modernc.org/sqlite", false},
		{"internal/server", "database/sql/driver", false},

		{"internal/web", "net/http", true},
		{"internal/web", house + "store", false},
		{"internal/api", house + "web", true},
		{"internal/api", house + "store", false},
		{"internal/api", house + "store/migrations", false},
		{"internal/api", house + "dashboard", false},
		{"internal/api", house + "server", false},
		{"internal/api", house + "api/wire", true},
		{"internal/scim", "net/http/httptest", true},
		{"internal/api", house + "pgtest", false},
		{"internal/server", house + "store/storetest", false},
		{"internal/server", house + "testneed", false},

		{"internal/watch", house + "store", true},
		{"internal/watch", house + "decision", true},
		{"internal/watch", "github.com/prometheus/client_golang/prometheus", true},
		{"internal/watch", house + "server", false},
		{"internal/web", house + "watch", false},
		{"internal/store", "go.opentelemetry.io/otel", false},
		{"internal/server", "github.com/prometheus/client_golang/prometheus", false},

		{"internal/server", house + "store", true},
		{"internal/server", house + "cli", false},
		{"internal/cli", house + "server", true},
		{"cmd/rolecall", house + "cli", true},
		{"cmd/rolecall", "net/http", false},
		{"bench", "net/http", true},
		{"bench", house + "server", true},
		{"bench", module + "/cmd/rolecall", false},
	} {
		reason := forbidden(roomOf(c.folder), c.imported)
		if allowed := reason == ""; allowed != c.allowed {
			t.Errorf("%s imports %s: allowed is %v, want %v (%s)", c.folder, c.imported, allowed, c.allowed, reason)
		}
	}
}

func TestMisnamed(t *testing.T) {
	for name, allowed := range map[string]bool{"util": false, "helpers": false, "manager": false, "page": true, "utility": true} {
		if reason := misnamed(name); (reason == "") != allowed {
			t.Errorf("misnamed(%q) = %q", name, reason)
		}
	}
}
