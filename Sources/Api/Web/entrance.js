/**
 * The way into a meeting: asks for a place, and where there is a waiting room stays there until a host answers. No DOM.
 */

import { ServiceError } from "./errors.js";
import { PATIENCE_MS, waitOf } from "./patience.js";

/** The server does not know us any more: we ask as at first. */
const GONE = new Set(["participant_not_found", "token_expired", "token_invalid"]);
const RETRY_DELAYS_MS = [0, 1_000, 2_000, 4_000, 8_000];
/** All who wait lose their sockets in the same moment: they do not come back in one. */
const SPREAD_MS = 1_000;

/** The error of a join that its user gave up. */
export const LEFT = "left";

/** Event: `waiting` (detail: {meeting, away}): we wait to be let in, `away` while the socket is lost. */
export class Entrance extends EventTarget {
  #signaling;
  /** Fields of a join that asks for a new place. */
  #who;
  #state;
  /** What the server told of the meeting. */
  #meeting = null;
  /** Of our place in the waiting room; null where we have none. */
  #token = null;
  /** Why we do not come in. @type {ServiceError|null} */
  #refusal = null;
  #listening = new AbortController();
  /** Ends a wait early. */
  #wake = () => {};

  /**
   * @param {import("./signaling.js").Signaling} signaling
   * @param {{meeting: string, displayName: string, password?: string, hostKey?: string}} who
   * @param {() => Promise<object>} state  further fields of each join: `offer`, `media_state`, `view`
   */
  constructor(signaling, who, state) {
    super();
    this.#signaling = signaling;
    this.#who = helloOf(who);
    this.#state = state;
    const { signal } = this.#listening;
    const on = (type, act) => signaling.addEventListener(type, ({ detail }) => act(detail ?? {}), { signal });
    on("admitted", () => this.#wake());
    on("shut", () => this.#lose());
    on("denied", () => this.#refuse({ status: 403, code: "denied" }));
    on("removed", ({ reason }) =>
      this.#refuse(reason === "no_media" ? { status: 503, code: "full" } : { status: 403, code: "removed" }));
    on("meeting_ended", ({ reason }) =>
      this.#refuse(reason === "shutdown" ? { status: 503, code: "draining" } : { status: 410, code: "meeting_ended" }));
  }

  /**
   * Goes in. Where it has to wait, it does so for as long as it takes.
   *
   * @returns {Promise<object>} the `joined` message; rejects with ServiceError
   */
  async enter() {
    try {
      let answer = await this.#ask();
      while (answer.type === "waiting") {
        this.#token = answer.session_token;
        this.#meeting = answer.meeting ?? this.#meeting;
        this.#tell(false);
        await this.#wait();
        answer = await this.#askAgain();
      }
      return answer;
    } catch (error) {
      this.#signaling.withdraw();
      throw this.#refusal ?? error;
    } finally {
      this.#listening.abort();
    }
  }

  /** Its user does not want to go in any more. */
  leave() {
    this.#refuse({ code: LEFT });
  }

  async #ask() {
    const who = this.#token ? { session_token: this.#token } : this.#who;
    return this.#signaling.join({ ...who, ...(await this.#state()) });
  }

  /** We are let in, or our socket was lost. */
  async #askAgain() {
    const until = performance.now() + PATIENCE_MS;
    for (let attempt = 0; ; attempt += 1) {
      if (this.#refusal) throw this.#refusal;
      try {
        return await this.#ask();
      } catch (error) {
        if (GONE.has(error.code) && this.#token) {
          this.#token = null;
          continue;
        }
        const delay = delayAfter(error, attempt);
        if (delay === null || performance.now() + delay > until) throw error;
        this.#tell(true);
        await this.#wait(delay + Math.random() * SPREAD_MS);
      }
    }
  }

  #lose() {
    this.#tell(true);
    this.#wake();
  }

  #refuse(problem) {
    this.#refusal ??= new ServiceError(problem);
    this.#wake();
  }

  /** Until something happens, at most so long. */
  #wait(ms) {
    if (this.#refusal) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = ms === undefined ? 0 : setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #tell(away) {
    this.dispatchEvent(new CustomEvent("waiting", { detail: { meeting: this.#meeting, away } }));
  }
}

function helloOf({ meeting, displayName, password, hostKey }) {
  const hello = { meeting, display_name: displayName };
  if (hostKey) return { ...hello, host_key: hostKey };
  return password ? { ...hello, password } : hello;
}

/** How long to wait before the same join may succeed, ms; null where it does not. */
function delayAfter(error, attempt) {
  if (!(error instanceof ServiceError)) return null;
  if (error.status) return waitOf(error) * 1_000 || null;
  return RETRY_DELAYS_MS[Math.min(attempt, RETRY_DELAYS_MS.length - 1)];
}
