package main

import (
	"io"
	"os/exec"
	"testing"
	"time"
)

// TestCrowds runs the measurements that write their worlds past the rules, small, on every database: the binary must
// take these worlds for its own, and what it does to them is verified.
func TestCrowds(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("no go to build the binary with")
	}
	b, err := prepare(t.Context(), options{Only: []string{"order", "remove"}, Quick: true, Rounds: 1}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.close(); err != nil {
			t.Error(err)
		}
	})
	databases, err := b.databases(t.Context(), "crowd")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range databases {
		row, err := b.removeOn(t.Context(), d, crowd{organizations: 15, members: 40, ownEvery: 2, role: environmentSlug(removedRole)})
		if err != nil {
			t.Errorf("%s: %v", d.Name, err)
		}
		if row.Moved <= 0 || row.Plain <= 0 || row.Preview <= 0 {
			t.Errorf("%s: %+v", d.Name, row)
		}
	}
	small, err := b.databases(t.Context(), "order")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range small {
		if row, err := b.orderOn(t.Context(), d, 10); err != nil || row.Ratio <= 0 {
			t.Errorf("%s: %+v, %v", d.Name, row, err)
		}
	}
}

// A member follows the environment where its organization is not one of those with a policy of their own.
func TestCrowdFollows(t *testing.T) {
	c := crowd{organizations: 4, members: 2, ownEvery: 2}
	for n, want := range []bool{false, true, false, true, false, true, false, true} {
		if c.follows(n) != want {
			t.Errorf("member %d follows: %v", n, !want)
		}
	}
	if _, err := time.Parse(time.RFC3339, joined); err != nil {
		t.Error(err)
	}
}
