package api

import (
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/web"
)

// object is a JSON object of the document. Its keys are written sorted.
type object map[string]any

// Document is the OpenAPI 3.1 document of what is served, made from the table of routes and the types of bodies and
// answers, so that it cannot say anything else than the code.
func Document(version string) any {
	s := schemas{}
	paths := object{}
	for _, r := range Routes() {
		item, ok := paths[r.Path].(object)
		if !ok {
			item = object{}
			paths[r.Path] = item
		}
		item[strings.ToLower(r.Method)] = s.operation(r)
	}
	return object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Rolecall", "version": version,
			"summary":     "Roles for multi-tenant applications.",
			"description": "Compatible with the public WorkOS API where operations are not marked as extension. Not affiliated with WorkOS.",
			"license":     object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		"servers":    []any{object{"url": "/"}},
		"security":   []any{object{"bearer": []any{}}},
		"paths":      paths,
		"components": object{"schemas": s, "securitySchemes": object{"bearer": object{"type": "http", "scheme": "bearer", "description": "An API key of one environment."}}},
	}
}

// schemas gathers the named schemas while operations refer to them.
type schemas map[string]any

func (s schemas) operation(r Route) object {
	op := object{"operationId": r.Operation, "summary": r.Summary, "tags": []string{r.Tag}, "responses": s.responses(r)}
	var parameters []any
	for _, name := range r.pathParameters() {
		parameters = append(parameters, object{"name": name, "in": "path", "required": true, "schema": object{"type": "string"}})
	}
	for _, p := range r.Parameters {
		parameters = append(parameters, p.document(r))
	}
	if r.Method == http.MethodPost && !r.ReadOnly {
		parameters = append(parameters, object{
			"name": "Idempotency-Key", "in": "header", "schema": object{"type": "string", "maxLength": 255},
			"description": "Repeating a request under the same key within 24 hours gives the first answer again and changes nothing: the way to go on after a 503 and after an answer that did not arrive.",
		})
	}
	if parameters != nil {
		op["parameters"] = parameters
	}
	if r.Body != nil {
		op["requestBody"] = object{"required": needed(r.Body), "content": object{"application/json": object{"schema": s.of(reflect.TypeOf(r.Body))}}}
	}
	if r.Extension {
		op["x-rolecall-extension"] = true
		op["description"] = "Extension: not part of the public WorkOS API."
	}
	return op
}

func (p Parameter) document(r Route) object {
	schema := object{"type": p.Kind}
	switch {
	case p.Name == "limit":
		schema["minimum"], schema["maximum"], schema["default"] = page.MinLimit, page.MaxLimit, page.DefaultLimit
	case p.Name == "order" && r.Path == "/events":
		schema["default"] = "asc"
	case p.Name == "order":
		schema["default"] = "desc"
	case p.Kind == "boolean":
		schema["default"] = false
	}
	if p.Enum != nil && p.Kind != "array" {
		schema["enum"] = p.Enum
	}
	doc := object{"name": p.Name, "in": "query", "schema": schema, "description": p.Summary}
	if p.Required {
		doc["required"] = true
	}
	if p.Kind == "array" {
		items := object{"type": "string"}
		if p.Enum != nil {
			items["enum"] = p.Enum
		}
		schema["items"] = items
		doc["style"], doc["explode"] = "form", false
	}
	return doc
}

// everywhere is the refusals that any route can answer with.
var everywhere = []Refusal{
	refuse(http.StatusBadRequest, "bad_request"),
	refuse(http.StatusUnauthorized, "unauthorized"),
	refuse(http.StatusUnprocessableEntity, "invalid_request_parameters"),
	refuse(http.StatusInternalServerError, "internal_error"),
	refuse(http.StatusServiceUnavailable, "temporarily_unavailable"),
}

func (s schemas) responses(r Route) object {
	all := object{}
	answered := func(status int, schemas ...any) {
		answer := object{"description": http.StatusText(status)}
		switch len(schemas) {
		case 0:
		case 1:
			answer["content"] = object{"application/json": object{"schema": schemas[0]}}
		default:
			answer["content"] = object{"application/json": object{"schema": object{"anyOf": schemas}}}
		}
		all[strconv.Itoa(status)] = answer
	}
	var normal []any
	if r.Answer != nil {
		normal = []any{s.of(reflect.TypeOf(r.Answer))}
	}
	answered(r.Status, normal...)
	if r.CSV {
		branch := all[strconv.Itoa(r.Status)].(object)["content"].(object)
		branch["text/csv"] = object{"schema": object{"type": "string"}}
	}
	if impact := s.of(reflect.TypeFor[Impact]()); r.previews() && r.Status == http.StatusOK {
		answered(http.StatusOK, append(normal, impact)...)
	} else if r.previews() {
		answered(http.StatusOK, impact)
	}
	codes := map[int][]string{}
	for _, refusal := range slices.Concat(r.Refusals, everywhere) {
		for _, code := range refusal.Codes {
			if !slices.Contains(codes[refusal.Status], code) {
				codes[refusal.Status] = append(codes[refusal.Status], code)
			}
		}
	}
	if r.Body != nil {
		codes[http.StatusRequestEntityTooLarge] = []string{"request_too_large"}
	}
	if r.Method == http.MethodPost && !r.ReadOnly {
		codes[http.StatusUnprocessableEntity] = append(codes[http.StatusUnprocessableEntity], "idempotency_key_reused")
	}
	if r.Mutates() {
		codes[http.StatusForbidden] = append(codes[http.StatusForbidden], "organization_restricted", "permission_escalation")
		codes[http.StatusServiceUnavailable] = append(codes[http.StatusServiceUnavailable], fault.CodeUnknown)
	}
	for status, possible := range codes {
		all[strconv.Itoa(status)] = object{
			"description": http.StatusText(status),
			"content": object{"application/json": object{"schema": object{
				"allOf": []any{s.of(reflect.TypeFor[web.Refusal]()), object{"properties": object{"code": object{"enum": possible}}}},
			}}},
		}
	}
	return all
}

// needed reports whether a body has a required key.
func needed(body any) bool {
	t := reflect.TypeOf(body)
	for i := range t.NumField() {
		if t.Field(i).Tag.Get("required") != "" {
			return true
		}
	}
	return false
}

// of returns the schema of a type, by reference for structs.
func (s schemas) of(t reflect.Type) object {
	switch {
	case t == reflect.TypeFor[event.Time](), t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case t.Kind() == reflect.Pointer:
		return nullable(s.of(t.Elem()))
	case t.Kind() == reflect.Struct && (strings.HasPrefix(t.Name(), "Field[") || strings.HasPrefix(t.Name(), "Item[")):
		value, _ := t.FieldByName("Value")
		return s.of(value.Type)
	case t.Kind() == reflect.Struct:
		name := schemaName(t)
		if _, done := s[name]; !done {
			s[name] = nil // ends recursion
			s[name] = s.structure(t)
		}
		return object{"$ref": "#/components/schemas/" + name}
	case t.Kind() == reflect.String:
		return object{"type": "string"}
	case t.Kind() == reflect.Bool:
		return object{"type": "boolean"}
	case t.Kind() == reflect.Int, t.Kind() == reflect.Int64:
		return object{"type": "integer"}
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8: // raw JSON
		return object{"type": "object"}
	case t.Kind() == reflect.Slice:
		return object{"type": "array", "items": s.of(t.Elem())}
	case t.Kind() == reflect.Map && t.Elem().Kind() != reflect.Interface:
		value := s.of(t.Elem())
		value["maxLength"] = 600
		return object{"type": "object", "maxProperties": 50, "propertyNames": object{"maxLength": 40}, "additionalProperties": value}
	case t.Kind() == reflect.Map:
		return object{"type": "object"}
	}
	panic("no schema for " + t.String()) // found by the first test that makes the document
}

// schemaName is the name of a type without its package; a page of T is a TList.
func schemaName(t reflect.Type) string {
	name := t.Name()
	if inner, ok := strings.CutPrefix(name, "List["); ok {
		inner = strings.TrimSuffix(inner, "]")
		return inner[strings.LastIndexAny(inner, "./")+1:] + "List"
	}
	return name
}

func nullable(schema object) object {
	if kind, ok := schema["type"].(string); ok {
		schema["type"] = []string{kind, "null"}
		return schema
	}
	return object{"anyOf": []any{schema, object{"type": "null"}}}
}

// structure is the schema of a struct. In bodies the tag says what is required, in answers everything is that is not
// left out when empty.
func (s schemas) structure(t reflect.Type) object {
	properties, required := object{}, []string{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		schema := s.of(f.Type)
		for _, key := range []string{"format", "pattern", "const"} {
			if v := f.Tag.Get(key); v != "" {
				schema[key] = v
			}
		}
		for _, key := range []string{"maxLength", "maxItems"} {
			if v := f.Tag.Get(key); v != "" {
				schema[key], _ = strconv.Atoi(v)
			}
		}
		if v := f.Tag.Get("enum"); v != "" {
			schema["enum"] = strings.Split(v, ",")
		}
		if v := f.Tag.Get("doc"); v != "" {
			schema["description"] = v
		}
		if f.Tag.Get("nullable") != "" {
			schema = nullable(schema)
		}
		inBody := strings.HasPrefix(f.Type.Name(), "Field[")
		if inBody && f.Tag.Get("required") != "" || !inBody && options != "omitempty" {
			required = append(required, name)
		}
		properties[name] = schema
	}
	schema := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	return schema
}
