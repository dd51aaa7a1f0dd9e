/**
 * People as a list, each with a choice of the room that they are in.
 */

import { MAIN_ROOM } from "./breakoutwords.js";
import { byId, make, setText } from "./dom.js";

/** How many are shown; the others are found by their names. */
const MOST_ROWS = 100;
/** From so many on there is a field to find one. */
const FIND_FROM = 12;
/** The value of the main room. */
const MAIN = "";

/**
 * @typedef {object} Placed
 * @property {string} id
 * @property {string} name
 * @property {string} note  beside the name
 * @property {string|null} room  the value of one; null: the main room
 */

export class RoomPickers {
  #onPick;
  #people = [];
  #rooms = [];
  /** By id: {element, name, note, select, listed}. */
  #rows = new Map();

  /** @param {(id: string, room: string|null) => void} onPick  null: the main room */
  constructor(onPick) {
    this.#onPick = onPick;
    byId("breakout-find").addEventListener("input", () => this.#draw());
  }

  /**
   * @param {Placed[]} people  in order
   * @param {{value: string, name: string}[]} rooms  beside the main room
   */
  render(people, rooms) {
    this.#people = people;
    this.#rooms = rooms;
    this.#draw();
  }

  clear() {
    byId("breakout-find").value = "";
    this.render([], []);
  }

  #draw() {
    const field = byId("breakout-find");
    field.hidden = this.#people.length < FIND_FROM;
    const words = field.hidden ? "" : (field.value ?? "").trim().toLocaleLowerCase();
    const found = this.#people.filter(({ name }) => name.toLocaleLowerCase().includes(words));
    const rest = found.length - MOST_ROWS;
    byId("breakout-rest").hidden = rest <= 0 && found.length > 0;
    const none = this.#people.length > 0 ? "Nobody is called so." : "Nobody else is here yet.";
    setText(byId("breakout-rest"), found.length === 0 ? none : `and ${rest} more: find them by their names`);
    this.#drawRows(found.slice(0, MOST_ROWS));
  }

  #drawRows(people) {
    const present = new Set(people.map(({ id }) => id));
    for (const [id, { element }] of this.#rows) {
      if (present.has(id)) continue;
      if (element.contains(document.activeElement)) byId("breakout-title").focus();
      element.remove();
      this.#rows.delete(id);
    }
    const list = byId("breakout-people");
    let before = list.firstElementChild;
    for (const person of people) {
      const row = this.#rows.get(person.id) ?? this.#add(person.id);
      const focused = row.select === document.activeElement;
      if (row.element !== before) list.insertBefore(row.element, before);
      else before = before.nextElementSibling;
      if (focused) row.select.focus();
      setText(row.name, person.name);
      setText(row.note, person.note);
      row.select.setAttribute("aria-label", `Room of ${person.name}`);
      this.#offer(row, person.room ?? MAIN);
    }
  }

  /** An open list must not close for nothing. */
  #offer(row, value) {
    const all = [{ value: MAIN, text: MAIN_ROOM }, ...this.#rooms.map((room) => ({ value: room.value, text: room.name }))];
    const key = JSON.stringify(all);
    if (key !== row.listed) row.select.replaceChildren(...all.map((each) => make("option", each)));
    row.listed = key;
    if (row.select.value !== value) row.select.value = value;
  }

  #add(id) {
    const name = make("span", { class: "who", dir: "auto" });
    const note = make("span", { class: "note" });
    const select = make("select");
    select.addEventListener("change", () => this.#onPick(id, select.value === MAIN ? null : select.value));
    const row = { element: make("li", {}, make("div", { class: "text" }, name, note), select), name, note, select, listed: "" };
    this.#rows.set(id, row);
    return row;
  }
}
