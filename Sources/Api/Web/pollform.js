/**
 * The form by which a host makes a poll.
 */

import { byId, icon, make, setText } from "./dom.js";
import { explainPoll } from "./errors.js";
import { FEWEST_OPTIONS, MOST_OPTIONS } from "./polls.js";

export class PollForm {
  #ask;
  /** @type {{line: HTMLElement, field: HTMLInputElement, label: HTMLElement, remove: HTMLElement, removes: HTMLElement}[]} */
  #options = [];
  #busy = false;

  /** @param {(draft: {question: string, options: string[], multiple: boolean, anonymous: boolean}) => Promise<void>} ask
   *   rejects with ServiceError */
  constructor(ask) {
    this.#ask = ask;
    byId("poll-new").addEventListener("click", () => this.toggle());
    byId("poll-cancel").addEventListener("click", () => this.#fold());
    byId("poll-add").addEventListener("click", () => this.#add()?.focus());
    byId("poll-question").addEventListener("keydown", (event) => {
      if (isEnter(event)) this.#options[0].field.focus();
    });
    byId("poll-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.clear();
  }

  get open() {
    return !byId("poll-form").hidden;
  }

  /** Shows it, or folds it away; what was written stays. */
  toggle() {
    if (this.open) return this.#fold();
    byId("poll-form").hidden = false;
    byId("poll-new").setAttribute("aria-expanded", "true");
    byId("poll-question").focus();
    return undefined;
  }

  /** Empties it, and folds it away. */
  clear() {
    byId("poll-question").value = "";
    for (const id of ["poll-multiple", "poll-anonymous"]) byId(id).checked = false;
    byId("poll-options").replaceChildren();
    this.#options = [];
    for (let each = 0; each < FEWEST_OPTIONS; each += 1) this.#add();
    this.#complain("");
    this.hide();
  }

  hide() {
    byId("poll-form").hidden = true;
    byId("poll-new").setAttribute("aria-expanded", "false");
  }

  #fold() {
    this.hide();
    byId("poll-new").focus();
  }

  /** @returns {HTMLInputElement|null} the field of another answer; null where there are enough */
  #add() {
    if (this.#options.length === MOST_OPTIONS) return null;
    const field = make("input", { type: "text", maxlength: "100", autocomplete: "off", dir: "auto" });
    const label = make("span", { class: "visually-hidden" });
    const removes = make("span", { class: "visually-hidden" });
    const remove = make("button", { type: "button", class: "quiet square" }, icon("close"), removes);
    const line = make("li", {}, make("label", {}, label, field), remove);
    const option = { line, field, label, remove, removes };
    remove.addEventListener("click", () => this.#remove(option));
    field.addEventListener("keydown", (event) => isEnter(event) && this.#next(option));
    this.#options.push(option);
    byId("poll-options").append(line);
    this.#number();
    return field;
  }

  /** Enter goes to the next answer, and makes one behind the last; an empty last one goes on to the button. */
  #next(option) {
    const place = this.#options.indexOf(option);
    const next = this.#options[place + 1]?.field ?? (option.field.value.trim() === "" ? null : this.#add());
    (next ?? byId("poll-ask")).focus();
  }

  #remove(option) {
    const place = this.#options.indexOf(option);
    this.#options.splice(place, 1);
    option.line.remove();
    this.#number();
    (this.#options[place] ?? this.#options.at(-1)).field.focus();
  }

  #number() {
    const few = this.#options.length <= FEWEST_OPTIONS;
    this.#options.forEach(({ label, remove, removes }, place) => {
      setText(label, `Answer ${place + 1}`);
      setText(removes, `Remove answer ${place + 1}`);
      remove.hidden = few;
    });
    byId("poll-add").hidden = this.#options.length === MOST_OPTIONS;
  }

  async #submit() {
    if (this.#busy) return;
    const draft = {
      question: byId("poll-question").value.trim(),
      options: this.#options.map(({ field }) => field.value.trim()).filter(Boolean),
      multiple: byId("poll-multiple").checked,
      anonymous: byId("poll-anonymous").checked,
    };
    const missing = this.#missing(draft);
    if (missing) {
      this.#complain(missing.words);
      missing.field.focus();
      return;
    }
    this.#busy = true;
    this.#complain("");
    try {
      await this.#ask(draft);
      this.clear();
      byId("polls-title").focus();
    } catch (error) {
      console.warn("poll not made", error);
      this.#complain(explainPoll(error));
    }
    this.#busy = false;
  }

  /** What is not there yet, or there twice. */
  #missing({ question, options }) {
    const empty = this.#options.find(({ field }) => field.value.trim() === "")?.field ?? this.#options[0].field;
    if (question === "") return { words: "Write a question", field: byId("poll-question") };
    if (options.length < FEWEST_OPTIONS) return { words: "Write two answers at least", field: empty };
    if (new Set(options).size === options.length) return null;
    const twice = this.#options.findLast(({ field }) => options.filter((each) => each === field.value.trim()).length > 1);
    return { words: "Two answers are the same", field: twice.field };
  }

  #complain(words) {
    setText(byId("poll-problem"), words);
    byId("poll-problem").hidden = words === "";
  }
}

/** Not the Enter that ends a word of an input method. */
function isEnter(event) {
  if (event.key !== "Enter" || event.isComposing) return false;
  event.preventDefault();
  return true;
}
