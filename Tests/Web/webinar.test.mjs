import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { FakeSocket, pass, reset, settle } from "./fakes.mjs";

const { Call } = await load("call");
const { Signaling } = await load("signaling");

/** Microphone and camera, which open when somebody asks for them. */
class FakeDevices extends EventTarget {
  tracks = { audio: { kind: "audio" }, video: { kind: "video" } };
  closed = [];

  get audioOn() {
    return this.tracks.audio !== null;
  }

  get videoOn() {
    return this.tracks.video !== null;
  }

  set(kind, track) {
    this.tracks[kind] = track;
    this.dispatchEvent(new CustomEvent("change", { detail: kind }));
  }

  setMicrophone() {}

  setCamera(on) {
    this.set("video", on ? { kind: "video" } : null);
  }

  close(kind) {
    this.closed.push(kind);
    this.set(kind, null);
  }
}

class FakeMedia extends EventTarget {
  sent = {};
  connections = 0;

  prepare() {}

  async offer() {
    return "the offer";
  }

  async connect() {
    this.connections += 1;
  }

  useServers() {}

  wantAllLayers() {}

  close() {}

  async sendMicrophone(track) {
    this.sent.audio = track;
  }

  async sendCamera(track) {
    this.sent.video = track;
  }

  async sendScreen({ picture }) {
    this.sent.screen = picture;
  }
}

const person = (id, role = "attendee", more = {}) => ({ participant_id: id, display_name: id, role, ...more });
const OFF = { audio: false, video: false, screen: false };
const JOINED = {
  type: "joined", you: person("me"), meeting: { meeting_id: "m", settings: { webinar: true } }, attendees: 2,
  participants: [person("host", "host"), person("pia", "panelist")], resume: "secret", session_token: "token", sdp: "answer",
  slots: [],
};

async function joined(role = "attendee", more = {}) {
  const devices = new FakeDevices();
  const made = [];
  const makeMedia = () => {
    made.push(new FakeMedia());
    return made.at(-1);
  };
  const track = (kind) => Object.assign(new EventTarget(), { kind, stop() {} });
  const screen = { getTracks: () => [track("video")], getVideoTracks: () => [track("video")] };
  const connect = (state, alive, address = "/api/v1/signal") => new Signaling(address, state, alive);
  const call = new Call(devices, makeMedia, connect, async () => screen);
  const heard = [];
  for (const type of ["turnedoff", "role"]) call.addEventListener(type, ({ detail }) => heard.push([type, detail]));
  const joining = call.join("123-456-789", { displayName: "Ana" });
  await settle();
  const [socket] = FakeSocket.all;
  socket.answer({ ...JOINED, you: person("me", role), ...more });
  await joining;
  await settle();
  const told = () => Object.assign({}, ...socket.sent.map((each) => (each.type === "media_state" ? each : each.media_state)));
  return { call, devices, heard, joining, made, socket, told };
}

const ids = ({ participants }) => participants.list().map(({ participant_id: id }) => id).join(" ");
const role = (socket, id, to) => socket.say({ type: "participant_update", participant_id: id, role: to });

beforeEach(reset);

test("who comes to watch lets go of the devices and gives nothing, also of what opens later", async () => {
  const { call, devices, made, told } = await joined();
  assert.deepEqual([call.watching, call.controls, call.webinar.on, call.webinar.attendees], [true, false, true, 2]);
  assert.deepEqual([devices.tracks, made[0].sent.audio, made[0].sent.video], [{ audio: null, video: null }, null, null]);
  assert.deepEqual(pick(told()), OFF);
  // The browser's user answered late.
  devices.set("video", { kind: "video" });
  await settle();
  assert.deepEqual([devices.tracks.video, made[0].sent.video, pick(told())], [null, null, OFF]);
});

const pick = ({ audio, video, screen }) => ({ audio, video, screen });

test("a join with media that is refused to the audience is made once more without", async () => {
  const devices = new FakeDevices();
  const call = new Call(devices, () => new FakeMedia(), (state, alive) => new Signaling("/signal", state, alive));
  const joining = call.join("123-456-789", { displayName: "Ana" });
  await settle();
  const [socket] = FakeSocket.all;
  assert.equal(socket.sent[0].media_state.audio, true);
  socket.answer({ type: "error", code: "attendee_media", status: 403 });
  await settle();
  assert.deepEqual([socket.sent.length, pick(socket.sent[1].media_state)], [2, OFF]);
  socket.answer({ type: "error", code: "attendee_media", status: 403 });
  await assert.rejects(joining, { code: "attendee_media" });
});

test("who is promoted opens what they want over the connection that they have", async () => {
  const { call, devices, heard, made, socket, told } = await joined();
  role(socket, "me", "panelist");
  assert.deepEqual([call.watching, devices.tracks, heard], [false, { audio: null, video: null }, [["role", "panelist"]]]);
  devices.set("video", { kind: "video" });
  await settle();
  assert.deepEqual([pick(told()), made[0].sent.video], [{ ...OFF, video: true }, { kind: "video" }]);
  assert.deepEqual([made.length, made[0].connections, FakeSocket.all.length], [1, 1, 1]);
});

test("who is demoted gives nothing any more, whichever message comes first", async () => {
  for (const first of ["role", "state"]) {
    reset();
    const { call, devices, made, socket, told } = await joined("panelist");
    call.sharing.start();
    await settle();
    socket.answer({ type: "ok" });
    await settle();
    assert.deepEqual([call.sharing.on, made[0].sent.video !== null], [true, true]);
    const acts = {
      role: () => role(socket, "me", "attendee"),
      state: () => socket.say({ type: "media_state", participant_id: "me", ...OFF, turned_off: ["audio", "video", "screen"] }),
    };
    for (const each of [first, first === "role" ? "state" : "role"]) acts[each]();
    assert.deepEqual([call.watching, devices.tracks, call.sharing.state], [true, { audio: null, video: null }, "idle"], first);
    await settle();
    assert.deepEqual([made[0].sent, pick(told())], [{ audio: null, video: null, screen: null }, OFF], first);
  }
});

test("an error that the audience gives no media turns all of it off", async () => {
  const { devices, heard, socket, told } = await joined("panelist");
  socket.say({ type: "error", code: "attendee_media", status: 403 });
  await settle();
  assert.deepEqual([devices.tracks.video, pick(told()).video, heard], [null, false, []]);
});

test("who becomes a host is told of all who watch, and forgets them afterwards", async () => {
  const { call, socket } = await joined("panelist");
  let resets = 0;
  call.participants.addEventListener("reset", () => (resets += 1));
  // The list may come before the role.
  socket.say({ type: "attendees", participants: [person("a"), person("b"), person("me"), null, { participant_id: 7 }] });
  role(socket, "me", "co_host");
  assert.deepEqual([ids(call), call.participants.onPanel, resets], ["host pia a b", 2, 1]);
  role(socket, "a", "panelist");
  socket.say({ type: "attendees", participants: [person("c")] });
  assert.equal(ids(call), "host pia a c");
  socket.say({ type: "attendees", participants: "all" });
  role(socket, "me", "panelist");
  assert.deepEqual([ids(call), resets], ["host pia a", 3]);
});

test("somebody who leaves the panel is gone for those who do not know the audience", async () => {
  const { call, socket } = await joined();
  const left = [];
  call.participants.addEventListener("left", ({ detail }) => left.push([detail.participant_id, detail.reason]));
  socket.say({ type: "participant_left", participant_id: "pia", reason: "demoted" });
  // Of those whom we do not know nothing is changed.
  for (const type of ["participant_left", "participant_update", "media_state"]) {
    socket.say({ type, participant_id: "stranger", role: "panelist", video: true });
  }
  assert.deepEqual([ids(call), left], ["host", [["pia", "demoted"]]]);
  socket.say({ type: "participant_joined", participant: person("me", "panelist") });
  assert.equal(ids(call), "host");
});

test("how many watch is a number, and told when it is another", async () => {
  const { call, socket } = await joined();
  let changes = 0;
  call.webinar.addEventListener("change", () => (changes += 1));
  for (const attendees of [312, 312, -1, 1.5, "9", null]) socket.say({ type: "audience", attendees });
  assert.deepEqual([call.webinar.attendees, changes], [312, 1]);
});

test("a second `joined` sets all anew: the role, the number and the questions", async () => {
  const question = (id, more = {}) => ({ question_id: id, text: id, state: "open", asked_at: "2026-11-30T11:00:00Z", ...more });
  const { call, devices, heard, socket } = await joined("panelist", { questions: [question("a"), question("b")] });
  assert.equal(call.webinar.questions.size, 2);
  socket.drop();
  await pass(200);
  FakeSocket.all[1].answer({ ...JOINED, sdp: undefined, attendees: 40, questions: [question("b", { own: true })], resumed: true });
  await settle();
  assert.deepEqual([call.webinar.attendees, call.webinar.questions.list().map(({ id }) => id)], [40, ["b"]]);
  assert.deepEqual([call.watching, devices.tracks.video, heard], [true, null, [["role", "attendee"]]]);
});

test("a meeting that is no webinar has no audience", async () => {
  const { call } = await joined("participant", { meeting: { meeting_id: "m" }, attendees: undefined });
  assert.deepEqual([call.webinar.on, call.watching, call.webinar.attendees, call.webinar.questions.size], [false, false, 0, 0]);
});

test("each request has its message", async () => {
  const { call, socket } = await joined("host");
  const wanted = [
    [() => call.askQuestion("Why?", false), { type: "qa_ask", text: "Why?" }],
    [() => call.askQuestion("Why?", true), { type: "qa_ask", text: "Why?", anonymous: true }],
    [() => call.answerQuestion("q", "So."), { type: "qa_answer", question_id: "q", text: "So." }],
    [() => call.settleQuestion("q", "dismissed"), { type: "qa_answer", question_id: "q", state: "dismissed" }],
    [() => call.actOn("b", { type: "promote", fields: {} }), { type: "promote", participant_id: "b" }],
  ];
  for (const [ask, message] of wanted) {
    const answer = ask();
    await settle();
    const { id, ...sent } = socket.sent.at(-1);
    assert.deepEqual(sent, message);
    socket.say({ type: "ok", id });
    await answer;
  }
});

test("on the panel one may answer attendees whom one is not told of, and nobody who has left", async () => {
  const { call, socket } = await joined("panelist");
  const may = (id) => call.webinar.mayWatch(id, call);
  assert.deepEqual([may("eve"), may("pia")], [true, true]);
  socket.say({ type: "participant_left", participant_id: "pia", reason: "left" });
  socket.say({ type: "participant_joined", participant: person("rob", "panelist") });
  socket.say({ type: "participant_left", participant_id: "rob", reason: "demoted" });
  assert.deepEqual([may("pia"), may("rob")], [false, true]);
  role(socket, "me", "co_host");
  assert.equal(may("eve"), false);
  role(socket, "me", "attendee");
  assert.equal(may("eve"), false);
});
