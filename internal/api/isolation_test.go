package api_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/api"
)

// Every route with every identifier of another environment, in path, query and body, answers exactly as it does for
// an identifier that is nobody's (I8, security case 5). Routes, parameters and fields are those of the table, so that a
// new one takes part by itself; one that nouns does not know fails the test.
func TestOtherEnvironmentsAreUnknown(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other, _ := w.environment(t, "staging")
		m := &matrix{client: w.client, other: other, sibling: w.organization("Sibling")}
		tried := 0
		for _, r := range api.Routes() {
			for _, p := range places(t, r) {
				if p.noun == text {
					continue
				}
				owners := []noun{p.noun}
				if p.noun == customSlug { // also those of another organization of the same environment
					owners = append(owners, siblingSlug)
				}
				for _, owner := range owners {
					tried++
					m.prepare()
					f := m.theirs[owner]
					a, b := m.ask(r, p, formed(p, f)), m.ask(r, p, formed(p, unknown(f)))
					if x, y := plain(a, f), plain(b, unknown(f)); x != y {
						t.Errorf("%s %s tells somebody else's %s %s from nobody's:\n%s\n%s", r.Method, r.Path, p.in, p.name, x, y)
					}
				}
			}
		}
		if tried < len(api.Routes()) {
			t.Errorf("tried %d identifiers in %d routes", tried, len(api.Routes()))
		}
	})
}

// unknown is a value like another, so near that nothing can lie between them, which names nothing anywhere.
func unknown(value string) string {
	if i := strings.LastIndex(value, "1"); i >= 0 && !ids.MatchString(value) {
		return value[:i] + "2" + value[i+1:]
	}
	last := value[len(value)-1]
	if last == 'Z' {
		return value[:len(value)-1] + "Y"
	}
	return value[:len(value)-1] + string(crockford[strings.IndexByte(crockford, last)+1])
}

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

var (
	ids       = regexp.MustCompile(`\b[a-z_]+_[0-9A-HJKMNP-TV-Z]{26}\b`)
	times     = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`)
	secrets   = regexp.MustCompile(`whsec_[A-Za-z0-9_-]{43}`)
	ownLabels = regexp.MustCompile(`own\d+`)
)

// plain is an answer without what must differ.
func plain(a answer, value string) string {
	s := string(a.raw)
	for _, v := range []string{value, mustJSON(value)} {
		s = strings.ReplaceAll(s, v, "VALUE")
	}
	for pattern, with := range map[*regexp.Regexp]string{ids: "ID", times: "TIME", secrets: "SECRET", ownLabels: "OWN"} {
		s = pattern.ReplaceAllString(s, with)
	}
	return fmt.Sprint(a.status, " ", s)
}

func mustJSON(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return strings.Trim(string(b), `"`)
}
