/**
 * The emoji to react with, above the button that shows them. It stays for another one until it is closed.
 */

import { byId, make } from "./dom.js";
import { OFFERED } from "./emoji.js";

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

export class Palette {
  #root = byId("palette");
  #opener = byId("react");
  #items;

  /** @param {(text: string) => void} onChoose */
  constructor(onChoose) {
    this.#items = OFFERED.map(({ text, name }) => {
      const item = make("button", { type: "button", tabindex: "-1", "aria-label": name, title: name, text });
      item.addEventListener("click", () => {
        // Not every browser does so for a pointer, and the keys are heard from here.
        this.#focus(this.#items.indexOf(item));
        onChoose(text);
      });
      return item;
    });
    this.#root.append(...this.#items);
    this.#opener.addEventListener("click", () => this.toggle());
    this.#root.addEventListener("keydown", (event) => this.#key(event));
    this.#root.addEventListener("focusout", ({ relatedTarget: next }) => {
      if (next && !this.#isOurs(next)) this.close(false);
    });
    document.addEventListener("pointerdown", ({ target }) => {
      if (!this.#isOurs(target)) this.close(false);
    });
  }

  get open() {
    return !this.#root.hidden;
  }

  toggle() {
    if (this.open) return this.close();
    this.#root.hidden = false;
    this.#opener.setAttribute("aria-expanded", "true");
    this.#focus(Math.max(0, this.#items.findIndex((item) => item.getAttribute("tabindex") === "0")));
  }

  /** @param {boolean} [back]  whether the button has the focus again */
  close(back = true) {
    if (!this.open) return;
    const active = document.activeElement;
    // A press on the button may have taken the focus and given it to nobody.
    const inside = active === document.body || this.#root.contains(active);
    this.#opener.setAttribute("aria-expanded", "false");
    if (back && inside) this.#opener.focus();
    this.#root.hidden = true;
  }

  #isOurs(element) {
    return this.#root.contains(element) || this.#opener.contains(element);
  }

  #focus(index) {
    for (const item of this.#items) item.setAttribute("tabindex", item === this.#items[index] ? "0" : "-1");
    this.#items[index].focus();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    const last = this.#items.length - 1;
    const at = this.#items.indexOf(document.activeElement);
    if (STEPS[key]) this.#focus((at + STEPS[key] + last + 1) % (last + 1));
    else if (key === "Home" || key === "End") this.#focus(key === "Home" ? 0 : last);
    else if (key === "Escape" || key === "Tab") this.close();
    else if (key !== "Enter" || !event.repeat) return;
    // These are shortcuts of the meeting too.
    event.stopPropagation();
    if (key !== "Tab") event.preventDefault();
  }
}
