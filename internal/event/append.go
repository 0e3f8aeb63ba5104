package event

import "time"

// AppendText appends a string as Encode writes it.
func AppendText[T ~string](b []byte, s T) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x80 || c == '"' || c == '\\' {
			encoded, err := Encode(s)
			if err != nil { // strings always encode
				panic(err)
			}
			return append(b, encoded...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// AppendOptional is AppendText, or null.
func AppendOptional(b []byte, s *string) []byte {
	if s == nil {
		return append(b, "null"...)
	}
	return AppendText(b, *s)
}

// AppendJSON appends the contract's spelling as a JSON string.
func (t Time) AppendJSON(b []byte) []byte {
	return append(time.Time(t).UTC().AppendFormat(append(b, '"'), layout), '"')
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
