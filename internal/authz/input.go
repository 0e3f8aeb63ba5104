package authz

import (
	"fmt"
	"maps"
	"net/mail"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"golang.org/x/text/unicode/norm"
)

// The limits of the contract, in characters unless said otherwise.
const (
	MaxSlug          = 48
	MaxName          = 48
	MaxDescription   = 150
	MaxLongName      = 256 // organizations and users, for which the contract names no limit
	MaxExternalID    = 128
	MaxEmail         = 254
	MaxMetadataKeys  = 50
	MaxMetadataKey   = 40
	MaxMetadataValue = 600
	MaxDomains       = 100 // domains of one organization; the contract names no limit
)

var (
	roleSlug       = regexp.MustCompile(`^[a-z0-9]+(?:[-_][a-z0-9]+)*$`)
	permissionSlug = regexp.MustCompile(`^[a-z0-9\-_:.*]+$`)
	ascii          = regexp.MustCompile(`^[\x01-\x7F]+$`)
	domainName     = regexp.MustCompile(`^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$`)
)

// unaddressable is what URLs take for steps through folders when it stands for a whole name: such an object could be
// made and never be reached.
var unaddressable = map[string]bool{".": true, "..": true, "/": true}

// Opt is an input that may be absent. An absent one leaves things as they are.
type Opt[T any] struct {
	Set   bool
	Value T
}

// Some is a present input.
func Some[T any](v T) Opt[T] { return Opt[T]{Set: true, Value: v} }

// apply writes a present input to where and says whether that changed it.
func apply[T comparable](o Opt[T], where *T) bool {
	if !o.Set || o.Value == *where {
		return false
	}
	*where = o.Value
	return true
}

// applyText is apply for text that may be null.
func applyText(o Opt[*string], where **string) bool {
	if !o.Set || sameText(o.Value, *where) {
		return false
	}
	*where = o.Value
	return true
}

func sameText(a, b *string) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// complaints gathers what is wrong with an input, field by field, so that one answer names everything.
type complaints []fault.Field

func (c *complaints) add(field, format string, args ...any) {
	*c = append(*c, fault.Field{Name: field, Message: fmt.Sprintf(format, args...)})
}

// err is nil when nothing was wrong.
func (c complaints) err() error {
	if len(c) == 0 {
		return nil
	}
	return fault.BadFields(c...)
}

// text checks stored text: valid UTF-8, no NUL (PostgreSQL cannot keep one), at most max characters.
func (c *complaints) text(field, s string, max int) {
	switch {
	case !utf8.ValidString(s):
		c.add(field, "must be valid UTF-8")
	case strings.ContainsRune(s, 0):
		c.add(field, "must not contain a NUL character")
	case utf8.RuneCountInString(s) > max:
		c.add(field, "must be at most %d characters", max)
	}
}

func (c *complaints) optionalText(field string, s *string, max int) {
	if s != nil {
		c.text(field, *s, max)
	}
}

// name checks a name that people read: one line of text that is not blank.
func (c *complaints) name(field, s string, max int) {
	if strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }) == "" {
		c.add(field, "must not be empty")
		return
	}
	if strings.ContainsFunc(s, unicode.IsControl) {
		c.add(field, "must not contain control characters")
		return
	}
	c.text(field, s, max)
}

// slug checks the slug of a role (R4, R5). custom asks for the prefix that explicit custom slugs need.
func (c *complaints) slug(field, s string, custom bool) {
	switch {
	case s == "":
		c.add(field, "must not be empty")
	case utf8.RuneCountInString(s) > MaxSlug:
		c.add(field, "must be at most %d characters", MaxSlug)
	case custom && !strings.HasPrefix(s, customPrefix):
		c.add(field, "must begin with '%s'", customPrefix)
	case !roleSlug.MatchString(s):
		c.add(field, "must consist of lowercase letters, digits and single '-' or '_' between them")
	}
}

// permissionSlug checks the slug of a permission (R50, C32).
func (c *complaints) permissionSlug(field, s string) {
	switch {
	case s == "":
		c.add(field, "must not be empty")
	case utf8.RuneCountInString(s) > MaxSlug:
		c.add(field, "must be at most %d characters", MaxSlug)
	case !permissionSlug.MatchString(s):
		c.add(field, "must consist of lowercase letters, digits and the characters - _ : . *")
	case unaddressable[s]:
		c.add(field, "must not be '%s', which no URL can hold as a name", s)
	}
}

func (c *complaints) externalID(field string, s *string) {
	switch {
	case s == nil:
	case *s == "" || !ascii.MatchString(*s):
		c.add(field, "must be 1 to %d ASCII characters other than NUL", MaxExternalID)
	case len(*s) > MaxExternalID:
		c.add(field, "must be at most %d characters", MaxExternalID)
	case unaddressable[*s]:
		c.add(field, "must not be '%s', which no URL can hold as a name", *s)
	}
}

// checkMetadata checks what would be stored. It has a code of its own in the contract.
func checkMetadata(m map[string]string) error {
	bad := func(format string, args ...any) error {
		f := fault.Field{Name: "metadata", Message: fmt.Sprintf(format, args...)}
		e := fault.New(fault.BadRequest, "invalid_metadata", "metadata %s.", f.Message)
		e.Fields = []fault.Field{f}
		return e
	}
	if len(m) > MaxMetadataKeys {
		return bad("must have at most %d keys", MaxMetadataKeys)
	}
	for k, v := range m {
		var c complaints
		c.text("key", k, MaxMetadataKey)
		c.text("value", v, MaxMetadataValue)
		if k == "" || len(c) > 0 {
			return bad("keys must be 1 to %d and values at most %d characters, without NUL", MaxMetadataKey, MaxMetadataValue)
		}
	}
	return nil
}

// applyMetadata is apply for metadata: present keys are set, those with nil removed, the others stay; a nil update
// removes all of them. What stood there before is not altered, and is never nil afterwards.
func applyMetadata(update Opt[map[string]*string], where *map[string]string) (changed bool) {
	merged := maps.Clone(*where)
	if merged == nil || update.Set && update.Value == nil {
		merged = map[string]string{}
	}
	for k, v := range update.Value {
		if v == nil {
			delete(merged, k)
		} else {
			merged[k] = *v
		}
	}
	changed = !maps.Equal(merged, *where)
	*where = merged
	return changed
}

// normalEmail returns the form under which an e-mail address is compared: normalized first, validated after, so that
// two spellings of one address cannot be two users. ok is false for what is not one plain address.
func normalEmail(s string) (key string, ok bool) {
	key = strings.ToLower(norm.NFKC.String(s))
	if len(key) > MaxEmail || strings.ContainsRune(key, 0) || !utf8.ValidString(s) {
		return "", false
	}
	a, err := mail.ParseAddress(key)
	if err != nil || a.Address != key || a.Name != "" {
		return "", false
	}
	return key, true
}

// searchKey is the form in which names are searched, whatever their case or width.
func searchKey(s string) string { return strings.ToLower(norm.NFKC.String(s)) }

// searched is a text to search for, at most max characters, in the form in which things are searched.
func searched(s string, max int) (string, error) {
	var bad complaints
	key := searchKey(strings.TrimSpace(s))
	if bad.text("search", s, len(s)); len(bad) == 0 {
		bad.text("search", key, max)
	}
	return key, bad.err()
}

const (
	customPrefix = "org-"
	suffixLength = 6
)

// generateSlug derives the slug of a custom role from its name and id (R6): lower-case, blanks to hyphens, everything
// else dropped, separators collapsed, cut to fit, then a hyphen and six characters of the id's random part. A name in
// which nothing remains becomes "role". No org- prefix is added (C1).
func generateSlug(name string, role id.Role) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(name)) {
		separator := r == '-' || r == '_'
		if unicode.IsSpace(r) {
			r, separator = '-', true
		}
		switch {
		case separator:
			if s := b.String(); s != "" && !strings.ContainsRune("-_", rune(s[len(s)-1])) {
				b.WriteRune(r)
			}
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		}
	}
	base := b.String()
	if most := MaxSlug - suffixLength - 1; len(base) > most {
		base = base[:most]
	}
	base = strings.TrimRight(base, "-_")
	if base == "" {
		base = "role"
	}
	return base + "-" + id.Suffix(role, suffixLength)
}
