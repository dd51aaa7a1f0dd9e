/**
 * Questions and answers of a webinar: the button with what is new, the panel with its lists, and the field.
 */

import { countWords } from "./chat.js";
import { byId, make, setText } from "./dom.js";
import { Reader, say } from "./notices.js";
import { QuestionCard } from "./questioncard.js";
import { QuestionForm } from "./questionform.js";
import { questionSections } from "./questions.js";
import { heardQuestions, settledWords, unreadWords } from "./questionwords.js";
import { Throttle } from "./throttle.js";

/** How many of each list are shown; the others come up as these are answered. */
const MOST_CARDS = 100;
const DRAW_DELAY_MS = 100;
/** What changes who may do what. */
const FOLLOWED = ["role", "back", "meeting"];

export class QuestionPanel {
  #call = null;
  #onHide;
  #form = new QuestionForm((text, anonymous) => this.#call.askQuestion(text, anonymous));
  /** By question. @type {Map<string, QuestionCard>} */
  #cards = new Map();
  /** By key. @type {Map<string, {element: HTMLElement, title: HTMLElement, list: HTMLElement, rest: HTMLElement}>} */
  #sections = new Map();
  /** Ids of what came while the panel was not in view. */
  #unread = new Set();
  #reader = new Reader(heardQuestions);
  #drawing = new Throttle(DRAW_DELAY_MS, () => this.#draw());
  #onChange = () => this.#drawing.call();
  #hears = { asked: ({ detail }) => this.#asked(detail), settled: ({ detail }) => this.#settled(detail),
    answered: ({ detail }) => this.#answered(detail), change: this.#onChange };

  /** @param {{onHide: () => void}} hooks  onHide: there is nothing to be seen any more */
  constructor({ onHide }) {
    this.#onHide = onHide;
  }

  /** Whether it is in view. */
  get shown() {
    return !byId("questions-panel").hidden;
  }

  /** Whether we answer. */
  get #panel() {
    return !this.#call.watching;
  }

  get #questions() {
    return this.#call.webinar.questions;
  }

  /** @param {import("./call.js").Call} call  that has just been joined */
  open(call) {
    this.#call = call;
    for (const [type, hear] of Object.entries(this.#hears)) this.#questions.addEventListener(type, hear);
    for (const type of FOLLOWED) call.addEventListener(type, this.#onChange);
    if (this.#panel) for (const { id, state, own } of this.#questions.list()) if (state === "open" && !own) this.#unread.add(id);
    this.#draw();
  }

  close() {
    const call = this.#call;
    for (const [type, hear] of Object.entries(this.#hears)) call?.webinar.questions.removeEventListener(type, hear);
    for (const type of FOLLOWED) call?.removeEventListener(type, this.#onChange);
    this.#call = null;
    this.#drawing.cancel();
    this.#reader.clear();
    this.#form.clear();
    for (const each of [this.#unread, this.#cards, this.#sections]) each.clear();
    byId("question-lists").replaceChildren();
    byId("show-questions").hidden = true;
  }

  /** The panel has come into view. @returns {string} id of what gets the focus */
  show() {
    this.#unread.clear();
    if (this.#call) this.#draw();
    return "questions-title";
  }

  // News

  #asked(question) {
    if (!this.#panel || question.own) return;
    this.#reader.add([question]);
    this.#note(question);
  }

  #settled(question) {
    say(settledWords(question));
    this.#note(question);
  }

  #answered(question) {
    if (!this.#panel) this.#reader.add([question]);
  }

  #note({ id }) {
    if (!this.shown) this.#unread.add(id);
    this.#onChange();
  }

  // Drawing

  #draw() {
    if (!this.#call) return;
    const { webinar, controls } = this.#call;
    this.#drawButton(webinar.on);
    if (!webinar.on && this.shown) this.#onHide();
    this.#form.show(!controls);
    if (!webinar.on || !this.shown) return;
    const sections = questionSections(this.#questions.list(), this.#panel);
    byId("questions-empty").hidden = sections.length > 0;
    setText(byId("questions-empty"), controls ? "Nobody has asked anything yet." : "Ask the panel something.");
    this.#drawSections(sections);
  }

  #drawButton(isWebinar) {
    const isNew = (id) => {
      const question = this.#questions.get(id);
      return question !== undefined && (this.#panel ? question.state === "open" : question.own);
    };
    for (const id of [...this.#unread]) if (!isNew(id)) this.#unread.delete(id);
    const { size } = this.#unread;
    byId("show-questions").hidden = !isWebinar;
    byId("question-count").hidden = size === 0;
    setText(byId("question-count"), countWords(size));
    byId("show-questions").setAttribute("aria-label", `Questions and answers${unreadWords(size, this.#panel)}`);
  }

  #drawSections(sections) {
    const root = byId("question-lists");
    const focused = root.contains(document.activeElement) ? document.activeElement : null;
    const card = [...this.#cards.values()].find(({ element }) => element.contains(focused));
    const shown = sections.map((section) => ({ ...section, cards: section.questions.slice(0, MOST_CARDS) }));
    this.#drop(shown);
    let before = root.firstElementChild;
    for (const { key, title, questions, cards } of shown) {
      const section = this.#sections.get(key) ?? this.#addSection(key);
      if (section.element !== before) root.insertBefore(section.element, before);
      else before = before.nextElementSibling;
      setText(section.title, `${title} (${questions.length})`);
      section.list.setAttribute("aria-label", title);
      section.rest.hidden = questions.length <= MOST_CARDS;
      setText(section.rest, `and ${questions.length - MOST_CARDS} more`);
      this.#fill(section.list, cards);
    }
    // A question that went to another list has lost it.
    if (!focused || root.contains(document.activeElement)) return;
    if (root.contains(focused) && !focused.closest("[hidden]")) focused.focus();
    else if (card && root.contains(card.element)) card.focus();
    else byId("questions-title").focus();
  }

  /** Takes the lists and cards away that are not shown any more. */
  #drop(shown) {
    const keys = new Set(shown.map(({ key }) => key));
    const ids = new Set(shown.flatMap(({ cards }) => cards.map(({ id }) => id)));
    for (const [id, { element }] of this.#cards) {
      if (ids.has(id)) continue;
      element.remove();
      this.#cards.delete(id);
    }
    for (const [key, { element, list }] of this.#sections) {
      if (keys.has(key)) continue;
      // Its cards may be wanted in another list.
      list.replaceChildren();
      element.remove();
      this.#sections.delete(key);
    }
  }

  #fill(list, questions) {
    let before = list.firstElementChild;
    for (const question of questions) {
      const card = this.#cards.get(question.id) ?? this.#add(question);
      if (card.element !== before) list.insertBefore(card.element, before);
      else before = before.nextElementSibling;
      card.render(question, this.#panel);
    }
  }

  #addSection(key) {
    const title = make("h3");
    const list = make("ol");
    const rest = make("p", { class: "note" });
    const section = { element: make("section", {}, title, list, rest), title, list, rest };
    this.#sections.set(key, section);
    return section;
  }

  #add(question) {
    const card = new QuestionCard(question, {
      answer: (id, text) => this.#call.answerQuestion(id, text),
      settle: (id, state) => this.#call.settleQuestion(id, state),
    });
    this.#cards.set(question.id, card);
    return card;
  }
}
