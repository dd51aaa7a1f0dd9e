/**
 * The media connection: one RTCPeerConnection, one offer, and tracks that come and go in its Slots.
 */

import { ServiceError } from "./errors.js";
import { LayerControl, addCamera, addScreen } from "./layers.js";
import { isForwarded, nameScreens, trimOffer } from "./offer.js";

/**
 * Slots for what is received, in the order of the offer's m-lines after microphone and camera. One for a screen follows them,
 * and then our own screen's sound and picture: they are there from the beginning, so that nothing is negotiated again.
 */
export const AUDIO_SLOTS = 3;
export const VIDEO_SLOTS = 25;

/** How long ICE and DTLS may take before we say that something is in the way. */
const CONNECT_PATIENCE_MS = 15_000;

/**
 * Events: `state` (detail: "connecting" | "connected" | "interrupted" | "failed"). Our candidates are not told: a
 * server with ICE-lite learns them from the checks (RFC 8445 section 2.5).
 */
export class MediaConnection extends EventTarget {
  /** @type {RTCPeerConnection} */
  pc;
  #microphone;
  #camera;
  #layers;
  #screen;
  #screenSound;
  #screenLayers;
  /** What anybody wants of our m-lines, by mid, as for `activeLayers`. */
  #wanted = new Map();
  #streams = new Map();
  #offer = null;
  #state = "new";
  #patience = 0;

  /** @param {{videoSlots?: number}} [options]  videoSlots: 0 to 25 */
  constructor({ videoSlots = VIDEO_SLOTS } = {}) {
    super();
    if (!("RTCPeerConnection" in globalThis)) throw new ServiceError({ code: "media_unsupported" });
    this.pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    this.#microphone = this.pc.addTransceiver("audio", { direction: "sendonly" });
    this.#camera = addCamera(this.pc);
    this.#layers = new LayerControl(this.#camera.sender);
    for (let slot = 0; slot < AUDIO_SLOTS; slot += 1) this.pc.addTransceiver("audio", { direction: "recvonly" });
    for (let slot = 0; slot < videoSlots; slot += 1) this.pc.addTransceiver("video", { direction: "recvonly" });
    this.pc.addTransceiver("video", { direction: "recvonly" });
    this.#screenSound = this.pc.addTransceiver("audio", { direction: "sendonly" });
    this.#screen = addScreen(this.pc);
    this.#screenLayers = new LayerControl(this.#screen.sender, "maintain-resolution");
    for (const transceiver of this.pc.getTransceivers()) limitCodecs(transceiver);
    this.pc.addEventListener("connectionstatechange", () => this.#follow());
    this.pc.addEventListener("iceconnectionstatechange", () => this.#follow());
  }

  /** Begins to make the certificate and the offer, so that they are ready when somebody wants to go in. */
  prepare() {
    this.#offer ??= this.pc.createOffer();
    this.#offer.catch(() => {});
    return this.#offer;
  }

  /**
   * The one offer, as the server needs it; nothing is gathered or sent yet.
   *
   * @returns {Promise<string>} SDP
   */
  async offer() {
    return asOffered(await this.prepare());
  }

  /**
   * Begins to connect: gathering starts with the local description, and must know the servers by then.
   *
   * @param {string} answer  SDP, to the text of `offer`
   * @param {object[]|undefined} iceServers  as the service gave them
   */
  async connect(answer, iceServers) {
    this.useServers(iceServers);
    this.#patience = setTimeout(() => this.#enter("failed"), CONNECT_PATIENCE_MS);
    const offer = await this.prepare();
    await Promise.all([
      this.pc.setLocalDescription(offer),
      this.pc.setRemoteDescription({ type: "answer", sdp: answer }),
    ]);
    // The mids are known now.
    await this.#encodeWanted();
  }

  /**
   * Takes `layers_wanted`: of our own video nothing else is encoded from now on. It may come before we are connected.
   *
   * @param {{mid: string, rids?: string[], wanted?: boolean}} message
   */
  wantLayers({ mid, rids, wanted }) {
    this.#wanted.set(mid, rids ?? wanted ?? null);
    return this.#encodeWanted();
  }

  /** Encodes all again: nobody can tell us what is wanted. */
  wantAllLayers() {
    this.#wanted.clear();
    return this.#encodeWanted();
  }

  #encodeWanted() {
    const wanted = ({ mid }) => this.#wanted.get(mid) ?? null;
    return Promise.all([this.#layers.want(wanted(this.#camera)), this.#screenLayers.want(wanted(this.#screen))]);
  }

  /**
   * Begins to look for another way to the server, over whatever network there is now.
   *
   * @returns {Promise<string>} SDP, for `ice_restart`
   */
  async restart() {
    const offer = await this.pc.createOffer({ iceRestart: true });
    await this.pc.setLocalDescription(offer);
    return asOffered(offer);
  }

  /** @param {string} answer  SDP, to the text of the latest `restart` */
  restarted(answer) {
    return this.pc.setRemoteDescription({ type: "answer", sdp: answer });
  }

  get connected() {
    return this.pc.connectionState === "connected";
  }

  /** What came so far, bytes by the id of the pair of candidates that it came over. */
  async received() {
    const stats = await this.#microphone.sender.getStats();
    const pairs = [...stats.values()].filter(({ type }) => type === "candidate-pair");
    return new Map(pairs.map(({ id, bytesReceived = 0 }) => [id, bytesReceived]));
  }

  /** Whether sound or pictures come: what was there to be received, a moment ago. */
  async shows() {
    const stats = [...(await this.pc.getStats()).values()].filter(({ type }) => type === "inbound-rtp");
    return stats.some(({ kind, framesDecoded = 0, packetsReceived = 0 }) =>
      kind === "video" ? framesDecoded > 0 : packetsReceived > 5);
  }

  /** Sends this microphone track, or silence when null. */
  sendMicrophone(track) {
    return this.#microphone.sender.replaceTrack(track);
  }

  /** Sends this camera track, or nothing when null. */
  async sendCamera(track) {
    await this.#camera.sender.replaceTrack(track);
    if (track) await this.#layers.fit(track.getSettings().height);
  }

  /**
   * Sends a screen and what is heard with it, each where there is one.
   *
   * @param {{picture: MediaStreamTrack|null, sound: MediaStreamTrack|null}} tracks
   */
  async sendScreen({ picture, sound }) {
    await Promise.all([this.#screen.sender.replaceTrack(picture), this.#screenSound.sender.replaceTrack(sound)]);
  }

  /**
   * The stream of a receive Slot.
   *
   * @param {string} mid
   * @returns {MediaStream|null}
   */
  streamOf(mid) {
    if (this.#streams.has(mid)) return this.#streams.get(mid);
    const transceiver = this.pc.getTransceivers().find((each) => each.mid === mid);
    if (!transceiver) return null;
    const stream = new MediaStream([transceiver.receiver.track]);
    this.#streams.set(mid, stream);
    return stream;
  }

  /** The receivers of the audio Slots with their mids. */
  audioReceivers() {
    return this.pc
      .getTransceivers()
      .filter(({ direction, receiver }) => direction === "recvonly" && receiver.track.kind === "audio")
      .map(({ mid, receiver }) => ({ mid, receiver }));
  }

  /** Ends the connection. */
  close() {
    clearTimeout(this.#patience);
    this.#state = "closed";
    this.pc.close();
  }

  /** A server list that this browser does not take costs the relay, never the call. */
  useServers(iceServers) {
    if (!iceServers?.length) return;
    try {
      this.pc.setConfiguration({ ...this.pc.getConfiguration(), iceServers });
    } catch (error) {
      console.warn("ice_servers refused by this browser", error);
    }
  }

  #follow() {
    const { connectionState, iceConnectionState } = this.pc;
    if (connectionState === "failed" || iceConnectionState === "failed") this.#enter("failed");
    else if (connectionState === "connected") this.#enter("connected");
    else if (connectionState === "disconnected") this.#enter("interrupted");
    else if (connectionState === "connecting") this.#enter("connecting");
  }

  #enter(state) {
    if (this.#state === state || this.#state === "closed") return;
    clearTimeout(this.#patience);
    if (state === "connecting") this.#patience = setTimeout(() => this.#enter("failed"), CONNECT_PATIENCE_MS);
    this.#state = state;
    this.#tell("state", state);
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

function asOffered({ sdp }) {
  return nameScreens(trimOffer(sdp));
}

/** Leaves out what the server does not forward: less to offer, and less to take in. */
function limitCodecs(transceiver) {
  const all = RTCRtpReceiver.getCapabilities?.(transceiver.receiver.track.kind)?.codecs ?? [];
  const used = all.filter(isForwarded);
  if (used.length === 0) return;
  try {
    transceiver.setCodecPreferences?.(used);
  } catch (error) {
    console.warn("codec preferences refused by this browser", error);
  }
}
