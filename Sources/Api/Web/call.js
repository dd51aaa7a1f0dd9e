/**
 * A call: our place in a meeting, from asking for it to leaving. No DOM.
 */

import { Breakout } from "./breakout.js";
import { Entrance } from "./entrance.js";
import { MOVE_PATIENCE_MS, RETURN_PATIENCE_MS, flowing, whileSilent } from "./move.js";
import { Participants } from "./participants.js";
import { isAudience, isHost, refusedBy } from "./permissions.js";
import { POLL_MESSAGES, Polls } from "./polls.js";
import { Presence } from "./presence.js";
import { Recovery } from "./recovery.js";
import { Requests } from "./requests.js";
import { captureScreen } from "./screen.js";
import { SlotMap } from "./slots.js";
import { Waiters } from "./waiters.js";
import { Webinar } from "./webinar.js";

/**
 * Events: `state` (detail: see `state`), `waiting` (detail: {meeting, away}: a host has to let us in; `away` while our socket
 * is lost), `media` (detail: state of the media connection), `moved` (`media` is another
 * connection), `mediaerror` (detail: Error), `speakers` (detail: ids), `quality` (detail: message), `meeting` (detail:
 * the meeting, which changed), `chat` (detail: the message, which was sent, edited or deleted), `back` (our place is
 * another socket's), `turnedoff` (detail: which of `audio`, `video`, `screen` a host turned off), `invited` (detail: id of
 * the host who asks us to unmute), `role` (detail: ours, which changed), `hand` (ours went up or down), `reaction`, `notice`
 * and `migrate` (detail: message of the server), `ended` (detail: {reason, error, why}).
 */
export class Call extends Requests {
  /** `knocking`: a host has to let us in. @type {"waiting"|"joining"|"knocking"|"meeting"|"reconnecting"|"ended"} */
  state = "waiting";
  you = null;
  meeting = null;
  /** chat_id of the newest message that we may read, when our socket joined last; null where there was none. */
  lastChat = null;
  /** A host has asked us to unmute, and nobody has muted us since. */
  invited = false;
  participants = new Participants();
  /** Who waits to be let in; hosts alone are told. */
  waiters = new Waiters();
  /** Who is in which room. */
  breakout = new Breakout(this.participants, () => this.you?.participant_id);
  polls = new Polls();
  webinar = new Webinar(this.participants, () => this.meeting);
  slots = new SlotMap();
  media;
  /** performance.now() of each step: `asked`, `joined`, `described`, `connected`, and what others add. */
  timings = {};
  #signaling;
  /** How we come in; null where nobody joins. @type {Entrance|null} */
  #entrance = null;
  #recovery;
  #presence;
  #makeMedia;
  #connectTo;
  /** The sockets of other PoPs that take our place. */
  #alternates = [];
  /** What the socket of the PoP that we move to has said, until we are there; null where we do not move. */
  #held = null;

  /**
   * @param {import("./devices.js").Devices} devices
   * @param {() => import("./media.js").MediaConnection} makeMedia
   * @param {(state: () => object, alive: () => boolean, address?: string) => import("./signaling.js").Signaling}
   *   connect  makes our socket; `state` is what a resumption tells, `alive` whether media flows
   * @param {() => Promise<MediaStream>} [capture]  asks the browser's user for a screen
   */
  constructor(devices, makeMedia, connect, capture = captureScreen) {
    super();
    this.#makeMedia = makeMedia;
    this.media = makeMedia();
    this.#connectTo = (media, address) => connect(() => this.#presence.greeting(), () => media.connected, address);
    this.#signaling = this.#connectTo(this.media);
    this.#recovery = this.#recover(this.media, this.#signaling);
    this.#listen(this.#signaling);
    this.media.prepare();
    const connections = () => [this.media, ...(this.#held ? [this.#held.media] : [])];
    const line = {
      open: () => this.state === "meeting",
      send: (type, fields) => this.#signaling.send(type, fields),
      request: (type, fields) => this.request(type, fields),
    };
    this.#presence = new Presence(line, devices, connections, capture);
  }

  /** Our own screen, for the others. */
  get sharing() {
    return this.#presence.sharing;
  }

  /** Opens the socket ahead of the join: somebody may be about to go in. */
  prepare() {
    this.#signaling.prepare();
  }

  /**
   * Asks for a place and joins, all in one message; where there is a waiting room, it takes until a host lets us in. Returns
   * when we are in; media connects meanwhile. After an error that the server answered it may be tried again.
   *
   * @param {string} meeting
   * @param {{displayName: string, password?: string, hostKey?: string}} who
   */
  async join(meeting, who) {
    await this.#goIn(meeting, who).catch((error) => {
      // The audience gives no media: we come in without.
      if (error.code !== "attendee_media" || !this.#presence.watch(true)) throw error;
      return this.#goIn(meeting, who);
    });
  }

  async #goIn(meeting, who) {
    this.#become("joining");
    const state = async () => ({ offer: await this.media.offer(), ...this.#presence.greeting() });
    this.#entrance = new Entrance(this.#signaling, { meeting, ...who }, state);
    this.#entrance.addEventListener("waiting", ({ detail }) => {
      this.#become("knocking");
      this.#tell("waiting", detail);
    });
    try {
      const joined = await this.#entrance.enter();
      this.#mark("joined");
      this.#enter(joined, true);
      this.#connect(joined);
    } catch (error) {
      this.#become("waiting");
      throw error;
    } finally {
      this.#entrance = null;
    }
  }

  /** Tells the server what the screen shows; the same view is not told twice. */
  setView(view) {
    this.#presence.setView(view);
  }

  /** Whether our hand is raised. */
  get hand() {
    return this.#presence.hand;
  }

  setHand(raised) {
    this.#presence.setHand(raised);
    this.#tell("hand");
  }

  /** Whether we have the host controls. */
  get controls() {
    return isHost(this.you?.role);
  }

  /** Whether we watch a webinar, and give nothing. */
  get watching() {
    return isAudience(this.you?.role);
  }

  /** Asks the server for something, by the type of the message. Rejects with ServiceError. */
  request(type, fields) {
    return this.#signaling.request(type, fields);
  }

  /** What shows who we are to the service; null before we are in, and after. */
  get place() {
    if (!this.you || this.state === "ended") return null;
    const { meeting_id: meeting } = this.meeting;
    return { meeting, participant: this.you.participant_id, token: this.#signaling.token, service: this.#signaling.service };
  }

  /** Leaves for good. */
  leave() {
    if (this.state === "ended") return;
    this.#signaling.leave();
    this.#finish();
  }

  #recover(media, signaling) {
    const recovery = new Recovery(media, signaling);
    recovery.addEventListener("state", ({ detail }) => {
      if (recovery !== this.#recovery) return;
      if (detail === "connected") this.#mark("connected");
      this.#tell("media", detail);
    });
    return recovery;
  }

  #listen(signaling) {
    const on = (type, act) => signaling.addEventListener(type, ({ detail }) => {
      if (signaling === this.#signaling) act(detail ?? {});
      else if (signaling === this.#held?.signaling) this.#held.events.push(() => act(detail ?? {}));
    });
    this.breakout.follow(on);
    this.webinar.follow(on);
    on("participant_joined", ({ participant }) => this.participants.add(participant));
    on("participant_left", ({ participant_id, reason }) => {
      this.slots.release(participant_id);
      this.participants.remove(participant_id, reason);
    });
    on("media_state", (message) => {
      if (message.participant_id === this.you?.participant_id) this.#obey(message);
      else this.participants.update(message.participant_id, message);
    });
    on("participant_update", (message) => {
      if (message.participant_id === this.you?.participant_id) this.#takeRole(message.role);
      else this.participants.update(message.participant_id, message);
    });
    on("unmute_asked", ({ participant_id }) => {
      this.invited = true;
      this.#tell("invited", participant_id);
    });
    on("waiting_room", (message) => this.waiters.take(message));
    this.slots.follow(on);
    on("layers_wanted", (message) => this.media.wantLayers(message));
    on("active_speaker", ({ participants }) => this.#tell("speakers", Array.isArray(participants) ? participants : []));
    on("meeting_update", ({ meeting }) => {
      this.meeting = meeting ?? this.meeting;
      this.#tell("meeting", this.meeting);
    });
    on("chat", ({ message }) => this.#tell("chat", message));
    for (const type of POLL_MESSAGES) on(type, (message) => this.polls.take(message));
    for (const type of ["quality", "reaction"]) on(type, (message) => this.#tell(type, message));
    on("error", (message) => {
      this.#turnOff({ turned_off: refusedBy(message.code) });
      this.#tell("notice", message);
    });
    on("migrate", (message) => this.#migrate(message));
    on("alternates", (message) => this.#know(message));
    on("asked", () => this.#mark("asked"));
    on("interrupted", () => {
      // The others may look while nobody can tell us so.
      this.media.wantAllLayers();
      if (!this.#held) this.#reconnect(signaling);
    });
    on("resumed", (joined) => {
      this.media.useServers(joined.ice_servers);
      this.#enter(joined, false);
    });
    on("lost", (error) => this.#end("lost", error));
    on("meeting_ended", ({ reason }) => this.#end("meeting_ended", null, reason));
    on("removed", ({ reason }) => {
      // The PoP that we leave tells so.
      if (reason !== "moved" || !this.#held) this.#end("removed", null, reason);
    });
  }

  // To another PoP

  /** The PoP is being emptied: we go where it says, and tell who is here only where we cannot. */
  async #migrate(message) {
    const { reason, signaling_url: address } = message;
    const target = reason === "drain" && address ? [address, ...this.#alternates] : this.#alternates;
    if (reason === "drain" && (await this.#move(target, true))) return;
    this.#tell("migrate", message);
    if (this.#signaling.interrupted) this.#reconnect(this.#signaling);
  }

  #reconnect(lost) {
    this.#become("reconnecting");
    this.#escape(lost);
  }

  /** The socket is lost. Where the media is too, the PoP may be: another one has our place. */
  async #escape(lost) {
    const isLost = () => this.#signaling === lost && this.state === "reconnecting";
    const [least, most] = RETURN_PATIENCE_MS;
    // What was on its way still comes, and the PoP may be lost later than its socket.
    while (this.#alternates.length > 0 && isLost()) {
      if (!(await whileSilent(this.media, least))) continue;
      const rest = Math.max(0, most - Math.max(least, this.#recovery.quiet));
      if (isLost() && !lost.refused && !(await whileSilent(this.media, rest))) continue;
      if (isLost() && (await this.#move(this.#alternates, false))) return;
    }
  }

  /**
   * Takes our place at the first of these PoPs that lets us in. What we have goes on until the new connection shows
   * something, unless nothing comes over it.
   *
   * @returns {Promise<boolean>} whether we are there
   */
  async #move(addresses, gently) {
    const place = this.#signaling.place;
    if (this.#held || !place || this.state === "ended") return false;
    for (const address of addresses) {
      const media = this.#makeMedia();
      const signaling = this.#connectTo(media, address);
      this.#held = { signaling, media, events: [] };
      this.#listen(signaling);
      try {
        await this.#presence.sendAll(media);
        const joined = await signaling.takePlace(place, { offer: await media.offer(), ...this.#presence.greeting() });
        this.#signaling.retreat();
        await media.connect(joined.sdp, joined.ice_servers);
        if (gently) await flowing(media, MOVE_PATIENCE_MS);
        if (this.state === "ended") throw new Error("the call is over");
        this.#arrive(joined);
        return true;
      } catch (error) {
        console.warn("not moved to", address, error);
        media.close();
        signaling.abandon();
        this.#held = null;
        if (this.state === "ended") return false;
      }
    }
    return false;
  }

  /** From here on we are at the PoP that we moved to. */
  #arrive(joined) {
    const { signaling, media, events } = this.#held;
    const old = { signaling: this.#signaling, media: this.media, recovery: this.#recovery };
    this.#signaling = signaling;
    this.media = media;
    this.#recovery = this.#recover(media, signaling);
    this.#held = null;
    this.slots.replace(joined.slots);
    this.#enter(joined, false);
    for (const act of events) act();
    this.#tell("moved");
    old.recovery.close();
    old.signaling.abandon();
    // The new sound begins before the old one ends.
    setTimeout(() => old.media.close(), 200);
  }

  /** Takes the PoPs that have our place when ours is lost. */
  #know({ signaling_alternates: alternates }) {
    if (Array.isArray(alternates)) this.#alternates = alternates;
  }

  /** Takes `joined`, the first one and those after a resumption. */
  #enter(joined, first) {
    const { role } = this.you ?? {};
    this.you = joined.you ?? this.you;
    this.meeting = joined.meeting ?? this.meeting;
    this.lastChat = joined.last_chat ?? null;
    this.#know(joined);
    this.breakout.enter(joined);
    this.participants.replace(joined.participants ?? [], this.you?.participant_id, first);
    this.webinar.enter(joined);
    this.slots.update(joined.slots);
    this.#become("meeting");
    this.#presence.watch(this.watching);
    if (first) return;
    this.#presence.confirmScreen();
    this.#tell("back");
    if (this.you?.role !== role) this.#changeRole();
  }

  // What hosts do to us

  /** The server says what is on of ours: what a host turned off is off here too, at once. */
  #obey(state) {
    const off = this.#turnOff(state);
    if (off.length > 0) this.#tell("turnedoff", off);
  }

  #turnOff(state) {
    const off = this.#presence.turnOff(state);
    if (off.includes("audio")) this.invited = false;
    return off;
  }

  #takeRole(role) {
    if (typeof role !== "string" || role === this.you.role) return;
    this.you = { ...this.you, role };
    this.#changeRole();
  }

  #changeRole() {
    if (!this.controls) this.waiters.clear();
    this.webinar.review(this);
    this.#presence.watch(this.watching);
    this.#tell("role", this.you?.role);
  }

  async #connect({ sdp, ice_servers: iceServers }) {
    try {
      await this.media.connect(sdp, iceServers);
      this.#mark("described");
    } catch (error) {
      if (this.state !== "ended") this.#tell("mediaerror", error);
    }
  }

  #become(state) {
    if (this.state === state || this.state === "ended") return;
    this.state = state;
    this.#tell("state", state);
  }

  #end(reason, error, why) {
    // Who is not in yet hears it of the join.
    if (this.state === "ended" || this.#entrance) return;
    this.#signaling.abandon();
    this.#finish();
    this.#tell("ended", { reason, error, why });
  }

  #finish() {
    this.#entrance?.leave();
    this.#presence.close();
    this.#signaling.abandon();
    this.#recovery.close();
    this.#held?.signaling.abandon();
    this.#held?.media.close();
    this.media.close();
    this.slots.close();
    this.#become("ended");
  }

  #mark(step) {
    this.timings[step] ??= performance.now();
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
