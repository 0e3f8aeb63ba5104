package main

import (
	"slices"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/dashboard"
	"github.com/rolecall/rolecall/internal/id"
)

// TestPartsOfScreens shows that no part is measured of a screen that was moved or is gone.
func TestPartsOfScreens(t *testing.T) {
	t.Parallel()
	known := func(path string) bool {
		return slices.ContainsFunc(dashboard.Screens(), func(s dashboard.Screen) bool { return s.Path == path })
	}
	for path := range parts {
		if !known(path) {
			t.Errorf("%s is no screen", path)
		}
	}
	for path := range unmeasured {
		if !known(path) {
			t.Errorf("%s is no screen", path)
		}
	}
	for _, path := range painted {
		if !known(path) {
			t.Errorf("%s is no screen", path)
		}
	}
}

func TestMoment(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 12, 30, 0, 0, time.UTC)
	if want := string(id.New[id.Event](id.NewSource(func() time.Time { return at }, nil)))[len("event_"):][:10]; moment(at) != want {
		t.Errorf("ids of then begin with %s, want %s", moment(at), want)
	}
}
