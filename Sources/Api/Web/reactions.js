/**
 * What people react with, each one's latest, for as long as it is shown. No DOM.
 */

import { Throttle } from "./throttle.js";

export const SHOWN_MS = 5_000;
/** However many react: each drawing is of the whole meeting. */
const DRAW_EVERY_MS = 100;
const MOST_BYTES = 32;
/** So many at once are more than anybody sees, where those who watch a webinar react. */
const MOST_SHOWN = 2_000;

export class Reactions {
  /** By participant, the one that ends first in front. @type {Map<string, {text: string, until: number}>} */
  #shown = new Map();
  #isHere;
  #drawing;
  #timer = 0;

  /**
   * @param {(id: string) => boolean} isHere  whether a participant is in the meeting: of nobody else is anything kept
   * @param {() => void} changed  what is shown is out of date; ten times a second at most
   */
  constructor(isHere, changed) {
    this.#isHere = isHere;
    this.#drawing = new Throttle(DRAW_EVERY_MS, changed);
  }

  /**
   * Takes a `reaction` message.
   *
   * @param {{participant_id: string, text: string}} message
   * @returns {boolean} whether it is shown
   */
  take({ participant_id: id, text }) {
    if (!isReaction(text) || !this.#isHere(id)) return false;
    this.#shown.delete(id);
    this.#shown.set(id, { text, until: performance.now() + SHOWN_MS });
    if (this.#shown.size > MOST_SHOWN) this.#shown.delete(this.#shown.keys().next().value);
    this.#drawing.call();
    this.#watch();
    return true;
  }

  /** What somebody reacts with now; "" for nothing. */
  of(id) {
    return this.#shown.get(id)?.text ?? "";
  }

  /** @returns {{id: string, text: string}[]} the newest last */
  list() {
    return [...this.#shown].map(([id, { text }]) => ({ id, text }));
  }

  /** Somebody has left. */
  remove(id) {
    if (this.#shown.delete(id)) this.#drawing.call();
  }

  clear() {
    this.#shown.clear();
    this.#drawing.cancel();
    clearTimeout(this.#timer);
    this.#timer = 0;
  }

  /** One timer for all, as a thousand may react at once. */
  #watch() {
    const [first] = this.#shown.values();
    if (!first) return;
    this.#timer ||= setTimeout(() => this.#end(), Math.max(DRAW_EVERY_MS, first.until - performance.now()));
  }

  #end() {
    this.#timer = 0;
    for (const [id, { until }] of this.#shown) {
      if (until > performance.now()) break;
      this.remove(id);
    }
    this.#watch();
  }
}

/** It comes from the network: what is longer than any emoji is none. */
function isReaction(text) {
  if (typeof text !== "string" || text.length > MOST_BYTES || text.trim() === "") return false;
  return new TextEncoder().encode(text).length <= MOST_BYTES;
}
