/**
 * The button that shares our screen, and what says that we do.
 */

import { byId, hideControl, relabel } from "./dom.js";
import { Notices, say } from "./notices.js";
import { barredWords, canShare, explainRefusal } from "./screen.js";

/** What changes whether we may. */
const FOLLOWED = ["meeting", "role", "back"];

export class ShareControls {
  #notices = new Notices();
  #changed;
  #call = null;

  /** @param {() => void} changed  called when our tile is out of date */
  constructor(changed) {
    this.#changed = changed;
    byId("share").hidden = !canShare();
    byId("share").addEventListener("click", () => this.toggle());
  }

  /** @param {import("./call.js").Call} call  that has just been joined */
  open(call) {
    this.#call = call;
    const { participants, sharing } = call;
    const draw = () => call === this.#call && this.#draw();
    for (const type of FOLLOWED) call.addEventListener(type, draw);
    for (const type of ["joined", "left", "changed", "reset"]) participants.addEventListener(type, draw);
    sharing.addEventListener("change", draw);
    call.breakout.addEventListener("change", draw);
    sharing.addEventListener("refused", ({ detail }) => {
      console.warn("screen not shared", detail);
      if (call === this.#call) say(explainRefusal(detail));
    });
    sharing.addEventListener("stopped", () => call === this.#call && say("Your screen is not shared any more"));
    call.addEventListener("notice", ({ detail }) => detail.code === "screen_share_taken" && say(explainRefusal(detail)));
    this.#draw();
  }

  close() {
    this.#call = null;
    this.#notices.clear();
  }

  /** From a click or a key: the browser asks its user only then. */
  toggle() {
    if (!this.#call || !canShare()) return;
    const { sharing } = this.#call;
    if (sharing.state === "sharing" || sharing.state === "starting") return sharing.stop();
    const barred = barredWords(this.#call);
    if (barred) say(barred);
    else sharing.start();
  }

  #draw() {
    const { on, state } = this.#call.sharing;
    const button = byId("share");
    hideControl(button, !canShare() || this.#call.watching);
    const barred = state === "idle" ? barredWords(this.#call) : null;
    relabel(button, on ? "screen-off" : "screen", on ? "Sharing" : "Share");
    button.setAttribute("aria-label", on ? "Stop sharing your screen" : "Share your screen");
    button.setAttribute("aria-pressed", String(on));
    button.setAttribute("aria-disabled", String(barred !== null));
    button.title = barred ?? button.getAttribute("aria-label");
    if (on !== this.#notices.has("sharing")) this.#tell(on);
    this.#changed();
  }

  #tell(on) {
    if (!on) return this.#notices.hide("sharing");
    const { sound } = this.#call.sharing.tracks;
    const detail = sound ? "Everybody here sees it, and hears its sound." : "Everybody here sees it.";
    const words = { title: "You are sharing your screen", detail };
    const action = { label: "Stop", run: () => this.#call?.sharing.stop() };
    this.#notices.show("sharing", words, { action, calm: true, icon: "screen" });
  }
}
