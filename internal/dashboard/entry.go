package dashboard

import (
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/web"
)

// sessionCookie holds the token of a session. It ends with the browser, or with the session.
const sessionCookie = "rolecall_session"

// recognize finds the session that the browser holds.
func (v *visit) recognize() error {
	c, err := v.Cookie(sessionCookie)
	if err != nil {
		return fault.New(fault.Unauthorized, "sign_in_needed", "Sign in first.")
	}
	s, err := v.door.people.Session(v.Context(), c.Value)
	if err != nil {
		return err
	}
	v.token, v.session = c.Value, s
	return nil
}

// toSignIn sends somebody who is not signed in to the door, and back afterwards to where a link led him.
func (v *visit) toSignIn() {
	address := within("sign-in")
	if !v.posted() && !v.inDialog() && v.URL.EscapedPath() != Prefix {
		address += "?next=" + url.QueryEscape(v.URL.RequestURI())
	}
	v.leave(address)
}

// next is where a sign-in leads: an address of the dashboard and nothing else.
func (v *visit) next() string {
	next := v.query.Get("next")
	u, err := url.Parse(next)
	if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(u.Path, Prefix+"/") {
		return Prefix
	}
	// Browsers take %2e for a dot and a backslash for a slash.
	if path.Clean(u.EscapedPath()) != u.EscapedPath() || path.Clean(u.Path) != u.Path || strings.Contains(u.Path, `\`) {
		return Prefix
	}
	return next
}

func signIn(v *visit) error {
	if !v.posted() {
		if v.recognize() == nil {
			return v.leave(v.next())
		}
		return v.show("sign_in.html", "Sign in", nil, "")
	}
	email := v.typed("email")
	_, token, err := v.door.people.SignIn(v.Context(), email, v.form.Get("password"), web.Client(v.Request, v.door.options.Proxies))
	if err != nil {
		if fault.Of(err).Kind == fault.Unauthorized {
			v.status, v.refusal = http.StatusUnauthorized, "This e-mail address and password do not belong together."
		} else if !v.blame(err) {
			return err
		}
		return v.show("sign_in.html", "Sign in", nil, email)
	}
	v.begin(token)
	return v.leave(v.next())
}

// begin gives the browser a session. One that it had before ends, so that nobody can have left it there.
func (v *visit) begin(token string) {
	if c, err := v.Cookie(sessionCookie); err == nil && c.Value != token {
		if err := v.door.people.SignOut(v.Context(), c.Value); err == nil {
			v.token = ""
		}
	}
	v.setCookie(sessionCookie, token, 0)
}

func signOut(v *visit) error {
	if !v.posted() {
		return v.leave(Prefix)
	}
	if err := v.door.people.SignOut(v.Context(), v.token); err != nil {
		return err
	}
	v.setCookie(sessionCookie, "", -1)
	return v.leave(within("sign-in"))
}

// invited is the page of a one-time link.
type invited struct {
	Token, Email, Name string
	Invitation         operator.Invitation
}

func acceptInvitation(v *visit) error {
	in := invited{Token: v.query.Get("token"), Email: v.typed("email"), Name: v.typed("name")}
	if v.posted() {
		in.Token = v.form.Get("token")
	}
	found, err := v.door.people.OpenInvitation(v.Context(), in.Token)
	if err != nil {
		return err
	}
	in.Invitation, v.secret = found, true
	if in.Email == "" {
		in.Email = found.Email
	}
	if v.posted() {
		if v.form.Get("password") != v.form.Get("again") {
			v.complain("again", "must be the same as the password")
		} else {
			_, token, err := v.door.people.Accept(v.Context(), in.Token, operator.NewPerson{Name: in.Name, Email: in.Email, Password: v.form.Get("password")})
			if err == nil {
				v.begin(token)
				return v.leave(Prefix)
			}
			if !v.blame(err) {
				return err
			}
		}
	}
	return v.show("invitation.html", "Welcome", nil, in)
}

// start leads to the environment that is used most: the first.
func start(v *visit) error {
	if len(v.envs) == 0 {
		return v.leave(within("environments"))
	}
	v.env = v.envs[0]
	return v.leave(v.Path("roles"))
}
