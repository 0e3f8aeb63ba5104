package dashboard

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// This file writes metadata as lines that people type, key=value, and reads them again. Blanks around keys and values
// are nobody's intention; what begins or ends with one, or breaks a line, is written with a backslash.

var (
	escapeMetadata   = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`)
	unescapeMetadata = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r", `\t`, "\t", `\s`, " ", `\=`, "=")
)

// metadataLines writes metadata, sorted by key.
func metadataLines(m map[string]string) string {
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		lines = append(lines, strings.ReplaceAll(escapeText(key), "=", `\=`)+"="+escapeText(m[key]))
	}
	return strings.Join(lines, "\n")
}

func escapeText(s string) string {
	s = escapeMetadata.Replace(s)
	if strings.HasPrefix(s, " ") {
		s = `\s` + s[1:]
	}
	if strings.HasSuffix(s, " ") {
		s = s[:len(s)-1] + `\s`
	}
	return s
}

// typedMetadata reads the lines. What is wrong with them is said as the complaint of a field.
func typedMetadata(text string) (m map[string]string, complaint string) {
	m = map[string]string{}
	for i, line := range strings.Split(text, "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		key, value, found := cutMetadata(line)
		switch _, twice := m[key]; {
		case !found:
			return nil, fmt.Sprintf("needs key=value in each line, which line %d is not", i+1)
		case key == "":
			return nil, fmt.Sprintf("has no key in line %d", i+1)
		case twice:
			return nil, fmt.Sprintf("has the key %q twice", key)
		}
		m[key] = value
	}
	return m, ""
}

// cutMetadata takes a line apart at its first = that no backslash stands before.
func cutMetadata(line string) (key, value string, found bool) {
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '=':
			read := func(s string) string { return unescapeMetadata.Replace(strings.TrimSpace(s)) }
			return read(line[:i]), read(line[i+1:]), true
		}
	}
	return "", "", false
}

// metadataChange is the input that makes metadata what was typed: the keys that are not there any more go.
func metadataChange(had, wanted map[string]string) map[string]*string {
	change := map[string]*string{}
	for key := range had {
		change[key] = nil
	}
	for key, value := range wanted {
		change[key] = &value
	}
	return change
}
