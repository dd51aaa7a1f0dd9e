/**
 * The key of a start link, which makes its bearer host. It stays in this tab, also when the page is loaded again, and nowhere
 * that somebody else looks: not in the address bar, in no form, in no history.
 */

const PREFIX = "needletail.host.";
const KEY = /#(?:[^#\s]*&)?host_key=([^&#\s]+)/;

/** The meeting's key, "" where there is none. */
export function hostKeyOf(meeting) {
  try {
    return sessionStorage.getItem(PREFIX + meeting) ?? "";
  } catch {
    return kept.get(meeting) ?? "";
  }
}

/** Where storage is forbidden, until the page is loaded again. */
const kept = new Map();

export function keepHostKey(meeting, key) {
  try {
    sessionStorage.setItem(PREFIX + meeting, key);
  } catch {
    kept.set(meeting, key);
  }
}

/** The key was wrong: its bearer may come in as anybody. */
export function dropHostKey(meeting) {
  kept.delete(meeting);
  try {
    sessionStorage.removeItem(PREFIX + meeting);
  } catch {
    // There is none.
  }
}

/**
 * The key in a start link.
 *
 * @param {string} text
 * @returns {string} "" when there is none
 */
export function hostKeyFrom(text) {
  const found = KEY.exec(text)?.[1] ?? "";
  try {
    return decodeURIComponent(found);
  } catch {
    return found;
  }
}
