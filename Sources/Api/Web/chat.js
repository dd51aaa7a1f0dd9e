/**
 * What was written in a meeting: the part of it that the page has, and what of it is unread. No DOM.
 */

/** What a page keeps; earlier messages may be loaded again. */
export const MOST_MESSAGES = 1_000;
export const MOST_CHARACTERS = 2_000;

/** Messages of one sender within this time stand together. */
const GROUP_MS = 5 * 60_000;
const MOST_COUNTED = 99;
const QUOTE_CHARACTERS = 120;

/**
 * @typedef {object} ChatMessage
 * @property {string} chat_id
 * @property {string} sender_id
 * @property {string} sender_name
 * @property {string} [recipient_id]  of a private message
 * @property {string} [room_id]  of one to a breakout room alone
 * @property {string} [room_name]  "" where nobody here knows it any more
 * @property {string} text  "" of a deleted one
 * @property {string} [reply_to]  chat_id of what it answers
 * @property {string} sent_at  ISO 8601
 * @property {string} [edited_at]
 * @property {boolean} [deleted]
 */

/** A run of the chat without gaps, in the server's order; live messages continue it where it reaches to the newest. */
export class ChatLog {
  /** Whether there are earlier ones on the server, and later ones. */
  older = false;
  newer = false;
  /** Whether something was there before us that nobody here has looked at. */
  unopened = false;
  /** The newest id that we know of, in the run or not; null where there is none. */
  latest = null;
  #own;
  #most;
  /** @type {Map<string, ChatMessage>} in order */
  #all = new Map();
  /** Live ones while the run does not reach to the newest. @type {Map<string, ChatMessage>} */
  #ahead = new Map();
  /** What was changed while we looked: a page may be older than that. @type {Map<string, ChatMessage>} */
  #changed = new Map();
  /** @type {Set<string>} */
  #unread = new Set();

  /**
   * @param {string} own  our participant_id
   * @param {string|null} last  chat_id of the newest message when we came
   */
  constructor(own, last, most = MOST_MESSAGES) {
    this.#own = own;
    this.#most = most;
    this.latest = last;
    this.older = this.unopened = last !== null;
  }

  get size() {
    return this.#all.size;
  }

  get unread() {
    return this.#unread.size;
  }

  /** The earliest id of the run, undefined where it is empty. */
  get first() {
    return this.#all.keys().next().value;
  }

  get last() {
    return [...this.#all.keys()].at(-1);
  }

  /** The earliest unread message of the run, if there is one. */
  get firstUnread() {
    return [...this.#all.keys()].find((id) => this.#unread.has(id));
  }

  /** @returns {ChatMessage[]} in order */
  list() {
    return [...this.#all.values()];
  }

  /** @returns {ChatMessage|undefined} */
  get(id) {
    return this.#all.get(id);
  }

  /**
   * Takes a message that was sent, edited or deleted now.
   *
   * @returns {boolean} whether it is a new one
   */
  take(raw) {
    const message = checked(raw);
    if (!message) return false;
    const { chat_id: id } = message;
    if (message.deleted || message.edited_at) this.#keepChange(message);
    if (this.#replace(message)) return false;
    if ((message.deleted || message.edited_at) && this.#isPast(message)) return false;
    this.latest = id;
    this.#count(message);
    if (this.newer) this.#ahead.set(id, message);
    else this.#all.set(id, message);
    if (this.#ahead.size > this.#most) this.#ahead.delete(this.#ahead.keys().next().value);
    this.#dropOldest();
    return true;
  }

  /** Takes a page of earlier messages. */
  takeOlder(messages, more) {
    const known = this.#all;
    this.#all = new Map();
    for (const message of messages.map(checked)) if (message && !known.has(message.chat_id)) this.#set(message);
    for (const message of known.values()) this.#set(message);
    this.older = more;
    this.#dropNewest();
  }

  /**
   * Takes a page of later messages.
   *
   * @param {boolean} fresh  they came while our socket was away, and count as unread
   * @returns {ChatMessage[]} those that count
   */
  takeNewer(messages, more, fresh = false) {
    const counted = [];
    for (const message of messages.map(checked)) {
      if (!message) continue;
      const known = this.#all.has(message.chat_id) || this.#ahead.delete(message.chat_id);
      this.#set(message);
      if (fresh && !known && this.#count(message)) counted.push(message);
    }
    this.newer = more;
    if (!more) this.#meetAhead();
    this.#dropOldest();
    return counted;
  }

  /** What comes from now on is kept apart, until a page that was asked for has come. */
  part() {
    this.newer = true;
    this.#ahead.clear();
  }

  /** Begins anew with a page from anywhere, that was asked for after `part`. */
  replaceBy(messages, older, newer) {
    this.#all = new Map();
    for (const message of messages.map(checked)) if (message) this.#set(message);
    this.older = older;
    this.newer = newer;
    if (!newer) this.#meetAhead();
    this.#dropOldest();
  }

  /** Everything was looked at. */
  seen() {
    const changed = this.#unread.size > 0 || this.unopened;
    this.#unread.clear();
    this.unopened = false;
    return changed;
  }

  #meetAhead() {
    for (const message of this.#ahead.values()) if (!this.#all.has(message.chat_id)) this.#set(message);
    this.#ahead.clear();
    this.latest = this.last ?? this.latest;
  }

  #set(message) {
    const { chat_id: id } = message;
    this.#all.set(id, [this.#all.get(id), this.#ahead.get(id), this.#changed.get(id)].reduce(laterOf, message));
  }

  #keepChange(message) {
    const { chat_id: id } = message;
    this.#changed.delete(id);
    this.#changed.set(id, message);
    if (this.#changed.size > this.#most) this.#changed.delete(this.#changed.keys().next().value);
  }

  #replace(message) {
    const { chat_id: id } = message;
    const place = [this.#all, this.#ahead].find((each) => each.has(id));
    if (message.deleted) this.#unread.delete(id);
    place?.set(id, message);
    return place !== undefined;
  }

  /** Whether a message that was changed is an earlier one that is not here, or comes with a page. */
  #isPast({ sent_at: sentAt }) {
    const last = this.#all.get(this.last);
    return this.newer || (last ? Date.parse(sentAt) <= Date.parse(last.sent_at) : this.older);
  }

  #count({ chat_id: id, sender_id: sender, deleted }) {
    if (sender === this.#own || deleted) return false;
    if (this.#unread.size < this.#most) this.#unread.add(id);
    return true;
  }

  #dropOldest() {
    while (this.#all.size > this.#most) {
      this.#all.delete(this.first);
      this.older = true;
    }
  }

  #dropNewest() {
    const extra = this.#all.size - this.#most;
    if (extra <= 0) return;
    for (const id of [...this.#all.keys()].slice(-extra)) this.#all.delete(id);
    this.newer = true;
  }
}

/** Of two states of a message the later one. */
function laterOf(one, other) {
  if (!other || one.deleted) return one;
  if (other.deleted) return other;
  const changed = ({ edited_at: at }) => Date.parse(at ?? "") || 0;
  return changed(other) > changed(one) ? other : one;
}

/** A message with all that is needed to show it, null for something else. */
function checked(raw) {
  if (typeof raw?.chat_id !== "string" || typeof raw.sender_id !== "string") return null;
  const deleted = raw.deleted === true;
  return {
    ...raw,
    sender_name: typeof raw.sender_name === "string" && raw.sender_name ? raw.sender_name : "Guest",
    text: !deleted && typeof raw.text === "string" ? raw.text : "",
    deleted,
  };
}

/**
 * Whether a message begins a group of its sender: a sender, a recipient, a room or a while after the one before.
 *
 * @param {ChatMessage|undefined} before
 * @param {ChatMessage} message
 */
export function beginsGroup(before, message) {
  if (!before || before.sender_id !== message.sender_id || before.sender_name !== message.sender_name) return true;
  if ((before.recipient_id ?? "") !== (message.recipient_id ?? "")) return true;
  if ((before.room_id ?? "") !== (message.room_id ?? "")) return true;
  return !(Date.parse(message.sent_at) - Date.parse(before.sent_at) < GROUP_MS);
}

/**
 * Whom a private message joins us with, null for one to everybody.
 *
 * @param {ChatMessage} message
 * @param {string} own  our participant_id
 */
export function partnerOf({ sender_id: sender, recipient_id: recipient }, own) {
  if (!recipient) return null;
  return sender === own ? recipient : sender;
}

/** The number on the button: "" for none, at most "99+". */
export function countWords(count) {
  if (!count) return "";
  return count > MOST_COUNTED ? `${MOST_COUNTED}+` : String(count);
}

/** @returns {string} for example "1 new message" */
export function newsWords(count) {
  return count === 1 ? "1 new message" : `${countWords(count)} new messages`;
}

/**
 * What is read out for messages that came together.
 *
 * @param {ChatMessage[]} messages
 */
export function heardWords(messages) {
  if (messages.length !== 1) return newsWords(messages.length);
  const [{ sender_name: name, recipient_id: recipient, text }] = messages;
  return `${name}${recipient ? ", only to you" : ""}: ${firstLineOf(text)}`;
}

/** The first line of a text that has something in it, shortened to what a quote has room for. */
export function firstLineOf(text) {
  const characters = [...(text.split(/[\r\n]+/).find((line) => line.trim()) ?? "").trim()];
  if (characters.length <= QUOTE_CHARACTERS) return characters.join("");
  return `${characters.slice(0, QUOTE_CHARACTERS - 1).join("")}…`;
}

const LINK = /\bhttps?:\/\/[^\s<>"']+/giu;
/** What ends a sentence, and not a link. */
const TAIL = new Set(".,;:!?…*_~");

/**
 * A text as parts of it, of which some are links.
 *
 * @param {string} text
 * @returns {{text: string, href?: string}[]}
 */
export function partsOf(text) {
  const parts = [];
  let from = 0;
  for (const { 0: found, index } of text.matchAll(LINK)) {
    const link = withoutTail(found);
    if (!URL.canParse(link)) continue;
    if (index > from) parts.push({ text: text.slice(from, index) });
    parts.push({ text: link, href: new URL(link).href });
    from = index + link.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from) });
  return parts;
}

/** A link without the punctuation behind it, and without a bracket that was open before it. */
function withoutTail(found) {
  let unopened = 0;
  for (const mark of found) unopened += mark === ")" ? 1 : mark === "(" ? -1 : 0;
  let end = found.length;
  while (end > 0) {
    const mark = found[end - 1];
    if (mark === ")" && unopened > 0) unopened -= 1;
    else if (!TAIL.has(mark)) break;
    end -= 1;
  }
  return found.slice(0, end);
}
