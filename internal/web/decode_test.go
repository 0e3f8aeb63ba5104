package web_test

import (
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/web"
)

// sample has a field of every type that bodies have.
type sample struct {
	Name     web.Field[string]            `json:"name" required:"true"`
	Note     web.Field[string]            `json:"note" nullable:"true"`
	On       web.Field[bool]              `json:"on"`
	Slugs    web.Field[[]string]          `json:"slugs"`
	Metadata web.Field[map[string]string] `json:"metadata" nullable:"true"`
	Things   web.Field[[]thing]           `json:"things"`
}

type thing struct {
	Name string `json:"name"`
}

func TestDecode(t *testing.T) {
	t.Parallel()
	in, err := web.Decode[sample]([]byte(` {"name":"n","note":null,"on":false,"slugs":[],"metadata":{"k":"v"},"things":[{"name":"x"}],"unknown":{"name":1}} `))
	if err != nil {
		t.Fatal(err)
	}
	want := sample{
		Name: web.Field[string]{Set: true, Value: "n"}, Note: web.Field[string]{Set: true, Null: true}, On: web.Field[bool]{Set: true},
		Slugs: web.Field[[]string]{Set: true, Value: []string{}}, Metadata: web.Field[map[string]string]{Set: true, Value: map[string]string{"k": "v"}},
		Things: web.Field[[]thing]{Set: true, Value: []thing{{"x"}}},
	}
	if !reflect.DeepEqual(in, want) {
		t.Errorf("decoded %+v, want %+v", in, want)
	}
	if o := in.On.Opt(); !o.Set || o.Value {
		t.Errorf("false is a value: %+v", o)
	}
	if o := web.Text(in.Note); !o.Set || o.Value != nil {
		t.Errorf("null is kept apart from absent and from empty: %+v", o)
	}
	if o := web.Text(web.Field[string]{}); o.Set {
		t.Errorf("absent is not set: %+v", o)
	}
	if o := web.Text(in.Name); !o.Set || *o.Value != "n" {
		t.Errorf("text is kept: %+v", o)
	}
}

// One refusal names every field that is missing or wrong.
func TestDecodeNamesFields(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][]string{
		`{}`: {"name"}, ``: {"name"}, " \n": {"name"},
		`{"name":null}`: {"name"}, `{"name":1,"note":1,"on":1,"slugs":1,"metadata":1,"things":1}`: {"name", "note", "on", "slugs", "metadata", "things"},
		`{"name":"n","on":null}`: {"on"}, `{"name":"n","slugs":[null]}`: {"slugs"}, `{"name":"n","slugs":["a",["b"]]}`: {"slugs"},
		`{"name":"n","metadata":{"a":null}}`: {"metadata"}, `{"name":"n","metadata":[]}`: {"metadata"}, `{"name":"n","things":[{"name":null}]}`: {"things"},
		`{"name":"\u0000"}`: {"name"}, `{"name":"n","metadata":{"\u0000":"v"}}`: {"metadata"}, `{"name":"n","things":[{"x":"\u0000"}]}`: {"things"},
		`{"Name":"n"}`: {"name"}, `{"name":"a","name":2}`: {"name"}, `{"name":1e999}`: {"name"},
	} {
		_, err := web.Decode[sample]([]byte(body))
		var got []string
		if fault.Is(err, fault.Invalid) {
			for _, f := range fault.Of(err).Fields {
				got = append(got, f.Name)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s blames %q, want %q (%v)", body, got, want, err)
		}
	}
}

func TestDecodeMalformed(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"[]", "null", "1", `"x"`, "{", `{"name":"n"`, `{"name":"n"}}`, `{"name":"n"}{}`, "\xff", `{"name":"` + "\xff" + `"}`, strings.Repeat(`{"a":`, 20_000)} {
		if _, err := web.Decode[sample]([]byte(body)); !fault.Is(err, fault.BadRequest) {
			t.Errorf("%.40q: %v", body, err)
		} else if strings.Contains(err.Error(), "\xff") {
			t.Errorf("%.40q is quoted in %v", body, err)
		}
	}
}

func TestReadBody(t *testing.T) {
	t.Parallel()
	for size, refused := range map[int]bool{0: false, web.MaxBody: false, web.MaxBody + 1: true, 3 * web.MaxBody: true} {
		body, err := web.ReadBody(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", size))))
		if fault.Is(err, fault.TooLarge) != refused || !refused && len(body) != size {
			t.Errorf("%d bytes: read %d, %v", size, len(body), err)
		}
	}
	req := httptest.NewRequest("POST", "/", iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("{}"))))
	if _, err := web.ReadBody(httptest.NewRecorder(), req); !fault.Is(err, fault.BadRequest) {
		t.Errorf("a body that breaks off: %v", err)
	}
}

func TestQuery(t *testing.T) {
	t.Parallel()
	q, err := web.ParseQuery("a=x,y&a=z&a[]=p&a%5B%5D=q%2Cr&b=&c=1&c=2&d=,,")
	if err != nil {
		t.Fatal(err)
	}
	if got := q.List("a"); !slices.Equal(got, []string{"x", "y", "z", "p", "q", "r"}) {
		t.Errorf("a is %q", got)
	}
	for _, none := range []string{"b", "d", "e"} {
		if got := q.List(none); len(got) != 0 {
			t.Errorf("%s is %q", none, got)
		}
	}
	if q.Get("c") != "1" || q.Get("e") != "" {
		t.Errorf("c is %q, e is %q", q.Get("c"), q.Get("e"))
	}
	for query, kind := range map[string]fault.Kind{"a=%zz": fault.BadRequest, "%": fault.BadRequest, "a;b": fault.BadRequest, "a=%00": fault.Invalid, "a=%FF": fault.Invalid, "a=1&a=%C3%28": fault.Invalid} {
		if _, err := web.ParseQuery(query); !fault.Is(err, kind) {
			t.Errorf("%s: %v", query, err)
		}
	}
}
