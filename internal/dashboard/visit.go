package dashboard

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/operator"
	"github.com/rolecall/rolecall/internal/web"
)

// visit is one request for a screen: who asks, for what, and what was found wrong with what he typed.
type visit struct {
	*http.Request
	w      http.ResponseWriter
	door   *Door
	screen Screen
	query  url.Values // of the address
	form   url.Values // of a form that was sent

	token   string // of the session
	session operator.Session
	flash   *flash

	env    authz.Environment // empty on screens beside the environments
	envs   []authz.Environment
	caller authz.Caller

	refusal    string            // what is wrong with a form as a whole
	complaints map[string]string // by field
	status     int               // of the page to be shown
	until      time.Time         // when the page has waited long enough for what it foresees
	calls      []Call
	secret     bool // the page shows one, and is not compressed: beside text of others, its length would tell of it
}

// serve answers a request for a screen.
func (d *Door) serve(s Screen) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		guard(w.Header())
		v := &visit{Request: r, w: w, door: d, screen: s, status: http.StatusOK, complaints: map[string]string{}}
		err := v.read()
		if err == nil {
			err = v.admit()
		}
		if err == nil {
			err = s.show(v)
		}
		if err != nil {
			v.fail(err)
		}
	})
}

// maxForm is the most bytes that a form may have.
const maxForm = 1 << 20

// read takes the query and the form apart, strictly, and refuses a form that another site sent.
func (v *visit) read() error {
	if !storable(v.URL.Path) {
		return nothingHere(v)
	}
	query, err := web.ParseQuery(v.URL.RawQuery)
	if err != nil {
		return err
	}
	v.query = url.Values(query)
	if v.Method != http.MethodPost {
		return nil
	}
	// Browsers say where a form comes from, in one of the two headers; what says nothing is no browser.
	if v.door.origin.Check(v.Request) != nil || v.Header.Get("Sec-Fetch-Site") == "" && v.Header.Get("Origin") == "" {
		return fault.New(fault.Forbidden, "cross_origin", "This form was not sent from this dashboard. Nothing was changed.")
	}
	v.Body = http.MaxBytesReader(v.w, v.Body, maxForm)
	if err := v.ParseForm(); err != nil {
		if _, large := err.(*http.MaxBytesError); large {
			return fault.New(fault.TooLarge, "request_too_large", "The form is larger than %d bytes. Nothing was changed.", maxForm)
		}
		return fault.New(fault.BadRequest, fault.CodeBadRequest, "The form could not be read.")
	}
	for name, values := range v.PostForm {
		if !storable(name) {
			return fault.New(fault.BadRequest, fault.CodeBadRequest, "The name of a field must be text without NUL. Nothing was changed.")
		}
		for i, text := range values {
			if !storable(text) {
				return fault.BadField(fault.Short(name), "must be text without NUL")
			}
			values[i] = strings.ReplaceAll(text, "\r\n", "\n")
		}
	}
	v.form = v.PostForm
	return nil
}

// storable says whether a database can hold a text.
func storable(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }

// admit finds out who asks, and for which environment. Nothing is remembered between requests, so that an end of a
// session or a lower role holds at once.
func (v *visit) admit() error {
	if v.screen.Open {
		return nil
	}
	if err := v.recognize(); err != nil {
		return err
	}
	person := v.session.Person
	if !person.Role.Allows(v.screen.Needs) {
		return fault.New(fault.Forbidden, "operator_role_required", "Your role here is %s, and this needs the role %s. An owner can give it to you.", person.Role, v.screen.Needs)
	}
	var err error
	if v.envs, err = v.door.rules.ListEnvironments(v.Context()); err != nil {
		return err
	}
	if !strings.Contains(v.screen.Path, "{env}") {
		return nil
	}
	named := v.PathValue("env")
	at := slices.IndexFunc(v.envs, func(e authz.Environment) bool { return string(e.ID) == named })
	if at < 0 {
		return fault.Missing("Environment", named)
	}
	v.env = v.envs[at]
	v.caller = authz.Caller{Environment: v.env.ID, Actor: person.Actor(), Only: person.Restriction()}
	return nil
}

// posted says whether a form was sent.
func (v *visit) posted() bool { return v.Method == http.MethodPost }

// inDialog says whether the page will be shown as a panel within another.
func (v *visit) inDialog() bool { return v.Header.Get("HX-Request") != "" }

// typed is what was typed into a field: blanks around it are nobody's intention.
func (v *visit) typed(field string) string { return strings.TrimSpace(v.form.Get(field)) }

// optional is what was typed into a field that may stay empty.
func (v *visit) optional(field string) *string {
	if text := v.typed(field); text != "" {
		return &text
	}
	return nil
}

func (v *visit) organization() id.Organization { return id.Organization(v.PathValue("org")) }

// blame takes a refusal of what was typed and says whether it was one: the form is then shown again, with all that was
// typed and what is wrong. Every other error is not the form's.
func (v *visit) blame(err error) bool {
	f := fault.Of(err)
	switch f.Kind {
	case fault.Invalid:
		v.status = http.StatusUnprocessableEntity
	case fault.BadRequest, fault.Conflict:
		v.status = http.StatusConflict
	case fault.Forbidden:
		v.status = http.StatusForbidden
	case fault.TooMany:
		v.status = http.StatusTooManyRequests
	default:
		return false
	}
	web.Blame(v.w, err)
	web.Later(v.w, f)
	fields := f.Fields
	if field, known := takenBy(f.Code); known {
		fields = []fault.Field{field}
		v.status = http.StatusConflict
	} else if f.Kind == fault.BadRequest && len(fields) > 0 {
		v.status = http.StatusUnprocessableEntity
	}
	for _, field := range fields {
		if v.complaints[field.Name] == "" {
			v.complaints[field.Name] = field.Message
		}
	}
	if len(fields) == 0 {
		v.refusal = f.Message
	}
	return true
}

// taken is the refusals of what is another's already, which name no field, with the field that each is about.
var taken = map[string]fault.Field{
	"external_id_already_used":     {Name: "external_id", Message: "is already used by another"},
	"email_not_available":          {Name: "email", Message: "is already used by another"},
	"organization_domain_conflict": {Name: "domains", Message: "hold one that already belongs to another organization"},
}

// conflicting finds in a code which field has what something else has.
var conflicting = regexp.MustCompile(`_(slug|name)_conflict$`)

// takenBy finds the field that a refusal of what is another's already is about.
func takenBy(code string) (fault.Field, bool) {
	if named := conflicting.FindStringSubmatch(code); named != nil {
		return fault.Field{Name: named[1], Message: "exists already, and must be another one"}, true
	}
	field, known := taken[code]
	return field, known
}

// blameNaming is blame for a form with a field that names something: that it names nothing is the field's fault.
func (v *visit) blameNaming(err error, field string) bool {
	if fault.Is(err, fault.NotFound) {
		v.complain(field, "does not exist here")
		return true
	}
	return v.blame(err)
}

// complain blames one field.
func (v *visit) complain(field, message string) {
	v.status = http.StatusUnprocessableEntity
	v.complaints[field] = message
}

// Path is an address below the visit's environment; each part is one segment.
func (v *visit) Path(parts ...string) string {
	return within(append([]string{"env", string(v.env.ID)}, parts...)...)
}

// within is an address of the dashboard.
func within(parts ...string) string {
	var b strings.Builder
	b.WriteString(Prefix)
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}

// In is an address below an organization, or below the environment where org is empty.
func (v *visit) In(org id.Organization, parts ...string) string {
	if org != "" {
		parts = append([]string{"organizations", string(org)}, parts...)
	}
	return v.Path(parts...)
}

// leave sends the browser to another address.
func (v *visit) leave(address string) error {
	if v.inDialog() {
		v.w.Header().Set("HX-Redirect", address)
		v.w.WriteHeader(http.StatusOK)
		return nil
	}
	http.Redirect(v.w, v.Request, address, http.StatusSeeOther)
	return nil
}

// done ends a form that succeeded: the browser goes to an address and is told there what happened.
func (v *visit) done(address, told string) error { return v.doneUndoably(address, told, nil) }

// doneUndoably is done with a way back.
func (v *visit) doneUndoably(address, told string, back *undo) error {
	v.tell(flash{Told: told, Undo: back})
	return v.leave(address)
}
