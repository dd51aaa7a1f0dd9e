/**
 * The field in which the panel of a webinar is asked.
 */

import { byId, setText } from "./dom.js";
import { announce } from "./notices.js";
import { MOST_QUESTION_CHARACTERS } from "./questions.js";
import { explainQuestion, lengthOf, lengthWords } from "./questionwords.js";

export class QuestionForm {
  #ask;
  #busy = false;

  /** @param {(text: string, anonymous: boolean) => Promise<void>} ask  rejects with ServiceError */
  constructor(ask) {
    this.#ask = ask;
    const field = byId("question-text");
    field.addEventListener("input", () => this.#count());
    field.addEventListener("keydown", (event) => {
      // The enter key that ends a word of an input method sends nothing.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#submit();
    });
    byId("question-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.clear();
  }

  clear() {
    byId("question-text").value = "";
    byId("question-anonymous").checked = false;
    this.#complain("");
    this.#count();
  }

  /** Whether there is one at all: hosts answer. */
  show(shown) {
    byId("question-form").hidden = !shown;
  }

  #count() {
    const length = lengthOf(byId("question-text").value);
    const tooLong = length > MOST_QUESTION_CHARACTERS;
    setText(byId("question-length"), lengthWords(length, MOST_QUESTION_CHARACTERS));
    byId("question-length").classList.toggle("over", tooLong);
    byId("question-ask").setAttribute("aria-disabled", String(this.#busy || length === 0 || tooLong));
    return length > 0 && !tooLong;
  }

  async #submit() {
    if (this.#busy || !this.#count()) return;
    const field = byId("question-text");
    const sent = field.value;
    this.#busy = true;
    this.#complain("");
    this.#count();
    try {
      await this.#ask(sent.trim(), byId("question-anonymous").checked);
      // What was typed meanwhile stays.
      if (field.value.startsWith(sent)) field.value = field.value.slice(sent.length);
      announce("Your question is with the panel");
    } catch (error) {
      console.warn("not asked", error);
      this.#complain(explainQuestion(error));
    }
    this.#busy = false;
    this.#count();
  }

  #complain(words) {
    setText(byId("question-problem"), words);
    byId("question-problem").hidden = words === "";
  }
}
