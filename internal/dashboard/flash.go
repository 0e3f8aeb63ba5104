package dashboard

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// flash is what is told once, on the page after a form: what happened, and how to take it back.
type flash struct {
	Told string
	Undo *undo `json:",omitempty"`
}

// undo is the form that takes a change back.
type undo struct {
	Action string
	Fields url.Values
}

const flashCookie = "rolecall_told"

// A cookie surely holds maxFlash bytes, and maxTold characters fit into it however they are encoded.
const (
	maxFlash = 3000
	maxTold  = 300
)

// tell keeps a flash for the next page, in the browser. It is signed with the session, so that nobody else can put
// words and forms into the page.
func (v *visit) tell(f flash) {
	if told := []rune(f.Told); len(told) > maxTold {
		f.Told = string(told[:maxTold]) + "…"
	}
	text := f.encode()
	if len(text) > maxFlash { // a long undo is left out rather than the whole lost
		text = flash{Told: f.Told}.encode()
	}
	v.setCookie(flashCookie, text+"."+v.sign(text), 120)
}

func (f flash) encode() string {
	encoded, err := json.Marshal(f)
	if err != nil {
		panic(err) // strings always encode
	}
	return base64.RawURLEncoding.EncodeToString(encoded)
}

func (v *visit) sign(text string) string {
	mac := hmac.New(sha256.New, []byte(v.token))
	mac.Write([]byte(flashCookie + text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Flash is what the page before left to be told; it is told once.
func (v *visit) Flash() *flash {
	if v.flash != nil || v.token == "" {
		return v.flash
	}
	c, err := v.Cookie(flashCookie)
	if err != nil {
		return nil
	}
	text, signature, _ := strings.Cut(c.Value, ".")
	if !hmac.Equal([]byte(signature), []byte(v.sign(text))) {
		return nil
	}
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || json.Unmarshal(decoded, &v.flash) != nil {
		return nil
	}
	return v.flash
}

// setCookie sets a cookie of the dashboard for some seconds; 0 is until the browser ends, less removes it.
func (v *visit) setCookie(name, value string, seconds int) {
	http.SetCookie(v.w, &http.Cookie{
		Name: name, Value: value, Path: Prefix, MaxAge: seconds, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: v.secure(),
	})
}

// secure says whether the browser came over TLS, here or at a proxy in front.
func (v *visit) secure() bool {
	return v.TLS != nil || strings.EqualFold(v.Header.Get("X-Forwarded-Proto"), "https")
}
