/**
 * How a call comes back by itself when its network changes: ICE is restarted (RFC 8445 section 9) over the signaling
 * socket, which may have to come back first. Nobody clicks, and nobody else notices.
 */

import { PathWatch } from "./path.js";

/** What ICE calls disconnected comes back by itself now and then. */
const DISCONNECTED_MS = 2_000;
/** How long a restart may take before the next one. */
const RESTART_PATIENCE_MS = 3_000;
const ANSWER_PATIENCE_MS = 3_000;
const LOOK_MS = 100;
const DELAYS_MS = [0, 500, 1_000, 2_000, 4_000, 8_000];
/** After so long without success a person is told; it goes on all the same. */
const TROUBLE_MS = 20_000;

/**
 * Events: `state` (detail: "connecting" | "connected" | "interrupted" | "failed"), what a person is to be told of the
 * media connection.
 */
export class Recovery extends EventTarget {
  #media;
  #signaling;
  #watch = null;
  #told = null;
  #timer = 0;
  #running = false;
  #closed = false;
  /** Ends a wait early. */
  #hurry = () => {};
  #network = globalThis.navigator?.connection;
  #kind = this.#network?.type;
  #onOnline = () => this.begin();
  #onNetwork = () => this.#networkChanged();

  /**
   * @param {import("./media.js").MediaConnection} media
   * @param {import("./signaling.js").Signaling} signaling
   */
  constructor(media, signaling) {
    super();
    this.#media = media;
    this.#signaling = signaling;
    media.addEventListener("state", ({ detail }) => this.#follow(detail));
  }

  /** How long nothing has come over the media path, ms; 0 before anything has. */
  get quiet() {
    return this.#watch?.heardAt ? performance.now() - this.#watch.heardAt : 0;
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#watch?.close();
    this.#hurry();
    globalThis.removeEventListener?.("online", this.#onOnline);
    this.#network?.removeEventListener?.("change", this.#onNetwork);
  }

  /** Something says that the network is another one: looks for a way, unless it does so already. */
  begin() {
    if (this.#closed || !this.#watch) return;
    if (this.#running) this.#hurry();
    else this.#run();
  }

  /** A connection that never was has nothing to come back to. */
  #start() {
    if (this.#watch) return;
    this.#watch = new PathWatch(() => this.#media.received());
    this.#watch.addEventListener("pause", () => this.#doubt());
    this.#watch.addEventListener("silent", () => this.begin());
    globalThis.addEventListener?.("online", this.#onOnline);
    this.#network?.addEventListener?.("change", this.#onNetwork);
  }

  /** Media pause. To ask the socket costs nothing, and where it falls too there is another network. */
  async #doubt() {
    const replaced = await this.#signaling.verify().catch(() => false);
    if (replaced) this.begin();
  }

  /** From Wi-Fi to mobile data, where the browser tells; it tells estimates of speed by the same event. */
  #networkChanged() {
    if (this.#network.type === this.#kind) return;
    this.#kind = this.#network.type;
    this.begin();
  }

  #follow(state) {
    clearTimeout(this.#timer);
    if (state === "connected") this.#start();
    if (!this.#watch) return this.#tell(state);
    if (state === "failed") return this.begin();
    if (state === "interrupted") this.#timer = setTimeout(() => this.begin(), DISCONNECTED_MS);
    if (state === "connected") this.#hurry();
    if (!this.#running && state !== "connecting") this.#tell(state);
  }

  async #run() {
    this.#running = true;
    const began = performance.now();
    for (let attempt = 0; !this.#closed; attempt += 1) {
      await this.#wait(DELAYS_MS[Math.min(attempt, DELAYS_MS.length - 1)]);
      const outcome = await this.#restart();
      if (outcome === "flows") this.#tell("connected");
      else this.#tell(outcome === "gone" || performance.now() - began > TROUBLE_MS ? "failed" : "interrupted");
      if (outcome !== "silent") break;
    }
    this.#running = false;
  }

  /** Answers whether media `flows`, is `silent` still, or the server's end of it is `gone`. */
  async #restart() {
    if (this.#watch.silent) this.#tell("interrupted");
    try {
      // First: what a browser gathers without a network is nothing.
      await this.#signaling.verify();
      const sdp = await this.#media.restart();
      const answer = await this.#signaling.request("ice_restart", { sdp }, ANSWER_PATIENCE_MS);
      await this.#media.restarted(answer.sdp);
    } catch (error) {
      console.warn("ICE not restarted", error);
      return error.code === "no_session" ? "gone" : "silent";
    }
    const answered = performance.now();
    const until = answered + RESTART_PATIENCE_MS;
    const flows = () => this.#media.connected && this.#watch.heardAt > answered;
    while (!this.#closed && !flows() && performance.now() < until) await this.#wait(LOOK_MS);
    // Who is alone hears nothing.
    return this.#media.connected && !this.#watch.silent ? "flows" : "silent";
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

  #tell(state) {
    if (this.#told === state || this.#closed) return;
    this.#told = state;
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}
