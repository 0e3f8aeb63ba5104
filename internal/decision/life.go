package decision

import "sync/atomic"

// life says of something remembered whether it still is, and when it was used last. What is not remembered any more is
// dead for good: whoever still has it in hands must not answer by it.
type life struct{ bits atomic.Uint32 }

const deadBit = 1 << 31

func (l *life) alive() bool { return l.bits.Load()&deadBit == 0 }

// kill ends the life and says whether it was this call that did.
func (l *life) kill() bool { return l.bits.Or(deadBit)&deadBit == 0 }

// touch notes that it is in use. It writes once a tick, so that what all use is not a matter of contention.
func (l *life) touch(tick uint32) bool {
	old := l.bits.Load()
	if old == tick || old&deadBit != 0 {
		return false
	}
	return l.bits.CompareAndSwap(old, tick)
}

// idle is for how many ticks it was not used.
func (l *life) idle(tick uint32) uint32 { return tick - l.bits.Load()&^deadBit }
