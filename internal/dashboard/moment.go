package dashboard

import (
	"time"

	"github.com/rolecall/rolecall/internal/fault"
)

// moment is the instant that was typed into a field, in UTC; zero for none. What is no instant is complained of.
func (v *visit) moment(field string) time.Time {
	at, err := typedTime(field, v.typed(field))
	if err != nil {
		v.blame(err)
	}
	return at.UTC()
}

// browserTime is how browsers send a date and a time.
const browserTime = "2006-01-02T15:04"

// instantField is an instant as an undo keeps it.
func instantField(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// typedTime reads a day or a minute as browsers send it, in UTC. Nothing is the zero time.
func typedTime(field, typed string) (time.Time, error) {
	if typed == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, browserTime, "2006-01-02T15:04:05", time.RFC3339} {
		if t, err := time.Parse(layout, typed); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fault.BadField(field, "must be a time such as 2026-01-15T12:00")
}
