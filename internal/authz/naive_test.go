package authz

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/id"
	"pgregory.net/rapid"
)

// This file is a second evaluator, written from the rules alone. It shares no function with the first and goes another
// way: instead of looking for the roles of one membership at one place, it writes down who holds what on every resource
// of a tree, until nothing is left to write, and looks the answer up. Whatever both say is probably what the rules say.

// naiveWorld is an organization with one member, in plain words and numbers: hours for times, -1 for never.
type naiveWorld struct {
	order    []string            // the roles, highest first
	may      map[string][]string // what a role holds
	fallback string              // the default role of the organization
	many     bool
	gone     map[string]naiveGone
	parent   map[string]string // of each resource but the root, "home"
	rows     []naiveRow
	status   string
	now      int
}

// naiveGone says what rows of a role that is gone are rows of.
type naiveGone struct {
	to        string
	asDefault bool
}

type naiveRow struct {
	name, role, on, source string
	group, mapped          bool
	from, until, said      int
}

// permutations are the orders in which the direct sources have their say; a source that is not in the list has none.
// D and S are directory and SSO where a group was mapped, d and s where none was, M is people and the API.
var permutations = map[string]string{
	"the directory spoke, then the API": "M D d s",
	"the API spoke, then the directory": "D M d s",
	"SSO spoke, then the API":           "M S d s",
	"the API spoke, then SSO":           "S M d s",
	"neither directory nor SSO spoke":   "M d s",
}

// settled is the rows that count for anything: of roles that exist, in their time.
func (w naiveWorld) settled() (rows []naiveRow) {
	for _, r := range w.rows {
		for range 100 { // as the work in the background would, one role after the other
			g, gone := w.gone[r.role]
			if !gone {
				break
			}
			if r.role = g.to; g.asDefault {
				r.source = "default"
				if r.group || r.on != "home" {
					r.role = ""
				}
			}
		}
		if slices.Contains(w.order, r.role) && r.from <= w.now && (r.until < 0 || r.until > w.now) {
			rows = append(rows, r)
		}
	}
	return rows
}

// onHome is the rows that win on the organization, before the mode is looked at.
func onHome(rows []naiveRow) (winners []naiveRow) {
	said, at := map[string][]naiveRow{}, map[string]int{}
	for _, r := range rows {
		letter := map[string]string{"directory": "D", "sso": "S", "manual": "M", "group": "G", "default": "0"}[r.source]
		if !r.mapped && (r.source == "directory" || r.source == "sso") {
			letter = strings.ToLower(letter)
		}
		if r.on == "home" {
			said[letter] = append(said[letter], r)
			at[letter] = max(at[letter], r.said)
		}
	}
	story := "neither directory nor SSO spoke"
	switch later := func(a, b string) bool { return said[a] != nil && at[a] > at[b] }; {
	case said["D"] != nil && later("M", "D"):
		story = "the directory spoke, then the API"
	case said["D"] != nil:
		story = "the API spoke, then the directory"
	case said["S"] != nil && later("M", "S"):
		story = "SSO spoke, then the API"
	case said["S"] != nil:
		story = "the API spoke, then SSO"
	}
	for _, letter := range strings.Fields(permutations[story]) {
		if weak := letter == "d" || letter == "s"; weak && said["G"] != nil {
			continue // a native group gives a role, so none is missing
		}
		if said[letter] != nil {
			winners = append(winners, said[letter]...)
			break
		}
	}
	if winners = append(winners, said["G"]...); winners == nil {
		winners = said["0"]
	}
	return winners
}

// naiveHolding is one role held on one resource; direct is false where it comes from a resource above.
type naiveHolding struct {
	on, role string
	direct   bool
}

// everything is all that the member holds, on all resources.
func (w naiveWorld) everything() map[naiveHolding]bool {
	all := map[naiveHolding]bool{}
	rows := w.settled()
	winners := onHome(rows)
	if winners == nil {
		winners = []naiveRow{{role: w.fallback, source: "default"}}
	}
	for _, r := range winners {
		all[naiveHolding{"home", r.role, true}] = true
	}
	if one := !w.many || winners[0].source == "default"; one {
		for _, role := range w.order {
			if all[naiveHolding{"home", role, true}] {
				maps.DeleteFunc(all, func(h naiveHolding, _ bool) bool { return h.role != role })
				break
			}
		}
	}
	for _, r := range rows {
		if r.on != "home" && r.source != "default" {
			all[naiveHolding{r.on, r.role, true}] = true
		}
	}
	for grown := -1; grown != len(all); {
		grown = len(all)
		for h := range maps.Clone(all) {
			for child, parent := range w.parent {
				if parent == h.on {
					all[naiveHolding{child, h.role, false}] = true
				}
			}
		}
	}
	return all
}

func (w naiveWorld) allowed(permission, on string) bool {
	for h := range w.everything() {
		if w.status == "active" && h.on == on && slices.Contains(w.may[h.role], permission) {
			return true
		}
	}
	return false
}

var (
	naivePermissions = []string{"a", "b", "c", "d"}
	naiveLive        = []string{"r1", "r2", "r3", "r4"}
	naiveRetired     = []string{"g1", "g2", "g3"}
	naiveSources     = []string{"manual", "manual", "manual", "default", "group", "sso", "directory"}
)

func drawWorld(t *rapid.T) naiveWorld {
	w := naiveWorld{
		order: rapid.Permutation(naiveLive).Draw(t, "order"), fallback: rapid.SampledFrom(naiveLive).Draw(t, "default"),
		may: map[string][]string{}, gone: map[string]naiveGone{}, parent: map[string]string{},
		many: rapid.Bool().Draw(t, "multiple roles"), now: 10,
		status: rapid.SampledFrom([]string{"active", "active", "active", "inactive", "pending"}).Draw(t, "status"),
	}
	for _, r := range naiveLive {
		held := rapid.SliceOfDistinct(rapid.SampledFrom(naivePermissions), rapid.ID).Draw(t, "permissions of "+r)
		slices.Sort(held)
		w.may[r] = held
	}
	for i, g := range naiveRetired {
		later := append(slices.Clone(naiveLive), naiveRetired[i+1:]...) // roles go one after the other: no circles
		w.gone[g] = naiveGone{rapid.SampledFrom(later).Draw(t, g+" becomes"), rapid.Bool().Draw(t, g+" became the default")}
	}
	// Resources hang one below the other or side by side, at most five deep.
	depth, names := map[string]int{"home": 0}, []string{"home"}
	for i := range rapid.IntRange(0, 7).Draw(t, "resources") {
		parent := rapid.SampledFrom(names).Draw(t, "parent")
		if depth[parent] == 5 {
			parent = "home"
		}
		name := fmt.Sprint("t", i)
		w.parent[name], depth[name] = parent, depth[parent]+1
		names = append(names, name)
	}
	for i := range rapid.IntRange(0, 7).Draw(t, "assignments") {
		w.rows = append(w.rows, drawRow(t, fmt.Sprint("a", i), names, append(slices.Concat(naiveLive, naiveLive, naiveRetired), "theirs")))
	}
	return w
}

func drawRow(t *rapid.T, name string, resources, roles []string) naiveRow {
	r := naiveRow{
		name: name, role: rapid.SampledFrom(roles).Draw(t, "role"), source: rapid.SampledFrom(naiveSources).Draw(t, "source"),
		mapped: rapid.Bool().Draw(t, "mapped"), said: rapid.IntRange(0, 4).Draw(t, "said"), until: -1, on: "home",
	}
	if rapid.IntRange(0, 2).Draw(t, "where") == 0 {
		r.on = rapid.SampledFrom(resources).Draw(t, "resource")
	}
	if rapid.IntRange(0, 3).Draw(t, "interval") == 0 {
		r.from = rapid.IntRange(8, 12).Draw(t, "from")
		r.until = rapid.IntRange(8, 12).Draw(t, "until")
	}
	if r.source == "manual" || r.source == "group" || r.source == "default" {
		r.mapped = true
	}
	r.group = r.source == "group"
	return r
}

// facts translates a world for the evaluator under test, for one place. What begins at 0 is said to have no beginning.
func (w naiveWorld) facts(on string) Facts {
	hour := func(n int) time.Time {
		if n <= 0 {
			return time.Time{}
		}
		return noon.Add(time.Duration(n) * time.Hour)
	}
	f := Facts{
		At: hour(w.now), Membership: Membership{ID: "om_1", Organization: acme, Status: Status(w.status)},
		Policy: Policy{Organization: acme, Own: true, Multiple: w.many, Default: id.Role(w.fallback), Retired: map[id.Role]Replacement{}},
	}
	for _, r := range w.order {
		f.Policy.Roles = append(f.Policy.Roles, Role{ID: id.Role(r), Slug: r, Permissions: w.may[r]})
	}
	for g, to := range w.gone {
		f.Policy.Retired[id.Role(g)] = Replacement{Role: id.Role(to.to), Default: to.asDefault}
	}
	for ; on != "home"; on = w.parent[on] {
		f.Path = append(f.Path, Resource{ID: w.resource(on), Organization: acme, Parent: w.resource(w.parent[on])})
	}
	for _, r := range w.rows {
		a := Assignment{
			ID: id.Assignment(r.name), Organization: acme, Role: id.Role(r.role), Resource: w.resource(r.on), Source: Source(r.source),
			Explicit: r.mapped, StartsAt: hour(r.from), ExpiresAt: hour(r.until), UpdatedAt: noon.Add(time.Duration(r.said) * time.Hour),
		}
		if r.group {
			a.Group = "group_1"
		} else {
			a.Membership = "om_1"
		}
		f.Assignments = append(f.Assignments, a)
	}
	return f
}

func (w naiveWorld) resource(name string) id.Resource {
	if name == "home" {
		return home
	}
	return id.Resource(name)
}

// places is every resource of the tree.
func (w naiveWorld) places() []string {
	return append(slices.Sorted(maps.Keys(w.parent)), "home")
}

// direct is what is held directly on a place and on those above it.
func (w naiveWorld) direct(on string) (all []string) {
	for h := range w.everything() {
		for at := on; at != ""; at = w.parent[at] {
			if h.on == at && h.direct {
				all = append(all, string(w.resource(at))+" "+h.role)
			}
		}
	}
	sort.Strings(all)
	return all
}

func names(held []Held) (all []string) {
	for _, h := range held {
		all = append(all, string(h.Resource)+" "+h.Role.Slug)
	}
	sort.Strings(all)
	return all
}

func TestAgainstNaiveEvaluator(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		for _, on := range w.places() {
			f := w.facts(on)
			want := w.direct(on)
			if got := names(append(EffectiveRoles(f), RolesOnPath(f)...)); !slices.Equal(got, want) {
				t.Fatalf("on %s %v are held, want %v", on, got, want)
			}
			var may []string
			for _, p := range naivePermissions {
				d := Decide(f, p)
				if d.Authorized != w.allowed(p, on) {
					t.Fatalf("%s on %s: %+v, want %v", p, on, d, !d.Authorized)
				}
				w.explained(t, d, want)
				if d.Authorized {
					may = append(may, p)
				}
			}
			if got := EffectivePermissions(f); !slices.Equal(got, may) {
				t.Fatalf("the list on %s is %v, and checks allow %v", on, got, may)
			}
		}
	})
}

// explained wants a reason that proves its decision.
func (w naiveWorld) explained(t *rapid.T, d Decision, held []string) {
	switch {
	case w.status != "active":
		if d.Reason.Cause != CauseNotActive || d.Reason.Held != nil {
			t.Fatalf("not active, but %+v", d)
		}
	case !d.Authorized:
		if d.Reason.Cause != CauseNoRole || !slices.Equal(names(d.Reason.Held), held) {
			t.Fatalf("refused because of %+v, held are %v", d.Reason, held)
		}
	default:
		if d.Reason.Cause != CauseRole || len(d.Reason.Held) != 1 {
			t.Fatalf("allowed because of %+v", d.Reason)
		}
		h := d.Reason.Held[0]
		if !slices.Contains(held, names(d.Reason.Held)[0]) || !slices.Contains(h.Role.Permissions, d.Reason.Permission) {
			t.Fatalf("allowed by %+v, held are %v", h, held)
		}
		row := slices.IndexFunc(w.rows, func(r naiveRow) bool { return r.name == string(h.Assignment) })
		if row >= 0 && w.resource(w.rows[row].on) != h.Resource || row < 0 && h.Assignment != "" {
			t.Fatalf("the reason names an assignment that is not there: %+v", h)
		}
	}
}

// The answer depends on what is said, not on the order in which it is read.
func TestOrderOfReadingDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		f := w.facts("home")
		before := EffectiveRoles(f)
		f.Assignments = rapid.Permutation(f.Assignments).Draw(t, "read")
		if after := EffectiveRoles(f); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Fatalf("%+v, read in another order %+v", before, after)
		}
	})
}

// R82, R35: with one role the member has the first of those that he has with many; what he holds on resources is the
// same (R84).
func TestOneRoleIsTheFirstOfMany(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		on := rapid.SampledFrom(w.places()).Draw(t, "on")
		w.many = false
		one := w.facts(on)
		w.many = true
		many := w.facts(on)
		if fmt.Sprint(EffectiveRoles(one)) != fmt.Sprint(EffectiveRoles(many)[:1]) {
			t.Fatalf("one role: %+v, many: %+v", EffectiveRoles(one), EffectiveRoles(many))
		}
		if fmt.Sprint(RolesOnPath(one)) != fmt.Sprint(RolesOnPath(many)) {
			t.Fatal("the mode changed what is held on resources")
		}
	})
}

// With multiple roles another assignment takes nothing away (R81, R136), but where it lets another source have its say:
// it must then be one on the organization, from a source that did not count before or that outranks what counted.
func TestMoreAssignmentsGiveMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		w.many, w.status = true, "active"
		on := rapid.SampledFrom(w.places()).Draw(t, "on")
		before, winners := EffectivePermissions(w.facts(on)), onHome(w.settled())
		row := drawRow(t, "new", w.places(), naiveLive)
		w.rows = append(w.rows, row)
		if row.on == "home" {
			joins := func(r naiveRow) bool {
				return r.source == row.source && r.mapped == row.mapped && r.source != "default"
			}
			added := row.source == "group" && slices.ContainsFunc(winners, func(r naiveRow) bool {
				return r.source == "group" || r.source == "manual" || r.mapped && r.source != "default"
			})
			if !added && !slices.ContainsFunc(winners, joins) {
				t.Skip("another source has its say")
			}
		}
		after := EffectivePermissions(w.facts(on))
		for _, p := range before {
			if !slices.Contains(after, p) {
				t.Fatalf("%+v took %s away: %v, then %v", row, p, before, after)
			}
		}
	})
}

// table is the assignments of one membership, for the one rule that rewrites them.
type table struct {
	Tx
	rows []Assignment
}

func (t *table) UpdateAssignment(a Assignment, _ time.Time) error {
	for i := range t.rows {
		if t.rows[i].ID == a.ID {
			t.rows[i] = a
		}
	}
	return nil
}

func (t *table) DeleteAssignments(_ id.Organization, as []Assignment) error {
	ids := assignmentIDs(as)
	t.rows = slices.DeleteFunc(t.rows, func(a Assignment) bool { return slices.Contains(ids, a.ID) })
	return nil
}

func (t *table) MoveAssignments(_ id.Organization, as []id.Assignment, to id.Role, source Source) error {
	for i := range t.rows {
		if slices.Contains(as, t.rows[i].ID) {
			t.rows[i].Role, t.rows[i].Source = to, source
		}
	}
	return nil
}

// R45, R46: the work that moves the assignments of a role that is gone changes no decision, then or later, batch by
// batch. The one exception is written down where it is made: two intervals of one role with a gap between them become
// the later one, because a subject holds a role on a resource once from each source; so no intervals here.
func TestMovingAssignmentsChangesNoDecision(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		for i := range w.rows {
			w.rows[i].from, w.rows[i].until = 0, -1
		}
		twins := map[twin]bool{} // the database holds each once
		f := w.facts("home")
		f.Assignments = slices.DeleteFunc(f.Assignments, func(a Assignment) bool {
			twice := twins[a.twin()]
			twins[a.twin()] = true
			return twice
		})
		rows := &table{rows: slices.Clone(f.Assignments)}
		ch := &change{Tx: rows, now: noon.Add(100 * time.Hour)}
		for _, gone := range rapid.Permutation(naiveRetired).Draw(t, "moved in this order") {
			var naming []Assignment
			for _, a := range rows.rows {
				if string(a.Role) == gone {
					naming = append(naming, a)
				}
			}
			for some := range slices.Chunk(naming, 2) {
				had := map[twin]Assignment{}
				for _, a := range rows.rows {
					had[a.twin()] = a
				}
				if err := ch.rewrite(f.Policy, some, had); err != nil {
					t.Fatal(err)
				}
			}
			for _, on := range w.places() {
				before := w.facts(on)
				before.Assignments = f.Assignments
				after := before
				after.Assignments = rows.rows
				if b, a := names(append(EffectiveRoles(before), RolesOnPath(before)...)), names(append(EffectiveRoles(after), RolesOnPath(after)...)); !slices.Equal(b, a) {
					t.Fatalf("moving %s changed what is held on %s: %v, then %v", gone, on, b, a)
				}
			}
		}
		unique := map[twin]bool{}
		for _, a := range rows.rows {
			if unique[a.twin()] {
				t.Fatalf("two of %+v", a.twin())
			}
			unique[a.twin()] = true
		}
	})
}
