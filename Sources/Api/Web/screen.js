/**
 * Sharing our own screen: the browser's user chooses what, the server lets us, and whoever stops it stops it. No DOM.
 */

import { ServiceError, isUnsure } from "./errors.js";
import { rightsIn } from "./permissions.js";
import { WATCHING } from "./webinarwords.js";

/**
 * Events: `change` after every change of `state`, `refused` (detail: Error, why nothing is shared), `stopped` (what was
 * shared is not any more, by our own doing or the browser's).
 */
export class Sharing extends EventTarget {
  /**
   * `asking`: the browser asks its user what; `starting`: the server is asked; `stopping`: stopped before it has answered.
   *
   * @type {"idle"|"asking"|"starting"|"sharing"|"stopping"}
   */
  state = "idle";
  #capture;
  #ask;
  #stream = null;
  /** Tells an attempt that has been given up from the one that goes on. */
  #turn = 0;

  /**
   * @param {() => Promise<MediaStream>} capture  asks the browser's user
   * @param {() => Promise<void>} ask  asks the server; rejects where it does not let us
   */
  constructor(capture, ask) {
    super();
    this.#capture = capture;
    this.#ask = ask;
  }

  /** Whether others may see it. */
  get on() {
    return this.state === "sharing";
  }

  /** What is to be sent now. @returns {{picture: MediaStreamTrack|null, sound: MediaStreamTrack|null}} */
  get tracks() {
    const of = (kind) => (this.on && this.#stream?.getTracks().find((track) => track.kind === kind)) || null;
    return { picture: of("video"), sound: of("audio") };
  }

  /** Begins to share, from a click or a key: browsers ask only then. A second time nothing happens. */
  async start() {
    if (this.state !== "idle") return;
    this.#turn += 1;
    const turn = this.#turn;
    this.#become("asking");
    try {
      const stream = await this.#capture();
      if (turn !== this.#turn) return end(stream);
      this.#watch(stream);
      this.#become("starting");
      await this.#ask();
    } catch (error) {
      if (turn === this.#turn) this.#fail(error);
      return;
    }
    if (turn !== this.#turn) return;
    this.#become(this.state === "starting" ? "sharing" : "idle");
  }

  /** Stops it, wherever it is. */
  stop() {
    const wasOn = this.on;
    if (this.state === "starting") {
      this.#release();
      this.#become("stopping");
    } else if (this.state !== "stopping") {
      this.close();
    }
    if (wasOn) this.#tell("stopped");
  }

  /** The server does not let us any more. @param {Error} error */
  refuse(error) {
    if (this.on) this.#fail(error);
  }

  /** Gives everything up without a word: the server knows, or nobody needs to. */
  close() {
    this.#turn += 1;
    this.#release();
    this.#become("idle");
  }

  /** The browser has a button of its own to stop it, and a window that is shared may be closed. */
  #watch(stream) {
    this.#stream = stream;
    const [picture] = stream.getVideoTracks();
    picture.addEventListener("ended", () => this.#stream === stream && this.stop());
  }

  #fail(error) {
    const wasStopped = this.state === "stopping";
    this.#release();
    this.#become("idle");
    if (!wasStopped && !isCancelled(error)) this.#tell("refused", error);
  }

  #release() {
    const stream = this.#stream;
    this.#stream = null;
    if (stream) end(stream);
  }

  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.#tell("change");
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function end(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/** Whether the user chose nothing; the system's refusal has the same name. */
function isCancelled({ name, message }) {
  return name === "NotAllowedError" && !/system/i.test(message ?? "");
}

/** Asks the browser's user what to share. */
export async function captureScreen() {
  const stream = await navigator.mediaDevices.getDisplayMedia({
    video: { frameRate: { ideal: 15, max: 15 } },
    // It is no voice. The voices of the others are in the sound of a whole system, and would come back to them.
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    selfBrowserSurface: "exclude",
    surfaceSwitching: "include",
    systemAudio: "exclude",
  });
  for (const track of stream.getVideoTracks()) track.contentHint = "detail";
  return stream;
}

/** Whether this browser can share a screen: those of phones cannot. */
export function canShare() {
  return typeof globalThis.navigator?.mediaDevices?.getDisplayMedia === "function";
}

const FORBIDDEN = "Only hosts may share their screens in this meeting";
const SYSTEM_FORBIDS = "The system does not let this browser see the screen. Allow it in its settings.";

/**
 * Why we cannot share a screen now, in words; null where we can.
 *
 * @param {{controls: boolean, watching?: boolean, meeting: object|null, participants: import("./participants.js").Participants,
 *   breakout: import("./breakout.js").Breakout}} call
 * @returns {string|null}
 */
export function barredWords({ controls, watching = false, meeting, participants, breakout }) {
  if (watching) return WATCHING;
  const other = participants.list().find(({ participant_id: id, screen }) => screen && breakout.isNear(id));
  if (other) return `${other.display_name} is sharing a screen`;
  return controls || rightsIn(meeting).screen ? null : FORBIDDEN;
}

/**
 * What to tell a person whose screen is not shared.
 *
 * @param {unknown} error  what the server or the browser said
 * @returns {string} one sentence
 */
export function explainRefusal(error) {
  if (error.code === "screen_share_taken") return "Somebody else is sharing a screen";
  if (error.code === "screen_share_forbidden") return FORBIDDEN;
  if (error.code === "attendee_media") return WATCHING;
  if (error.name === "NotAllowedError") return SYSTEM_FORBIDS;
  if (error instanceof ServiceError && isUnsure(error)) return "The connection did not carry that. Try again.";
  return "Your screen could not be shared. Try again, or choose another window.";
}
