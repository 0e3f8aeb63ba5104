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
  const at = event.target.closest?.('[data-panel], [data-close], [data-copy], [data-move], [data-check]')
  if (!at) return
  if (at.matches('[data-panel]') && !dialog?.open) opener = at
  if (at.matches('[data-close]') && dialog?.open) {
    event.preventDefault()
    event.stopPropagation()
    dialog.close()
  }
  if (at.matches('[data-copy]')) copy(at.dataset.copy)
  if (at.matches('[data-move]') && move(at)) event.preventDefault()
  if (at.matches('[data-check]')) {
    const on = at.dataset.check === 'all'
    for (const box of at.closest('fieldset, form').querySelectorAll('input[type=checkbox]:not(:disabled)')) {
      if (box.checked === on || box.closest('[hidden]')) continue
      box.checked = on
      box.dispatchEvent(new Event('change', { bubbles: true }))
    }
  }
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

function ready(root) { sortable(root) }
document.addEventListener('htmx:after:swap', () => ready(document))
ready(document)
