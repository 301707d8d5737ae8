// Makes elements; every text is set as text, never as markup.

export const by = (id) => document.getElementById(id);

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Say a text, and touch nothing where it stands already. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const drawn = new WeakMap();

/** Call `draw` where what an element is made from has changed. */
export function when(element, of, draw) {
  const key = JSON.stringify(of);
  if (drawn.get(element) === key) return;
  drawn.set(element, key);
  draw();
}

/** Fill a table: heads are texts; rows are lists of texts or elements; `words` columns are words. */
export function fill(table, heads, rows, { words = 1, caption = "" } = {}) {
  const kind = (at) => (at < words ? "word" : null);
  const cell = (content, at) =>
    content instanceof HTMLElement ? content : make(at === 0 ? "th" : "td", { class: kind(at), scope: at === 0 ? "row" : null }, content);
  table.replaceChildren(
    ...(caption ? [make("caption", {}, caption)] : []),
    make("thead", {}, make("tr", {}, ...heads.map((head, at) => (head instanceof HTMLElement ? head : make("th", { scope: "col", class: kind(at) }, head))))),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map(cell)))),
  );
}
