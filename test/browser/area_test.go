package browser_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// An area is a part of a page, or all of it. Its elements are found as those
// find them who listen to the page: by the role and the accessible name that
// the browser computes, so what is hidden or lies behind a dialog is not found.
type area struct {
	page *page
	path []wanted // from the whole page inwards, by what the parts say
}

// wanted is what is looked for.
type wanted struct {
	roles []string // any of them
	name  string
}

func (w wanted) String() string {
	return fmt.Sprintf("%s “%s”", strings.Join(w.roles, " or "), w.name)
}

func (w wanted) fits(e element) bool {
	return slices.Contains(w.roles, e.role) && e.name == w.name
}

// An element is what was found.
type element struct {
	role, name string
	node       *accessibility.Node
}

// Roles of what can be written into. Chromium has names of its own for dates.
var fields = []string{"textbox", "searchbox", "combobox", "spinbutton", "Date", "DateTime", "InputTime"}

// within is the only part of this role that the text tells from the others: a
// row, a list item, a dialog. It is the one that has the text as its name, on a
// line or in a cell of its own; if none has, the one that contains it. It is
// looked for anew at each use.
func (a area) within(role, text string) area {
	return area{page: a.page, path: append(slices.Clone(a.path), wanted{roles: []string{role}, name: text})}
}

// has waits until there is something with the role and the name.
func (a area) has(role, name string) {
	a.page.tb.Helper()
	w := wanted{roles: []string{role}, name: name}
	a.page.until("there is a "+w.String(), func(ctx context.Context) error {
		_, err := a.find(ctx, w)
		return err
	})
}

// hasNot waits until there is nothing with the role and the name.
func (a area) hasNot(role, name string) {
	a.page.tb.Helper()
	w := wanted{roles: []string{role}, name: name}
	a.page.until("there is no "+w.String(), func(ctx context.Context) error {
		all, err := a.all(ctx, role)
		if err == nil && slices.ContainsFunc(all, w.fits) {
			err = errors.New("there is")
		}
		return err
	})
}

// is waits until a property is "true", "false" or what else it can be: checked,
// disabled, expanded, selected, required, invalid, pressed.
func (a area) is(role, name, property, value string) {
	a.page.tb.Helper()
	w := wanted{roles: []string{role}, name: name}
	a.page.until(fmt.Sprintf("%s of %s is %s", property, w, value), func(ctx context.Context) error {
		e, err := a.find(ctx, w)
		if err != nil {
			return err
		}
		got := "false"
		for _, p := range e.node.Properties {
			if string(p.Name) == property {
				got = text(p.Value)
			}
		}
		if got != value {
			return fmt.Errorf("it is %s", got)
		}
		return nil
	})
}

// see waits until the text can be read. How it is broken into lines is of no
// importance.
func (a area) see(text string) {
	a.page.tb.Helper()
	a.page.until(fmt.Sprintf("one sees “%s”", text), func(ctx context.Context) error {
		shown, err := a.text(ctx)
		if err == nil && !strings.Contains(shown, flat(text)) {
			err = errors.New("it is not there")
		}
		return err
	})
}

// notSee waits until the text can no longer be read.
func (a area) notSee(text string) {
	a.page.tb.Helper()
	a.page.until(fmt.Sprintf("one does not see “%s”", text), func(ctx context.Context) error {
		shown, err := a.text(ctx)
		if err == nil && strings.Contains(shown, flat(text)) {
			err = errors.New("it is there")
		}
		return err
	})
}

// order waits until these texts follow each other.
func (a area) order(texts ...string) {
	a.page.tb.Helper()
	a.page.until(fmt.Sprintf("one sees %q in this order", texts), func(ctx context.Context) error {
		shown, err := a.text(ctx)
		if err != nil {
			return err
		}
		for _, text := range texts {
			_, after, found := strings.Cut(shown, flat(text))
			if !found {
				return fmt.Errorf("“%s” is not where it should be", text)
			}
			shown = after
		}
		return nil
	})
}

// holds waits until the field with this label has the value.
func (a area) holds(label, value string) {
	a.page.tb.Helper()
	a.page.until(fmt.Sprintf("“%s” holds “%s”", label, value), func(ctx context.Context) error {
		e, err := a.find(ctx, wanted{roles: fields, name: label})
		if err == nil && text(e.node.Value) != value {
			err = fmt.Errorf("it holds “%s”", text(e.node.Value))
		}
		return err
	})
}

// focused waits until what has this role and name has the focus.
func (p *page) focused(role, name string) {
	p.tb.Helper()
	w := wanted{roles: []string{role}, name: name}
	p.until("the focus is on "+w.String(), func(ctx context.Context) error {
		object, err := evaluateObject(ctx, `document.activeElement`)
		if err != nil {
			return err
		}
		tree, err := chromedp.Call(ctx, accessibility.GetPartialAXTree, accessibility.GetPartialAXTreeParams{ObjectID: object, FetchRelatives: new(false)})
		if err != nil {
			return err
		}
		for _, n := range tree.Nodes {
			if e := asElement(n); !w.fits(e) {
				return fmt.Errorf("it is on %s “%s”", e.role, e.name)
			}
		}
		return nil
	})
}

// text is what can be read in the area, in one line.
func (a area) text(ctx context.Context) (string, error) {
	root, err := a.root(ctx)
	if err != nil {
		return "", err
	}
	shown, err := onObject[string](ctx, root, `function() { return (this.body ?? this).innerText; }`)
	return flat(shown), err
}

func flat(text string) string { return strings.Join(strings.Fields(text), " ") }

// root is the object of the innermost part.
func (a area) root(ctx context.Context) (runtime.RemoteObjectID, error) {
	if len(a.path) == 0 {
		return evaluateObject(ctx, `document`)
	}
	last := len(a.path) - 1
	w := a.path[last]
	parts, err := area{page: a.page, path: a.path[:last]}.all(ctx, w.roles...)
	if err != nil {
		return "", err
	}
	var exact, containing []runtime.RemoteObjectID
	for _, part := range parts {
		object, err := part.object(ctx)
		if err != nil {
			return "", err
		}
		shown, err := onObject[string](ctx, object, `function() { return this.innerText; }`)
		if err != nil {
			return "", err
		}
		lines := strings.FieldsFunc(part.name+"\n"+shown, func(r rune) bool { return r == '\n' || r == '\t' })
		if slices.ContainsFunc(lines, func(line string) bool { return flat(line) == w.name }) {
			exact = append(exact, object)
		} else if strings.Contains(flat(part.name+"\n"+shown), w.name) {
			containing = append(containing, object)
		}
	}
	if len(exact) == 0 {
		exact = containing
	}
	if len(exact) != 1 {
		return "", fmt.Errorf("of %d, the number of %s is %d", len(parts), w, len(exact))
	}
	return exact[0], nil
}

// find returns the only element that is wanted. Two are one too many: a person
// would not know which of them is meant.
func (a area) find(ctx context.Context, w wanted) (element, error) {
	all, err := a.all(ctx, w.roles...)
	if err != nil {
		return element{}, err
	}
	var found []element
	var names []string
	for _, e := range all {
		names = append(names, fmt.Sprintf("“%s”", e.name))
		if w.fits(e) {
			found = append(found, e)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return element{}, fmt.Errorf("there is no %s; there are: %s", w, strings.Join(names, ", "))
	}
	return element{}, fmt.Errorf("there are %d times %s", len(found), w)
}

// all returns what has one of the roles, in the order of the page.
func (a area) all(ctx context.Context, roles ...string) (found []element, err error) {
	root, err := a.root(ctx)
	if err != nil {
		return nil, err
	}
	query := accessibility.QueryAXTreeParams{ObjectID: root}
	if len(roles) == 1 {
		query.Role = roles[0]
	}
	tree, err := chromedp.Call(ctx, accessibility.QueryAXTree, query)
	if err != nil {
		return nil, err
	}
	for _, n := range tree.Nodes {
		if e := asElement(n); !n.Ignored && slices.Contains(roles, e.role) {
			found = append(found, e)
		}
	}
	return found, nil
}

func asElement(n *accessibility.Node) element {
	return element{role: text(n.Role), name: flat(text(n.Name)), node: n}
}

// text is a value of the accessibility tree as it is written.
func text(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	var s string
	if json.Unmarshal(v.Value, &s) == nil {
		return s
	}
	return string(v.Value)
}

func (e element) object(ctx context.Context) (runtime.RemoteObjectID, error) {
	node, err := chromedp.Call(ctx, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: e.node.BackendDOMNodeID})
	if err != nil {
		return "", err
	}
	return node.Object.ObjectID, nil
}

// onObject calls a function with the object as its this.
func onObject[T any](ctx context.Context, object runtime.RemoteObjectID, function string, args ...any) (T, error) {
	on := func(p *runtime.CallFunctionOnParams) {
		p.ObjectID, p.AwaitPromise, p.ReturnByValue = object, new(true), new(true)
	}
	return chromedp.Run(ctx, chromedp.CallFunctionOn[T](function, on, args...))
}

// evaluateObject returns the object itself, not a copy of it.
func evaluateObject(ctx context.Context, script string) (runtime.RemoteObjectID, error) {
	r, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: script})
	if err != nil {
		return "", err
	}
	if r.ExceptionDetails != nil || r.Result.ObjectID == "" {
		return "", fmt.Errorf("%s is nothing", script)
	}
	return r.Result.ObjectID, nil
}

// command makes an action of a command whose answer is of no interest.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}
