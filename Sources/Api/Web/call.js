/**
 * A call: our place in a meeting, from asking for it to leaving. No DOM.
 */

import { Participants } from "./participants.js";
import { Recovery } from "./recovery.js";
import { SlotMap } from "./slots.js";

/**
 * Events: `state` (detail: see `state`), `media` (detail: state of the media connection), `mediaerror` (detail:
 * Error), `speakers` (detail: ids), `quality` (detail: message), `meeting` (detail: the meeting, which changed), `notice` and `migrate` (detail: message of the server), `ended`
 * (detail: {reason, error, why}).
 */
export class Call extends EventTarget {
  /** @type {"waiting"|"joining"|"meeting"|"reconnecting"|"ended"} */
  state = "waiting";
  you = null;
  meeting = null;
  participants = new Participants();
  slots = new SlotMap();
  media;
  /** performance.now() of each step: `asked`, `joined`, `described`, `connected`, and what others add. */
  timings = {};
  #signaling;
  #recovery;
  #devices;
  /** What the server shall know, by message type, and the text of what it was told last. */
  #wanted = { media_state: null, view: null };
  #told = {};
  #onDevice = ({ detail: kind }) => this.#sendTrack(kind);

  /**
   * @param {import("./devices.js").Devices} devices
   * @param {import("./media.js").MediaConnection} media  ours from now on
   * @param {(state: () => object, alive: () => boolean) => import("./signaling.js").Signaling} connect  makes our
   *   socket; `state` is what a resumption tells, `alive` whether media flows
   */
  constructor(devices, media, connect) {
    super();
    this.#devices = devices;
    this.media = media;
    this.#signaling = connect(() => this.#greeting(), () => media.connected);
    this.#recovery = new Recovery(media, this.#signaling);
    this.#listen();
    media.prepare();
    for (const kind of ["audio", "video"]) this.#sendTrack(kind);
  }

  /** Opens the socket ahead of the join: somebody may be about to go in. */
  prepare() {
    this.#signaling.prepare();
  }

  /**
   * Asks for a place and joins, all in one message. Returns when we are in; media connects meanwhile. After an error
   * that the server answered it may be tried again.
   *
   * @param {string} meeting
   * @param {{displayName: string, password?: string, hostKey?: string}} who
   */
  async join(meeting, { displayName, password, hostKey }) {
    this.#become("joining");
    try {
      const hello = { meeting, display_name: displayName, offer: await this.media.offer(), ...this.#greeting() };
      if (hostKey) hello.host_key = hostKey;
      else if (password) hello.password = password;
      const joined = await this.#signaling.join(hello);
      this.#mark("joined");
      this.#enter(joined, true);
      this.#connect(joined);
    } catch (error) {
      this.#become("waiting");
      throw error;
    }
  }

  /** Tells the server what the screen shows; the same view is not told twice. */
  setView(view) {
    this.#wanted.view = view;
    this.#tellServer();
  }

  /** Whether we may lock and end the meeting. */
  get controls() {
    return this.you?.role === "host" || this.you?.role === "co_host";
  }

  /** Lets nobody else in, or lets people in again. Rejects with ServiceError. */
  setLocked(locked) {
    return this.#signaling.request(locked ? "lock" : "unlock");
  }

  /** Ends the meeting for everybody. Rejects with ServiceError. */
  endForAll() {
    return this.#signaling.request("end");
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

  #listen() {
    const on = (type, act) => this.#signaling.addEventListener(type, ({ detail }) => act(detail ?? {}));
    on("participant_joined", ({ participant }) => {
      if (participant?.participant_id !== this.you?.participant_id) this.participants.add(participant);
    });
    on("participant_left", ({ participant_id, reason }) => {
      this.slots.release(participant_id);
      this.participants.remove(participant_id, reason);
    });
    on("media_state", (message) => this.participants.update(message.participant_id, message));
    on("participant_update", (message) => this.participants.update(message.participant_id, message));
    on("slots", ({ slots }) => this.slots.update(slots));
    on("slot_switched", (message) => this.slots.switched(message));
    on("active_speaker", ({ participants }) => this.#tell("speakers", Array.isArray(participants) ? participants : []));
    on("quality", (message) => this.#tell("quality", message));
    on("meeting_update", ({ meeting }) => {
      this.meeting = meeting ?? this.meeting;
      this.#tell("meeting", this.meeting);
    });
    on("error", (message) => this.#tell("notice", message));
    on("migrate", (message) => this.#tell("migrate", message));
    on("asked", () => this.#mark("asked"));
    on("interrupted", () => this.#become("reconnecting"));
    on("resumed", (joined) => {
      this.media.useServers(joined.ice_servers);
      this.#enter(joined, false);
    });
    on("lost", (error) => this.#end("lost", error));
    for (const reason of ["removed", "meeting_ended"]) on(reason, (message) => this.#end(reason, null, message.reason));
    this.#recovery.addEventListener("state", ({ detail }) => {
      if (detail === "connected") this.#mark("connected");
      this.#tell("media", detail);
    });
    this.#devices.addEventListener("change", this.#onDevice);
  }

  /** Takes `joined`, the first one and those after a resumption. */
  #enter(joined, first) {
    this.you = joined.you ?? this.you;
    this.meeting = joined.meeting ?? this.meeting;
    this.participants.replace(joined.participants ?? [], this.you?.participant_id, first);
    this.slots.update(joined.slots);
    this.#become("meeting");
    this.#tellServer();
  }

  async #connect({ sdp, ice_servers: iceServers }) {
    try {
      await this.media.connect(sdp, iceServers);
      this.#mark("described");
    } catch (error) {
      if (this.state !== "ended") this.#tell("mediaerror", error);
    }
  }

  async #sendTrack(kind) {
    const track = this.#devices.tracks[kind];
    const sent = kind === "audio" ? this.media.sendMicrophone(track) : this.media.sendCamera(track);
    await sent.catch((error) => console.warn("track not sent", error));
    this.#wanted.media_state = this.#mediaState();
    this.#tellServer();
  }

  #mediaState() {
    const { audioOn: audio, videoOn: video } = this.#devices;
    return { audio, video, screen: false };
  }

  /** What goes with a join. */
  #greeting() {
    this.#wanted.media_state = this.#mediaState();
    const fields = Object.fromEntries(Object.entries(this.#wanted).filter(([, value]) => value));
    for (const [type, value] of Object.entries(fields)) this.#told[type] = JSON.stringify(value);
    return fields;
  }

  /** Tells what has changed since it was told last. */
  #tellServer() {
    if (this.state !== "meeting") return;
    for (const [type, value] of Object.entries(this.#wanted)) {
      const text = JSON.stringify(value);
      if (!value || text === this.#told[type]) continue;
      this.#told[type] = text;
      this.#signaling.send(type, value);
    }
  }

  #become(state) {
    if (this.state === state || this.state === "ended") return;
    this.state = state;
    this.#tell("state", state);
  }

  #end(reason, error, why) {
    if (this.state === "ended") return;
    this.#signaling.abandon();
    this.#finish();
    this.#tell("ended", { reason, error, why });
  }

  #finish() {
    this.#devices.removeEventListener("change", this.#onDevice);
    this.#signaling.abandon();
    this.#recovery.close();
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
