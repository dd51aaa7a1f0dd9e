/**
 * What interrupts a call or ends it, in plain words. Pure, no DOM.
 */

import { ServiceError, explain } from "./errors.js";

/** @typedef {import("./errors.js").Explanation} Explanation */

/** What to tell a person whose media does not get through although the service answers. */
export const MEDIA_PATH_FAILED = {
  title: "Sound and picture cannot get through",
  detail:
    "The meeting service answers, but the media connection failed. Often a firewall or VPN blocks UDP port 3478. "
    + "Try another network, or ask your administrator to allow UDP 3478.",
  again: true,
};

/** What to tell a person whose media stopped for the moment. */
export const MEDIA_INTERRUPTED = {
  title: "Sound and picture are interrupted",
  detail: "The network is not letting anything through right now. Waiting for it to come back…",
};

/** What to tell a person while the signaling socket is being opened anew. */
export const RECONNECTING = {
  title: "Reconnecting to the meeting…",
  detail: "You keep your place for as long as sound and picture go on, and for 15 seconds without them.",
};

const CONNECTION_LOST = {
  title: "The connection to the meeting is lost",
  detail: "Check your network connection, then join again.",
};

const ENDS = {
  ended: { title: "The meeting has ended", detail: "The host ended it for everyone." },
  empty: { title: "The meeting has ended", detail: "Nobody was there for a while." },
  shutdown: { title: "The server is going down", detail: "Join again in a moment." },
  replaced: {
    title: "You are in the meeting in another window",
    detail: "This window has left, so that you are there once.",
  },
  no_media: {
    title: "Your place went to somebody else",
    detail: "The meeting is full, and your sound and picture never connected. Join again in a moment.",
    again: true,
  },
  removed: { title: "You were removed from the meeting", detail: "The host took you out." },
};

/**
 * What to tell a person whose call ended without their doing.
 *
 * @param {"removed"|"meeting_ended"|"lost"} event
 * @param {string|undefined} why  the server's reason
 * @param {unknown} error  what the last attempt to come back ended with
 * @returns {Explanation}
 */
export function explainEnd(event, why, error) {
  if (event === "removed") return ENDS[["replaced", "no_media"].includes(why) ? why : "removed"];
  if (event === "meeting_ended") return ENDS[Object.hasOwn(ENDS, why ?? "") ? why : "ended"];
  return error instanceof ServiceError && error.code && error.code !== "timeout" ? explain(error) : CONNECTION_LOST;
}
