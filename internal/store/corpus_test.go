package store_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rolecall/rolecall/internal/store"
)

// The corpus of decisions is testdata/decisions/*.txt: worlds in words that a customer could read, and what must be
// answered in them, with the reason. A file is read line by line and acted out from top to bottom through the rules, on
// both databases; "#" begins a comment. README.md beside the files tells the language; this is its grammar. Words in
// capitals are names, brackets hold what may be left out, "then" and "refused CODE:" may stand before every sentence
// that changes something. Every change takes one second; questions take no time.
var sentences = []sentence{
	tells("at TIME", (*tale).goTo),
	tells("multiple roles NAME", (*tale).multipleRoles),
	tells("the background work is done", (*tale).work),

	tells("permission SLUG[ for NAME]", (*tale).permission),
	tells("remove permission SLUG", (*tale).removePermission),
	tells("role NAME[ of NAME][ for NAME][: LIST]", (*tale).role),
	tells("default NAME[ of NAME]", (*tale).setDefault),
	tells("order[ of NAME]: ORDER", (*tale).setOrder),
	tells("remove role NAME[ of NAME][, replace by NAME][, default NAME][, default of NAME NAME]", (*tale).removeRole),
	tells("delete unused role NAME[ of NAME]", (*tale).deleteRole),

	tells("organization NAME", (*tale).organization),
	tells("member NAME[ of NAME][ as LIST]", (*tale).member),
	tells("invited NAME[ of NAME][ as LIST]", (*tale).invited),
	tells("set roles of NAME to LIST", (*tale).setRoles),
	tells("deactivate NAME", (*tale).deactivate),
	tells("reactivate NAME", (*tale).reactivate),
	tells("remove member NAME", (*tale).removeMember),

	tells("sso says LIST about NAME", (*tale).ssoSays),
	tells("sso finds no mapped group of NAME", (*tale).ssoFindsNone),
	tells("directory says LIST about NAME", (*tale).directorySays),
	tells("directory finds no mapped group of NAME", (*tale).directoryFindsNone),
	tells("NAME forgets NAME", (*tale).forget),

	tells("group NAME[ of NAME][: LIST]", (*tale).group),
	tells("add NAME to NAME", (*tale).addToGroup),
	tells("drop NAME from NAME", (*tale).dropFromGroup),
	tells("remove group NAME", (*tale).removeGroup),

	tells("type NAME[ below LIST]", (*tale).resourceType),
	tells("resource THING[ of NAME][ in THING]", (*tale).resource),
	tells("move THING to THING", (*tale).move),
	tells("remove resource THING", (*tale).removeResource),
	tells("give SUBJECT NAME[ on THING][ from TIME][ until TIME]", (*tale).give),
	tells("take NAME from SUBJECT[ on THING]", (*tale).take),

	asks("may NAME SLUG[ on THING]", (*tale).may),
	asks("roles of NAME", (*tale).roles),
	asks("permissions of NAME[ on THING]", (*tale).permissions),
}

// sentence is one form that a line can have. Exactly one of do and ask is set.
type sentence struct {
	form    string
	pattern *regexp.Regexp
	do      func(*tale, []string) error
	ask     func(*tale, []string) (string, error)
}

func tells(form string, do func(*tale, []string) error) sentence {
	return sentence{form: form, pattern: reading(form), do: do}
}

func asks(form string, ask func(*tale, []string) (string, error)) sentence {
	return sentence{form: form, pattern: reading(form), ask: ask}
}

// reading is the pattern of a form, with one group for each word in capitals; what is left out is read as empty.
func reading(form string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.NewReplacer(
		"[", "(?:", "]", ")?",
		"NAME", `([^\s,:]+)`, // of a role, an organization, a member, a group or a type
		"SLUG", `([^\s,]+)`, // of a permission
		"THING", `([^\s,:]+:[^\s,]+)`, // a resource: type:id
		"SUBJECT", `((?:group:)?[^\s,:]+)`,
		"LIST", `([^\s,]+(?:, [^\s,]+)*)`,
		"ORDER", `([^\s,]+(?: > [^\s,]+)*)`,
		"TIME", `(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)`,
	).Replace(form) + "$")
}

// line is a line that was understood.
type line struct {
	place   string // file:line
	text    string
	refusal string // the code of the refusal that a change must get
	want    string // the answer that a question must get
	sentence
	words []string
}

// understand reads a file, or says in which line it does not.
func understand(name, text string) (lines []line, err error) {
	questions := 0
	for i, s := range strings.Split(text, "\n") {
		s, _, _ = strings.Cut(s, "#")
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		l := line{place: fmt.Sprint(name, ":", i+1), text: s}
		rest, want, question := strings.Cut(s, " -> ")
		l.want = want
		if !question {
			rest = strings.TrimPrefix(rest, "then ")
			if code, change, refused := strings.Cut(rest, ": "); refused && strings.HasPrefix(code, "refused ") {
				l.refusal, rest = strings.TrimPrefix(code, "refused "), change
			}
		}
		for _, form := range sentences {
			if words := form.pattern.FindStringSubmatch(rest); words != nil && question == (form.ask != nil) {
				l.sentence, l.words = form, words[1:]
				break
			}
		}
		if l.pattern == nil {
			return nil, fmt.Errorf("%s: cannot be understood: %s", l.place, s)
		}
		if lines = append(lines, l); question {
			questions++
		}
	}
	if questions == 0 {
		return nil, fmt.Errorf("%s:1: asks nothing", name)
	}
	return lines, nil
}

// corpus reads all files.
func corpus(t *testing.T) map[string][]line {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "decisions", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	tales := map[string][]line{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if tales[filepath.Base(f)], err = understand(f, string(text)); err != nil {
			t.Error(err)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	return tales
}

func TestDecisions(t *testing.T) {
	tales := corpus(t)
	onEach(t, func(t *testing.T, db *store.Store) {
		for name, lines := range tales {
			t.Run(name, func(t *testing.T) {
				newTale(t, db, name).tell(lines)
			})
		}
	})
}

// Every form of the language is used somewhere, so that none of them can rot, and README.md tells of each.
func TestCorpusLanguage(t *testing.T) {
	used := map[string]bool{}
	for _, lines := range corpus(t) {
		for _, l := range lines {
			used[l.form] = true
		}
	}
	readme, err := os.ReadFile(filepath.Join("testdata", "decisions", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sentences {
		if !used[s.form] {
			t.Errorf("no file says %q", s.form)
		}
		if !strings.Contains(string(readme), "`"+s.form) {
			t.Errorf("README.md does not tell of %q", s.form)
		}
	}
}

func TestCorpusErrorsNameTheirLine(t *testing.T) {
	for text, want := range map[string]string{
		"organization acme\n\nmember anna as\nroles of anna -> member": "x.txt:3: cannot be understood: member anna as",
		"roles of anna = member":               "x.txt:1: cannot be understood: roles of anna = member",
		"organization acme -> yes":             "x.txt:1: cannot be understood: organization acme -> yes",
		"organization acme # and nothing else": "x.txt:1: asks nothing",
	} {
		if _, err := understand("x.txt", text); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
