package dashboard_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestPartsHaveNamesOfTheirOwn: of two shared parts with one name, one would
// silently take the place of the other.
func TestPartsHaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	shared, err := filepath.Glob("templates/shared/*.html")
	if err != nil || len(shared) == 0 {
		t.Fatalf("found %d files: %v", len(shared), err)
	}
	pages, err := filepath.Glob("templates/*.html")
	if err != nil || len(pages) == 0 {
		t.Fatalf("found %d files: %v", len(pages), err)
	}
	parts := make(map[string]string)
	for _, file := range append(shared, pages...) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`\{\{define "([^"]+)"`).FindAllStringSubmatch(string(content), -1) {
			name := found[1]
			if name == "content" { // each page has its own
				continue
			}
			if other := parts[name]; other != "" {
				t.Errorf("%s and %s both define %q", other, file, name)
			}
			parts[name] = file
		}
	}
}
