package dashboard

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/page"
	"github.com/rolecall/rolecall/internal/web"
)

// frame is what a template is given: the visit, what surrounds the content, and the content.
type frame struct {
	*visit
	Title string
	Above []crumb // the screens above this one
	Body  any
}

// crumb is a link to a screen above.
type crumb struct{ Name, Address string }

// show answers with a page.
func (v *visit) show(template, title string, above []crumb, body any) error {
	t := v.door.templates[template]
	if t == nil {
		return fmt.Errorf("there is no template %q", template)
	}
	f := frame{visit: v, Title: title, Above: above, Body: body}
	if v.Flash() != nil && !v.inDialog() {
		v.setCookie(flashCookie, "", -1)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "page", f); err != nil {
		return fmt.Errorf("showing a page: %w", err)
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Add("Vary", "Accept-Encoding, HX-Request")
	if v.secret || b.Len() < 1400 || !acceptsGzip(v.Request) {
		v.w.WriteHeader(v.status)
		b.WriteTo(v.w)
		return nil
	}
	h.Set("Content-Encoding", "gzip")
	v.w.WriteHeader(v.status)
	zip := gzip.NewWriter(v.w)
	b.WriteTo(zip)
	zip.Close() // a browser that went away has nobody left to tell
	return nil
}

// refused is an error as a person reads it.
type refused struct {
	Status           int
	Heading, Message string
	Again            bool // whether trying again may help
	Request          string
}

// fail answers an error with a page of its own.
func (v *visit) fail(err error) {
	web.Blame(v.w, err)
	f := fault.Of(err)
	web.Later(v.w, f)
	if f.Kind == fault.Unauthorized && !v.screen.Open {
		v.toSignIn()
		return
	}
	r := refused{Status: web.Status(f.Kind), Message: f.Message, Request: v.w.Header().Get("X-Request-ID")}
	switch f.Kind {
	case fault.NotFound:
		r.Heading = "There is nothing here"
	case fault.Forbidden:
		r.Heading = "You may not do this"
	case fault.Unavailable:
		r.Heading, r.Again = "The database cannot answer at the moment", true
		if f.Code == codeGivenUp {
			r.Heading = "Too many to count"
		}
	case fault.Internal:
		r.Heading, r.Message, r.Again = "Something went wrong here", "It is in the log of the server, under the number below. Nothing was changed.", true
	case fault.TooMany:
		r.Heading, r.Again = "Too many attempts", true
	default:
		r.Heading = "That cannot be done"
	}
	for _, field := range f.Fields {
		r.Message += " " + field.Name + " " + field.Message + "."
	}
	v.status = r.Status
	if err := v.show("error.html", r.Heading, nil, r); err != nil {
		http.Error(v.w, "The page cannot be shown.", http.StatusInternalServerError)
		web.Blame(v.w, err)
	}
}

// nothingHere answers addresses that no screen has.
func nothingHere(v *visit) error {
	return fault.New(fault.NotFound, "route_not_found", "No screen has this address. It may have been mistyped, or what it showed may be gone.")
}

// Can says whether the person who looks may do what needs a role.
func (v *visit) Can(needed string) bool {
	return v.session.Person.Role.Allows(operator.Role(needed))
}

// What templates ask a visit.

func (v *visit) Person() operator.Person       { return v.session.Person }
func (v *visit) Env() authz.Environment        { return v.env }
func (v *visit) Envs() []authz.Environment     { return v.envs }
func (v *visit) Section() string               { return v.screen.Section }
func (v *visit) Version() string               { return v.door.options.Version }
func (v *visit) Refusal() string               { return v.refusal }
func (v *visit) Calls() []Call                 { return v.calls }
func (v *visit) Complaint(field string) string { return v.complaints[field] }
func (v *visit) Complaints() map[string]string { return v.complaints }
func (v *visit) Query(name string) string      { return v.query.Get(name) }
func (v *visit) Here() string                  { return v.URL.EscapedPath() }

// RolePath is the address of a role, or of a screen below it.
func (v *visit) RolePath(r authz.Role, below ...string) string {
	return v.In(r.Organization, append([]string{"roles", r.Slug}, below...)...)
}

// rows is how many items a page of a list has.
const rows = 25

// part is the part of a list that the address asks for.
func (v *visit) part(order page.Order, valid func(string) bool) (page.Request, error) {
	return page.Parse(page.Raw{Limit: strconv.Itoa(rows), Order: string(order), Before: v.query.Get("before"), After: v.query.Get("after")}, order, valid)
}

// pager leads through the pages of a list.
type pager struct{ Previous, Next string }

// pages gives the addresses of the pages beside this one, with the same filters.
func (v *visit) pages(before, after string) pager {
	link := func(name, cursor string) string {
		if cursor == "" {
			return ""
		}
		q := url.Values{}
		for key, values := range v.query {
			q[key] = values
		}
		q.Del("before")
		q.Del("after")
		q.Set(name, cursor)
		return v.URL.EscapedPath() + "?" + q.Encode()
	}
	return pager{link("before", before), link("after", after)}
}

// everyPage reads a list to its end.
func everyPage[T any](read func(page.Request) (page.Page[T], error)) ([]T, error) {
	var all []T
	for r := (page.Request{Limit: page.MaxLimit, Order: page.Asc}); ; {
		p, err := read(r)
		if err != nil {
			return nil, err
		}
		all = append(all, p.Items...)
		if r.After = p.After; r.After == "" {
			return all, nil
		}
	}
}
