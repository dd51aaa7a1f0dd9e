/**
 * Raised hands, in the order in which this page saw them go up. No DOM.
 */

export class Hands {
  /** @type {string[]} */
  #raised = [];

  /**
   * @param {string} id  of a participant
   * @param {boolean} raised
   * @returns {boolean} whether it has just gone up
   */
  set(id, raised) {
    const known = this.#raised.includes(id);
    if (raised === known) return false;
    this.#raised = raised ? [...this.#raised, id] : this.#raised.filter((each) => each !== id);
    return raised;
  }

  /**
   * @template {{id: string}} Each
   * @param {Each[]} people
   * @returns {Each[]} those with raised hands first, the others as they were
   */
  sort(people) {
    const first = this.#raised.map((id) => people.find((each) => each.id === id)).filter(Boolean);
    return [...first, ...people.filter((each) => !first.includes(each))];
  }

  clear() {
    this.#raised = [];
  }
}
