/**
 * The meeting view: joins a call to tiles, controls, panel and messages.
 */

import { Asked } from "./asked.js";
import { BreakoutControls } from "./breakoutcontrols.js";
import { MAIN_ROOM, placeWords } from "./breakoutwords.js";
import { ChatPanel } from "./chatpanel.js";
import { bindChoices } from "./choices.js";
import { clockWords } from "./clock.js";
import { HostControls } from "./controls.js";
import { byId, copy, relabel, setText } from "./dom.js";
import { Door } from "./door.js";
import { Grades } from "./grades.js";
import { Hands } from "./hands.js";
import { Models } from "./models.js";
import { Arrivals, announce, say } from "./notices.js";
import { OwnControls } from "./own.js";
import { Panels } from "./panels.js";
import { PeoplePanel } from "./people.js";
import { isAudience } from "./permissions.js";
import { PollPanel } from "./pollpanel.js";
import { Powers } from "./powers.js";
import { QuestionPanel } from "./questionpanel.js";
import { ReactionControls } from "./reactioncontrols.js";
import { sectionsOf } from "./sections.js";
import { ShareControls } from "./share.js";
import { Shortcuts, meetingShortcuts } from "./shortcuts.js";
import { Speakers } from "./speakers.js";
import { Throttle } from "./throttle.js";
import { TileBoard, neededHeight } from "./tiles.js";
import { Trouble } from "./trouble.js";
import { WebinarView } from "./webinarview.js";
import { entranceWords, hereWords } from "./webinarwords.js";

const VIEW_DELAY_MS = 120;

export class MeetingView {
  #hooks;
  #call = null;
  #board;
  #powers = new Powers(() => this.#draw());
  #panel = new PeoplePanel(this.#powers, () => this.#draw());
  #hands = new Hands();
  #chat = new ChatPanel();
  #rooms = new BreakoutControls();
  #door = new Door({ onShow: () => this.#panels.toggle("people"), changed: () => this.#draw() });
  #polls = new PollPanel({ onShow: () => this.#panels.toggle("polls") });
  #questions = new QuestionPanel({ onHide: () => this.#panels.close() });
  #webinar = new WebinarView(() => this.#draw());
  #panels = new Panels(
    {
      people: () => this.#showPeople(), chat: () => this.#chat.show(), polls: () => this.#polls.show(),
      questions: () => this.#questions.show(),
    },
    () => this.#draw(),
  );
  #grades = new Grades(() => this.#draw());
  #reactions = new ReactionControls(() => this.#draw());
  #own;
  #asked;
  #host;
  #share;
  #models;
  #trouble;
  #arrivals = null;
  #speakers = null;
  #loudest = null;
  #sharing = null;
  #layout = "gallery";
  #page = 0;
  #pages = 1;
  #drawing = 0;
  /** What the screen shows, as it will be told. */
  #view = null;
  #tellView = new Throttle(VIEW_DELAY_MS, () => this.#call?.setView(this.#view));
  #clock = 0;

  /**
   * @param {import("./devices.js").Devices} devices
   * @param {{onLeave: () => void, onRetry: () => void, onEnded: (title: string, detail: string) => void,
   *   onFrame: () => void}} hooks
   */
  constructor(devices, hooks) {
    this.#hooks = hooks;
    this.#own = new OwnControls(devices, () => {
      this.#asked?.review();
      this.#webinar.review(devices);
      this.#draw();
    });
    this.#asked = new Asked(this.#own);
    this.#host = new HostControls();
    this.#share = new ShareControls(() => this.#draw());
    this.#models = new Models(this.#own, this.#grades, this.#reactions);
    this.#trouble = new Trouble(hooks);
    this.#board = new TileBoard(byId("board"), {
      onPin: (key) => this.#pin(key),
      onFrame: () => hooks.onFrame(),
      onResize: () => this.#draw(),
    });
    bindChoices(devices, { audio: "settings-microphone", video: "settings-camera", problems: "settings-problems" });
    this.#bindControls();
    this.#bindShortcuts();
  }

  /**
   * Shows a call that has just been joined.
   *
   * @param {import("./call.js").Call} call
   * @param {string} link  the invitation link
   */
  open(call, link) {
    this.#call = call;
    this.#reset();
    setText(byId("topic-title"), call.meeting?.topic || "Meeting");
    setText(byId("meeting-number"), call.meeting?.meeting_number ?? "");
    setText(byId("share-link"), link);
    byId("invite").dataset.link = link;
    this.#arrivals = new Arrivals();
    this.#attend(call);
    this.#follow(call);
    this.#startClock();
    for (const part of this.#parts) part.open(call);
    this.#sharing = this.#models.sharer;
    byId("topic-title").focus();
    announce(`${entranceWords(call)} Press question mark for keyboard shortcuts.`);
  }

  /** What has its own view of a call. */
  get #parts() {
    const own = [this.#grades, this.#own, this.#models];
    const host = [this.#powers, this.#host, this.#door];
    const said = [this.#reactions, this.#chat, this.#polls, this.#questions];
    return [...own, this.#asked, ...host, this.#share, ...said, this.#rooms, this.#webinar];
  }

  /** Hears the call's media connection. */
  #attend(call) {
    this.#speakers = new Speakers(byId("speakers"), call.media, call.slots, (ids) => this.#heard(ids));
  }

  /** The call has another media connection: what was heard goes on until that one plays. */
  async #reattend(call) {
    const speakers = this.#speakers;
    this.#attend(call);
    this.#grades.watch();
    this.#draw();
    await this.#listen();
    speakers?.close();
  }

  /** Takes everything of the call away. */
  close() {
    this.#speakers?.close();
    for (const part of this.#parts) part.close();
    this.#call = this.#speakers = null;
    clearInterval(this.#clock);
    this.#tellView.cancel();
    this.#board.clear();
    this.#panel.clear();
    this.#trouble.clear();
    for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  }

  #reset() {
    this.#loudest = this.#sharing = null;
    this.#hands.clear();
    this.#readHands();
    this.#layout = "gallery";
    this.#page = 0;
  }

  #readHands() {
    for (const { participant_id: id, hand_raised: up } of this.#call.participants.list()) this.#hands.set(id, up);
    this.#hands.set(this.#call.you.participant_id, this.#call.hand);
  }

  #follow(call) {
    const { participants, slots, breakout } = call;
    const concerns = ({ participant_id: id, role }) => !isAudience(role) && (call.controls || breakout.isNear(id));
    participants.addEventListener("joined", ({ detail }) => concerns(detail) && this.#arrivals.joined(detail.display_name));
    participants.addEventListener("left", ({ detail }) => {
      if (concerns(detail)) this.#arrivals.left(detail.display_name, detail.reason);
      this.#hands.set(detail.participant_id, false);
      if (this.#models.pinned?.endsWith(detail.participant_id)) this.#models.pinned = null;
    });
    for (const type of ["joined", "left", "changed", "reset"]) participants.addEventListener(type, () => this.#draw());
    for (const type of ["joined", "changed"]) participants.addEventListener(type, ({ detail }) => this.#raised(detail));
    participants.addEventListener("changed", () => this.#models.reviewPinned());
    participants.addEventListener("reset", () => call === this.#call && this.#readHands());
    breakout.addEventListener("change", ({ detail }) => call === this.#call && this.#roomsChanged(detail));
    call.addEventListener("hand", () => this.#hands.set(call.you.participant_id, call.hand));
    slots.addEventListener("change", () => this.#slotsChanged());
    call.addEventListener("speakers", ({ detail }) => this.#order(detail));
    call.addEventListener("media", ({ detail }) => detail === "connected" && this.#listen());
    call.addEventListener("moved", () => this.#reattend(call));
    this.#trouble.follow(call);
  }

  async #listen() {
    const plays = await this.#speakers?.start();
    if (plays === false) this.#trouble.soundOff(() => this.#listen());
    else this.#trouble.soundOn();
  }

  // Who speaks, and how well they come through

  #heard(ids) {
    this.#models.speaking = ids;
    this.#draw();
  }

  #order(ids) {
    this.#speakers?.hint(ids);
    const { participants } = this.#call;
    const isSeen = (id) => this.#models.isSeen(id);
    const other = ids.find(isSeen);
    if (!other) return;
    this.#loudest = other;
    if (participants.promote(other, this.#board.capacity - 1, performance.now(), isSeen)) this.#draw();
    else if (this.#layout === "speaker") this.#draw();
  }

  /** Hosts are told of hands that go up. */
  #raised({ participant_id: id, display_name: name, hand_raised: up }) {
    if (!this.#hands.set(id, up) || !this.#call.controls) return;
    const { breakout } = this.#call;
    const where = breakout.isNear(id) ? "" : ` (${breakout.nameOf(breakout.roomOf(id)) || MAIN_ROOM})`;
    this.#arrivals.raised(name + where);
  }

  /** People are in other breakout rooms than before. */
  #roomsChanged({ came, went, moved }) {
    const names = (ids) => ids.map((id) => this.#call.participants.get(id)?.display_name).filter(Boolean);
    for (const name of names(came)) this.#arrivals.came(name);
    for (const name of names(went)) this.#arrivals.went(name);
    if (moved) this.#page = 0;
    this.#models.reviewPinned();
    this.#slotsChanged();
  }

  // Drawing

  #slotsChanged() {
    const sharing = this.#models.sharer;
    if (sharing && sharing !== this.#sharing) say(`${this.#call.participants.get(sharing).display_name} shares a screen`);
    this.#sharing = sharing;
    this.#board.keepPictures((key, stream) => this.#models.isPicture(key, stream));
    this.#draw();
  }

  /** Draws once for however many changes come in one frame. */
  #draw() {
    this.#drawing ||= requestAnimationFrame(() => {
      this.#drawing = 0;
      if (this.#call?.you) this.#drawNow();
    });
  }

  #drawNow() {
    const others = this.#models.others();
    const own = this.#models.own();
    const screen = this.#models.screen();
    const stage = this.#stageKey(screen, others);
    const float = own !== null && others.length === 1 && !stage;
    const models = [screen, float ? null : own, ...others].filter(Boolean);
    const result = this.#board.render(models, { stage, floating: float ? own : null, page: this.#page });
    this.#page = result.page;
    this.#pages = result.pages;
    this.#drawAround(others.length, result, stage);
    this.#reactions.draw(result.shown);
    this.#view = this.#viewOf(result.shown, stage);
    this.#tellView.call();
    if (this.#panel.open) this.#drawPanel();
  }

  #drawAround(others, { page, pages }, stage) {
    const { participants, breakout, webinar, watching } = this.#call;
    byId("alone").hidden = participants.size > 0;
    byId("pages").hidden = pages < 2;
    byId("room").classList.toggle("paged", pages > 1);
    setText(byId("page-words"), `${page + 1} of ${pages}`);
    byId("page-back").disabled = page === 0;
    byId("page-next").disabled = page === pages - 1;
    const here = others + (watching ? 0 : 1);
    setText(byId("count"), String(here));
    const waiting = this.#door.count > 0 ? `, ${this.#door.count} waiting to be let in` : "";
    const meeting = breakout.open ? `, ${participants.onPanel + 1} in the meeting` : "";
    byId("show-people").setAttribute("aria-label", `People, ${hereWords(here, webinar)}${meeting}${waiting}`);
    relabel(byId("change-layout"), stage ? "layout" : "stage", stage ? "Gallery" : "Speaker");
    byId("change-layout").disabled = others === 0;
  }

  #showPeople() {
    this.#door.seen();
    this.#drawPanel();
  }

  #drawPanel() {
    const { breakout, controls, webinar } = this.#call;
    const all = this.#hands.sort(this.#models.people());
    const { near, far } = sectionsOf(all.filter(({ role }) => !isAudience(role)), breakout, controls);
    const watching = all.filter(({ role }) => isAudience(role));
    const count = controls ? watching.length : webinar.attendees;
    setText(byId("panel-title"), breakout.open ? `Who is in ${placeWords(breakout.ownRoom)}` : "Who is here");
    this.#panel.render(near, far, webinar.on ? { people: watching, count, whole: controls } : null);
  }

  /** What stands large: what was pinned, else a shared screen, else in the speaker layout the loudest. */
  #stageKey(screen, others) {
    if (this.#models.pinned) return this.#models.pinned;
    if (screen) return screen.key;
    if (this.#layout !== "speaker" || others.length === 0) return null;
    return others.some(({ key }) => key === this.#loudest) ? this.#loudest : others[0].key;
  }

  #viewOf(shown, stage) {
    const people = shown.filter(({ self, screen }) => !self && !screen);
    const heights = people.map(({ id, height }) => [id, neededHeight(height * devicePixelRatio)]);
    return {
      layout: stage ? "speaker" : "gallery",
      visible: people.map(({ id }) => id),
      pinned: this.#models.pinned?.startsWith("screen:") ? null : this.#models.pinned,
      heights: Object.fromEntries(heights),
    };
  }

  // Controls

  #bindControls() {
    const click = (id, act) => byId(id).addEventListener("click", act);
    click("mute", () => this.#own.toggleMicrophone());
    click("camera", () => this.#own.toggleCamera());
    click("hand", () => this.#own.toggleHand());
    click("change-layout", () => this.#changeLayout());
    click("show-settings", () => this.#own.showSettings());
    click("show-help", () => byId("help").showModal());
    click("leave", () => this.#hooks.onLeave());
    click("invite", () => this.#invite());
    click("share-copy", () => this.#invite());
    click("page-back", () => this.#turn(-1));
    click("page-next", () => this.#turn(1));
    for (const button of document.querySelectorAll("[data-close]")) {
      button.addEventListener("click", () => button.closest("dialog").close());
    }
  }

  #bindShortcuts() {
    const acts = {
      mute: () => this.#own.toggleMicrophone(),
      push: () => this.#own.push(true),
      release: () => this.#own.push(false),
      camera: () => this.#own.toggleCamera(),
      hand: () => this.#own.toggleHand(),
      react: () => this.#reactions.toggle(),
      people: () => this.#panels.toggle("people"),
      chat: () => this.#panels.toggle("chat"),
      rooms: () => this.#rooms.show(),
      polls: () => this.#panels.toggle("polls"),
      layout: () => this.#changeLayout(),
      questions: () => this.#call.webinar.on && this.#panels.toggle("questions"),
      settings: () => this.#own.showSettings(),
      invite: () => this.#invite(),
      back: () => this.#turn(-1),
      next: () => this.#turn(1),
      share: () => this.#share.toggle(),
      close: () => this.#board.fit() || this.#panels.close(),
      leave: () => this.#hooks.onLeave(),
      help: () => byId("help").showModal(),
    };
    new Shortcuts(meetingShortcuts(acts), () => this.#call !== null && !byId("meeting-view").hidden);
  }

  #changeLayout() {
    const staged = this.#models.pinned || this.#layout === "speaker";
    this.#models.pinned = null;
    this.#layout = staged ? "gallery" : "speaker";
    this.#page = 0;
    announce(this.#layout === "speaker" ? "Speaker layout" : "Gallery layout");
    this.#draw();
  }

  #pin(key) {
    this.#models.pinned = this.#models.pinned === key ? null : key;
    this.#page = 0;
    this.#draw();
  }

  #turn(by) {
    const page = Math.min(Math.max(0, this.#page + by), this.#pages - 1);
    if (page === this.#page) return;
    this.#page = page;
    announce(`Page ${page + 1} of ${this.#pages}`);
    this.#draw();
  }

  async #invite() {
    const { link } = byId("invite").dataset;
    say((await copy(link)) ? "Invitation link copied" : link);
  }

  #startClock() {
    const start = performance.now();
    const tick = () => setText(byId("clock"), clockWords((performance.now() - start) / 1000));
    clearInterval(this.#clock);
    this.#clock = setInterval(tick, 1_000);
    tick();
  }
}
