/**
 * The polls of the meeting: the button with what is still to be answered, the panel, and word of a new one.
 */

import { byId, setText } from "./dom.js";
import { explainPoll } from "./errors.js";
import { Notices, announce, say } from "./notices.js";
import { PollCard } from "./pollcard.js";
import { PollForm } from "./pollform.js";

/** What changes who may do what. */
const FOLLOWED = ["role", "back"];

export class PollPanel {
  #call = null;
  #onShow;
  #form = new PollForm((draft) => this.#call.createPoll(draft));
  /** By poll. @type {Map<string, PollCard>} */
  #cards = new Map();
  #notices = new Notices();
  /** What the banner tells of. @type {string[]} */
  #told = [];
  #deleting = null;
  #onChange = () => this.#draw();
  #onOpened = ({ detail }) => this.#tell(detail);

  /** @param {{onShow: () => void}} acts  shows the panel */
  constructor({ onShow }) {
    this.#onShow = onShow;
    byId("poll-delete-confirm").addEventListener("click", () => this.#delete());
  }

  /** Whether it is in view. */
  get shown() {
    return !byId("polls-panel").hidden;
  }

  /** @param {import("./call.js").Call} call  that has just been joined */
  open(call) {
    this.#call = call;
    call.polls.addEventListener("change", this.#onChange);
    call.polls.addEventListener("opened", this.#onOpened);
    for (const type of FOLLOWED) call.addEventListener(type, this.#onChange);
    this.#draw();
    this.#tell(call.polls.unanswered());
  }

  close() {
    const call = this.#call;
    call?.polls.removeEventListener("change", this.#onChange);
    call?.polls.removeEventListener("opened", this.#onOpened);
    for (const type of FOLLOWED) call?.removeEventListener(type, this.#onChange);
    this.#call = this.#deleting = null;
    this.#told = [];
    this.#notices.clear();
    this.#form.clear();
    this.#cards.clear();
    byId("poll-list").replaceChildren();
  }

  /** The panel has come into view. */
  show() {
    this.#hush();
    if (this.#call) this.#draw();
  }

  #draw() {
    const { polls, controls } = this.#call;
    this.#drawButton(polls, controls);
    byId("poll-new").hidden = !controls;
    if (!controls) this.#form.hide();
    if (!controls && byId("poll-delete-dialog").open) byId("poll-delete-dialog").close();
    byId("polls-empty").hidden = polls.size > 0;
    setText(byId("polls-empty"), controls ? "Ask everybody something: make a poll." : "Nobody has asked anything yet.");
    this.#drawList(polls, controls);
    const left = this.#told.filter((id) => polls.unanswered().some((poll) => poll.id === id));
    if (left.length < this.#told.length) this.#showNotice(left);
  }

  #drawButton(polls, controls) {
    const open = polls.unanswered().length;
    byId("show-polls").hidden = !controls && polls.size === 0 && !this.shown;
    byId("poll-count").hidden = open === 0;
    setText(byId("poll-count"), String(open));
    byId("show-polls").setAttribute("aria-label", open > 0 ? `Polls, ${open} to answer` : "Polls");
  }

  #drawList(polls, controls) {
    const list = byId("poll-list");
    for (const [id, card] of this.#cards) {
      if (polls.get(id)) continue;
      const hasFocus = card.element.contains(document.activeElement);
      card.element.remove();
      this.#cards.delete(id);
      if (hasFocus) byId("polls-title").focus();
    }
    for (const poll of [...polls.list()].reverse()) {
      let card = this.#cards.get(poll.id);
      if (!card) {
        card = new PollCard(poll, this.#acts);
        this.#cards.set(poll.id, card);
        // The newest first.
        list.insertBefore(card.element, list.firstElementChild);
      }
      card.render(poll, controls);
    }
  }

  get #acts() {
    return {
      vote: async (id, vote) => {
        const call = this.#call;
        await call.votePoll(id, vote);
        call.polls.voted(id, vote);
        announce("Your vote counts");
      },
      close: (id) => this.#call.closePoll(id),
      askToDelete: (id) => {
        this.#deleting = id;
        byId("poll-delete-dialog").showModal();
      },
      nameOf: (id) => {
        const { you, participants } = this.#call;
        if (id === you?.participant_id) return you.display_name;
        return participants.get(id)?.display_name ?? "somebody who left";
      },
    };
  }

  async #delete() {
    const [id, call] = [this.#deleting, this.#call];
    byId("poll-delete-dialog").close();
    try {
      if (id) await call?.deletePoll(id);
    } catch (error) {
      console.warn("poll not deleted", error);
      if (call === this.#call) say(explainPoll(error));
    }
  }

  // Word of a new one

  /** Whoever made it knows; who has the panel before them sees it. */
  #tell(polls) {
    const own = this.#call.you?.participant_id;
    const others = polls.filter(({ author }) => author === "" || author !== own);
    if (others.length === 0) return;
    if (this.shown) return announce(newsWords(others).title);
    return this.#showNotice([...new Set([...this.#told, ...others.map(({ id }) => id)])]);
  }

  #showNotice(ids) {
    this.#told = ids;
    const polls = ids.map((id) => this.#call.polls.get(id)).filter(Boolean);
    if (polls.length === 0) return this.#hush();
    const actions = [
      { label: "Answer", run: () => (this.#hush(), this.#onShow()) },
      { label: "Later", run: () => this.#hush() },
    ];
    const words = newsWords(polls);
    if (this.#notices.has("poll")) return this.#notices.retitle("poll", words.title);
    return this.#notices.show("poll", words, { actions, calm: true, icon: "poll" });
  }

  #hush() {
    this.#told = [];
    this.#notices.hide("poll");
  }
}

/** @param {import("./polls.js").Poll[]} polls  some */
function newsWords(polls) {
  const { by, question } = polls.at(-1);
  if (polls.length > 1) return { title: `There are ${polls.length} polls to answer`, detail: "Say what you think." };
  return { title: `${by || "A poll"} asks: ${question}`, detail: "Choose an answer under Polls." };
}
