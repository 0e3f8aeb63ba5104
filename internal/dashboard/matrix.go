package dashboard

import (
	"encoding/csv"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/web"
)

// How much of the matrix a page shows, so that it stays light however many roles and permissions there are.
const (
	matrixColumns = 20  // roles
	matrixRows    = 100 // permissions
)

// matrix is a window of roles and permissions and which of the roles hold which.
type matrix struct {
	Owner        id.Organization
	Organization string // its name
	Roles        []matrixRole
	Groups       []matrixGroup
	Columns      span
	Rows         span
	AllRows      int
	Shown        string // the slugs of the permissions in the window
	Editable     bool   // whether any cell can be changed here
	Pending      bool   // whether it shows changes that are not saved
}

// matrixRole is a column.
type matrixRole struct {
	authz.Role
	Editable bool
	Was      string // what it holds of the permissions in the window
}

// matrixGroup is rows that begin alike.
type matrixGroup struct {
	Name string
	Rows []matrixRow
}

type matrixRow struct {
	authz.Permission
	Number int
	Cells  []matrixCell
}

// matrixCell is whether one role holds one permission.
type matrixCell struct {
	Column  int
	Value   string // how the form names it
	Held    bool   // as it is
	Ticked  bool   // as it is, or as somebody wants it
	Locked  bool   // it cannot be changed here
	Unfit   bool   // it cannot be held
	Changed bool
}

// span is a window of a list.
type span struct {
	First, Last, Total int // counted from 1
	Previous, Next     string
}

// showMatrix is the matrix as it is.
func showMatrix(v *visit) error { return v.showMatrixWith(nil) }

// showMatrixWith is the matrix with changes that somebody wants and has not saved.
func (v *visit) showMatrixWith(edits []matrixEdit) error {
	org := v.organization()
	above, name, err := v.above(org)
	if err != nil {
		return err
	}
	policy, err := v.door.rules.Policy(v.Context(), v.caller, org)
	if err != nil {
		return err
	}
	permissions, err := v.sortedCatalogue()
	if err != nil {
		return err
	}
	types, err := v.door.rules.ListResourceTypes(v.Context(), v.caller)
	if err != nil {
		return err
	}
	m := matrix{Owner: org, AllRows: len(permissions), Pending: len(edits) > 0}
	if org != "" {
		m.Organization = name
	}
	roles, permissions := v.matrixFilter(policy.Roles, permissions)
	if m.Columns, roles, err = window(v, "first_role", roles, matrixColumns); err != nil {
		return err
	}
	if m.Rows, permissions, err = window(v, "first_permission", permissions, matrixRows); err != nil {
		return err
	}
	m.fill(roles, permissions, types, edits, v.Can("editor"))
	v.example(matrixExamples(org)...)
	if org != "" {
		return v.show("matrix.html", "Matrix of "+name, above, m)
	}
	return v.show("matrix.html", "Matrix", nil, m)
}

func matrixExamples(org id.Organization) []Call {
	return []Call{
		roleExamples(org)[0],
		{What: "List the permissions", Method: "GET", Path: "/authorization/permissions?limit=100&order=asc", Node: "authorization.listPermissions({ limit: 100, order: 'asc' })"},
	}
}

// matrixFilter keeps the roles and the permissions that the address asks for.
func (v *visit) matrixFilter(roles []authz.Role, permissions []authz.Permission) ([]authz.Role, []authz.Permission) {
	wanted, search := v.query.Get("roles"), v.query.Get("search")
	roles = slices.DeleteFunc(slices.Clone(roles), func(r authz.Role) bool { return wanted != string(r.ID) && !matches(wanted, r.Name, r.Slug) })
	return roles, slices.DeleteFunc(permissions, func(p authz.Permission) bool { return !matchesPermission(search, p) })
}

// matrixQuery is the part of an address that says which window of the matrix is meant.
func (v *visit) matrixQuery() url.Values {
	q := url.Values{}
	for _, name := range []string{"roles", "search", "first_role", "first_permission"} {
		if s := v.query.Get(name); s != "" {
			q.Set(name, s)
		}
	}
	return q
}

// MatrixAddress is the address of the matrix, or of a screen below it, with the same window.
func (v *visit) MatrixAddress(below ...string) string {
	address := v.In(v.organization(), append([]string{"matrix"}, below...)...)
	if q := v.matrixQuery().Encode(); q != "" {
		address += "?" + q
	}
	return address
}

// window cuts a list to the part that a parameter of the address says the first of, and finds the ones beside it.
func window[T any](v *visit, name string, all []T, size int) (span, []T, error) {
	first := 1
	if asked := v.query.Get(name); asked != "" {
		var err error
		if first, err = strconv.Atoi(asked); err != nil || first < 1 {
			return span{}, nil, fault.BadField(name, "must be a whole number from 1")
		}
	}
	from := (min(first, max(len(all), 1)) - 1) / size * size
	to := min(from+size, len(all))
	link := func(from int) string {
		q := v.matrixQuery()
		q.Set(name, strconv.Itoa(from+1))
		return v.In(v.organization(), "matrix") + "?" + q.Encode()
	}
	s := span{First: from + 1, Last: to, Total: len(all)}
	if from > 0 {
		s.Previous = link(from - size)
	}
	if to < len(all) {
		s.Next = link(to)
	}
	return s, all[from:to], nil
}

// fill makes the cells of the window.
func (m *matrix) fill(roles []authz.Role, permissions []authz.Permission, types []authz.ResourceType, edits []matrixEdit, may bool) {
	wanted := map[string]matrixEdit{}
	for _, e := range edits {
		wanted[e.Slug] = e
	}
	shown := make([]string, len(permissions))
	for i, p := range permissions {
		shown[i] = p.Slug
	}
	m.Shown = strings.Join(shown, " ")
	above := typesAbove(types)
	held := make([]map[string]bool, len(roles))
	for i, r := range roles {
		column := matrixRole{Role: r, Editable: may && r.Organization == m.Owner}
		held[i] = setOf(r.Permissions)
		column.Was = strings.Join(slices.DeleteFunc(slices.Clone(shown), func(s string) bool { return !held[i][s] }), " ")
		m.Roles, m.Editable = append(m.Roles, column), m.Editable || column.Editable
	}
	number := 0
	for _, g := range grouped(permissions) {
		group := matrixGroup{Name: g.Name}
		for _, p := range g.Permissions {
			row := matrixRow{Permission: p, Number: number}
			number++
			for i, r := range m.Roles {
				c := matrixCell{Column: i, Value: r.Slug + ":" + p.Slug, Held: held[i][p.Slug], Locked: !r.Editable}
				c.Unfit = !c.Held && r.ResourceType != authz.OrganizationType && !above[p.ResourceType][r.ResourceType]
				c.Ticked = (c.Held || slices.Contains(wanted[r.Slug].Add, p.Slug)) && !slices.Contains(wanted[r.Slug].Remove, p.Slug)
				c.Changed = c.Ticked != c.Held
				row.Cells = append(row.Cells, c)
			}
			group.Rows = append(group.Rows, row)
		}
		m.Groups = append(m.Groups, group)
	}
}

func setOf(list []string) map[string]bool {
	set := make(map[string]bool, len(list))
	for _, s := range list {
		set[s] = true
	}
	return set
}

// typesAbove finds, for each resource type, itself and the types that it lies below, at any depth: a role on one of
// these can hold what is made for it.
func typesAbove(types []authz.ResourceType) map[string]map[string]bool {
	parents := map[string][]string{}
	for _, t := range types {
		parents[t.Slug] = t.Parents
	}
	all := map[string]map[string]bool{}
	for _, t := range types {
		seen := map[string]bool{t.Slug: true}
		for next := []string{t.Slug}; len(next) > 0; next = next[1:] {
			for _, p := range parents[next[0]] {
				if !seen[p] {
					seen[p] = true
					next = append(next, p)
				}
			}
		}
		all[t.Slug] = seen
	}
	return all
}

// exportMatrix is the whole matrix that the filters let through, as a table.
func exportMatrix(v *visit) error {
	org := v.organization()
	policy, err := v.door.rules.Policy(v.Context(), v.caller, org)
	if err != nil {
		return err
	}
	permissions, err := v.sortedCatalogue()
	if err != nil {
		return err
	}
	roles, permissions := v.matrixFilter(policy.Roles, permissions)
	v.w.Header().Set("Content-Disposition", `attachment; filename="matrix.csv"`)
	v.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	v.w.WriteHeader(http.StatusOK)
	return writeMatrix(v.w, roles, permissions)
}

// writeMatrix writes a row for each permission and a column for each role.
func writeMatrix(w io.Writer, roles []authz.Role, permissions []authz.Permission) error {
	out := csv.NewWriter(w)
	header := []string{"permission", "name", "resource_type"}
	held := make([]map[string]bool, len(roles))
	for i, r := range roles {
		header, held[i] = append(header, web.Harmless(r.Slug)), setOf(r.Permissions)
	}
	out.Write(header)
	for _, p := range permissions {
		row := []string{web.Harmless(p.Slug), web.Harmless(p.Name), web.Harmless(p.ResourceType)}
		for i := range roles {
			cell := ""
			if held[i][p.Slug] {
				cell = "yes"
			}
			row = append(row, cell)
		}
		out.Write(row)
	}
	out.Flush()
	return nil // a browser that went away has nobody left to tell
}
