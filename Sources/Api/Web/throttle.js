/**
 * One act for however many reasons come within a while.
 */

export class Throttle {
  #every;
  #act;
  #timer = 0;

  /**
   * @param {number} every  ms from the first reason to the act; further ones do not put it off
   * @param {() => void} act
   */
  constructor(every, act) {
    this.#every = every;
    this.#act = act;
  }

  /** There is a reason. */
  call() {
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      this.#act();
    }, this.#every);
  }

  /** Forgets the reasons so far. */
  cancel() {
    clearTimeout(this.#timer);
    this.#timer = 0;
  }
}
