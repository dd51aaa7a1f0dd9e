/**
 * The polls of a meeting, as the server tells of them. No DOM.
 */

/** A meeting has so many. */
export const MOST_POLLS = 50;
export const MOST_OPTIONS = 10;
export const FEWEST_OPTIONS = 2;

/** The messages that `take` takes. */
export const POLL_MESSAGES = ["polls", "poll", "poll_results", "poll_ballots", "poll_deleted"];

/**
 * @typedef {object} Poll
 * @property {string} id
 * @property {string} question
 * @property {string[]} options
 * @property {boolean} multiple   several answers are allowed
 * @property {boolean} anonymous
 * @property {boolean} open
 * @property {string} by          who made it; "" of a service
 * @property {string} author      their id; ""
 * @property {number[]} counts    of each option
 * @property {number} voters
 * @property {number[]|null} vote  ours, as places in `options`
 * @property {Map<string, {name: string, vote: number[]}>} ballots  by participant: hosts alone are told
 */

/** Events: `change`; `opened` (detail: polls that are open, that we did not know, and that we have not voted in). */
export class Polls extends EventTarget {
  /** In the server's order. @type {Map<string, Poll>} */
  #all = new Map();

  /** @returns {Poll[]} the newest first */
  list() {
    return [...this.#all.values()].reverse();
  }

  /** @returns {Poll|undefined} */
  get(id) {
    return this.#all.get(id);
  }

  get size() {
    return this.#all.size;
  }

  /** Open ones that we have not voted in. @returns {Poll[]} the newest first */
  unanswered() {
    return this.list().filter(({ open, vote }) => open && !vote);
  }

  /** Takes a message of the server, by its type. */
  take(message) {
    const { type, poll_id: id } = message;
    if (type === "polls") return this.#replace(message.polls);
    if (type === "poll") return this.#put(message.poll);
    const known = this.#all.get(id);
    if (!known) return undefined;
    if (type === "poll_deleted") this.#all.delete(id);
    else if (type === "poll_ballots") takeBallots(known, message.ballots);
    else if (type === "poll_results" && isTally(message, known.options)) {
      known.counts = message.counts;
      known.voters = message.voters;
    } else return undefined;
    return this.#tell("change");
  }

  /** The server has taken our vote. */
  voted(id, vote) {
    const known = this.#all.get(id);
    if (!known) return;
    known.vote = [...vote];
    this.#tell("change");
  }

  /** Those that are not among them are gone. */
  #replace(polls) {
    if (!Array.isArray(polls)) return;
    const before = this.#all;
    this.#all = new Map();
    for (const raw of polls.slice(0, MOST_POLLS)) {
      const poll = checked(raw);
      // In a closed anonymous poll the server does not know our vote any more.
      if (poll && !poll.open) poll.vote ??= before.get(poll.id)?.vote ?? null;
      if (poll) this.#all.set(poll.id, poll);
    }
    this.#tell("change");
    this.#open(this.unanswered().filter(({ id }) => !before.has(id)));
  }

  /** What one reader alone is told is not in it. */
  #put(raw) {
    const poll = checked(raw);
    if (!poll) return;
    const known = this.#all.get(poll.id);
    if (known) Object.assign(poll, { vote: known.vote, ballots: known.ballots });
    this.#all.set(poll.id, poll);
    this.#tell("change");
    if (!known && poll.open) this.#open([poll]);
  }

  #open(polls) {
    if (polls.length > 0) this.#tell("opened", polls);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/**
 * What each option has.
 *
 * @param {Poll} poll
 * @returns {{label: string, count: number, percent: number, mine: boolean}[]}  percent: of those who voted, rounded
 */
export function sharesOf({ options, counts, voters, vote }) {
  return options.map((label, place) => ({
    label,
    count: counts[place],
    percent: voters > 0 ? Math.round((100 * counts[place]) / voters) : 0,
    mine: vote?.includes(place) ?? false,
  }));
}

/** "3 votes, 60 percent", for screen readers. */
export function shareWords({ count, percent }) {
  return `${count} ${count === 1 ? "vote" : "votes"}, ${percent} percent`;
}

/** What kind of poll it is, and how it stands. @param {Poll} poll */
export function stateWords({ open, multiple, anonymous, by }) {
  const kind = multiple ? "several answers" : "one answer";
  return [open ? "Open" : "Closed", kind, anonymous && "anonymous", by && `by ${by}`].filter(Boolean).join(" · ");
}

/** How many have voted, and whether we have. @param {Poll} poll */
export function voterWords({ open, voters, vote }) {
  const people = voters === 0 ? "Nobody has voted yet" : voters === 1 ? "1 person voted" : `${voters} people voted`;
  if (!open) return voters === 0 ? "Nobody voted" : people;
  return vote ? `${people}. You may change your vote until the poll is closed.` : people;
}

/** Who chose what, by name. @param {Poll} poll @returns {{id: string, name: string, answers: string}[]} */
export function ballotsOf({ ballots, options }, nameOf) {
  const all = [...ballots].map(([id, { name, vote }]) => ({
    id, name: name || nameOf(id), answers: vote.map((place) => options[place]).join(", "),
  }));
  return all.sort((a, b) => a.name.localeCompare(b.name));
}

/** It comes from the network: null for what is no poll. @returns {Poll|null} */
function checked(raw) {
  if (typeof raw !== "object" || raw === null) return null;
  const { poll_id: id, question, options, multiple, anonymous, is_open: open, by } = raw;
  if (typeof id !== "string" || id === "" || typeof question !== "string" || !areOptions(options)) return null;
  if (!isTally(raw, options)) return null;
  const poll = {
    id, question, options, multiple: multiple === true, anonymous: anonymous === true, open: open === true,
    by: textOf(by?.display_name), author: textOf(by?.participant_id), counts: raw.counts, voters: raw.voters,
    vote: isVote(raw.vote, options) ? raw.vote : null, ballots: new Map(),
  };
  takeBallots(poll, raw.ballots);
  return poll;
}

function takeBallots(poll, raw) {
  if (poll.anonymous || !Array.isArray(raw)) return;
  for (const each of raw) {
    const { participant_id: id, display_name: name, options: vote } = each ?? {};
    if (typeof id === "string" && isVote(vote, poll.options)) poll.ballots.set(id, { name: textOf(name), vote });
  }
}

const textOf = (value) => (typeof value === "string" ? value : "");
const isCount = (value) => Number.isSafeInteger(value) && value >= 0;

function areOptions(options) {
  return Array.isArray(options) && options.length >= FEWEST_OPTIONS && options.length <= MOST_OPTIONS
    && options.every((each) => typeof each === "string");
}

function isTally({ counts, voters }, options) {
  return Array.isArray(counts) && counts.length === options.length && counts.every(isCount) && isCount(voters);
}

function isVote(vote, options) {
  return Array.isArray(vote) && vote.length > 0 && vote.length <= options.length
    && vote.every((place) => isCount(place) && place < options.length);
}
