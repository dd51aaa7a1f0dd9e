/**
 * Hearing the others: one audio element for each audio Slot, and who speaks in them now.
 */

import { make } from "./dom.js";

const EVERY_MS = 150;
const HOLD_MS = 700;
const ORDER_MS = 2_500;
/** Linear level of RFC 6464, 0 to 1; about -40 dBov. */
const LOUD = 0.01;

export class Speakers {
  #media;
  #slots;
  #root;
  #report;
  #until = new Map();
  #timer = 0;
  #text = "";

  /**
   * @param {HTMLElement} root  holds the audio elements
   * @param {import("./media.js").MediaConnection} media
   * @param {import("./slots.js").SlotMap} slots
   * @param {(speaking: Set<string>) => void} report  on every change
   */
  constructor(root, media, slots, report) {
    this.#root = make("div");
    root.append(this.#root);
    this.#media = media;
    this.#slots = slots;
    this.#report = report;
  }

  /**
   * Begins to play. Browsers may refuse before the first gesture.
   *
   * @returns {Promise<boolean>} whether all play
   */
  async start() {
    for (const { mid } of this.#media.audioReceivers()) {
      if (mid === null || this.#root.querySelector(`[data-mid="${CSS.escape(mid)}"]`)) continue;
      const audio = make("audio", { autoplay: true, "data-mid": mid });
      audio.srcObject = this.#media.streamOf(mid);
      this.#root.append(audio);
    }
    this.#timer ||= setInterval(() => this.#listen(), EVERY_MS);
    const refused = [...this.#root.children].map((audio) =>
      audio.play().then(() => false, (error) => error.name === "NotAllowedError"),
    );
    // A Slot without packets may leave play() pending, which is no refusal.
    const patience = new Promise((resolve) => setTimeout(resolve, 1_000, false));
    return !(await Promise.race([Promise.all(refused).then((all) => all.includes(true)), patience]));
  }

  /** Takes the server's order of the loudest. */
  hint(ids) {
    const until = performance.now() + ORDER_MS;
    for (const id of ids) this.#until.set(id, until);
    this.#tell();
  }

  close() {
    clearInterval(this.#timer);
    for (const audio of this.#root.children) audio.srcObject = null;
    this.#root.remove();
  }

  #listen() {
    const now = performance.now();
    for (const { mid, receiver } of this.#media.audioReceivers()) {
      const owner = this.#slots.ownerOf(mid);
      const [latest] = receiver.getSynchronizationSources?.() ?? [];
      const fresh = latest && performance.timeOrigin + now - latest.timestamp < HOLD_MS;
      if (owner && fresh && (latest.audioLevel ?? 0) > LOUD) this.#hold(owner.participant_id, now + HOLD_MS);
    }
    this.#tell();
  }

  #hold(id, until) {
    this.#until.set(id, Math.max(until, this.#until.get(id) ?? 0));
  }

  #tell() {
    const now = performance.now();
    for (const [id, until] of this.#until) if (until < now) this.#until.delete(id);
    const text = [...this.#until.keys()].sort().join(" ");
    if (text === this.#text) return;
    this.#text = text;
    this.#report(new Set(this.#until.keys()));
  }
}
