package id_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/id"
)

func TestIdsSortByCreation(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := id.NewSource(func() time.Time { return now }, nil)
	var made []string
	for i := range 2000 {
		if i%500 == 0 {
			now = now.Add(time.Millisecond)
		}
		made = append(made, string(id.New[id.Role](s)))
	}
	if !slices.IsSorted(made) || len(slices.Compact(slices.Clone(made))) != len(made) {
		t.Error("ids of one source are not in the order of their creation, each once")
	}
}

func TestIdsAreUniqueAcrossGoroutines(t *testing.T) {
	s := id.NewSource(nil, nil)
	var seen sync.Map
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				if _, twice := seen.LoadOrStore(id.New[id.Event](s), true); twice {
					t.Error("an id was made twice")
				}
			}
		})
	}
	wg.Wait()
}

func TestParse(t *testing.T) {
	good := string(id.New[id.Organization](id.NewSource(nil, nil)))
	if got, ok := id.Parse[id.Organization](good); !ok || string(got) != good {
		t.Errorf("a fresh id was refused: %s", good)
	}
	for _, bad := range []string{
		"", "org_", good + "0", good[:len(good)-1], strings.ToLower(good), "role_" + good[4:], good[4:], " " + good, good + "\n",
		"org_domain_" + good[4:], "org_8ZZZZZZZZZZZZZZZZZZZZZZZZZ", strings.Replace(good, "_", "-", 1),
		"org_" + strings.Repeat("U", 26), "org_" + strings.Repeat("0", 25) + "\x00", "org_" + strings.Repeat("é", 13),
	} {
		if _, ok := id.Parse[id.Organization](bad); ok {
			t.Errorf("%q was taken for an organization's id", bad)
		}
	}
}

func TestDerivedIds(t *testing.T) {
	s := id.NewSource(func() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }, nil)
	a, b := id.New[id.Assignment](s), id.New[id.Assignment](s)
	first := id.Derive(a, "om_1")
	if again := id.Derive(a, "om_1"); again != first {
		t.Errorf("the same two things gave %s and %s", first, again)
	}
	if _, ok := id.Parse[id.Assignment](string(first)); !ok {
		t.Errorf("%s is no id", first)
	}
	for _, other := range []id.Assignment{id.Derive(a, "om_2"), id.Derive(b, "om_1"), a, b} {
		if other == first {
			t.Errorf("different things gave %s", first)
		}
	}
	if id.Moment(first) != id.Moment(a) || len(id.Moment(a)) != 10 {
		t.Errorf("%s is not of the time of %s", first, a)
	}
}

func TestRetypeKeepsWhatItNames(t *testing.T) {
	org := id.New[id.Organization](id.NewSource(nil, nil))
	resource := id.Retype[id.Resource](org)
	if _, ok := id.Parse[id.Resource](string(resource)); !ok {
		t.Errorf("%s is not a resource's id", resource)
	}
	if back := id.Retype[id.Organization](resource); back != org {
		t.Errorf("%s came back as %s", org, back)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("org_01HZZZZZZZZZZZZZZZZZZZZZZZ")
	f.Add("org_")
	f.Add("role_01HZZZZZZZZZZZZZZZZZZZZZZZ")
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := id.Parse[id.Organization](s)
		if ok != (got != "") {
			t.Errorf("Parse(%q) = %q, %v", s, got, ok)
		}
		if ok && (string(got) != s || len(s) != 30 || strings.ContainsFunc(s[4:], func(r rune) bool { return !strings.ContainsRune("0123456789ABCDEFGHJKMNPQRSTVWXYZ", r) })) {
			t.Errorf("%q was taken for an id", s)
		}
	})
}

// TestBytes: the bytes of an id tell exactly what its text tells, and are refused where the text is.
func TestBytes(t *testing.T) {
	ids := id.NewSource(nil, nil)
	for range 1000 {
		want := id.New[id.Membership](ids)
		b, ok := id.BytesOf(want)
		if got := id.OfBytes[id.Membership](b); !ok || got != want {
			t.Fatalf("%s became %x and then %s", want, b, got)
		}
	}
	if b, ok := id.BytesOf(id.Membership("om_7ZZZZZZZZZZZZZZZZZZZZZZZZZ")); !ok || b[0] != 0xff || b[15] != 0xff {
		t.Errorf("the highest id became %x", b)
	}
	good := string(id.New[id.Membership](ids))
	for _, bad := range []string{
		"", "om_", good + "0", good[:len(good)-1], strings.ToLower(good), "org_" + good[3:], "om_8ZZZZZZZZZZZZZZZZZZZZZZZZZ",
		"om_0000000000000000000000000U", "om_U0000000000000000000000000", "om_00000000000000000000000000",
		"om_0000000000000" + "l" + "000000000000", strings.Replace(good, "_", "-", 1),
	} {
		if b, ok := id.BytesOf(id.Membership(bad)); ok {
			t.Errorf("%q has the bytes %x", bad, b)
		}
	}
	if none := id.OfBytes[id.Membership](id.Bytes{}); none != "" {
		t.Errorf("no id reads %q", none)
	}
}
