// What pages gain where there is JavaScript: panels in a dialog, slugs that follow names, order by drag, copying.
// Every page works without it.
'use strict'

document.documentElement.classList.add('js')
const dialog = document.getElementById('dialog')
let opener = null

// A panel that arrived opens the dialog; the page behind it stays.
document.addEventListener('htmx:after:swap', () => {
  const body = document.getElementById('dialog-body')
  if (!dialog || !body || !body.childElementCount || dialog.open) return
  const heading = body.querySelector('h1')
  dialog.setAttribute('aria-label', heading ? heading.textContent : 'Dialog')
  dialog.showModal()
  const first = body.querySelector('[autofocus], [aria-invalid]')
  if (first) first.focus()
})

dialog?.addEventListener('close', () => {
  document.getElementById('dialog-body').replaceChildren()
  if (opener?.isConnected) opener.focus()
  opener = null
})

document.addEventListener('click', (event) => {
  const at = event.target.closest?.('[data-panel], [data-close], [data-copy], [data-move]')
  if (!at) return
  if (at.matches('[data-panel]') && !dialog?.open) opener = at
  if (at.matches('[data-close]') && dialog?.open) {
    event.preventDefault()
    event.stopPropagation()
    dialog.close()
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
function toast(text) {
  const box = document.getElementById('toast')
  if (!box) return
  box.textContent = text
  box.hidePopover?.()
  box.showPopover?.()
  clearTimeout(hiding)
  hiding = setTimeout(() => box.hidePopover?.(), 2500)
}

// A field with data-slug-of follows the named field until somebody types into it.
document.addEventListener('input', (event) => {
  const typed = event.target
  if (typed.matches('[data-slug-of]')) typed.dataset.own = typed.value ? 'yes' : ''
  for (const slug of document.querySelectorAll(`[data-slug-of="${CSS.escape(typed.id)}"]`)) {
    if (!slug.dataset.own) slug.value = slugOf(typed.value, slug.maxLength)
  }
  if (typed.matches('[data-filter]')) filter(typed)
})

function slugOf(name, max) {
  const plain = name.normalize('NFKD').replace(/[\u0300-\u036f]/g, '').toLowerCase()
  const slug = plain.replace(/[^a-z0-9]+/g, '-').replace(/^-+/, '')
  return (max > 0 ? slug.slice(0, max) : slug).replace(/-+$/, '')
}

// A field with data-filter hides the choices of a list that do not contain what is typed.
function filter(typed) {
  const wanted = typed.value.trim().toLowerCase()
  for (const choice of document.getElementById(typed.dataset.filter).querySelectorAll('.choice')) {
    choice.hidden = wanted !== '' && !choice.textContent.toLowerCase().includes(wanted)
  }
}

// A list with data-sort is put in order by drag, or by its up and down buttons, and sent when it changed.
function sortable(root) {
  for (const list of root.querySelectorAll('[data-sort]')) {
    if (list.dataset.ready) continue
    list.dataset.ready = 'yes'
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
  const fields = new URLSearchParams()
  for (const row of list.children) fields.append('role', row.dataset.id)
  const answer = await fetch(form.action, { method: 'POST', body: fields, headers: { 'HX-Request': 'true' } })
  if (answer.ok) {
    toast('The new order holds')
    ends(list)
    return
  }
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  toast(page.querySelector('[role=alert]')?.textContent.trim().replace(/\s+/g, ' ') || 'The order was not saved')
  setTimeout(() => location.reload(), 2500)
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
  const form = event.target.closest('form[data-unsaved]')
  if (form) form.dataset.unsaved = ''
})

window.addEventListener('beforeunload', (event) => {
  if (document.querySelector('form[data-unsaved="yes"]')) event.preventDefault()
})

// A button with data-waits waits until everything that its form foresees is there.
function waits(root) {
  for (const button of root.querySelectorAll('button[data-waits]')) button.disabled = !!button.form.querySelector('[data-late]')
}

function ready(root) {
  sortable(root)
  grid(root)
  waits(root)
}
document.addEventListener('htmx:after:swap', () => ready(document))
ready(document)
