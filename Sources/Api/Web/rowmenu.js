/**
 * The menu of a person in the list: one at a time, beside the button that opened it.
 */

import { byId, make, setText } from "./dom.js";

const GAP_PX = 4;
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

export class RowMenu {
  #menu = byId("row-menu");
  #act;
  #opener = null;
  /** Of whom it is. */
  #id = null;
  #actions = [];

  /** @param {(id: string, action: import("./permissions.js").Action) => void} act  something was chosen */
  constructor(act) {
    this.#act = act;
    this.#menu.addEventListener("keydown", (event) => this.#key(event));
    this.#menu.addEventListener("focusout", ({ relatedTarget: next }) => {
      if (next && next !== this.#opener && !this.#menu.contains(next)) this.close(false);
    });
    document.addEventListener("pointerdown", ({ target }) => {
      if (!this.#menu.contains(target) && !this.#opener?.contains(target)) this.close(false);
    });
    byId("panel").addEventListener("scroll", () => this.#follow(), { capture: true, passive: true });
    window.addEventListener("resize", () => this.#follow());
  }

  /** Shows it, or hides the one of the same person. */
  toggle(opener, { id, name }, actions) {
    if (this.#id === id) return this.close();
    this.close(false);
    this.#opener = opener;
    this.#id = id;
    this.#menu.setAttribute("aria-label", `Actions for ${name}`);
    this.#actions = actions;
    this.#menu.append(...actions.map((_, index) => this.#item(index)));
    this.#relabel();
    this.#menu.hidden = false;
    opener.setAttribute("aria-expanded", "true");
    this.#place();
    this.#items[0]?.focus();
  }

  /**
   * Somebody is otherwise than before. Each line stays in its place, as a pointer may be on its way there; what does not
   * apply any more cannot be chosen.
   *
   * @param {import("./permissions.js").Action[]} actions  none: they left, or we are no host any more
   */
  refresh(actions) {
    if (!this.#id) return;
    if (actions.length === 0) return this.close();
    this.#actions = this.#actions.map((old) => actions.find(({ key }) => key === old.key) ?? { ...old, over: true });
    this.#relabel();
    this.#follow();
  }

  /** Of whom it is; null while none is shown. */
  get id() {
    return this.#id;
  }

  /** @param {boolean} [back]  whether the button has the focus again */
  close(back = true) {
    if (!this.#id) return;
    const inside = this.#menu.contains(document.activeElement);
    this.#opener.setAttribute("aria-expanded", "false");
    if (back && inside) (this.#opener.isConnected && !this.#opener.hidden ? this.#opener : byId("panel-title")).focus();
    this.#menu.hidden = true;
    this.#menu.replaceChildren();
    this.#id = this.#opener = null;
    this.#actions = [];
  }

  get #items() {
    return [...this.#menu.children];
  }

  #item(index) {
    const item = make("button", { type: "button", role: "menuitem", tabindex: "-1" });
    item.addEventListener("click", () => this.#choose(index));
    return item;
  }

  #relabel() {
    this.#actions.forEach(({ key, label, confirm, over = false }, index) => {
      const item = this.#items[index];
      setText(item, confirm ? `${label}…` : label);
      item.classList.toggle("risky", key === "remove");
      item.setAttribute("aria-disabled", String(over));
    });
  }

  #choose(index) {
    const [id, action] = [this.#id, this.#actions[index]];
    if (action.over) return;
    this.close();
    this.#act(id, action);
  }

  /** Stays beside the button while that is in view. */
  #follow() {
    if (!this.#id) return;
    const { top, bottom } = this.#opener.getBoundingClientRect();
    const panel = byId("panel").getBoundingClientRect();
    if (bottom < panel.top || top > panel.bottom) this.close();
    else this.#place();
  }

  /** Below the button, or above it where there is no room. */
  #place() {
    const { top, bottom, right } = this.#opener.getBoundingClientRect();
    const { offsetHeight: height, offsetWidth: width, style } = this.#menu;
    const below = bottom + GAP_PX + height <= innerHeight - GAP_PX;
    style.left = `${Math.max(GAP_PX, right - width)}px`;
    style.top = `${below ? bottom + GAP_PX : Math.max(GAP_PX, top - GAP_PX - height)}px`;
  }

  #key(event) {
    // No shortcut of the meeting, and nothing that closes the panel.
    if (!event.ctrlKey && !event.metaKey && !event.altKey) event.stopPropagation();
    const items = this.#items;
    const at = items.indexOf(document.activeElement);
    const { key } = event;
    if (STEPS[key]) items[(at + STEPS[key] + items.length) % items.length].focus();
    else if (key === "Home") items[0].focus();
    else if (key === "End") items.at(-1).focus();
    else if (key === "Escape" || key === "Tab") this.close();
    else return;
    if (key !== "Tab") event.preventDefault();
  }
}
