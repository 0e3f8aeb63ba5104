package testneed

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Chromium returns the path of a Chromium, or of the Chrome that is made of it.
func Chromium(tb testing.TB) string {
	tb.Helper()
	path, err := FindChromium()
	if err != nil {
		Missing(tb, "Chromium", err.Error())
	}
	return path
}

// FindChromium is Chromium for who is no test.
func FindChromium() (string, error) {
	return findChromium("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
}

// findChromium returns the first candidate that runs: on Ubuntu one of the
// names belongs to a script that only says how to get another package.
func findChromium(candidates ...string) (string, error) {
	found := "none found: run scripts/test-deps"
	for _, candidate := range candidates {
		path, err := exec.LookPath(candidate)
		if err != nil {
			continue
		}
		if err := exec.Command(path, "--version").Run(); err != nil {
			found = fmt.Sprintf("%s does not run: %v", path, err)
			continue
		}
		return path, nil
	}
	return "", errors.New(found)
}

// Axe returns the source of axe-core, which is run inside of a page and finds
// what would keep somebody from using it.
func Axe(tb testing.TB) string {
	tb.Helper()
	root, err := moduleRoot()
	if err != nil {
		tb.Fatal(err)
	}
	source, err := os.ReadFile(filepath.Join(root, "test", "browser", "node_modules", "axe-core", "axe.min.js"))
	if errors.Is(err, fs.ErrNotExist) {
		Missing(tb, "axe", "not installed in test/browser: run scripts/test-deps")
	}
	if err != nil {
		tb.Fatal(err)
	}
	return string(source)
}
