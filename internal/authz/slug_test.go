package authz

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/rolecall/rolecall/internal/id"
)

const someRole = id.Role("role_01HZZZZZZZZZZZZZZZZZA1B2C3")

// R6, C1: names of any script, empty results, and never more than 48 characters.
func TestGeneratedSlugs(t *testing.T) {
	for name, want := range map[string]string{
		"Billing Admin":                 "billing-admin-a1b2c3",
		"  Billing\t\n Admin  ":         "billing-admin-a1b2c3",
		"Billing - Admin":               "billing-admin-a1b2c3",
		"R&D (Europe)":                  "rd-europe-a1b2c3",
		"a__b--c_-d":                    "a_b-c_d-a1b2c3",
		"--x--":                         "x-a1b2c3",
		"Éditeur délégué":               "editeur-delegue-a1b2c3",
		"Größe":                         "groe-a1b2c3",
		"Администратор":                 "role-a1b2c3",
		"管理者":                           "role-a1b2c3",
		"مدير النظام":                   "role-a1b2c3",
		"🦊 fox":                         "fox-a1b2c3",
		"Ｆｕｌｌ　ｗｉｄｔｈ":                    "full-width-a1b2c3",
		"--- ___":                       "role-a1b2c3",
		"org-":                          "org-a1b2c3",
		"2nd line":                      "2nd-line-a1b2c3",
		strings.Repeat("a", 48):         strings.Repeat("a", 41) + "-a1b2c3",
		strings.Repeat("a", 40) + " bc": strings.Repeat("a", 40) + "-a1b2c3",
	} {
		if got := generateSlug(name, someRole); got != want {
			t.Errorf("generateSlug(%q) = %q, want %q", name, got, want)
		}
	}
}

func FuzzGeneratedSlug(f *testing.F) {
	for _, s := range []string{"Billing Admin", "ё", "--", "\x00", "İ", "ﬃ", "K"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		slug := generateSlug(name, someRole)
		if !roleSlug.MatchString(slug) || len(slug) > MaxSlug || !strings.HasSuffix(slug, "-a1b2c3") {
			t.Errorf("generateSlug(%q) = %q", name, slug)
		}
	})
}

// What a role's slug may be: R4 and R5.
func TestRoleSlugs(t *testing.T) {
	for slug, fine := range map[string]bool{
		"a": true, "admin": true, "org-member": true, "a_b-c9": true, strings.Repeat("a", 48): true,
		"": false, "A": false, "-a": false, "a-": false, "a--b": false, "a-_b": false, "a b": false, "a:b": false, "é": false,
		"a\n": false, "a\x00": false, strings.Repeat("a", 49): false, "а": false,
	} {
		var c complaints
		if c.slug("slug", slug, false); (len(c) == 0) != fine {
			t.Errorf("slug %q: %v", slug, c)
		}
	}
	for slug, fine := range map[string]bool{"org-a": true, "org-": false, "org": false, "a": false, "Org-a": false, "org_a": false, "org-a-": false} {
		var c complaints
		if c.slug("slug", slug, true); (len(c) == 0) != fine {
			t.Errorf("R5: custom slug %q: %v", slug, c)
		}
	}
}

// R50, C32.
func TestPermissionSlugs(t *testing.T) {
	for slug, fine := range map[string]bool{
		"invoices:read": true, "posts:*": true, "a.b_c-d": true, "*": true, "9": true,
		"": false, "Invoices": false, "a b": false, "a/b": false, "a\n": false, strings.Repeat("a", 49): false, "é": false,
	} {
		var c complaints
		if c.permissionSlug("slug", slug); (len(c) == 0) != fine {
			t.Errorf("permission slug %q: %v", slug, c)
		}
	}
}

func FuzzSlugs(f *testing.F) {
	f.Add("org-a")
	f.Add("posts:*")
	f.Fuzz(func(t *testing.T, s string) {
		var role, custom, permission complaints
		role.slug("slug", s, false)
		custom.slug("slug", s, true)
		permission.permissionSlug("slug", s)
		plain := strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_:.*") == "" && s != "" && len(s) <= MaxSlug
		if (len(permission) == 0) != plain {
			t.Errorf("permission slug %q: %v", s, permission)
		}
		if len(role) == 0 && (len(permission) > 0 || strings.ContainsAny(s, ":.*")) || len(custom) == 0 && len(role) > 0 {
			t.Errorf("slug %q: role %v, custom %v", s, role, custom)
		}
	})
}

// Security case 2: normalized, then validated, then compared.
func TestEmailsAreComparedNormalized(t *testing.T) {
	for _, same := range [][]string{
		{"Ada@Acme.example", "ada@acme.example", "ADA@ACME.EXAMPLE", "ａｄａ@acme.example"},
	} {
		want, _ := normalEmail(same[0])
		for _, s := range same {
			if key, ok := normalEmail(s); !ok || key != want {
				t.Errorf("normalEmail(%q) = %q, %v; want %q", s, key, ok, want)
			}
		}
	}
	for _, bad := range []string{
		"", "a", "@b", "a@", "a@@b", "Ada <ada@acme.example>", "a@b, c@d", " a@b.example", "a@b.example ", "a\x00@b.example",
		"a@b.example\n", "a@b.example＠c.example", "\xff@b.example", strings.Repeat("a", 250) + "@b.example",
	} {
		if key, ok := normalEmail(bad); ok {
			t.Errorf("%q was taken for the address %q", bad, key)
		}
	}
}

func FuzzEmail(f *testing.F) {
	f.Add("ada@acme.example")
	f.Add("\"a b\"@c")
	f.Fuzz(func(t *testing.T, s string) {
		key, ok := normalEmail(s)
		if !ok {
			return
		}
		if again, ok := normalEmail(key); !ok || again != key || !utf8.ValidString(key) {
			t.Errorf("normalEmail(%q) = %q, which becomes %q, %v", s, key, again, ok)
		}
	})
}
