package web

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Flat reads bodies of one type, all of whose fields are text or true or false. It reads as Decode and DecodeItems do:
// what is written plainly, as programs write it, it reads itself, in one pass; anything else it leaves to them.
type Flat[T any] struct {
	keys     []string // of the fields, in their order
	required uint64   // a bit for each field
}

// NewFlat returns the reader of a type. It panics where a field is neither Field[string] nor Field[bool].
func NewFlat[T any]() Flat[T] {
	var f Flat[T]
	for field := range reflect.TypeFor[T]().Fields() {
		if field.Type != reflect.TypeFor[Field[string]]() && field.Type != reflect.TypeFor[Field[bool]]() || len(f.keys) == 64 {
			panic(fmt.Sprintf("%v cannot be read plainly because of %s", reflect.TypeFor[T](), field.Name))
		}
		key := field.Tag.Get("json")
		if field.Tag.Get("required") != "" {
			f.required |= 1 << len(f.keys)
		}
		f.keys = append(f.keys, key)
	}
	return f
}

// place is where a field is: one of both.
type place struct {
	text  *Field[string]
	truth *Field[bool]
}

// usual is how many fields bodies have at most, as a rule.
const usual = 8

// places finds the fields of a struct, in their order.
func places[T any](into *T, room []place) []place {
	v := reflect.ValueOf(into).Elem()
	for i := range v.NumField() {
		switch field := v.Field(i).Addr().Interface().(type) {
		case *Field[string]:
			room = append(room, place{text: field})
		case *Field[bool]:
			room = append(room, place{truth: field})
		}
	}
	return room
}

// Decode is Decode.
func (f Flat[T]) Decode(body []byte) (T, error) {
	var in T
	var room [usual]place
	s := scan{rest: string(body)}
	if f.object(&s, places(&in, room[:0])) && s.end() {
		return in, nil
	}
	return Decode[T](body)
}

// Each reads a body with nothing in it but a list of at least one object, each of which it hands over in turn, in the
// same place, for as long as it is taken. Where it returns false that is left to Decode and DecodeItems, and what was
// handed over does not count.
func (f Flat[T]) Each(key string, body []byte, one func(*T) (more bool)) bool {
	s := scan{rest: string(body)}
	if name, isText := "", s.take('{'); !isText || !s.text(&name) || name != key || !s.take(':') || !s.take('[') {
		return false
	}
	var in, none T
	var room [usual]place
	fields := places(&in, room[:0])
	for {
		in = none
		if !f.object(&s, fields) || !one(&in) {
			return false
		}
		if !s.take(',') {
			return s.take(']') && s.take('}') && s.end()
		}
	}
}

// object reads an object into fields. Keys that are not known, or are there twice, are not plain.
func (f Flat[T]) object(s *scan, fields []place) bool {
	if !s.take('{') {
		return false
	}
	var seen uint64
	for more := !s.take('}'); more; {
		n := s.key(f.keys)
		if n < 0 || seen&(1<<n) != 0 || !s.take(':') {
			return false
		}
		seen |= 1 << n
		if field := fields[n]; field.text != nil {
			field.text.Set = s.text(&field.text.Value)
			more = field.text.Set
		} else {
			field.truth.Set = s.truth(&field.truth.Value)
			more = field.truth.Set
		}
		if !more {
			return false
		}
		if more = s.take(','); !more && !s.take('}') {
			return false
		}
	}
	return seen&f.required == f.required
}

// scan is a JSON text that is written plainly, as far as it is left: strings in printable ASCII without escapes, and no
// numbers.
type scan struct {
	rest string
	at   int // before it, all was read
}

// take reads one character, after blanks.
func (s *scan) take(c byte) bool {
	if s.at < len(s.rest) && s.rest[s.at] <= ' ' {
		s.skip()
	}
	if s.at >= len(s.rest) || s.rest[s.at] != c {
		return false
	}
	s.at++
	return true
}

func (s *scan) skip() {
	for s.at < len(s.rest) && (s.rest[s.at] == ' ' || s.rest[s.at] == '\n' || s.rest[s.at] == '\t' || s.rest[s.at] == '\r') {
		s.at++
	}
}

// end says whether nothing is left.
func (s *scan) end() bool {
	s.skip()
	return s.at == len(s.rest)
}

// key reads a string that is one of these and returns which; -1 for none.
func (s *scan) key(known []string) int {
	if !s.take('"') {
		return -1
	}
	for n, k := range known {
		if end := s.at + len(k); end < len(s.rest) && s.rest[end] == '"' && s.rest[s.at:end] == k {
			s.at = end + 1
			return n
		}
	}
	return -1
}

// text reads a string.
func (s *scan) text(into *string) bool {
	if !s.take('"') {
		return false
	}
	end := s.at
	for end < len(s.rest) && isPlain[s.rest[end]] {
		end++
	}
	if end >= len(s.rest) || s.rest[end] != '"' {
		return false
	}
	*into, s.at = s.rest[s.at:end], end+1
	return true
}

// isPlain is what may be in a string that is written plainly.
var isPlain = plainCharacters()

func plainCharacters() (plain [256]bool) {
	for c := ' '; c <= '~'; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}

// truth reads true or false.
func (s *scan) truth(into *bool) bool {
	s.skip()
	for _, yes := range []bool{true, false} {
		if word := strconv.FormatBool(yes); strings.HasPrefix(s.rest[s.at:], word) {
			*into = yes
			s.at += len(word)
			return true
		}
	}
	return false
}
