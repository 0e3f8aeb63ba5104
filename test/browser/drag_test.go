package browser_test

import (
	"context"
	"fmt"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// drag takes one thing and drops it on another: on its lower half if that is
// further down, so behind it in a list, else on its upper half.
func (a area) drag(role, name, toRole, toName string) {
	a.page.tb.Helper()
	from, to := wanted{roles: []string{role}, name: name}, wanted{roles: []string{toRole}, name: toName}
	a.reach(to)
	start, end := a.reach(from), a.reach(to)
	if a.reach(from) != start {
		a.page.tb.Fatalf("cannot drag %s to %s: they are not in the window at once", from, to)
	}
	end.Y += end.Height / 4
	if end.Y < start.Y {
		end.Y -= end.Height / 2
	}
	a.page.do(fmt.Sprintf("drag %s to %s", from, to), a.page.dragging(start, end))
	a.page.rest()
}

// dragging moves as slowly as a hand, a step each frame, and stays for a moment
// before it lets go: lists look at the place only now and then.
func (p *page) dragging(start, end spot) chromedp.Action[chromedp.Void] {
	const steps, stay = 8, 6
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if err := intercept(ctx, t, true); err != nil {
			return err
		}
		hand := hand{page: p, target: t}
		if err := hand.mouse(ctx, input.DispatchMouseEventTypeMouseMoved, start.X, start.Y, 0); err != nil {
			return err
		}
		if err := hand.mouse(ctx, input.DispatchMouseEventTypeMousePressed, start.X, start.Y, 1); err != nil {
			return err
		}
		for i := 1; i <= steps+stay; i++ {
			way := float64(min(i, steps)) / steps
			if err := hand.move(ctx, start.X+(end.X-start.X)*way, start.Y+(end.Y-start.Y)*way); err != nil {
				return err
			}
			if err := p.frame(ctx); err != nil {
				return err
			}
		}
		if err := hand.drop(ctx, end.X, end.Y); err != nil {
			return err
		}
		return intercept(ctx, t, false)
	})
}

// intercept makes the browser tell of a drag of its own, which it would leave to
// the system: without a screen there is none.
func intercept(ctx context.Context, t *chromedp.Target, on bool) error {
	_, err := cdp.Call(ctx, t, input.SetInterceptDrags, input.SetInterceptDragsParams{Enabled: on})
	return err
}

// A hand holds something.
type hand struct {
	page   *page
	target *chromedp.Target
	data   *input.DragData // of a drag of the browser's own, once it has begun
}

func (h *hand) mouse(ctx context.Context, kind input.DispatchMouseEventType, x, y float64, held int64) error {
	p := input.DispatchMouseEventParams{Type: kind, X: x, Y: y, Buttons: held, Button: input.MouseButtonLeft, ClickCount: 1}
	if kind == input.DispatchMouseEventTypeMouseMoved {
		p.ClickCount = 0
		if held == 0 {
			p.Button = input.MouseButtonNone
		}
	}
	_, err := cdp.Call(ctx, h.target, input.DispatchMouseEvent, p)
	return err
}

func (h *hand) drag(ctx context.Context, kind input.DispatchDragEventType, x, y float64) error {
	_, err := cdp.Call(ctx, h.target, input.DispatchDragEvent, input.DispatchDragEventParams{Type: kind, X: x, Y: y, Data: h.data})
	return err
}

func (h *hand) move(ctx context.Context, x, y float64) error {
	if h.data != nil {
		return h.drag(ctx, input.DispatchDragEventTypeDragOver, x, y)
	}
	if err := h.mouse(ctx, input.DispatchMouseEventTypeMouseMoved, x, y, 1); err != nil {
		return err
	}
	select {
	case h.data = <-h.page.drags:
		return h.drag(ctx, input.DispatchDragEventTypeDragEnter, x, y)
	default:
		return nil
	}
}

func (h *hand) drop(ctx context.Context, x, y float64) error {
	if h.data != nil {
		if err := h.drag(ctx, input.DispatchDragEventTypeDrop, x, y); err != nil {
			return err
		}
	}
	return h.mouse(ctx, input.DispatchMouseEventTypeMouseReleased, x, y, 0)
}
