/**
 * How well everybody comes through: what this page measures, and what the server says of their lines.
 */

import { byId } from "./dom.js";
import { GRADE_WORDS, QualityWatch, describe, worse } from "./quality.js";

export class Grades {
  #call = null;
  #watch = null;
  #changed;
  #own = null;
  #others = new Map();
  #told = new Map();

  /** @param {() => void} changed  called when what is shown is out of date */
  constructor(changed) {
    this.#changed = changed;
  }

  /** @param {import("./call.js").Call} call  that has just been joined */
  open(call) {
    this.#call = call;
    this.#own = null;
    this.#others = new Map();
    this.#told.clear();
    call.addEventListener("quality", ({ detail }) => this.#hear(detail));
    this.watch();
  }

  /** Watches the media connection that the call has now. */
  watch() {
    const call = this.#call;
    this.#watch?.close();
    this.#watch = new QualityWatch(
      call.media.pc, call.slots, (id) => call.participants.get(id)?.video === true,
      (own, others) => this.#measured(own, others),
    );
  }

  close() {
    this.#watch?.close();
    this.#call = this.#watch = null;
  }

  /** @returns {import("./quality.js").Grade} */
  of(id) {
    const measured = id === this.#call.you.participant_id ? this.#own?.grade : this.#others.get(id)?.grade;
    return worse(measured ?? "unknown", this.#told.get(id) ?? "unknown");
  }

  /** As QualityWatch reports; null where nothing was measured. */
  statsOf(id) {
    return id === this.#call.you.participant_id ? this.#own : (this.#others.get(id) ?? null);
  }

  #measured(own, others) {
    if (!this.#call) return;
    this.#own = own;
    this.#others = others;
    this.#show();
  }

  /** The server's view of somebody's line. */
  #hear({ participant_id: id, level }) {
    if (!this.#call?.you || !GRADE_WORDS[level]) return;
    this.#told.set(id, level);
    this.#show();
  }

  #show() {
    const bars = byId("own-quality");
    const grade = this.of(this.#call.you.participant_id);
    bars.dataset.grade = grade;
    bars.title = this.#own ? `${GRADE_WORDS[grade]}: ${describe(this.#own)}` : GRADE_WORDS[grade];
    bars.setAttribute("aria-label", `Your connection: ${GRADE_WORDS[grade].toLowerCase()}`);
    this.#changed();
  }
}
