package authz

import "github.com/rolecall/rolecall/internal/page"

// sieve makes pages of a list that no index holds: of the candidates C that a rule lets through, as what the rule made
// of them. Candidates are read in the order of their ids, in chunks, and only until the page is full, so that a page
// costs what it skips and never the whole list, and nothing is missed or shown twice however the list changes between
// two pages.
type sieve[C, T any] struct {
	key  func(T) string
	list func(page.Request) (page.Page[C], error) // candidates, by id
	find func(cursor string) ([]C, error)         // the candidate with that id, when there is one
	keep func([]C) ([]T, error)                   // what is made of those that pass, in the order given
}

// The chunks in which candidates are read grow up to maxChunk: where most pass, little is read in vain, and where few
// do, few statements are sent.
const (
	chunkGrowth = 4
	maxChunk    = 1000
)

// page answers as a list that is stored answers (R150-R155).
func (s sieve[C, T]) page(r page.Request) (page.Page[T], error) {
	w := r.Walk()
	read, err := s.walk(w.Cursor, w.Ascending, r.Limit+1)
	if err != nil {
		return page.Page[T]{}, err
	}
	behind, err := s.behind(w)
	if err != nil {
		return page.Page[T]{}, err
	}
	return page.Cut(r, read, behind, s.key), nil
}

// walk returns the first enough of what passes beyond a cursor.
func (s sieve[C, T]) walk(cursor string, ascending bool, enough int) (passed []T, err error) {
	ahead := page.Request{Limit: enough, Order: ordered(ascending), After: cursor}
	for {
		some, err := s.list(ahead)
		if err != nil {
			return nil, err
		}
		kept, err := s.keep(some.Items)
		if err != nil {
			return nil, err
		}
		passed = append(passed, kept...)
		if some.After == "" || len(passed) >= enough {
			return passed[:min(len(passed), enough)], nil
		}
		ahead.After, ahead.Limit = some.After, min(ahead.Limit*chunkGrowth, maxChunk)
	}
}

// behind says whether anything passes at the cursor or on the other side of it.
func (s sieve[C, T]) behind(w page.Walk) (bool, error) {
	if w.Cursor == "" {
		return false, nil
	}
	at, err := s.find(w.Cursor)
	if err != nil {
		return false, err
	}
	passed, err := s.keep(at)
	if err != nil || len(passed) > 0 {
		return len(passed) > 0, err
	}
	passed, err = s.walk(w.Cursor, !w.Ascending, 1)
	return len(passed) > 0, err
}
