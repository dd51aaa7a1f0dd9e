/**
 * Cameras and microphones that do not open, in plain words. Pure, no DOM.
 */

/** The words of each device; `it` as the object of a sentence. */
const DEVICE_WORDS = {
  audio: { subject: "The microphone", is: "is", none: "No microphone", it: "it" },
  video: { subject: "The camera", is: "is", none: "No camera", it: "it" },
  both: { subject: "Microphone and camera", is: "are", none: "No microphone and no camera", it: "them" },
};

/**
 * What to tell a person whose camera or microphone cannot be opened.
 *
 * @param {string} reason  the name of the DOMException of getUserMedia, or "InsecureContext"
 * @param {"audio"|"video"|"both"} kind
 * @returns {import("./errors.js").Explanation}
 */
export function explainDevice(reason, kind) {
  const { subject, is, none, it } = DEVICE_WORDS[kind];
  switch (reason) {
    case "NotAllowedError":
    case "SecurityError":
      return {
        title: `${subject} ${is} blocked`,
        detail: `Allow ${it} at the left of the address bar, then try again. You can also join without.`,
        again: true,
      };
    case "NotFoundError":
    case "OverconstrainedError":
      return { title: `${none} found`, detail: `Plug ${it} in and try again, or join without.`, again: true };
    case "NotReadableError":
    case "AbortError":
      return {
        title: `${subject} ${is} in use`,
        detail: `Close the other program that uses ${it}, then try again. You can also join without.`,
        again: true,
      };
    case "InsecureContext":
      return {
        title: `${none} on an insecure page`,
        detail: `Browsers give ${it} only to pages opened by https or on localhost. You can join and listen.`,
      };
    default:
      return { title: `${subject} did not start`, detail: "Try again, or join without.", again: true };
  }
}
