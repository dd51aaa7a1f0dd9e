/**
 * The map of receive Slots: which participant and source each m-line carries, and whose picture it shows by now.
 */

/**
 * @typedef {{participant_id: string, source: "audio"|"video"|"screen"}} Owner
 */

/** How long `slot_switched` may take; a server that never says it has switched by then. */
export const SWITCH_PATIENCE_MS = 1_000;
/** The same where the server does say it: the message was lost, or the new picture has not begun. */
export const TOLD_PATIENCE_MS = 5_000;

/** Events: `change` after every update. */
export class SlotMap extends EventTarget {
  /** Who shall be in each Slot. @type {Map<string, Owner>} */
  #owners = new Map();
  /** Whose picture a Slot shows or showed last, and since when. @type {Map<string, {owner: Owner, since: number}>} */
  #shown = new Map();
  #timers = new Map();
  #isTold = false;

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

  /**
   * Takes `slot_switched`: from now on the picture of a Slot is this participant's.
   *
   * @param {{mid: string|number, participant_id: string, source: string}} message
   */
  switched({ mid, participant_id, source }) {
    if (mid === undefined || mid === null || !participant_id) return;
    this.#isTold = true;
    this.#show(String(mid), { participant_id, source });
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
   * The Slot that shows a participant's picture, and since when: null while another picture is in it.
   *
   * @param {string} participantId
   * @param {"video"|"screen"} source
   * @returns {{mid: string, since: number}|null}  since: performance.now(), 0 when nobody else was in it before
   */
  pictureOf(participantId, source) {
    const mid = this.midOf(participantId, source);
    const shown = mid === null ? undefined : this.#shown.get(mid);
    return shown && isSame(shown.owner, this.#owners.get(mid)) ? { mid, since: shown.since } : null;
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
    if (!owner) return void this.#owners.delete(mid);
    this.#owners.set(mid, owner);
    const shown = this.#shown.get(mid);
    if (!shown) this.#shown.set(mid, { owner, since: 0 });
    else if (!isSame(shown.owner, owner)) {
      const patience = this.#isTold ? TOLD_PATIENCE_MS : SWITCH_PATIENCE_MS;
      this.#timers.set(mid, setTimeout(() => this.#show(mid, owner), patience));
    }
  }

  #show(mid, owner) {
    const shown = this.#shown.get(mid);
    if (shown && isSame(shown.owner, owner)) return;
    this.#shown.set(mid, { owner, since: performance.now() });
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
