/**
 * What a host may do with the meeting: lock it, and end it for everybody.
 */

import { byId, relabel, setText } from "./dom.js";
import { explain } from "./errors.js";
import { say } from "./notices.js";

/** What changes what is shown. */
const FOLLOWED = ["meeting", "state", "role"];

export class HostControls {
  #call = null;
  #onMeeting = () => this.#draw();

  constructor() {
    byId("lock").addEventListener("click", () => this.#toggleLock());
    byId("end").addEventListener("click", () => byId("end-dialog").showModal());
    byId("end-for-all").addEventListener("click", () => this.#end());
  }

  /** @param {import("./call.js").Call} call  that has just been joined */
  open(call) {
    this.#call = call;
    for (const type of FOLLOWED) call.addEventListener(type, this.#onMeeting);
    this.#draw();
  }

  close() {
    for (const type of FOLLOWED) this.#call?.removeEventListener(type, this.#onMeeting);
    this.#call = null;
  }

  get #locked() {
    return this.#call?.meeting?.locked === true;
  }

  #draw() {
    if (!this.#call) return;
    const locked = this.#locked;
    for (const id of ["lock", "end"]) byId(id).hidden = !this.#call.controls;
    relabel(byId("lock"), locked ? "lock" : "unlock", locked ? "Unlock" : "Lock");
    byId("lock").setAttribute("aria-pressed", String(locked));
    byId("locked").hidden = !locked;
    if (!this.#call.controls && byId("end-dialog").open) byId("end-dialog").close();
    setText(byId("topic-title"), this.#call.meeting?.topic || "Meeting");
  }

  async #toggleLock() {
    const locked = !this.#locked;
    if (await this.#ask(this.#call.setLocked(locked))) {
      say(locked ? "The meeting is locked: nobody else comes in" : "The meeting is open again");
    }
  }

  async #end() {
    byId("end-dialog").close();
    await this.#ask(this.#call.endForAll());
  }

  /** Whether it was done; says why not. */
  async #ask(answer) {
    try {
      await answer;
      return true;
    } catch (error) {
      if (this.#call) say(explain(error).title);
      return false;
    }
  }
}
