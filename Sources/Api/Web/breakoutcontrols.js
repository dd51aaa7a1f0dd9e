/**
 * Breakout rooms in the meeting view: the line above it, the dialog, and the buttons that lead there.
 */

import { BreakoutDialog } from "./breakoutdialog.js";
import { BreakoutLine } from "./breakoutline.js";
import { explainRooms } from "./breakoutwords.js";
import { byId } from "./dom.js";
import { say } from "./notices.js";

export class BreakoutControls {
  #call = null;
  #dialog;
  #line;

  /** @param {() => number} [now]  ms since 1970 */
  constructor(now = () => Date.now()) {
    this.#dialog = new BreakoutDialog(now);
    this.#line = new BreakoutLine({ onStop: () => this.#ask((call) => call.speakToRooms(false)) }, now);
    for (const id of ["show-breakout", "breakout-show"]) byId(id).addEventListener("click", () => this.#dialog.show());
    byId("breakout-return").addEventListener("click", () => this.#ask((call) => call.chooseRoom(null)));
  }

  /** @param {import("./call.js").Call} call  that has just been joined */
  open(call) {
    this.#call = call;
    this.#line.open(call);
    this.#dialog.open(call);
  }

  close() {
    this.#call = null;
    this.#line.close();
    this.#dialog.close();
  }

  /** From a key. */
  show() {
    if (this.#dialog.concerns) this.#dialog.show();
    else say("Hosts open breakout rooms, and put people into them");
  }

  async #ask(send) {
    const call = this.#call;
    try {
      if (call) await send(call);
    } catch (error) {
      console.warn("not done", error);
      if (call === this.#call) say(explainRooms(error).title);
    }
  }
}
