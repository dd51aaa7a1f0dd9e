/**
 * The tiles: one for each person or shared screen in view, and where they lie.
 */

import { icon, make, setText } from "./dom.js";
import { nameOf } from "./emoji.js";
import { onFirstFrame } from "./frames.js";
import { MAX_VISIBLE, pageCapacity, placeStage, placeTiles } from "./grid.js";
import { initialsOf, toneOf } from "./participants.js";
import { GRADE_WORDS } from "./quality.js";
import { Zoom } from "./zoom.js";

/**
 * @typedef {object} TileModel
 * @property {string} key       participant id, or "screen:" and the id
 * @property {string} id        participant id
 * @property {string} name
 * @property {boolean} self
 * @property {boolean} screen
 * @property {boolean} muted
 * @property {boolean} speaking
 * @property {boolean} pinned
 * @property {boolean} [hand]     raised
 * @property {string} [reaction]  an emoji, "" for none
 * @property {boolean} [sharing]  their screen, which has a tile of its own or is ours
 * @property {boolean} away      the signaling socket is lost for the moment
 * @property {boolean} [paused]  our line is too slow for the picture
 * @property {MediaStream|null} stream  the picture, null while there is none
 * @property {import("./slots.js").PictureStart} [start]  from where on the stream is theirs
 * @property {import("./quality.js").Grade} grade
 */

const PAUSED_WORDS = "Paused: slow connection";

/** One tile. */
class Tile {
  #video;
  #avatar;
  #name;
  #bars;
  #pin;
  #zoom = null;
  #reaction = make("span", { class: "reaction", "aria-hidden": "true" });
  #words = make("span", { class: "visually-hidden" });
  #onFrame;
  #stopWaiting = () => {};
  height = 0;

  constructor(model, { onPin, onFrame }) {
    this.#onFrame = onFrame;
    this.#video = make("video", { autoplay: true, playsinline: true, tabindex: "-1", "aria-hidden": "true" });
    this.#video.muted = true;
    this.#avatar = make("span", { class: "avatar", "aria-hidden": "true", "data-tone": String(toneOf(model.name)) });
    this.#name = make("span", { class: "name" });
    this.#bars = make("span", { class: "bars", "aria-hidden": "true" }, make("i"), make("i"), make("i"));
    const plate = make("div", { class: "plate" }, icon(model.screen ? "screen" : "mic-off"), this.#name, this.#bars);
    const away = make("span", { class: "away-mark", "aria-hidden": "true", text: "Reconnecting…" });
    const paused = make("span", { class: "pause-mark", "aria-hidden": "true", text: PAUSED_WORDS });
    const sharing = make("span", { class: "share-mark", "aria-hidden": "true" }, icon("screen"));
    const hand = make("span", { class: "hand-mark", "aria-hidden": "true" }, icon("hand"));
    const marks = make("div", { class: "marks" }, hand, sharing, away, paused);
    if (model.screen) this.#zoom = new Zoom(this.#video);
    const picture = this.#zoom?.pane ?? this.#video;
    this.element = make("li", { class: "tile" }, this.#avatar, picture, marks, plate, this.#reaction, this.#words);
    this.element.classList.toggle("self", model.self);
    this.element.classList.toggle("screen", model.screen);
    this.element.dataset.participant = model.id;
    if (!model.self) {
      const words = make("span", { class: "visually-hidden" });
      this.#pin = make("button", { type: "button", class: "round small pin" }, icon("pin"), words);
      this.#pin.addEventListener("click", () => onPin(model.key));
      this.element.append(this.#pin);
    }
    if (this.#zoom) this.element.append(this.#zoom.button);
  }

  /** @param {TileModel} model */
  update(model) {
    const { classList } = this.element;
    classList.toggle("muted", model.muted && !model.screen);
    classList.toggle("speaking", model.speaking);
    classList.toggle("pinned", model.pinned);
    classList.toggle("hand", model.hand ?? false);
    classList.toggle("reacting", Boolean(model.reaction));
    classList.toggle("sharing", model.sharing ?? false);
    classList.toggle("away", model.away);
    classList.toggle("paused", model.paused ?? false);
    setText(this.#name, model.self ? "You" : model.screen ? `${model.name}’s screen` : model.name);
    setText(this.#avatar, initialsOf(model.name));
    setText(this.#reaction, model.reaction ?? "");
    this.#bars.dataset.grade = model.grade;
    if (this.#pin) {
      const words = model.pinned ? `Unpin ${model.name}` : `Pin ${model.name}`;
      setText(this.#pin.lastElementChild, words);
      this.#pin.setAttribute("aria-pressed", String(model.pinned));
    }
    setText(this.#words, stateWords(model));
    this.#attach(model);
  }

  place({ x, y, width, height }) {
    const { style } = this.element;
    style.transform = `translate(${x}px, ${y}px)`;
    style.width = `${width}px`;
    style.height = `${height}px`;
    style.setProperty("--unit", `${Math.min(width, height * 1.6)}px`);
    this.height = height;
  }

  /** A small one shows all of it. */
  set large(isLarge) {
    this.element.classList.toggle("large", isLarge);
    if (!isLarge) this.#zoom?.leave();
  }

  /** Shows the whole screen again; answers whether it did not. */
  fit() {
    const wasZoomed = this.#zoom?.on ?? false;
    this.#zoom?.leave();
    return wasZoomed;
  }

  get stream() {
    return this.#video.srcObject;
  }

  /** Takes the picture away. */
  clear() {
    this.#stopWaiting();
    this.element.classList.remove("live");
    this.#video.srcObject = null;
  }

  close() {
    this.clear();
    this.element.remove();
  }

  /** Shows the picture once its first frame is there, so that no black tile stands in between. */
  #attach({ stream, start = { since: 0 }, self, id, screen }) {
    if (this.#video.srcObject === stream) return;
    this.clear();
    if (!stream) return;
    this.#video.srcObject = stream;
    this.#stopWaiting = onFirstFrame(this.#video, start, () => {
      this.element.classList.add("live");
      if (!self) this.#onFrame(id, screen ? "screen" : "video");
    });
    this.#video.play().catch(() => {});
  }
}

/** All tiles of the meeting. */
export class TileBoard {
  #root;
  #tiles = new Map();
  #hooks;

  /**
   * @param {HTMLElement} root  the list that holds the tiles
   * @param {{onPin: (key: string) => void, onFrame: (id: string, source: string) => void, onResize: () => void}} hooks
   */
  constructor(root, hooks) {
    this.#root = root;
    this.#hooks = hooks;
    new ResizeObserver(() => hooks.onResize()).observe(root);
  }

  /** How many people the first page of the gallery holds now. */
  get capacity() {
    return pageCapacity(this.#root.clientWidth, this.#root.clientHeight, this.#shape());
  }

  /**
   * Shows one page of people.
   *
   * @param {TileModel[]} models  in order, ourselves first when we are among the tiles
   * @param {{stage: string|null, floating: TileModel|null, page: number}} how
   *   stage: the key of the large one; floating: our own picture in the corner
   * @returns {{page: number, pages: number, shown: {key: string, id: string, height: number}[]}}
   */
  render(models, { stage, floating, page }) {
    const width = this.#root.clientWidth;
    const height = this.#root.clientHeight;
    const large = models.find(({ key }) => key === stage);
    const plan = large
      ? this.#planStage(models, large, width, height, page)
      : this.#planGallery(models, width, height, page);
    if (floating) plan.entries.push([floating, cornerOf(plan.entries[0]?.[1] ?? { x: 0, y: 0, width, height })]);
    this.#sync(plan.entries, floating?.key, large?.key);
    return {
      page: plan.page,
      pages: plan.pages,
      shown: plan.entries.map(([{ key, id, self, screen }, box]) => ({ key, id, self, screen, height: box.height })),
    };
  }

  /**
   * Takes away at once the pictures that are not their people's any more; all else can wait for the next drawing.
   *
   * @param {(key: string, stream: MediaStream) => boolean} isTheirs
   */
  keepPictures(isTheirs) {
    for (const [key, tile] of this.#tiles) if (tile.stream && !isTheirs(key, tile.stream)) tile.clear();
  }

  /** Shows a screen that is looked at closely as a whole again; answers whether there was one. */
  fit() {
    return [...this.#tiles.values()].filter((tile) => tile.fit()).length > 0;
  }

  clear() {
    for (const tile of this.#tiles.values()) tile.close();
    this.#tiles.clear();
  }

  /** Narrow screens take taller tiles, and smaller ones. */
  #shape() {
    const narrow = this.#root.clientWidth < 600;
    return narrow ? { gap: 6, tallest: 3 / 4, smallest: 104 } : { gap: 10, tallest: 4 / 3, smallest: 150 };
  }

  #planGallery(models, width, height, wanted) {
    const shape = this.#shape();
    const capacity = Math.min(MAX_VISIBLE, pageCapacity(width, height, shape));
    const { page, pages, part } = cut(models, capacity, wanted);
    const boxes = placeTiles(part.length, width, height, shape);
    return { page, pages, entries: part.map((model, index) => [model, boxes[index]]) };
  }

  #planStage(models, large, width, height, wanted) {
    const { gap } = this.#shape();
    const rest = models.filter((model) => model !== large);
    const { capacity } = placeStage(rest.length, width, height, { gap });
    const { page, pages, part } = cut(rest, Math.max(1, capacity), wanted);
    const { stage, tiles } = placeStage(part.length, width, height, { gap });
    return { page, pages, entries: [[large, stage], ...part.map((model, index) => [model, tiles[index]])] };
  }

  /** Keeps the tiles that stay, so that their pictures go on. */
  #sync(entries, floatingKey, largeKey) {
    const wanted = new Set(entries.map(([{ key }]) => key));
    for (const [key, tile] of this.#tiles) {
      if (wanted.has(key)) continue;
      tile.close();
      this.#tiles.delete(key);
    }
    for (const [model, box] of entries) {
      let tile = this.#tiles.get(model.key);
      if (!tile) {
        tile = new Tile(model, this.#hooks);
        this.#tiles.set(model.key, tile);
        this.#root.append(tile.element);
      }
      tile.place(box);
      tile.element.classList.toggle("floating", model.key === floatingKey);
      tile.large = model.key === largeKey;
      tile.update(model);
    }
  }
}

/** What a tile shows beside the name, for those who hear it. */
export function stateWords({ hand, reaction, sharing, away, muted, paused, stream, speaking, grade, screen }) {
  const pause = paused && PAUSED_WORDS.toLowerCase();
  if (screen) return pause || "";
  const picture = pause || (!stream && "camera off");
  const marks = [
    hand && "hand raised", reaction && `reacted with ${nameOf(reaction)}`, sharing && "shares a screen",
    away && "reconnecting", muted && "muted", picture, speaking && "speaking",
  ];
  if (grade === "unstable" || grade === "poor") marks.push(GRADE_WORDS[grade].toLowerCase());
  return marks.filter(Boolean).join(", ");
}

/** The picture height that a tile needs, in few steps so that small moves of the window change nothing. */
export function neededHeight(pixels) {
  return [90, 180, 270, 360, 540, 720].find((step) => pixels <= step * 1.1) ?? 1080;
}

/** One page of a list; a page beyond the end is the last one. */
function cut(list, capacity, wanted) {
  const pages = Math.max(1, Math.ceil(list.length / capacity));
  const page = Math.min(Math.max(0, wanted), pages - 1);
  return { page, pages, part: list.slice(page * capacity, (page + 1) * capacity) };
}

/** The corner of a tile where our own picture floats. */
function cornerOf({ x, y, width, height }) {
  const own = Math.round(Math.max(104, Math.min(256, width * 0.24)));
  const tall = Math.round((own * 9) / 16);
  return { x: x + width - own - 12, y: y + height - tall - 12, width: own, height: tall };
}
