//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package store

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"sync/atomic"
)

// fence is a count that processes share, where it cannot be mapped into memory.
type fence struct {
	file   *os.File // which closes itself when nobody can look at it any more
	failed atomic.Uint64
}

func newFence(f *os.File) (*fence, error) { return &fence{file: f}, nil }

func (m *fence) load() uint64 {
	n, err := m.read()
	if err != nil {
		return math.MaxUint64 - m.failed.Add(1) // unlike what was read before, so that a term ends
	}
	return n
}

func (m *fence) read() (uint64, error) {
	var b [fenceSize]byte
	_, err := m.file.ReadAt(b[:], 0)
	return binary.NativeEndian.Uint64(b[:]), err
}

// step is taken by one process at a time: the one that has the write lock.
func (m *fence) step() error {
	n, err := m.read()
	if err == nil {
		_, err = m.file.WriteAt(binary.NativeEndian.AppendUint64(nil, n+1), 0)
	}
	if err != nil {
		return fmt.Errorf("counting in %s: %w", m.file.Name(), err)
	}
	return m.file.Close()
}
