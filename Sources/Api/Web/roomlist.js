/**
 * The rooms that are open as a list: who is in each, and the way there.
 */

import { peopleWords } from "./breakoutwords.js";
import { byId, make, setText } from "./dom.js";

const MOST_NAMES = 8;

/**
 * @typedef {object} Shown
 * @property {string|null} id  null of the main room
 * @property {string} name
 * @property {string[]} people  names
 * @property {boolean} own  we are in it
 */

export class RoomList {
  #onJoin;
  /** By id: {element, name, note, here, join}. */
  #rows = new Map();

  /** @param {(id: string|null) => void} onJoin  null: the main room */
  constructor(onJoin) {
    this.#onJoin = onJoin;
  }

  /** @param {Shown[]} rooms  in order */
  render(rooms) {
    const list = byId("breakout-rooms");
    const ids = new Set(rooms.map(({ id }) => id));
    const focused = list.contains(document.activeElement) ? document.activeElement : null;
    for (const [id, { element }] of this.#rows) {
      if (ids.has(id)) continue;
      element.remove();
      this.#rows.delete(id);
    }
    let before = list.firstElementChild;
    for (const room of rooms) {
      const row = this.#rows.get(room.id) ?? this.#add(room.id);
      if (row.element !== before) list.insertBefore(row.element, before);
      else before = before.nextElementSibling;
      update(row, room);
    }
    if (focused && (!focused.isConnected || focused.hidden)) byId("breakout-title").focus();
  }

  #add(id) {
    const name = make("b", { class: "who", dir: "auto" });
    const note = make("span", { class: "note", dir: "auto" });
    const here = make("span", { class: "here", text: "You are here" });
    const join = make("button", { type: "button", class: "secondary small", text: id === null ? "Return" : "Join" });
    join.addEventListener("click", () => this.#onJoin(id));
    const row = { element: make("li", {}, make("div", { class: "text" }, name, note), here, join), name, note, here, join };
    this.#rows.set(id, row);
    return row;
  }
}

function update(row, { id, name, people, own }) {
  setText(row.name, name);
  setText(row.note, namesWords(people));
  row.join.setAttribute("aria-label", id === null ? "Return to main room" : `Join ${name}`);
  row.join.hidden = own;
  row.here.hidden = !own;
}

/**
 * @param {string[]} names
 * @returns {string} for example "2 people: Ana, Ben"
 */
export function namesWords(names) {
  if (names.length === 0) return "Nobody is in it";
  const rest = names.length - MOST_NAMES;
  const more = rest > 0 ? ` and ${rest} more` : "";
  return `${peopleWords(names.length)}: ${names.slice(0, MOST_NAMES).join(", ")}${more}`;
}
