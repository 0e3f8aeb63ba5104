package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"

	"github.com/rolecall/rolecall/internal/api"
	"github.com/rolecall/rolecall/internal/cli"
)

const documentHeading = "# Generated from internal/api by 'make openapi'. Do not edit.\n"

// TestOpenAPIDocument: what is committed is what is served. With ROLECALL_UPDATE=1 it writes the file anew.
func TestOpenAPIDocument(t *testing.T) {
	t.Parallel()
	encoded, err := json.Marshal(api.Document(cli.Version))
	if err != nil {
		t.Fatal(err)
	}
	var plain any
	if err := json.Unmarshal(encoded, &plain); err != nil {
		t.Fatal(err)
	}
	want := bytes.NewBufferString(documentHeading)
	enc := yaml.NewEncoder(want) // keys of maps are sorted
	enc.SetIndent(2)
	if err := enc.Encode(plain); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("..", "..", "docs", "openapi.yaml")
	if os.Getenv("ROLECALL_UPDATE") == "1" {
		if err := os.WriteFile(file, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; run 'make openapi'", err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Errorf("docs/openapi.yaml is not what the code serves, from line %d on; run 'make openapi'", firstDifference(got, want.Bytes()))
	}
}

func firstDifference(a, b []byte) int {
	la, lb := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := range min(len(la), len(lb)) {
		if !bytes.Equal(la[i], lb[i]) {
			return i + 1
		}
	}
	return min(len(la), len(lb)) + 1
}

// The document is served to everybody, without a key, and is a valid one.
func TestServedDocument(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqliteFile(t))
	anybody := &client{tb: t, url: w.url}
	a := anybody.get("/openapi.json").is(200).has("openapi", "3.1.0").has("info.version", cli.Version)
	doc, err := openapi3.NewLoader().LoadFromData(a.raw)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Errorf("the document is not valid: %v", err)
	}
	operations := map[string]string{}
	count := 0
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			count++
			where := method + " " + path
			if other, taken := operations[op.OperationID]; taken || op.OperationID == "" {
				t.Errorf("%s and %s share the operationId %q", where, other, op.OperationID)
			}
			operations[op.OperationID] = where
			if op.Summary == "" || len(op.Tags) != 1 {
				t.Errorf("%s has summary %q and tags %q", where, op.Summary, op.Tags)
			}
			if err := described(item, op, path); err != "" {
				t.Errorf("%s: %s", where, err)
			}
		}
	}
	if count != len(api.Routes()) {
		t.Errorf("the document has %d operations, the table %d: some routes share method and path", count, len(api.Routes()))
	}
}

// described checks that path and parameters agree and that refusals are of one shape.
func described(item *openapi3.PathItem, op *openapi3.Operation, path string) string {
	for _, p := range op.Parameters {
		if p.Value.In == "path" && !strings.Contains(path, "{"+p.Value.Name+"}") {
			return "has a path parameter " + p.Value.Name + " that is not in the path"
		}
	}
	if got, want := len(pathNames(path)), 0; item != nil {
		for _, p := range op.Parameters {
			if p.Value.In == "path" {
				want++
			}
		}
		if got != want {
			return "does not describe each of its path parameters"
		}
	}
	for status, response := range op.Responses.Map() {
		if status >= "400" && response.Value.Content["application/json"] == nil {
			return "does not describe its refusal " + status
		}
	}
	for _, status := range []string{"401", "500", "503"} {
		if op.Responses.Value(status) == nil {
			return "lacks " + status
		}
	}
	return ""
}

func pathNames(path string) []string {
	var names []string
	for segment := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}

// Every route of the table is served: none is hidden by another, with either method or path.
func TestEveryRouteIsServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sqliteFile(t))
	for _, r := range api.Routes() {
		path := r.Path
		for _, name := range pathNames(path) {
			path = strings.Replace(path, "{"+name+"}", "x", 1)
		}
		body := any(nil)
		if r.Body != nil {
			body = object{}
		}
		if a := w.send(r.Method, path, body); a.status == http.StatusMethodNotAllowed || a.status == 404 && a.text("code") == "route_not_found" {
			t.Errorf("%s %s is not served: %s", r.Method, path, a.raw)
		}
		anybody := &client{tb: t, url: w.url}
		anybody.send(r.Method, path, body).refused(401, "unauthorized")
	}
}
