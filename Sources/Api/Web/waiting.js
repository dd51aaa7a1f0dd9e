/**
 * What somebody sees who waits to be let in: it stands where the form was, beside the preview, which goes on.
 */

import { byId, setText } from "./dom.js";
import { announce } from "./notices.js";

const TITLE = "Waiting to be let in";
const WORDS = "The hosts can see that you are waiting.";
const AWAY = "The connection is interrupted. Coming back to the waiting room…";

export class WaitingView {
  /** @param {{onLeave: () => void}} hooks */
  constructor({ onLeave }) {
    byId("waiting-leave").addEventListener("click", onLeave);
  }

  /**
   * Shows it, or what is new of it.
   *
   * @param {{topic: string, away: boolean}} what  away: the connection is lost for the moment
   */
  show({ topic, away }) {
    setText(byId("waiting-topic"), topic);
    setText(byId("waiting-words"), away ? AWAY : WORDS);
    if (!byId("waiting").hidden) return;
    const active = document.activeElement;
    const lost = !active || active === document.body || byId("entry").contains(active);
    this.#swap(true);
    // The focus says it, unless somebody is at the preview's buttons.
    if (lost) byId("waiting-title").focus();
    else announce(waitingTitle(topic));
  }

  /** The form is back. */
  close() {
    const focused = byId("waiting").contains(document.activeElement);
    this.#swap(false);
    if (focused) byId("join-button").focus();
  }

  #swap(waits) {
    byId("entry").hidden = waits;
    byId("waiting").hidden = !waits;
    byId("lobby-view").setAttribute("aria-labelledby", waits ? "waiting-title" : "lobby-title");
  }
}

/** The title of the page meanwhile. @param {string} topic */
export function waitingTitle(topic) {
  return topic ? `${TITLE}: ${topic}` : TITLE;
}
