package authz

import "time"

// InForce returns those of a membership's assignments on its organization that count at an instant: what every source
// says, after the sources were weighed against each other. Assignments on other resources are not weighed (R84) and
// must not be among them.
//
// The roles of groups are always in force beside one direct source (R136, R137). The direct source is the first of
// these that says anything: an explicit directory result (R94), an explicit SSO result (R90), what people and the API
// set, and a result of a directory, else of SSO, that only stands for "no group was mapped" (R91, R97). What people and
// the API set after the last result of a directory or SSO outranks that result until the next one (R92, R96). Beside
// an explicit directory result SSO says nothing, also while the API overrides it: a sign-in does not undo what the
// directory itself would (R95). Where no source says anything, the default given at creation counts (R24); an empty
// result means the current default.
func InForce(assignments []Assignment, at time.Time) []Assignment {
	var groups, directory, sso, manual, noGroup, noSSOGroup, initial []Assignment
	for _, a := range assignments {
		if !a.Begun(at) || a.Ended(at) {
			continue
		}
		switch {
		case a.Source == SourceGroup:
			groups = append(groups, a)
		case a.Source == SourceManual:
			manual = append(manual, a)
		case a.Source == SourceDirectory && a.Explicit:
			directory = append(directory, a)
		case a.Source == SourceSSO && a.Explicit:
			sso = append(sso, a)
		case a.Source == SourceDirectory:
			noGroup = append(noGroup, a)
		case a.Source == SourceSSO:
			noSSOGroup = append(noSSOGroup, a)
		default:
			initial = append(initial, a)
		}
	}
	explicit := first(directory, sso)
	direct := first(overridden(explicit, manual), manual, noGroup, noSSOGroup)
	if len(direct)+len(groups) == 0 {
		return initial
	}
	if len(groups) > 0 && len(manual)+len(explicit) == 0 {
		direct = nil // "no group was mapped" does not compete with what a group gives
	}
	return append(direct, groups...)
}

// overridden returns a result of an identity provider unless the API spoke later (R92, R96).
func overridden(result, manual []Assignment) []Assignment {
	if len(manual) > 0 && latest(manual).After(latest(result)) {
		return nil
	}
	return result
}

func latest(assignments []Assignment) (at time.Time) {
	for _, a := range assignments {
		if a.UpdatedAt.After(at) {
			at = a.UpdatedAt
		}
	}
	return at
}

func first(sources ...[]Assignment) []Assignment {
	for _, s := range sources {
		if len(s) > 0 {
			return s
		}
	}
	return nil
}
