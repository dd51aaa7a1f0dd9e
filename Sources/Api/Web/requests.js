/**
 * What people ask the server for while they are in a meeting. Each rejects with ServiceError. No DOM.
 */

/** Whoever extends it sends the messages: `request(type, fields)`. */
export class Requests extends EventTarget {
  /** Lets nobody else in, or lets people in again. */
  setLocked(locked) {
    return this.request(locked ? "lock" : "unlock");
  }

  /** Ends the meeting for everybody. */
  endForAll() {
    return this.request("end");
  }

  /** Mutes all who are no hosts or co-hosts. */
  muteAll() {
    return this.request("mute_all");
  }

  /**
   * Tells what people without host controls may do from now on.
   *
   * @param {{unmute?: boolean, chat?: boolean, screen?: boolean, enter?: boolean}} rights  enter: there is no waiting room
   */
  allow(rights) {
    return this.request("allow", rights);
  }

  /** Lets somebody in who waits. */
  admit(participant) {
    return this.request("admit", { participant_id: participant });
  }

  /** Lets all in who wait. */
  admitAll() {
    return this.request("admit", { all: true });
  }

  /** Sends somebody away who waits. */
  deny(participant) {
    return this.request("deny", { participant_id: participant });
  }

  /** Does something with somebody. @param {import("./permissions.js").Action} action */
  actOn(participant, { type, fields }) {
    return this.request(type, { participant_id: participant, ...fields });
  }

  /** Shows everybody an emoji for a moment. */
  react(text) {
    return this.request("reaction", { text });
  }

  /**
   * Writes to everybody, or to one.
   *
   * @param {{text: string, recipient?: string|null, replyTo?: string|null}} message  ids of a participant and a message
   */
  sendChat({ text, recipient, replyTo }) {
    const fields = { text, ...(recipient && { recipient_id: recipient }), ...(replyTo && { reply_to: replyTo }) };
    return this.request("chat", fields);
  }

  /** Changes a message of our own. */
  editChat(id, text) {
    return this.request("chat_edit", { chat_id: id, text });
  }

  /** Takes a message back: our own, as a host anybody's. */
  deleteChat(id) {
    return this.request("chat_delete", { chat_id: id });
  }
}
