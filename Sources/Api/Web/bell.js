/**
 * Says that somebody waits to be let in: what comes together as one, and then it rests, however many come. No DOM.
 */

const GATHER_MS = 600;
const REST_MS = 10_000;

export class Bell {
  #waiters;
  #ring;
  /** Ids of those who have come and are not told yet. */
  #news = new Set();
  #timer = 0;
  #onChange = ({ detail }) => this.#hear(detail);

  /**
   * @param {import("./waiters.js").Waiters} waiters
   * @param {(words: string) => void} ring
   */
  constructor(waiters, ring) {
    this.#waiters = waiters;
    this.#ring = ring;
    waiters.addEventListener("change", this.#onChange);
    this.#hear(waiters.list().map(({ id }) => id));
  }

  close() {
    clearTimeout(this.#timer);
    this.#waiters.removeEventListener("change", this.#onChange);
  }

  #hear(ids) {
    for (const id of ids) this.#news.add(id);
    if (this.#news.size > 0) this.#timer ||= setTimeout(() => this.#tell(), GATHER_MS);
  }

  #tell() {
    this.#timer = 0;
    // Who is let in or gone already is no news.
    const names = [...this.#news].map((id) => this.#waiters.nameOf(id)).filter(Boolean);
    this.#news.clear();
    if (names.length === 0) return;
    this.#ring(newsWords(names, this.#waiters.size));
    this.#timer = setTimeout(() => this.#tell(), REST_MS);
  }
}

/** @param {import("./waiters.js").Waiters} waiters  of whom there are some */
export function waitWords(waiters) {
  if (waiters.size === 1) return `${waiters.list(1)[0].name} is waiting to be let in`;
  return `${waiters.size} people are waiting to be let in`;
}

/** @param {string[]} names  of those who have come @param {number} all  how many wait */
function newsWords(names, all) {
  if (names.length > 1) return `${all} people are waiting to be let in`;
  return all === 1 ? `${names[0]} is waiting to be let in` : `${names[0]} is waiting too: ${all} in all`;
}
