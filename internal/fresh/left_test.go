package fresh_test

import (
	"math"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/fresh"
)

// What is left of a term is what Lasts goes by: nothing as soon as it does not last.
func TestLeft(t *testing.T) {
	t.Parallel()
	moved := uint64(1)
	watched := fresh.NewTerm(func() uint64 { return moved })
	over := fresh.NewLease(time.Now().Add(time.Hour))
	over.End()
	extended := fresh.NewLease(time.Now().Add(time.Second))
	extended.Extend(time.Now().Add(time.Hour))
	for name, c := range map[string]struct {
		term        *fresh.Term
		least, most time.Duration
	}{
		"without end":     {fresh.NewTerm(nil), math.MaxInt64, math.MaxInt64},
		"watched":         {watched, math.MaxInt64, math.MaxInt64},
		"a lease":         {fresh.NewLease(time.Now().Add(time.Hour)), time.Minute, time.Hour},
		"an extended one": {extended, time.Minute, time.Hour},
		"one of the past": {fresh.NewLease(time.Now().Add(-time.Second)), 0, 0},
		"an ended one":    {over, 0, 0},
	} {
		if left := c.term.Left(); left < c.least || left > c.most {
			t.Errorf("%s: %v left", name, left)
		}
	}
	if moved++; watched.Left() != 0 {
		t.Error("something is left although another process wrote")
	}
}
