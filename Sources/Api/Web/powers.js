/**
 * What hosts do with the people in the list: the menus of the rows, muting all, and what the others may do.
 */

import { byId, setText } from "./dom.js";
import { explainPower } from "./errors.js";
import { say } from "./notices.js";
import { actionsFor, rightsIn } from "./permissions.js";
import { RowMenu } from "./rowmenu.js";

/** The switches by what they allow. */
const SWITCHES = { unmute: "allow-unmute", chat: "allow-chat", screen: "allow-screen", enter: "allow-enter" };
const FOLLOWED = ["meeting", "state", "role"];

export class Powers {
  #call = null;
  #changed;
  #menu = new RowMenu((id, action) => this.#choose(id, action));
  /** What was switched and is not answered yet. */
  #switching = new Set();
  /** What the dialog asks about. @type {{id: string, action: import("./permissions.js").Action}|null} */
  #asked = null;
  #onChange = () => this.#draw();

  /** @param {() => void} changed  the rows of the list may have another menu now */
  constructor(changed) {
    this.#changed = changed;
    byId("mute-all").addEventListener("click", () => this.#muteAll());
    for (const [right, id] of Object.entries(SWITCHES)) {
      byId(id).addEventListener("change", ({ target }) => this.#allow(right, target));
    }
    byId("power-confirm").addEventListener("click", () => this.#confirm());
    byId("power-dialog").addEventListener("close", () => {
      this.#asked = null;
    });
  }

  /** @param {import("./call.js").Call} call  that has just been joined */
  open(call) {
    this.#call = call;
    for (const type of FOLLOWED) call.addEventListener(type, this.#onChange);
    this.#draw();
  }

  close() {
    for (const type of FOLLOWED) this.#call?.removeEventListener(type, this.#onChange);
    this.#menu.close(false);
    this.#call = null;
  }

  /** Whether there is anything that we may do with somebody. @param {import("./people.js").Person} person */
  has(person) {
    return this.#actions(person).length > 0;
  }

  /** Shows what we may do with them. */
  toggleMenu(opener, person) {
    this.#menu.toggle(opener, person, this.#actions(person));
  }

  /** The list is as it is drawn now. @param {import("./people.js").Person[]} people */
  review(people) {
    const { id } = this.#menu;
    if (!id) return;
    const person = people.find((each) => each.id === id);
    this.#menu.refresh(person ? this.#actions(person) : []);
  }

  #actions(person) {
    return actionsFor(this.#call?.you?.role ?? "", person, this.#call?.webinar.on);
  }

  #draw() {
    if (!this.#call) return;
    byId("powers").hidden = !this.#call.controls;
    // Who is no host any more is not asked whether they mean it.
    if (!this.#call.controls && byId("power-dialog").open) byId("power-dialog").close();
    const rights = rightsIn(this.#call.meeting);
    for (const [right, id] of Object.entries(SWITCHES)) {
      if (!this.#switching.has(right)) byId(id).checked = rights[right];
    }
    this.#changed();
  }

  #choose(id, action) {
    if (!action.confirm) return void this.#do(id, action);
    const { title, detail, yes, no } = action.confirm;
    this.#asked = { id, action };
    for (const [part, text] of Object.entries({ title, detail, confirm: yes, cancel: no })) {
      setText(byId(`power-${part}`), text);
    }
    byId("power-dialog").showModal();
  }

  #confirm() {
    const asked = this.#asked;
    byId("power-dialog").close();
    if (asked) this.#do(asked.id, asked.action);
  }

  async #do(id, action) {
    if ((await this.#ask((call) => call.actOn(id, action))) && action.done) say(action.done);
  }

  async #muteAll() {
    if (await this.#ask((call) => call.muteAll())) say("Everybody but the hosts is muted");
  }

  /** What the server did not take shows as it was; what it took comes with the next `meeting_update`. */
  async #allow(right, target) {
    const call = this.#call;
    this.#switching.add(right);
    const taken = await this.#ask(() => call.allow({ [right]: target.checked }));
    this.#switching.delete(right);
    if (!taken && call === this.#call) this.#draw();
  }

  /** Whether it was done; says why not. */
  async #ask(send) {
    const call = this.#call;
    if (!call) return false;
    try {
      await send(call);
      return true;
    } catch (error) {
      console.warn("not done", error);
      if (call === this.#call) say(explainPower(error));
      return false;
    }
  }
}
