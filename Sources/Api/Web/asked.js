/**
 * What hosts do to us, in words: muted, asked to unmute, and what we may do from now on.
 */

import { Notices, say } from "./notices.js";
import { MUST_STAY_MUTED, changeWords, offWords, rightsIn } from "./permissions.js";

export class Asked {
  #notices = new Notices();
  #own;

  /** @param {import("./own.js").OwnControls} own */
  constructor(own) {
    this.#own = own;
  }

  /** @param {import("./call.js").Call} call  that has just been joined */
  open(call) {
    let rights = rightsIn(call.meeting);
    call.addEventListener("turnedoff", ({ detail }) => offWords(detail).forEach(say));
    // A microphone that was opened before this page heard that it may not be.
    call.addEventListener("notice", ({ detail }) => detail.code === "unmute_forbidden" && say(MUST_STAY_MUTED));
    call.addEventListener("role", () => call.watching && this.#notices.hide("unmute"));
    call.addEventListener("invited", ({ detail: id }) => {
      if (!call.watching) this.#invite(call.participants.get(id)?.display_name);
    });
    for (const type of ["meeting", "back"]) {
      call.addEventListener(type, () => {
        const now = rightsIn(call.meeting);
        if (!call.controls) changeWords(rights, now, call.watching).forEach(say);
        rights = now;
      });
    }
  }

  close() {
    this.#notices.clear();
  }

  /** Our microphone was opened or closed: who has unmuted is not asked any more. */
  review() {
    if (this.#own.audioOn) this.#notices.hide("unmute");
  }

  /** Asks without standing in the way; a later request takes the place of this one. */
  #invite(name = "A host") {
    if (this.#own.audioOn) return;
    const words = { title: `${name} asks you to unmute`, detail: "The others hear you only if you do." };
    const answer = (label, run) => ({
      label,
      run: () => {
        this.#notices.hide("unmute");
        run?.();
      },
    });
    const actions = [answer("Unmute", () => this.#own.toggleMicrophone()), answer("Stay muted")];
    this.#notices.show("unmute", words, { actions, calm: true, icon: "mic" });
  }
}
