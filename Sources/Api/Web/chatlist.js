/**
 * The messages of the chat as a list: grouped, with what one may do with each.
 */

import { beginsGroup, firstLineOf, partnerOf, partsOf } from "./chat.js";
import { momentWords } from "./clock.js";
import { icon, make } from "./dom.js";
import { initialsOf, toneOf } from "./participants.js";

/** So near to the end a list is at it. */
const END_PX = 48;
const FLASH_MS = 1_600;

/**
 * @typedef {object} ChatLook
 * @property {string} own  our participant_id
 * @property {boolean} controls  whether we may delete what others wrote
 * @property {(id: string) => string} nameOf
 * @property {string|null} room  id of the breakout room that we are in; null: the main room
 * @property {string|null} divider  the first message that was unread when the panel was opened
 */

export class ChatList {
  #scroll;
  #list;
  #hooks;
  #rows = new Map();
  /** The message that the tab key comes to. @type {HTMLElement|null} */
  #current = null;

  /**
   * @param {HTMLElement} scroll  what scrolls
   * @param {HTMLElement} list  in it
   * @param {{onReply: (message: object) => void, onEdit: (message: object) => void,
   *   onDelete: (message: object) => void, onLead: (id: string) => void}} hooks
   */
  constructor(scroll, list, hooks) {
    this.#scroll = scroll;
    this.#list = list;
    this.#hooks = hooks;
    list.addEventListener("keydown", (event) => this.#move(event));
    // The field below grows, and takes of the list: its end stays in view where it was.
    let wasAtEnd = true;
    scroll.addEventListener("scroll", () => (wasAtEnd = this.atEnd), { passive: true });
    new ResizeObserver(() => wasAtEnd && this.toEnd()).observe(scroll);
    list.addEventListener("focusin", ({ target }) => this.#choose(target.closest("li")));
  }

  get atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroll;
    return scrollHeight - scrollTop - clientHeight < END_PX;
  }

  /** Draws the messages; what is in view stays where it is, and the end stays in view. */
  render(log, look) {
    const { atEnd } = this;
    const anchor = atEnd ? null : this.#anchor();
    const messages = log.list();
    const present = new Set(messages.map(({ chat_id: id }) => id));
    for (const [id, { element }] of this.#rows) {
      if (present.has(id)) continue;
      element.remove();
      this.#rows.delete(id);
    }
    let next = this.#list.firstElementChild;
    messages.forEach((message, place) => {
      const { element } = this.#update(message, messages[place - 1], log, look);
      if (element === next) next = next.nextElementSibling;
      else this.#list.insertBefore(element, next);
    });
    if (!this.#current?.isConnected) this.#choose(this.#list.lastElementChild);
    if (atEnd) this.toEnd();
    else if (anchor?.element.isConnected) this.#scroll.scrollTop = anchor.element.offsetTop - anchor.above;
  }

  toEnd() {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
  }

  /** Brings a message into view, with the focus where that is wanted; false where it is not here. */
  lead(id, focuses = true) {
    const element = this.#rows.get(id)?.element;
    if (!element) return false;
    element.scrollIntoView({ block: "center" });
    if (!focuses) return true;
    element.focus({ preventScroll: true });
    element.classList.add("led");
    setTimeout(() => element.classList.remove("led"), FLASH_MS);
    return true;
  }

  clear() {
    this.#list.replaceChildren();
    this.#rows.clear();
    this.#current = null;
  }

  /** The first message in view, and how far it is below the edge. */
  #anchor() {
    const { scrollTop } = this.#scroll;
    const element = [...this.#list.children].find((each) => each.offsetTop + each.offsetHeight > scrollTop);
    return element && { element, above: element.offsetTop - scrollTop };
  }

  #update(message, before, log, look) {
    const { chat_id: id, reply_to: replyTo, recipient_id: recipient } = message;
    const row = this.#rows.get(id) ?? { element: make("li", { tabindex: "-1" }) };
    this.#rows.set(id, row);
    const answered = replyTo ? log.get(replyTo) : undefined;
    const begins = id === look.divider || beginsGroup(before, message);
    const name = recipient && look.nameOf(recipient);
    const shown = [message, answered, begins, look.controls, id === look.divider, name, message.room_id && look.room];
    if (row.shown?.every((each, place) => each === shown[place])) return row;
    row.shown = shown;
    const { element } = row;
    const focused = element.contains(document.activeElement);
    element.dataset.chat = id;
    element.classList.toggle("begins", begins);
    element.classList.toggle("divided", id === look.divider);
    element.classList.toggle("private", Boolean(recipient));
    element.replaceChildren(...(begins ? [headOf(message, look)] : []), this.#bodyOf(message, answered, look));
    if (focused) element.focus();
    this.#reach(element, element === this.#current);
    return row;
  }

  #bodyOf(message, answered, look) {
    const body = make("div", { class: "said" });
    if (message.reply_to && !message.deleted) body.append(this.#quoteOf(message.reply_to, answered, look));
    body.append(wordsOf(message));
    if (message.edited_at && !message.deleted) body.append(make("span", { class: "edited", text: "edited" }));
    if (!message.deleted) body.append(this.#actsOf(message, look));
    return body;
  }

  #quoteOf(id, answered, look) {
    const who = answered && (answered.sender_id === look.own ? "You" : answered.sender_name);
    const line = answered?.deleted ? "a deleted message" : answered && firstLineOf(answered.text);
    const button = make("button", { type: "button", class: "quote", tabindex: "-1", dir: "auto" });
    button.append(make("span", { class: "visually-hidden", text: "In answer to " }));
    if (answered) button.append(make("b", { text: `${who}: ` }), line);
    else button.append("an earlier message");
    button.addEventListener("click", () => this.#hooks.onLead(id));
    return button;
  }

  #actsOf(message, look) {
    const { own, controls } = look;
    const isOwn = message.sender_id === own;
    const acts = make("div", { class: "acts" });
    const offer = (words, name, run) => {
      const hidden = make("span", { class: "visually-hidden", text: words });
      const attributes = { type: "button", class: "quiet square", tabindex: "-1", title: words };
      const button = make("button", attributes, icon(name), hidden);
      button.addEventListener("click", () => run(message));
      acts.append(button);
    };
    // What was said in a room is answered there.
    if (!message.room_id || message.room_id === look.room) offer("Reply", "reply", this.#hooks.onReply);
    if (isOwn) offer("Edit", "edit", this.#hooks.onEdit);
    if (isOwn || controls) offer("Delete", "delete", this.#hooks.onDelete);
    return acts;
  }

  // The keyboard: one message at a time is reached by the tab key, with its buttons

  #choose(element) {
    if (!element || element === this.#current) return;
    if (this.#current) this.#reach(this.#current, false);
    this.#current = element;
    this.#reach(element, true);
  }

  #reach(element, can) {
    for (const each of [element, ...element.querySelectorAll("button, a")]) each.tabIndex = can ? 0 : -1;
  }

  #move(event) {
    const from = event.target.closest("li");
    if (!from || event.ctrlKey || event.metaKey || event.altKey) return;
    const to = {
      ArrowUp: from.previousElementSibling, ArrowDown: from.nextElementSibling,
      Home: this.#list.firstElementChild, End: this.#list.lastElementChild,
    }[event.key];
    if (!to) return;
    event.preventDefault();
    to.focus();
  }
}

/** Who wrote, when, and to whom where it was not everybody. */
function headOf(message, look) {
  const { sender_id: sender, sender_name: name, sent_at: sentAt, recipient_id: recipient } = message;
  const tone = String(toneOf(name));
  const avatar = make("span", { class: "avatar", "aria-hidden": "true", "data-tone": tone, text: initialsOf(name) });
  const who = make("b", { class: "by", dir: "auto", text: sender === look.own ? "You" : name });
  const head = make("div", { class: "head" }, avatar, who);
  if (recipient) head.append(make("span", { class: "only", text: privateWords(message, look) }));
  else if (message.room_id) head.append(make("span", { class: "only in-room", dir: "auto", text: roomWords(message) }));
  head.append(make("time", { datetime: sentAt, text: momentWords(sentAt) }));
  return head;
}

/** @returns {string} for example "Only to Ben" */
export function privateWords(message, { own, nameOf }) {
  return message.sender_id === own ? `Only to ${nameOf(partnerOf(message, own))}` : "Only to you";
}

/** @returns {string} the name of the breakout room that a message was written in */
export function roomWords({ room_name: name }) {
  return name || "A breakout room";
}

/** The text of a message, as text; addresses in it are links. */
function wordsOf({ text, deleted }) {
  if (deleted) return make("p", { class: "words deleted", text: "This message was deleted" });
  const words = make("p", { class: "words", dir: "auto" });
  words.append(...partsOf(text).map(({ text: part, href }) => (href ? linkTo(href, part) : part)));
  return words;
}

function linkTo(href, text) {
  return make("a", { href, target: "_blank", rel: "noopener noreferrer nofollow", tabindex: "-1", text });
}
