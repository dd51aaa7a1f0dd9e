// As much of a document as the tests of views need: elements with attributes, text, children and the focus. Each id that is
// asked for is there, in the body unless the test puts it elsewhere.

class FakeElement extends EventTarget {
  parent = null;
  children = [];
  attributes = new Map();
  dataset = {};
  style = { setProperty() {} };
  hidden = false;
  value = "";
  checked = false;
  #text = "";

  constructor(tag) {
    super();
    this.tag = tag;
  }

  get textContent() {
    return this.#text + this.children.map((each) => each.textContent).join("");
  }

  set textContent(text) {
    this.replaceChildren();
    this.#text = text;
  }

  get classList() {
    const names = () => (this.getAttribute("class") ?? "").split(" ").filter(Boolean);
    const set = (list) => this.setAttribute("class", list.join(" "));
    const add = (name) => set([...names(), name]);
    const toggle = (name, on) => set([...names().filter((each) => each !== name), ...(on ? [name] : [])]);
    const remove = (name) => toggle(name, false);
    return { add, remove, toggle, contains: (name) => names().includes(name) };
  }

  get isConnected() {
    return this === document.body || this.parent?.isConnected === true;
  }

  get firstElementChild() {
    return this.children[0] ?? null;
  }

  get lastElementChild() {
    return this.children.at(-1) ?? null;
  }

  get nextElementSibling() {
    return this.parent?.children[this.parent.children.indexOf(this) + 1] ?? null;
  }

  getAttribute(name) {
    return this.attributes.get(name) ?? null;
  }

  setAttribute(name, value) {
    this.attributes.set(name, String(value));
  }

  append(...nodes) {
    for (const node of nodes) this.insertBefore(typeof node === "string" ? textOf(node) : node, null);
  }

  insertBefore(node, before) {
    node.remove();
    node.parent = this;
    const at = before ? this.children.indexOf(before) : this.children.length;
    this.children.splice(at, 0, node);
  }

  replaceChildren(...nodes) {
    for (const each of [...this.children]) each.remove();
    this.append(...nodes);
  }

  remove() {
    if (this.contains(document.activeElement)) document.activeElement = document.body;
    if (this.parent) this.parent.children = this.parent.children.filter((each) => each !== this);
    this.parent = null;
  }

  contains(other) {
    for (let each = other; each; each = each.parent) if (each === this) return true;
    return false;
  }

  closest(selector) {
    const fits = selector === "[hidden]" ? (each) => each.hidden : (each) => each.tag === selector;
    for (let each = this; each; each = each.parent) if (fits(each)) return each;
    return null;
  }

  querySelector(tag) {
    for (const each of this.children) {
      const found = each.tag === tag ? each : each.querySelector(tag);
      if (found) return found;
    }
    return null;
  }

  querySelectorAll(tags) {
    const names = tags.split(", ");
    return this.children.flatMap((each) => [...(names.includes(each.tag) ? [each] : []), ...each.querySelectorAll(tags)]);
  }

  focus() {
    if (this.isConnected && !this.closest("[hidden]")) document.activeElement = this;
  }

  click() {
    this.dispatchEvent(new Event("click"));
  }
}

function textOf(words) {
  const node = new FakeElement("#text");
  node.textContent = words;
  return node;
}

const byId = new Map();

globalThis.document = Object.assign(new EventTarget(), {
  createElement: (tag) => new FakeElement(tag),
  createElementNS: (_, tag) => new FakeElement(tag),
  getElementById(id) {
    if (!byId.has(id)) {
      byId.set(id, new FakeElement("div"));
      document.body.append(byId.get(id));
    }
    return byId.get(id);
  },
});

/** Begins anew, with elements in elements: by id, the ids of what each has in it. */
export function lay(tree = {}) {
  byId.clear();
  document.body = new FakeElement("body");
  document.activeElement = document.body;
  for (const [id, inside] of Object.entries(tree)) {
    document.getElementById(id).append(...inside.map((each) => document.getElementById(each)));
  }
}
