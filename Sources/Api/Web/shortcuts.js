/**
 * Keyboard shortcuts of the meeting, and the list that explains them.
 */

import { recall, remember } from "./devices.js";
import { byId, make } from "./dom.js";

const SWITCH_KEY = "needletail.shortcuts";

/** What the keys of a meeting do, by the name of the act. `key` as KeyboardEvent.key in lower case. */
const MEETING_KEYS = [
  { act: "mute", key: "m", label: "M", words: "Mute or unmute" },
  { act: "push", key: " ", label: "Space", words: "Hold to speak while muted" },
  { act: "camera", key: "c", label: "C", words: "Camera on or off" },
  { act: "hand", key: "h", label: "H", words: "Raise or lower your hand" },
  { act: "react", key: "r", label: "R", words: "React with an emoji" },
  { act: "share", key: "shift+s", label: "Shift S", words: "Share your screen, or stop" },
  { act: "people", key: "p", label: "P", words: "Who is here" },
  { act: "chat", key: "t", label: "T", words: "Chat" },
  { act: "rooms", key: "b", label: "B", words: "Breakout rooms" },
  { act: "polls", key: "o", label: "O", words: "Polls" },
  { act: "questions", key: "q", label: "Q", words: "Questions and answers, in a webinar" },
  { act: "layout", key: "v", label: "V", words: "Gallery or speaker" },
  { act: "settings", key: "s", label: "S", words: "Microphone and camera" },
  { act: "invite", key: "i", label: "I", words: "Copy the invitation link" },
  { act: "back", key: "arrowleft", label: "←", words: "Previous page of people" },
  { act: "next", key: "arrowright", label: "→", words: "Next page of people" },
  { act: "close", key: "escape", label: "Esc", words: "Close what is open beside the meeting" },
  { act: "leave", key: "shift+l", label: "Shift L", words: "Leave the meeting" },
  { act: "help", key: "?", label: "?", words: "These shortcuts" },
];

/**
 * @param {{[act: string]: () => void}} acts  what each does; `release` is what the end of `push` does
 * @returns {Shortcut[]}
 */
export function meetingShortcuts({ release, ...acts }) {
  return MEETING_KEYS.map(({ act, ...each }) => ({ ...each, run: acts[act], ...(act === "push" && { release }) }));
}

/** @typedef {{key: string, label: string, words: string, run: () => void, release?: () => void}} Shortcut */

export class Shortcuts {
  #list;
  #active;
  #held = null;

  /**
   * @param {Shortcut[]} list  `key` as KeyboardEvent.key in lower case; `release` for keys that are held
   * @param {() => boolean} active  whether the meeting is in view
   */
  constructor(list, active) {
    this.#list = list;
    this.#active = active;
    const toggle = byId("shortcuts-on");
    toggle.checked = recall(SWITCH_KEY) !== "off";
    toggle.addEventListener("change", () => remember(SWITCH_KEY, toggle.checked ? "on" : "off"));
    byId("shortcut-list").append(...list.flatMap(({ label, words }) => [
      make("dt", {}, ...label.split(" ").map((text) => make("kbd", { text }))),
      make("dd", { text: words }),
    ]));
    document.addEventListener("keydown", (event) => this.#down(event));
    document.addEventListener("keyup", (event) => this.#up(event));
    window.addEventListener("blur", () => this.#release());
  }

  #down(event) {
    if (!this.#active() || !byId("shortcuts-on").checked || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]") || event.target.closest("input, select, textarea")) return;
    const shifted = event.shiftKey && event.key.length === 1 && event.key !== "?";
    const key = (shifted ? "shift+" : "") + event.key.toLowerCase();
    const shortcut = this.#list.find((each) => each.key === key);
    if (!shortcut || (key === " " && event.target.closest("button"))) return;
    event.preventDefault();
    if (event.repeat) return;
    if (shortcut.release) this.#held = shortcut;
    shortcut.run();
  }

  #up(event) {
    if (this.#held && event.key.toLowerCase() === this.#held.key) this.#release();
  }

  #release() {
    this.#held?.release();
    this.#held = null;
  }
}
