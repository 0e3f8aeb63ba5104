// Package page is the one way to ask for part of a list: a limit, an order and a cursor that is the id of an item.
// A cursor is a position, not a capability: it is parsed strictly, compared as data, and reveals nothing about items
// that the filter does not let through (rules R150-R155).
package page

import (
	"slices"
	"strconv"

	"github.com/rolecall/rolecall/internal/fault"
)

// The bounds of Limit, in items, and the limit when none is asked for.
const (
	MinLimit     = 1
	MaxLimit     = 100
	DefaultLimit = 10
)

// Order is the order of a list by creation.
type Order string

// The orders of the contract. Normal lists newest first like Desc, with the meaning of the two cursors exchanged (R153).
const (
	Desc   Order = "desc"
	Asc    Order = "asc"
	Normal Order = "normal"
)

// Request asks for part of a list. At most one of Before and After is set; both are empty or parsed ids.
type Request struct {
	Limit  int
	Order  Order
	Before string
	After  string
}

// Page is part of a list. After and Before are the cursors that lead on, empty where nothing follows or precedes.
type Page[T any] struct {
	Items  []T
	Before string
	After  string
}

// Raw holds the four query values as they arrived, empty when absent.
type Raw struct{ Limit, Order, Before, After string }

// Parse checks raw values. valid says whether a string can be a cursor of this list; fallback is the order when none
// is asked for. It returns every fault at once, each naming its parameter.
func Parse(raw Raw, fallback Order, valid func(string) bool) (Request, error) {
	req := Request{Limit: DefaultLimit, Order: fallback, Before: raw.Before, After: raw.After}
	var bad []fault.Field
	if raw.Limit != "" {
		n, err := strconv.Atoi(raw.Limit)
		if err != nil || n < MinLimit || n > MaxLimit {
			bad = append(bad, fault.Field{Name: "limit", Message: "must be a whole number from 1 to 100"})
		}
		req.Limit = n
	}
	if raw.Order != "" {
		req.Order = Order(raw.Order)
		if req.Order != Desc && req.Order != Asc && req.Order != Normal {
			bad = append(bad, fault.Field{Name: "order", Message: "must be one of normal, desc, asc"})
		}
	}
	if raw.Before != "" && !valid(raw.Before) {
		bad = append(bad, fault.Field{Name: "before", Message: "is not a cursor of this list"})
	}
	if raw.After != "" && !valid(raw.After) {
		bad = append(bad, fault.Field{Name: "after", Message: "is not a cursor of this list"})
	}
	if raw.Before != "" && raw.After != "" {
		bad = append(bad, fault.Field{Name: "before", Message: "cannot be combined with after"})
	}
	if bad != nil {
		return Request{}, fault.BadFields(bad...)
	}
	return req, nil
}

// Walk says how to read a list for a request: from Cursor (empty: from the end that Ascending starts at), towards
// larger ids when Ascending, and whether the items read must be turned round before they are shown.
type Walk struct {
	Cursor    string
	Ascending bool
	Reverse   bool
}

// Walk turns a request into the one direction in which rows are read.
func (r Request) Walk() Walk {
	shownAscending := r.Order == Asc
	switch forward, backward := r.cursors(); {
	case backward != "":
		return Walk{Cursor: backward, Ascending: !shownAscending, Reverse: true}
	default:
		return Walk{Cursor: forward, Ascending: shownAscending}
	}
}

// Passes says whether an item lies on the near side of the cursor, or at it.
func (w Walk) Passes(key string) bool {
	return w.Cursor != "" && (key == w.Cursor || key < w.Cursor == w.Ascending)
}

// cursors returns the cursor that moves down the list as shown and the one that moves up.
func (r Request) cursors() (down, up string) {
	if r.Order == Normal {
		return r.Before, r.After
	}
	return r.After, r.Before
}

// Cut makes a page of the items that were read in the direction of the walk: at most Limit+1 of them, the one too
// many telling that more follow. behind says whether anything lies on the other side of the cursor. key gives the
// cursor of an item.
func Cut[T any](r Request, read []T, behind bool, key func(T) string) Page[T] {
	w := r.Walk()
	more := len(read) > r.Limit
	if more {
		read = read[:r.Limit]
	}
	items := make([]T, len(read))
	copy(items, read)
	if w.Reverse {
		for i, j := 0, len(items)-1; i < j; i, j = i+1, j-1 {
			items[i], items[j] = items[j], items[i]
		}
	}
	p := Page[T]{Items: items}
	if len(items) == 0 {
		return p
	}
	below, above := more, behind
	if w.Reverse {
		below, above = behind, more
	}
	var down, up string
	if below {
		down = key(items[len(items)-1])
	}
	if above {
		up = key(items[0])
	}
	p.After, p.Before = down, up
	if r.Order == Normal {
		p.After, p.Before = up, down
	}
	return p
}

// Of makes a page of a whole list that is at hand, sorted by key.
func Of[T any](r Request, all []T, key func(T) string) Page[T] {
	w := r.Walk()
	read := slices.Clone(all)
	if !w.Ascending {
		slices.Reverse(read)
	}
	passed := 0
	for passed < len(read) && w.Passes(key(read[passed])) {
		passed++
	}
	read = read[passed:]
	return Cut(r, read[:min(len(read), r.Limit+1)], passed > 0, key)
}
