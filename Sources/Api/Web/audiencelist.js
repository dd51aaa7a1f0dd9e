/**
 * The people in the list who watch a webinar: how many, and which of them have a row.
 */

import { byId, setText } from "./dom.js";
import { attendeeWords } from "./webinarwords.js";

/** How many are shown; the others are found by their names. */
const MOST_ROWS = 100;
/** With more than so many there is a field to find one. */
const FIND_BEYOND = 30;

/**
 * @typedef {object} Audience
 * @property {import("./people.js").Person[]} people  whom we are told of, those with raised hands first
 * @property {number} count  of all
 * @property {boolean} whole  whether we are told of all
 */

export class AudienceList {
  /** @param {() => void} changed  others are looked for */
  constructor(changed) {
    const field = byId("audience-find");
    field.addEventListener("input", changed);
    field.addEventListener("keydown", (event) => {
      // The first Escape ends the search, the next one closes the panel.
      if (event.key !== "Escape" || field.value === "") return;
      event.preventDefault();
      event.stopPropagation();
      field.value = "";
      changed();
    });
  }

  /**
   * @param {Audience|null} audience  null: the meeting is no webinar
   * @returns {import("./people.js").Person[]} those who have a row
   */
  draw(audience) {
    byId("audience").hidden = byId("people-title").hidden = audience === null;
    if (!audience) return [];
    const { people, count, whole } = audience;
    setText(byId("audience-title"), whole ? `Attendees (${count.toLocaleString("en")})` : attendeeWords(count));
    const field = byId("audience-find");
    const words = field.value.trim().toLocaleLowerCase();
    field.hidden = people.length <= FIND_BEYOND && words === "";
    const found = people.filter(({ name }) => name.toLocaleLowerCase().includes(words));
    const rest = found.length - MOST_ROWS;
    const none = words !== "" && found.length === 0;
    byId("audience-rest").hidden = rest <= 0 && !none;
    setText(byId("audience-rest"), none ? "Nobody is called so." : rest > 0 ? `and ${rest.toLocaleString("en")} more` : "");
    return found.slice(0, MOST_ROWS);
  }

  clear() {
    byId("audience-find").value = "";
    this.draw(null);
  }
}
