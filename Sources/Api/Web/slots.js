/**
 * The map of receive Slots: which participant and source each m-line carries now.
 */

/**
 * @typedef {{participant_id: string, source: "audio"|"video"|"screen"}} Owner
 */

/** Events: `change` after every update. */
export class SlotMap extends EventTarget {
  /** @type {Map<string, Owner>} */
  #owners = new Map();

  /**
   * Takes a `slots` message: the whole map or changes of it, which read the same.
   *
   * @param {{mid: string|number, participant_id: string|null, source?: string}[]} slots
   */
  update(slots) {
    if (!Array.isArray(slots)) return;
    for (const { mid, participant_id, source } of slots) {
      if (mid === undefined || mid === null) continue;
      if (participant_id) this.#owners.set(String(mid), { participant_id, source });
      else this.#owners.delete(String(mid));
    }
    this.dispatchEvent(new CustomEvent("change"));
  }

  /** Frees every Slot of a participant who left. */
  release(participantId) {
    for (const [mid, owner] of this.#owners) {
      if (owner.participant_id === participantId) this.#owners.delete(mid);
    }
    this.dispatchEvent(new CustomEvent("change"));
  }

  /** @returns {Owner|undefined} */
  ownerOf(mid) {
    return this.#owners.get(mid);
  }

  /** The Slot that carries a participant's source, or null. */
  midOf(participantId, source) {
    for (const [mid, owner] of this.#owners) {
      if (owner.participant_id === participantId && owner.source === source) return mid;
    }
    return null;
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
}
