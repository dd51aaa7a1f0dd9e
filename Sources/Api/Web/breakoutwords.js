/**
 * Breakout rooms in words. No DOM.
 */

import { clockWords } from "./clock.js";
import { ServiceError, explain, isUnsure, kindOf } from "./errors.js";

export const MAIN_ROOM = "Main room";
/** Left of the time that a warning stands over the meeting. */
export const WARN_MS = 60_000;
/** Left when those who listen are told of it, seconds. */
const TOLD_AT = [60, 30, 10];

/**
 * @param {number} ms  until the rooms close
 * @returns {string} "4:05"; "" where nobody said
 */
export function leftWords(ms) {
  return ms === null ? "" : clockWords(Math.max(0, Math.ceil(ms / 1000)));
}

/** What the line above the meeting says of where we are. @param {import("./breakout.js").Room|null} room */
export function placeWords(room) {
  return room?.name ?? MAIN_ROOM;
}

/**
 * What one is told who is in another room now.
 *
 * @param {import("./breakout.js").Room|null} room
 * @param {boolean} closed  as the rooms are closed
 */
export function movedWords(room, closed) {
  if (closed) return "The breakout rooms are closed. You are in the main room.";
  return `You are in ${room ? room.name : "the main room"}`;
}

/**
 * What those who listen are told when a second has passed.
 *
 * @param {number|null} before  ms that were left when it was looked last; null: nobody had said when the rooms close
 * @param {number} now  ms that are left
 * @returns {string} "" for nothing
 */
export function countdownWords(before, now) {
  if (now <= 0) return "";
  const passed = TOLD_AT.filter((at) => now <= at * 1000 && (before === null || before > at * 1000));
  return passed.length > 0 ? `The breakout rooms close in ${Math.ceil(now / 1000)} seconds` : "";
}

/** The title of the warning. @param {number} ms  left */
export function warningWords(ms) {
  return ms > 0 ? `The breakout rooms close in ${leftWords(ms)}` : "The breakout rooms close now";
}

/** @returns {string} for example "3 people" */
export function peopleWords(count) {
  if (count === 0) return "nobody";
  return count === 1 ? "1 person" : `${count} people`;
}

/** What is said of a host who is heard in all rooms. @param {string} name */
export function voiceWords(name) {
  return { title: "The host speaks to all rooms", detail: `${name} is heard in every room.` };
}

const IMPOSSIBLE = { title: "That is not possible with these rooms", detail: "Check the names, the minutes and the text." };

const ERRORS = {
  resume_expired: { title: "That person is not here any more", detail: "Nobody was moved." },
  invalid: IMPOSSIBLE,
  malformed: IMPOSSIBLE,
  too_many: { title: "That was too much at once", detail: "Wait a moment, then try again.", again: true },
};

const UNSURE = { title: "The connection did not carry that", detail: "See whether it was done, then try again." };

/**
 * What to tell a person whose wish about breakout rooms was refused.
 *
 * @param {unknown} error  a ServiceError, or anything thrown
 * @returns {import("./errors.js").Explanation}
 */
export function explainRooms(error) {
  if (!(error instanceof ServiceError)) return explain(error);
  return isUnsure(error) ? UNSURE : (ERRORS[kindOf(error)] ?? explain(error));
}
