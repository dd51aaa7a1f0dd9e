/**
 * What the page says: problems that stay until solved, short messages, and words for screen readers.
 */

import { byId, icon, make, setText } from "./dom.js";

const TOAST_MS = 4_000;
const GATHER_MS = 600;
const REST_MS = 4_000;

/**
 * A problem with its remedy, as an element.
 *
 * @param {import("./errors.js").Explanation} words
 * @param {{label: string, run: () => void}|{label: string, run: () => void}[]} [actions]
 * @param {string} [iconName]
 */
export function problemCard(words, actions, iconName = "warning") {
  const text = make("div", {}, make("strong", { text: words.title }), make("p", { text: words.detail }));
  const card = make("div", { class: "problem" }, icon(iconName), text);
  for (const action of [actions ?? []].flat()) {
    if (!action) continue;
    const button = make("button", { type: "button", class: "secondary small", text: action.label });
    button.addEventListener("click", action.run);
    card.append(button);
  }
  return card;
}

/** The banners over the meeting; one for each key. */
export class Notices {
  #cards = new Map();

  /** Shows or replaces a banner. Urgent ones interrupt a screen reader; of quiet ones it says nothing. */
  show(key, words, { action, actions = action, calm = false, quiet = false, icon: iconName } = {}) {
    this.hide(key);
    const card = problemCard(words, actions, iconName);
    if (!quiet) card.setAttribute("role", calm ? "status" : "alert");
    if (calm) card.classList.add("calm");
    this.#cards.set(key, card);
    byId("notices").append(card);
  }

  /** Gives a banner that is shown another title. */
  retitle(key, title) {
    const card = this.#cards.get(key);
    if (card) setText(card.querySelector("strong"), title);
  }

  has(key) {
    return this.#cards.has(key);
  }

  hide(key) {
    this.#cards.get(key)?.remove();
    this.#cards.delete(key);
  }

  clear() {
    for (const key of [...this.#cards.keys()]) this.hide(key);
  }
}

/**
 * Says something once, to eyes and to screen readers.
 *
 * @param {string} words
 */
export function say(words) {
  announce(words);
  const toast = make("div", { class: "toast", text: words });
  const toasts = byId("toasts");
  toasts.append(toast);
  while (toasts.children.length > 3) toasts.firstElementChild.remove();
  setTimeout(() => toast.remove(), TOAST_MS);
}

/** Says something to screen readers only. */
export function announce(words) {
  const line = make("p", { text: words });
  byId("announcer").append(line);
  setTimeout(() => line.remove(), TOAST_MS * 2);
}

/** Reads out what comes together as one, and then rests, so that a lively chat leaves room for the voices. */
export class Reader {
  #words;
  #waiting = [];
  #timer = 0;

  /** @param {(items: object[]) => string} words  of all that came together */
  constructor(words) {
    this.#words = words;
  }

  add(items) {
    this.#waiting.push(...items);
    this.#timer ||= setTimeout(() => this.#read(), GATHER_MS);
  }

  clear() {
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#waiting = [];
  }

  #read() {
    this.#timer = 0;
    if (this.#waiting.length === 0) return;
    announce(this.#words(this.#waiting));
    this.#waiting = [];
    this.#timer = setTimeout(() => this.#read(), REST_MS);
  }
}

/** What is said of those who leave, by the reason. */
const LEFT = { lost: "lost the connection", removed: "was removed", demoted: "left the panel" };

/** Gathers joins, leaves and raised hands that come together, so that a full class does not speak for minutes. */
export class Arrivals {
  /** Names by what is said of them. @type {Map<string, string[]>} */
  #news = new Map();
  #timer = 0;

  joined(name) {
    this.#add(name, "joined");
  }

  /** @param {string} reason  "left", "removed", "demoted", or "lost" when the connection did not come back */
  left(name, reason) {
    this.#add(name, LEFT[reason] ?? "left");
  }

  /** Into our breakout room, and out of it. */
  came(name) {
    this.#add(name, "came into this room");
  }

  went(name) {
    this.#add(name, "went to another room");
  }

  raised(name) {
    this.#add(name, "raised a hand");
  }

  #add(name, verb) {
    this.#news.set(verb, [...(this.#news.get(verb) ?? []), name]);
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      for (const [each, names] of this.#news) say(arrivalWords(names, each));
      this.#news.clear();
    }, GATHER_MS);
  }
}

/**
 * @param {string[]} names
 * @param {string} verb
 * @returns {string} for example "Ana and Ben joined", "Ana, Ben and 3 others left"
 */
export function arrivalWords(names, verb) {
  if (names.length === 1) return `${names[0]} ${verb}`;
  const did = verb.replace(/^was /, "were ");
  if (names.length === 2) return `${names[0]} and ${names[1]} ${did}`;
  const rest = names.length - 2;
  return `${names[0]}, ${names[1]} and ${rest} ${rest === 1 ? "other" : "others"} ${did}`;
}

/**
 * What a person is told whose server is being emptied.
 *
 * @param {number} seconds  until the meeting ends here
 * @param {boolean} hasOther  another server was named
 * @returns {{title: string, detail: string}}
 */
export function drainWords(seconds, hasOther) {
  const minutes = Math.round(seconds / 60);
  const time = seconds < 90 ? `${Math.max(0, seconds)} seconds` : `${minutes} minutes`;
  const detail = hasOther
    ? `The meeting can go on here for ${time}; another server takes it over.`
    : `The meeting can go on here for ${time}, then it ends. Nobody new can join it.`;
  return { title: "This server is being emptied", detail };
}

/**
 * The page of another server, by its signaling address; null for one that is none.
 *
 * @param {string} [signaling]
 * @param {string} [number]  of the meeting
 * @returns {string | null}
 */
export function pageOf(signaling, number) {
  if (!URL.canParse(signaling ?? "")) return null;
  const { protocol, host } = new URL(signaling);
  if (protocol !== "wss:" && protocol !== "ws:") return null;
  const page = `${protocol === "wss:" ? "https" : "http"}://${host}/`;
  return number ? `${page}?meeting=${encodeURIComponent(number)}` : page;
}
