/**
 * The panel that says who is here.
 */

import { AudienceList } from "./audiencelist.js";
import { peopleWords } from "./breakoutwords.js";
import { byId, icon, make, setText } from "./dom.js";
import { nameOf } from "./emoji.js";
import { initialsOf, toneOf } from "./participants.js";
import { isAudience } from "./permissions.js";
import { GRADE_WORDS, describe } from "./quality.js";

/**
 * @typedef {object} Person
 * @property {string} id
 * @property {string} name
 * @property {string} role
 * @property {boolean} self
 * @property {boolean} audio
 * @property {boolean} video
 * @property {boolean} screen
 * @property {boolean} hand         raised
 * @property {string} reaction      an emoji, "" for none
 * @property {boolean} mutedByHost
 * @property {boolean} speaking
 * @property {boolean} away         the signaling socket is lost for the moment
 * @property {string} grade
 * @property {object|null} stats    as QualityWatch reports
 * @property {string} [where]       the name of their room where that is not ours
 */

/** The lists of people. */
const LISTS = ["people", "people-far", "audience"];

export class PeoplePanel {
  #rows = new Map();
  /** The lists of other rooms. @type {Map<string, {element: HTMLElement, title: HTMLElement, list: HTMLElement}>} */
  #sections = new Map();
  #powers;
  #audience;

  /**
   * @param {import("./powers.js").Powers} powers  what we may do with them
   * @param {() => void} changed  others are looked for
   */
  constructor(powers, changed) {
    this.#powers = powers;
    this.#audience = new AudienceList(changed);
  }

  get open() {
    return !byId("panel").hidden;
  }

  /**
   * @param {Person[]} people  in order
   * @param {import("./sections.js").Section[]} [far]  those in other rooms
   * @param {import("./audiencelist.js").Audience|null} [audience]  those who watch a webinar; null: it is none
   */
  render(people, far = [], audience = null) {
    const isOurs = (element) => LISTS.some((id) => byId(id).contains(element));
    const focused = isOurs(document.activeElement) ? document.activeElement : null;
    const watching = this.#audience.draw(audience);
    const all = [...people, ...far.flatMap((section) => section.people), ...watching];
    const present = new Set(all.map(({ id }) => id));
    for (const [id, row] of this.#rows) {
      if (present.has(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    this.#fill(byId("people"), people);
    this.#drawSections(far);
    this.#fill(byId("audience-list"), watching);
    // A row that moved or went has lost it.
    if (focused && document.activeElement !== focused) (isOurs(focused) ? focused : byId("panel-title")).focus();
    this.#powers.review(all);
  }

  #drawSections(far) {
    byId("people-far").hidden = far.length === 0;
    const keys = new Set(far.map(({ key }) => key));
    for (const [key, { element }] of this.#sections) {
      if (keys.has(key)) continue;
      element.remove();
      this.#sections.delete(key);
    }
    let before = byId("people-far").firstElementChild;
    for (const { key, title, people } of far) {
      const section = this.#sections.get(key) ?? this.#addSection(key);
      if (section.element !== before) byId("people-far").insertBefore(section.element, before);
      else before = before.nextElementSibling;
      setText(section.title, `${title}: ${peopleWords(people.length)}`);
      section.list.setAttribute("aria-label", title);
      this.#fill(section.list, people);
    }
  }

  #addSection(key) {
    const title = make("h3", { dir: "auto" });
    const list = make("ul");
    const section = { element: make("section", {}, title, list), title, list };
    this.#sections.set(key, section);
    return section;
  }

  #fill(list, people) {
    let before = list.firstElementChild;
    for (const person of people) {
      const row = this.#rows.get(person.id) ?? this.#add(person);
      if (row.element !== before) list.insertBefore(row.element, before);
      else before = before.nextElementSibling;
      update(row, person);
      row.person = person;
      row.more.hidden = !this.#powers.has(person);
    }
  }

  clear() {
    for (const id of ["people", "people-far", "audience-list"]) byId(id).replaceChildren();
    byId("people-far").hidden = true;
    this.#audience.clear();
    this.#rows.clear();
    this.#sections.clear();
  }

  #add({ id, name: called }) {
    const avatar = make("span", { class: "avatar", "aria-hidden": "true", "data-tone": String(toneOf(called)) });
    const name = make("span", { class: "who" });
    const note = make("span", { class: "note" });
    const bars = make("span", { class: "bars", role: "img" }, make("i"), make("i"), make("i"));
    const mic = icon("mic");
    const camera = icon("camera");
    const reaction = make("span", { class: "reaction", "aria-hidden": "true" });
    const hand = icon("hand");
    hand.classList.add("hand");
    const words = make("span", { class: "visually-hidden" });
    const text = make("div", { class: "text" }, name, note);
    const label = make("span", { class: "visually-hidden" });
    const more = make(
      "button", { type: "button", class: "quiet square more", "aria-haspopup": "menu", "aria-expanded": "false" },
      icon("more"), label,
    );
    const element = make("li", {}, avatar, text, reaction, hand, bars, mic, camera, words, more);
    const row = { element, avatar, name, note, reaction, hand, bars, mic, camera, words, more, label, person: null };
    more.addEventListener("click", () => this.#powers.toggleMenu(more, row.person));
    this.#rows.set(id, row);
    return row;
  }
}

const ROLES = { host: "Host", co_host: "Co-host", cohost: "Co-host" };
/** The marks of somebody's own microphone and camera. */
const GIVEN = ["bars", "mic", "camera"];

function update(row, { name, role, self, audio, video, hand, reaction, mutedByHost, speaking, away, grade, stats, where }) {
  setText(row.avatar, initialsOf(name));
  setText(row.name, name);
  const notes = [self && "You", ROLES[role], where, away ? "Reconnecting…" : stats && describe(stats)].filter(Boolean);
  setText(row.note, notes.join(" · "));
  row.bars.dataset.grade = grade;
  row.bars.setAttribute("aria-label", GRADE_WORDS[grade] ?? "");
  row.bars.title = GRADE_WORDS[grade] ?? "";
  row.element.classList.toggle("speaking", speaking);
  for (const part of GIVEN) row[part].classList.toggle("none", isAudience(role));
  mark(row.mic, audio, "mic");
  mark(row.camera, video, "camera");
  setText(row.reaction, reaction);
  row.hand.classList.toggle("up", hand);
  setText(row.label, `Actions for ${name}`);
  const sound = audio ? "microphone on" : mutedByHost ? "muted by a host" : "muted";
  const reacted = reaction && `reacted with ${nameOf(reaction)}`;
  const given = isAudience(role) ? [] : [sound, video ? "camera on" : "camera off"];
  const words = [hand && "hand raised", reacted, ...given];
  setText(row.words, words.filter(Boolean).join(", "));
}

function mark(svg, on, name) {
  svg.classList.toggle("off", !on);
  svg.firstElementChild.setAttribute("href", `#icon-${on ? name : `${name}-off`}`);
}
