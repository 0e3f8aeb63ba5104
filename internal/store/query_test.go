package store_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// One text serves both databases, so texts may hold nothing that only one of them understands, or understands in its
// own way.
var oneSided = map[string]string{
	`(?i)select\s+\*`:                          "a new column would change what is scanned",
	`(?i)\bnow\s*\(\)|current_timestamp`:       "time is handed in",
	`(?i)\bilike\b`:                            "only PostgreSQL has it",
	`(?i)\bfor\s+update\b`:                     "only PostgreSQL has it; transactions are serializable",
	`(?i)\bjsonb?\b|->>|::`:                    "only PostgreSQL has it",
	`(?i)\boffset\s+[$0-9]`:                    "pages go by key",
	`(?i)\binsert\s+or\s|\bautoincrement\b`:    "only SQLite has it",
	`(?i)\b(true|false|boolean|timestamptz)\b`: "flags are 0 or 1 and times are text",
}

var sqlVerb = regexp.MustCompile(`(?is)\b(select|insert\s+into|update|delete\s+from|create\s+table)\b.*\b(from|values|set|where|primary)\b`)

// sources is the files of package store, without its tests.
func sources(t *testing.T) (*token.FileSet, []*ast.File) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return set, files
}

func TestQueriesAreNeutral(t *testing.T) {
	texts := 0
	check := func(where, text string) {
		if !sqlVerb.MatchString(text) {
			return
		}
		texts++
		for pattern, why := range oneSided {
			if found := regexp.MustCompile(pattern).FindString(text); found != "" {
				t.Errorf("%s: a query holds %q: %s", where, found, why)
			}
		}
	}
	set, files := sources(t)
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				text, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				check(set.Position(lit.Pos()).String(), text)
				if sqlVerb.MatchString(text) && strings.Contains(text, ";") {
					t.Errorf("%s: a query is one statement: what a second one writes nobody looks at", set.Position(lit.Pos()))
				}
			}
			return true
		})
	}
	migrations, err := fs.Glob(os.DirFS("migrations"), "*.sql")
	if err != nil || len(migrations) == 0 {
		t.Fatalf("no migrations: %v", err)
	}
	for _, name := range migrations {
		text, err := os.ReadFile(filepath.Join("migrations", name))
		if err != nil {
			t.Fatal(err)
		}
		check(name, string(text))
	}
	if texts < 40 {
		t.Errorf("only %d query texts were found; does this test still see them?", texts)
	}
}
