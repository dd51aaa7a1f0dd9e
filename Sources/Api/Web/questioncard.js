/**
 * One question in the list: what was asked, what came of it, and what the panel may do with it.
 */

import { make, setText } from "./dom.js";
import { MOST_ANSWER_CHARACTERS } from "./questions.js";
import { answeredWords, askedWords, explainQuestion, lengthOf, lengthWords } from "./questionwords.js";

/**
 * @typedef {object} QuestionActs
 * @property {(question: string, text: string) => Promise<void>} answer  rejects with ServiceError, as the other does
 * @property {(question: string, state: "open"|"answered"|"dismissed") => Promise<void>} settle
 */

export class QuestionCard {
  element;
  #id;
  #acts;
  #parts;
  #busy = false;
  /** Whether an answer is being written. */
  #writing = false;
  #open = false;
  #panel = false;

  /**
   * @param {import("./questions.js").Question} question
   * @param {QuestionActs} acts
   */
  constructor({ id }, acts) {
    this.#id = id;
    this.#acts = acts;
    this.#parts = this.#makeParts(id);
    const { title, note, answer, by, row, form, problem } = this.#parts;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#answer();
    });
    this.element = make("li", { class: "question", "aria-labelledby": title.id }, title, note, answer, by, row, form, problem);
  }

  focus() {
    this.#parts.title.focus();
  }

  /** @param {import("./questions.js").Question} question  as it is now @param {boolean} panel  whether we answer */
  render(question, panel) {
    const { title, note, answer, by } = this.#parts;
    setText(title, question.text);
    setText(note, askedWords(question));
    setText(answer, question.answer);
    setText(by, answeredWords(question));
    answer.hidden = question.answer === "";
    by.hidden = question.state !== "answered";
    this.element.classList.toggle("dismissed", question.state === "dismissed");
    this.#open = question.state === "open";
    this.#panel = panel;
    this.#drawActs();
  }

  #makeParts(id) {
    const button = (words, kind, act) => {
      const element = make("button", { type: "button", class: `${kind} small`, text: words });
      element.addEventListener("click", act);
      return element;
    };
    const settle = (state) => () => this.#do(() => this.#acts.settle(this.#id, state));
    const reply = button("Answer", "primary", () => this.#write(!this.#writing));
    const live = button("Answered live", "secondary", settle("answered"));
    const dismiss = button("Dismiss", "secondary", settle("dismissed"));
    const again = button("Open again", "secondary", settle("open"));
    const length = make("p", { class: "length", id: `question-${id}-length` });
    const field = make("textarea", { rows: "3", dir: "auto", "aria-label": "Your answer", "aria-describedby": length.id });
    field.addEventListener("input", () => this.#count());
    const send = make("button", { type: "submit", class: "primary small", text: "Send answer" });
    const cancel = button("Cancel", "secondary", () => this.#write(false));
    return {
      reply, live, dismiss, again, length, field, send,
      title: make("h4", { id: `question-${id}`, tabindex: "-1", dir: "auto" }),
      note: make("p", { class: "note", dir: "auto" }),
      answer: make("p", { class: "given", dir: "auto" }),
      by: make("p", { class: "note", dir: "auto" }),
      row: make("div", { class: "row" }, reply, live, dismiss, again),
      form: make("form", { novalidate: true, hidden: true }, field, length, make("div", { class: "row" }, send, cancel)),
      problem: make("p", { class: "gone", role: "alert", hidden: true }),
    };
  }

  #drawActs() {
    const { reply, live, dismiss, again, row, form } = this.#parts;
    const active = document.activeElement;
    const inside = this.element.contains(active);
    for (const each of [reply, live, dismiss]) each.hidden = !this.#open;
    again.hidden = this.#open;
    row.hidden = !this.#panel;
    form.hidden = !(this.#panel && this.#open && this.#writing);
    reply.setAttribute("aria-expanded", String(!form.hidden));
    for (const each of [live, dismiss, again]) each.setAttribute("aria-disabled", String(this.#busy));
    this.#count();
    if (inside && active.closest("[hidden]")) this.focus();
  }

  #count() {
    const { field, length, send } = this.#parts;
    const count = lengthOf(field.value);
    const tooLong = count > MOST_ANSWER_CHARACTERS;
    setText(length, lengthWords(count, MOST_ANSWER_CHARACTERS));
    length.classList.toggle("over", tooLong);
    send.setAttribute("aria-disabled", String(this.#busy || count === 0 || tooLong));
    return count > 0 && !tooLong;
  }

  /** Shows the field, or folds it away; what was written stays. */
  #write(on) {
    this.#writing = on;
    this.#drawActs();
    (on ? this.#parts.field : this.#parts.reply).focus();
  }

  async #answer() {
    if (this.#busy || !this.#count()) return;
    const { field } = this.#parts;
    const done = await this.#do(() => this.#acts.answer(this.#id, field.value.trim()));
    if (!done) return;
    field.value = "";
    this.#writing = false;
    this.#drawActs();
  }

  /** Whether it was done; says why not. */
  async #do(act) {
    if (this.#busy) return false;
    const { problem } = this.#parts;
    this.#busy = true;
    problem.hidden = true;
    this.#drawActs();
    let refusal = null;
    try {
      await act();
    } catch (error) {
      console.warn("question not changed", error);
      refusal = explainQuestion(error);
    }
    this.#busy = false;
    setText(problem, refusal ?? "");
    problem.hidden = refusal === null;
    this.#drawActs();
    return refusal === null;
  }
}
