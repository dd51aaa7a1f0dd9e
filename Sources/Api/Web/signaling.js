/**
 * The signaling socket: requests with answers, and a dropped socket that comes back to the same place.
 */

import { addressOf, elsewhereIn, serviceOf } from "./address.js";
import { ServiceError, kindOf } from "./errors.js";

/** How long the server keeps the place of a participant whose socket dropped, and whose media does not flow. */
export const RESUME_WINDOW_MS = 15_000;

const ANSWER_PATIENCE_MS = 10_000;
const OPEN_PATIENCE_MS = 5_000;
const PING_EVERY_MS = 5_000;
const PONG_PATIENCE_MS = 6_000;
/** How many round trips of the last ping a socket may take to show that it lives, within these bounds. */
const VERIFY_ROUND_TRIPS = 4;
const VERIFY_MS = [400, 2_000];
const RETRY_DELAYS_MS = [0, 300, 700, 1_500, 2_000];
/** The server closes a socket that has not joined 10 s after it opened. */
const EARLY_LIFE_MS = 8_000;
/** How many sockets one who does not join yet may have, one after the other. */
const EARLY_LIMIT = 5;

/** How many PoPs of a fleet may send a join on. */
const MOST_WAYS = 4;

/** Answers to a resumption after which another attempt is useless. */
const FINAL = new Set(["resume_expired", "token_bad", "token_expired", "not_found", "ended", "forbidden", "removed"]);

/**
 * Events: every message of the server under its `type` (detail: the message), and of its own `asked` (a join is on its
 * way), `interrupted`, `resumed` (detail: the new `joined` message), `lost` (detail: an Error), `shut` (the socket by which
 * we wait to be let in is lost; another join comes back).
 */
export class Signaling extends EventTarget {
  #address;
  /** Of the PoP that our socket is at; "" where we are where the page came from. */
  #service = "";
  #state;
  #alive;
  #token = null;
  #resume = null;
  #socket = null;
  /** A socket that has not joined; `waits`: to be let in. @type {{opening: Promise<WebSocket>, since: number, waits?: boolean}|null} */
  #early = null;
  #earlyLeft = EARLY_LIMIT;
  #pending = new Map();
  #nextId = 1;
  #pinger = 0;
  #finished = false;
  #recovering = false;
  /** Whether the latest attempt to come back found nobody. */
  refused = false;
  /** Of the last ping, ms. */
  #roundTrip = 200;
  /** Has the next attempt to come back begin now. */
  #hurry = () => {};

  /**
   * @param {string} address  of the socket; may be a path
   * @param {() => object} [state]  what a resumption tells beside who we are, such as `media_state` and `view`
   * @param {() => boolean} [alive]  whether media flows: for as long as it does, the server keeps the place
   */
  constructor(address, state = () => ({}), alive = () => false) {
    super();
    this.#address = addressOf(address);
    this.#state = state;
    this.#alive = alive;
    globalThis.addEventListener?.("online", () => this.#hurry());
  }

  /** The session token; null before the join. */
  get token() {
    return this.#token;
  }

  /** What brings us to our place at another PoP; null before the join. */
  get place() {
    return this.#resume && { token: this.#token, resume: this.#resume };
  }

  /** The origin of the PoP's REST; "" for the page's own. */
  get service() {
    return this.#service;
  }

  /** Whether the socket is lost, and on its way back. */
  get interrupted() {
    return this.#recovering;
  }

  /** Opens a socket ahead of the join, if there is none; quietly, and not for ever. */
  prepare() {
    if (this.#finished || this.#resume || this.#usable() || this.#earlyLeft < 1) return;
    this.#earlyLeft -= 1;
    this.#begin();
  }

  /**
   * Joins, by the socket that is open already where there is one. An error that the server answers leaves the socket
   * for another attempt.
   *
   * @param {object} fields  of the message: who we are, and `offer`, `media_state`, `view`
   * @returns {Promise<object>} the `joined` message, or `waiting`: then the next join is by the same socket; rejects with
   *   ServiceError
   */
  async join(fields) {
    const visited = new Set([this.#address]);
    let asked = fields;
    for (;;) {
      try {
        return await this.#ask(asked);
      } catch (error) {
        const way = error.elsewhere?.addresses.find((address) => !visited.has(address));
        if (!way || visited.size > MOST_WAYS) throw error;
        visited.add(way);
        this.#turnTo(way);
        asked = { ...fields, via: error.elsewhere.via };
      }
    }
  }

  /**
   * Takes a place that another PoP of the fleet gave us.
   *
   * @param {{token: string, resume: string}} place
   * @param {object} fields  of the message: `offer`, `media_state`, `view`
   * @returns {Promise<object>} the `joined` message; rejects with ServiceError
   */
  takePlace({ token, resume }, fields) {
    this.#token = token;
    return this.#enter(this.#connect(), { session_token: token, resume, ...fields });
  }

  /** Our place is another socket's from now on: this one is heard while it lasts, and does not come back. */
  retreat() {
    this.#resume = null;
  }

  async #ask(fields) {
    const early = this.#usable();
    try {
      return await this.#enter((early ?? this.#begin()).opening, fields);
    } catch (error) {
      // What was opened ahead may have been closed at the same moment.
      if (!early || early.waits || this.#finished || error.status || error.code) throw error;
      return this.#enter(this.#begin().opening, fields);
    }
  }

  /**
   * Sends a message and waits for its answer.
   *
   * @param {string} type
   * @param {object} [fields]
   * @returns {Promise<object>} rejects with ServiceError
   */
  request(type, fields = {}, patience = ANSWER_PATIENCE_MS) {
    const id = String(this.#nextId++);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(id, { type: "error", code: "timeout" }), patience);
      this.#pending.set(id, { resolve, reject, timer });
      if (!this.#write({ type, id, ...fields })) this.#settle(id, { type: "error", code: "" });
    });
  }

  /**
   * Sends a message that needs no answer. While the socket is away it is dropped: the state is told anew after
   * `resumed`.
   */
  send(type, fields = {}) {
    this.#write({ type, ...fields });
  }

  /**
   * Makes sure of the socket when the network may be another one: one that does not answer soon is replaced. Returns
   * when there is one that does; rejects when the place is lost.
   *
   * @returns {Promise<boolean>} whether it was replaced
   */
  async verify() {
    if (this.#finished) throw new ServiceError({ status: 0 });
    const socket = this.#socket;
    if (socket && !this.#recovering) {
      const patience = Math.min(Math.max(VERIFY_ROUND_TRIPS * this.#roundTrip, VERIFY_MS[0]), VERIFY_MS[1]);
      if (await this.#answers(socket, patience)) return false;
      this.#closed(socket);
    }
    const resumed = new Promise((resolve, reject) => {
      this.addEventListener("resumed", resolve, { once: true });
      this.addEventListener("lost", ({ detail }) => reject(detail), { once: true });
    });
    this.#hurry();
    await resumed;
    return true;
  }

  /** Leaves the meeting and closes the socket for good. */
  leave() {
    if (this.#finished) return;
    this.#finished = true;
    this.#write({ type: "leave" });
    this.#retire(1000);
  }

  /** Closes the socket for good without a word. */
  abandon() {
    this.#finished = true;
    this.#retire(1000);
  }

  /** We do not wait to be let in any more: the next join is by another socket. */
  withdraw() {
    if (!this.#early?.waits) return;
    clearInterval(this.#pinger);
    this.#write({ type: "leave" });
    this.#drop();
  }

  /** Another PoP has the meeting: from here on we talk to that one. */
  #turnTo(address) {
    this.#drop();
    this.#address = address;
  }

  #drop() {
    const old = this.#socket;
    this.#socket = null;
    this.#early = null;
    old?.close(1000);
  }

  #retire(code) {
    clearInterval(this.#pinger);
    this.#early?.opening.then((socket) => socket.close(code), () => {});
    this.#socket?.close(code);
    for (const id of [...this.#pending.keys()]) this.#settle(id, { type: "error", code: "" });
  }

  /** The socket opened ahead, unless the server is about to close it. */
  #usable() {
    return this.#early && performance.now() - this.#early.since < EARLY_LIFE_MS ? this.#early : null;
  }

  #begin() {
    const early = { opening: this.#connect(), since: performance.now() };
    const forget = () => {
      if (this.#early === early) this.#early = null;
    };
    early.opening.then((socket) => socket.addEventListener("close", forget), forget);
    this.#early?.opening.then((socket) => socket.close(1000), () => {});
    this.#early = early;
    return early;
  }

  async #enter(opening, fields) {
    const socket = await opening;
    this.#socket = socket;
    this.dispatchEvent(new CustomEvent("asked"));
    const joined = await this.request("join", fields);
    // The server keeps it open for as long as we wait.
    this.#early = joined.type === "waiting" ? { opening: Promise.resolve(socket), since: Infinity, waits: true } : null;
    this.#resume = joined.resume ?? this.#resume;
    this.#token = joined.session_token ?? this.#token;
    this.#service = serviceOf(socket.url);
    if (joined.signaling_url) this.#address = addressOf(joined.signaling_url);
    clearInterval(this.#pinger);
    this.#pinger = setInterval(() => this.#ping(socket), PING_EVERY_MS);
    return joined;
  }

  #connect() {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(this.#address);
      const refuse = () => {
        clearTimeout(timer);
        reject(new ServiceError({ status: 0, detail: "the signaling socket did not open" }));
      };
      const timer = setTimeout(() => {
        socket.close();
        refuse();
      }, OPEN_PATIENCE_MS);
      socket.addEventListener("open", () => {
        clearTimeout(timer);
        resolve(socket);
      });
      socket.addEventListener("message", (event) => this.#receive(socket, event.data));
      socket.addEventListener("close", () => this.#closed(socket));
      socket.addEventListener("error", refuse, { once: true });
    });
  }

  #write(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #receive(socket, text) {
    if (socket !== this.#socket || this.#finished) return;
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    if (typeof message?.type !== "string") return;
    if (message.id !== undefined && this.#settle(String(message.id), message)) return;
    this.dispatchEvent(new CustomEvent(message.type, { detail: message }));
  }

  /** Gives a waiting request its answer; false when nobody waits for it. */
  #settle(id, answer) {
    const waiting = this.#pending.get(id);
    if (!waiting) return false;
    this.#pending.delete(id);
    clearTimeout(waiting.timer);
    if (answer.type === "error") {
      const { status = 0, code = "", message = "", retry_after_s: retryAfter = 0 } = answer;
      const elsewhere = elsewhereIn(answer);
      waiting.reject(new ServiceError({ status, code, detail: message, retryAfter, elsewhere }));
    } else {
      waiting.resolve(answer);
    }
    return true;
  }

  /** A socket whose peer is silently gone looks open for minutes, so an unanswered ping closes it. */
  async #ping(socket) {
    if (socket !== this.#socket || socket.readyState !== WebSocket.OPEN) return;
    if (!(await this.#answers(socket, PONG_PATIENCE_MS))) this.#closed(socket);
  }

  /** Whether a ping is answered in time, with whatever. */
  async #answers(socket, patience) {
    const asked = performance.now();
    try {
      await this.request("ping", {}, patience);
      this.#roundTrip = performance.now() - asked;
      return true;
    } catch (error) {
      return Boolean(error.status) || (error.code !== "timeout" && socket.readyState === WebSocket.OPEN);
    }
  }

  #closed(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    clearInterval(this.#pinger);
    socket.close();
    for (const id of [...this.#pending.keys()]) this.#settle(id, { type: "error", code: "" });
    if (this.#finished) return;
    if (this.#early?.waits) {
      this.#early = null;
      this.dispatchEvent(new CustomEvent("shut"));
    } else if (!this.#recovering && this.#resume) this.#recover();
  }

  #wait(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#hurry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Tries to come back to the same place until the server gives it up. */
  async #recover() {
    this.#recovering = true;
    this.refused = false;
    this.dispatchEvent(new CustomEvent("interrupted"));
    let until = performance.now() + RESUME_WINDOW_MS;
    let reason = new ServiceError({ status: 0 });
    for (let attempt = 0; performance.now() < until; attempt += 1) {
      await this.#wait(RETRY_DELAYS_MS[Math.min(attempt, RETRY_DELAYS_MS.length - 1)]);
      if (this.#finished) return;
      if (this.#alive()) until = performance.now() + RESUME_WINDOW_MS;
      try {
        const hello = { session_token: this.#token, resume: this.#resume, ...this.#state() };
        const joined = await this.#enter(this.#connect(), hello);
        this.#recovering = false;
        this.dispatchEvent(new CustomEvent("resumed", { detail: joined }));
        return;
      } catch (error) {
        reason = error;
        this.refused = !error.status && !error.code;
        this.#socket?.close(1000);
        this.#socket = null;
        if (FINAL.has(kindOf(error))) break;
      }
    }
    if (this.#finished) return;
    this.abandon();
    this.dispatchEvent(new CustomEvent("lost", { detail: reason }));
  }
}
