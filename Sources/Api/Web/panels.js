/**
 * The panels beside the grid, of which one is open at a time.
 */

import { byId } from "./dom.js";

/** Ids: the panel, the button that shows and hides it, the one that closes it, and what gets the focus. */
const PARTS = {
  people: { panel: "panel", button: "show-people", close: "panel-close", focus: "panel-title" },
  chat: { panel: "chat-panel", button: "show-chat", close: "chat-close", focus: "chat-title" },
  polls: { panel: "polls-panel", button: "show-polls", close: "polls-close", focus: "polls-title" },
  questions: { panel: "questions-panel", button: "show-questions", close: "questions-close", focus: "questions-title" },
};

export class Panels {
  #onOpen;
  #changed;
  /** Has the focus again when the panel is closed. @type {Element|null} */
  #opener = null;

  /**
   * @param {{[name: string]: () => string|void}} onOpen  called when a panel is in view; may say what gets the focus
   * @param {() => void} changed
   */
  constructor(onOpen, changed) {
    this.#onOpen = onOpen;
    this.#changed = changed;
    for (const [name, { panel, button, close }] of Object.entries(PARTS)) {
      byId(button).addEventListener("click", () => this.toggle(name));
      byId(close).addEventListener("click", () => this.close());
      byId(panel).addEventListener("keydown", (event) => {
        if (event.key === "Escape" && !event.defaultPrevented && !event.isComposing) this.close();
      });
    }
  }

  /** The name of the open one, undefined where there is none. */
  get #open() {
    return Object.keys(PARTS).find((name) => !byId(PARTS[name].panel).hidden);
  }

  toggle(name) {
    if (this.#open === name) return this.close();
    const { panel, button, focus } = PARTS[name];
    const active = document.activeElement;
    this.#hide();
    this.#opener = active && active !== document.body && byId("meeting-view").contains(active) ? active : byId(button);
    byId(panel).hidden = false;
    byId(button).setAttribute("aria-expanded", "true");
    byId(this.#onOpen[name]() ?? focus).focus();
    this.#changed();
  }

  /** Closes the open one, and gives the focus back. */
  close() {
    const name = this.#open;
    if (!name) return;
    this.#hide();
    if (this.#opener?.isConnected) this.#opener.focus();
    if (document.activeElement !== this.#opener) byId(PARTS[name].button).focus();
    this.#changed();
  }

  #hide() {
    for (const { panel, button } of Object.values(PARTS)) {
      byId(panel).hidden = true;
      byId(button).setAttribute("aria-expanded", "false");
    }
  }
}
