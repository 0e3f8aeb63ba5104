package store

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// stamp is the only form in which time crosses a driver: fixed-width UTC text with milliseconds, which sorts as time
// does. The zero time is NULL.
type stamp time.Time

const stampLayout = "2006-01-02T15:04:05.000Z"

// Value implements driver.Valuer.
func (s stamp) Value() (driver.Value, error) {
	if time.Time(s).IsZero() {
		return nil, nil
	}
	return time.Time(s).UTC().Format(stampLayout), nil
}

// Scan implements sql.Scanner.
func (s *stamp) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*s = stamp{}
		return nil
	case string:
		t, err := time.Parse(time.RFC3339Nano, v) // which takes what stampLayout writes, and is several times as fast
		*s = stamp(t)
		return err
	case []byte:
		return s.Scan(string(v))
	}
	return fmt.Errorf("a time stored as %T", src)
}

// flag is a boolean as both databases keep it.
type flag bool

// Value implements driver.Valuer.
func (f flag) Value() (driver.Value, error) {
	if f {
		return int64(1), nil
	}
	return int64(0), nil
}

// Scan implements sql.Scanner.
func (f *flag) Scan(src any) error {
	n, ok := src.(int64)
	if !ok || n != 0 && n != 1 {
		return fmt.Errorf("a flag stored as %T %v", src, src)
	}
	*f = n == 1
	return nil
}

// dictionary is string-to-string metadata, kept as JSON text.
type dictionary map[string]string

// Value implements driver.Valuer.
func (d dictionary) Value() (driver.Value, error) {
	if d == nil {
		return "{}", nil
	}
	b, err := json.Marshal(map[string]string(d))
	return string(b), err
}

// Scan implements sql.Scanner.
func (d *dictionary) Scan(src any) error {
	switch v := src.(type) {
	case string:
		return json.Unmarshal([]byte(v), (*map[string]string)(d))
	case []byte:
		return json.Unmarshal(v, (*map[string]string)(d))
	}
	return fmt.Errorf("metadata stored as %T", src)
}

// slugList is a list of slugs, none of which can hold a comma.
type slugList []string

// Value implements driver.Valuer.
func (l slugList) Value() (driver.Value, error) { return strings.Join(l, ","), nil }

// Scan implements sql.Scanner.
func (l *slugList) Scan(src any) error {
	var text sql.NullString
	if err := text.Scan(src); err != nil {
		return fmt.Errorf("a list of slugs: %w", err)
	}
	*l = nil
	if text.String != "" {
		*l = strings.Split(text.String, ",")
	}
	return nil
}

// orNull is text that is NULL when empty.
func orNull[T ~string](v T) *string {
	if v == "" {
		return nil
	}
	s := string(v)
	return &s
}

// prefixed puts a table's name before every column of a list.
func prefixed(table, columns string) string {
	return table + strings.ReplaceAll(columns, ", ", ", "+table)
}
