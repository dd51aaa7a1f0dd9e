/**
 * A webinar in the meeting view: the line above it, what stands where nobody is seen, and that we were brought on the panel.
 */

import { byId, setText } from "./dom.js";
import { Notices, announce, say } from "./notices.js";
import { isAudience, roleWords } from "./permissions.js";
import { ALONE, EMPTY_PANEL, ON_PANEL, lineWords } from "./webinarwords.js";

/** What changes what is shown. */
const FOLLOWED = ["role", "back", "meeting"];
const NOTICE = "panel";

export class WebinarView {
  #call = null;
  #changed;
  #role = "";
  #notices = new Notices();
  #onChange = () => this.#draw();
  #onRole = ({ detail }) => this.#tell(detail);

  /** @param {() => void} changed  there are more attendees, or fewer */
  constructor(changed) {
    this.#changed = changed;
  }

  /** @param {import("./call.js").Call} call  that has just been joined */
  open(call) {
    this.#call = call;
    this.#role = call.you?.role ?? "";
    call.addEventListener("role", this.#onRole);
    for (const type of FOLLOWED) call.addEventListener(type, this.#onChange);
    call.webinar.addEventListener("change", this.#onChange);
    this.#draw();
  }

  close() {
    const call = this.#call;
    call?.removeEventListener("role", this.#onRole);
    for (const type of FOLLOWED) call?.removeEventListener(type, this.#onChange);
    call?.webinar.removeEventListener("change", this.#onChange);
    this.#call = null;
    this.#notices.clear();
    byId("webinar-line").hidden = true;
  }

  /** Something of ours was opened: who has done so need not be told that they may. */
  review({ audioOn, videoOn }) {
    if (audioOn || videoOn) this.#notices.hide(NOTICE);
  }

  #draw() {
    const { webinar, watching } = this.#call;
    byId("webinar-line").hidden = !webinar.on;
    setText(byId("webinar-words"), webinar.on ? lineWords(watching, webinar.attendees) : "");
    const { title, detail } = watching ? EMPTY_PANEL : ALONE;
    setText(byId("alone-title"), title);
    setText(byId("alone-words"), detail);
    byId("alone-share").hidden = watching;
    this.#changed();
  }

  /** Our role is another one. */
  #tell(role) {
    const before = this.#role;
    this.#role = role;
    const words = roleWords(role, before);
    if (!isAudience(before) || role !== "panelist") {
      this.#notices.hide(NOTICE);
      return say(words);
    }
    announce(words);
    const action = { label: "OK", run: () => this.#notices.hide(NOTICE) };
    return this.#notices.show(NOTICE, ON_PANEL, { action, calm: true, quiet: true, icon: "mic" });
  }
}
