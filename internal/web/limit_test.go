package web

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

type key struct{}

// The time limit of a request ends what waits for it as the standard library's would, whoever asks first, and when.
func TestLimit(t *testing.T) {
	t.Parallel()
	const span = time.Minute
	for name, c := range map[string]struct {
		end  func(l *limit, cancel func())
		want error
	}{
		"time":        {func(*limit, func()) { time.Sleep(span) }, context.DeadlineExceeded},
		"the client":  {func(_ *limit, cancel func()) { cancel() }, context.Canceled},
		"the request": {func(l *limit, _ func()) { l.end() }, context.Canceled},
		"nothing":     {func(*limit, func()) { time.Sleep(span - 1) }, nil},
	} {
		for _, waited := range []bool{false, true} { // before it ends
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					parent, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
					defer cancel()
					l := newLimit(parent, time.Now().Add(span))
					defer l.end()
					var child context.Context = l
					if waited {
						var end context.CancelFunc
						child, end = context.WithCancel(l)
						defer end()
					}
					if at, ok := l.Deadline(); !ok || time.Until(at) != span {
						t.Errorf("it ends in %v", time.Until(at))
					}
					c.end(l, cancel)
					synctest.Wait()
					if err := child.Err(); !errors.Is(err, c.want) {
						t.Errorf("the child's error is %v, want %v", err, c.want)
					}
					if err := l.Err(); !errors.Is(err, c.want) {
						t.Errorf("the error is %v, want %v", err, c.want)
					}
					select {
					case <-l.Done():
						if c.want == nil {
							t.Error("it has ended")
						}
					default:
						if c.want != nil {
							t.Error("nobody is told that it has ended")
						}
					}
					if l.Value(key{}) != "value" || l.Value("another") != nil {
						t.Error("values are not those of the parent")
					}
				})
			})
		}
	}
}
