/**
 * The signaling socket: requests with answers, and a dropped socket that comes back to the same place.
 */

import { ServiceError, kindOf } from "./errors.js";

/** How long the server keeps the place of a participant whose socket dropped. */
export const RESUME_WINDOW_MS = 15_000;

const ANSWER_PATIENCE_MS = 10_000;
const OPEN_PATIENCE_MS = 5_000;
const PING_EVERY_MS = 5_000;
const PONG_PATIENCE_MS = 6_000;
const RETRY_DELAYS_MS = [0, 300, 700, 1_500, 2_000];

/** Answers to a resumption after which another attempt is useless. */
const FINAL = new Set(["resume_expired", "token_bad", "token_expired", "not_found", "ended", "forbidden"]);

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Events: every message of the server under its `type` (detail: the message), and of its own
 * `interrupted`, `resumed` (detail: the new `joined` message), `lost` (detail: an Error).
 */
export class Signaling extends EventTarget {
  #address;
  #token;
  #resume = null;
  #socket = null;
  #pending = new Map();
  #nextId = 1;
  #pinger = 0;
  #finished = false;
  #recovering = false;

  /**
   * @param {string} address  signaling_url as join answered it; may be a path
   * @param {string} token    session_token
   */
  constructor(address, token) {
    super();
    const url = new URL(address, location.href);
    url.protocol = url.protocol.replace(/^http/, "ws");
    this.#address = url.href;
    this.#token = token;
  }

  /**
   * Opens the socket and joins.
   *
   * @returns {Promise<object>} the `joined` message
   */
  async open() {
    const socket = await this.#connect();
    this.#socket = socket;
    socket.addEventListener("message", (event) => this.#receive(socket, event.data));
    socket.addEventListener("close", () => this.#closed(socket));
    const hello = { session_token: this.#token };
    if (this.#resume) hello.resume = this.#resume;
    const joined = await this.request("join", hello);
    this.#resume = joined.resume ?? this.#resume;
    clearInterval(this.#pinger);
    this.#pinger = setInterval(() => this.#ping(socket), PING_EVERY_MS);
    return joined;
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

  #retire(code) {
    clearInterval(this.#pinger);
    this.#socket?.close(code);
    for (const id of [...this.#pending.keys()]) this.#settle(id, { type: "error", code: "" });
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
      const { status = 0, code = "", message = "" } = answer;
      waiting.reject(new ServiceError({ status, code, detail: message }));
    } else {
      waiting.resolve(answer);
    }
    return true;
  }

  /** A socket whose peer is silently gone looks open for minutes, so an unanswered ping closes it. */
  async #ping(socket) {
    if (socket !== this.#socket || socket.readyState !== WebSocket.OPEN) return;
    try {
      await this.request("ping", {}, PONG_PATIENCE_MS);
    } catch (error) {
      if (error.code === "timeout" && socket === this.#socket) this.#closed(socket);
    }
  }

  #closed(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    clearInterval(this.#pinger);
    socket.close();
    for (const id of [...this.#pending.keys()]) this.#settle(id, { type: "error", code: "" });
    if (!this.#finished && !this.#recovering && this.#resume) this.#recover();
  }

  /** Tries to come back to the same place until the server gives it up. */
  async #recover() {
    this.#recovering = true;
    this.dispatchEvent(new CustomEvent("interrupted"));
    const until = performance.now() + RESUME_WINDOW_MS;
    let reason = new ServiceError({ status: 0 });
    for (let attempt = 0; performance.now() < until; attempt += 1) {
      await wait(RETRY_DELAYS_MS[Math.min(attempt, RETRY_DELAYS_MS.length - 1)]);
      if (this.#finished) return;
      try {
        const joined = await this.open();
        this.#recovering = false;
        this.dispatchEvent(new CustomEvent("resumed", { detail: joined }));
        return;
      } catch (error) {
        reason = error;
        if (FINAL.has(kindOf(error))) break;
      }
    }
    if (this.#finished) return;
    this.abandon();
    this.dispatchEvent(new CustomEvent("lost", { detail: reason }));
  }
}
