/**
 * Tells those who hear the meeting who reacts: what comes together as one, and then it rests, however many react. No DOM.
 */

import { nameOf } from "./emoji.js";

const GATHER_MS = 2_000;
const REST_MS = 4_000;

export class Tally {
  #tell;
  /** Ids of those who have reacted and are not told yet. */
  #who = new Set();
  /** What is said where it is one alone. */
  #latest = "";
  #timer = 0;

  /** @param {(words: string) => void} tell */
  constructor(tell) {
    this.#tell = tell;
  }

  /** @param {string} name  of who reacts, as a sentence begins with it */
  add(id, name, text) {
    this.#who.add(id);
    this.#latest = `${name} reacted with ${nameOf(text)}`;
    this.#timer ||= setTimeout(() => this.#read(), GATHER_MS);
  }

  clear() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#who.clear();
  }

  #read() {
    this.#timer = 0;
    const { size } = this.#who;
    if (size === 0) return;
    this.#who.clear();
    this.#tell(size === 1 ? this.#latest : `${size} people reacted`);
    this.#timer = setTimeout(() => this.#read(), REST_MS);
  }
}
