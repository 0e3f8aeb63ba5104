package event_test

import (
	"testing"

	"github.com/rolecall/rolecall/internal/event"
)

func TestEncode(t *testing.T) {
	t.Parallel()
	b, err := event.Encode(map[string]any{"a": "<&>\u2028é\n", "b": []int{}})
	if err != nil || string(b) != `{"a":"<&>\u2028é\n","b":[]}` {
		t.Errorf("%s, %v", b, err)
	}
	if _, err := event.Encode(func() {}); err == nil {
		t.Error("a function was encoded")
	}
}
