// What pages gain where there is JavaScript: panels in a dialog, slugs that follow names, order by drag, copying.
// Every page works without it.
'use strict'

document.documentElement.classList.add('js')
const dialog = document.getElementById('dialog')
let opener = null
let panel = null // what the dialog shows
let putBack = null // what to do when a dialog is closed without an answer

// A panel that arrived opens the dialog; the page behind it stays.
document.addEventListener('htmx:after:swap', () => {
  const body = document.getElementById('dialog-body')
  if (!dialog || !body?.childElementCount) return
  if (!dialog.open) show(body)
  else if (body.firstElementChild !== panel) begin(body) // a refused form came back in place of the one that was sent
})

function show(body) {
  const heading = body.querySelector('h1')
  dialog.setAttribute('aria-label', heading ? heading.textContent : 'Dialog')
  dialog.showModal()
  begin(body)
}

// begin puts the focus where there is something to do first: at what is wrong, or at the first field.
function begin(body) {
  panel = body.firstElementChild
  const first = body.querySelector('[aria-invalid=true]') ?? body.querySelector('[autofocus]')
  if (first) first.focus()
  else if (!body.contains(document.activeElement)) dialog.querySelector('.close button').focus()
}

dialog?.addEventListener('close', () => {
  document.getElementById('dialog-body').replaceChildren()
  if (opener?.isConnected) {
    const menu = opener.closest('[popover]')
    if (menu) { // from within a menu, whose own way back leads to its button
      document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`)?.focus()
      menu.showPopover()
    }
    opener.focus()
  }
  opener = null
  putBack?.()
  putBack = null
})

// Esc closes a dialog, as all its ways out do, unless something was typed that would be lost.
dialog?.addEventListener('cancel', (event) => {
  if (event.target === dialog && !leaves()) event.preventDefault()
})

function leaves() {
  const typed = [...dialog.querySelectorAll('form[method=post]')].some(unsaved)
  return !typed || confirm('Close without saving what you typed?')
}

// unsaved says whether leaving a form would lose what was typed into it, or what was typed and then refused.
function unsaved(form) {
  if (form.dataset.sent) return false
  if (form.querySelector('[aria-invalid=true]')) return true
  return [...form.elements].some((field) => field.name && field.matches('input:not([type=hidden], [readonly]), textarea, select') &&
    (field.options ? chosenByHand(field) : field.value !== field.defaultValue || field.checked !== field.defaultChecked))
}

function chosenByHand(select) {
  const first = [...select.options].find((o) => o.defaultSelected) ?? select.options[0]
  return !!first && select.value !== first.value
}

document.addEventListener('click', (event) => {
  const at = event.target.closest?.('[data-panel], [data-close], [data-copy], [data-move]')
  if (!at) return
  if (at.matches('[data-panel]') && !dialog?.open) opener = at
  if (at.matches('[data-close]') && dialog?.open) {
    event.preventDefault()
    event.stopPropagation()
    if (leaves()) dialog.close()
  }
  if (at.matches('[data-copy]')) copy(at.dataset.copy)
  if (at.matches('[data-move]') && move(at)) event.preventDefault()
}, true)

async function copy(id) {
  const text = document.getElementById(id).textContent
  try {
    await navigator.clipboard.writeText(text)
    toast('Copied')
  } catch {
    getSelection().selectAllChildren(document.getElementById(id))
    toast('Selected; copy it with the keyboard')
  }
}

let hiding
function toast(text, undo) {
  const box = document.getElementById('toast')
  if (!box) return
  box.textContent = text
  if (undo) {
    const button = document.createElement('button')
    button.className = 'button small'
    button.textContent = 'Undo'
    button.addEventListener('click', () => { box.hidePopover?.(); undo() })
    box.append(' ', button)
  }
  box.hidePopover?.()
  box.showPopover?.()
  clearTimeout(hiding)
  hiding = setTimeout(() => box.hidePopover?.(), undo ? 15000 : 2500)
}

// A field with data-slug-of follows the named field until somebody types into it.
document.addEventListener('input', (event) => {
  const typed = event.target
  if (typed.matches('[data-slug-of]')) typed.dataset.own = typed.value ? 'yes' : ''
  for (const slug of document.querySelectorAll(`[data-slug-of="${CSS.escape(typed.id)}"]`)) {
    if (!slug.dataset.own) slug.value = slugOf(typed.value, slug.maxLength)
  }
  for (const slug of document.querySelectorAll('[data-taken]')) taken(slug)
  if (typed.maxLength > 0) room(typed)
  if (typed.matches('[data-filter], [data-only]')) filter(document.getElementById(typed.dataset.filter ?? typed.dataset.only))
})

// A field with data-taken says, before it is sent, that its slug belongs to something else.
function taken(slug) {
  const other = slug.value && slug.dataset.taken.split(' ').includes(slug.value)
  const told = other ? `Another role here has the slug ${slug.value}.` : ''
  const box = document.getElementById(slug.dataset.takenIn)
  if (box.textContent === told) return
  box.textContent = told
  slug.toggleAttribute('aria-invalid', other)
  if (other) slug.setAttribute('aria-invalid', 'true')
}

// room says how much of its length a field has used, once there is little left.
function room(field) {
  const label = field.labels?.[0]
  if (!label || !field.closest('.field')) return
  const told = label.querySelector('.room') ?? label.appendChild(document.createElement('span'))
  told.className = 'room muted'
  told.ariaHidden = 'true'
  told.textContent = field.value.length > field.maxLength * 0.7 ? ` ${field.value.length} of ${field.maxLength}` : ''
}

function slugOf(name, max) {
  const plain = name.normalize('NFKD').replace(/[\u0300-\u036f]/g, '').toLowerCase()
  const slug = plain.replace(/[^a-z0-9]+/g, '-').replace(/^-+/, '')
  return (max > 0 ? slug.slice(0, max) : slug).replace(/-+$/, '')
}

// A field with data-filter hides the choices of a list that do not contain what is typed, and one with data-only those
// that are not chosen, or not changed.
function filter(list) {
  const wanted = document.querySelector(`[data-filter="${list.id}"]`)?.value.trim().toLowerCase() ?? ''
  const only = document.querySelector(`[data-only="${list.id}"]`)?.value
  for (const choice of list.querySelectorAll('.choice')) {
    const box = choice.querySelector('input')
    const shown = !only || (only === 'chosen' ? box.checked : box.checked !== box.defaultChecked)
    choice.hidden = !shown || (wanted !== '' && !choice.textContent.toLowerCase().includes(wanted))
  }
  for (const group of list.querySelectorAll('[data-choices]')) group.hidden = !group.querySelector('.choice:not([hidden])')
}

// The box of a group of choices is ticked with all of them, and halfway with some; it ticks those that are shown.
document.addEventListener('change', (event) => {
  const group = event.target.closest?.('[data-choices]')
  if (!group) return
  if (event.target.matches('[data-all]')) {
    for (const box of group.querySelectorAll('.choice:not([hidden]) input')) box.checked = event.target.checked
  }
  tally(group)
})

function tally(group) {
  const boxes = [...group.querySelectorAll('.choice input')]
  const chosen = boxes.filter((box) => box.checked).length
  const all = group.querySelector('[data-all]')
  all.checked = chosen === boxes.length
  all.indeterminate = chosen > 0 && chosen < boxes.length
  group.querySelector('[data-tally]').textContent = `${chosen} of ${boxes.length}`
  const list = group.closest('.choices')
  const every = list.querySelectorAll('.choice input')
  const total = document.querySelector(`[data-total="${list.id}"]`)
  if (total) total.textContent = `${list.querySelectorAll('.choice input:checked').length} of ${every.length} chosen`
}

// A list with data-sort is put in order by drag, or by its up and down buttons, and sent when it changed.
function sortable(root) {
  for (const list of root.querySelectorAll('[data-sort]')) {
    if (list.dataset.ready) continue
    list.dataset.ready = 'yes'
    list.dataset.order = [...list.children].map((row) => row.dataset.id).join(' ')
    if (window.Sortable) Sortable.create(list, { handle: '.handle', animation: 120, onEnd: () => send(list) })
  }
}

function move(button) {
  const row = button.closest('[data-sort] > *')
  if (!row) return false
  const up = button.dataset.move === 'up'
  const other = up ? row.previousElementSibling : row.nextElementSibling
  if (!other) return true
  up ? other.before(row) : other.after(row)
  button.focus()
  send(row.parentElement)
  return true
}

async function send(list) {
  const form = document.getElementById(list.dataset.sort)
  const before = list.dataset.order.split(' ')
  const fields = new URLSearchParams()
  for (const row of list.children) fields.append('role', row.dataset.id)
  ends(list)
  const answer = await fetch(form.action, { method: 'POST', body: fields, headers: { 'HX-Request': 'true' } })
  const text = await answer.text()
  if (answer.ok && !text) {
    list.dataset.order = fields.getAll('role').join(' ')
    toast('The new order holds', () => { arrange(list, before); send(list) })
    return
  }
  const page = new DOMParser().parseFromString(text, 'text/html')
  if (answer.ok) { // somebody would lose something by it: asked first
    const moved = document.activeElement
    document.getElementById('toast').hidePopover()
    putBack = () => { arrange(list, before); if (list.contains(moved)) moved.focus() }
    const body = document.getElementById('dialog-body')
    body.replaceChildren(...page.getElementById('panel').children)
    htmx.process(body)
    show(body)
    return
  }
  toast(page.querySelector('[role=alert]')?.textContent.trim().replace(/\s+/g, ' ') || 'The order was not saved')
  setTimeout(() => location.reload(), 2500)
}

// arrange puts the rows of a list back into an order.
function arrange(list, order) {
  list.append(...order.map((id) => [...list.children].find((row) => row.dataset.id === id)).filter(Boolean))
  ends(list)
}

// ends keeps the first from going up and the last from going down.
function ends(list) {
  const rows = [...list.children]
  rows.forEach((row, i) => {
    const focused = document.activeElement
    const up = row.querySelector('[data-move=up]')
    const down = row.querySelector('[data-move=down]')
    if (up) up.disabled = i === 0
    if (down) down.disabled = i === rows.length - 1
    if (focused?.disabled && row.contains(focused)) (up?.disabled ? down : up)?.focus()
    const place = row.querySelector('[data-place]')
    if (place) place.textContent = i + 1
  })
}

// A table with data-grid is one stop for the Tab key; arrows lead from box to box.
function grid(root) {
  for (const table of root.querySelectorAll('table[data-grid]')) {
    const boxes = [...table.querySelectorAll('input[type=checkbox]')]
    if (table.dataset.ready || !boxes.length) continue
    table.dataset.ready = 'yes'
    boxes.forEach((box, i) => { box.tabIndex = i ? -1 : 0 })
  }
}

document.addEventListener('focusin', (event) => {
  const table = event.target.matches('input[type=checkbox]') && event.target.closest('table[data-grid]')
  if (!table) return
  for (const box of table.querySelectorAll('input[tabindex="0"]')) box.tabIndex = -1
  event.target.tabIndex = 0
})

document.addEventListener('keydown', (event) => {
  const way = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -Infinity], End: [0, Infinity] }[event.key]
  const cell = way && event.target.matches('input[type=checkbox]') && event.target.closest('table[data-grid] td')
  if (!cell || event.ctrlKey || event.altKey || event.metaKey) return
  event.preventDefault()
  const [down, right] = way
  const rows = [...cell.closest('table').rows]
  const step = Math.sign(down || right)
  const place = (i) => (down ? rows[i]?.cells[cell.cellIndex] : cell.parentElement.cells[i])
  let at = down ? rows.indexOf(cell.parentElement) : cell.cellIndex
  let found
  for (at += step; place(at) || (down && rows[at]); at += step) {
    const box = place(at)?.querySelector('input[type=checkbox]')
    if (box) found = box
    if (box && Math.abs(right) !== Infinity) break
  }
  found?.focus()
})

// A form with data-unsaved counts its changed boxes, and leaving it with some asks first.
document.addEventListener('change', (event) => {
  const form = event.target.closest?.('form[data-unsaved]')
  if (!form || event.target.type !== 'checkbox') return
  const cell = event.target.closest('td')
  cell?.classList.toggle('changed', event.target.checked !== cell.classList.contains('was'))
  counted(form)
})

function counted(form) {
  const changes = form.querySelectorAll('td.changed').length
  form.dataset.unsaved = changes ? 'yes' : ''
  const told = form.querySelector('[data-changes]')
  if (told) told.textContent = changes === 1 ? '1 change, not saved yet.' : changes ? `${changes} changes, not saved yet.` : 'No change yet.'
}

document.addEventListener('submit', (event) => {
  event.target.dataset.sent = 'yes'
  if (event.target.matches('form[data-unsaved]')) event.target.dataset.unsaved = ''
})

window.addEventListener('beforeunload', (event) => {
  const kept = [...document.querySelectorAll('form[data-unsaved=yes], form[data-keep]')]
  if (kept.some((form) => form.dataset.unsaved || (form.matches('[data-keep]') && unsaved(form)))) event.preventDefault()
})

// A button with data-waits waits until everything that its form foresees is there.
function waits(root) {
  for (const button of root.querySelectorAll('button[data-waits]')) button.disabled = !!button.form.querySelector('[data-late]')
}

function ready(root) {
  for (const group of root.querySelectorAll('[data-choices]')) tally(group)
  for (const slug of root.querySelectorAll('[data-slug-of]')) {
    const name = document.getElementById(slug.dataset.slugOf)
    if (!slug.value && name?.value && !slug.dataset.own) slug.value = slugOf(name.value, slug.maxLength)
  }
  sortable(root)
  grid(root)
  waits(root)
}
document.addEventListener('htmx:after:swap', () => ready(document))
ready(document)

// What a form foresees takes the place of its buttons too. A button that is being pressed just then stays, or the click
// on it would be lost.
let pressed = null
document.addEventListener('pointerdown', (event) => { pressed = event.target.closest?.('button') }, true)
for (const end of ['pointerup', 'pointercancel']) document.addEventListener(end, () => setTimeout(() => { pressed = null }), true)
document.addEventListener('htmx:before:swap', (event) => {
  if (pressed && event.detail.ctx.target?.contains?.(pressed)) event.preventDefault()
})
