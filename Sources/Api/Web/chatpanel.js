/**
 * The chat of the meeting: its button with what is unread, and the panel with messages, search and the field.
 */

import { countWords, heardWords, newsWords, partnerOf } from "./chat.js";
import { ChatList } from "./chatlist.js";
import { ChatSearch } from "./chatsearch.js";
import { Composer } from "./composer.js";
import { byId, setText } from "./dom.js";
import { Draft } from "./draft.js";
import { explainChat } from "./errors.js";
import { History } from "./history.js";
import { Reader } from "./notices.js";
import { mayWrite } from "./permissions.js";

/** So near to the upper end the page before is loaded. */
const NEAR_PX = 200;

export class ChatPanel {
  #call = null;
  /** @type {History|null} */
  #history = null;
  /** @type {Draft|null} */
  #draft = null;
  /** The meeting that the draft is of. */
  #meeting = "";
  #names = new Map();
  #divider = null;
  /** What could not be loaded is not asked for again by itself. */
  #stuck = false;
  #deleting = null;
  #drawing = 0;
  /** Whether the choice of recipients is of those who are here. */
  #reviewed = false;
  #reader = new Reader(heardWords);
  #list;
  #search;
  #composer;

  constructor() {
    this.#list = new ChatList(byId("chat-scroll"), byId("chat-list"), {
      onReply: (message) => this.#write(() => this.#answer(message)),
      onEdit: (message) => this.#write(() => this.#draft.edit(message)),
      onDelete: (message) => this.#askToDelete(message),
      onLead: (id) => this.#lead(id),
    });
    this.#search = new ChatSearch({
      find: (words, before) => this.#history.find(words, before),
      onLead: (id) => this.#lead(id),
      onEnd: () => this.#draw(() => this.#composer.focus()),
    });
    this.#composer = new Composer((wish) => this.#send(wish));
    byId("chat-scroll").addEventListener("scroll", () => this.#scrolled(), { passive: true });
    byId("chat-earlier").addEventListener("click", () => this.#load(() => this.#history.loadOlder(), true));
    byId("chat-latest").addEventListener("click", () => {
      this.#toNewest();
      this.#composer.focus();
    });
    byId("chat-delete-confirm").addEventListener("click", () => this.#delete());
    document.addEventListener("visibilitychange", () => this.#draw());
  }

  /** Whether it is in view. */
  get shown() {
    return !byId("chat-panel").hidden;
  }

  get #own() {
    return this.#call?.you?.participant_id ?? "";
  }

  /** @param {import("./call.js").Call} call  that has just been joined */
  open(call) {
    this.#call = call;
    this.#names.clear();
    const meeting = call.meeting?.meeting_id ?? "";
    if (this.#draft && meeting === this.#meeting) this.#draft.keepOver(this.#own);
    else this.#draft = new Draft(this.#own);
    this.#meeting = meeting;
    const history = new History(call);
    this.#history = history;
    const on = (type, act) => history.addEventListener(type, ({ detail }) => history === this.#history && act(detail));
    on("change", () => this.#draw());
    on("news", (messages) => this.#reader.add(messages));
    call.addEventListener("chat", ({ detail }) => call === this.#call && this.#refresh(detail));
    on("own", (message) => this.#draft.arrived(message) && this.#composer.use(this.#draft));
    for (const type of ["joined", "left", "changed", "reset"]) {
      call.participants.addEventListener(type, () => call === this.#call && this.#review());
    }
    for (const type of ["meeting", "state", "role"]) {
      call.addEventListener(type, () => call === this.#call && this.#review());
    }
    call.breakout.addEventListener("change", () => call === this.#call && this.#enterRoom());
    this.#composer.use(this.#draft);
    this.#enterRoom();
    this.#draw();
  }

  /** Takes everything of the call away; what was being written stays, should its writer come back. */
  close() {
    this.#call = this.#history = this.#divider = this.#deleting = null;
    this.#stuck = false;
    this.#reader.clear();
    this.#composer.use(null);
    this.#search.clear();
    this.#list.clear();
  }

  /**
   * The panel has come into view.
   *
   * @returns {string} id of what gets the focus: on a touch screen the field would bring a keyboard over the messages
   */
  show() {
    if (this.#history) this.#begin(this.#history.log);
    return matchMedia("(hover: none)").matches ? "chat-title" : "chat-field";
  }

  #begin(log) {
    this.#divider = log.firstUnread ?? null;
    this.#stuck = false;
    // A field that is not in view has no height.
    this.#composer.draw();
    this.#drawList(log);
    if (this.#divider) this.#list.lead(this.#divider, false);
    else this.#list.toEnd();
    this.#drawNow();
  }

  // Who is here

  /** Somebody came, left or is called otherwise, or may be written to or not. */
  #review() {
    this.#reviewDraft();
    this.#reviewed = false;
    this.#draw();
  }

  /** We may be in another breakout room, or it is called otherwise. */
  #enterRoom() {
    this.#draft.enter(this.#call.breakout.ownRoom);
    this.#review();
  }

  #reviewDraft() {
    const { participants, webinar } = this.#call;
    const may = (id) => mayWrite(this.#call, id && participants.get(id)?.role);
    this.#draft.review((id) => participants.get(id) !== undefined || webinar.mayWatch(id, this.#call), may);
  }

  #offerPeople() {
    if (this.#reviewed) return;
    const people = this.#call.participants.list().map((each) => ({
      id: each.participant_id, name: each.display_name, role: each.role,
    }));
    for (const { id, name } of people) this.#names.set(id, name);
    // A thousand choices are only made where somebody chooses.
    if (!this.shown) return;
    this.#reviewed = true;
    people.sort((a, b) => a.name.localeCompare(b.name));
    const may = people.filter(({ role }) => mayWrite(this.#call, role));
    this.#composer.offer(may, mayWrite(this.#call, null), this.#call.breakout.ownRoom);
  }

  /** What is being answered may have been changed. */
  #refresh(message) {
    const { reply } = this.#draft;
    if (!message || !reply) return;
    this.#draft.refresh(message);
    if (this.#draft.reply !== reply) this.#composer.draw();
  }

  #nameOf(id) {
    return id === this.#own ? "you" : (this.#names.get(id) ?? "somebody who left");
  }

  // Drawing

  /** Draws once for however many changes come in one frame. @param {() => void} [then] */
  #draw(then) {
    this.#drawing ||= requestAnimationFrame(() => {
      this.#drawing = 0;
      if (this.#history) this.#drawNow();
    });
    if (then) requestAnimationFrame(then);
  }

  #drawNow() {
    const { log, loading } = this.#history;
    for (const { sender_id: id, sender_name: name } of log.list()) if (!this.#names.has(id)) this.#names.set(id, name);
    this.#drawButton(log);
    this.#offerPeople();
    if (!this.shown || this.#search.open) return;
    this.#drawList(log);
    byId("chat-empty").hidden = log.size > 0 || log.older || loading;
    byId("chat-earlier").hidden = !log.older;
    byId("chat-earlier").disabled = loading;
    setText(byId("chat-earlier"), loading ? "Loading…" : this.#stuck ? "Not loaded. Try again" : "Earlier messages");
    this.#scrolled();
    setText(byId("chat-latest").lastElementChild, log.unread ? newsWords(log.unread) : "To the newest");
  }

  #drawList(log) {
    this.#list.render(log, {
      own: this.#own, controls: this.#call.controls, nameOf: (id) => this.#nameOf(id), divider: this.#divider,
      room: this.#call.breakout.own,
    });
  }

  #drawButton(log) {
    const count = byId("chat-count");
    count.hidden = log.unread === 0 && !log.unopened;
    count.classList.toggle("dot", log.unread === 0);
    setText(count, countWords(log.unread));
    const words = log.unread ? `, ${countWords(log.unread)} unread` : log.unopened ? ", with earlier messages" : "";
    byId("show-chat").setAttribute("aria-label", `Chat${words}`);
  }

  /** Loads what is about to come into view, and takes what is in view for read. */
  #scrolled() {
    const history = this.#history;
    if (!history || !this.shown || this.#search.open) return;
    const { log, loading } = history;
    if (!loading && !this.#stuck) {
      if (log.older && byId("chat-scroll").scrollTop < NEAR_PX) this.#load(() => history.loadOlder());
      else if (log.newer && this.#list.atEnd) this.#load(() => history.loadNewer());
    }
    byId("chat-latest").hidden = log.size === 0 || (this.#list.atEnd && !log.newer);
    if (this.#list.atEnd && !log.newer && !document.hidden) history.seen();
  }

  /** @param {boolean} [again]  somebody asked for it */
  async #load(act, again = false) {
    if (again) this.#stuck = false;
    const history = this.#history;
    try {
      await act();
      if (history === this.#history) this.#stuck = false;
    } catch (error) {
      console.warn("messages not loaded", error);
      if (history === this.#history) this.#stuck = true;
    }
    if (history === this.#history) this.#draw();
  }

  // Going somewhere

  async #toNewest() {
    await this.#load(() => this.#history?.toNewest(), true);
    if (!this.#history) return;
    this.#drawNow();
    this.#list.toEnd();
    this.#scrolled();
  }

  async #lead(id) {
    const history = this.#history;
    try {
      await history.reach(id);
    } catch (error) {
      if (history === this.#history) this.#composer.problem(explainChat(error));
      return;
    }
    if (history !== this.#history) return;
    if (this.#search.open) this.#search.clear();
    this.#drawNow();
    this.#list.lead(id);
  }

  // Writing

  #write(begin) {
    if (this.#draft.sending) return;
    begin();
    this.#reviewDraft();
    this.#composer.problem(null);
    this.#composer.draw();
    this.#composer.focus();
  }

  #answer(message) {
    this.#draft.answer(message, this.#nameOf(partnerOf(message, this.#own)), this.#call.breakout.ownRoom);
  }

  async #send({ text, recipient, room, replyTo, editing }) {
    if (editing) return this.#call.editChat(editing, text);
    await this.#call.sendChat({ text, recipient, room, replyTo });
    if (this.shown && !this.#search.open) this.#toNewest();
  }

  #askToDelete(message) {
    this.#deleting = message.chat_id;
    byId("chat-delete-dialog").showModal();
  }

  async #delete() {
    const id = this.#deleting;
    byId("chat-delete-dialog").close();
    try {
      if (id) await this.#call?.deleteChat(id);
      this.#composer.problem(null);
    } catch (error) {
      console.warn("not deleted", error);
      if (this.#call) this.#composer.problem(explainChat(error));
    }
  }
}
