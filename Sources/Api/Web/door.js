/**
 * Who waits to be let in, for hosts: a list above the people, a number at the button of the panel, and a notice.
 */

import { Bell, waitWords } from "./bell.js";
import { byId, make, setText } from "./dom.js";
import { explainPower } from "./errors.js";
import { Notices, announce, say } from "./notices.js";
import { Throttle } from "./throttle.js";

/** How many are shown; the others come up as these are answered. */
const MOST_ROWS = 100;
const DRAW_DELAY_MS = 100;
const NOTICE = "waiters";

export class Door {
  #call = null;
  #onShow;
  #changed;
  #bell = null;
  #notices = new Notices();
  /** By id: {element, name, admit, deny}. */
  #rows = new Map();
  /** Ids of those who were answered, while the server has not said what came of it. */
  #answered = new Set();
  #drawing = new Throttle(DRAW_DELAY_MS, () => this.#draw());
  #onChange = () => this.#drawing.call();

  /**
   * @param {{onShow: () => void, changed: () => void}} hooks  onShow: brings the panel into view; changed: `count` is
   *   another
   */
  constructor({ onShow, changed }) {
    this.#onShow = onShow;
    this.#changed = changed;
    byId("admit-all").addEventListener("click", () => this.#admitAll());
  }

  /** How many wait for us to let them in. */
  get count() {
    return this.#call?.controls ? this.#call.waiters.size : 0;
  }

  /** @param {import("./call.js").Call} call  that has just been joined */
  open(call) {
    this.#call = call;
    call.waiters.addEventListener("change", this.#onChange);
    call.addEventListener("role", this.#onChange);
    this.#bell = new Bell(call.waiters, (words) => this.#ring(words));
    this.#draw();
  }

  close() {
    this.#bell?.close();
    this.#call?.waiters.removeEventListener("change", this.#onChange);
    this.#call?.removeEventListener("role", this.#onChange);
    this.#call = this.#bell = null;
    this.#drawing.cancel();
    this.#answered.clear();
    this.#draw();
  }

  /** The list is in view now. */
  seen() {
    this.#notices.hide(NOTICE);
  }

  /** A notice stays as it is until it is answered, so that many who come do not flicker. */
  #ring(words) {
    if (!this.count) return;
    announce(words);
    if (!byId("panel").hidden || this.#notices.has(NOTICE)) return;
    const show = () => {
      this.#onShow();
      byId("waiters-title").focus();
    };
    const actions = [{ label: "Show", run: show }, { label: "Not now", run: () => this.seen() }];
    const text = { title: waitWords(this.#call.waiters), detail: "You let them in from the list of people." };
    this.#notices.show(NOTICE, text, { actions, calm: true, quiet: true, icon: "people" });
  }

  #draw() {
    const { count } = this;
    const section = byId("waiters");
    const inside = section.contains(document.activeElement);
    byId("wait-count").hidden = section.hidden = count === 0;
    setText(byId("wait-count"), count > 99 ? "99+" : String(count));
    setText(byId("waiters-title"), count === 1 ? "1 waits to be let in" : `${count} wait to be let in`);
    byId("admit-all").hidden = count < 2;
    byId("waiters-more").hidden = count <= MOST_ROWS;
    setText(byId("waiters-more"), `and ${count - MOST_ROWS} more`);
    this.#drawRows(count > 0 ? this.#call.waiters.list(MOST_ROWS) : []);
    if (inside && !isShown(document.activeElement)) (count > 0 ? byId("waiters-title") : byId("panel-title")).focus();
    if (count === 0) this.seen();
    else this.#notices.retitle(NOTICE, waitWords(this.#call.waiters));
    this.#changed();
  }

  #drawRows(waiters) {
    const list = byId("waiter-list");
    const next = this.#nextFocus(new Set(waiters.map(({ id }) => id)));
    let before = list.firstElementChild;
    for (const { id, name } of waiters) {
      const row = this.#rows.get(id) ?? this.#add(id);
      if (row.element !== before) list.insertBefore(row.element, before);
      else before = before.nextElementSibling;
      setText(row.name, name);
      row.admit.setAttribute("aria-label", `Admit ${name}`);
      row.deny.setAttribute("aria-label", `Deny ${name}`);
      for (const button of [row.admit, row.deny]) button.setAttribute("aria-disabled", String(this.#answered.has(id)));
    }
    next?.focus();
  }

  /**
   * Takes the rows away of those who do not wait any more.
   *
   * @param {Set<string>} present
   * @returns {HTMLElement|null} what gets the focus of a row that went: the same button of the next one, or of the last
   */
  #nextFocus(present) {
    const rows = [...this.#rows];
    const at = rows.findIndex(([, { element }]) => element.contains(document.activeElement));
    const which = at >= 0 && rows[at][1].deny === document.activeElement ? "deny" : "admit";
    const moves = at >= 0 && !present.has(rows[at][0]);
    const stays = ([id]) => present.has(id);
    const next = moves ? rows.slice(at).find(stays) ?? rows.slice(0, at).findLast(stays) : null;
    for (const [id, { element }] of rows) {
      if (present.has(id)) continue;
      element.remove();
      this.#rows.delete(id);
      this.#answered.delete(id);
    }
    return next?.[1][which] ?? null;
  }

  #add(id) {
    const name = make("span", { class: "who", dir: "auto" });
    const admit = make("button", { type: "button", class: "primary small", text: "Admit" });
    const deny = make("button", { type: "button", class: "secondary small", text: "Deny" });
    admit.addEventListener("click", () => this.#answer(id, (call) => call.admit(id)));
    deny.addEventListener("click", () => this.#deny(id));
    const row = { element: make("li", {}, name, admit, deny), name, admit, deny };
    this.#rows.set(id, row);
    return row;
  }

  async #deny(id) {
    const name = this.#call?.waiters.nameOf(id);
    if (await this.#answer(id, (call) => call.deny(id))) say(`${name} was not let in`);
  }

  /** Whether it was done; who has gone meanwhile waits no more. */
  async #answer(id, send) {
    const call = this.#call;
    if (!call?.waiters.nameOf(id) || this.#answered.has(id)) return false;
    this.#answered.add(id);
    this.#drawing.call();
    const error = await this.#ask(send);
    this.#answered.delete(id);
    if (!error || error.code === "participant_not_found") call.waiters.remove(id);
    else this.#drawing.call();
    return !error;
  }

  async #admitAll() {
    await this.#ask((call) => call.admitAll());
  }

  /** Says what went wrong, and answers it; null where nothing did. */
  async #ask(send) {
    const call = this.#call;
    try {
      await send(call);
      return null;
    } catch (error) {
      console.warn("not done", error);
      if (call === this.#call) say(explainPower(error));
      return error;
    }
  }
}

function isShown(element) {
  return element !== null && element !== document.body && element.isConnected && !element.closest("[hidden]");
}
