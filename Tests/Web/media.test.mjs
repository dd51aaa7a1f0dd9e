import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { pass, reset, settle } from "./fakes.mjs";

const CODECS = {
  audio: [{ mimeType: "audio/opus" }, { mimeType: "audio/red" }],
  video: [{ mimeType: "video/VP8" }, { mimeType: "video/rtx" }, { mimeType: "video/H265" }],
};
const SESSION = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
const SDP = `${SESSION}m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n`;

/** A sender that takes all that it is told. */
class FakeSender {
  constructor(encodings = [{}]) {
    this.encodings = encodings.map((each) => ({ active: true, ...each }));
  }

  getParameters() {
    return structuredClone({ encodings: this.encodings });
  }

  async setParameters({ encodings, degradationPreference = this.preference }) {
    this.encodings = encodings;
    this.preference = degradationPreference;
  }

  async replaceTrack(track) {
    this.track = track;
  }

  get active() {
    return this.encodings.filter(({ active }) => active).map(({ rid }) => rid);
  }
}

/** A browser's connection that writes down what is asked of it. */
class FakeConnection extends EventTarget {
  static refusesServers = false;
  connectionState = "new";
  steps = [];
  transceivers = [];

  addTransceiver(kind, { direction, sendEncodings }) {
    const sender = new FakeSender(sendEncodings);
    const transceiver = { direction, sendEncodings, mid: null, receiver: { track: { kind } }, sender };
    transceiver.setCodecPreferences = (codecs) => (transceiver.codecs = codecs.map(({ mimeType }) => mimeType));
    this.transceivers.push(transceiver);
    return transceiver;
  }

  getTransceivers() {
    return this.transceivers;
  }

  getConfiguration() {
    return { bundlePolicy: "max-bundle" };
  }

  setConfiguration({ iceServers }) {
    if (FakeConnection.refusesServers) throw new SyntaxError("no");
    this.steps.push(["servers", iceServers]);
  }

  async createOffer() {
    this.steps.push(["offer"]);
    return { type: "offer", sdp: SDP };
  }

  async setLocalDescription(description) {
    this.steps.push(["local", description.sdp]);
    this.transceivers.forEach((transceiver, index) => (transceiver.mid = String(index)));
  }

  async setRemoteDescription({ type, sdp }) {
    this.steps.push(["remote", type, sdp]);
  }

  become(state) {
    this.connectionState = state;
    this.dispatchEvent(new Event("connectionstatechange"));
  }

  close() {}
}

globalThis.RTCPeerConnection = FakeConnection;
globalThis.RTCRtpReceiver = { getCapabilities: (kind) => ({ codecs: CODECS[kind] }) };

const { MediaConnection, VIDEO_SLOTS } = await load("media");

const SERVERS = [{ urls: "turn:192.0.2.1" }];

beforeEach(() => {
  reset();
  FakeConnection.refusesServers = false;
});

test("one offer is made, sent trimmed before it is set, and set as it was made", async () => {
  const media = new MediaConnection();
  media.prepare();
  const text = await media.offer();
  assert.match(text, /^c=IN IP4 0\.0\.0\.0\r\nt=/m);
  assert.deepEqual(media.pc.steps, [["offer"]]);
  await media.connect("answer", SERVERS);
  assert.deepEqual(media.pc.steps.slice(1), [["servers", SERVERS], ["local", SDP], ["remote", "answer", "answer"]]);
});

test("servers that a browser does not take cost the relay, never the call", async (context) => {
  context.mock.method(console, "warn", () => {});
  FakeConnection.refusesServers = true;
  const media = new MediaConnection();
  await media.connect("answer", SERVERS);
  assert.deepEqual(media.pc.steps.map(([step]) => step), ["offer", "local", "remote"]);
});

test("a Slot for each who can be seen, the loudest, and a screen; in the codecs that are forwarded", () => {
  const { transceivers } = new MediaConnection().pc;
  const slots = transceivers.filter(({ direction }) => direction === "recvonly");
  assert.deepEqual(transceivers[1].sendEncodings.map(({ rid }) => rid), ["q", "h", "f"]);
  assert.deepEqual(slots.map(({ receiver }) => receiver.track.kind), [
    ...Array(3).fill("audio"), ...Array(VIDEO_SLOTS + 1).fill("video"),
  ]);
  const [sound, picture] = transceivers.slice(-2);
  assert.deepEqual([sound, picture].map(({ receiver }) => receiver.track.kind), ["audio", "video"]);
  assert.deepEqual([transceivers.indexOf(slots[0]), transceivers.indexOf(sound)], [2, 31], "our screen is behind the Slots");
  assert.deepEqual(picture.sendEncodings.map(({ rid, maxFramerate }) => [rid, maxFramerate]), [[undefined, 15]]);
  for (const { receiver, codecs } of transceivers) {
    assert.deepEqual(codecs, receiver.track.kind === "audio" ? ["audio/opus", "audio/red"] : ["video/VP8", "video/rtx"]);
  }
});

test("a path that is never found is a failure, which a connection takes back", async () => {
  const media = new MediaConnection();
  const states = [];
  media.addEventListener("state", ({ detail }) => states.push(detail));
  await media.connect("answer");
  await pass(15_100);
  media.pc.become("connected");
  await settle();
  assert.deepEqual(states, ["failed", "connected"]);
});

test("of the camera that is encoded which anybody wants, whatever comes between", async () => {
  const media = new MediaConnection();
  const { sender } = media.pc.transceivers[1];
  await media.wantLayers({ type: "layers_wanted", mid: "1", rids: ["q"] });
  assert.deepEqual(sender.active, ["q", "h", "f"], "not known to be ours before the mids are");
  await media.connect("answer");
  assert.deepEqual(sender.active, ["q"]);
  await media.sendCamera({ getSettings: () => ({ height: 720 }) });
  await media.wantLayers({ type: "layers_wanted", mid: "5", rids: ["h"] });
  assert.deepEqual(sender.active, ["q"], "another camera, another m-line");
  await media.wantLayers({ type: "layers_wanted", mid: "1", rids: [] });
  await media.sendCamera(null);
  await media.sendCamera({ getSettings: () => ({ height: 360 }) });
  assert.deepEqual(sender.active, []);
  await media.wantLayers({ type: "layers_wanted", mid: "1", rids: ["f"] });
  assert.deepEqual(sender.active, ["h"], "all that this camera has");
  await media.wantLayers({ type: "layers_wanted", mid: "1", wanted: false });
  assert.deepEqual(sender.active, []);
  await media.wantAllLayers();
  assert.deepEqual(sender.active, ["q", "h"]);
});

test("a screen comes and goes without a negotiation, and is encoded while anybody looks", async () => {
  const media = new MediaConnection({ videoSlots: 1 });
  const [sound, picture] = media.pc.transceivers.slice(-2).map(({ sender }) => sender);
  await media.connect("answer");
  assert.equal(picture.preference, "maintain-resolution");
  const steps = media.pc.steps.length;
  await media.wantLayers({ type: "layers_wanted", mid: "8", wanted: false });
  assert.deepEqual(picture.encodings.map(({ active }) => active), [false]);
  await media.sendScreen({ picture: "picture", sound: "sound" });
  assert.deepEqual([picture.track, sound.track], ["picture", "sound"]);
  await media.wantLayers({ type: "layers_wanted", mid: "8", wanted: true });
  assert.deepEqual([picture.encodings[0].active, picture.encodings[0].maxBitrate], [true, 2_500_000]);
  await media.sendScreen({ picture: null, sound: null });
  assert.deepEqual([picture.track, sound.track, media.pc.steps.length], [null, null, steps]);
});
