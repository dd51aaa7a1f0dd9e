/**
 * The first frame of a picture that is somebody's own. No DOM but the video element.
 */

/** How long an older frame may be all there is, where frames have no number: a screen that stands still sends no other. */
const STILL_MS = 300;
/** A frame that was received so much earlier or later needs no number; numbers come round after 13 hours. */
const CERTAIN_MS = 5_000;

/**
 * Tells once that a video element shows a frame of the picture that starts there: one before is of whoever was in the
 * Slot until then, and may still be on its way through the decoder.
 *
 * @param {HTMLVideoElement} video  with its stream
 * @param {import("./slots.js").PictureStart} start
 * @param {() => void} tell
 * @returns {() => void} stops waiting
 */
export function onFirstFrame(video, start, tell) {
  let isOver = false;
  let still = 0;
  const stop = () => {
    isOver = true;
    clearTimeout(still);
  };
  const end = () => {
    if (isOver) return;
    stop();
    tell();
  };
  const seen = (_, frame) => {
    if (isOver) return;
    if (!isBefore(frame, start)) return end();
    if (!isNumbered(frame, start)) still ||= setTimeout(end, STILL_MS);
    video.requestVideoFrameCallback(seen);
  };
  if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(seen);
  else video.addEventListener("loadeddata", end, { once: true });
  return stop;
}

function isNumbered(frame, start) {
  return frame.rtpTimestamp !== undefined && start.rtpTimestamp !== undefined;
}

/** By RTP timestamp, 32 bits that come round; else by the time at which it was received: our own camera's has none. */
function isBefore(frame, start) {
  const late = frame.receiveTime - start.since;
  if (!isNumbered(frame, start) || Math.abs(late) > CERTAIN_MS) return late < 0;
  return ((frame.rtpTimestamp - start.rtpTimestamp) | 0) < 0;
}
