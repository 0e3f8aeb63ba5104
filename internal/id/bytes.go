package id

import (
	"encoding/binary"
	"strings"

	"github.com/oklog/ulid/v2"
)

// Bytes is what tells an id from others of its type, in a third of the room. Its zero value stands for no id.
type Bytes [16]byte

// BytesOf returns the bytes of an id. ok is false for what Parse would refuse, and for the one id whose bytes are zero.
func BytesOf[T Any](v T) (b Bytes, ok bool) {
	prefix := v.prefix()
	s := string(v)
	if len(s) != len(prefix)+1+ulid.EncodedSize || s[:len(prefix)] != prefix || s[len(prefix)] != '_' {
		return Bytes{}, false
	}
	digits := s[len(prefix)+1:]
	if digits[0] > '7' { // 26 digits have two bits more than 16 bytes
		return Bytes{}, false
	}
	const middle = 13 // the digit whose highest bit ends the first half
	var bad byte
	high, low := uint64(0), uint64(0)
	for i := range middle {
		d := digit[digits[i]]
		bad |= d
		high = high<<5 | uint64(d&31)
	}
	for i := middle; i < ulid.EncodedSize; i++ {
		d := digit[digits[i]]
		bad |= d
		low = low<<5 | uint64(d&31)
	}
	high = high<<1 | uint64(digit[digits[middle]]>>4&1)
	if bad&notDigit != 0 {
		return Bytes{}, false
	}
	binary.BigEndian.PutUint64(b[:8], high)
	binary.BigEndian.PutUint64(b[8:], low)
	return b, b != Bytes{}
}

// OfBytes is the id that has these bytes; empty for none.
func OfBytes[T Any](b Bytes) T {
	var none T
	if b == (Bytes{}) {
		return none
	}
	return T(none.prefix() + "_" + ulid.ULID(b).String())
}

// digit is what each upper-case digit of a ULID is worth, and notDigit for everything else.
var digit = digits()

const notDigit = 0x80

func digits() (worth [256]byte) {
	for i := range worth {
		worth[i] = notDigit
		if at := strings.IndexByte(ulid.Encoding, byte(i)); at >= 0 {
			worth[i] = byte(at)
		}
	}
	return worth
}
