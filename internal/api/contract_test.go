package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/rolecall/rolecall/internal/api"
	"github.com/rolecall/rolecall/internal/cli"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/testneed"
)

// TestContract compares our document with that of the public contract, operation by operation: parameters, bodies,
// statuses, codes and required fields. Every difference must be in the list of contract_differences_test.go, and every
// entry of the list must still be one.
func TestContract(t *testing.T) {
	t.Parallel()
	theirs := specification{root: publicContract(t)}
	ours := specification{root: withoutPreviews(plainDocument(t)).(map[string]any)}

	var c comparison
	for _, r := range api.Routes() {
		c.where = r.Method + " " + r.Path
		their := theirs.operation(r.Method, r.Path)
		if r.Extension {
			if their != nil {
				c.differ("is marked as extension and part of the contract")
			}
			continue
		}
		if their == nil {
			c.differ("is not part of the contract")
			continue
		}
		c.operation(ours, ours.operation(r.Method, r.Path), theirs, their)
	}
	c.events(theirs)
	c.settle(t)
}

// publicContract reads the document of the public contract.
func publicContract(t *testing.T) (root map[string]any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "spec", "workos-openapi.yaml"))
	if errors.Is(err, fs.ErrNotExist) {
		testneed.Missing(t, testneed.Shared, "the public contract is not beside this checkout")
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(raw, &root); err != nil {
		t.Fatal(err)
	}
	return root
}

// events compares the payloads of the events that exist here with those of the contract.
func (c *comparison) events(theirs specification) {
	payloadOf := map[string]shape{}
	parts, _ := branch(branch(theirs.root["components"], "schemas"), "EventSchema")["allOf"].([]any)
	for _, part := range parts {
		all, _ := theirs.resolve(part)["oneOf"].([]any)
		for _, e := range all {
			fields := theirs.shape(theirs.resolve(e)).fields
			name, _ := fields["event"]["const"].(string)
			payloadOf[name] = theirs.shape(fields["data"])
		}
	}
	for _, name := range emitted {
		c.where = "event " + string(name)
		their, known := payloadOf[string(name)]
		if !known {
			c.differ("is not part of the contract")
			continue
		}
		var always, may []string
		for _, field := range strings.Fields(keysOf(string(name))) {
			field, optional := strings.CutSuffix(field, "?")
			if may = append(may, field); !optional {
				always = append(always, field)
			}
		}
		for _, field := range their.required {
			if !slices.Contains(always, field) {
				c.differ("lacks %s", field)
			}
		}
		for _, field := range may {
			if their.fields[field] == nil {
				c.differ("has %s, which the contract lacks", field)
			}
		}
	}
}

// emitted is every event that this product emits.
var emitted = event.Types()

func plainDocument(t *testing.T) map[string]any {
	encoded, err := json.Marshal(api.Document(cli.Version))
	if err != nil {
		t.Fatal(err)
	}
	var plain map[string]any
	if err := json.Unmarshal(encoded, &plain); err != nil {
		t.Fatal(err)
	}
	return plain
}

// withoutPreviews takes the answer to preview=true off every operation, where it is the second of two.
func withoutPreviews(node any) any {
	switch n := node.(type) {
	case map[string]any:
		if both, ok := n["anyOf"].([]any); ok && len(both) == 2 {
			if second, _ := both[1].(map[string]any); second["$ref"] == "#/components/schemas/Impact" {
				return withoutPreviews(both[0])
			}
		}
		for key, v := range n {
			n[key] = withoutPreviews(v)
		}
	case []any:
		for i, v := range n {
			n[i] = withoutPreviews(v)
		}
	}
	return node
}

// comparison gathers the differences.
type comparison struct {
	where string
	found []string
}

func (c *comparison) differ(format string, args ...any) {
	c.found = append(c.found, c.where+": "+fmt.Sprintf(format, args...))
}

// sets reports what one side has and the other lacks.
func (c *comparison) sets(noun string, ours, theirs []string) {
	for _, name := range ours {
		if !slices.Contains(theirs, name) {
			c.differ("%s %s is only here", noun, name)
		}
	}
	for _, name := range theirs {
		if !slices.Contains(ours, name) {
			c.differ("%s %s is only in the contract", noun, name)
		}
	}
}

// settle holds the differences against the list.
func (c *comparison) settle(t *testing.T) {
	t.Helper()
	used := map[string]bool{}
	for _, d := range c.found {
		entry := d
		if _, known := contractDifferences[entry]; !known {
			_, what, _ := strings.Cut(d, ": ")
			entry = "*: " + what // holds for every operation
		}
		if contractDifferences[entry] == "" {
			t.Errorf("not as the contract has it, and without a reason in the list: %s", d)
		}
		used[entry] = true
	}
	for entry := range contractDifferences {
		if !used[entry] {
			t.Errorf("listed and no difference any more: %s", entry)
		}
	}
}

func (c *comparison) operation(ours specification, our map[string]any, theirs specification, their map[string]any) {
	for _, in := range []string{"path", "query"} {
		a, b := ours.parameters(our, in), theirs.parameters(their, in)
		c.sets(in+" parameter", slices.Sorted(maps.Keys(a)), slices.Sorted(maps.Keys(b)))
		for name := range a {
			if b[name] != "" && a[name] != b[name] {
				c.differ("%s parameter %s is %s, in the contract %s", in, name, a[name], b[name])
			}
		}
	}
	c.body(ours.shape(ours.content(our["requestBody"])), theirs.shape(theirs.content(their["requestBody"])))
	c.responses(ours, our, theirs, their)
}

func (c *comparison) body(a, b shape) {
	c.sets("body field", slices.Sorted(maps.Keys(a.fields)), slices.Sorted(maps.Keys(b.fields)))
	c.sets("required body field", a.required, b.required)
	for _, name := range slices.Sorted(maps.Keys(a.fields)) {
		our, their := a.fields[name], b.fields[name]
		if their == nil {
			continue
		}
		if x, y := limit(our), limit(their); x != y {
			c.differ("maxLength of %s is %s, in the contract %s", name, x, y)
		}
		if x, y := kind(our), kind(their); x != y {
			c.differ("body field %s is %s, in the contract %s", name, x, y)
		}
	}
}

func (c *comparison) responses(ours specification, our map[string]any, theirs specification, their map[string]any) {
	a, b := branch(our, "responses"), branch(their, "responses")
	c.sets("status", slices.Sorted(maps.Keys(a)), slices.Sorted(maps.Keys(b)))
	for _, status := range slices.Sorted(maps.Keys(a)) {
		if b[status] == nil {
			continue
		}
		x, y := ours.content(a[status]), theirs.content(b[status])
		if status >= "400" {
			c.sets("code "+status, ours.codes(x), theirs.codes(y))
			continue
		}
		c.fields(status, "", ours, x, theirs, y, 0)
	}
}

// fields compares answers: required fields and their kinds, down to the leaves.
func (c *comparison) fields(status, path string, ours specification, x map[string]any, theirs specification, y map[string]any, depth int) {
	if depth > 6 || path == ".data[].data" { // the payloads of events are compared one by one
		return
	}
	a, b := ours.shape(x), theirs.shape(y)
	if items := branch(a.self, "items"); items != nil && branch(b.self, "items") != nil {
		c.fields(status, path+"[]", ours, items, theirs, branch(b.self, "items"), depth+1)
		return
	}
	for _, name := range b.required {
		if !slices.Contains(a.required, name) {
			c.differ("%s answers without %s", status, path+"."+name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.fields)) {
		if b.fields[name] == nil {
			c.differ("%s answers with %s, which the contract lacks", status, path+"."+name)
			continue
		}
		our, their := ours.shape(a.fields[name]), theirs.shape(b.fields[name])
		if k, l := kind(our.self), kind(their.self); k != l && l != "any" {
			c.differ("%s answers %s as %s, in the contract %s", status, path+"."+name, k, l)
		}
		c.fields(status, path+"."+name, ours, a.fields[name], theirs, b.fields[name], depth+1)
	}
}
