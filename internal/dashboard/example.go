package dashboard

import (
	"encoding/json"
	"strings"

	"github.com/rolecall/rolecall/internal/id"
)

// Call is a request to the API that does what a screen does.
type Call struct {
	What   string // in words
	Method string
	Path   string // with its query
	Body   any    // encoded as JSON; nil for none
	Node   string // the same with the official SDK; empty where the SDK lacks it
}

// authorizationPath is where the API has the roles of an organization, or of the environment where org is empty.
func authorizationPath(org id.Organization) string {
	if org == "" {
		return "/authorization"
	}
	return "/authorization/organizations/" + string(org)
}

// example adds a call to those that the page shows.
func (v *visit) example(calls ...Call) { v.calls = append(v.calls, calls...) }

// host is the address that the browser knows this server by.
func (v *visit) host() string {
	if v.secure() {
		return "https://" + v.Request.Host
	}
	return "http://" + v.Request.Host
}

// Curl is a call as a line for a terminal.
func (v *visit) Curl(c Call) string {
	var b strings.Builder
	b.WriteString("curl")
	if c.Method != "GET" {
		b.WriteString(" -X " + c.Method)
	}
	b.WriteString(" " + quoteShell(v.host()+c.Path) + " \\\n  -H \"Authorization: Bearer $ROLECALL_API_KEY\"")
	if c.Body != nil {
		b.WriteString(" \\\n  -H 'Content-Type: application/json' \\\n  -d " + quoteShell(encode(c.Body, "")))
	}
	return b.String()
}

// Script is a call as code for Node.
func (v *visit) Script(c Call) string {
	if c.Node != "" {
		return "await workos." + c.Node
	}
	var b strings.Builder
	b.WriteString("await fetch(" + encode(v.host()+c.Path, "") + ", {\n")
	if c.Method != "GET" {
		b.WriteString("  method: " + encode(c.Method, "") + ",\n")
	}
	b.WriteString("  headers: {\n    authorization: `Bearer ${process.env.ROLECALL_API_KEY}`,\n")
	if c.Body != nil {
		b.WriteString("    'content-type': 'application/json',\n")
	}
	b.WriteString("  },\n")
	if c.Body != nil {
		b.WriteString("  body: JSON.stringify(" + encode(c.Body, "  ") + "),\n")
	}
	b.WriteString("})")
	return b.String()
}

// sdk is a call of the SDK with one argument.
func sdk(method string, argument any) string { return method + "(" + encode(argument, "") + ")" }

func quoteShell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// encode is JSON for people: characters such as < stay themselves.
func encode(v any, indent string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if indent != "" {
		e.SetIndent(indent, "  ")
	}
	if err := e.Encode(v); err != nil {
		panic(err) // bodies are strings, lists and maps of them
	}
	return strings.TrimSuffix(b.String(), "\n")
}
