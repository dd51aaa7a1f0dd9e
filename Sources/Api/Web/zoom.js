/**
 * A closer look at a shared screen: as large as it is where it was taken, to be moved about in its tile.
 */

import { icon, make } from "./dom.js";

const ARROWS = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End"]);

export class Zoom {
  /** What the picture is moved about in. */
  pane;
  button;
  #video;
  #words = make("span", { class: "visually-hidden" });
  #on = false;

  /** @param {HTMLVideoElement} video  which goes into the pane */
  constructor(video) {
    this.#video = video;
    this.pane = make("div", { class: "zoom-pane" }, video);
    this.button = make("button", { type: "button", class: "round small zoom" }, icon("zoom"), this.#words);
    this.button.addEventListener("click", () => this.#set(!this.#on));
    this.pane.addEventListener("dblclick", (event) => this.#set(!this.#on, event));
    this.pane.addEventListener("keydown", (event) => this.#press(event));
    this.pane.addEventListener("pointerdown", (event) => this.#drag(event));
    video.addEventListener("resize", () => this.#size());
    this.#draw();
  }

  /** Whether the screen is shown as large as it is. */
  get on() {
    return this.#on;
  }

  /** Shows the whole of it again. */
  leave() {
    if (this.#on) this.#set(false);
  }

  /** @param {{clientX: number, clientY: number}} [at]  what stays where it is; the middle otherwise */
  #set(on, at) {
    const hadFocus = document.activeElement === this.pane;
    const spot = this.#spotAt(at);
    this.#on = on;
    this.#draw();
    if (on) {
      this.pane.scrollLeft = spot.x * this.pane.scrollWidth - spot.left;
      this.pane.scrollTop = spot.y * this.pane.scrollHeight - spot.top;
      this.pane.focus({ preventScroll: true });
    } else if (hadFocus) {
      this.button.focus({ preventScroll: true });
    }
  }

  #draw() {
    this.pane.classList.toggle("zoomed", this.#on);
    this.button.setAttribute("aria-pressed", String(this.#on));
    this.#words.textContent = this.#on ? "Show the whole screen" : "Show the screen in its own size";
    if (this.#on) {
      this.pane.setAttribute("tabindex", "0");
      this.pane.setAttribute("role", "group");
      this.pane.setAttribute("aria-label", "The screen in its own size. Arrow keys move it, Escape shows all of it.");
    } else {
      for (const name of ["tabindex", "role", "aria-label"]) this.pane.removeAttribute(name);
    }
    this.#size();
  }

  /** One pixel of the screen on one of ours. */
  #size() {
    const { videoWidth, videoHeight, style } = this.#video;
    style.width = this.#on ? `${videoWidth / devicePixelRatio}px` : "";
    style.height = this.#on ? `${videoHeight / devicePixelRatio}px` : "";
  }

  /** A point of the pane, and of the whole picture in it: 0 to 1 from its edges. */
  #spotAt({ clientX, clientY } = {}) {
    const { left, top, width, height } = this.pane.getBoundingClientRect();
    const { videoWidth, videoHeight } = this.#video;
    const scale = Math.min(width / videoWidth, height / videoHeight);
    const along = (point, edge, length, shown) => {
      const offset = point === undefined ? length / 2 : point - edge;
      const part = (offset - (length - shown) / 2) / shown;
      return [offset, Number.isFinite(part) ? Math.min(Math.max(0, part), 1) : 0.5];
    };
    const [fromLeft, x] = along(clientX, left, width, videoWidth * scale);
    const [fromTop, y] = along(clientY, top, height, videoHeight * scale);
    return { left: fromLeft, top: fromTop, x, y };
  }

  /** The keys that move it have other meanings in the meeting. */
  #press(event) {
    if (!this.#on) return;
    if (event.key === "Escape") this.leave();
    else if (!ARROWS.has(event.key)) return;
    event.stopPropagation();
  }

  #drag(event) {
    if (!this.#on || event.button !== 0 || event.pointerType === "touch") return;
    const { pane } = this;
    const from = { x: event.clientX + pane.scrollLeft, y: event.clientY + pane.scrollTop };
    const move = ({ clientX, clientY }) => pane.scrollTo(from.x - clientX, from.y - clientY);
    const end = () => {
      pane.removeEventListener("pointermove", move);
      pane.classList.remove("dragged");
    };
    pane.setPointerCapture(event.pointerId);
    pane.classList.add("dragged");
    pane.addEventListener("pointermove", move);
    for (const type of ["pointerup", "pointercancel"]) pane.addEventListener(type, end, { once: true });
  }
}
