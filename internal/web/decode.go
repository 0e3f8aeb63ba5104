package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
)

// MaxBody is the most bytes that a request body may have.
const MaxBody = 1 << 20

// Field is one key of a JSON body: absent, null, or a value. A body is a struct of Fields, whose tags say the rest:
// json the key, required that it must be there, nullable that null is a value.
type Field[T any] struct {
	Set   bool
	Null  bool
	Value T
}

// Opt is the field as the rules take it: absent or a value, null being the zero value.
func (f Field[T]) Opt() authz.Opt[T] { return authz.Opt[T]{Set: f.Set, Value: f.Value} }

// Text is Opt for text in which null is kept apart from empty.
func Text(f Field[string]) authz.Opt[*string] {
	if !f.Set || f.Null {
		return authz.Opt[*string]{Set: f.Set}
	}
	return authz.Some(&f.Value)
}

func (f *Field[T]) decode(raw json.RawMessage, nullable bool) error {
	f.Set = true
	if string(raw) == "null" {
		f.Null = true
		if nullable {
			return nil
		}
		return fmt.Errorf("must be %s", described(reflect.TypeFor[T]()))
	}
	if err := json.Unmarshal(raw, &f.Value); err != nil {
		return fmt.Errorf("must be %s", described(reflect.TypeFor[T]()))
	}
	if loneSurrogate(raw) {
		return fmt.Errorf("must not contain half of a surrogate pair, which is no character")
	}
	nul, null := flaws(raw)
	if nul {
		return fmt.Errorf("must not contain a NUL character")
	}
	if null && !keepsNull(reflect.TypeFor[T]()) {
		return fmt.Errorf("must be %s", described(reflect.TypeFor[T]()))
	}
	return nil
}

// keepsNull says whether a list or object can hold null without turning it into something else.
func keepsNull(t reflect.Type) bool {
	if t.Kind() != reflect.Slice && t.Kind() != reflect.Map {
		return false
	}
	return t.Elem().Kind() == reflect.Pointer || reflect.PointerTo(t.Elem()).Implements(reflect.TypeFor[json.Unmarshaler]())
}

type decodable interface {
	decode(raw json.RawMessage, nullable bool) error
}

func described(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		if t.Elem().Kind() == reflect.String {
			return "a list of strings"
		}
		return "a list of objects of the documented shape"
	case reflect.Map:
		return "an object whose values are strings or null"
	}
	return "of the documented type"
}

// flaws looks for a NUL in any string of a JSON value and for a null anywhere in it.
func flaws(raw json.RawMessage) (nul, null bool) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	for {
		token, err := dec.Token()
		if err != nil {
			return nul, null
		}
		s, isText := token.(string)
		nul = nul || isText && strings.ContainsRune(s, 0)
		null = null || token == nil
	}
}

// usualBody is what a client may say that it will send for room to be made before it does.
const usualBody = 32 << 10

// ReadBody reads a request body of at most MaxBody bytes.
func ReadBody(w http.ResponseWriter, r *http.Request) (body []byte, err error) {
	if r.ContentLength >= 0 && r.ContentLength <= usualBody {
		body = make([]byte, r.ContentLength) // of which the server gives no more
		_, err = io.ReadFull(r.Body, body)
	} else {
		body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	}
	if err == nil {
		return body, nil
	}
	if _, tooLarge := err.(*http.MaxBytesError); tooLarge {
		return nil, fault.New(fault.TooLarge, "request_too_large", "The request body is larger than %d bytes.", MaxBody)
	}
	return nil, fault.New(fault.BadRequest, fault.CodeBadRequest, "The request body could not be read to its end.")
}

// Decode reads a JSON body into a struct of Fields. Unknown keys are ignored, keys match to the letter, and one
// refusal names every field that is missing or of the wrong type. An empty body counts as an empty object.
func Decode[T any](body []byte) (T, error) {
	var in T
	var keys map[string]json.RawMessage
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	if !utf8.Valid(body) {
		return in, fault.New(fault.BadRequest, fault.CodeBadRequest, "The request body is not valid UTF-8.")
	}
	if err := json.Unmarshal(body, &keys); err != nil || keys == nil {
		return in, fault.New(fault.BadRequest, fault.CodeBadRequest, "The request body must be a JSON object%s.", jsonPlace(err))
	}
	var bad []fault.Field
	v := reflect.ValueOf(&in).Elem()
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		name := tag.Get("json")
		raw, present := keys[name]
		if !present {
			if tag.Get("required") != "" {
				bad = append(bad, fault.Field{Name: name, Message: "is required"})
			}
			continue
		}
		if err := v.Field(i).Addr().Interface().(decodable).decode(raw, tag.Get("nullable") != ""); err != nil {
			bad = append(bad, fault.Field{Name: name, Message: err.Error()})
		}
	}
	if bad != nil {
		return in, fault.BadFields(bad...)
	}
	return in, nil
}

// Item is one object of a list in a body. It is read by DecodeItems, so that a refusal can say which one is malformed.
type Item[T any] struct {
	raw   json.RawMessage
	Value T
}

// UnmarshalJSON implements json.Unmarshaler.
func (i *Item[T]) UnmarshalJSON(raw []byte) error {
	i.raw = bytes.Clone(raw)
	return nil
}

// DecodeItems decodes every object of the list in a field. One refusal names all that are malformed, by their index.
func DecodeItems[T any](field string, items []Item[T]) ([]T, error) {
	all := make([]T, len(items))
	var bad []fault.Field
	for i, item := range items {
		var err error
		if all[i], err = Decode[T](item.raw); err != nil {
			bad = append(bad, Indexed(field, i, fault.Of(err))...)
		}
	}
	if bad != nil {
		return nil, fault.BadFields(bad...)
	}
	return all, nil
}

// Indexed gives the fields that a refusal of one object blames, as fields of the list that the object is in.
func Indexed(field string, i int, f *fault.Error) []fault.Field {
	name := fmt.Sprintf("%s[%d]", field, i)
	if len(f.Fields) == 0 {
		return []fault.Field{{Name: name, Message: "must be an object"}}
	}
	blamed := slices.Clone(f.Fields)
	for j := range blamed {
		blamed[j].Name = name + "." + blamed[j].Name
	}
	return blamed
}

// DecodeExactly is Decode for bodies of operations that must not be misunderstood: the body must be there, and a key that
// the struct lacks is refused.
func DecodeExactly[T any](body []byte) (T, error) {
	in, err := Decode[T](body)
	if err != nil {
		return in, err
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(body, &keys); err != nil || keys == nil {
		return in, fault.New(fault.BadRequest, fault.CodeBadRequest, "The request body must be a JSON object; {} where nothing is to be said.")
	}
	known := map[string]bool{}
	for f := range reflect.TypeFor[T]().Fields() {
		known[f.Tag.Get("json")] = true
	}
	var bad []fault.Field
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		if !known[name] {
			bad = append(bad, fault.Field{Name: fault.Short(name), Message: "is not known to this operation"})
		}
	}
	if bad != nil {
		return in, fault.BadFields(bad...)
	}
	return in, nil
}

// loneSurrogate looks for an escape of half a surrogate pair, which would silently become another character.
func loneSurrogate(raw json.RawMessage) bool {
	high := false // the escape just before was the first half of a pair
	for i := 0; i < len(raw); i++ {
		half := rune(-1)
		if raw[i] == '\\' && i+1 < len(raw) {
			if raw[i+1] == 'u' && i+6 <= len(raw) {
				if n, err := strconv.ParseUint(string(raw[i+2:i+6]), 16, 16); err == nil && utf16.IsSurrogate(rune(n)) {
					half = rune(n)
					i += 4
				}
			}
			i++
		}
		low := half >= 0xdc00
		if low != high {
			return true
		}
		high = half >= 0xd800 && half < 0xdc00
	}
	return high
}

// jsonPlace says where JSON stopped making sense, without quoting it.
func jsonPlace(err error) string {
	if syntax, ok := err.(*json.SyntaxError); ok {
		return fmt.Sprintf(" (it is malformed near byte %d)", syntax.Offset)
	}
	return ""
}

// Query is the query of a request.
type Query url.Values

// ParseQuery reads a query strictly: what cannot be decoded is refused, not dropped.
func ParseQuery(raw string) (Query, error) {
	if raw == "" {
		return nil, nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, fault.New(fault.BadRequest, fault.CodeBadRequest, "The query of the URL is not well formed; ';' and '%%' in a value must be written %%3B and %%25.")
	}
	for name, all := range values {
		for _, v := range all {
			if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
				return nil, fault.BadField(strings.ToValidUTF8(strings.ReplaceAll(name, "\x00", ""), ""), "must be valid UTF-8 without NUL")
			}
		}
	}
	return Query(values), nil
}

// Get returns the first value of a parameter, or "".
func (q Query) Get(name string) string { return url.Values(q).Get(name) }

// List returns the values of a list parameter in any of its spellings: a=x,y and a=x&a=y and a[]=x&a[]=y. Empty
// values are left out.
func (q Query) List(name string) []string {
	var list []string
	for _, key := range []string{name, name + "[]"} {
		for _, v := range q[key] {
			for part := range strings.SplitSeq(v, ",") {
				if part != "" {
					list = append(list, part)
				}
			}
		}
	}
	return list
}
