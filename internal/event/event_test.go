package event_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/rolecall/rolecall/internal/event"
)

func TestEncode(t *testing.T) {
	t.Parallel()
	b, err := event.Encode(map[string]any{"a": "<&>\u2028é\n", "b": []int{}})
	if err != nil || string(b) != `{"a":"<&>\u2028é\n","b":[]}` {
		t.Errorf("%s, %v", b, err)
	}
	if _, err := event.Encode(func() {}); err == nil {
		t.Error("a function was encoded")
	}
}

// A type that is missing in the list could be neither filtered by nor chosen for a webhook on a screen.
func TestTypesAreComplete(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Type" {
			return true
		}
		for _, v := range spec.Values {
			name, err := strconv.Unquote(v.(*ast.BasicLit).Value)
			if declared++; err != nil || !slices.Contains(event.Types(), event.Type(name)) {
				t.Errorf("%s is not among all types (%v)", name, err)
			}
		}
		return true
	})
	if declared == 0 || declared != len(event.Types()) {
		t.Errorf("%d types are declared and %d listed", declared, len(event.Types()))
	}
}
