package server_test

import (
	"syscall"
	"testing"

	"github.com/rolecall/rolecall/internal/testneed"
)

// smallDisk mounts two mebibytes of memory as a disk.
func smallDisk(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=2m"); err != nil {
		testneed.Missing(t, "small disk", "mounting a tmpfs needs root: "+err.Error())
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, 0); err != nil {
			t.Errorf("unmounting: %v", err)
		}
	})
	return folder
}
