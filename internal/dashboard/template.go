package dashboard

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

//go:embed templates
var templateFiles embed.FS

// parseTemplates reads every page, each beside the parts that all pages share.
func parseTemplates(static map[string]asset) (map[string]*template.Template, error) {
	shared := template.New("").Funcs(functions(static))
	parts, err := fs.Glob(templateFiles, "templates/shared/*.html")
	if err != nil {
		return nil, err
	}
	for _, file := range parts {
		text, err := templateFiles.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for _, name := range definitions.FindAllSubmatch(text, -1) {
			if shared.Lookup(string(name[1])) != nil {
				return nil, fmt.Errorf("%s: the part %q is defined twice", file, name[1])
			}
		}
		if _, err := shared.Parse(string(text)); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	all := map[string]*template.Template{}
	for _, file := range files {
		own, err := shared.Clone()
		if err != nil {
			return nil, err
		}
		if all[path.Base(file)], err = own.ParseFS(templateFiles, file); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// definitions finds the parts that a file defines. The last of two under one name would silently win.
var definitions = regexp.MustCompile(`{{define "([^"]+)"}}`)

// functions is what templates can call.
func functions(static map[string]asset) template.FuncMap {
	return template.FuncMap{
		"static": func(file string) string { return served(static, file) },
		"field":  newField,
		"plural": plural,
		"panel":  panelLink,
		"all":    func(items ...any) []any { return items },
		"has":    func(list []string, item string) bool { return slices.Contains(list, item) },
		"join":   strings.Join,
		"text": func(s *string) string {
			if s == nil {
				return ""
			}
			return *s
		},
		"day":     func(t time.Time) string { return t.UTC().Format("2 Jan 2006") },
		"minute":  func(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04") + " UTC" },
		"instant": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"number":  number,
		"add":     func(a, b int) int { return a + b },
	}
}

// field is one field of a form, as the part "field" shows it.
type field struct {
	Name, Label, Value, Hint, Kind, Complaint string
	Max                                       int
	Required, Focus, Locked                   bool
	Complete                                  string // what browsers may fill it with
}

// newField makes a field. More is any of: hint=…, kind=…, max=…, required, focus, locked, complete=….
func newField(f frame, name, label, value string, more ...string) (field, error) {
	made := field{Name: name, Label: label, Value: value, Kind: "text", Complaint: f.complaints[name]}
	for _, m := range more {
		key, v, _ := strings.Cut(m, "=")
		switch key {
		case "hint":
			made.Hint = v
		case "kind":
			made.Kind = v
		case "complete":
			made.Complete = v
		case "max":
			if _, err := fmt.Sscan(v, &made.Max); err != nil {
				return made, err
			}
		case "required":
			made.Required = true
		case "focus":
			made.Focus = true
		case "locked":
			made.Locked = true
		default:
			return made, fmt.Errorf("a field has no %q", key)
		}
	}
	return made, nil
}

// panelLink is the attributes of a link to a screen that opens in a dialog where there is JavaScript.
func panelLink(address string) template.HTMLAttr {
	a := template.HTMLEscapeString(address)
	return template.HTMLAttr(`href="` + a + `" hx-get="` + a + `" hx-target="#dialog-body" hx-select="#panel" hx-swap="innerHTML" data-panel`)
}

// plural is a number with its noun: "1 role", "2 roles"; many is the plural where an s is not enough.
func plural(n int, one string, many ...string) string {
	switch {
	case n == 1:
		return "1 " + one
	case len(many) > 0:
		return number(n) + " " + many[0]
	}
	return number(n) + " " + one + "s"
}

// number groups the digits of a number.
func number(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
