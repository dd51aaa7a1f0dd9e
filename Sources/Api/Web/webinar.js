/**
 * A meeting of which only the panel is seen and heard: how many watch, who they are, and what they ask. No DOM.
 */

import { QUESTION_MESSAGES, Questions } from "./questions.js";

/** Event: `change`: there are more attendees, or fewer. */
export class Webinar extends EventTarget {
  /** How many watch, ourselves too. */
  attendees = 0;
  questions = new Questions();
  #participants;
  #meeting;
  /** Ids of those whom we knew, and who are not here any more. */
  #left = new Set();

  /**
   * @param {import("./participants.js").Participants} participants
   * @param {() => object|null} meeting
   */
  constructor(participants, meeting) {
    super();
    this.#participants = participants;
    this.#meeting = meeting;
    participants.addEventListener("left", ({ detail: { participant_id: id, reason } }) => {
      if (reason !== "demoted") this.#left.add(id);
    });
  }

  /** Whether the meeting is one. */
  get on() {
    return this.#meeting()?.settings?.webinar === true;
  }

  /**
   * Whether somebody whom we do not know may watch, as far as we are told: the panel is written to by attendees, and only hosts
   * know who they are.
   *
   * @param {{controls: boolean, watching: boolean}} ours  as for `review`
   */
  mayWatch(id, { controls, watching }) {
    return this.on && !controls && !watching && !this.#left.has(id);
  }

  /** @param {(type: string, act: (message: object) => void) => void} on  calls `act` for each message of a type */
  follow(on) {
    on("audience", ({ attendees }) => this.#count(attendees));
    on("attendees", ({ participants }) => this.#participants.replaceAudience(participants));
    for (const type of QUESTION_MESSAGES) on(type, (message) => this.questions.take(message));
  }

  /** Takes `joined`. */
  enter({ attendees, questions }) {
    this.#count(attendees ?? 0);
    this.questions.replace(questions);
  }

  /**
   * Our role is another one: what goes with the former one is forgotten.
   *
   * @param {{controls: boolean, watching: boolean}} ours  whether we have the host controls, and whether we only watch
   */
  review({ controls, watching }) {
    if (!controls) this.#participants.replaceAudience([]);
    if (watching) this.questions.narrow();
  }

  #count(attendees) {
    if (!Number.isSafeInteger(attendees) || attendees < 0 || attendees === this.attendees) return;
    this.attendees = attendees;
    this.dispatchEvent(new CustomEvent("change"));
  }
}
