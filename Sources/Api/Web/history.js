/**
 * The chat of a call: what is told by the socket, and what is loaded by REST beside it. No DOM.
 */

import { chatHistory } from "./api.js";
import { ChatLog } from "./chat.js";
import { ServiceError } from "./errors.js";

const PAGE = 50;
/** So many pages of what was missed are loaded; beyond them only the newest one. */
const MOST_PAGES = 20;

/**
 * Events: `change` (what the log has, or what is unread), `news` (detail: messages of others that came now or while
 * our socket was away), `own` (detail: a message of our own).
 */
export class History extends EventTarget {
  /** @type {ChatLog} */
  log;
  #call;
  #load;
  /** The request that is under way; the next one waits for it. @type {Promise<void>} */
  #busy = Promise.resolve();
  #loading = 0;

  /**
   * @param {import("./call.js").Call} call  that has just been joined
   * @param {typeof chatHistory} [load]
   */
  constructor(call, load = chatHistory) {
    super();
    this.#call = call;
    this.#load = load;
    this.log = new ChatLog(call.you.participant_id, call.lastChat);
    call.addEventListener("chat", ({ detail }) => this.#hear(detail));
    call.addEventListener("back", () => this.#catchUp());
  }

  /** Whether something is being loaded. */
  get loading() {
    return this.#loading > 0;
  }

  /** Loads the newest page where there is none yet, else the one before. Rejects with ServiceError. */
  loadOlder() {
    return this.#queue(async () => {
      const { log } = this;
      if (!log.older) return;
      if (log.size === 0) return this.#loadNewest();
      const { messages, previous } = await this.#page({ before: log.first });
      log.takeOlder(messages, previous !== null && messages.length > 0);
    });
  }

  /** Loads the page behind. Rejects with ServiceError. */
  loadNewer() {
    return this.#queue(async () => {
      const { log } = this;
      if (!log.newer || log.size === 0) return;
      const { messages, next } = await this.#page({ after: log.last });
      log.takeNewer(messages, next !== null && messages.length > 0);
    });
  }

  /** Has the log reach to the newest message. Rejects with ServiceError. */
  toNewest() {
    return this.#queue(async () => {
      if (this.log.newer) await this.#loadNewest();
    });
  }

  /** Has a message and its neighbours in the log. Rejects with ServiceError. @param {string} id */
  reach(id) {
    return this.#queue(async () => {
      const { log } = this;
      if (log.get(id)) return;
      const later = await this.#page({ after: id });
      log.part();
      if (later.messages.length === 0) return this.#loadNewest();
      // The message itself is the last one before those.
      const earlier = await this.#page({ before: later.messages[0].chat_id });
      log.replaceBy([...earlier.messages, ...later.messages], earlier.previous !== null, later.next !== null);
    }, false);
  }

  /** Messages in which the words are. Rejects with ServiceError. */
  find(words, before = null) {
    return this.#page({ query: words, ...(before && { before }) });
  }

  seen() {
    if (this.log.seen()) this.#tell("change");
  }

  #hear(message) {
    const isNew = this.log.take(message);
    const known = this.log.get(message?.chat_id) ?? message;
    if (message?.sender_id === this.#call.you.participant_id) this.#tell("own", known);
    else if (isNew) this.#tell("news", [known]);
    this.#tell("change");
  }

  /** The socket is back, here or at another PoP: what was said meanwhile nobody has told us. */
  async #catchUp() {
    const { lastChat } = this.#call;
    if (lastChat === null) return;
    await this.#queue(async () => {
      const { log } = this;
      if (lastChat === log.latest || log.get(lastChat)) return;
      const after = log.newer ? null : (log.last ?? log.latest);
      if (after) return this.#loadMissed(after);
      if (log.size === 0) return this.#loadNewest(true);
      // We look at an earlier part: the later one is loaded when somebody goes there.
      log.latest = lastChat;
      log.unopened = true;
    }).catch((error) => {
      console.warn("the missed messages were not loaded", error);
      // They are loaded with the next page.
      Object.assign(this.log, { newer: this.log.size > 0, older: this.log.older || this.log.size === 0, unopened: true });
      this.#tell("change");
    });
  }

  async #loadMissed(after) {
    const { log } = this;
    const empty = log.size === 0;
    log.part();
    const news = [];
    for (let pages = 0, from = after; from !== null; pages += 1) {
      const { messages, next } = await this.#page({ after: from });
      if (pages === MOST_PAGES) return this.#loadNewest(true);
      news.push(...log.takeNewer(messages, next !== null, true));
      from = next;
    }
    // What was there before we came is still to be loaded.
    if (empty) log.older = true;
    this.#tellOthers(news);
  }

  async #loadNewest(fresh = false) {
    const { log } = this;
    log.part();
    const { messages, previous } = await this.#page({}).catch((error) => {
      // What is told from now on is a run of its own.
      if (log.size === 0) log.replaceBy([], true, false);
      throw error;
    });
    if (!fresh) return log.replaceBy(messages, previous !== null, false);
    log.replaceBy([], previous !== null, true);
    this.#tellOthers(log.takeNewer(messages, false, true));
    log.older = previous !== null;
  }

  async #page(fields) {
    const place = this.#call.place;
    if (!place) throw new ServiceError({ status: 0 });
    const { messages, previous, next } = await this.#load(place, { limit: PAGE, ...fields });
    return { messages: Array.isArray(messages) ? messages : [], previous: previous ?? null, next: next ?? null };
  }

  /** @param {boolean} recovers  begins anew with the newest page where the server knows no more of ours */
  #queue(act, recovers = true) {
    this.#loading += 1;
    this.#tell("change");
    const turn = this.#busy.then(async () => {
      try {
        await act();
      } catch (error) {
        if (error.code !== "chat_not_found" || !recovers) throw error;
        await this.#loadNewest();
      } finally {
        this.#loading -= 1;
        this.#tell("change");
      }
    });
    this.#busy = turn.catch(() => {});
    return turn;
  }

  #tellOthers(messages) {
    if (messages.length > 0) this.#tell("news", messages);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
