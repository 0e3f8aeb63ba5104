package event_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"
	"time"

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

// A time is spelt the same wherever it is written.
func TestTimesAreSpeltTheSame(t *testing.T) {
	elsewhere := time.FixedZone("elsewhere", -9*60*60)
	for _, at := range []time.Time{
		{}, time.UnixMilli(0), time.UnixMilli(-1), time.UnixMilli(1_700_000_000_007), time.Date(2026, 2, 28, 23, 59, 59, 999_999_999, elsewhere),
		time.Date(2026, 1, 2, 3, 4, 5, 60_000_000, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, elsewhere), time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		want := `"` + at.UTC().Format("2006-01-02T15:04:05.000Z") + `"`
		if got := string(event.Time(at).AppendJSON(nil)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
