/**
 * What the tiles and the list show of those who are here.
 */

import { isAudience } from "./permissions.js";

export class Models {
  /** Who makes a sound now. @type {Set<string>} */
  speaking = new Set();
  /** The key of the tile that was pinned, or null. @type {string|null} */
  pinned = null;
  #own;
  #grades;
  #reactions;
  #call = null;

  /**
   * @param {import("./own.js").OwnControls} own
   * @param {import("./grades.js").Grades} grades
   * @param {import("./reactioncontrols.js").ReactionControls} reactions
   */
  constructor(own, grades, reactions) {
    this.#own = own;
    this.#grades = grades;
    this.#reactions = reactions;
  }

  /** @param {import("./call.js").Call} call  that has just been joined */
  open(call) {
    this.#call = call;
    this.speaking = new Set();
    this.pinned = null;
  }

  close() {
    this.#call = null;
  }

  /** All who are in the meeting, in whichever room, ourselves first. @returns {import("./people.js").Person[]} */
  people() {
    const { you, participants, sharing } = this.#call;
    const { audioOn, videoOn, hand, speaking } = this.#own;
    const own = {
      ...you, display_name: you.display_name ?? "You", audio: audioOn, video: videoOn, screen: sharing.on, hand_raised: hand,
      muted_by_host: false, away: false,
    };
    return [own, ...participants.list()].map((each) => {
      const { participant_id: id, display_name: name, role, audio, video, screen, away } = each;
      return {
        id, name, role, self: each === own, audio, video, screen, away, hand: each.hand_raised,
        mutedByHost: each.muted_by_host, speaking: each === own ? speaking && audio : this.speaking.has(id),
        grade: this.#grades.of(id), stats: this.#grades.statsOf(id), reaction: this.#reactions.of(id), where: "",
      };
    });
  }

  /** The tiles of the others who are in our room, and seen. @returns {import("./tiles.js").TileModel[]} */
  others() {
    const seen = this.#call.participants.list().filter((participant) => this.#isSeen(participant));
    return seen.map((participant) => this.#modelOf(participant));
  }

  #isSeen({ participant_id: id, role }) {
    return !isAudience(role) && this.#call.breakout.isNear(id);
  }

  /** Whether somebody else is in our room, and may be seen and heard. */
  isSeen(id) {
    const participant = this.#call?.participants.get(id);
    return participant !== undefined && this.#isSeen(participant);
  }

  #modelOf({ participant_id: id, display_name: name, audio, video, screen, away, hand_raised: hand }) {
    const picture = video ? this.#call.slots.pictureOf(id, "video") : null;
    return {
      key: id, id, name, self: false, screen: false, muted: !audio, pinned: this.pinned === id, away, hand,
      sharing: screen, speaking: audio && this.speaking.has(id), grade: this.#grades.of(id),
      stream: picture && this.#call.media.streamOf(picture.mid), start: picture?.start,
      paused: video && this.#call.slots.isPaused(id, "video"), reaction: this.#reactions.of(id),
    };
  }

  /** Whose screen we see; null where nobody in our room shares one. @returns {string|null} */
  get sharer() {
    const id = this.#call?.slots.screenOwner() ?? null;
    return id !== null && this.isSeen(id) ? id : null;
  }

  /** The tile of a shared screen, or null: our own we see as it is. */
  screen() {
    const id = this.sharer;
    if (id === null) return null;
    const participant = this.#call.participants.get(id);
    const picture = this.#call.slots.pictureOf(id, "screen");
    return {
      key: `screen:${id}`, id, name: participant.display_name, self: false, screen: true, muted: false,
      speaking: false, pinned: this.pinned === `screen:${id}`, grade: "unknown", away: participant.away,
      stream: picture && this.#call.media.streamOf(picture.mid), start: picture?.start,
      paused: this.#call.slots.isPaused(id, "screen"),
    };
  }

  /** Our own tile; null where we only watch. */
  own() {
    if (this.#call.watching) return null;
    const { participant_id: id, display_name: name = "You" } = this.#call.you;
    const { audioOn, speaking, stream, hand } = this.#own;
    return {
      key: id, id, name, self: true, screen: false, muted: !audioOn, speaking: speaking && audioOn, pinned: false,
      sharing: this.#call.sharing.on, stream, grade: this.#grades.of(id), away: false, hand,
      reaction: this.#reactions.of(id),
    };
  }

  /** What was pinned of somebody who is not in our room any more, or not seen, is pinned no more. */
  reviewPinned() {
    const id = this.pinned?.replace(/^screen:/, "");
    if (id && !this.isSeen(id)) this.pinned = null;
  }

  /** Whether a stream is now what the tile of this key names. */
  isPicture(key, stream) {
    if (!this.#call || key === this.#call.you?.participant_id) return true;
    const [id, source] = key.startsWith("screen:") ? [key.slice(7), "screen"] : [key, "video"];
    const picture = this.#call.slots.pictureOf(id, source);
    return picture !== null && this.#call.media.streamOf(picture.mid) === stream;
  }
}
