/**
 * Who is in the meeting.
 */

import { isAudience } from "./permissions.js";

/**
 * @typedef {object} Participant
 * @property {string} participant_id
 * @property {string} display_name
 * @property {string} role
 * @property {boolean} audio   microphone open
 * @property {boolean} video   camera on
 * @property {boolean} screen  sharing a screen
 * @property {boolean} hand_raised
 * @property {boolean} muted_by_host  a host muted the microphone, and it has not been opened since
 * @property {boolean} away    the signaling socket is lost for the moment
 */

/**
 * Events: `joined`, `left` (detail: Participant, and `reason` for left), `changed` (detail: Participant),
 * `reset` after the whole list was replaced. We ourselves are not in it.
 */
export class Participants extends EventTarget {
  /** @type {Map<string, Participant>} */
  #all = new Map();
  /** Ids in the order in which the gallery shows them. @type {string[]} */
  #order = [];
  #lastSpoke = new Map();
  #ownId = "";

  get size() {
    return this.#all.size;
  }

  /** How many of the others are seen and heard, or may be. */
  get onPanel() {
    let count = 0;
    for (const { role } of this.#all.values()) if (!isAudience(role)) count += 1;
    return count;
  }

  /** @returns {Participant|undefined} */
  get(id) {
    return this.#all.get(id);
  }

  /** @returns {Participant[]} in the order of the gallery */
  list() {
    return this.#order.map((id) => this.#all.get(id));
  }

  /**
   * Takes the whole list, as after `joined`. Those that were there keep their places; the differences are told
   * as joins and leaves unless it is the first list.
   *
   * @param {object[]} list
   * @param {string} ownId
   * @param {boolean} quiet  the first list: tell `reset` only
   */
  replace(list, ownId, quiet) {
    this.#ownId = ownId;
    const present = new Set(list.map((each) => each.participant_id));
    for (const id of [...this.#all.keys()]) if (!present.has(id)) this.remove(id, "left", quiet);
    for (const each of list) this.add(each, quiet);
    this.#tell("reset", null);
  }

  /**
   * Takes all who watch a webinar. Those of them who are not in the list are forgotten: they may still be there.
   *
   * @param {object[]} list  as of `replace`
   */
  replaceAudience(list) {
    if (!Array.isArray(list)) return;
    const present = new Set(list.map((each) => each?.participant_id));
    const gone = this.list().filter(({ participant_id: id, role }) => isAudience(role) && !present.has(id));
    if (gone.length === 0 && list.length === 0) return;
    for (const { participant_id: id } of gone) {
      this.#all.delete(id);
      this.#lastSpoke.delete(id);
    }
    this.#order = this.#order.filter((id) => this.#all.has(id));
    for (const each of list) this.add(each, true);
    this.#tell("reset", null);
  }

  /** Adds somebody, or refreshes what is known of them; ourselves not. */
  add(raw, quiet = false) {
    if (typeof raw?.participant_id !== "string" || raw.participant_id === this.#ownId) return;
    const known = this.#all.has(raw.participant_id);
    const participant = {
      ...raw,
      display_name: raw.display_name || "Guest",
      role: raw.role ?? "participant",
      audio: raw.audio === true,
      video: raw.video === true,
      screen: raw.screen === true,
      hand_raised: raw.hand_raised === true,
      muted_by_host: raw.muted_by_host === true,
      away: false,
    };
    this.#all.set(raw.participant_id, participant);
    if (!known) this.#order.push(raw.participant_id);
    if (known) this.#tell("changed", participant);
    else if (!quiet) this.#tell("joined", participant);
  }

  /** Takes somebody away. */
  remove(id, reason = "left", quiet = false) {
    const participant = this.#all.get(id);
    if (!participant) return;
    this.#all.delete(id);
    this.#order = this.#order.filter((each) => each !== id);
    this.#lastSpoke.delete(id);
    if (!quiet) this.#tell("left", { ...participant, reason });
  }

  /** Takes a `media_state` or `participant_update` message. */
  update(id, fields) {
    const participant = this.#all.get(id);
    if (!participant) return;
    for (const name of ["audio", "video", "screen", "hand_raised", "muted_by_host"]) {
      if (typeof fields[name] === "boolean") participant[name] = fields[name];
    }
    for (const name of ["display_name", "role"]) {
      if (typeof fields[name] === "string") participant[name] = fields[name];
    }
    if (fields.connection) participant.away = fields.connection === "interrupted";
    this.#tell("changed", participant);
  }

  /**
   * Brings a speaker onto the first page, in the place of whoever there has been silent longest.
   *
   * @param {string} id
   * @param {number} capacity  places on the first page
   * @param {number} now       ms, any monotonic clock
   * @param {(id: string) => boolean} [isShown]  whether the gallery has somebody at all
   * @returns {boolean} whether the order changed
   */
  promote(id, capacity, now, isShown = () => true) {
    const shown = this.#order.filter(isShown);
    const from = shown.indexOf(id);
    if (from < 0) return false;
    this.#lastSpoke.set(id, now);
    if (from < capacity || capacity < 1) return false;
    let quietest = shown[capacity - 1];
    for (const each of shown.slice(0, capacity).reverse()) {
      if ((this.#lastSpoke.get(each) ?? 0) < (this.#lastSpoke.get(quietest) ?? 0)) quietest = each;
    }
    const [to, at] = [this.#order.indexOf(quietest), this.#order.indexOf(id)];
    [this.#order[to], this.#order[at]] = [id, quietest];
    return true;
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/**
 * The one or two letters that stand for a name.
 *
 * @param {string} name
 * @returns {string}
 */
export function initialsOf(name) {
  const words = name.trim().split(/[\s_.-]+/).filter(Boolean);
  const first = [...(words[0] ?? "?")][0];
  const last = words.length > 1 ? [...words[words.length - 1]][0] : "";
  return (first + last).toLocaleUpperCase();
}

/**
 * One of the avatar colours, the same for the same person on every screen.
 *
 * @param {string} key
 * @returns {number} 0 to 7
 */
export function toneOf(key) {
  let hash = 2166136261;
  for (const char of key) hash = Math.imul(hash ^ char.codePointAt(0), 16777619);
  return (hash >>> 8) % 8;
}
