package server

import (
	"runtime"
	"runtime/metrics"
	"testing"
)

func TestGarbageIsCollectedSeldomUnlessTheOperatorChose(t *testing.T) {
	goal := func() uint64 {
		runtime.GC()
		sample := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
		metrics.Read(sample)
		return sample[0].Value.Uint64()
	}
	for _, c := range []struct {
		name   string
		chosen map[string]string
		floor  bool
	}{
		{"nothing chosen", nil, true},
		{"GOGC", map[string]string{"GOGC": "50"}, false},
		{"GOMEMLIMIT", map[string]string{"GOMEMLIMIT": "48MiB"}, false},
	} {
		before := goal()
		release := floorHeap(func(name string) string { return c.chosen[name] })
		if with := goal(); (with >= before+heapFloor) != c.floor {
			t.Errorf("%s: the heap may grow to %d bytes, without a floor to %d", c.name, with, before)
		}
		release()
	}
}
