package web_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/web"
)

// plain is a body of each kind of field that is read plainly.
type plain struct {
	Slug web.Field[string] `json:"slug" required:"true"`
	Name web.Field[string] `json:"name"`
	Loud web.Field[bool]   `json:"loud"`
}

type plains struct {
	All web.Field[[]web.Item[plain]] `json:"all" required:"true"`
}

var plainly = web.NewFlat[plain]()

// bodies are what a client may send, plain and not.
var bodies = []string{
	`{"slug":"a:read"}`, `{"slug":"a","name":"b","loud":true}`, " {\t\"loud\" :\r\n false , \"slug\": \"\" } ", `{}`, ``, ` `, `[]`, `null`, `{"slug":null}`,
	`{"slug":"a","slug":"b"}`, `{"slug":"a","loud":true,"loud":false}`, `{"Slug":"a"}`, `{"slug":"a","SLUG":"b"}`, `{"slug":"a","other":1}`, `{"slug":"a","other":{"slug":"b"}}`,
	`{"slug":1}`, `{"slug":true}`, `{"slug":"a","loud":"true"}`, `{"slug":"a","loud":truex}`, `{"slug":"a","loud":null}`, `{"slug":["a"]}`, `{"slug":{"a":"b"}}`,
	`{"slug":"a\u0000"}`, "{\"slug\":\"a\x00\"}", "{\"slug\":\"a\n\"}", "{\"slug\":\"\x7f\"}", "{\"slug\":\"\xff\"}", `{"slug":"é"}`, `{"slug":"\u00e9"}`, `{"slug":"\ud800"}`, `{"slug":"a\\"}`, `{"slug":"a\""}`,
	`{"sl\u0075g":"a"}`, `{"slug":"a"`, `{"slug":"a",}`, `{,"slug":"a"}`, `{"slug":"a"}}`, `{"slug":"a"} {}`, `{"slug" "a"}`, `{"slug":}`, `{"slug":"a" "name":"b"}`, "\ufeff{}", `{"slug":"a"}x`,
	`{"name":"b"}`, `{"":"a"}`, "{\"slug\":\"a\"}\v", "\u00a0{}",
}

func lists() (all []string) {
	for _, b := range bodies {
		all = append(all, `{"all":[`+b+`]}`, `{"all":[{"slug":"a"},`+b+`]}`, `{"all":[`+b+`,{"slug":"a"}]}`, `{"all":`+b+`}`)
	}
	return append(all, bodies...)
}

// What is read plainly is read as Decode reads it, refusals included.
func TestFlat(t *testing.T) {
	t.Parallel()
	for _, body := range append(lists(), `{"all":[{"slug":"a"}],"all":[]}`, `{"all":[{"slug":"a"}],"x":1}`, `{"all":[{"slug":"a"}]`, `{"all":[{"slug":"a"},]}`, `{"ALL":[{"slug":"a"}]}`, ` { "all" : [ { "slug" : "a" } ] } `) {
		same(t, []byte(body))
	}
	for body, want := range map[string]bool{`{"all":[{"slug":"a"},{"slug":"b","loud":true}]}`: true, `{"all":[{"slug":"é"}]}`: false, `{"all":[]}`: false} {
		if all, ok := items(body); ok != want || ok && len(all) != 2 {
			t.Errorf("%s: %v, %v", body, all, ok)
		}
	}
}

// What programs write is read in one pass.
func TestPlainBodiesAreCheap(t *testing.T) {
	body := []byte(`{"slug":"a:read","name":"b"}`)
	if n := testing.AllocsPerRun(100, func() { _, _ = plainly.Decode(body) }); n > 3 {
		t.Errorf("%v allocations for a plain body", n)
	}
}

func items(body string) (all []plain, ok bool) {
	ok = plainly.Each("all", []byte(body), func(p *plain) bool { all = append(all, *p); return true })
	return all, ok
}

// same compares both ways of reading a body, as one object and as a list.
func same(t *testing.T, body []byte) {
	t.Helper()
	want, wantErr := web.Decode[plain](body)
	got, err := plainly.Decode(body)
	if fmt.Sprint(err) != fmt.Sprint(wantErr) || err == nil && !reflect.DeepEqual(got, want) {
		t.Errorf("%q is read as\n%+v, %v, want\n%+v, %v", body, got, err, want, wantErr)
	}
	all, ok := items(string(body))
	if !ok {
		return
	}
	in, err := web.Decode[plains](body)
	if err != nil {
		t.Errorf("%q is read as %+v, want %v", body, all, err)
		return
	}
	items, err := web.DecodeItems("all", in.All.Value)
	if err != nil || !reflect.DeepEqual(all, items) {
		t.Errorf("%q is read as\n%+v, want\n%+v, %v", body, all, items, err)
	}
}

func FuzzFlat(f *testing.F) {
	for _, body := range lists() {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 4096 || strings.Count(string(body), "[") > 100 {
			return
		}
		same(t, body)
	})
}
