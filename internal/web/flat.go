package web

import (
	"fmt"
	"reflect"
	"slices"
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

// Decode is Decode.
func (f Flat[T]) Decode(body []byte) (T, error) {
	var in T
	s := scan(body)
	if f.object(&s, reflect.ValueOf(&in).Elem()) && s.end() {
		return in, nil
	}
	return Decode[T](body)
}

// Each reads a body with nothing in it but a list of at least one object, each of which it hands over in turn, in the
// same place, for as long as it is taken. Where it returns false that is left to Decode and DecodeItems, and what was
// handed over does not count.
func (f Flat[T]) Each(key string, body []byte, one func(*T) (more bool)) bool {
	s := scan(body)
	if name, isText := "", s.take('{'); !isText || !s.text(&name) || name != key || !s.take(':') || !s.take('[') {
		return false
	}
	var in, none T
	place := reflect.ValueOf(&in).Elem()
	for {
		in = none
		if !f.object(&s, place) || !one(&in) {
			return false
		}
		if !s.take(',') {
			return s.take(']') && s.take('}') && s.end()
		}
	}
}

// object reads an object into a struct. Keys that are not known, or are there twice, are not plain.
func (f Flat[T]) object(s *scan, into reflect.Value) bool {
	if !s.take('{') {
		return false
	}
	var seen uint64
	for more := !s.take('}'); more; {
		var key string
		if !s.text(&key) || !s.take(':') {
			return false
		}
		n := slices.Index(f.keys, key)
		if n < 0 || seen&(1<<n) != 0 {
			return false
		}
		seen |= 1 << n
		switch field := into.Field(n).Addr().Interface().(type) {
		case *Field[string]:
			field.Set = s.text(&field.Value)
			more = field.Set
		case *Field[bool]:
			field.Set = s.truth(&field.Value)
			more = field.Set
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

// scan is the rest of a JSON text that is written plainly: strings in printable ASCII without escapes, and no numbers.
type scan string

// take reads one character, after blanks.
func (s *scan) take(c byte) bool {
	if *s != "" && (*s)[0] <= ' ' {
		s.skip()
	}
	if *s == "" || (*s)[0] != c {
		return false
	}
	*s = (*s)[1:]
	return true
}

func (s *scan) skip() {
	rest := *s
	for rest != "" && (rest[0] == ' ' || rest[0] == '\n' || rest[0] == '\t' || rest[0] == '\r') {
		rest = rest[1:]
	}
	*s = rest
}

// end says whether nothing is left.
func (s *scan) end() bool {
	s.skip()
	return *s == ""
}

// text reads a string.
func (s *scan) text(into *string) bool {
	if !s.take('"') {
		return false
	}
	rest := string(*s)
	for i := range len(rest) {
		switch c := rest[i]; {
		case c == '"':
			*into, *s = rest[:i], scan(rest[i+1:])
			return true
		case c < ' ' || c > '~' || c == '\\':
			return false
		}
	}
	return false
}

// truth reads true or false.
func (s *scan) truth(into *bool) bool {
	s.skip()
	rest, yes := strings.CutPrefix(string(*s), "true")
	if !yes {
		var no bool
		if rest, no = strings.CutPrefix(rest, "false"); !no {
			return false
		}
	}
	*into, *s = yes, scan(rest)
	return true
}
