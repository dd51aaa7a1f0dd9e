/**
 * One poll in the panel: its question, the answers to choose from with how they stand, and what hosts may do with it.
 */

import { make, setText } from "./dom.js";
import { explainPoll } from "./errors.js";
import { ballotsOf, shareWords, sharesOf, stateWords, voterWords } from "./polls.js";

/**
 * @typedef {object} CardActs
 * @property {(poll: string, vote: number[]) => Promise<void>} vote  rejects with ServiceError, as the others do
 * @property {(poll: string) => Promise<void>} close
 * @property {(poll: string) => void} askToDelete
 * @property {(id: string) => string} nameOf  of somebody in the meeting
 */

export class PollCard {
  element;
  #poll;
  #acts;
  #parts;
  /** @type {{input: HTMLInputElement, number: HTMLElement, bar: HTMLElement, fill: HTMLElement, row: HTMLElement}[]} */
  #rows;
  /** What was chosen here and not sent. */
  #dirty = false;
  #busy = false;

  /**
   * @param {import("./polls.js").Poll} poll
   * @param {CardActs} acts
   */
  constructor(poll, acts) {
    this.#poll = poll;
    this.#acts = acts;
    this.#rows = poll.options.map((label, place) => this.#makeRow(poll, label, place));
    this.#parts = this.#makeParts(poll);
    this.#parts.ballots.addEventListener("toggle", () => this.#drawBallots(this.#poll, this.#parts.ballots.hidden));
    const { state, title, answers, voters, problem, row, ballots } = this.#parts;
    const form = make("form", { novalidate: true }, answers, voters, problem, row, ballots);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#vote();
    });
    this.element = make("li", { class: "poll", "aria-labelledby": title.id }, title, state, form);
    this.#check(poll.vote);
  }

  focus() {
    this.#parts.title.focus();
  }

  /** @param {import("./polls.js").Poll} poll  as it is now @param {boolean} controls  whether we have the host controls */
  render(poll, controls) {
    this.#poll = poll;
    if (!this.#dirty) this.#check(poll.vote);
    this.element.classList.toggle("closed", !poll.open);
    setText(this.#parts.state, stateWords(poll));
    setText(this.#parts.voters, voterWords(poll));
    sharesOf(poll).forEach((share, place) => this.#drawRow(this.#rows[place], share, poll.open));
    const { vote, close, remove, ballots } = this.#parts;
    vote.hidden = !poll.open;
    setText(vote, poll.vote ? "Change vote" : "Vote");
    vote.setAttribute("aria-disabled", String(this.#busy || this.#chosen.length === 0));
    close.hidden = !controls || !poll.open;
    remove.hidden = !controls;
    ballots.hidden = !controls || poll.anonymous || poll.ballots.size === 0;
    this.#drawBallots(poll, ballots.hidden);
  }

  #makeRow(poll, label, place) {
    const input = make("input", { type: poll.multiple ? "checkbox" : "radio", name: `poll-${poll.id}`, value: String(place) });
    input.addEventListener("change", () => this.#choose());
    const number = make("span", { class: "number", "aria-hidden": "true" });
    const fill = make("i");
    const bar = make(
      "span", { class: "poll-bar", role: "meter", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "100" }, fill,
    );
    const words = make("label", {}, input, make("span", { text: label, dir: "auto" }));
    const row = make("div", { class: "answer" }, words, number, bar);
    return { input, number, bar, fill, row };
  }

  #makeParts(poll) {
    const button = (words, kind, act) => {
      const element = make("button", { type: "button", class: `${kind} small`, text: words });
      element.addEventListener("click", act);
      return element;
    };
    const title = make("h3", { id: `poll-title-${poll.id}`, tabindex: "-1", text: poll.question, dir: "auto" });
    const legend = make("legend", { class: "visually-hidden", text: poll.question });
    const vote = make("button", { type: "submit", class: "primary small", text: "Vote" });
    const close = button("Close poll", "secondary", () => this.#close());
    const remove = button("Delete", "secondary", () => this.#acts.askToDelete(poll.id));
    const list = make("ul", { class: "ballots" });
    const summary = make("summary", { text: "Who voted" });
    return {
      title, vote, close, remove, list, summary,
      state: make("p", { class: "note" }),
      answers: make("fieldset", {}, legend, ...this.#rows.map(({ row }) => row)),
      voters: make("p", { class: "note" }),
      problem: make("p", { class: "gone", role: "alert", hidden: true }),
      row: make("div", { class: "row" }, vote, close, remove),
      ballots: make("details", {}, summary, list),
    };
  }

  #drawRow({ input, number, bar, fill, row }, share, open) {
    setText(number, `${share.count} · ${share.percent}%`);
    bar.setAttribute("aria-valuenow", String(share.percent));
    bar.setAttribute("aria-valuetext", share.mine ? `${shareWords(share)}, your answer` : shareWords(share));
    fill.style.setProperty("--share", `${share.percent}%`);
    row.classList.toggle("mine", share.mine);
    input.disabled = !open;
  }

  #drawBallots(poll, isHidden) {
    const { list, summary } = this.#parts;
    setText(summary, `Who voted (${poll.ballots.size})`);
    // Of a thousand they are only written where somebody reads them.
    const lines = isHidden || !this.#parts.ballots.open ? [] : ballotsOf(poll, this.#acts.nameOf);
    const texts = lines.map(({ name, answers }) => `${name}: ${answers}`);
    if (list.children.length === texts.length && texts.every((text, at) => list.children[at].textContent === text)) return;
    list.replaceChildren(...texts.map((text) => make("li", { text, dir: "auto" })));
  }

  // Voting

  get #chosen() {
    return this.#rows.flatMap(({ input }, place) => (input.checked ? [place] : []));
  }

  #check(vote) {
    this.#rows.forEach(({ input }, place) => {
      input.checked = vote?.includes(place) ?? false;
    });
  }

  #choose() {
    this.#dirty = true;
    this.#parts.vote.setAttribute("aria-disabled", String(this.#chosen.length === 0));
  }

  async #vote() {
    const chosen = this.#chosen;
    if (this.#busy || chosen.length === 0 || !this.#poll.open) return;
    await this.#do(() => this.#acts.vote(this.#poll.id, chosen));
  }

  async #close() {
    if (this.#busy) return;
    this.#dirty = false;
    await this.#do(() => this.#acts.close(this.#poll.id));
  }

  async #do(act) {
    const { problem, vote } = this.#parts;
    this.#busy = true;
    vote.setAttribute("aria-disabled", "true");
    problem.hidden = true;
    try {
      await act();
      this.#dirty = false;
    } catch (error) {
      console.warn("poll not changed", error);
      setText(problem, explainPoll(error));
      problem.hidden = false;
    }
    this.#busy = false;
    vote.setAttribute("aria-disabled", String(this.#chosen.length === 0));
  }
}
