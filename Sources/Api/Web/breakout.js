/**
 * Breakout rooms: which there are, who is in which, and until when. No DOM.
 */

/** What the server allows. */
export const MOST_ROOMS = 50;
export const MOST_NAME_CHARACTERS = 64;
export const MOST_WORD_CHARACTERS = 500;

/**
 * @typedef {{id: string, name: string}} Room
 * @typedef {object} BreakoutChange
 * @property {boolean} opened  there are rooms now, and were none
 * @property {boolean} closed  there were rooms, and everybody is in the main room again
 * @property {boolean} moved   we are in another room than before
 * @property {string[]} came   ids of those who came to where we are, while we stayed
 * @property {string[]} went   ids of those who went from there
 */

/**
 * Events: `change` (detail: BreakoutChange) after each message that changes something, `word` (detail: {id, name, text}: what
 * a host tells all rooms).
 */
export class Breakout extends EventTarget {
  /** The rooms that are open, in order; none: everybody is in the main room. @type {Room[]} */
  rooms = [];
  /** Whether people choose their room by themselves. */
  choose = false;
  /** When they close, ms since 1970 by the server's clock; null where nobody said. @type {number|null} */
  closesAt = null;
  #voice = null;
  /** The room of each who is in one, ourselves too. @type {Map<string, string>} */
  #places = new Map();
  /** Of those who were moved to a room that we have not heard of yet. @type {Map<string, string>} */
  #ahead = new Map();
  #participants;
  #ownId;

  /**
   * @param {import("./participants.js").Participants} participants  the others
   * @param {() => string|undefined} ownId  our participant_id
   */
  constructor(participants, ownId) {
    super();
    this.#participants = participants;
    this.#ownId = ownId;
  }

  get open() {
    return this.rooms.length > 0;
  }

  /** The id of the room that we are in; null: the main room. */
  get own() {
    return this.roomOf(this.#ownId());
  }

  /** The room that we are in; null: the main room. @returns {Room|null} */
  get ownRoom() {
    return this.rooms.find(({ id }) => id === this.own) ?? null;
  }

  /** The id of the host whom all rooms hear now; null where there is none. */
  get voice() {
    return this.open && this.#isHere(this.#voice) ? this.#voice : null;
  }

  /** The id of the room that somebody is in; null: the main room. */
  roomOf(id) {
    return this.#places.get(id) ?? null;
  }

  /** The name of a room that is open; "" of another, and of the main room. */
  nameOf(roomId) {
    return this.rooms.find(({ id }) => id === roomId)?.name ?? "";
  }

  /** Whether somebody is in our room. */
  isNear(id) {
    return this.roomOf(id) === this.own;
  }

  /** Hears what the socket says. @param {(type: string, act: (message: object) => void) => void} on */
  follow(on) {
    on("participant_joined", ({ participant }) => this.#settle(participant));
    on("breakout", (message) => this.take(message));
    on("breakout_moved", ({ moves }) => this.move(moves));
    on("breakout_message", (message) => this.#hear(message));
  }

  /** Takes `joined`: from now on all is as it says. */
  enter({ you, participants, breakout }) {
    this.#change(() => {
      this.#places.clear();
      this.#ahead.clear();
      this.#read(breakout ?? {});
      for (const each of [you, ...listOf(participants)]) this.#place(each?.participant_id, each?.room_id ?? null);
    });
  }

  /** Takes a `breakout` message: the rooms as they are now. */
  take(message) {
    if (!Array.isArray(message?.rooms)) return;
    this.#change(() => {
      this.#read(message);
      for (const [id, room] of [...this.#ahead]) this.#place(id, room);
      for (const [id, room] of [...this.#places]) {
        if (!this.#isHere(id) || !this.nameOf(room)) this.#places.delete(id);
      }
    });
  }

  /** Takes the `moves` of a `breakout_moved` message. */
  move(moves) {
    const here = listOf(moves).filter(({ participant_id: id }) => this.#isHere(id));
    const others = here.map(({ participant_id: id }) => id).filter((id) => id !== this.#ownId());
    const before = new Set(others.filter((id) => this.isNear(id)));
    const own = this.own;
    this.#change(() => {
      for (const { participant_id: id, room_id: room = null } of here) this.#place(id, room);
      if (own !== this.own) return {};
      const [came, went] = [true, false].map((near) =>
        [...new Set(others)].filter((id) => before.has(id) !== near && this.isNear(id) === near));
      return { came, went };
    });
  }

  #settle(participant) {
    const { participant_id: id, room_id: room = null } = participant ?? {};
    if (room !== null || this.#places.has(id)) this.#change(() => this.#place(id, room));
  }

  #read({ rooms, choose, closes_at: closesAt, voice }) {
    this.rooms = roomsFrom(rooms);
    this.choose = this.open && choose === true;
    const moment = Date.parse(closesAt ?? "");
    this.closesAt = this.open && !Number.isNaN(moment) ? moment : null;
    this.#voice = this.open && typeof voice === "string" ? voice : null;
    if (this.open) return;
    this.#places.clear();
    this.#ahead.clear();
  }

  /** Somebody is in this room now; of one that we do not know yet we wait to hear. */
  #place(id, room) {
    if (typeof id !== "string" || (room !== null && typeof room !== "string")) return;
    const known = room === null || this.nameOf(room) !== "";
    this.#ahead.delete(id);
    if (!known) this.#ahead.set(id, room);
    else if (room === null) this.#places.delete(id);
    else this.#places.set(id, room);
  }

  #hear({ participant_id: id, display_name: name, text }) {
    if (typeof text !== "string" || text.trim() === "") return;
    const words = [...text].slice(0, MOST_WORD_CHARACTERS).join("");
    const by = typeof name === "string" && name.trim() ? name : "A host";
    this.dispatchEvent(new CustomEvent("word", { detail: { id, name: by, text: words } }));
  }

  #isHere(id) {
    return typeof id === "string" && (id === this.#ownId() || this.#participants.get(id) !== undefined);
  }

  /** @param {() => object|void} act  answers what else has changed */
  #change(act) {
    const { open, own } = this;
    const more = act() ?? {};
    const detail = {
      opened: !open && this.open, closed: open && !this.open, moved: own !== this.own, came: [], went: [], ...more,
    };
    this.dispatchEvent(new CustomEvent("change", { detail }));
  }
}

function listOf(value) {
  return Array.isArray(value) ? value.filter((each) => each !== null && typeof each === "object") : [];
}

/** The rooms of a message, each once. @returns {Room[]} */
function roomsFrom(value) {
  const rooms = new Map();
  for (const { room_id: id, name } of listOf(value).slice(0, MOST_ROOMS)) {
    if (typeof id !== "string" || !id || rooms.has(id)) continue;
    rooms.set(id, { id, name: (typeof name === "string" && name.trim()) || "Room" });
  }
  return [...rooms.values()];
}
