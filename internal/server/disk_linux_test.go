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
		// A database stays mapped for a while after it is closed, so the disk goes when nobody looks at it any more.
		if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmounting: %v", err)
		}
	})
	return folder
}
