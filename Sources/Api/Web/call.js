/**
 * A call: our place in a meeting, from asking for it to leaving. No DOM.
 */

import { joinMeeting } from "./api.js";
import { Participants } from "./participants.js";
import { Signaling } from "./signaling.js";
import { SlotMap } from "./slots.js";

/**
 * Events: `state` (detail: see `state`), `media` (detail: state of the media connection), `mediaerror` (detail:
 * Error), `speakers` (detail: ids), `quality` (detail: message), `notice` and `migrate` (detail: message of the server), `ended`
 * (detail: {reason, error, why}).
 */
export class Call extends EventTarget {
  /** @type {"joining"|"meeting"|"reconnecting"|"ended"} */
  state = "joining";
  you = null;
  meeting = null;
  participants = new Participants();
  slots = new SlotMap();
  media;
  #signaling = null;
  #devices;
  #timings;
  #view = null;
  #onDevice = ({ detail: kind }) => this.#sendTrack(kind);

  /**
   * @param {import("./devices.js").Devices} devices
   * @param {{media: import("./media.js").MediaConnection, timings: object}} options
   *   media: ours from now on; timings: gets performance.now() of each step
   */
  constructor(devices, { media, timings }) {
    super();
    this.#devices = devices;
    this.#timings = timings;
    this.media = media;
  }

  /**
   * Asks for a place, joins, and starts the media. Returns when we are in; media connects meanwhile.
   *
   * @param {string} meeting
   * @param {{displayName: string, password?: string}} who
   */
  async join(meeting, who) {
    try {
      const asked = joinMeeting(meeting, who);
      this.media.prepare();
      this.media.sendMicrophone(this.#devices.tracks.audio);
      this.media.sendCamera(this.#devices.tracks.video);
      const place = await asked;
      this.#mark("placed");
      this.#signaling = new Signaling(place.signaling_url ?? "/api/v1/signal", place.session_token);
      this.#listen();
      const joined = await this.#signaling.open();
      this.#mark("joined");
      this.#enter(joined, true);
      this.#negotiate(joined.ice_servers ?? place.ice_servers);
    } catch (error) {
      this.#finish();
      throw error;
    }
  }

  /** Tells the server what the screen shows; the same view is not told twice. */
  setView(view) {
    const text = JSON.stringify(view);
    if (text === this.#view) return;
    this.#view = text;
    this.#signaling?.send("view", view);
  }

  /** Leaves for good. */
  leave() {
    if (this.state === "ended") return;
    this.#signaling?.leave();
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
    on("active_speaker", ({ participants }) => this.#tell("speakers", Array.isArray(participants) ? participants : []));
    on("quality", (message) => this.#tell("quality", message));
    on("error", (message) => this.#tell("notice", message));
    on("migrate", (message) => this.#tell("migrate", message));
    on("interrupted", () => this.#become("reconnecting"));
    on("resumed", (joined) => this.#enter(joined, false));
    on("lost", (error) => this.#end("lost", error));
    for (const reason of ["removed", "meeting_ended"]) on(reason, (message) => this.#end(reason, null, message.reason));
    this.media.addEventListener("candidate", ({ detail }) => {
      const { candidate, sdpMid, sdpMLineIndex } = detail;
      this.#signaling.send("ice_candidate", { candidate, sdp_mid: sdpMid, sdp_mline_index: sdpMLineIndex });
    });
    this.media.addEventListener("state", ({ detail }) => {
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
    this.#become("meeting");
    this.#tellMediaState();
    const view = this.#view;
    this.#view = null;
    if (view) this.setView(JSON.parse(view));
  }

  async #negotiate(iceServers) {
    try {
      await this.media.negotiate(iceServers, async (sdp) => {
        this.#mark("offered");
        const answer = await this.#signaling.request("offer", { sdp });
        this.#mark("answered");
        return answer.sdp;
      });
    } catch (error) {
      if (this.state !== "ended") this.#tell("mediaerror", error);
    }
  }

  async #sendTrack(kind) {
    const track = this.#devices.tracks[kind];
    const sent = kind === "audio" ? this.media.sendMicrophone(track) : this.media.sendCamera(track);
    await sent.catch((error) => console.warn("track not sent", error));
    this.#tellMediaState();
  }

  #tellMediaState() {
    const { audioOn: audio, videoOn: video } = this.#devices;
    this.#signaling?.send("media_state", { audio, video, screen: false });
  }

  #become(state) {
    if (this.state === state || this.state === "ended") return;
    this.state = state;
    this.#tell("state", state);
  }

  #end(reason, error, why) {
    if (this.state === "ended") return;
    this.#signaling?.abandon();
    this.#finish();
    this.#tell("ended", { reason, error, why });
  }

  #finish() {
    this.#devices.removeEventListener("change", this.#onDevice);
    this.#signaling?.abandon();
    this.media.close();
    this.#become("ended");
  }

  #mark(step) {
    this.#timings[step] ??= performance.now();
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
