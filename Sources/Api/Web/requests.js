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
   * Asks everybody; a host's.
   *
   * @param {{question: string, options: string[], multiple: boolean, anonymous: boolean}} draft
   */
  createPoll(draft) {
    return this.request("poll_create", draft);
  }

  /** Votes, in place of our former vote. @param {number[]} vote  places in the poll's options */
  votePoll(id, vote) {
    return this.request("poll_vote", { poll_id: id, options: vote });
  }

  /** Nobody votes any more; a host's. */
  closePoll(id) {
    return this.request("poll_close", { poll_id: id });
  }

  /** Takes a poll away, with its votes; a host's. */
  deletePoll(id) {
    return this.request("poll_delete", { poll_id: id });
  }

  /** Asks the panel of a webinar something. */
  askQuestion(text, anonymous) {
    return this.request("qa_ask", { text, ...(anonymous && { anonymous }) });
  }

  /** Answers a question of the audience; the panel's. */
  answerQuestion(id, text) {
    return this.request("qa_answer", { question_id: id, text });
  }

  /**
   * Says what became of a question; the panel's.
   *
   * @param {"open"|"answered"|"dismissed"} state  answered: live, without a text
   */
  settleQuestion(id, state) {
    return this.request("qa_answer", { question_id: id, state });
  }

  /**
   * Writes to everybody, to those in our breakout room, or to one.
   *
   * @param {{text: string, recipient?: string|null, room?: string|null, replyTo?: string|null}} message  ids of a
   *   participant, of our room, and of a message
   */
  sendChat({ text, recipient, room, replyTo }) {
    const whom = { ...(recipient && { recipient_id: recipient }), ...(room && { room: true }) };
    return this.request("chat", { text, ...whom, ...(replyTo && { reply_to: replyTo }) });
  }

  /** Changes a message of our own. */
  editChat(id, text) {
    return this.request("chat_edit", { chat_id: id, text });
  }

  /** Takes a message back: our own, as a host anybody's. */
  deleteChat(id) {
    return this.request("chat_delete", { chat_id: id });
  }

  // Breakout rooms

  /**
   * Opens rooms; those who are named go there at once.
   *
   * @param {{rooms: {name: string, participant_ids?: string[]}[], evenly: boolean, choose: boolean, seconds: number}} wish
   *   evenly: spreads all others over them who are no hosts; seconds: until they close, 0 where nobody says
   */
  createRooms({ rooms, evenly, choose, seconds }) {
    return this.request("breakout_create", { rooms, evenly, choose, ...(seconds > 0 && { duration_s: seconds }) });
  }

  /** Moves somebody. @param {string|null} room  null: the main room */
  assignRoom(participant, room) {
    return this.request("breakout_assign", { moves: [{ participant_id: participant, room_id: room }] });
  }

  /** Goes into a room ourselves. @param {string|null} room  null: the main room */
  chooseRoom(room) {
    return this.request("breakout_choose", { room_id: room });
  }

  /** Tells all rooms something. */
  tellRooms(text) {
    return this.request("breakout_broadcast", { text });
  }

  /** Has our microphone heard in all rooms, or in our own again. */
  speakToRooms(on) {
    return this.request("breakout_broadcast", { voice: on });
  }

  /** Closes the rooms. @param {number} seconds  after so many; 0: now */
  closeRooms(seconds) {
    return this.request("breakout_close", seconds > 0 ? { after_s: seconds } : {});
  }
}
