/**
 * The chat of a call: what is told by the socket, and what is loaded by REST beside it. No DOM.
 */

import { chatHistory } from "./api.js";
import { ChatLog } from "./chat.js";
import { ServiceError } from "./errors.js";

const PAGE = 50;
/** What was missed is loaded in larger pages, and so many; beyond them only the newest one is. */
const MISSED_PAGE = 200;
const MOST_PAGES = 5;

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
  /** How often our socket came back, and something was missed. */
  #returns = 0;

  /**
   * @param {import("./call.js").Call} call  that has just been joined
   * @param {typeof chatHistory} [load]
   */
  constructor(call, load = chatHistory) {
    super();
    this.#call = call;
    this.#load = load;
    this.log = new ChatLog(this.#own, call.lastChat);
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
      const { messages, older } = await this.#page({ before: log.first });
      log.takeOlder(messages, older);
    });
  }

  /** Loads the page behind. Rejects with ServiceError. */
  loadNewer() {
    return this.#queue(async () => {
      const { log } = this;
      if (!log.newer || log.size === 0) return;
      const { messages, newer } = await this.#page({ after: log.last });
      log.takeNewer(messages, newer);
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
      const [whole, returns] = [!log.newer, this.#returns];
      log.part();
      try {
        const later = await this.#page({ after: id });
        if (later.messages.length === 0) return await this.#loadNewest();
        // The message itself is the last one before those.
        const earlier = await this.#page({ before: later.messages[0].chat_id });
        log.replaceBy([...earlier.messages, ...later.messages], earlier.older, later.newer || returns !== this.#returns);
      } catch (error) {
        // The log is what it was, with what was told meanwhile.
        if (whole && returns === this.#returns) log.takeNewer([], false);
        throw error;
      }
    }, false);
  }

  /**
   * Messages in which the words are, oldest first, and where the page before them begins. Rejects with ServiceError.
   *
   * @param {string} words
   * @param {string|null} [before]
   * @returns {Promise<{messages: object[], previous: string|null}>}
   */
  find(words, before = null) {
    return this.#page({ query: words, ...(before && { before }) });
  }

  seen() {
    if (this.log.seen()) this.#tell("change");
  }

  #hear(raw) {
    const message = this.#named(raw);
    const isNew = this.log.take(message);
    const known = this.log.get(message?.chat_id) ?? message;
    if (known) this.#tellOwn([known]);
    if (isNew && known.sender_id !== this.#own) this.#tell("news", [known]);
    this.#tell("change");
  }

  /** The socket is back, here or at another PoP: what was said meanwhile nobody has told us. */
  async #catchUp() {
    const { log, loading } = this;
    const { lastChat } = this.#call;
    if (lastChat === null || lastChat === log.latest || log.get(lastChat)) return;
    this.#returns += 1;
    const { latest } = log;
    log.latest = lastChat;
    if (log.newer && !loading) {
      // We look at an earlier part: the later one is loaded when somebody goes there.
      log.unopened = true;
      return this.#tell("change");
    }
    // From this moment on, so that what is told now comes behind what was missed.
    log.part();
    await this.#queue(() => this.#loadMissed(latest)).catch((error) => {
      console.warn("the missed messages were not loaded", error);
      log.unopened = true;
      if (log.size === 0) log.replaceBy([], true, false);
      this.#tell("change");
    });
  }

  /** @param {string|null} latest  what we knew of when the log is empty */
  async #loadMissed(latest) {
    const { log } = this;
    let from = log.last ?? latest;
    const news = [];
    for (let pages = 0; log.newer; pages += 1) {
      if (from === null || pages === MOST_PAGES) return this.#loadNewest(true);
      const { messages, newer } = await this.#page({ after: from, limit: MISSED_PAGE });
      news.push(...log.takeNewer(messages, newer, true));
      this.#tellOwn(messages);
      from = log.last ?? from;
    }
    this.#tellOthers(news);
  }

  /** @param {boolean} [fresh]  what is new in it counts as unread */
  async #loadNewest(fresh = false) {
    const { log } = this;
    log.part();
    const { messages, older, newer } = await this.#page({}).catch((error) => {
      // What is told from now on is a run of its own.
      if (log.size === 0) log.replaceBy([], true, false);
      throw error;
    });
    if (!fresh) return log.replaceBy(messages, older, newer);
    log.replaceBy([], older, true);
    this.#tellOthers(log.takeNewer(messages, newer, true));
    this.#tellOwn(messages);
  }

  async #page(fields) {
    const place = this.#call.place;
    if (!place) throw new ServiceError({ status: 0 });
    const returns = this.#returns;
    const answer = await this.#load(place, { limit: PAGE, ...fields });
    const messages = (Array.isArray(answer.messages) ? answer.messages : []).map((each) => this.#named(each));
    const [previous, next] = [answer.previous ?? null, answer.next ?? null];
    // Where our socket was away meanwhile there may be more behind it.
    const newer = (next !== null && messages.length > 0) || returns !== this.#returns;
    return { messages, previous, older: previous !== null && messages.length > 0, newer };
  }

  /** With the name that a breakout room had then: another one may have its id later. */
  #named(message) {
    if (typeof message?.room_id !== "string") return message;
    const name = this.log.get(message.chat_id)?.room_name || this.#call.breakout.nameOf(message.room_id);
    return { ...message, room_name: name };
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

  get #own() {
    return this.#call.you.participant_id;
  }

  #tellOwn(messages) {
    for (const message of messages) if (message?.sender_id === this.#own) this.#tell("own", message);
  }

  #tellOthers(messages) {
    if (messages.length > 0) this.#tell("news", messages);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
