package dashboard

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/fault"
	"github.com/rolecall/rolecall/internal/id"
	"github.com/rolecall/rolecall/internal/web"
)

// matrixEdit is what somebody wants to change about the permissions of a role. In forms, each of its parts is a field
// whose value begins with the slug of the role and a colon, which no slug of a role has.
type matrixEdit struct {
	authz.Role
	Add, Remove []string // permissions, sorted
	Seen        []string // what it held, of what was looked at, when he last saw it
	Looked      []string // the permissions that he looked at; nil for all
	Known       bool     // whether he says what he saw
	Since       sinceThen
	Foresight   foresight
	Refused     string // why it was not saved
}

// sinceThen is what others changed about a role since somebody looked at it.
type sinceThen struct {
	Added, Removed []string
	Who            string
	When           time.Time
}

// Changed says whether others changed anything.
func (s sinceThen) Changed() bool { return len(s.Added)+len(s.Removed) > 0 }

// wanted is what the role would hold.
func (e matrixEdit) wanted() []string {
	return slices.DeleteFunc(append(slices.Clone(e.Permissions), e.Add...), func(s string) bool { return slices.Contains(e.Remove, s) })
}

// From is what the role holds, as the form says that it was seen.
func (e matrixEdit) From() string { return e.Slug + ":" + strings.Join(e.Permissions, " ") }

// matrixReview is the changes that somebody is about to make.
type matrixReview struct {
	Owner        id.Organization
	Organization string // its name
	Edits        []matrixEdit
	Changes      int      // of cells
	Gone         []string // roles and permissions that are not there any more
}

// Counting says whether any numbers are still to come.
func (r matrixReview) Counting() bool {
	return slices.ContainsFunc(r.Edits, func(e matrixEdit) bool { return e.Foresight.Late })
}

// byRole reads a field of a form that says something of roles: by role, the permissions.
func byRole(values []string) map[string][]string {
	all := map[string][]string{}
	for _, value := range values {
		role, permissions, _ := strings.Cut(value, ":")
		all[role] = append(all[role], strings.Fields(permissions)...)
	}
	return all
}

// typedEdits reads what is wanted from the form of the matrix, whose cells are ticked or not, or from that of the
// review, which says it outright.
func (v *visit) typedEdits() map[string]*matrixEdit {
	edits := map[string]*matrixEdit{}
	if !v.form.Has("shown") {
		add, remove, from := byRole(v.form["add"]), byRole(v.form["remove"]), byRole(v.form["from"])
		for _, group := range []map[string][]string{add, remove} {
			for role := range group {
				seen, known := from[role]
				edits[role] = &matrixEdit{Add: add[role], Remove: remove[role], Seen: seen, Known: known}
			}
		}
		return edits
	}
	shown, ticked := strings.Fields(v.form.Get("shown")), byRole(v.form["cell"])
	for role, was := range byRole(v.form["was"]) {
		had, has := setOf(was), setOf(ticked[role])
		e := &matrixEdit{Seen: was, Looked: shown, Known: true}
		for _, p := range shown {
			if has[p] && !had[p] {
				e.Add = append(e.Add, p)
			}
			if had[p] && !has[p] {
				e.Remove = append(e.Remove, p)
			}
		}
		edits[role] = e
	}
	return edits
}

// settle compares what is wanted with the roles as they are: what is so already is not to be done any more.
func (v *visit) settle(org id.Organization, typed map[string]*matrixEdit) (matrixReview, error) {
	review := matrixReview{Owner: org}
	policy, err := v.door.rules.Policy(v.Context(), v.caller, org)
	if err != nil {
		return review, err
	}
	permissions, err := v.catalogue(v.Context())
	if err != nil {
		return review, err
	}
	known := map[string]bool{}
	for _, p := range permissions {
		known[p.Slug] = true
	}
	for _, r := range policy.Roles {
		e := typed[r.Slug]
		if e == nil || r.Organization != org {
			continue
		}
		delete(typed, r.Slug)
		for _, p := range e.Add {
			if !known[p] && !slices.Contains(review.Gone, "permission "+p) {
				review.Gone = append(review.Gone, "permission "+p)
			}
		}
		held := setOf(r.Permissions)
		e.Role = r
		e.Add = distinct(e.Add, func(p string) bool { return known[p] && !held[p] })
		e.Remove = distinct(e.Remove, func(p string) bool { return held[p] && !slices.Contains(e.Add, p) })
		if len(e.Add)+len(e.Remove) == 0 {
			continue
		}
		if e.Since = e.since(); e.Since.Changed() {
			v.blameOther(org, e)
		}
		review.Edits = append(review.Edits, *e)
		review.Changes += len(e.Add) + len(e.Remove)
	}
	for slug, e := range typed {
		if len(e.Add)+len(e.Remove) > 0 {
			review.Gone = append(review.Gone, "role "+slug)
		}
	}
	slices.Sort(review.Gone)
	return review, nil
}

// distinct is the slugs that pass, sorted and each once.
func distinct(slugs []string, pass func(string) bool) []string {
	kept := slices.DeleteFunc(slices.Clone(slugs), func(s string) bool { return !pass(s) })
	slices.Sort(kept)
	return slices.Compact(kept)
}

// since compares what was seen with what is, where it was looked at.
func (e *matrixEdit) since() sinceThen {
	if !e.Known {
		return sinceThen{}
	}
	seen, held := setOf(e.Seen), setOf(e.Permissions)
	looked := func(p string) bool { return e.Looked == nil || slices.Contains(e.Looked, p) }
	return sinceThen{
		Added:   distinct(e.Permissions, func(p string) bool { return !seen[p] && looked(p) }),
		Removed: distinct(e.Seen, func(p string) bool { return !held[p] && looked(p) }),
	}
}

// blameOther finds out who changed a role last. Where that cannot be known, the change is shown without a name.
func (v *visit) blameOther(org id.Organization, e *matrixEdit) {
	last, found, err := v.door.rules.LastRoleChange(v.Context(), v.caller, org, e.Slug)
	if err != nil || !found {
		return
	}
	var context struct {
		Actor struct{ Name string }
	}
	if json.Unmarshal(last.Context, &context) == nil {
		e.Since.Who, e.Since.When = context.Actor.Name, last.CreatedAt
	}
}

func reviewMatrix(v *visit) error {
	if !v.posted() {
		return v.leave(v.MatrixAddress())
	}
	review, err := v.settle(v.organization(), v.typedEdits())
	if err != nil {
		return err
	}
	if v.form.Has("back") {
		return v.showMatrixWith(review.Edits)
	}
	if len(review.Edits) == 0 && len(review.Gone) == 0 {
		return v.done(v.MatrixAddress(), "Nothing to save: no cell is different.")
	}
	return v.showReview(review)
}

// showReview shows the changes with what each would do. The numbers of one role are as if it alone were changed.
func (v *visit) showReview(review matrixReview) error {
	above, name, err := v.above(review.Owner)
	if err != nil {
		return err
	}
	if review.Owner != "" {
		review.Organization = name
	}
	for i := range review.Edits {
		e := &review.Edits[i]
		if only := v.typed("only"); only != "" && only != e.Slug {
			e.Foresight.Late = true // asked for apart
			continue
		}
		e.Foresight, err = v.foresee(supposeEdit(review.Owner, *e), byOrganization)
		if err != nil && fault.Of(err).Kind == fault.Internal {
			return err
		}
		if err != nil {
			e.Foresight.Refused = fault.Of(err).Message
		}
		if i == 0 {
			v.example(setPermissionsCall(*e))
		}
	}
	if review.Owner == "" {
		above = nil
	}
	return v.show("matrix_review.html", "Review changes", append(above, crumb{"Matrix", v.MatrixAddress()}), review)
}

func supposeEdit(org id.Organization, e matrixEdit) authz.Supposition {
	return authz.SupposeRolePermissions(org, e.Slug, authz.PermissionEdit{Set: authz.Some(e.wanted())})
}

func setPermissionsCall(e matrixEdit) Call {
	body := map[string]any{"permissions": e.wanted()}
	script := "authorization.setEnvironmentRolePermissions("
	if e.Custom() {
		script = "authorization.setOrganizationRolePermissions(" + encode(e.Organization, "") + ", "
	}
	return Call{What: "Set the permissions of " + e.Slug, Method: "PUT", Path: rolePath(e.Role) + "/permissions", Body: body,
		Node: script + encode(e.Slug, "") + ", " + encode(body, "") + ")"}
}

func applyMatrix(v *visit) error {
	if !v.posted() {
		return v.leave(v.MatrixAddress())
	}
	typed := v.typedEdits()
	review, err := v.settle(v.organization(), typed)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(review.Edits, func(e matrixEdit) bool { return e.Since.Changed() }) {
		v.status = http.StatusConflict
		v.refusal = "Somebody else changed these roles meanwhile. Nothing was saved. Your changes are still here, beside theirs; look at them and apply again."
		return v.showReview(review)
	}
	saved, rest := v.saveEdits(review)
	if len(rest) == 0 && len(review.Gone) == 0 {
		return v.doneUndoably(v.MatrixAddress(), savedText(saved), takeBack(v.MatrixAddress("apply"), saved))
	}
	return v.showRest(review, saved, rest)
}

// saveEdits saves each role as long as it is as it was seen, and gives back those that it could not.
func (v *visit) saveEdits(review matrixReview) (saved, rest []matrixEdit) {
	for _, e := range review.Edits {
		to := e.Content()
		to.Permissions = e.wanted()
		if _, err := v.door.rules.ReviseRole(v.Context(), v.caller, review.Owner, e.Slug, e.Content(), to); err != nil {
			web.Blame(v.w, err)
			e.Refused = fault.Of(err).Message
			rest = append(rest, e)
			continue
		}
		saved = append(saved, e)
	}
	return saved, rest
}

// showRest shows what was not saved beside what was.
func (v *visit) showRest(review matrixReview, saved, rest []matrixEdit) error {
	again := map[string]*matrixEdit{}
	for _, e := range rest {
		again[e.Slug] = &matrixEdit{Add: e.Add, Remove: e.Remove, Seen: e.Permissions, Known: true, Refused: e.Refused}
	}
	left, err := v.settle(review.Owner, again)
	if err != nil {
		return err
	}
	left.Gone = append(review.Gone, left.Gone...)
	v.status, v.refusal = http.StatusConflict, "Not everything was saved. What is below was not."
	if len(saved) > 0 {
		v.refusal = savedText(saved) + " The rest was not saved."
	}
	return v.showReview(left)
}

func savedText(saved []matrixEdit) string {
	names := make([]string, len(saved))
	for i, e := range saved {
		names[i] = e.Name
	}
	switch {
	case len(saved) == 0:
		return "Nothing was saved: no cell is different any more."
	case len(saved) > 5:
		return fmt.Sprintf("%s were saved.", plural(len(saved), "role"))
	}
	return "Saved: " + strings.Join(names, ", ") + "."
}

// takeBack is the form that changes the cells back, whatever else was changed by then.
func takeBack(action string, saved []matrixEdit) *undo {
	if len(saved) == 0 {
		return nil
	}
	fields := url.Values{}
	for _, e := range saved {
		for name, slugs := range map[string][]string{"remove": e.Add, "add": e.Remove} {
			if len(slugs) > 0 {
				fields.Add(name, e.Slug+":"+strings.Join(slugs, " "))
			}
		}
	}
	return &undo{Action: action, Fields: fields}
}
