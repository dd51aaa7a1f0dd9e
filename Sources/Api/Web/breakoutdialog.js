/**
 * The dialog of breakout rooms: a host plans and opens them; then it shows who is where, to those whom it concerns.
 */

import { BreakoutPlan } from "./breakoutplan.js";
import { MAIN_ROOM, explainRooms, leftWords } from "./breakoutwords.js";
import { byId, make, setText } from "./dom.js";
import { problemCard } from "./notices.js";
import { isAudience, isHost } from "./permissions.js";
import { RoomList } from "./roomlist.js";
import { RoomPickers } from "./roompickers.js";
import { Throttle } from "./throttle.js";

const DRAW_DELAY_MS = 100;
const TICK_MS = 1_000;
const SOON_S = 30;
const FOLLOWED = ["role", "state"];
const PEOPLE = ["joined", "left", "changed", "reset"];

export class BreakoutDialog {
  #call = null;
  #now;
  #plan = new BreakoutPlan();
  #pickers = new RoomPickers((id, room) => this.#pick(id, room));
  #list = new RoomList((id) => this.join(id));
  #drawing = new Throttle(DRAW_DELAY_MS, () => this.#draw());
  #ticking = 0;
  /** The fields for the names of the rooms. @type {HTMLInputElement[]} */
  #fields = [];
  /** Whether it showed open rooms when it was drawn last. */
  #wasOpen = false;
  #onChange = () => this.#drawing.call();

  /** @param {() => number} [now]  ms since 1970 */
  constructor(now = () => Date.now()) {
    this.#now = now;
    const on = (id, type, act) => byId(id).addEventListener(type, act);
    on("breakout-count", "input", ({ target }) => this.#resize(target.valueAsNumber));
    on("breakout-even", "click", () => this.#spread());
    on("breakout-choose", "change", ({ target }) => (this.#plan.choose = target.checked));
    on("breakout-minutes", "input", ({ target }) => this.#takeMinutes(target));
    on("breakout-start", "click", () => this.#start());
    on("breakout-word", "submit", (event) => {
      event.preventDefault();
      this.#sendWord();
    });
    on("breakout-voice", "click", () => this.speak(!this.#speaks));
    on("breakout-soon", "click", () => this.#ask((call) => call.closeRooms(SOON_S)));
    on("breakout-end", "click", () => this.#ask((call) => call.closeRooms(0)));
    on("breakout-dialog", "close", () => this.#closed());
  }

  /** Whether there is anything in it for us. */
  get concerns() {
    return this.#call !== null && (this.#call.controls || this.#call.breakout.choose);
  }

  /** @param {import("./call.js").Call} call  that has just been joined */
  open(call) {
    this.#call = call;
    this.#plan = new BreakoutPlan();
    byId("breakout-count").value = String(this.#plan.names.length);
    byId("breakout-minutes").value = byId("breakout-text").value = "";
    byId("breakout-choose").checked = false;
    call.breakout.addEventListener("change", this.#onChange);
    for (const type of FOLLOWED) call.addEventListener(type, this.#onChange);
    for (const type of PEOPLE) call.participants.addEventListener(type, this.#onChange);
  }

  close() {
    const call = this.#call;
    this.#call = null;
    call?.breakout.removeEventListener("change", this.#onChange);
    for (const type of FOLLOWED) call?.removeEventListener(type, this.#onChange);
    for (const type of PEOPLE) call?.participants.removeEventListener(type, this.#onChange);
    this.#drawing.cancel();
    this.#closed();
    this.#pickers.clear();
    this.#list.render([]);
  }

  show() {
    const dialog = byId("breakout-dialog");
    if (!this.concerns || dialog.open) return;
    this.#problem(null);
    setText(byId("breakout-done"), "");
    dialog.showModal();
    this.#draw();
    this.#ticking ||= setInterval(() => this.#tick(), TICK_MS);
    byId("breakout-title").focus();
  }

  /** Goes into a room. @param {string|null} id  null: the main room */
  async join(id) {
    if (await this.#ask((call) => call.chooseRoom(id))) byId("breakout-dialog").close();
  }

  /** Is heard in all rooms, or in our own again. */
  speak(on) {
    return this.#ask((call) => call.speakToRooms(on));
  }

  // Drawing

  get #speaks() {
    return this.#call !== null && this.#call.breakout.voice === this.#call.you?.participant_id;
  }

  /** The button that opened it may be gone, and has no focus then. */
  #closed() {
    clearInterval(this.#ticking);
    this.#ticking = 0;
    const { activeElement: active, body } = document;
    if (this.#call && (active === body || byId("breakout-dialog").contains(active))) byId("topic-title").focus();
  }

  #draw() {
    if (!this.#call || !byId("breakout-dialog").open) return;
    if (!this.concerns) return byId("breakout-dialog").close();
    const { breakout, controls } = this.#call;
    const focused = document.activeElement;
    const parts = { "breakout-plan": !breakout.open, "breakout-terms": !breakout.open, "breakout-now": breakout.open };
    for (const [id, shown] of Object.entries(parts)) byId(id).hidden = !shown;
    byId("breakout-host").hidden = !breakout.open || !controls;
    byId("breakout-places").hidden = !controls;
    byId("breakout-even").hidden = breakout.open;
    setText(byId("breakout-where"), breakout.open ? "Who is where" : "Who goes where");
    if (breakout.open) this.#drawOpen();
    else this.#drawPlan();
    if (this.#wasOpen !== breakout.open) this.#problem(null);
    this.#wasOpen = breakout.open;
    if (byId("breakout-dialog").contains(focused) && focused.closest("[hidden]")) byId("breakout-title").focus();
    this.#tick();
  }

  #drawPlan() {
    this.#plan.review(this.#guests.map(({ id, name, controls }) => ({ id, name, controls })));
    this.#drawNames();
    const rooms = this.#plan.names.map((name, place) => ({ value: String(place), name: name.trim() || `Room ${place + 1}` }));
    const people = this.#guests.map((each) => ({ ...each, room: this.#plan.roomOf(each.id)?.toString() ?? null }));
    this.#pickers.render(people, rooms);
  }

  #drawNames() {
    const { names } = this.#plan;
    const list = byId("breakout-names");
    while (this.#fields.length > names.length) {
      this.#fields.pop();
      list.lastElementChild.remove();
    }
    while (this.#fields.length < names.length) list.append(this.#addName(this.#fields.length));
    names.forEach((name, place) => {
      if (this.#fields[place].value !== name) this.#fields[place].value = name;
    });
  }

  #addName(place) {
    const look = { type: "text", maxlength: "64", autocomplete: "off", "aria-label": `Name of room ${place + 1}` };
    const field = make("input", look);
    field.addEventListener("input", () => {
      this.#plan.rename(place, field.value);
      this.#drawing.call();
    });
    this.#fields.push(field);
    return make("li", {}, field);
  }

  #drawOpen() {
    const { breakout, you } = this.#call;
    const all = [{ id: you.participant_id, name: "You" }, ...this.#guests];
    this.#list.render([{ id: null, name: MAIN_ROOM }, ...breakout.rooms].map(({ id, name }) => ({
      id, name, own: breakout.own === id,
      people: all.filter((each) => breakout.roomOf(each.id) === id).map((each) => each.name),
    })));
    if (!this.#call.controls) return;
    const rooms = breakout.rooms.map(({ id, name }) => ({ value: id, name }));
    this.#pickers.render(this.#guests.map((each) => ({ ...each, room: breakout.roomOf(each.id) })), rooms);
    byId("breakout-voice").setAttribute("aria-pressed", String(this.#speaks));
  }

  #tick() {
    const { closesAt, open } = this.#call?.breakout ?? { closesAt: null };
    const until = closesAt === null ? "No time is set" : `The rooms close in ${leftWords(closesAt - this.#now())}`;
    setText(byId("breakout-until"), open ? until : "");
  }

  /** The others, by their names; those who watch a webinar are spread nowhere. */
  get #guests() {
    const all = this.#call.participants.list().filter(({ role }) => !isAudience(role));
    const others = all.map(({ participant_id: id, display_name: name, role, hand_raised: hand }) => {
      const note = [isHost(role) && "Host", hand && "Hand raised"].filter(Boolean).join(" · ");
      return { id, name, note, controls: isHost(role) };
    });
    return others.sort((a, b) => a.name.localeCompare(b.name));
  }

  // Planning

  #resize(count) {
    if (this.#plan.resize(count)) this.#draw();
  }

  #spread() {
    this.#plan.spread();
    this.#draw();
    this.#say("Everybody but the hosts has a room");
  }

  /** A field that holds no number has no value. */
  #takeMinutes({ value, validity }) {
    this.#plan.minutes = validity?.badInput ? "?" : value.trim();
  }

  async #start() {
    const { problem } = this.#plan;
    if (problem) return this.#problem({ title: problem, detail: "Nothing was opened." });
    if (await this.#ask((call) => call.createRooms(this.#plan.wish))) this.#say("The rooms are open");
  }

  // While they are open

  #pick(id, room) {
    if (this.#call.breakout.open) return this.#ask((call) => call.assignRoom(id, room));
    this.#plan.assign(id, room === null ? null : Number(room));
  }

  async #sendWord() {
    const field = byId("breakout-text");
    const text = field.value.trim();
    if (!text || !(await this.#ask((call) => call.tellRooms(text)))) return;
    if (field.value.trim() === text) field.value = "";
    this.#say("All rooms have your message");
  }

  #say(words) {
    setText(byId("breakout-done"), words);
  }

  #problem(words) {
    byId("breakout-problem").replaceChildren(...(words ? [problemCard(words)] : []));
  }

  /** Whether it was done; says why not, and shows what is. */
  async #ask(send) {
    const call = this.#call;
    if (!call) return false;
    this.#problem(null);
    this.#say("");
    try {
      await send(call);
      return call === this.#call;
    } catch (error) {
      console.warn("not done", error);
      if (call !== this.#call) return false;
      this.#problem(explainRooms(error));
      this.#draw();
      return false;
    }
  }
}
