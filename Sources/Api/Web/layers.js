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

/**
 * The transceiver that sends a camera in its layers; a browser that does not know their mode chooses one.
 *
 * @param {RTCPeerConnection} pc
 * @returns {RTCRtpTransceiver}
 */
export function addCamera(pc) {
  try {
    return pc.addTransceiver("video", { direction: "sendonly", sendEncodings: LAYERS });
  } catch (error) {
    console.warn("scalability mode refused by this browser", error);
    const sendEncodings = LAYERS.map((layer) => ({ ...layer, scalabilityMode: undefined }));
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
