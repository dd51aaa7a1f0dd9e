/**
 * What we send: microphone, camera and screen, over each media connection that we have. No DOM.
 */

import { Sharing } from "./screen.js";

/** Events: `change` when what is sent is another. */
export class Sources extends EventTarget {
  /** @type {Sharing} */
  sharing;
  #devices;
  #connections;
  #wasShared = false;
  #barred = false;
  #onDevice = ({ detail: kind }) => this.#follow(kind);

  /**
   * @param {import("./devices.js").Devices} devices
   * @param {() => import("./media.js").MediaConnection[]} connections  over which it is sent
   * @param {ConstructorParameters<typeof Sharing>} screen  how a screen is shared
   */
  constructor(devices, connections, ...screen) {
    super();
    this.#devices = devices;
    this.#connections = connections;
    this.sharing = new Sharing(...screen);
    this.sharing.addEventListener("change", () => this.#followScreen());
    devices.addEventListener("change", this.#onDevice);
    for (const kind of ["audio", "video"]) this.#send(kind);
  }

  /** What of it is on, as in `media_state`. */
  get on() {
    const { audioOn: audio, videoOn: video } = this.#devices;
    return { audio, video, screen: this.sharing.on };
  }

  /** Sends all of it over a connection that is new. */
  sendAll(media) {
    return Promise.all(["audio", "video", "screen"].map((kind) => this.#sendOver(media, kind)));
  }

  /** @param {("audio"|"video"|"screen")[]} names */
  turnOff(names) {
    if (names.includes("audio")) this.#devices.setMicrophone(false);
    if (names.includes("video")) this.#devices.setCamera(false);
    if (names.includes("screen")) this.sharing.close();
  }

  /**
   * Whether nothing may be sent. Then the devices are let go of, also one that opens later; when it ends nothing opens by
   * itself.
   *
   * @returns {boolean} whether that is new
   */
  bar(barred) {
    if (this.#barred === barred) return false;
    this.#barred = barred;
    if (!barred) return true;
    for (const kind of ["audio", "video"]) this.#devices.close(kind);
    this.sharing.close();
    return true;
  }

  close() {
    this.#devices.removeEventListener("change", this.#onDevice);
    this.sharing.close();
  }

  #followScreen() {
    if (this.sharing.on === this.#wasShared && this.sharing.state !== "idle") return;
    this.#wasShared = this.sharing.on;
    this.#send("screen");
  }

  #follow(kind) {
    if (this.#barred && this.#devices.tracks[kind]) this.#devices.close(kind);
    else this.#send(kind);
  }

  async #send(kind) {
    await Promise.all(this.#connections().map((media) => this.#sendOver(media, kind)));
    this.dispatchEvent(new CustomEvent("change"));
  }

  async #sendOver(media, kind) {
    const { audio, video } = this.#devices.tracks;
    const send = {
      audio: () => media.sendMicrophone(audio),
      video: () => media.sendCamera(video),
      screen: () => media.sendScreen(this.sharing.tracks),
    };
    await send[kind]().catch((error) => console.warn("track not sent", error));
  }
}
