package event

import "time"

// AppendText appends a string as Encode writes it.
func AppendText[T ~string](b []byte, s T) []byte {
	for i := range len(s) {
		if !isPlain[s[i]] {
			encoded, err := Encode(s)
			if err != nil { // strings always encode
				panic(err)
			}
			return append(b, encoded...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// isPlain is the characters that stand for themselves.
var isPlain = plainCharacters()

func plainCharacters() (plain [256]bool) {
	for c := ' '; c < 0x80; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}

// AppendOptional is AppendText, or null.
func AppendOptional(b []byte, s *string) []byte {
	if s == nil {
		return append(b, "null"...)
	}
	return AppendText(b, *s)
}

// AppendJSON appends the contract's spelling as a JSON string. Of the standard's layouts, those without a fraction are
// written much faster.
func (t Time) AppendJSON(b []byte) []byte {
	at := time.Time(t).UTC()
	b = at.AppendFormat(append(b, '"'), time.RFC3339)
	ms := at.Nanosecond() / int(time.Millisecond)
	return append(b[:len(b)-len("Z")], '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z', '"')
}

// AppendJSON appends the permission as Encode writes it.
func (p Permission) AppendJSON(b []byte) []byte {
	b = AppendText(append(b, `{"object":`...), p.Object)
	b = AppendText(append(b, `,"id":`...), p.ID)
	b = AppendText(append(b, `,"slug":`...), p.Slug)
	b = AppendText(append(b, `,"name":`...), p.Name)
	b = AppendOptional(append(b, `,"description":`...), p.Description)
	b = append(b, `,"system":`...)
	if p.System {
		b = append(b, "true"...)
	} else {
		b = append(b, "false"...)
	}
	b = AppendText(append(b, `,"resource_type_slug":`...), p.ResourceTypeSlug)
	b = p.CreatedAt.AppendJSON(append(b, `,"created_at":`...))
	b = p.UpdatedAt.AppendJSON(append(b, `,"updated_at":`...))
	return append(b, '}')
}
