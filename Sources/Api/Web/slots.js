/**
 * The map of receive Slots: which participant and source each m-line carries, and whose picture it shows by now.
 */

/**
 * @typedef {{participant_id: string, source: "audio"|"video"|"screen"}} Owner
 * @typedef {{since: number, rtpTimestamp?: number}} PictureStart
 *   since: performance.now() when it was told, 0 when nobody else was in the Slot before; rtpTimestamp: of its first frame
 */

/** How long `slot_switched` may take; a server that never says it has switched by then. */
export const SWITCH_PATIENCE_MS = 1_000;
/** The same where the server does say it: the message was lost, or the new picture has not begun. */
export const TOLD_PATIENCE_MS = 5_000;
/** Frames that come so long after a pause was told are of its end, whatever was told of it. */
export const PAUSE_END_MS = 4_000;

/** Events: `change` after every update. */
export class SlotMap extends EventTarget {
  /** Who shall be in each Slot. @type {Map<string, Owner>} */
  #owners = new Map();
  /** Whose picture a Slot shows or showed last. @type {Map<string, {owner: Owner, start: PictureStart}>} */
  #shown = new Map();
  /** The Slots whose picture stands still as our line is too slow, and since when. @type {Map<string, number>} */
  #paused = new Map();
  #timers = new Map();
  #isTold = false;

  /** @param {(type: string, act: (message: object) => void) => void} on  calls `act` for each message of a type */
  follow(on) {
    on("slots", ({ slots }) => this.update(slots));
    on("slot_switched", (message) => this.switched(message));
    on("slot_paused", (message) => this.paused(message));
  }

  /**
   * Takes the Slots of `slots` or `joined`: the whole map or changes of it, which read the same. A Slot that showed
   * somebody else goes on showing them until the new picture begins.
   *
   * @param {{mid: string|number, participant_id: string|null, source?: string}[]} slots
   */
  update(slots) {
    if (!Array.isArray(slots)) return;
    for (const { mid, participant_id, source } of slots) {
      if (mid === undefined || mid === null) continue;
      this.#assign(String(mid), participant_id ? { participant_id, source } : null);
    }
    this.#tellChange();
  }

  /** Takes the Slots of another media connection, which shows them already. */
  replace(slots) {
    this.close();
    this.#owners.clear();
    this.#shown.clear();
    this.#paused.clear();
    this.update(slots);
  }

  /**
   * Takes `slot_switched`: from now on the picture of a Slot is this participant's.
   *
   * @param {{mid: string|number, participant_id: string, source: string, rtp_timestamp?: number}} message
   */
  switched({ mid, participant_id, source, rtp_timestamp }) {
    if (mid === undefined || mid === null || !participant_id) return;
    this.#isTold = true;
    this.#show(String(mid), { participant_id, source }, rtp_timestamp);
  }

  /**
   * Takes `slot_paused`: our line has no room for the picture of a Slot, until it is switched.
   *
   * @param {{mid: string|number}} message
   */
  paused({ mid }) {
    const slot = String(mid);
    if (!this.#owners.has(slot)) return;
    clearTimeout(this.#timers.get(slot));
    this.#timers.delete(slot);
    this.#paused.set(slot, performance.now());
    this.#tellChange();
  }

  /** Frames come in a Slot: it shows them, also when the word that ends a pause was lost. */
  flows(mid) {
    const since = this.#paused.get(mid);
    if (since !== undefined && performance.now() - since >= PAUSE_END_MS) this.#show(mid, this.#owners.get(mid));
  }

  /** Frees every Slot of a participant who left. */
  release(participantId) {
    for (const [mid, owner] of this.#owners) if (owner.participant_id === participantId) this.#assign(mid, null);
    this.#tellChange();
  }

  /** Stops waiting for pictures. */
  close() {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  /** @returns {Owner|undefined} */
  ownerOf(mid) {
    return this.#owners.get(mid);
  }

  /** The Slot that a participant's source is in, or null. */
  midOf(participantId, source) {
    for (const [mid, owner] of this.#owners) {
      if (owner.participant_id === participantId && owner.source === source) return mid;
    }
    return null;
  }

  /**
   * The Slot that shows a participant's picture, and from where on: null while another picture is in it, or a pause.
   *
   * @param {string} participantId
   * @param {"video"|"screen"} source
   * @returns {{mid: string, start: PictureStart}|null}
   */
  pictureOf(participantId, source) {
    const mid = this.midOf(participantId, source);
    const shown = mid === null || this.#paused.has(mid) ? undefined : this.#shown.get(mid);
    return shown && isSame(shown.owner, this.#owners.get(mid)) ? { mid, start: shown.start } : null;
  }

  /** Whether a participant's picture is not sent to us as our line is too slow. */
  isPaused(participantId, source) {
    const mid = this.midOf(participantId, source);
    return mid !== null && this.#paused.has(mid);
  }

  /** Who shares a screen that we receive, or null. */
  screenOwner() {
    for (const owner of this.#owners.values()) if (owner.source === "screen") return owner.participant_id;
    return null;
  }

  /** A plain copy: mid to owner. */
  toJSON() {
    return Object.fromEntries(this.#owners);
  }

  #assign(mid, owner) {
    if (isSame(owner, this.#owners.get(mid))) return;
    clearTimeout(this.#timers.get(mid));
    this.#timers.delete(mid);
    this.#paused.delete(mid);
    if (!owner) return void this.#owners.delete(mid);
    this.#owners.set(mid, owner);
    const shown = this.#shown.get(mid);
    if (!shown) this.#shown.set(mid, { owner, start: { since: 0 } });
    else if (!isSame(shown.owner, owner)) {
      const patience = this.#isTold ? TOLD_PATIENCE_MS : SWITCH_PATIENCE_MS;
      this.#timers.set(mid, setTimeout(() => this.#show(mid, owner), patience));
    }
  }

  #show(mid, owner, rtpTimestamp) {
    const shown = this.#shown.get(mid);
    if (!this.#paused.delete(mid) && shown && isSame(shown.owner, owner)) return;
    this.#shown.set(mid, { owner, start: { since: performance.now(), rtpTimestamp } });
    if (isSame(owner, this.#owners.get(mid))) {
      clearTimeout(this.#timers.get(mid));
      this.#timers.delete(mid);
    }
    this.#tellChange();
  }

  #tellChange() {
    this.dispatchEvent(new CustomEvent("change"));
  }
}

function isSame(one, other) {
  return one?.participant_id === other?.participant_id && one?.source === other?.source;
}
