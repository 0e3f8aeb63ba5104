package dashboard

import (
	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/id"
)

// roleOrder is the question that a new order asks when it takes something from somebody.
type roleOrder struct {
	Owner     id.Organization
	Wanted    []string // slugs, highest first
	Foresight foresight
}

// orderRoles puts roles into another order: at once where nobody loses anything by it, and otherwise once the numbers
// were seen.
func orderRoles(v *visit) error {
	org := v.organization()
	list := v.In(org, "roles")
	if !v.posted() {
		return v.leave(list)
	}
	above, _, err := v.above(org)
	if err != nil {
		return err
	}
	policy, err := v.door.rules.Order(v.Context(), v.caller, org)
	if err != nil {
		return err
	}
	before := slugs(policy.Roles)
	order := roleOrder{Owner: org, Wanted: v.form["role"]}
	if up, down := v.typed("up"), v.typed("down"); up != "" || down != "" { // one button, without JavaScript
		order.Wanted = shift(before, up, down)
	}
	if v.decided() && v.typed("sure") != "" {
		return v.putInOrder(org, list, before, order.Wanted)
	}
	if order.Foresight, err = v.foresee(authz.SupposePriority(org, order.Wanted), byOrganization); err != nil {
		return err
	}
	if f := order.Foresight; v.decided() && !f.Late && f.Totals.Losing == 0 {
		return v.putInOrder(org, list, before, order.Wanted)
	}
	v.example(order.examples()...)
	return v.show("role_order.html", "Change the order", above, order)
}

func (v *visit) putInOrder(org id.Organization, list string, before, wanted []string) error {
	if _, err := v.door.rules.SetPriority(v.Context(), v.caller, org, wanted); err != nil {
		return err
	}
	if v.inDialog() && v.typed("sure") == "" { // the page shows the order already
		return nil
	}
	return v.doneUndoably(list, "The new order holds.", &undo{Action: v.In(org, "order"), Fields: map[string][]string{"role": before, "sure": {"yes"}}})
}

func (o roleOrder) examples() []Call {
	path := authorizationPath(o.Owner) + "/role_priority"
	body := map[string]any{"role_slugs": o.Wanted}
	return []Call{
		{What: "See who would gain and who would lose", Method: "PUT", Path: path + "?preview=true", Body: body},
		{What: "Set the priority order", Method: "PUT", Path: path, Body: body},
	}
}

func slugs(roles []authz.Role) []string {
	all := make([]string, len(roles))
	for i, r := range roles {
		all[i] = r.Slug
	}
	return all
}

// shift moves one of a list a place up or another one a place down.
func shift(list []string, up, down string) []string {
	moved := append([]string{}, list...)
	for i := range moved {
		if i > 0 && moved[i] == up {
			moved[i-1], moved[i] = moved[i], moved[i-1]
			return moved
		}
		if i+1 < len(moved) && moved[i] == down {
			moved[i+1], moved[i] = moved[i], moved[i+1]
			return moved
		}
	}
	return moved
}
