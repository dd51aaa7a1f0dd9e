/**
 * Reactions in the meeting view: the button that sends one, and who is seen and heard to react.
 */

import { announce, say } from "./notices.js";
import { Palette } from "./palette.js";
import { ReactionLines } from "./reactionlines.js";
import { Reactions } from "./reactions.js";
import { Tally } from "./tally.js";

/** One who presses on is told why nothing comes once in this time. */
const REFUSAL_EVERY_MS = 4_000;

export class ReactionControls {
  #call = null;
  #reactions;
  #tally = new Tally(announce);
  #palette = new Palette((text) => this.#send(text));
  #lines = new ReactionLines();
  #refused = -REFUSAL_EVERY_MS;

  /** @param {() => void} changed  called when what is shown is out of date */
  constructor(changed) {
    this.#reactions = new Reactions((id) => this.#isHere(id), changed);
  }

  /** @param {import("./call.js").Call} call  that has just been joined */
  open(call) {
    this.#call = call;
    call.addEventListener("reaction", ({ detail }) => call === this.#call && this.#take(detail));
    call.participants.addEventListener("left", ({ detail }) => this.#reactions.remove(detail.participant_id));
  }

  close() {
    this.#call = null;
    this.#palette.close(false);
    this.#reactions.clear();
    this.#tally.clear();
    this.#lines.clear();
  }

  /** Shows the emoji to choose from, or hides them. */
  toggle() {
    this.#palette.toggle();
  }

  /** What somebody reacts with now; "" for nothing. */
  of(id) {
    return this.#reactions.of(id);
  }

  /** @param {{id: string, screen: boolean}[]} shown  the tiles on the screen */
  draw(shown) {
    const tiles = new Set(shown.filter(({ screen }) => !screen).map(({ id }) => id));
    const rest = this.#reactions.list().filter(({ id }) => !tiles.has(id));
    this.#lines.render(rest.map(({ id, text }) => ({ id, name: this.#nameOf(id) ?? "", text })));
  }

  #take(message) {
    const { participant_id: id, text } = message;
    if (this.#reactions.take(message)) this.#tally.add(id, this.#nameOf(id) ?? "Somebody", text);
  }

  /** Of those who watch a webinar not everybody is told. */
  #isHere(id) {
    return this.#nameOf(id) !== undefined || (typeof id === "string" && this.#call?.webinar.on === true);
  }

  /** undefined of somebody who is not here. */
  #nameOf(id) {
    if (id === this.#call?.you?.participant_id) return "You";
    return this.#call?.participants.get(id)?.display_name;
  }

  async #send(text) {
    const call = this.#call;
    try {
      await call?.react(text);
    } catch (error) {
      console.warn("reaction not sent", error);
      if (call === this.#call) this.#refuse(error);
    }
  }

  #refuse({ status }) {
    if (performance.now() - this.#refused < REFUSAL_EVERY_MS) return;
    this.#refused = performance.now();
    say(status === 429 ? "Wait a moment before you react again" : "Your reaction did not come through");
  }
}
