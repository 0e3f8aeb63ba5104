package server

import "runtime"

// heapFloor is how large the collector of garbage takes the heap for at least.
const heapFloor = 64 << 20

// floorHeap has the garbage collected once for every heapFloor of it, until the returned function is called. A server
// that has little to remember has a heap of a few megabytes, and by default garbage is collected whenever a heap has
// doubled: that would be so often that it costs more than the requests. The floor is room that nothing is ever written
// to, so that the machine gives no memory for it; what it costs is the garbage that waits.
//
// An operator who chose by GOGC or GOMEMLIMIT when garbage is collected has no floor: to a limit it would count as
// memory in use.
func floorHeap(getenv func(string) string) (release func()) {
	if getenv("GOGC") != "" || getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	floor := make([]byte, heapFloor)
	return func() { runtime.KeepAlive(floor) }
}
