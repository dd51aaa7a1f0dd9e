/**
 * Our own microphone, camera and hand while in a meeting: their buttons, whether we speak, and what becomes of them.
 */

import { byId, hideControl, relabel } from "./dom.js";
import { LevelMeter, SPEAKING_LEVEL } from "./level.js";
import { announce, say } from "./notices.js";
import { MUST_STAY_MUTED, mayUnmute } from "./permissions.js";
import { WATCHING } from "./webinarwords.js";

const NUDGE_EVERY_MS = 20_000;
/** So loud that somebody means to be heard. */
const NUDGE_LEVEL = 0.5;
/** What changes what is shown. */
const FOLLOWED = ["hand", "role", "back"];
/** The controls of what those who only watch a webinar do not give. */
const GIVING = ["mute", "camera", "show-settings"];

export class OwnControls {
  /** Whether we make a sound now, muted or not. */
  speaking = false;
  #devices;
  #changed;
  #call = null;
  #meter = null;
  #metered = null;
  #nudged = -NUDGE_EVERY_MS;
  #pushing = false;
  #stream = null;

  /**
   * @param {import("./devices.js").Devices} devices
   * @param {() => void} changed  called when the picture of ourselves is out of date
   */
  constructor(devices, changed) {
    this.#devices = devices;
    this.#changed = changed;
    devices.addEventListener("change", () => this.#show());
    devices.addEventListener("unplugged", ({ detail }) => this.#replaceUnplugged(detail));
  }

  /** @param {import("./call.js").Call} call  that has just been joined */
  open(call) {
    this.#call = call;
    for (const type of FOLLOWED) call.addEventListener(type, () => call === this.#call && this.#show());
    this.#show();
  }

  close() {
    this.#call = null;
    this.#meter?.close();
    this.#meter = this.#metered = null;
    this.speaking = false;
  }

  get audioOn() {
    return this.#devices.audioOn;
  }

  get videoOn() {
    return this.#devices.videoOn;
  }

  /** Our own picture, or null. */
  get stream() {
    const track = this.#devices.tracks.video;
    if (!track) this.#stream = null;
    else if (this.#stream?.getVideoTracks()[0] !== track) this.#stream = new MediaStream([track]);
    return this.#stream;
  }

  /** Whether our hand is raised. */
  get hand() {
    return this.#call?.hand === true;
  }

  async toggleMicrophone() {
    if (this.#barred) return say(this.#barred);
    const open = await this.#devices.setMicrophone(!this.#devices.audioOn);
    if (!open && this.#devices.problems.audio) byId("settings").showModal();
    else announce(open ? "Microphone on" : "Muted");
  }

  async toggleCamera() {
    if (this.#call?.watching) return say(WATCHING);
    const on = await this.#devices.setCamera(!this.#devices.videoOn);
    if (!on && this.#devices.problems.video) byId("settings").showModal();
    else announce(on ? "Camera on" : "Camera off");
  }

  toggleHand() {
    if (!this.#call) return;
    this.#call.setHand(!this.hand);
    announce(this.hand ? "Hand raised" : "Hand lowered");
  }

  /** Speaks while a key is held; does nothing to an open microphone. */
  push(down) {
    if (down ? this.#devices.audioOn : !this.#pushing) return;
    if (down && this.#barred) return say(this.#barred);
    this.#pushing = down;
    this.#devices.setMicrophone(down);
  }

  /** The choice of devices. */
  showSettings() {
    if (this.#call?.watching) say(WATCHING);
    else byId("settings").showModal();
  }

  /** Why the microphone is off and has to stay so; "" where it need not. */
  get #barred() {
    if (this.#call === null || this.#devices.audioOn || mayUnmute(this.#call)) return "";
    return this.#call.watching ? WATCHING : MUST_STAY_MUTED;
  }

  #show() {
    if (!this.#call) return;
    const { audioOn, videoOn, tracks } = this.#devices;
    const { watching } = this.#call;
    // The focus goes back to what opened it, before that is hidden.
    if (watching && byId("settings").open) byId("settings").close();
    for (const id of GIVING) hideControl(byId(id), watching);
    showControl("mute", audioOn, "mic", audioOn ? "Mute" : "Unmute");
    showControl("camera", videoOn, "camera", "Camera");
    byId("camera").setAttribute("aria-label", videoOn ? "Turn camera off" : "Turn camera on");
    byId("hand").setAttribute("aria-pressed", String(this.hand));
    byId("hand").setAttribute("aria-label", this.hand ? "Lower your hand" : "Raise your hand");
    if (tracks.audio !== this.#metered) {
      this.#meter?.close();
      this.#metered = tracks.audio;
      this.#meter = tracks.audio && new LevelMeter(tracks.audio, (level) => this.#heard(level));
    }
    this.#changed();
  }

  #heard(level) {
    const speaking = level > SPEAKING_LEVEL * (this.speaking ? 0.8 : 1);
    if (!this.#devices.audioOn && level > NUDGE_LEVEL && !this.#barred) this.#nudge();
    if (speaking === this.speaking) return;
    this.speaking = speaking;
    this.#changed();
  }

  #nudge() {
    if (performance.now() - this.#nudged < NUDGE_EVERY_MS) return;
    this.#nudged = performance.now();
    say("You are muted. Press M to speak.");
  }

  /** Another microphone takes over; the camera stays off until asked for. */
  async #replaceUnplugged(kind) {
    if (!this.#call) return;
    say(kind === "audio" ? "The microphone was unplugged" : "The camera was unplugged");
    if (kind === "audio" && (await this.#devices.open("audio"))) say("Using another microphone");
  }
}

function showControl(id, on, iconName, words) {
  const button = byId(id);
  relabel(button, on ? iconName : `${iconName}-off`, words);
  button.classList.toggle("off", !on);
}
