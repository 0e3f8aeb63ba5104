package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/html"
)

// pagePath is where the bare handler keeps and shows a page.
const pagePath = "/page"

// visitor is a person who is signed in to the dashboard. It asks over one connection.
type visitor struct {
	client *http.Client
	server *process
	bare   *process
	person string // who is signed in
}

// newVisitor comes in through the link that a server announces to its first owner.
func newVisitor(ctx context.Context, server, bare *process) (*visitor, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{DisableCompression: true, MaxConnsPerHost: 1} // what is packed is weighed before it is opened
	v := &visitor{server: server, bare: bare, client: &http.Client{Jar: jar, Transport: transport, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	link, err := url.Parse(server.Dashboard)
	if err != nil || server.Dashboard == "" {
		return nil, errors.Join(errors.New("the server announced no way into the dashboard"), err)
	}
	const password = "a long enough password"
	form := url.Values{"token": {link.Query().Get("token")}, "name": {"Bench"}, "email": {"bench@example.com"}, "password": {password}, "again": {password}}
	link.RawQuery = ""
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, link.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	answer, err := v.client.Do(r)
	if err != nil {
		return nil, err
	}
	if err := answer.Body.Close(); err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusSeeOther {
		return nil, fmt.Errorf("the invitation was answered %s", answer.Status)
	}
	page, _, err := v.see(ctx, "/people")
	if err != nil {
		return nil, err
	}
	v.person = page.doc.linkTo("/dashboard/people/")
	return v, nil
}

// seen is a page as it was sent.
type seen struct {
	status int
	header http.Header
	body   []byte // as sent
	sent   int
	plain  []byte
	doc    document
}

// at is the address of a screen, which is given below the dashboard or from the root.
func (v *visitor) at(address string) string {
	if !strings.HasPrefix(address, "/dashboard") {
		address = "/dashboard" + address
	}
	return v.server.Address + address
}

// see asks for a page and times it until its last byte.
func (v *visitor) see(ctx context.Context, address string) (s seen, took time.Duration, err error) {
	if s, took, err = v.ask(ctx, v.at(address)); err != nil {
		return s, took, err
	}
	s.plain = s.body
	if s.header.Get("Content-Encoding") == "gzip" {
		zip, err := gzip.NewReader(bytes.NewReader(s.body))
		if err != nil {
			return s, took, err
		}
		if s.plain, err = io.ReadAll(zip); err != nil {
			return s, took, err
		}
	}
	root, err := html.Parse(bytes.NewReader(s.plain))
	s.doc = document{root}
	return s, took, err
}

func (v *visitor) ask(ctx context.Context, address string) (s seen, took time.Duration, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return s, 0, err
	}
	r.Header.Set("Accept-Encoding", "gzip")
	began := time.Now()
	answer, err := v.client.Do(r)
	if err != nil {
		return s, 0, err
	}
	s.body, err = io.ReadAll(answer.Body)
	took = time.Since(began)
	s.status, s.header, s.sent = answer.StatusCode, answer.Header, len(s.body)
	return s, took, errors.Join(err, answer.Body.Close())
}

// bareShows gives the bare handler a page to send.
func (v *visitor) bareShows(ctx context.Context, s seen) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPut, v.bare.Address+pagePath, bytes.NewReader(s.body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", s.header.Get("Content-Type"))
	r.Header.Set("Content-Encoding", s.header.Get("Content-Encoding"))
	answer, err := v.client.Do(r)
	if err != nil {
		return err
	}
	if err := answer.Body.Close(); err != nil {
		return err
	}
	got, _, err := v.ask(ctx, v.bare.Address+pagePath)
	if err == nil && !bytes.Equal(got.body, s.body) {
		err = errors.New("the bare handler sends something else than it was given")
	}
	return err
}

func (v *visitor) seeBare(ctx context.Context) (time.Duration, error) {
	_, took, err := v.ask(ctx, v.bare.Address+pagePath)
	return took, err
}

// weigh loads a page with all that it needs.
func (v *visitor) weigh(ctx context.Context, address string) (l LoadRow, err error) {
	page, _, err := v.see(ctx, address)
	if err != nil {
		return l, err
	}
	l = LoadRow{Requests: 1, Plain: len(page.plain), Packed: page.sent}
	for _, file := range page.doc.files() {
		got, _, err := v.ask(ctx, v.server.Address+file)
		if err != nil {
			return l, err
		}
		if got.status != http.StatusOK {
			return l, fmt.Errorf("%s was answered %d", file, got.status)
		}
		l.Requests++
		l.FilesPacked += got.sent
	}
	return l, nil
}

// document is a page that was parsed.
type document struct{ root *html.Node }

// elements calls yield with the attributes of each element.
func (d document) elements(yield func(name string, attribute map[string]string)) {
	if d.root == nil { // nothing was shown
		return
	}
	for n := range d.root.Descendants() {
		if n.Type == html.ElementNode {
			attributes := map[string]string{}
			for _, a := range n.Attr {
				attributes[a.Key] = a.Val
			}
			yield(n.Data, attributes)
		}
	}
}

// files are the addresses of what a browser loads with the page.
func (d document) files() (all []string) {
	d.elements(func(name string, a map[string]string) {
		file := a["src"]
		if name == "link" {
			file = a["href"]
		}
		if file != "" && !slices.Contains(all, file) {
			all = append(all, file)
		}
	})
	return all
}

// further are the parts of a screen, with the next page where none lies further down, and what the page loads later.
func (d document) further(parts []part) []part {
	parts = slices.Clone(parts)
	d.elements(func(name string, a map[string]string) {
		if a["rel"] == "next" && !slices.ContainsFunc(parts, func(p part) bool { return p.shown == "further down" }) {
			parts = append(parts, part{"further down", a["href"]})
		}
		if a["hx-get"] != "" && strings.Contains(a["hx-trigger"], "load") {
			parts = append(parts, part{"loaded later", a["hx-get"]})
		}
	})
	return parts
}

// linkTo is what follows a prefix in the first link that has it, up to the next slash.
func (d document) linkTo(prefix string) (found string) {
	d.elements(func(_ string, a map[string]string) {
		if rest, ok := strings.CutPrefix(a["href"], prefix); ok && found == "" {
			found, _, _ = strings.Cut(rest, "/")
		}
	})
	return found
}

// keptPage is what the bare handler sends.
type keptPage struct {
	mu             sync.RWMutex
	kind, encoding string
	body           []byte
}

func (k *keptPage) keep(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kind, k.encoding, k.body = r.Header.Get("Content-Type"), r.Header.Get("Content-Encoding"), body
}

func (k *keptPage) show(w http.ResponseWriter, _ *http.Request) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	w.Header().Set("Content-Type", k.kind)
	if k.encoding != "" {
		w.Header().Set("Content-Encoding", k.encoding)
	}
	_, _ = w.Write(k.body) // a client that went away has nobody left to tell
}
