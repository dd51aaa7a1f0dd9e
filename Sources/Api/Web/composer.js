/**
 * Where a message is written: the field, whom it is for, and what it answers or changes.
 */

import { MOST_CHARACTERS, firstLineOf } from "./chat.js";
import { byId, make, setText } from "./dom.js";
import { explainChat, isUnsure } from "./errors.js";
import { problemCard } from "./notices.js";

/** From so many characters on one is told how many there are. */
const COUNT_FROM = MOST_CHARACTERS - 200;

export class Composer {
  /** @type {import("./draft.js").Draft|null} */
  #draft = null;
  #send;
  #people = [];
  #everyone = true;
  /** The breakout room that we are in; null: the main room. @type {import("./breakout.js").Room|null} */
  #room = null;
  #listed = "";

  /** @param {(wish: object) => Promise<void>} send  what `Draft.send` says; rejects with ServiceError */
  constructor(send) {
    this.#send = send;
    const field = byId("chat-field");
    field.addEventListener("input", () => this.#typed());
    field.addEventListener("keydown", (event) => this.#key(event));
    byId("chat-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    byId("chat-to").addEventListener("change", ({ target }) => this.#address(target));
    byId("chat-context-close").addEventListener("click", () => this.#letGo());
  }

  /** @param {import("./draft.js").Draft|null} draft  null: nobody writes */
  use(draft) {
    this.#draft = draft;
    this.#listed = "";
    this.problem(null);
    if (draft) this.draw();
  }

  /**
   * Tells who may be written to.
   *
   * @param {{id: string, name: string}[]} people
   * @param {boolean} everyone  whether all of them at once may
   * @param {import("./breakout.js").Room|null} [room]  that we are in
   */
  offer(people, everyone, room = null) {
    this.#room = room;
    this.#people = people;
    this.#everyone = everyone;
    this.draw();
  }

  /** @param {import("./errors.js").Explanation|null} words  null: nothing is wrong */
  problem(words) {
    byId("chat-problem").replaceChildren(...(words ? [problemCard(words)] : []));
  }

  focus() {
    const field = byId("chat-field");
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }

  draw() {
    const draft = this.#draft;
    if (!draft) return;
    const field = byId("chat-field");
    if (field.value !== draft.text) field.value = draft.text;
    this.#list(draft);
    const name = draft.room?.name ?? draft.recipientName;
    byId("chat-form").classList.toggle("private", draft.recipient !== null && !draft.editing);
    field.placeholder = this.#placeholder(draft);
    byId("chat-barred").hidden = !draft.barred || draft.editing !== null;
    setText(byId("chat-barred"), draft.barred ? barredWords(this.#people.length) : "");
    byId("chat-gone").hidden = !draft.gone || draft.editing !== null;
    const gone = draft.room ? `You are not in ${name} any more.` : `${name} is not here any more.`;
    setText(byId("chat-gone"), draft.gone ? `${gone} Choose whom this message is for.` : "");
    this.#drawContext(draft);
    this.#drawLength();
  }

  #placeholder({ recipient, recipientName, room }) {
    if (recipient) return `Only to ${recipientName}`;
    if (room) return `Message to ${room.name}`;
    return this.#everyone ? "Message to everyone" : "Message to a host";
  }

  #drawContext(draft) {
    const { reply, editing } = draft;
    byId("chat-context").hidden = !reply && !editing;
    const whom = reply && (draft.isOwn(reply) ? "yourself" : reply.sender_name);
    const answer = reply ? `In answer to ${whom}: ${firstLineOf(reply.text)}` : "";
    setText(byId("chat-context-words"), editing ? "You change a message" : answer);
    setText(byId("chat-context-close").lastElementChild, editing ? "Leave it as it was" : "Answer nothing");
  }

  #drawLength() {
    const { length, ready, tooLong } = this.#draft;
    byId("chat-send").disabled = !ready;
    const words = byId("chat-length");
    words.hidden = length < COUNT_FROM;
    words.classList.toggle("over", tooLong);
    const [now, most] = [length, MOST_CHARACTERS].map((count) => count.toLocaleString("en"));
    setText(words, words.hidden ? "" : `${now} of ${most} characters`);
    grow(byId("chat-field"));
  }

  /** Fills the choice of recipients where it changed: an open list must not close for nothing. */
  #list({ recipient, recipientName, room, gone, editing, sending }) {
    const select = byId("chat-to");
    select.disabled = Boolean(editing || sending);
    const here = gone ? this.#people.filter(({ id }) => id !== recipient) : this.#people;
    const people = here.map(({ id, name }) => ({ value: id, text: name }));
    const left = gone && recipient ? [{ value: recipient, text: `${recipientName} (left)` }] : [];
    // Is no host, or is an attendee whom we are not told of: stays the choice until there is another.
    const isOther = recipient && !gone && !people.some(({ value }) => value === recipient);
    const other = isOther ? [{ value: recipient, text: recipientName }] : [];
    const everyone = this.#room ? "Everyone in the meeting" : "Everyone";
    const all = [
      ...this.#roomChoices(room), { value: "", text: this.#everyone ? everyone : "Choose a host" },
      ...left, ...other, ...people,
    ];
    const key = JSON.stringify(all);
    if (key !== this.#listed) select.replaceChildren(...all.map((each) => make("option", each)));
    this.#listed = key;
    select.value = room ? valueOf(room) : (recipient ?? "");
  }

  /** Our room, and the one that we have left and that the draft is for. */
  #roomChoices(room) {
    const own = this.#room && this.#everyone ? [{ value: valueOf(this.#room), text: `Everyone in ${this.#room.name}` }] : [];
    if (!room || own[0]?.value === valueOf(room)) return own;
    const text = room.id === this.#room?.id ? `Everyone in ${room.name}` : `${room.name} (left)`;
    return [...own, { value: valueOf(room), text }];
  }

  #typed() {
    if (!this.#draft) return;
    this.#draft.text = byId("chat-field").value;
    this.#drawLength();
  }

  #address({ value }) {
    if (this.#room && value === valueOf(this.#room)) {
      this.#draft?.address(null, "", this.#room);
      this.problem(null);
      return this.draw();
    }
    const name = this.#people.find(({ id }) => id === value)?.name ?? "";
    // Who left may still be in the list.
    if (value && !name) return this.draw();
    this.#draft?.address(value || null, name);
    this.problem(null);
    this.draw();
  }

  #letGo() {
    if (this.#draft?.editing) this.#draft.endEdit();
    else if (this.#draft) this.#draft.reply = null;
    this.problem(null);
    this.draw();
    this.focus();
  }

  #key(event) {
    // The enter key that ends a word of an input method sends nothing.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.#submit();
  }

  async #submit() {
    const draft = this.#draft;
    if (!draft?.ready) return;
    this.problem(null);
    const wish = draft.send();
    this.draw();
    let problem = null;
    try {
      await this.#send(wish);
      draft.sent();
    } catch (error) {
      console.warn("not sent", error);
      draft.failed(!isUnsure(error));
      if (error.code === "participant_not_found") draft.gone = draft.recipient !== null;
      problem = explainChat(error);
    }
    if (draft !== this.#draft) return;
    this.problem(problem);
    this.draw();
  }
}

/** The value of a room in the choice of recipients; ids of participants have no blank. */
function valueOf({ id }) {
  return `room ${id}`;
}

/** Why what is written cannot be sent. @param {number} hosts  how many are here */
function barredWords(hosts) {
  return hosts ? "You may write to the hosts only now. Choose one." : "You may write to hosts only now, and none is here.";
}

/** As high as its text, up to what the style sheet allows. */
function grow(field) {
  field.style.height = "auto";
  if (field.scrollHeight) field.style.height = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
}
