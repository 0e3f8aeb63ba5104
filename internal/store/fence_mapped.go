//go:build linux || darwin || freebsd

package store

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// watch maps the count into memory and closes the file. On these systems what is written to a file is seen in its
// mapping at once. It is unmapped when nobody can look at it any more, for a term may outlive the store.
func watch(f *os.File) (count func() uint64, err error) {
	mapped, err := syscall.Mmap(int(f.Fd()), 0, fenceSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("mapping %s into memory: %w", f.Name(), err)
	}
	m := &mapping{(*atomic.Uint64)(unsafe.Pointer(unsafe.SliceData(mapped)))}
	runtime.AddCleanup(m, func(mapped []byte) { _ = syscall.Munmap(mapped) }, mapped)
	return m.load, nil
}

type mapping struct{ count *atomic.Uint64 }

func (m *mapping) load() uint64 {
	n := m.count.Load()
	runtime.KeepAlive(m)
	return n
}
