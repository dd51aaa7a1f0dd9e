/** @file The simulcast layers that a camera is sent in. */

/**
 * Of each layer; without it Chromium sends VP9 and AV1 in one stream, the smallest. Three temporal layers are what it
 * takes for VP8 by itself.
 */
const scalabilityMode = "L1T3";

/** Lowest first, for a camera of 720 lines or more; bit rates in bit/s. */
export const LAYERS = [
  { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 150_000, scalabilityMode },
  { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 500_000, scalabilityMode },
  { rid: "f", scaleResolutionDownBy: 1, maxBitrate: 1_700_000, scalabilityMode },
];

/** Of a screen, which is to be read: few pictures, all of its size. */
export const SCREEN = {
  scaleResolutionDownBy: 1, maxFramerate: 15, maxBitrate: 2_500_000, priority: "high", scalabilityMode,
};

/**
 * The transceiver that sends a camera in its layers.
 *
 * @param {RTCPeerConnection} pc
 * @returns {RTCRtpTransceiver}
 */
export function addCamera(pc) {
  return addSender(pc, LAYERS);
}

/**
 * The transceiver that sends a screen.
 *
 * @param {RTCPeerConnection} pc
 * @returns {RTCRtpTransceiver}
 */
export function addScreen(pc) {
  return addSender(pc, [SCREEN]);
}

/** A browser that does not know the mode of the layers chooses one. */
function addSender(pc, encodings) {
  try {
    return pc.addTransceiver("video", { direction: "sendonly", sendEncodings: encodings });
  } catch (error) {
    console.warn("scalability mode refused by this browser", error);
    const sendEncodings = encodings.map((layer) => ({ ...layer, scalabilityMode: undefined }));
    return pc.addTransceiver("video", { direction: "sendonly", sendEncodings });
  }
}

/** Below so many lines browsers send fewer layers, and leave out the upper ones: Chromium three, then two. */
const THREE_LAYERS = 540;
const TWO_LAYERS = 270;

/**
 * The layers for a camera of `height` lines: what it really has is always the highest that is sent.
 *
 * @param {number} height
 * @returns {{active: boolean, scaleResolutionDownBy: number}[]}  as many as LAYERS, lowest first
 */
export function layersFor(height) {
  const count = height >= THREE_LAYERS ? 3 : height >= TWO_LAYERS ? 2 : 1;
  return LAYERS.map((_, index) => ({
    active: index < count,
    scaleResolutionDownBy: index < count ? 2 ** (count - 1 - index) : 1,
  }));
}

/**
 * What a sender's encodings are to be: of those that its camera has, those that anybody wants. Where a wanted one is
 * larger than the camera, the camera's own size takes its place.
 *
 * @param {{rid?: string, active: boolean, scaleResolutionDownBy?: number}[]} encodings  lowest first
 * @param {number} height  lines of the camera; 0: not known
 * @param {string[]|boolean|null} wanted  rids, or whether the only one is; null: nobody has said, and all are
 * @returns {{active: boolean, scaleResolutionDownBy?: number}[]}
 */
export function activeLayers(encodings, height, wanted) {
  const fitting = height ? layersFor(height).slice(0, encodings.length) : encodings.map(() => ({ active: true }));
  const highest = fitting.findLastIndex(({ active }) => active);
  const chosen = Array.isArray(wanted)
    ? new Set(wanted.map((rid) => Math.min(encodings.findIndex((each) => each.rid === rid), highest)))
    : null;
  return fitting.map((layer, index) => ({
    ...layer,
    active: layer.active && (chosen ? chosen.has(index) : wanted !== false),
  }));
}

/** Keeps the encodings of a sender at what is wanted of them; the rest of its parameters stays. */
export class LayerControl {
  #sender;
  /** What is kept where the line is slow; null once it is said. */
  #preference;
  #height = 0;
  #wanted = null;
  #due = false;
  #running = null;

  /**
   * @param {RTCRtpSender} sender
   * @param {RTCDegradationPreference} [preference]
   */
  constructor(sender, preference = null) {
    this.#sender = sender;
    this.#preference = preference;
  }

  /** @param {number} height  lines of the camera that is sent now */
  fit(height) {
    this.#height = height ?? 0;
    return this.#apply();
  }

  /** @param {string[]|boolean|null} wanted  as for `activeLayers` */
  want(wanted) {
    this.#wanted = wanted;
    return this.#apply();
  }

  /** One change at a time, as browsers refuse a second one meanwhile; what is due then follows it. */
  #apply() {
    this.#due = true;
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run() {
    while (this.#due) {
      this.#due = false;
      await this.#change();
    }
    this.#running = null;
  }

  /** A browser that does not take it sends the layers that it had. */
  async #change() {
    try {
      const parameters = this.#sender.getParameters();
      const { encodings } = parameters;
      const layers = activeLayers(encodings, this.#height, this.#wanted);
      const differs = (layer, index) => Object.entries(layer).some(([name, value]) => encodings[index][name] !== value);
      const preference = this.#preference;
      if (!preference && !layers.some(differs)) return;
      this.#preference = null;
      if (preference) parameters.degradationPreference = preference;
      layers.forEach((layer, index) => Object.assign(encodings[index], layer));
      await this.#sender.setParameters(parameters);
    } catch (error) {
      console.warn("layers refused by this browser", error);
    }
  }
}
