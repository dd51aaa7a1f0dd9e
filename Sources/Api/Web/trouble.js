/**
 * What goes wrong during a call, and how it is told.
 */

import { MEDIA_INTERRUPTED, MEDIA_PATH_FAILED, RECONNECTING, explainEnd } from "./endwords.js";
import { ServiceError, explain } from "./errors.js";
import { Notices, drainWords, pageOf, say } from "./notices.js";

export class Trouble {
  #notices = new Notices();
  #hooks;

  /** @param {{onRetry: () => void, onEnded: (title: string, detail: string) => void}} hooks */
  constructor(hooks) {
    this.#hooks = hooks;
  }

  /** @param {import("./call.js").Call} call */
  follow(call) {
    this.#notices.clear();
    call.addEventListener("state", ({ detail }) => this.#state(detail));
    call.addEventListener("media", ({ detail }) => this.#media(detail));
    call.addEventListener("mediaerror", ({ detail }) => this.#mediaError(detail));
    call.addEventListener("notice", ({ detail }) => this.#notice(detail));
    call.addEventListener("migrate", ({ detail }) => this.#migrate(detail, call.meeting?.meeting_number));
    call.addEventListener("ended", ({ detail }) => this.#ended(detail));
  }

  clear() {
    this.#notices.clear();
  }

  /** The browser plays nothing before a click. */
  soundOff(turnOn) {
    const detail = "It waits for a click before it plays the others.";
    const words = { title: "The browser keeps the sound off", detail };
    this.#notices.show("sound", words, { action: { label: "Turn sound on", run: turnOn } });
  }

  soundOn() {
    this.#notices.hide("sound");
  }

  get #retry() {
    return { label: "Try again", run: () => this.#hooks.onRetry() };
  }

  #state(state) {
    if (state === "reconnecting") this.#notices.show("signaling", RECONNECTING, { calm: true });
    if (state !== "meeting") return;
    this.#notices.hide("signaling");
    say("Back in the meeting");
  }

  #media(state) {
    this.#notices.hide("media");
    if (state === "failed") this.#notices.show("media", MEDIA_PATH_FAILED, { action: this.#retry });
    if (state === "interrupted") this.#notices.show("media", MEDIA_INTERRUPTED, { calm: true });
  }

  #mediaError(error) {
    console.warn("media not negotiated", error);
    const known = error instanceof ServiceError ? error : new ServiceError({ code: "bad_answer" });
    this.#notices.show("media", explain(known), { action: this.#retry });
  }

  /** What the server complains about unasked; only the end of our media needs a person. */
  #notice({ code, message }) {
    console.warn("server says", code, message);
    if (code === "media_failed") this.#media("failed");
  }

  /** The server is being emptied: until when the meeting can go on here, and where else it can. */
  #migrate({ reason, signaling_url: signaling, deadline_s: seconds }, number) {
    if (reason !== "drain") {
      this.#notices.hide("migrate");
      return say("The server stays: the meeting goes on here");
    }
    const page = pageOf(signaling, number);
    const action = page && { label: "Go there", run: () => location.assign(page) };
    this.#notices.show("migrate", drainWords(seconds, Boolean(page)), { action, calm: true });
  }

  #ended({ reason, error, why }) {
    const words = explainEnd(reason, why, error);
    this.#hooks.onEnded(words.title, words.detail);
  }
}
