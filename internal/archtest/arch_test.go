package archtest

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// root is the repository, seen from the folder of this package.
const root = "../.."

// Budgets are a reason to stop and look, not a law.
const (
	packageBudget = 4000
	fileBudget    = 400
)

// A source is one Go file.
type source struct {
	name   string // path from the root, with slashes
	folder string // of name
	test   bool
	lines  int
	syntax *ast.File
}

func (s source) imports() []string {
	var all []string
	for _, spec := range s.syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			panic(err) // the parser accepted it
		}
		all = append(all, imported)
	}
	return all
}

func TestImports(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue // a test may use whatever helps it
		}
		for _, imported := range s.imports() {
			if reason := forbidden(roomOf(s.folder), imported); reason != "" {
				t.Errorf("%s imports %s: %s", s.name, imported, reason)
			}
		}
	}
}

func TestEveryRoomHasItsPlace(t *testing.T) {
	unknown := make(map[string]bool)
	for _, s := range sources(t) {
		room := roomOf(s.folder)
		if _, placed := plan[room]; !placed && !s.test && !isTestSupport(room) {
			unknown[room] = true
		}
	}
	for room := range unknown {
		t.Errorf("%s is not in the plan: give it a floor in rules_test.go, so that it is known what it may import", room)
	}
}

func TestNames(t *testing.T) {
	for _, s := range sources(t) {
		for _, name := range append(strings.Split(s.folder, "/"), s.syntax.Name.Name) {
			if reason := misnamed(name); reason != "" {
				t.Errorf("%s: %s", s.name, reason)
			}
		}
	}
}

func TestNoInit(t *testing.T) {
	for _, s := range sources(t) {
		for _, declaration := range s.syntax.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s has an init function: it runs for everybody who imports the package, "+
					"in an order nobody reads, and cannot be handed what it needs; call it by name", s.name)
			}
		}
	}
}

// TestStandsAlone: the repository is complete without what lies beside it on
// some machines. Tests may look there, and documents may tell of it.
func TestStandsAlone(t *testing.T) {
	beside := []byte("../shared")
	walk(t, func(name string, entry fs.DirEntry) {
		if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, ".md") || within(name, "docs") ||
			within(name, "test") || slices.Contains(strings.Split(name, "/"), "testdata") {
			return
		}
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, beside) {
			t.Errorf("%s mentions %s: what is there is not part of the repository, so the product must not need it", name, beside)
		}
	})
}

func TestBudgets(t *testing.T) {
	packages := make(map[string]int)
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		packages[s.folder] += s.lines
		if s.lines > fileBudget {
			t.Logf("look: %s has %d lines, over the budget of %d", s.name, s.lines, fileBudget)
		}
	}
	for folder, lines := range packages {
		if lines > packageBudget {
			t.Logf("look: package %s has %d lines, over the budget of %d", folder, lines, packageBudget)
		}
	}
}

// sources parses every Go file of the module.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	set := token.NewFileSet()
	walk(t, func(name string, entry fs.DirEntry) {
		if path.Ext(name) != ".go" {
			return
		}
		syntax, err := parser.ParseFile(set, filepath.Join(root, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, source{
			name: name, folder: path.Dir(name), test: strings.HasSuffix(name, "_test.go"),
			lines: set.File(syntax.FileStart).LineCount(), syntax: syntax,
		})
	})
	if len(all) == 0 {
		t.Fatal("no Go file found: the test looks in the wrong place")
	}
	return all
}

// walk calls visit for every file that is part of the repository: not for what
// is hidden, built or installed.
func walk(t *testing.T, visit func(name string, entry fs.DirEntry)) {
	t.Helper()
	tree := os.DirFS(root)
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := entry.Name()
		switch {
		case name == ".":
		case !entry.IsDir():
			if entry.Type().IsRegular() && !strings.Contains(base, ".db") {
				visit(name, entry)
			}
		case strings.HasPrefix(base, ".") && base != ".ci", base == "node_modules", name == "bin", name == "tmp":
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
