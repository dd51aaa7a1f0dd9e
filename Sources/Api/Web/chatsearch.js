/**
 * Search in the chat: words, and the messages in which they are.
 */

import { firstLineOf } from "./chat.js";
import { momentWords } from "./clock.js";
import { byId, make, setText } from "./dom.js";
import { explainChat } from "./errors.js";

const PATIENCE_MS = 350;

export class ChatSearch {
  #hooks;
  #timer = 0;
  /** Of the latest search; what an earlier one finds comes too late. */
  #turn = 0;
  #words = "";
  /** Where the page before begins, null where there is none. */
  #previous = null;

  /**
   * @param {{find: (words: string, before: string|null) => Promise<{messages: object[], previous: string|null}>,
   *   onLead: (id: string) => void, onEnd: () => void}} hooks
   */
  constructor(hooks) {
    this.#hooks = hooks;
    byId("chat-search").addEventListener("click", () => (this.open ? this.end() : this.#begin()));
    byId("chat-find").addEventListener("input", () => this.#typed());
    byId("chat-find").addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      this.end();
    });
    byId("chat-find-row").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#search(byId("chat-find").value.trim());
    });
    byId("chat-found-more").addEventListener("click", () => this.#more());
  }

  get open() {
    return !byId("chat-find-row").hidden;
  }

  /** Shows the chat again. */
  end() {
    if (!this.open) return;
    this.#show(false);
    this.#hooks.onEnd();
  }

  /** Forgets everything. */
  clear() {
    this.#show(false);
    byId("chat-find").value = "";
    byId("chat-found-list").replaceChildren();
  }

  #begin() {
    this.#show(true);
    byId("chat-find").focus();
    byId("chat-find").select();
    this.#typed();
  }

  #show(open) {
    clearTimeout(this.#timer);
    this.#turn += 1;
    byId("chat-find-row").hidden = !open;
    byId("chat-found").hidden = !open;
    byId("chat-scroll").hidden = open;
    byId("chat-search").setAttribute("aria-pressed", String(open));
  }

  #typed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#search(byId("chat-find").value.trim()), PATIENCE_MS);
  }

  async #search(words) {
    clearTimeout(this.#timer);
    this.#words = words;
    this.#previous = null;
    byId("chat-found-list").replaceChildren();
    byId("chat-found-more").hidden = true;
    setText(byId("chat-found-words"), words ? "Searching…" : "Type what you look for.");
    if (words) await this.#load();
    else this.#turn += 1;
  }

  #more() {
    byId("chat-found-more").hidden = true;
    return this.#load();
  }

  async #load() {
    const turn = ++this.#turn;
    try {
      const { messages, previous } = await this.#hooks.find(this.#words, this.#previous);
      if (turn !== this.#turn) return;
      this.#previous = previous;
      // The newest first: that is what people look for most.
      byId("chat-found-list").append(...[...messages].reverse().map((message) => this.#rowOf(message)));
      byId("chat-found-more").hidden = previous === null;
      const count = byId("chat-found-list").children.length;
      setText(byId("chat-found-words"), foundWords(count, previous !== null));
    } catch (error) {
      console.warn("not searched", error);
      if (turn !== this.#turn) return;
      const { title, detail } = explainChat(error);
      const words = error.status === 422 ? "Look for one to eight words of letters and digits." : `${title}. ${detail}`;
      setText(byId("chat-found-words"), words);
    }
  }

  #rowOf({ chat_id: id, sender_name: name, recipient_id: recipient, sent_at: sentAt, text }) {
    const head = make("span", { class: "head" }, make("b", { class: "by", dir: "auto", text: name }));
    if (recipient) head.append(make("span", { class: "only", text: "Private" }));
    head.append(make("time", { datetime: sentAt, text: momentWords(sentAt) }));
    const line = make("span", { class: "words", dir: "auto", text: firstLineOf(excerptOf(text, this.#words)) });
    const button = make("button", { type: "button", class: "hit" }, head, line);
    button.addEventListener("click", () => this.#hooks.onLead(id));
    return make("li", {}, button);
  }
}

/** @returns {string} for example "2 messages" */
function foundWords(count, more) {
  if (count === 0) return "Nothing was found.";
  const words = count === 1 ? "1 message" : `${count} messages`;
  return more ? `${words}, and there are more` : words;
}

/** The text from the line on in which the words are. */
function excerptOf(text, words) {
  const first = words.toLowerCase().split(/\s+/)[0];
  return text.split("\n").find((line) => line.toLowerCase().includes(first)) ?? text;
}
