/**
 * A message that is being written: its text, whom it is for, and what it answers or changes. No DOM.
 */

import { MOST_CHARACTERS, partnerOf } from "./chat.js";

export class Draft {
  text = "";
  /** participant_id; null: everybody. @type {string|null} */
  recipient = null;
  /** Of the recipient, also when they are gone. */
  recipientName = "";
  /** The breakout room whose people it is for; null: not for a room. @type {import("./breakout.js").Room|null} */
  room = null;
  /** The recipient is not here any more, or we are not in the room: nothing is sent until another choice is made. */
  gone = false;
  /** What it answers. @type {import("./chat.js").ChatMessage|null} */
  reply = null;
  /** Our own message that it changes. @type {import("./chat.js").ChatMessage|null} */
  editing = null;
  /** What is on its way. @type {object|null} */
  sending = null;
  #own;
  /** Whether we may write to somebody; null: to everybody. @type {(id: string|null) => boolean} */
  #mayWrite = () => true;
  /** What was being written before an earlier message was to be changed. */
  #aside = null;
  /** What was sent, and may have arrived though no answer came. */
  #unsure = null;

  /** @param {string} own  our participant_id */
  constructor(own) {
    this.#own = own;
  }

  /** Characters, as people count them at most. */
  get length() {
    return [...this.text.trim()].length;
  }

  get tooLong() {
    return this.length > MOST_CHARACTERS;
  }

  /** Whether it can be sent as it is. */
  get ready() {
    return !this.sending && !this.tooLong && this.length > 0 && (this.editing !== null || !(this.gone || this.barred));
  }

  /** Hosts let nobody write to whom it is for: nothing is sent until another choice is made. */
  get barred() {
    return !this.gone && !this.#mayWrite(this.recipient);
  }

  /**
   * @param {string|null} id  null: everybody, or all in a room
   * @param {string} [name]
   * @param {import("./breakout.js").Room|null} [room]  for those who are in it with us
   */
  address(id, name = "", room = null) {
    this.recipient = id;
    this.recipientName = name;
    this.room = room;
    this.gone = false;
    // What two have read, or those in a room, is not quoted to others.
    const partner = this.reply && partnerOf(this.reply, this.#own);
    if (partner && partner !== id) this.reply = null;
    if (this.reply?.room_id && this.reply.room_id !== room?.id) this.reply = null;
  }

  /**
   * We are in this room now, and what we write is for it. What was begun for another room is for nobody until its writer says
   * for whom; what was begun for everybody stays so.
   *
   * @param {import("./breakout.js").Room|null} room  null: the main room
   */
  enter(room) {
    const begun = (this.#aside?.text ?? this.text).trim() !== "";
    if (this.room && this.room.id === room?.id) Object.assign(this, { room, gone: false });
    else if (begun) this.gone ||= this.room !== null;
    else if (this.recipient === null) this.address(null, "", room);
  }

  /**
   * Tells who is here, and to whom we may write.
   *
   * @param {(id: string) => boolean} isHere
   * @param {(id: string|null) => boolean} [mayWrite]  null: to everybody
   */
  review(isHere, mayWrite = this.#mayWrite) {
    this.#mayWrite = mayWrite;
    if (this.room === null) this.gone = this.recipient !== null && !isHere(this.recipient);
  }

  /**
   * Begins an answer; one to a private message goes to the same person, one to a message to our room to the room.
   *
   * @param {import("./breakout.js").Room|null} [room]  that we are in
   */
  answer(message, partnerName = "", room = null) {
    this.endEdit();
    const partner = partnerOf(message, this.#own);
    if (partner) this.address(partner, partnerName);
    else if (message.room_id) this.address(null, "", room);
    if (!message.room_id || message.room_id === room?.id) this.reply = message;
  }

  /**
   * A message was changed or taken back: what is gone is not answered.
   *
   * @param {import("./chat.js").ChatMessage} message
   */
  refresh(message) {
    if (this.reply?.chat_id === message.chat_id) this.reply = message.deleted ? null : message;
  }

  /** Whether a message is one of ours. */
  isOwn({ sender_id: sender }) {
    return sender === this.#own;
  }

  /** Begins to change a message of our own. */
  edit(message) {
    this.#aside ??= { text: this.text, reply: this.reply };
    this.editing = message;
    this.reply = null;
    this.text = message.text;
  }

  /** Goes back to what was being written before. */
  endEdit() {
    if (!this.editing) return;
    Object.assign(this, { editing: null, text: "", ...this.#aside });
    this.#aside = null;
  }

  /** The parts that belong to one place in a meeting go; the text stays, and whom it was for. */
  keepOver(own) {
    this.endEdit();
    this.#own = own;
    this.reply = this.sending = this.#unsure = null;
  }

  /**
   * Takes what is to be sent now.
   *
   * @returns {{text: string, recipient: string|null, room: string|null, replyTo: string|null, editing: string|null}}
   */
  send() {
    this.sending = {
      text: this.text.trim(), raw: this.text, recipient: this.editing ? null : this.recipient,
      room: this.editing ? null : (this.room?.id ?? null),
      replyTo: this.reply?.chat_id ?? null, editing: this.editing?.chat_id ?? null,
    };
    return this.sending;
  }

  /** It was taken: what was typed meanwhile stays. */
  sent() {
    if (!this.sending) return;
    const { raw, editing } = this.sending;
    this.sending = this.#unsure = null;
    if (editing) this.endEdit();
    else this.#clear(raw);
  }

  /** It was not taken, or nobody knows. @param {boolean} answered  whether the server refused it */
  failed(answered) {
    this.#unsure = answered ? null : this.sending;
    this.sending = null;
  }

  /**
   * A message of our own was told: one that no answer came to has arrived after all.
   *
   * @param {import("./chat.js").ChatMessage} message
   * @returns {boolean} whether the draft was that message
   */
  arrived({ sender_id: sender, text, recipient_id: recipient, room_id: room, chat_id: id }) {
    const sent = this.#unsure;
    if (!sent || sender !== this.#own || text !== sent.text) return false;
    if (sent.editing ? sent.editing !== id : (recipient ?? null) !== sent.recipient) return false;
    if (!sent.editing && (room ?? null) !== sent.room) return false;
    this.#unsure = null;
    if (sent.editing && this.editing?.chat_id === id) this.endEdit();
    else if (!sent.editing) this.#clear(sent.raw);
    return true;
  }

  #clear(raw) {
    const target = this.editing ? this.#aside : this;
    if (!target.text.startsWith(raw)) return;
    target.text = target.text.slice(raw.length);
    target.reply = null;
  }
}
