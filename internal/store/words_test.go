package store_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/store/storetest"
)

// decisions is what of a world counts for decisions: all but the assignments as they are stored.
func decisions(w storetest.World) storetest.World {
	left := storetest.World{}
	for key, value := range w {
		if !strings.HasPrefix(key, "assigned ") {
			left[key] = value
		}
	}
	return left
}

func wantSame(t testing.TB, what string, before, after storetest.World) {
	t.Helper()
	if d := cmp.Diff(before, after); d != "" {
		t.Errorf("%s (before -, after +):\n%s", what, d)
	}
}

// dataID is the id of what an event is about.
func dataID(t testing.TB, e event.Event) string {
	t.Helper()
	var data struct{ ID string }
	if err := json.Unmarshal(e.Data, &data); err != nil || data.ID == "" {
		t.Fatalf("event %s is about nothing: %v", e.ID, err)
	}
	return data.ID
}

func spaced(list string) string { return strings.ReplaceAll(list, ",", " ") }
