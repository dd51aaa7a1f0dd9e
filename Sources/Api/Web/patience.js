/**
 * Waiting for a server that has no place at the moment, and going on by itself. No DOM.
 */

import { ServiceError } from "./errors.js";

/** How long somebody stands in line. */
export const PATIENCE_MS = 180_000;
/** Those who were told the same second do not come in the same moment. */
const SPREAD_MS = 500;
const TICK_MS = 1_000;

/** Refusals that are over after a while, when the server says after how long. */
const PASSING = new Set(["too_many_requests", "too_many_unattached", "too_many_waiting", "too_many_guesses", "busy", "full",
  "registry_unavailable", "home_unreachable"]);

/**
 * Seconds after which the same attempt may succeed.
 *
 * @param {unknown} error
 * @returns {number} 0 where waiting does not help
 */
export function waitOf(error) {
  if (!(error instanceof ServiceError) || !PASSING.has(error.code)) return 0;
  return error.retryAfter;
}

/**
 * Attempts something, and again when the server said, as long as patience lasts.
 *
 * @template Result
 * @param {() => Promise<Result>} attempt
 * @param {(seconds: number, error: ServiceError) => void} onWait  each second of a wait, with what is left of it
 * @returns {Promise<Result>} rejects with the last error
 */
export async function whenThereIsPlace(attempt, onWait) {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const seconds = waitOf(error);
      if (!seconds || performance.now() + seconds * 1_000 > until) throw error;
      for (let left = seconds; left > 0; left -= 1) {
        onWait(left, error);
        await sleep(TICK_MS);
      }
      await sleep(Math.random() * SPREAD_MS);
    }
  }
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
