package dashboard

import (
	"slices"

	"github.com/rolecall/rolecall/internal/authz"
	"github.com/rolecall/rolecall/internal/page"
)

func listEnvironments(v *visit) error {
	return v.show("environments.html", "Environments", nil, v.envs)
}

func newEnvironment(v *visit) error {
	name := v.typed("name")
	if v.posted() {
		made, err := v.door.rules.CreateEnvironment(v.Context(), name)
		if err == nil {
			v.env = made
			return v.done(v.Path("roles"), "Environment "+made.Name+" is there, with the role Member as its default. It shares nothing with the others.")
		}
		if !v.blame(err) {
			return err
		}
	}
	return v.show("environment_new.html", "Create environment", []crumb{{"Environments", within("environments")}}, name)
}

// settings is how roles work in an environment, and how large it is.
type settings struct {
	authz.Environment
	Default authz.Role
	Size    authz.EnvironmentSize
	Moving  *authz.Job // that moves members to one role
}

func showSettings(v *visit) error {
	var s settings
	policy, err := v.door.rules.Order(v.Context(), v.caller, "")
	if err != nil {
		return err
	}
	s.Default, _ = policy.DefaultRole()
	s.Environment = v.env
	if s.Size, err = v.door.rules.EnvironmentSize(v.Context(), v.caller); err != nil {
		return err
	}
	if s.Moving, err = v.newestJob(func(j authz.Job) bool { return j.Kind == authz.JobSingleRole && j.FinishedAt.IsZero() }); err != nil {
		return err
	}
	v.example(modeExample(v.env.MultipleRoles))
	return v.show("settings.html", "Settings", nil, s)
}

// newestJob finds the newest job like that among the newest.
func (v *visit) newestJob(like func(authz.Job) bool) (*authz.Job, error) {
	jobs, err := v.door.rules.ListJobs(v.Context(), v.caller, page.Request{Limit: page.MaxLimit, Order: page.Desc})
	if err != nil {
		return nil, err
	}
	if at := slices.IndexFunc(jobs.Items, like); at >= 0 {
		return &jobs.Items[at], nil
	}
	return nil, nil
}

func modeExample(on bool) Call {
	what := "Allow one role only"
	if on {
		what = "Allow several roles at once"
	}
	return Call{What: what, Method: "PUT", Path: "/authorization/settings", Body: map[string]any{"multiple_roles": on}}
}

// modeSwitch is the question whether members may hold several roles. It can be answered only where its numbers are.
type modeSwitch struct {
	On        bool
	Foresight foresight
	Members   []memberImpact
	After     string // the cursor of this page of the members
	More      string // address of the next members
	First     string // address of the numbers
}

// memberImpact is what a change does to one member, with the names to show.
type memberImpact struct {
	authz.MemberImpact
	Email, OrganizationName string
}

func switchMode(v *visit) error {
	m := modeSwitch{On: v.query.Get("multiple_roles") == "on", After: v.query.Get("after")}
	if v.posted() {
		m.On, m.After = v.typed("multiple_roles") == "on", v.typed("after")
	}
	if m.On == v.env.MultipleRoles {
		return v.done(v.Path("settings"), "It is so already.")
	}
	if v.decided() {
		err := v.setMode(m.On)
		if err == nil || !v.blame(err) {
			return err
		}
	}
	m.First = v.Path("settings", "mode") + "?multiple_roles=" + map[bool]string{true: "on", false: "off"}[m.On]
	if err := v.foreseeMode(&m); err != nil && !v.blame(err) {
		return err
	}
	preview := modeExample(m.On)
	preview.What, preview.Path = "See who is concerned, before", preview.Path+"?preview=true"
	v.example(modeExample(m.On), preview)
	title := "Switch multiple roles off"
	if m.On {
		title = "Switch multiple roles on"
	}
	return v.show("settings_mode.html", title, []crumb{{"Settings", v.Path("settings")}}, m)
}

// setMode switches, and leads to the work that follows.
func (v *visit) setMode(on bool) error {
	e, err := v.door.rules.SetMultipleRoles(v.Context(), v.caller, on)
	if err != nil {
		return err
	}
	told := "Multiple roles are off. Each member has one role from now on."
	if on {
		told = "Multiple roles are on. The roles of a member add up from now on."
	}
	work, err := v.newestJob(func(j authz.Job) bool { return j.Organization == "" && j.CreatedAt.Equal(e.UpdatedAt) })
	if err != nil || work == nil {
		return v.done(v.Path("settings"), told) // the switch holds, whatever the look-up says
	}
	return v.done(v.Path("jobs", string(work.ID)), told)
}

func (v *visit) foreseeMode(m *modeSwitch) (err error) {
	m.Foresight, err = v.foresee(authz.SupposeMultipleRoles(m.On), authz.ImpactRequest{Limit: rows, After: m.After})
	if err != nil || m.Foresight.Late {
		return err
	}
	if next := m.Foresight.After; next != "" {
		m.More = m.First + "&after=" + next
	}
	known := v.finder()
	for _, i := range m.Foresight.Impact.Members {
		shown := memberImpact{MemberImpact: i}
		if shown.Email, err = known.user(i.User); err != nil {
			return err
		}
		if shown.OrganizationName, err = known.organization(i.Organization); err != nil {
			return err
		}
		m.Members = append(m.Members, shown)
	}
	return nil
}
