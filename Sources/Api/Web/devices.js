/**
 * Camera and microphone: which there are, opening them, and what is wrong when they do not open.
 */

const WANTED = {
  audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  video: { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } },
};

const REMEMBERED = { audio: "needletail.microphone", video: "needletail.camera" };

/**
 * Events: `change` (detail: kind) when a track was opened, closed or refused, and `list` when devices were
 * plugged in or out, `unplugged` (detail: kind) when a device in use went away.
 */
export class Devices extends EventTarget {
  /** @type {{audio: MediaStreamTrack|null, video: MediaStreamTrack|null}} */
  tracks = { audio: null, video: null };
  /** Names of the DOMExceptions that the last attempt ended with. @type {{audio: string|null, video: string|null}} */
  problems = { audio: null, video: null };
  /** Whether the microphone is open to the others; a muted one stays ours, so that it opens at once. */
  #microphoneOn = true;
  #chosen = { audio: recall(REMEMBERED.audio), video: recall(REMEMBERED.video) };
  #opening = { audio: 0, video: 0 };

  constructor() {
    super();
    navigator.mediaDevices?.addEventListener("devicechange", () => this.#tell("list", null));
  }

  /**
   * Opens both with one question to the user where that works, and each by itself otherwise. Never throws:
   * see `problems`.
   */
  async openBoth() {
    if (!navigator.mediaDevices?.getUserMedia) {
      this.problems = { audio: "InsecureContext", video: "InsecureContext" };
      this.#tell("change", "audio");
      this.#tell("change", "video");
      return;
    }
    const turns = { audio: ++this.#opening.audio, video: ++this.#opening.video };
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: this.#constraints("audio"),
        video: this.#constraints("video"),
      });
      this.#adopt("audio", stream.getAudioTracks()[0], turns.audio);
      this.#adopt("video", stream.getVideoTracks()[0], turns.video);
    } catch {
      await this.open("audio");
      await this.open("video");
    }
  }

  /**
   * Opens one device. Never throws: answers null and keeps the reason in `problems`.
   *
   * @param {"audio"|"video"} kind
   * @param {string} [deviceId]  choose this one from now on
   * @returns {Promise<MediaStreamTrack|null>}
   */
  async open(kind, deviceId) {
    if (deviceId !== undefined) {
      this.#chosen[kind] = deviceId;
      remember(REMEMBERED[kind], deviceId);
    }
    if (!navigator.mediaDevices?.getUserMedia) return this.#refuse(kind, "InsecureContext");
    const turn = ++this.#opening[kind];
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ [kind]: this.#constraints(kind) });
      return this.#adopt(kind, stream.getTracks()[0], turn);
    } catch (error) {
      return turn === this.#opening[kind] ? this.#refuse(kind, error.name) : this.tracks[kind];
    }
  }

  /** Whether the others can hear us. */
  get audioOn() {
    return this.#microphoneOn && this.tracks.audio !== null;
  }

  /** Whether the others can see us. */
  get videoOn() {
    return this.tracks.video !== null;
  }

  /** Mutes or unmutes; opens the microphone if there was none. Answers whether it is open now. */
  async setMicrophone(on) {
    this.#microphoneOn = on;
    if (on && !this.tracks.audio) await this.open("audio");
    // While the browser asked its user, it may have been muted again.
    if (this.tracks.audio) this.tracks.audio.enabled = this.#microphoneOn;
    this.#tell("change", "audio");
    return this.audioOn;
  }

  /** Turns the camera on or off. Answers whether it is on now. */
  async setCamera(on) {
    if (on) await this.open("video");
    else this.close("video");
    return this.videoOn;
  }

  /** Closes one device; its light goes out. */
  close(kind) {
    this.#opening[kind] += 1;
    this.tracks[kind]?.stop();
    this.tracks[kind] = null;
    this.#tell("change", kind);
  }

  /**
   * The devices of one kind; without permission their labels are empty.
   *
   * @returns {Promise<{id: string, label: string, chosen: boolean}[]>}
   */
  async list(kind) {
    const all = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
    const current = this.tracks[kind]?.getSettings().deviceId ?? this.#chosen[kind];
    return all
      .filter((device) => device.kind === `${kind}input` && device.deviceId)
      .map(({ deviceId, label }) => ({ id: deviceId, label, chosen: deviceId === current }));
  }

  #constraints(kind) {
    const chosen = this.#chosen[kind];
    return chosen ? { ...WANTED[kind], deviceId: { ideal: chosen } } : WANTED[kind];
  }

  /** Makes a fresh track the current one, unless a later request overtook it. */
  #adopt(kind, track, turn) {
    if (turn !== this.#opening[kind]) {
      track?.stop();
      return this.tracks[kind];
    }
    this.tracks[kind]?.stop();
    this.tracks[kind] = track;
    this.problems[kind] = null;
    if (kind === "video") track.contentHint = "motion";
    else track.enabled = this.#microphoneOn;
    track.addEventListener("ended", () => {
      if (this.tracks[kind] !== track) return;
      this.tracks[kind] = null;
      this.#tell("unplugged", kind);
      this.#tell("change", kind);
    });
    this.#tell("change", kind);
    this.#tell("list", null);
    return track;
  }

  #refuse(kind, reason) {
    this.tracks[kind]?.stop();
    this.tracks[kind] = null;
    this.problems[kind] = reason;
    this.#tell("change", kind);
    return null;
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** Reads a remembered choice; storage may be forbidden. */
export function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Remembers a choice where storage is allowed. */
export function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // A browser without storage asks again next time.
  }
}
