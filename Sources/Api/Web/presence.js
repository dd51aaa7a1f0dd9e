/**
 * What we are to the others: what of ours is on, our hand and our view, and that the server hears of it. No DOM.
 */

import { turnedOff } from "./permissions.js";
import { Sources } from "./sources.js";
import { Telling } from "./telling.js";

export class Presence {
  /** Whether our hand is raised. */
  hand = false;
  #line;
  #sources;
  #telling = new Telling();

  /**
   * @param {{open: () => boolean, send: (type: string, fields: object) => void,
   *   request: (type: string, fields: object) => Promise<object>}} line  to the server; what is told waits until it is open
   * @param {import("./devices.js").Devices} devices
   * @param {() => import("./media.js").MediaConnection[]} connections  over which our media are sent
   * @param {() => Promise<MediaStream>} capture  asks the browser's user for a screen
   */
  constructor(line, devices, connections, capture) {
    this.#line = line;
    this.#sources = new Sources(devices, connections, capture, () => this.#askForScreen());
    this.#sources.addEventListener("change", () => this.#tellMedia());
  }

  /** Our own screen, for the others. */
  get sharing() {
    return this.#sources.sharing;
  }

  /** Sends our media over a connection that is new. */
  sendAll(media) {
    return this.#sources.sendAll(media);
  }

  /**
   * Whether we only watch: then nothing of ours is on, whatever the devices do.
   *
   * @returns {boolean} whether that is new
   */
  watch(watching) {
    const isNew = this.#sources.bar(watching);
    this.#tellMedia();
    return isNew;
  }

  setView(view) {
    this.#telling.want("view", view);
    this.tell();
  }

  setHand(raised) {
    this.hand = raised;
    this.#tellMedia();
  }

  /** What goes with a join. */
  greeting() {
    this.#telling.want("media_state", this.#mediaState);
    return this.#telling.greeting();
  }

  /** Tells what has changed since it was told last. */
  tell() {
    if (!this.#line.open()) return;
    for (const [type, fields] of this.#telling.news()) this.#line.send(type, fields);
  }

  /**
   * What a host or the server turned off is off here too, at once.
   *
   * @param {{turned_off?: string[]}} told
   * @returns {string[]} what of it was on
   */
  turnOff(told) {
    const off = turnedOff(told, this.#mediaState);
    this.#telling.turnOff(off);
    this.#sources.turnOff(off);
    return off;
  }

  /** Our socket was lost: somebody else may share by now, or hosts alone may. */
  async confirmScreen() {
    if (!this.sharing.on) return;
    await this.#line.request("media_state", { screen: true }).catch((error) => error.status && this.sharing.refuse(error));
  }

  close() {
    this.#sources.close();
  }

  get #mediaState() {
    return { ...this.#sources.on, hand_raised: this.hand };
  }

  #tellMedia() {
    this.#telling.want("media_state", this.#mediaState);
    this.tell();
  }

  /** The server says whether we may; where it does not answer, it hears that we do not. */
  async #askForScreen() {
    try {
      await this.#line.request("media_state", { screen: true });
      this.#telling.told("media_state", { screen: true });
    } catch (error) {
      if (!error.status) this.#telling.turnOff(["screen"]);
      throw error;
    }
  }
}
