package api_test

import (
	"fmt"
	"slices"
	"strings"
)

// specification is an OpenAPI document as plain maps: the public one has flaws for which strict readers refuse it.
type specification struct{ root map[string]any }

func branch(v any, name string) map[string]any {
	m, _ := v.(map[string]any)
	b, _ := m[name].(map[string]any)
	return b
}

func (s specification) operation(method, path string) map[string]any {
	return branch(branch(s.root["paths"], path), strings.ToLower(method))
}

// resolve follows references.
func (s specification) resolve(v any) map[string]any {
	m, _ := v.(map[string]any)
	for {
		ref, ok := m["$ref"].(string)
		if !ok {
			return m
		}
		at := any(s.root)
		for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
			at = branch(at, part)
		}
		m, _ = at.(map[string]any)
	}
}

// parameters describes the parameters of one place by name.
func (s specification) parameters(op map[string]any, in string) map[string]string {
	found := map[string]string{}
	all, _ := op["parameters"].([]any)
	for _, p := range all {
		p := s.resolve(p)
		if p["in"] != in {
			continue
		}
		schema := s.shape(branch(p, "schema")).self
		what := kind(schema)
		if p["required"] == true {
			what = "required " + what
		}
		if items := branch(schema, "items"); items != nil {
			what += fmt.Sprint(" of ", kind(s.resolve(items)), choices(s.resolve(items)))
		}
		for _, bound := range []string{"minimum", "maximum", "default"} {
			if schema[bound] != nil {
				what += fmt.Sprintf(" %s %v", bound, schema[bound])
			}
		}
		found[p["name"].(string)] = what + choices(schema)
	}
	return found
}

func choices(schema map[string]any) string {
	all, _ := schema["enum"].([]any)
	if all == nil {
		return ""
	}
	names := make([]string, len(all))
	for i, v := range all {
		names[i] = fmt.Sprint(v)
	}
	slices.Sort(names)
	return " " + strings.Join(names, "|")
}

// content is the schema of a JSON body, or nil.
func (s specification) content(v any) map[string]any {
	return s.resolve(branch(branch(branch(s.resolve(v), "content"), "application/json"), "schema"))
}

// shape is an object schema taken together from its parts.
type shape struct {
	self     map[string]any
	fields   map[string]map[string]any
	required []string
}

// shape gathers fields. Of alternatives only what all require is required; null as an alternative counts for nothing.
func (s specification) shape(schema map[string]any) shape {
	schema = s.resolve(schema)
	all := shape{self: schema, fields: map[string]map[string]any{}}
	for name := range branch(schema, "properties") {
		all.fields[name] = s.resolve(branch(schema, "properties")[name])
	}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		all.required = append(all.required, name.(string))
	}
	for _, join := range []string{"allOf", "oneOf", "anyOf"} {
		parts, _ := schema[join].([]any)
		var common []string
		first := true
		for _, p := range parts {
			part := s.shape(s.resolve(p))
			if part.self["type"] == "null" {
				continue
			}
			if len(all.self) > 0 && all.self["type"] == nil {
				all.self = merged(all.self, part.self)
			}
			for name, field := range part.fields {
				all.fields[name] = field
			}
			if join == "allOf" || first {
				common = append(common, part.required...)
			} else {
				common = slices.DeleteFunc(common, func(n string) bool { return !slices.Contains(part.required, n) })
			}
			first = false
		}
		all.required = append(all.required, common...)
	}
	slices.Sort(all.required)
	all.required = slices.Compact(all.required)
	return all
}

func merged(a, b map[string]any) map[string]any {
	m := map[string]any{}
	for _, part := range []map[string]any{b, a} {
		for k, v := range part {
			m[k] = v
		}
	}
	return m
}

// codes lists the codes that a refusal can carry.
func (s specification) codes(schema map[string]any) []string {
	var found []string
	var look func(map[string]any)
	look = func(m map[string]any) {
		m = s.resolve(m)
		code := s.resolve(branch(branch(m, "properties"), "code"))
		if c, ok := code["const"].(string); ok {
			found = append(found, c)
		}
		all, _ := code["enum"].([]any)
		for _, c := range all {
			found = append(found, c.(string))
		}
		for _, join := range []string{"allOf", "oneOf", "anyOf"} {
			parts, _ := m[join].([]any)
			for _, p := range parts {
				look(s.resolve(p))
			}
		}
	}
	look(schema)
	slices.Sort(found)
	return slices.Compact(found)
}

// kind is the type of a value, without whether it may be null.
func kind(schema map[string]any) string {
	switch t := schema["type"].(type) {
	case string:
		return t
	case []any:
		names := []string{}
		for _, n := range t {
			if n != "null" {
				names = append(names, fmt.Sprint(n))
			}
		}
		return strings.Join(names, "|")
	}
	return "any"
}

func limit(schema map[string]any) string {
	if schema["maxLength"] == nil {
		return "none"
	}
	return fmt.Sprint(schema["maxLength"])
}
