/**
 * Whether anything comes over the media path: a browser itself notices after some seconds that nothing does.
 */

const EVERY_MS = 250;
/** What came all the time stops now and then for as long as a radio needs to change its cell. */
const PAUSE_MS = 700;
/** The server's reports come once a second, also when nobody is heard or seen. */
const SILENCE_MS = 1_250;
/** So many looks one after the other found something new: what then stops has not just been slow. */
const BRISK_LOOKS = 8;

/** Events: `pause` and then `silent` (nothing came for a while, where much did before), `flowing` (it does again). */
export class PathWatch extends EventTarget {
  silent = false;
  #received;
  #timer;
  #looking = false;
  /** Bytes, by the pair of candidates that they came over. */
  #last = new Map();
  /** performance.now() when something came last. */
  heardAt = 0;
  #pausing = false;
  #brisk = 0;

  /** @param {() => Promise<Map<string, number>>} received  bytes so far over each pair; empty where nobody can tell */
  constructor(received) {
    super();
    this.#received = received;
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
  }

  close() {
    clearInterval(this.#timer);
  }

  async #look() {
    if (this.#looking) return;
    this.#looking = true;
    const received = await this.#received().catch(() => new Map());
    this.#looking = false;
    if (received.size === 0) return;
    const heard = [...received].some(([pair, bytes]) => bytes > (this.#last.get(pair) ?? 0));
    this.#last = received;
    if (heard) this.#hear();
    else if (!this.silent) this.#miss();
  }

  #hear() {
    this.heardAt = performance.now();
    this.#pausing = false;
    this.#brisk += 1;
    if (!this.silent) return;
    this.silent = false;
    this.dispatchEvent(new CustomEvent("flowing"));
  }

  #miss() {
    // What comes once a second is no sign when it does not come.
    if (this.#brisk < BRISK_LOOKS) {
      this.#brisk = 0;
      return;
    }
    const quiet = performance.now() - this.heardAt;
    if (quiet >= PAUSE_MS && !this.#pausing) {
      this.#pausing = true;
      this.dispatchEvent(new CustomEvent("pause"));
    }
    if (quiet < SILENCE_MS) return;
    this.#brisk = 0;
    this.silent = true;
    this.dispatchEvent(new CustomEvent("silent"));
  }
}
