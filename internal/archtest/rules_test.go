package archtest

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

const module = "github.com/rolecall/rolecall"

// The floors of the house. A room imports rooms of lower floors only, so what
// lies below can be understood, tested and reused without what lies above.
const (
	ground  = iota // what every room may speak of
	core           // the rules of authorization
	side           // rooms beside the core, which know the core
	stock          // what stands between the rooms and the doors
	door           // what the outside talks to
	lookout        // what sees the house from above
	roof           // configuration and wiring
	command        // the command line
	street         // programs: a main and nothing else
)

// plan is the floor of every room. A room that is not in it has no place yet.
var plan = map[string]int{
	"internal/fault": ground,
	"internal/id":    ground,
	"internal/page":  ground,
	"internal/event": ground,
	"internal/fresh": ground,

	"internal/authz": core,

	"internal/directory":  side,
	"internal/connection": side,
	"internal/session":    side,
	"internal/webhook":    side,
	"internal/operator":   side,
	"internal/decision":   side,

	"internal/store": stock,
	"internal/web":   stock,

	"internal/api":       door,
	"internal/dashboard": door,
	"internal/scim":      door,
	"internal/sso":       door,

	"internal/watch": lookout,

	"internal/server": roof,
	"internal/cli":    command,

	"cmd/rolecall": street,
	"bench":        street,
}

// floorReason says what a floor is for, where an import breaks it.
var floorReason = map[int]string{
	ground:  "ground is what every room may speak of, so it depends on no room above it",
	core:    "the core is the rules alone; it names what it needs as contracts and others implement them",
	side:    "side rooms know the core but not each other, so that each can be changed or left out alone",
	stock:   "store and web do not know each other, nor who uses them",
	door:    "a door holds Services; past them it could write around a rule, and through another door it would speak two protocols",
	lookout: "the lookout sees every room so that no room need know that it is watched; the roof alone knows it",
	roof:    "the roof wires the house and is itself started by the command line",
	command: "the command line is started by main alone",
	street:  "a program is imported by nobody",
}

// foreign is what the rooms that are kept small may import besides the
// standard library, with the reason for each.
var foreign = map[string]map[string]string{
	"internal/fault":   {},
	"internal/id":      {"github.com/oklog/ulid/v2": "makes and reads the sortable part of an id"},
	"internal/page":    {},
	"internal/event":   {},
	"internal/fresh":   {},
	"internal/authz":   {"golang.org/x/text": "slugs and e-mail addresses are compared in one normal form"},
	"internal/webhook": {"code.dny.dev/ssrf": "knows the addresses that no stranger may make this server call, from the registries of IANA"},
}

// A reserve is a set of packages that some rooms alone may import.
type reserve struct {
	packages []string
	rooms    []string
	reason   string
}

var reserves = []reserve{
	{
		packages: []string{
			"database/sql", "github.com/jackc/pgx", "modernc.org/sqlite", "github.com/mattn/go-sqlite3",
			"github.com/lib/pq", "github.com/pressly/goose",
		},
		rooms: []string{
			"internal/store", "internal/pgtest",
			"bench", // measures what a bare commit costs
		},
		reason: "store is the only SQL, so that both databases stay behind one contract and no driver error leaves it",
	},
	{
		packages: []string{"net/http"},
		rooms: []string{
			"internal/web", "internal/api", "internal/dashboard", "internal/scim", "internal/sso",
			"internal/server",  // starts and stops the listener
			"internal/watch",   // shows metrics, and follows requests
			"internal/webhook", // delivers to receivers
			"internal/cli",     // asks a running server
			"bench",            // is a client
		},
		reason: "rules that know HTTP cannot be used by two doors: only web and the doors speak it, roof and command line wire it",
	},
	{
		packages: []string{"github.com/prometheus", "go.opentelemetry.io"},
		rooms:    []string{"internal/watch"},
		reason:   "rooms tell plain figures, so that how they are watched can change without them",
	},
}

// forbidden returns why the room may not import the package, or "" if it may.
func forbidden(room, imported string) string {
	if reason := reserved(room, imported); reason != "" {
		return reason
	}
	target, inHouse := strings.CutPrefix(imported, module+"/")
	if !inHouse {
		return foreigner(room, imported)
	}
	target = roomOf(target)
	switch {
	case target == room:
		return ""
	case isTestSupport(room), isTestSupport(target) && room == "bench": // no part of the product either
		return ""
	case isTestSupport(target):
		return "it is for tests, and what tests need must not be part of the product"
	}
	from, placed := plan[room]
	if !placed {
		return "" // reported once by the plan itself, not for each import
	}
	to, placed := plan[target]
	if from == door && target == "internal/store" {
		return floorReason[door]
	}
	if !placed || to < from {
		return ""
	}
	if from == ground && to == ground {
		return "" // one vocabulary in four words; Go itself refuses a cycle
	}
	return floorReason[from]
}

// reserved checks what only some rooms may import.
func reserved(room, imported string) string {
	for _, r := range reserves {
		if slices.ContainsFunc(r.packages, func(p string) bool { return within(imported, p) }) &&
			!slices.ContainsFunc(r.rooms, func(p string) bool { return within(room, p) }) {
			return r.reason
		}
	}
	return ""
}

// foreigner checks an import that is not of this module.
func foreigner(room, imported string) string {
	allowed, small := foreign[room]
	if !small || isStandard(imported) {
		return ""
	}
	for p := range allowed {
		if within(imported, p) {
			return ""
		}
	}
	return "ground and core stand on the standard library, so that no dependency can change what the rules mean; " +
		"an exception is listed with its reason"
}

// isStandard tells the standard library by its first element, which has no
// dot; that is how the go command itself tells.
func isStandard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// isTestSupport tells the rooms that exist for tests: testneed, and all whose
// name ends in "test".
func isTestSupport(room string) bool {
	return room == "internal/testneed" || strings.HasSuffix(room, "test")
}

// roomOf is the room that a folder belongs to: itself if it is test support,
// else the nearest folder at or above it that is in the plan.
func roomOf(folder string) string {
	if isTestSupport(folder) {
		return folder
	}
	for f := folder; f != "." && f != "/"; f = path.Dir(f) {
		if _, ok := plan[f]; ok {
			return f
		}
	}
	return folder
}

// within tells whether a path is the folder or lies in it. A major version
// belongs to its module: github.com/jackc/pgx/v5 is within github.com/jackc/pgx.
func within(p, folder string) bool {
	return p == folder || strings.HasPrefix(p, folder+"/")
}

// misnamed returns why a package may not have this name, or "".
func misnamed(name string) string {
	if slices.Contains([]string{
		"util", "utils", "common", "helper", "helpers", "manager", "managers",
	}, name) {
		return fmt.Sprintf("%q says where code was left, not what it is for; such a package collects everything", name)
	}
	return ""
}
