/* dom.js: making and updating elements. Text always goes in as text. */
'use strict';

const byId = (id) => document.getElementById(id);

/* make('p', {class: 'muted', onclick: f}, 'text', child…) */
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined)
      node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/* Touches the document only if something changes, so that a selection or a focus stays. */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/* Makes the children of `parent` those of `items`, [{key, …}], in order. Elements of keys that stay
 * are kept; create(item) makes one, update(element, item) brings it up to date. */
function reconcile(parent, items, key, create, update) {
  const before = new Map(Array.from(parent.children, (child) => [child.dataset.key, child]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    let child = before.get(name);
    before.delete(name);
    if (!child) {
      child = create(item);
      child.dataset.key = name;
    }
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
    update(child, item);
  }
  for (const gone of before.values()) gone.remove();
}

/* A box that scrolls sideways is reached by keyboard; one that doesn't is skipped. */
const scrollBoxes = new ResizeObserver((entries) => {
  for (const {target} of entries) {
    const box = target.closest('.scroll');
    if (box.scrollWidth > box.clientWidth) box.setAttribute('tabindex', '0');
    else box.removeAttribute('tabindex');
  }
});

function makeScrollBox(label, content) {
  const box = make(
    'div',
    {class: 'scroll', role: 'region', 'aria-label': `${label}: table`},
    content,
  );
  scrollBoxes.observe(box);
  scrollBoxes.observe(content);
  return box;
}

/* A table that is updated in place. Columns: {title, text: (row) => string, numeric, minor, wrap};
 * the first one heads its row; `minor` ones are left out where it is narrow. In place of `text`,
 * {node: (row) => element, refresh: (element, row)} makes an element once per row. With `detail`,
 * (row) => element, the first column is a button that opens it; `open` says to those who don't see
 * the row what the button does. `mark`, (row) => string, is the row's data-level. */
class LiveTable {
  constructor(parent, {caption, columns, key, detail, open, empty, mark}) {
    Object.assign(this, {columns, key, detail, open, mark});
    this.opened = new Map(); // key to the detail's row
    this.body = make('tbody');
    const heads = columns.map((column) =>
      make('th', {scope: 'col', class: classOfColumn(column)}, column.title),
    );
    this.table = make(
      'table',
      {},
      make('caption', {class: 'visually-hidden'}, caption),
      make('thead', {}, make('tr', {}, ...heads)),
      this.body,
    );
    this.box = makeScrollBox(caption, this.table);
    this.empty = make('p', {class: 'empty'}, empty ?? '');
    this.clear();
    parent.replaceChildren(this.box, this.empty);
  }

  update(rows) {
    this.box.hidden = rows.length === 0;
    this.empty.hidden = rows.length > 0;
    const shown = [];
    for (const row of rows) {
      const key = String(this.key(row));
      shown.push({key, row});
      if (this.opened.has(key)) shown.push({key: `${key} detail`, element: this.opened.get(key)});
    }
    reconcile(
      this.body,
      shown,
      (one) => one.key,
      (one) => one.element ?? this.createRow(one.row),
      (element, one) => one.element || this.updateRow(element, one.row),
    );
    this.rows = rows;
    const keys = new Set(shown.map((one) => one.key));
    for (const key of this.opened.keys()) if (!keys.has(key)) this.opened.delete(key);
  }

  createRow(row) {
    const cells = this.columns.map((column, index) => {
      const cell = make(index === 0 ? 'th' : 'td', {
        scope: index === 0 ? 'row' : null,
        class: classOfColumn(column),
      });
      if (index === 0 && this.detail) cell.append(this.makeOpener(row));
      else if (column.node) cell.append(column.node(row));
      return cell;
    });
    return make('tr', {}, ...cells);
  }

  makeOpener(row) {
    const opener = make('button', {class: 'opener', 'aria-expanded': 'false'});
    opener.append(make('span'), make('span', {class: 'visually-hidden'}, `, ${this.open}`));
    opener.addEventListener('click', () => this.toggle(String(this.key(row)), row, opener));
    return opener;
  }

  toggle(key, row, opener) {
    const opening = !this.opened.has(key);
    if (opening) {
      const cell = make('td', {colspan: this.columns.length}, this.detail(row));
      this.opened.set(key, make('tr', {class: 'detail'}, cell));
    } else {
      this.opened.get(key).remove();
      this.opened.delete(key);
    }
    opener.setAttribute('aria-expanded', String(opening));
    this.update(this.rows);
  }

  updateRow(element, row) {
    this.columns.forEach((column, index) => {
      const cell = element.children[index];
      if (index === 0 && this.detail) setText(cell.firstChild.firstChild, column.text(row));
      else if (!column.node) setText(cell, column.text(row));
      else column.refresh?.(cell.firstChild, row);
    });
    if (this.mark) setAttribute(element, 'data-level', this.mark(row) ?? '');
  }

  /* Nothing is known of its rows: there will be others, those of another query. */
  clear() {
    this.opened.clear();
    this.body.replaceChildren();
    this.rows = [];
    this.box.hidden = true;
    this.empty.hidden = true;
  }
}

function classOfColumn({numeric, minor, wrap}) {
  return [numeric && 'numeric', minor && 'minor', wrap && 'wrap'].filter(Boolean).join(' ') || null;
}

/* A bar next to a number, for the eye only: the number is in the row. */
function barColumn(title, share) {
  return {
    title,
    minor: true,
    node: () => make('span', {class: 'share', 'aria-hidden': 'true'}, make('span')),
    refresh: (node, row) => {
      node.firstChild.style.width = `${Math.min(100, 100 * share(row)).toFixed(1)}%`;
    },
  };
}

/* Names and what they stand for, [[name, text, whether it may be long]…]. */
function makeFacts(facts) {
  return make(
    'dl',
    {class: 'facts'},
    ...facts.map(([name, value, long]) =>
      make('div', {class: long ? 'long' : null}, make('dt', {}, name), make('dd', {}, value)),
    ),
  );
}
