/**
 * What the server shall know of us, and what it was told last: only what is new is sent. No DOM.
 */

export class Telling {
  /** What it shall know, by message type. */
  #wanted = { media_state: null, view: null };
  #told = {};

  /** @param {"media_state"|"view"} type */
  want(type, value) {
    this.#wanted[type] = value;
  }

  /**
   * All of it, for a join: it is told by that. But a screen that is shared: it stays, and where it may not a join that says
   * so would be refused.
   *
   * @returns {{[type: string]: object}}
   */
  greeting() {
    const fields = Object.fromEntries(Object.entries(this.#wanted).filter(([, value]) => value));
    Object.assign(this.#told, fields);
    const { screen, ...media } = fields.media_state ?? {};
    return screen ? { ...fields, media_state: media } : fields;
  }

  /** The server knows this already. @param {"media_state"} type */
  told(type, fields) {
    this.#told[type] = { ...this.#told[type], ...fields };
  }

  /**
   * What it does not know yet, which is told by that. Of our media only what has changed: an open microphone that is
   * told again beside the camera would undo what a host did at that moment.
   *
   * @returns {[type: string, fields: object][]}
   */
  news() {
    const news = [];
    for (const [type, value] of Object.entries(this.#wanted)) {
      if (!value) continue;
      const fields = type === "media_state" ? changed(this.#told[type] ?? {}, value) : value;
      const known = type === "media_state" ? Object.keys(fields).length === 0 : same(this.#told[type], value);
      if (known) continue;
      this.#told[type] = value;
      news.push([type, fields]);
    }
    return news;
  }

  /**
   * The server has turned these off of our media: from now on they are, whatever else is told before the devices follow.
   * It is told so once more, as it may have heard of them otherwise meanwhile.
   *
   * @param {string[]} names
   */
  turnOff(names) {
    const told = { ...this.#told.media_state };
    const wanted = { ...this.#wanted.media_state };
    for (const name of names) {
      delete told[name];
      wanted[name] = false;
    }
    this.#told.media_state = told;
    this.#wanted.media_state = wanted;
  }
}

function changed(before, after) {
  return Object.fromEntries(Object.entries(after).filter(([name, value]) => before[name] !== value));
}

function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
