import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { FakeSocket, pass, reset, settle } from "./fakes.mjs";

const { Call } = await load("call");
const { Signaling } = await load("signaling");

class FakeDevices extends EventTarget {
  tracks = { audio: { kind: "audio" }, video: null };
  audioOn = true;
  videoOn = false;

  set(fields) {
    Object.assign(this, fields);
    this.dispatchEvent(new CustomEvent("change", { detail: "video" }));
  }
}

class FakeMedia extends EventTarget {
  prepared = 0;
  sent = {};
  answers = [];
  servers = [];
  closed = false;

  prepare() {
    this.prepared += 1;
  }

  async offer() {
    return "the offer";
  }

  async connect(...given) {
    this.answers.push(given);
  }

  useServers(servers) {
    this.servers.push(servers);
  }

  async sendMicrophone(track) {
    this.sent.audio = track;
  }

  async sendCamera(track) {
    this.sent.video = track;
  }

  close() {
    this.closed = true;
  }
}

const ANA = { displayName: "Ana" };
const JOINED = {
  type: "joined",
  you: { participant_id: "me", display_name: "Ana", role: "host" },
  meeting: { meeting_id: "m", topic: "Tea" },
  participants: [{ participant_id: "b", display_name: "Ben", video: true }],
  ice_servers: [{ urls: "turn:192.0.2.1" }],
  resume: "secret",
  session_token: "token",
  sdp: "the answer",
  slots: [{ mid: "5", participant_id: "b", source: "video" }],
};

function make() {
  const devices = new FakeDevices();
  const media = new FakeMedia();
  const call = new Call(devices, media, (state) => new Signaling("/api/v1/signal", state));
  return { call, devices, media };
}

async function joined() {
  const made = make();
  const joining = made.call.join("123-456-789", ANA);
  await settle();
  const [socket] = FakeSocket.all;
  socket.answer(JOINED);
  await joining;
  await settle();
  return { ...made, socket };
}

beforeEach(reset);

test("one message goes, one comes, and we are in", async () => {
  const { call, media, socket } = await joined();
  assert.deepEqual(socket.sent, [
    {
      type: "join", id: "1", meeting: "123-456-789", display_name: "Ana", offer: "the offer",
      media_state: { audio: true, video: false, screen: false },
    },
  ]);
  assert.deepEqual(media.answers, [["the answer", JOINED.ice_servers]]);
  assert.equal(call.state, "meeting");
  assert.equal(call.slots.midOf("b", "video"), "5");
  assert.deepEqual(call.participants.list().map(({ display_name: name }) => name), ["Ben"]);
  for (const step of ["asked", "joined", "described"]) assert.equal(typeof call.timings[step], "number", step);
});

test("offer, tracks and socket are ready before anybody asks", async () => {
  const { call, media } = make();
  await settle();
  assert.deepEqual([media.prepared, media.sent.audio?.kind, FakeSocket.all.length], [1, "audio", 0]);
  call.prepare();
  await settle();
  assert.deepEqual([FakeSocket.all.length, FakeSocket.all[0].sent.length, call.state], [1, 0, "waiting"]);
});

test("a wrong password can be mended by the same call", async () => {
  const { call, media } = make();
  const refused = call.join("123-456-789", ANA);
  await settle();
  const [socket] = FakeSocket.all;
  socket.answer({ type: "error", code: "password_required", status: 403, message: "no" });
  await assert.rejects(refused, { code: "password_required", status: 403 });
  assert.deepEqual([call.state, media.closed], ["waiting", false]);
  const joining = call.join("123-456-789", { ...ANA, password: "tea" });
  await settle();
  assert.equal(socket.sent[1].password, "tea");
  socket.answer(JOINED);
  await joining;
  assert.equal(call.state, "meeting");
});

test("what changes on the way in is told once we are in, and only that", async () => {
  const { call, devices } = make();
  const joining = call.join("123-456-789", ANA);
  await settle();
  const [socket] = FakeSocket.all;
  devices.set({ videoOn: true });
  await settle();
  assert.equal(socket.sent.length, 1);
  socket.answer(JOINED);
  await joining;
  devices.set({});
  await settle();
  const state = { audio: true, video: true, screen: false };
  assert.deepEqual(socket.sent.slice(1), [{ type: "media_state", ...state }]);
});

test("the same view is told once", async () => {
  const { call, socket } = await joined();
  call.setView({ layout: "gallery", visible: ["b"] });
  call.setView({ layout: "gallery", visible: ["b"] });
  assert.deepEqual(socket.sent.slice(1), [{ type: "view", layout: "gallery", visible: ["b"] }]);
});

test("who comes back tells in the same message what changed meanwhile", async () => {
  const { call, devices, media, socket } = await joined();
  call.setView({ layout: "gallery", visible: ["b"] });
  socket.drop();
  devices.set({ audioOn: false });
  call.setView({ layout: "speaker", visible: ["b"] });
  await pass(200);
  const again = FakeSocket.all[1];
  assert.deepEqual(again.sent, [
    {
      type: "join", id: again.sent[0].id, session_token: "token", resume: "secret",
      media_state: { audio: false, video: false, screen: false }, view: { layout: "speaker", visible: ["b"] },
    },
  ]);
  again.answer({ ...JOINED, sdp: undefined, resumed: true });
  await settle();
  assert.deepEqual(media.servers, [JOINED.ice_servers]);
  assert.deepEqual([call.state, again.sent.length, media.answers.length], ["meeting", 1, 1]);
});

test("a Slot that changes hands has no picture of its new name until the switch is told", async () => {
  const { call, socket } = await joined();
  assert.equal(call.slots.pictureOf("b", "video").mid, "5");
  socket.say({ type: "slots", slots: [{ mid: "5", participant_id: "c", source: "video" }] });
  assert.equal(call.slots.pictureOf("c", "video"), null);
  socket.say({ type: "slot_switched", mid: "5", participant_id: "c", source: "video", layer: 0 });
  assert.equal(call.slots.pictureOf("c", "video").mid, "5");
});

test("who is in can show it to the service, and nobody else", async () => {
  const { call } = make();
  assert.equal(call.place, null);
  const { call: inside } = await joined();
  assert.deepEqual(inside.place, { meeting: "m", participant: "me", token: "token", service: "" });
  inside.leave();
  assert.equal(inside.place, null);
});

test("who leaves lets go of everything", async () => {
  const { call, media, socket } = await joined();
  call.leave();
  assert.deepEqual([call.state, media.closed, socket.sent.at(-1).type, socket.readyState], ["ended", true, "leave", 3]);
});

test("a host brings its key, locks and ends, and hears of the lock", async () => {
  const { call } = make();
  const joining = call.join("123-456-789", { ...ANA, password: "tea", hostKey: "k3y" });
  await settle();
  const [socket] = FakeSocket.all;
  assert.equal(socket.sent[0].host_key, "k3y");
  assert.equal(socket.sent[0].password, undefined);
  assert.equal(call.controls, false);
  socket.answer(JOINED);
  await joining;
  assert.equal(call.controls, true);
  const meetings = [];
  call.addEventListener("meeting", ({ detail }) => meetings.push(detail.locked));
  for (const [act, type] of [[() => call.setLocked(true), "lock"], [() => call.setLocked(false), "unlock"]]) {
    const done = act();
    assert.equal(socket.sent.at(-1).type, type);
    socket.answer({ type: "ok" });
    await done;
    socket.say({ type: "meeting_update", meeting: { ...JOINED.meeting, locked: type === "lock" } });
  }
  assert.deepEqual(meetings, [true, false]);
  const ended = call.endForAll();
  assert.equal(socket.sent.at(-1).type, "end");
  socket.answer({ type: "error", code: "forbidden", status: 403 });
  await assert.rejects(ended, { code: "forbidden" });
});
