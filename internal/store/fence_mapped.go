//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

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

// fence is a count that processes share. It is unmapped when nobody can look at it any more: a term may outlive the store.
type fence struct{ count *atomic.Uint64 }

// newFence maps a file, which it closes.
func newFence(f *os.File) (*fence, error) {
	mapped, err := syscall.Mmap(int(f.Fd()), 0, fenceSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("mapping %s into memory: %w", f.Name(), err)
	}
	m := &fence{(*atomic.Uint64)(unsafe.Pointer(unsafe.SliceData(mapped)))}
	runtime.AddCleanup(m, func(mapped []byte) { _ = syscall.Munmap(mapped) }, mapped)
	return m, nil
}

func (m *fence) load() uint64 {
	n := m.count.Load()
	runtime.KeepAlive(m)
	return n
}

func (m *fence) step() error {
	m.count.Add(1)
	runtime.KeepAlive(m)
	return nil
}
