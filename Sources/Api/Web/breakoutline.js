/**
 * What people see and hear of breakout rooms while they are in one: the line above the meeting, and what is told.
 */

import {
  WARN_MS, countdownWords, leftWords, movedWords, placeWords, voiceWords, warningWords,
} from "./breakoutwords.js";
import { byId, setText } from "./dom.js";
import { Notices, announce, say } from "./notices.js";

const TICK_MS = 1_000;
const WORD_MS = 20_000;
/** So many words of hosts stand over the meeting; of more the first one goes. */
const MOST_WORDS = 3;
const FOLLOWED = ["role", "state"];
const PEOPLE = ["joined", "left", "reset"];

export class BreakoutLine {
  #call = null;
  #now;
  #onStop;
  #notices = new Notices();
  #ticking = 0;
  /** When the rooms close, as it was drawn last, and ms that were left then; null where nobody said. */
  #closesAt = null;
  #left = null;
  /** Keys of the notices with words of hosts, the oldest first, and their timers. @type {Map<string, number>} */
  #words = new Map();
  #wordCount = 0;
  #onDraw = () => this.#draw();
  #onChange = ({ detail }) => this.#tell(detail);
  #onWord = ({ detail }) => this.#showWord(detail);

  /**
   * @param {{onStop: () => void}} hooks  onStop: we are to be heard in our own room only
   * @param {() => number} [now]  ms since 1970
   */
  constructor({ onStop }, now = () => Date.now()) {
    this.#onStop = onStop;
    this.#now = now;
  }

  /** @param {import("./call.js").Call} call  that has just been joined */
  open(call) {
    this.#call = call;
    call.breakout.addEventListener("change", this.#onChange);
    call.breakout.addEventListener("word", this.#onWord);
    for (const type of FOLLOWED) call.addEventListener(type, this.#onDraw);
    for (const type of PEOPLE) call.participants.addEventListener(type, this.#onDraw);
    if (call.breakout.ownRoom) say(movedWords(call.breakout.ownRoom, false));
    this.#draw();
  }

  close() {
    const call = this.#call;
    this.#call = null;
    call?.breakout.removeEventListener("change", this.#onChange);
    call?.breakout.removeEventListener("word", this.#onWord);
    for (const type of FOLLOWED) call?.removeEventListener(type, this.#onDraw);
    for (const type of PEOPLE) call?.participants.removeEventListener(type, this.#onDraw);
    for (const key of [...this.#words.keys()]) this.#hideWord(key);
    this.#notices.clear();
    this.#stop();
    byId("breakout-line").hidden = true;
  }

  #tell({ opened, closed, moved }) {
    const { breakout, controls } = this.#call;
    if (moved) say(movedWords(breakout.ownRoom, closed));
    else if (closed) say("The breakout rooms are closed");
    else if (opened && controls) say("The breakout rooms are open");
    else if (opened && breakout.choose) say("The breakout rooms are open: you may choose one");
    this.#draw();
  }

  #draw() {
    const { breakout, controls } = this.#call;
    const { open, own, ownRoom } = breakout;
    const may = open && (controls || breakout.choose);
    const line = byId("breakout-line");
    const focused = line.contains(document.activeElement);
    line.hidden = !open || (own === null && !may);
    setText(byId("breakout-place"), open ? placeWords(ownRoom) : "");
    byId("breakout-show").hidden = !may;
    byId("breakout-return").hidden = !may || own === null;
    if (focused && (line.hidden || document.activeElement.hidden)) byId("topic-title").focus();
    this.#drawVoice();
    this.#drawTime();
  }

  #drawVoice() {
    const { breakout, you, participants } = this.#call;
    const { voice } = breakout;
    const key = voice === null ? "" : voice === you?.participant_id ? "own" : "voice";
    for (const each of ["own", "voice"]) if (each !== key) this.#notices.hide(each);
    if (key === "own" && !this.#notices.has(key)) {
      const words = { title: "You are speaking to all rooms", detail: "They hear you while your microphone is on." };
      this.#notices.show(key, words, { action: { label: "Stop", run: this.#onStop }, calm: true, icon: "mic" });
    } else if (key === "voice" && !this.#notices.has(key)) {
      const { display_name: name } = participants.get(voice);
      this.#notices.show(key, voiceWords(name), { calm: true, icon: "mic" });
    }
  }

  // The time that is left

  #drawTime() {
    const { closesAt } = this.#call.breakout;
    if (closesAt !== this.#closesAt) this.#left = null;
    this.#closesAt = closesAt;
    if (closesAt === null) return this.#stop();
    this.#ticking ||= setInterval(() => this.#tick(), TICK_MS);
    this.#tick();
  }

  #tick() {
    const left = this.#closesAt - this.#now();
    setText(byId("breakout-left"), leftWords(left));
    byId("breakout-time").hidden = false;
    const concerns = this.#call.breakout.own !== null || this.#call.controls;
    const told = countdownWords(this.#left, left);
    this.#left = left;
    if (!concerns || left > WARN_MS) return this.#notices.hide("closing");
    if (told) announce(told);
    if (this.#notices.has("closing")) return this.#notices.retitle("closing", warningWords(left));
    const words = { title: warningWords(left), detail: "Everybody comes back to the main room by itself." };
    this.#notices.show("closing", words, { calm: true, quiet: true, icon: "people" });
  }

  #stop() {
    clearInterval(this.#ticking);
    this.#ticking = 0;
    this.#closesAt = this.#left = null;
    this.#notices.hide("closing");
    byId("breakout-time").hidden = true;
    setText(byId("breakout-left"), "");
  }

  // What hosts tell all rooms

  #showWord({ id, name, text }) {
    if (id === this.#call.you?.participant_id) return;
    if (this.#words.size === MOST_WORDS) this.#hideWord(this.#words.keys().next().value);
    this.#wordCount += 1;
    const key = `word ${this.#wordCount}`;
    const action = { label: "Dismiss", run: () => this.#hideWord(key) };
    this.#notices.show(key, { title: `${name} to all rooms`, detail: text }, { action, calm: true, icon: "chat" });
    this.#words.set(key, setTimeout(() => this.#hideWord(key), WORD_MS));
  }

  #hideWord(key) {
    clearTimeout(this.#words.get(key));
    this.#words.delete(key);
    this.#notices.hide(key);
  }
}
