package store

import (
	"slices"
	"strconv"
	"strings"

	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/page"
)

// condition gathers the parts of a WHERE clause that are chosen at run time, with their arguments.
type condition struct {
	parts []string
	args  []any
}

// add joins a part; each ? in it takes the next of args.
func (c *condition) add(part string, args ...any) {
	var numbered strings.Builder
	for i, text := range strings.Split(part, "?") {
		if i > 0 {
			numbered.WriteString("$" + strconv.Itoa(len(c.args)+i))
		}
		numbered.WriteString(text)
	}
	c.args = append(c.args, args...)
	c.parts = append(c.parts, numbered.String())
}

// in joins "column is one of values".
func in[T ~string](c *condition, column string, values []T) {
	if len(values) == 0 {
		return
	}
	args := make([]any, len(values))
	for i, v := range values {
		args[i] = string(v)
	}
	c.add(column+" IN ("+strings.TrimSuffix(strings.Repeat("?, ", len(args)), ", ")+")", args...)
}

// among joins "in the organization, and column is one of values" to a condition on a table, and returns what to read it
// from. Every value is looked up by itself: a database that has prepared for an organization of average size would
// rather read all of the organization, however large this one is.
func among[T ~string](c *condition, table, column string, org id.Organization, values []T) (from string) {
	if len(values) == 1 {
		c.add("organization_id = ? AND "+column+" = ?", string(org), string(values[0]))
		return table
	}
	values = slices.Clone(values)
	slices.Sort(values)
	c.args = append(c.args, string(org))
	owner := "($" + strconv.Itoa(len(c.args)) + ", $"
	var rows []string
	for _, v := range slices.Compact(values) {
		c.args = append(c.args, string(v))
		rows = append(rows, owner+strconv.Itoa(len(c.args))+")")
	}
	c.parts = append(c.parts, table+".organization_id = w.column1", table+"."+column+" = w.column2")
	return "(VALUES " + strings.Join(rows, ", ") + ") AS w CROSS JOIN " + table
}

func (c condition) with(part string, args ...any) condition {
	longer := condition{parts: append([]string(nil), c.parts...), args: append([]any(nil), c.args...)}
	longer.add(part, args...)
	return longer
}

func (c condition) String() string { return strings.Join(c.parts, " AND ") }

// list is a list that can be read in pages.
type list[T any] struct {
	doing   string
	columns string
	from    string
	key     string // the column that orders it and that cursors are compared with
	scan    func(row) (T, error)
	cursor  func(T) string
}

// page reads one page. at is the cursor as a value of the key column; it is not used when the request has no cursor.
func (l list[T]) page(t *tx, c condition, r page.Request, at any) (page.Page[T], error) {
	w := r.Walk()
	direction, beyond, opposite, behind := "DESC", " < ?", "ASC", " >= ?"
	if w.Ascending {
		direction, beyond, opposite, behind = "ASC", " > ?", "DESC", " <= ?"
	}
	ahead := c
	if w.Cursor != "" {
		ahead = c.with(l.key+beyond, at)
	}
	query := "SELECT " + l.columns + " FROM " + l.from + " WHERE " + ahead.String() +
		" ORDER BY " + l.key + " " + direction + " LIMIT " + strconv.Itoa(r.Limit+1)
	read, err := all(t, l.doing, l.scan, query, ahead.args...)
	if err != nil {
		return page.Page[T]{}, err
	}
	passed := false
	if w.Cursor != "" {
		other := c.with(l.key+behind, at)
		_, passed, err = one(t, l.doing, scanValue[int64],
			"SELECT 1 FROM "+l.from+" WHERE "+other.String()+" ORDER BY "+l.key+" "+opposite+" LIMIT 1", other.args...)
		if err != nil {
			return page.Page[T]{}, err
		}
	}
	return page.Cut(r, read, passed, l.cursor), nil
}
