/**
 * Breakout rooms as a host plans them: their names, who goes where, and for how long. No DOM.
 */

import { MOST_NAME_CHARACTERS, MOST_ROOMS } from "./breakout.js";

const MOST_MINUTES = 1_440;

/** @typedef {{id: string, name: string, controls: boolean}} Guest  controls: has the host controls, and is spread nowhere */

export class BreakoutPlan {
  /** @type {string[]} */
  names = ["Room 1", "Room 2"];
  /** Whether people may choose their room. */
  choose = false;
  /** As it was typed; "": until a host closes them. */
  minutes = "";
  /** By participant, the place of their room in `names`. @type {Map<string, number>} */
  #rooms = new Map();
  /** Who comes now goes where the fewest are. */
  #evenly = false;
  /** @type {Guest[]} */
  #guests = [];

  /** @returns {boolean} whether it is a number of rooms that there can be */
  resize(count) {
    if (!Number.isInteger(count) || count < 1 || count > MOST_ROOMS) return false;
    while (this.names.length < count) this.names.push(`Room ${this.names.length + 1}`);
    this.names.length = count;
    for (const [id, room] of [...this.#rooms]) if (room >= count) this.#rooms.delete(id);
    if (this.#evenly) this.#spreadRest();
    return true;
  }

  rename(place, name) {
    if (place < this.names.length) this.names[place] = name;
  }

  /** The place of somebody's room in `names`; null: they stay in the main room. */
  roomOf(id) {
    return this.#rooms.get(id) ?? null;
  }

  /** @param {number|null} room  null: stays in the main room */
  assign(id, room) {
    if (room === null) {
      this.#rooms.delete(id);
      this.#evenly = false;
    } else if (room < this.names.length) this.#rooms.set(id, room);
  }

  /** Who is here now. @param {Guest[]} guests */
  review(guests) {
    this.#guests = guests;
    const here = new Set(guests.map(({ id }) => id));
    for (const id of [...this.#rooms.keys()]) if (!here.has(id)) this.#rooms.delete(id);
    if (this.#evenly) this.#spreadRest();
  }

  /** Spreads all who are no hosts over the rooms, as many in each as can be; so too those who come until they are open. */
  spread() {
    for (const { id, controls } of this.#guests) if (!controls) this.#rooms.delete(id);
    this.#spreadRest();
    this.#evenly = true;
  }

  #spreadRest() {
    const sizes = this.names.map((_, room) => [...this.#rooms.values()].filter((each) => each === room).length);
    for (const { id, controls } of this.#guests) {
      if (controls || this.#rooms.has(id)) continue;
      const room = sizes.indexOf(Math.min(...sizes));
      this.#rooms.set(id, room);
      sizes[room] += 1;
    }
  }

  /** What is wrong with it, in words; "" for nothing. */
  get problem() {
    if (this.names.some((name) => name.trim() === "")) return "Each room needs a name";
    if (this.names.some((name) => [...name.trim()].length > MOST_NAME_CHARACTERS)) {
      return `The name of a room has ${MOST_NAME_CHARACTERS} characters at most`;
    }
    const minutes = Number(this.minutes);
    if (this.minutes !== "" && !(Number.isInteger(minutes) && minutes >= 1 && minutes <= MOST_MINUTES)) {
      return `The rooms are open for 1 to ${MOST_MINUTES.toLocaleString("en")} minutes`;
    }
    return "";
  }

  /** What the server is asked for. */
  get wish() {
    const rooms = this.names.map((name, room) => {
      const people = [...this.#rooms].filter(([, each]) => each === room).map(([id]) => id);
      return { name: name.trim(), ...(people.length > 0 && { participant_ids: people }) };
    });
    return { rooms, evenly: this.#evenly, choose: this.choose, seconds: this.minutes === "" ? 0 : 60 * Number(this.minutes) };
  }
}
