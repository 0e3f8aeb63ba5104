package api

import (
	"strings"
	"testing"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/decision"
	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/page"
)

// What is written without reflection is what the documented shapes encode to, whatever text is in it.
func FuzzEncoded(f *testing.F) {
	for _, text := range []string{"", "invoices:read", `"\`, "\x00\x1f\x7f\n", "é\u2028\u2029<>&", "\xff", "𝄞"} {
		f.Add(text, len(text)%2 == 0, int64(len(text))*1_234_567_891)
	}
	f.Fuzz(func(t *testing.T, text string, some bool, at int64) {
		r := authz.Role{Slug: text, Name: text, ResourceType: text, Permissions: []string{}, CreatedAt: time.UnixMilli(at % 1e14), UpdatedAt: time.UnixMilli(0)}
		p := authz.Permission{Slug: text, Name: text, ResourceType: text, System: some, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
		found := page.Page[authz.Permission]{Items: []authz.Permission{p, {}}[:len(text)%3]}
		d := []decision.Answer{{Verdict: decision.Verdict{Authorized: some}}, {Refusal: &fault.Error{Code: "code", Message: text}}, {Explain: true}}
		if some {
			r.Description, p.Description, r.Organization = &text, &text, "org_"
			r.Permissions = strings.SplitAfter(text, "a")
			found.Before, found.After = text, "b"
		}
		for _, roles := range [][]authz.Role{{}, {r}, {r, {}, r}} {
			l := RoleList{Object: "list", Data: []Role{}}
			for _, r := range roles {
				l.Data = append(l.Data, roleBody(r))
			}
			same(t, encodeRoles, roles, l)
		}
		same(t, encodePermissions, found, shown(permissionBody)(found))
		for _, answers := range [][]decision.Answer{{}, d[:1], d} {
			l := CheckedList{Object: "list", Data: []CheckedOf{}}
			for _, a := range answers {
				one := CheckedOf{Authorized: a.Verdict.Authorized, Reason: reasonBody(&a)}
				if a.Refusal != nil {
					one = CheckedOf{Error: &CheckError{a.Refusal.Code, a.Refusal.Message}}
				} else {
					same(t, encodeAnswer, a, Checked{one.Authorized, one.Reason})
				}
				l.Data = append(l.Data, one)
			}
			same(t, encodeAnswers, answers, l)
		}
	})
}

func same[T any](t *testing.T, encode func(T) ([]byte, error), of T, shape any) {
	t.Helper()
	want, err := event.Encode(shape)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := encode(of); err != nil || string(got) != string(want) {
		t.Errorf("got %s, %v, want %s", got, err, want)
	}
}
