package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/rolecall/rolecall/internal/event"
	"github.com/rolecall/rolecall/internal/id"
)

// happened is an event in words.
type happened struct {
	event.Event
	What         string // "Custom role changed"
	Of           string // the name of what it happened to
	Organization string // its name; empty when it is gone or none is concerned
	Actor        *event.Actor
	Changes      []attribute // of an update
	data         []member
}

// member is one attribute of a JSON object.
type member struct {
	Name  string
	Value any
}

// attribute is an attribute before and after an event. Every value is a list of texts, most of one.
type attribute struct {
	Name          string
	Before, After []difference
}

// difference is one text of a value; Differs says that the other side lacks it.
type difference struct {
	Text    string
	Differs bool
}

// Gone is what an attribute lost.
func (a attribute) Gone() []difference { return differing(a.Before) }

// New is what an attribute gained.
func (a attribute) New() []difference { return differing(a.After) }

func differing(all []difference) []difference {
	return slices.DeleteFunc(slices.Clone(all), func(d difference) bool { return !d.Differs })
}

var nouns = map[string]string{
	"permission": "Permission", "role": "Environment role", "organization_role": "Custom role", "organization": "Organization",
	"user": "User", "organization_membership": "Membership", "group": "Group", "webhook_endpoint": "Webhook",
}

// nounOf is what the first part of an event's name means.
func nounOf(part string) string {
	if noun, ok := nouns[part]; ok {
		return noun
	}
	return strings.ToUpper(part[:min(1, len(part))]) + strings.ReplaceAll(part[min(1, len(part)):], "_", " ")
}

// inWords is an event's name as a person says it.
func inWords(t event.Type) string {
	switch t {
	case event.GroupMemberAdded:
		return "Member added to a group"
	case event.GroupMemberRemoved:
		return "Member removed from a group"
	case event.WebhookEndpointDisabled:
		return "Webhook disabled because of its failures"
	}
	noun, verb, _ := strings.Cut(string(t), ".")
	if verb == "updated" {
		verb = "changed"
	}
	return nounOf(noun) + " " + strings.ReplaceAll(verb, "_", " ")
}

// told puts an event in words.
func (f *finder) told(e event.Event) (happened, error) {
	h := happened{Event: e, What: inWords(e.Type)}
	var context event.Context
	if err := json.Unmarshal(e.Context, &context); err != nil {
		return h, fmt.Errorf("reading the context of an event: %w", err)
	}
	h.Actor = context.Actor
	var err error
	if h.data, err = members(e.Data); err != nil {
		return h, fmt.Errorf("reading the data of an event: %w", err)
	}
	if h.Organization, err = f.organization(e.Organization); err != nil {
		return h, err
	}
	for _, m := range h.data {
		if before, changed := context.Previous[m.Name]; changed {
			h.Changes = append(h.Changes, compare(m.Name, texts(before), texts(m.Value)))
		}
	}
	h.Of, err = f.of(h.data)
	return h, err
}

// of is what an event is about, by the best name that its data has.
func (f *finder) of(data []member) (string, error) {
	for _, name := range []string{"name", "email", "slug", "endpoint_url", "user_id", "organization_membership_id", "id"} {
		at := slices.IndexFunc(data, func(m member) bool { return m.Name == name })
		if at < 0 {
			continue
		}
		text, _ := data[at].Value.(string)
		if name == "user_id" {
			email, err := f.user(id.User(text))
			if err != nil || email != "" {
				return email, err
			}
		}
		if text != "" {
			return text, nil
		}
	}
	return "", nil
}

// compared is an event with both its sides.
func (f *finder) compared(e event.Event) (oneEvent, error) {
	h, err := f.told(e)
	if err != nil {
		return oneEvent{}, err
	}
	encoded, err := event.Encode(e.Envelope())
	if err != nil {
		return oneEvent{}, err
	}
	var raw bytes.Buffer
	if err := json.Indent(&raw, encoded, "", "  "); err != nil {
		return oneEvent{}, fmt.Errorf("indenting an event: %w", err)
	}
	shown := oneEvent{happened: h, Changed: h.Changes, Raw: raw.String()}
	gone := e.Type == event.GroupMemberRemoved || strings.HasSuffix(string(e.Type), ".deleted")
	updated := strings.HasSuffix(string(e.Type), ".updated")
	shown.Before, shown.After = updated || gone, !gone
	for _, m := range h.data {
		all := texts(m.Value)
		switch {
		case gone:
			shown.Changed = append(shown.Changed, compare(m.Name, all, nil))
		case !updated:
			shown.Changed = append(shown.Changed, compare(m.Name, nil, all))
		case !slices.ContainsFunc(h.Changes, func(a attribute) bool { return a.Name == m.Name }):
			shown.Unchanged = append(shown.Unchanged, compare(m.Name, all, all))
		}
	}
	return shown, nil
}

func compare(name string, before, after []string) attribute {
	side := func(mine, other []string) []difference {
		var all []difference
		for _, text := range mine {
			all = append(all, difference{text, !slices.Contains(other, text)})
		}
		return all
	}
	return attribute{Name: name, Before: side(before, after), After: side(after, before)}
}

// members reads a JSON object in the order in which it is written.
func members(object json.RawMessage) ([]member, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var all []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := member{Name: fmt.Sprint(name)}
		if err := d.Decode(&m.Value); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// texts is a value of JSON as a person reads it: the items of a list, the entries of an object, or the value itself.
func texts(value any) []string {
	switch x := value.(type) {
	case nil:
		return []string{"none"}
	case string:
		return []string{x}
	case []any:
		all := []string{}
		for _, item := range x {
			if o, ok := item.(map[string]any); ok && len(o) == 1 && o["slug"] != nil {
				item = o["slug"]
			}
			all = append(all, plainly(item))
		}
		return all
	case map[string]any:
		if slug, ok := x["slug"].(string); ok && len(x) == 1 {
			return []string{slug}
		}
		all := []string{}
		for key, item := range x {
			all = append(all, key+": "+plainly(item))
		}
		slices.Sort(all)
		return all
	}
	return []string{plainly(value)}
}

func plainly(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	return encode(value, "")
}
