/**
 * What is asked in a webinar, and what came of it, as the server tells. No DOM.
 */

export const MOST_QUESTION_CHARACTERS = 500;
export const MOST_ANSWER_CHARACTERS = 1_000;
/** What a page keeps; the earliest that are not open go first. */
export const MOST_QUESTIONS = 1_000;

/** The messages that `take` takes. */
export const QUESTION_MESSAGES = ["question", "questions", "question_gone"];

const STATES = ["open", "answered", "dismissed"];

/**
 * @typedef {object} Question
 * @property {string} id
 * @property {string} text
 * @property {string} askedAt  RFC 3339
 * @property {"open"|"answered"|"dismissed"} state
 * @property {boolean} anonymous
 * @property {boolean} own  we asked it
 * @property {string} asker  their name; "" where it is anonymous
 * @property {string} answer  "" where it was answered live, or is not
 * @property {string} answeredBy  their name
 * @property {string} answeredAt  RFC 3339
 */

/**
 * Events: `change`; `asked` (detail: an open question that is new), `settled` (detail: a question of our own that was answered
 * or dismissed), `answered` (detail: a question of somebody else that was answered). A list that comes as a whole is no news.
 */
export class Questions extends EventTarget {
  /** @type {Map<string, Question>} */
  #all = new Map();

  get size() {
    return this.#all.size;
  }

  /** @returns {Question|undefined} */
  get(id) {
    return this.#all.get(id);
  }

  /** @returns {Question[]} the earliest first */
  list() {
    return [...this.#all.values()].sort((one, other) => timeOf(one.askedAt) - timeOf(other.askedAt));
  }

  /** Takes a message of the server, by its type. */
  take({ type, question, questions, question_id: id }) {
    if (type === "questions") this.replace(questions);
    else if (type === "question_gone") this.#drop(id);
    else this.#put(question);
  }

  /** Those that are not among them are gone. @param {unknown} questions  none: there are none that we may read */
  replace(questions = []) {
    if (!Array.isArray(questions)) return;
    this.#all = new Map();
    for (const question of questions.slice(-MOST_QUESTIONS).map(checked)) if (question) this.#all.set(question.id, question);
    this.#tell("change");
  }

  /** We are not on the panel any more: what is left is our own, and what was answered. */
  narrow() {
    for (const [id, { own, state }] of this.#all) if (!own && state !== "answered") this.#all.delete(id);
    this.#tell("change");
  }

  #put(raw) {
    const question = checked(raw);
    if (!question) return;
    const known = this.#all.get(question.id);
    question.own ||= known?.own === true;
    this.#all.set(question.id, question);
    if (this.#all.size > MOST_QUESTIONS) this.#all.delete(this.#least());
    this.#tell("change");
    const isNews = known?.state !== question.state;
    if (isNews && question.state === "open") this.#tell("asked", question);
    else if (isNews && question.own) this.#tell("settled", question);
    else if (isNews && question.state === "answered") this.#tell("answered", question);
  }

  #drop(id) {
    if (this.#all.delete(id)) this.#tell("change");
  }

  #least() {
    const list = [...this.#all.values()];
    return (list.find(({ state }) => state !== "open") ?? list[0]).id;
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/**
 * @typedef {{key: string, title: string, questions: Question[]}} QuestionSection
 *
 * @param {Question[]} list  the earliest first
 * @param {boolean} panel  whether we are on the panel, and answer
 * @returns {QuestionSection[]} those that have something in them
 */
export function questionSections(list, panel) {
  const of = (wanted) => list.filter(({ state }) => state === wanted);
  const lately = (some) => [...some].sort((one, other) => timeOf(other.answeredAt) - timeOf(one.answeredAt));
  const sections = panel
    ? [["open", "Open", of("open")], ["answered", "Answered", lately(of("answered"))],
      ["dismissed", "Dismissed", of("dismissed").reverse()]]
    : [["own", "Your questions", list.filter(({ own }) => own).reverse()],
      ["answered", "Answered", lately(of("answered").filter(({ own }) => !own))]];
  return sections.map(([key, title, questions]) => ({ key, title, questions })).filter(({ questions }) => questions.length > 0);
}

function timeOf(moment) {
  return Date.parse(moment) || 0;
}

/** It comes from the network: null for what is no question. @returns {Question|null} */
function checked(raw) {
  const { question_id: id, text, state, asked_at: askedAt } = raw ?? {};
  if (typeof id !== "string" || id === "" || typeof text !== "string" || !STATES.includes(state)) return null;
  const anonymous = raw.anonymous === true;
  return {
    id, text, state, anonymous, askedAt: textOf(askedAt), own: raw.own === true,
    asker: anonymous ? "" : textOf(raw.display_name).trim() || "Guest",
    answer: state === "answered" ? textOf(raw.answer) : "",
    answeredBy: textOf(raw.answered_by), answeredAt: textOf(raw.answered_at),
  };
}

function textOf(value) {
  return typeof value === "string" ? value : "";
}
