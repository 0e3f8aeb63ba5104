//go:build !linux

package server_test

import (
	"testing"

	"github.com/rolecall/rolecall/internal/testneed"
)

// smallDisk is made on Linux only.
func smallDisk(t *testing.T) string {
	t.Helper()
	testneed.Missing(t, "small disk", "a tmpfs is mounted on Linux only")
	return ""
}
