/**
 * The lines that say who reacts and has no tile on the screen: few, and each stays as long as what it says.
 */

import { byId, make } from "./dom.js";

const MOST_LINES = 3;

/** @typedef {{id: string, name: string, text: string}} Reacting  name: "" of those whom we are not told of */

/**
 * Who gets a line: those who have one keep it, so that it can be read, and the newest get what is free.
 *
 * @param {string[]} kept  ids of those who have a line
 * @param {Reacting[]} reacting  the newest last
 * @returns {Reacting[]}
 */
export function chooseLines(kept, reacting) {
  // One of the lines says how many the others are.
  const most = reacting.length > MOST_LINES ? MOST_LINES - 1 : MOST_LINES;
  const stay = kept.map((id) => reacting.find((each) => each.id === id)).filter(Boolean).slice(0, most);
  const free = most - stay.length;
  return free > 0 ? [...stay, ...reacting.filter((each) => !stay.includes(each)).slice(-free)] : stay;
}

export class ReactionLines {
  #root = byId("reaction-lines");
  #kept = [];
  #drawn = "";

  /** @param {Reacting[]} reacting  the newest last */
  render(reacting) {
    const chosen = chooseLines(this.#kept, reacting);
    this.#kept = chosen.map(({ id }) => id);
    const more = reacting.length - chosen.length;
    const drawn = JSON.stringify([chosen, more]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const rest = more > 0 ? [make("p", {}, make("span", { class: "who", text: `and ${more} more` }))] : [];
    this.#root.replaceChildren(...chosen.map(lineOf), ...rest);
  }

  clear() {
    this.render([]);
  }
}

function lineOf({ name, text }) {
  const who = name ? [make("span", { class: "who", dir: "auto", text: name })] : [];
  return make("p", {}, ...who, make("span", { class: "reaction", text }));
}
