package web_test

import (
	"errors"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/web"
)

// sound fails unless text can be stored by either database.
func sound(t *testing.T, all ...string) {
	t.Helper()
	for _, s := range all {
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			t.Errorf("let through %q", s)
		}
	}
}

// refusal fails unless an error is one that a client may see, and that blames the client.
func refusal(t *testing.T, err error) {
	t.Helper()
	var f *fault.Error
	if err != nil && (!errors.As(err, &f) || f.Kind != fault.BadRequest && f.Kind != fault.Invalid) {
		t.Errorf("refused with %v", err)
	}
	if err != nil {
		w := httptest.NewRecorder()
		web.Refuse(w, err)
		if w.Code != 400 && w.Code != 422 || !utf8.Valid(w.Body.Bytes()) {
			t.Errorf("answered %d %q", w.Code, w.Body)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"", "{}", `{"name":"n","note":null,"on":true,"slugs":["a"],"metadata":{"k":"v"},"things":[{"name":"x"}]}`,
		`{"name":1}`, `{"name":"\u0000"}`, `{"name":"\ud800"}`, `{"slugs":[null]}`, `{"metadata":{"":1e999}}`, "[[[[", "\xff", `{"name":"a","name":"b"}`, `{"things":[{"name":["x"]}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := web.Decode[sample](body)
		refusal(t, err)
		if err != nil {
			return
		}
		if !in.Name.Set || in.Name.Null {
			t.Errorf("%q lacks what is required", body)
		}
		sound(t, in.Name.Value, in.Note.Value)
		sound(t, in.Slugs.Value...)
		for k, v := range in.Metadata.Value {
			sound(t, k, v)
		}
		for _, thing := range in.Things.Value {
			sound(t, thing.Name)
		}
	})
}

func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "a=x,y&a=z&a[]=p", "limit=10&order=asc&after=user_01ARZ3NDEKTSV4RRFFQ69G5FAV", "a=%00", "%zz", "a;b", "a=%FF&a[]=,,", "=&=&&", "a%5B%5D=1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := web.ParseQuery(raw)
		refusal(t, err)
		for name := range q {
			sound(t, q.Get(name))
			for _, v := range q.List(name) {
				sound(t, v)
				if v == "" || strings.Contains(v, ",") {
					t.Errorf("%q lists %q", raw, v)
				}
			}
		}
	})
}

func FuzzRouter(f *testing.F) {
	for _, seed := range []string{"/", "/things/1", "/things/%2F", "/things/external_id/a%2Fb", "//things", "/things/./1", "/things/%00", "*", "", "/things/1/parts/", "/things/\xff", "/things/%2e%2e", "things/1"} {
		f.Add("GET", seed)
		f.Add("DELETE", seed)
	}
	router := newRouter()
	f.Fuzz(func(t *testing.T, method, path string) {
		req := httptest.NewRequest("GET", "/", nil)
		req.Method, req.URL = method, &url.URL{Path: path}
		if unescaped, err := url.PathUnescape(path); err == nil {
			req.URL.Path, req.URL.RawPath = unescaped, path
		}
		w := httptest.NewRecorder()
		router.ServeHTTP(w, req)
		if w.Code != 200 && w.Code != 404 && w.Code != 405 {
			t.Errorf("%q %q: %d %s", method, path, w.Code, w.Body)
		}
	})
}
