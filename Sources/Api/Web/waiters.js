/**
 * Who waits to be let in, as hosts are told. No DOM.
 */

/**
 * Event: `change` (detail: ids of those who have come).
 */
export class Waiters extends EventTarget {
  /** Names by id, in the order in which they came. @type {Map<string, string>} */
  #names = new Map();

  get size() {
    return this.#names.size;
  }

  /** @returns {string|undefined} the name of somebody who waits */
  nameOf(id) {
    return this.#names.get(id);
  }

  /**
   * @param {number} [most]
   * @returns {{id: string, name: string}[]} those who wait longest
   */
  list(most = this.size) {
    const list = [];
    for (const [id, name] of this.#names) {
      if (list.length >= most) break;
      list.push({ id, name });
    }
    return list;
  }

  /**
   * Takes a `waiting_room` message.
   *
   * @param {{whole?: boolean, arrived?: object[], left?: string[]}} message  whole: `arrived` are all who wait
   */
  take({ whole = false, arrived, left }) {
    const known = new Set(this.#names.keys());
    if (whole) this.#names = new Map();
    for (const { participant_id: id, display_name: name } of listOf(arrived)) {
      if (typeof id === "string" && id) this.#names.set(id, nameFrom(name));
    }
    const fresh = [...this.#names.keys()].filter((id) => !known.has(id));
    for (const id of listOf(left)) this.#names.delete(id);
    this.#tell(fresh);
  }

  /** Somebody does not wait any more. */
  remove(id) {
    if (this.#names.delete(id)) this.#tell([]);
  }

  /** Nobody tells us any more who waits. */
  clear() {
    this.#names.clear();
    this.#tell([]);
  }

  #tell(fresh) {
    const detail = fresh.filter((id) => this.#names.has(id));
    this.dispatchEvent(new CustomEvent("change", { detail }));
  }
}

function listOf(value) {
  return Array.isArray(value) ? value.filter((each) => each !== null && each !== undefined) : [];
}

function nameFrom(text) {
  return (typeof text === "string" && text.trim()) || "Guest";
}
