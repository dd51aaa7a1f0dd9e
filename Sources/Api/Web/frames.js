/**
 * The first frame of a picture that is somebody's own. No DOM but the video element.
 */

/** How long an older frame may be all there is: a screen that stands still may send no other. */
const STILL_MS = 300;

/**
 * Tells once that a video element shows a frame that was received at `since` or later: what was received before is of
 * whoever was in the Slot until then, and may still be on its way through the decoder.
 *
 * @param {HTMLVideoElement} video  with its stream
 * @param {number} since  performance.now()
 * @param {() => void} tell
 * @returns {() => void} stops waiting
 */
export function onFirstFrame(video, since, tell) {
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
  const seen = (_, { receiveTime }) => {
    if (isOver) return;
    if (!(receiveTime < since)) return end();
    still ||= setTimeout(end, STILL_MS);
    video.requestVideoFrameCallback(seen);
  };
  if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(seen);
  else video.addEventListener("loadeddata", end, { once: true });
  return stop;
}
