package browser_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// pages serves HTML with a strict policy.
func pages(t *testing.T) (address string) {
	t.Helper()
	if testing.Short() {
		t.Skip("it needs a browser")
	}
	mux := http.NewServeMux()
	serve := func(path, body string) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", "default-src 'self'")
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprintf(w, `<!doctype html><html lang="en"><head><title>Test</title>
<meta name="viewport" content="width=device-width"><link rel="stylesheet" href="/style.css"></head>
<body><main><h1>Test</h1>%s</main></body></html>`, body)
		})
	}
	for path, body := range htmls {
		serve(path, body)
	}
	for path, script := range scripts {
		serve(path, `<div id="target"></div><script src="`+path+`.js"></script>`)
		mux.HandleFunc("GET "+path+".js", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			io.WriteString(w, script)
		})
	}
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		io.WriteString(w, stylesheet)
	})
	mux.HandleFunc("GET /broken", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) })
	mux.HandleFunc("GET /refused", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(422) })
	mux.HandleFunc("GET /cut", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("GET /never", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("POST /form", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><title>Answer</title><p>You wrote %q and chose %q on %q</p>`, r.FormValue("name"), r.FormValue("role"), r.FormValue("day"))
	})
	mux.HandleFunc("GET /cookie", func(w http.ResponseWriter, r *http.Request) {
		greeting := "You are new"
		if _, err := r.Cookie("been"); err == nil {
			greeting = "You were here"
		}
		http.SetCookie(w, &http.Cookie{Name: "been", Value: "here", SameSite: http.SameSiteStrictMode, HttpOnly: true})
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<!doctype html><title>Test</title><p>%s</p>", greeting)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

const stylesheet = `
:root { color-scheme: light dark }
@media (prefers-color-scheme: light) { .pale { color: #ddd; background: #fff } }
@media (prefers-color-scheme: dark) { .dark-pale { color: #333; background: #222 } }
.tiny { width: 12px; height: 12px; padding: 0; border: 0; display: inline-block }
.wide { width: 700px }
.scroll { overflow-x: auto; width: 300px }
.cover { position: fixed; inset: 0; background: #fff8 }
.far { margin-top: 3000px }
.gone { display: none }
li { list-style: none; height: 40px; width: 200px; user-select: none }
`

var htmls = map[string]string{
	"/clean":       `<p>All is well</p><p class="gone">Hidden words</p><button class="gone">Hidden</button>`,
	"/elsewhere":   `<img src="http://example.com/x.png" alt="x">`,
	"/inline":      `<p style="color: red">Red</p>`,
	"/script":      `<script>document.title = "x"</script>`,
	"/no-style":    `<link rel="stylesheet" href="/missing.css">`,
	"/no-image":    `<img src="/missing.png" alt="x">`,
	"/no-label":    `<input>`,
	"/jump":        `<h3>Third</h3>`,
	"/pale":        `<p class="pale">Pale</p>`,
	"/dark-pale":   `<p class="dark-pale">Pale in the dark</p>`,
	"/tiny":        `<button class="tiny">a</button><button class="tiny">b</button>`,
	"/wide":        `<p class="wide">Wide</p>`,
	"/wide-scroll": `<div class="scroll" tabindex="0" role="region" aria-label="Table"><p class="wide">Wide</p></div>`,
	"/no-viewport": `<meta name="viewport" content=""><p>Small</p>`,
	"/twins":       `<button>Save</button><button>Save</button>`,
	"/covered":     `<button>Save</button><div class="cover"></div>`,
	"/disabled":    `<button disabled>Save</button>`,
	"/form": `<form method="post" action="/form"><label>Name <input name="name" value="old"></label>
		<label>Role <select name="role"><option>Admin</option><option>Editor</option></select></label>
		<label>Day <input type="date" name="day"></label>
		<button class="far">Send</button></form>`,
	"/rows": `<table><caption>Roles</caption><tr><th>Name</th><th>Action</th></tr><tr><td>Admin</td><td><button>Delete</button></td></tr><tr><td>Editor</td><td><a href="/clean">Delete</a><button>Delete</button></td></tr></table>
		<noscript>Without scripts</noscript>`,
	"/check":   `<label><input type="checkbox"> Active</label>`,
	"/similar": `<ul><li>Editor <b>default</b></li><li><p>Editor</p>like others</li><li>Chief Editor</li><li>Owner <b>of all</b></li></ul>`,
	"/dialog":  `<button command="show-modal" commandfor="d">Open</button><dialog id="d" aria-label="Question"><button command="close" commandfor="d">Close</button></dialog>`,
}

// scripts are pages that run one.
var scripts = map[string]string{
	"/error":           `console.error("a message", 42)`,
	"/warning":         `console.warn("a warning")`,
	"/throw":           `throw new Error("nobody catches this")`,
	"/promise":         `Promise.reject(new Error("nobody awaits this"))`,
	"/eval":            `try { eval("1") } catch {}`,
	"/fetch":           `fetch("/broken")`,
	"/absent":          `fetch("/refused"); fetch("/absent")`,
	"/cutting":         `fetch("/cut").catch(() => {})`,
	"/waiting":         `document.querySelector("h1").onclick = () => fetch("/never")`,
	"/asking":          `setTimeout(() => document.body.append(confirm("Sure?") ? "It is sure" : "It is not"))`,
	"/later":           `setTimeout(() => { document.getElementById("target").innerHTML = "<p>Here at <b>last</b></p>" }, 300)`,
	"/list-by-mouse":   list + byMouse,
	"/list-by-browser": list + byBrowser,
	"/touch": `document.getElementById("target").innerHTML = "<button>Touch me</button>";
		document.querySelector("button").onclick = (e) => document.body.append("Touched with a " + (e.pointerType === "touch" ? "finger" : e.pointerType))`,
	"/style": `document.body.setAttribute("style", "color: red")`,
}

const list = `const list = document.createElement("ul");
for (const name of ["One", "Two", "Three"]) {
	const item = document.createElement("li");
	item.textContent = item.ariaLabel = name;
	list.append(item);
}
document.getElementById("target").append(list);
function place(item, y) {
	const after = [...list.children].filter((i) => i !== item).findLast((i) => {
		const box = i.getBoundingClientRect();
		return box.y + box.height / 2 < y;
	});
	after ? after.after(item) : list.prepend(item);
}
let held;
`

// byMouse looks only now and then at where the mouse is.
const byMouse = `let y;
list.onpointerdown = (e) => held = e.target;
document.onpointermove = (e) => y = e.clientY;
document.onpointerup = () => held = null;
setInterval(() => { if (held && y) place(held, y) }, 50)`

const byBrowser = `for (const item of list.children) item.draggable = true;
list.ondragstart = (e) => { held = e.target; e.dataTransfer.setData("text", held.textContent) };
list.ondragover = (e) => e.preventDefault();
list.ondrop = (e) => { e.preventDefault(); if (e.dataTransfer.getData("text") === held.textContent) place(held, e.clientY) }`
