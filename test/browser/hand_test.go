package browser_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// What hands do: everything goes the way of real events of mouse, finger and
// keyboard, so that what lies behind something else cannot be reached.

// click clicks on the only thing with the role and the name, or touches it.
func (a area) click(role, name string) {
	a.page.tb.Helper()
	a.clickOn(wanted{roles: []string{role}, name: name})
	a.page.rest()
}

func (a area) clickOn(w wanted) {
	a.page.tb.Helper()
	at := a.reach(w)
	if a.page.screen.touch {
		a.page.do("touch "+w.String(), chromedp.TapXY(at.X, at.Y))
		return
	}
	a.page.do("click on "+w.String(), chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at.X, at.Y), chromedp.MouseClickXY(at.X, at.Y))
}

// fill writes the text into the field with this label, in place of what is
// there, key by key.
func (a area) fill(label, text string) {
	a.page.tb.Helper()
	w := wanted{roles: fields, name: label}
	a.clickOn(w)
	var typed bool
	a.page.until("one can write into “"+label+"”", func(ctx context.Context) (err error) {
		typed, err = onElement[bool](ctx, a, w, selectAll, text)
		return err
	})
	if typed {
		if text == "" {
			text = "\b"
		}
		a.page.do("write into "+label, chromedp.KeyEvent(text))
	}
	a.page.rest()
}

// selectAll prepares a field to be overwritten. What has parts, such as a date,
// is set at once and needs no keys.
const selectAll = `function(text) {
  if (this.readOnly || this.disabled) throw new Error('it cannot be changed');
  this.focus();
  if (['date', 'time', 'datetime-local', 'month', 'week'].includes(this.type)) {
    this.value = text;
    if (this.value !== text) throw new Error(text + ' is no ' + this.type);
    this.dispatchEvent(new Event('input', {bubbles: true}));
    this.dispatchEvent(new Event('change', {bubbles: true}));
    return false;
  }
  this.select();
  return true;
}`

// choose takes an option of the list with this label.
func (a area) choose(label, option string) {
	a.page.tb.Helper()
	w := wanted{roles: []string{"combobox", "listbox"}, name: label}
	a.page.until(fmt.Sprintf("one can choose “%s” in “%s”", option, label), func(ctx context.Context) error {
		_, err := onElement[bool](ctx, a, w, `function(option) {
		  const found = [...this.options].filter((o) => o.label.trim() === option && !o.disabled);
		  if (this.disabled) throw new Error('it is disabled');
		  if (found.length !== 1) throw new Error('the options are ' + [...this.options].map((o) => o.label.trim()).join(', '));
		  this.focus();
		  found[0].selected = true;
		  this.dispatchEvent(new Event('input', {bubbles: true}));
		  this.dispatchEvent(new Event('change', {bubbles: true}));
		  return true;
		}`, option)
		return err
	})
	a.page.rest()
}

func onElement[T any](ctx context.Context, a area, w wanted, function string, args ...any) (none T, err error) {
	e, err := a.find(ctx, w)
	if err != nil {
		return none, err
	}
	object, err := e.object(ctx)
	if err != nil {
		return none, err
	}
	return onObject[T](ctx, object, function, args...)
}

// A spot is where an element can be hit, or why it cannot.
type spot struct {
	X      float64 `json:"x"`
	Y      float64 `json:"y"`
	Height float64 `json:"height"`
	Why    string  `json:"why"`
}

// reach waits until the element can be hit and no longer moves, and says where.
func (a area) reach(w wanted) (at spot) {
	a.page.tb.Helper()
	a.page.until("one can reach "+w.String(), func(ctx context.Context) error {
		before, err := onElement[spot](ctx, a, w, findSpot)
		if err == nil && before.Why != "" {
			err = errors.New(before.Why)
		}
		if err != nil {
			return err
		}
		if err := a.page.frame(ctx); err != nil {
			return err
		}
		at, err = onElement[spot](ctx, a, w, findSpot)
		if err == nil && at != before {
			err = errors.New("it moves")
		}
		return err
	})
	return at
}

// findSpot returns the middle of the element, after it was scrolled to if need be.
const findSpot = `function() {
  const element = this.nodeType === Node.ELEMENT_NODE ? this : this.parentElement;
  const look = () => {
    const box = element.getClientRects()[0];
    if (!box || !box.width || !box.height) return {why: 'it has no size'};
    const x = box.x + box.width / 2, y = box.y + box.height / 2;
    const hit = document.elementFromPoint(x, y);
    if (!hit) return {why: 'it lies outside of the window'};
    if (!element.contains(hit) && hit.closest('label')?.control !== element) {
      return {why: 'it lies behind ' + hit.cloneNode().outerHTML.slice(0, 200)};
    }
    if (element.matches(':disabled') || element.ariaDisabled === 'true') return {why: 'it is disabled'};
    return {x, y, height: box.height, why: ''};
  };
  const at = look();
  if (!at.why) return at;
  element.scrollIntoView({block: 'center', inline: 'nearest', behavior: 'instant'});
  return look();
}`
