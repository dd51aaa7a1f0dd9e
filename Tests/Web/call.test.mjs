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

  setMicrophone(on) {
    this.set({ audioOn: on });
  }

  setCamera(on) {
    this.set({ videoOn: on });
  }

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
  wanted = [];
  closed = false;
  bytes = 0;
  connected = false;

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

  wantLayers({ rids }) {
    this.wanted.push(rids);
  }

  wantAllLayers() {
    this.wanted.push("all");
  }

  async received() {
    return new Map([["pair", this.bytes]]);
  }

  async shows() {
    return this.bytes > 0;
  }

  async sendMicrophone(track) {
    this.sent.audio = track;
  }

  async sendCamera(track) {
    this.sent.video = track;
  }

  async sendScreen(tracks) {
    this.sent.screen = tracks;
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

function make(capture) {
  const devices = new FakeDevices();
  const connections = [];
  const makeMedia = () => {
    connections.push(new FakeMedia());
    return connections.at(-1);
  };
  const connect = (state, alive, address = "/api/v1/signal") => new Signaling(address, state, alive);
  const call = new Call(devices, makeMedia, connect, capture);
  return { call, devices, media: connections[0], connections };
}

async function joined(more = {}, capture = undefined) {
  const made = make(capture);
  const joining = made.call.join("123-456-789", ANA);
  await settle();
  const [socket] = FakeSocket.all;
  socket.answer({ ...JOINED, ...more });
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
      media_state: { audio: true, video: false, screen: false, hand_raised: false },
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
  assert.deepEqual(socket.sent.slice(1), [{ type: "media_state", video: true }]);
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
      media_state: { audio: false, video: false, screen: false, hand_raised: false },
      view: { layout: "speaker", visible: ["b"] },
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

test("what our line has no room for is paused, and the server's word of our line is told", async () => {
  const { call, socket } = await joined();
  const grades = [];
  call.addEventListener("quality", ({ detail }) => grades.push(detail.level));
  socket.say({ type: "slot_paused", mid: "5" });
  socket.say({ type: "quality", participant_id: "me", level: "poor", estimate_bits_per_second: 60_000 });
  assert.deepEqual([call.slots.pictureOf("b", "video"), call.slots.isPaused("b", "video")], [null, true]);
  socket.say({ type: "slot_switched", mid: "5", participant_id: "b", source: "video", layer: 0 });
  assert.equal(call.slots.pictureOf("b", "video").mid, "5");
  assert.deepEqual(grades, ["poor"]);
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

test("what is written goes by the socket, and what others write comes by it", async () => {
  const { call, socket } = await joined({ last_chat: "c1" });
  assert.equal(call.lastChat, "c1");
  const heard = [];
  call.addEventListener("chat", ({ detail }) => heard.push(detail.chat_id));
  const written = call.sendChat({ text: "Hi", recipient: "b", replyTo: "c1" });
  const { id, ...fields } = socket.sent.at(-1);
  assert.deepEqual(fields, { type: "chat", text: "Hi", recipient_id: "b", reply_to: "c1" });
  socket.answer({ type: "ok" });
  await written;
  for (const [act, wanted] of [
    [() => call.sendChat({ text: "Hi", recipient: null, replyTo: null }), { type: "chat", text: "Hi" }],
    [() => call.editChat("c2", "Ho"), { type: "chat_edit", chat_id: "c2", text: "Ho" }],
    [() => call.deleteChat("c2"), { type: "chat_delete", chat_id: "c2" }],
  ]) {
    const refused = act();
    const { id: another, ...sent } = socket.sent.at(-1);
    assert.deepEqual(sent, wanted);
    socket.answer({ type: "error", code: "forbidden", status: 403 });
    await assert.rejects(refused, { code: "forbidden" });
  }
  socket.say({ type: "chat", message: { chat_id: "c3", sender_id: "b", text: "Hello" } });
  assert.deepEqual(heard, ["c3"]);
});

test("who comes back, here or elsewhere, is told what the newest message is", async () => {
  const { call, socket } = await joined();
  assert.equal(call.lastChat, null);
  const told = [];
  call.addEventListener("back", () => told.push(call.lastChat));
  socket.drop();
  await pass(200);
  FakeSocket.all[1].answer({ ...JOINED, resumed: true, last_chat: "c4" });
  await settle();
  assert.deepEqual(told, ["c4"]);
});

const AWAY = "wss://b.example/api/v1/signal";

test("a drained PoP is left when the new connection shows something, and not before", async () => {
  const { call, media, socket, connections } = await joined();
  let moved = 0;
  call.addEventListener("moved", () => (moved += 1));
  socket.say({ type: "migrate", reason: "drain", signaling_url: AWAY });
  await settle();
  const [, other] = FakeSocket.all;
  assert.equal(other.url, AWAY);
  const { type, session_token: token, resume, offer, meeting } = other.sent[0];
  assert.deepEqual([type, token, resume, offer, meeting], ["join", "token", "secret", "the offer", undefined]);
  let told = "";
  call.addEventListener("back", () => (told = `${call.lastChat} at ${call.place.service}`));
  call.addEventListener("chat", ({ detail }) => (told += `, then ${detail.chat_id}`));
  other.answer({
    ...JOINED, resumed: true, session_token: "fresh", last_chat: "c8", sdp: "another answer",
    slots: [{ mid: "7", participant_id: "b", source: "video" }],
  });
  await settle();
  other.say({ type: "participant_left", participant_id: "b" });
  other.say({ type: "chat", message: { chat_id: "c9" } });
  socket.say({ type: "removed", reason: "moved" });
  socket.drop();
  await pass(300);
  // What is said at the new PoP counts from the move on.
  assert.deepEqual([moved, call.state, call.media === media, call.participants.size], [0, "meeting", true, 1]);
  assert.equal(connections[1].sent.audio?.kind, "audio");
  Object.assign(connections[1], { connected: true, bytes: 1 });
  await pass(300);
  assert.deepEqual([moved, call.media === connections[1], call.slots.midOf("b", "video")], [1, true, null]);
  assert.equal(call.participants.size, 0);
  assert.equal(told, "c8 at https://b.example, then c9");
  assert.deepEqual(call.place, { meeting: "m", participant: "me", token: "fresh", service: "https://b.example" });
  await pass(300);
  assert.deepEqual([media.closed, connections[1].closed, FakeSocket.all.length], [true, false, 2]);
});

test("who cannot move stays, and is told of the drain", async () => {
  const { call, media, socket, connections } = await joined();
  let told = null;
  call.addEventListener("migrate", ({ detail }) => (told = detail));
  socket.say({ type: "migrate", reason: "drain", signaling_url: AWAY });
  await settle();
  FakeSocket.all[1].answer({ type: "error", code: "resume_expired", status: 409 });
  await settle();
  assert.deepEqual([told?.signaling_url, call.state, call.media === media], [AWAY, "meeting", true]);
  assert.deepEqual([media.closed, connections[1].closed], [false, true]);
});

test("where socket and media are lost another PoP has our place", async () => {
  const { call, media, socket, connections } = await joined({ signaling_alternates: [AWAY] });
  FakeSocket.reachable = false;
  socket.drop();
  await pass(200);
  FakeSocket.reachable = true;
  await pass(300);
  const other = FakeSocket.all.find(({ url }) => url === AWAY);
  other.answer({ ...JOINED, resumed: true });
  await settle();
  assert.deepEqual([call.state, call.media === connections[1]], ["meeting", true]);
  await pass(300);
  assert.equal(media.closed, true);
  // The old PoP is not asked any more.
  const count = FakeSocket.all.length;
  await pass(5_000);
  assert.equal(FakeSocket.all.length, count);
});

test("the PoPs that were told last are those that have our place", async () => {
  const { call, socket, connections } = await joined({ signaling_alternates: ["wss://former.test/api/v1/signal"] });
  socket.say({ type: "alternates", signaling_alternates: [AWAY] });
  FakeSocket.reachable = false;
  socket.drop();
  await pass(200);
  FakeSocket.reachable = true;
  await pass(300);
  FakeSocket.all.find(({ url }) => url === AWAY).answer({ ...JOINED, resumed: true });
  await settle();
  assert.deepEqual([call.state, call.media === connections[1]], ["meeting", true]);
});

test("a lost socket alone is no reason to go", async () => {
  const { call, media, socket } = await joined({ signaling_alternates: [AWAY] });
  FakeSocket.reachable = false;
  media.connected = true;
  const flow = setInterval(() => (media.bytes += 1), 50);
  socket.drop();
  await pass(3_000);
  clearInterval(flow);
  assert.deepEqual([call.state, FakeSocket.all.some(({ url }) => url === AWAY)], ["reconnecting", false]);
});

test("media that ends after the socket is the same loss", async () => {
  const { call, media, socket, connections } = await joined({ signaling_alternates: [AWAY] });
  FakeSocket.reachable = false;
  const flow = setInterval(() => (media.bytes += 1), 50);
  socket.drop();
  await pass(600);
  clearInterval(flow);
  FakeSocket.reachable = true;
  await pass(600);
  const other = FakeSocket.all.find(({ url }) => url === AWAY);
  assert.ok(other, "nobody looked again");
  other.answer({ ...JOINED, resumed: true });
  await settle();
  assert.deepEqual([call.state, call.media === connections[1]], ["meeting", true]);
});

test("a PoP that is lost while nobody lets us in elsewhere is left later", async () => {
  const { call, media, socket, connections } = await joined({ signaling_alternates: [AWAY] });
  socket.say({ type: "migrate", reason: "drain", signaling_url: AWAY });
  await settle();
  FakeSocket.reachable = false;
  socket.drop();
  await settle();
  FakeSocket.all[1].answer({ type: "error", code: "busy", status: 503 });
  await pass(200);
  assert.equal(call.state, "reconnecting");
  FakeSocket.reachable = true;
  await pass(600);
  FakeSocket.all.findLast(({ url }) => url === AWAY).answer({ ...JOINED, resumed: true });
  await settle();
  assert.deepEqual([call.state, call.media === connections.at(-1)], ["meeting", true]);
});

test("what nobody wants is not sent, but all while nobody can tell", async () => {
  const { media, socket } = await joined();
  socket.say({ type: "layers_wanted", mid: "1", rids: ["q"] });
  socket.say({ type: "layers_wanted", mid: "1", rids: [] });
  assert.deepEqual(media.wanted, [["q"], []]);
  socket.drop();
  await pass(500);
  FakeSocket.all.at(-1).answer({ ...JOINED, resumed: true });
  await settle();
  assert.deepEqual(media.wanted, [["q"], [], "all"]);
  FakeSocket.all.at(-1).say({ type: "layers_wanted", mid: "1", rids: ["h"] });
  assert.deepEqual(media.wanted.at(-1), ["h"]);
});

test("what another PoP says of our layers is of the connection to it", async () => {
  const { media, socket, connections } = await joined();
  socket.say({ type: "migrate", reason: "drain", signaling_url: AWAY });
  await settle();
  const [, other] = FakeSocket.all;
  other.answer({ ...JOINED, resumed: true });
  await settle();
  other.say({ type: "layers_wanted", mid: "1", rids: ["h"] });
  socket.say({ type: "layers_wanted", mid: "1", rids: [] });
  assert.deepEqual([media.wanted, connections[1].wanted], [[[]], []], "all is sent there until we arrive");
  Object.assign(connections[1], { connected: true, bytes: 1 });
  await pass(300);
  assert.deepEqual([media.wanted, connections[1].wanted], [[[]], [["h"]]]);
});

/** In a meeting with this role, with what the page hears of a host. */
async function guest(more = {}) {
  const made = await joined({ you: { ...JOINED.you, role: "participant" }, ...more });
  const heard = [];
  for (const type of ["turnedoff", "invited", "role"]) {
    made.call.addEventListener(type, ({ detail }) => heard.push([type, detail]));
  }
  return { ...made, heard };
}

test("a microphone that a host mutes is off here at once, and what is told next does not open it", async () => {
  const { call, devices, socket, heard } = await guest();
  socket.say({
    type: "media_state", participant_id: "me", audio: false, video: false, screen: false, hand_raised: false,
    muted_by_host: true, turned_off: ["audio"],
  });
  assert.deepEqual([devices.audioOn, heard], [false, [["turnedoff", ["audio"]]]]);
  await settle();
  devices.set({ videoOn: true });
  await settle();
  assert.deepEqual(socket.sent.slice(1).filter(({ audio }) => audio), []);
  assert.equal(call.participants.get("me"), undefined);
  devices.set({ audioOn: true });
  await settle();
  assert.deepEqual(socket.sent.at(-1), { type: "media_state", audio: true });
});

test("a microphone opened at the moment of the mute is told to be off again", async () => {
  const { devices, socket } = await guest();
  devices.set({ audioOn: false });
  await settle();
  devices.set({ audioOn: true });
  await settle();
  socket.say({ type: "media_state", participant_id: "me", audio: false, muted_by_host: true, turned_off: ["audio"] });
  await settle();
  assert.deepEqual([devices.audioOn, socket.sent.at(-1).audio], [false, false]);
});

test("a camera is turned off by a host, and a microphone that was not muted by one stays open", async () => {
  const { devices, heard, socket } = await guest();
  devices.set({ videoOn: true });
  socket.say({ type: "media_state", participant_id: "me", audio: false, video: false, muted_by_host: false, turned_off: ["video"] });
  assert.deepEqual([devices.audioOn, devices.videoOn, heard], [true, false, [["turnedoff", ["video"]]]]);
});

test("who is asked may unmute until a host mutes them again", async () => {
  const { call, devices, socket, heard } = await guest();
  assert.equal(call.invited, false);
  socket.say({ type: "unmute_asked", participant_id: "b" });
  assert.deepEqual([call.invited, heard], [true, [["invited", "b"]]]);
  devices.set({ videoOn: true });
  socket.say({ type: "media_state", participant_id: "me", audio: true, video: false, muted_by_host: false });
  assert.equal(call.invited, true, "that was the camera");
  socket.say({ type: "media_state", participant_id: "me", audio: false, muted_by_host: true, turned_off: ["audio"] });
  assert.equal(call.invited, false);
});

test("a refused microphone is off here too", async () => {
  const { devices, socket, heard } = await guest();
  socket.say({ type: "error", code: "unmute_forbidden", status: 403 });
  assert.deepEqual([devices.audioOn, heard], [false, []]);
});

test("a role that changes is ours, or somebody else's", async () => {
  const { call, socket, heard } = await guest();
  socket.say({ type: "participant_update", participant_id: "b", role: "host" });
  assert.deepEqual([call.participants.get("b").role, heard], ["host", []]);
  socket.say({ type: "participant_update", participant_id: "me", role: "co_host" });
  const { role, display_name: name } = call.you;
  assert.deepEqual([role, name, call.controls, heard], ["co_host", "Ana", true, [["role", "co_host"]]]);
  socket.say({ type: "participant_update", participant_id: "me", connection: "connected" });
  assert.equal(heard.length, 1);
});

test("a raised hand is told, and goes with a socket that comes back", async () => {
  const { call, socket } = await guest();
  call.setHand(true);
  assert.deepEqual(socket.sent.slice(1), [{ type: "media_state", hand_raised: true }]);
  socket.drop();
  await pass(200);
  assert.equal(FakeSocket.all[1].sent[0].media_state.hand_raised, true);
});

test("a reaction is asked for by the socket, and what the others react with is told", async () => {
  const { call, socket } = await joined();
  const heard = [];
  call.addEventListener("reaction", ({ detail }) => heard.push(detail.participant_id + detail.text));
  const asking = call.react("👍");
  const { id, ...fields } = socket.sent.at(-1);
  assert.deepEqual(fields, { type: "reaction", text: "👍" });
  socket.say({ type: "ok", id });
  await asking;
  socket.say({ type: "reaction", participant_id: "me", text: "👍" });
  socket.say({ type: "reaction", participant_id: "b", text: "😂" });
  assert.deepEqual(heard, ["me👍", "b😂"]);
});

test("hosts ask by the socket", async () => {
  const { call, socket } = await joined();
  for (const [act, wanted] of [
    [() => call.muteAll(), { type: "mute_all" }],
    [() => call.allow({ chat: false }), { type: "allow", chat: false }],
    [() => call.admit("w"), { type: "admit", participant_id: "w" }],
    [() => call.admitAll(), { type: "admit", all: true }],
    [() => call.deny("w"), { type: "deny", participant_id: "w" }],
    [
      () => call.actOn("b", { type: "mute_participant", fields: { source: "audio" } }),
      { type: "mute_participant", participant_id: "b", source: "audio" },
    ],
  ]) {
    const done = act();
    const { id, ...sent } = socket.sent.at(-1);
    assert.deepEqual(sent, wanted);
    socket.answer({ type: "ok" });
    await done;
  }
});

/** A screen that the browser's user has chosen. */
class FakeScreen {
  stopped = 0;
  picture = Object.assign(new EventTarget(), { kind: "video", stop: () => (this.stopped += 1) });

  getTracks() {
    return [this.picture];
  }

  getVideoTracks() {
    return this.getTracks();
  }
}

/** In a meeting, with a screen that is shared. */
async function sharing() {
  const screen = new FakeScreen();
  const made = await joined({}, async () => screen);
  made.call.sharing.start();
  await settle();
  return { ...made, screen };
}

/** Of the signaling, what is told of the screen. */
const toldOfScreen = ({ sent }) => sent.slice(1).filter((message) => "screen" in message).map(({ screen }) => screen);

test("a screen is sent once the server lets us, and told to be off when the browser ends it", async () => {
  const { call, media, socket, screen } = await sharing();
  assert.deepEqual([socket.sent.at(-1).type, socket.sent.at(-1).screen, media.sent.screen], ["media_state", true, undefined]);
  socket.answer({ type: "ok" });
  await settle();
  assert.deepEqual([call.sharing.on, media.sent.screen], [true, { picture: screen.picture, sound: null }]);
  screen.picture.dispatchEvent(new Event("ended"));
  await settle();
  assert.deepEqual([call.sharing.on, media.sent.screen], [false, { picture: null, sound: null }]);
  assert.deepEqual(toldOfScreen(socket), [true, false]);
});

test("a screen that the server does not let us share is stopped, and never sent", async () => {
  const { call, media, socket, screen } = await sharing();
  const reasons = [];
  call.sharing.addEventListener("refused", ({ detail }) => reasons.push(detail.code));
  socket.answer({ type: "error", status: 409, code: "screen_share_taken" });
  await settle();
  assert.deepEqual([call.sharing.state, screen.stopped, reasons], ["idle", 1, ["screen_share_taken"]]);
  assert.deepEqual([media.sent.screen?.picture ?? null, toldOfScreen(socket)], [null, [true]]);
});

test("a host stops our screen, or the meeting's Home finds another one", async () => {
  for (const message of [
    { type: "media_state", participant_id: "me", audio: true, video: false, screen: false, turned_off: ["screen"] },
    { type: "error", status: 409, code: "screen_share_taken" },
  ]) {
    reset();
    const { call, media, socket, screen } = await sharing();
    socket.answer({ type: "ok" });
    await settle();
    socket.say(message);
    await settle();
    assert.deepEqual([call.sharing.on, screen.stopped, media.sent.screen.picture], [false, 1, null]);
    assert.deepEqual(toldOfScreen(socket).slice(1).filter(Boolean), [], "not told to be on again");
  }
});

test("a shared screen goes on over another socket and another PoP, unless it may not", async () => {
  const { call, connections, socket, screen } = await sharing();
  socket.answer({ type: "ok" });
  await settle();
  socket.drop();
  await pass(100);
  const back = FakeSocket.all.at(-1);
  assert.equal("screen" in back.sent[0].media_state, false, "it might be refused, and we with it");
  back.answer({ ...JOINED, resumed: true });
  await settle();
  assert.deepEqual([call.sharing.on, toldOfScreen(back)], [true, [true]]);
  back.answer({ type: "ok" });
  await settle();
  back.say({ type: "migrate", reason: "drain", signaling_url: AWAY });
  await settle();
  const there = FakeSocket.all.at(-1);
  there.answer({ ...JOINED, resumed: true });
  await settle();
  assert.equal(connections[1].sent.screen.picture, screen.picture);
  Object.assign(connections[1], { connected: true, bytes: 1 });
  await pass(300);
  assert.deepEqual([call.sharing.on, toldOfScreen(there)], [true, [true]]);
  const reasons = [];
  call.sharing.addEventListener("refused", ({ detail }) => reasons.push(detail.code));
  there.answer({ type: "error", status: 403, code: "screen_share_forbidden" });
  await settle();
  assert.deepEqual([call.sharing.on, screen.stopped, reasons], [false, 1, ["screen_share_forbidden"]]);
  assert.deepEqual(toldOfScreen(there), [true, false]);
});

test("who leaves while the browser asks, or while sharing, shares nothing", async () => {
  const { call, socket, screen } = await sharing();
  socket.answer({ type: "ok" });
  await settle();
  call.leave();
  assert.deepEqual([screen.stopped, call.sharing.state], [1, "idle"]);

  reset();
  const late = new FakeScreen();
  let choose;
  const asking = await joined({}, () => new Promise((resolve) => (choose = resolve)));
  asking.call.sharing.start();
  asking.call.leave();
  choose(late);
  await settle();
  assert.deepEqual([late.stopped, asking.call.sharing.state], [1, "idle"]);
});

test("a screen that no answer came for is told to be off", async () => {
  const { call, socket, screen } = await sharing();
  socket.drop();
  await pass(100);
  assert.deepEqual([call.sharing.state, screen.stopped], ["idle", 1]);
  assert.equal(FakeSocket.all.at(-1).sent[0].media_state.screen, false);
});

const WAITING = {
  type: "waiting", participant_id: "me", session_token: "first", meeting: { meeting_id: "m", topic: "Tea" },
};

/** Where a host has to let us in. */
async function knocking() {
  const made = make();
  const states = [];
  made.call.addEventListener("state", ({ detail }) => states.push(detail));
  const joining = made.call.join("123-456-789", ANA);
  joining.catch(() => {});
  await settle();
  const [socket] = FakeSocket.all;
  socket.answer(WAITING);
  await settle();
  return { ...made, joining, socket, states };
}

test("who waits sends nothing of what they do meanwhile, and comes in with it", async () => {
  const { call, devices, joining, media, socket, states } = await knocking();
  devices.set({ videoOn: true, audioOn: false });
  call.setView({ layout: "gallery" });
  await settle();
  assert.deepEqual([states, socket.sent.length, media.answers, call.place, call.you], [["joining", "knocking"], 1, [], null, null]);
  socket.say({ type: "admitted" });
  await settle();
  const { id, ...join } = socket.sent[1];
  assert.deepEqual(join, {
    type: "join", session_token: "first", offer: "the offer", view: { layout: "gallery" },
    media_state: { audio: false, video: true, screen: false, hand_raised: false },
  });
  socket.answer(JOINED);
  await joining;
  assert.deepEqual([states.at(-1), media.answers.length, socket.sent.length], ["meeting", 1, 2]);
});

test("who was denied may ask again by the same call, by another socket", async () => {
  const { call, joining, media, socket, states } = await knocking();
  socket.say({ type: "denied" });
  await assert.rejects(joining, { code: "denied" });
  assert.deepEqual([states.at(-1), media.closed, socket.readyState], ["waiting", false, 3]);
  call.join("123-456-789", ANA).catch(() => {});
  await settle();
  assert.deepEqual(FakeSocket.all[1].sent.map(({ meeting }) => meeting), ["123-456-789"]);
});

test("the end of a meeting that we wait for is told by the join alone", async () => {
  const { call, joining, socket } = await knocking();
  let ended = 0;
  call.addEventListener("ended", () => (ended += 1));
  socket.say({ type: "meeting_ended", reason: "ended" });
  await assert.rejects(joining, { code: "meeting_ended" });
  assert.deepEqual([ended, call.state], [0, "waiting"]);
});

test("who leaves while they wait lets go of everything", async () => {
  const { call, joining, media, socket } = await knocking();
  call.leave();
  await assert.rejects(joining, { code: "left" });
  await pass(20_000);
  assert.deepEqual([call.state, media.closed, socket.sent.at(-1).type, FakeSocket.all.length], ["ended", true, "leave", 1]);
});

test("hosts know who waits, until they are none any more", async () => {
  const { call, socket } = await joined();
  socket.say({ type: "waiting_room", whole: true, arrived: [{ participant_id: "w", display_name: "Wim" }], left: [] });
  socket.say({ type: "participant_update", participant_id: "me", role: "co_host" });
  assert.deepEqual(call.waiters.list(), [{ id: "w", name: "Wim" }]);
  socket.say({ type: "participant_update", participant_id: "me", role: "participant" });
  assert.equal(call.waiters.size, 0);
});

test("who comes back without the role forgets who waits", async () => {
  const { call, socket } = await joined();
  socket.say({ type: "waiting_room", whole: true, arrived: [{ participant_id: "w", display_name: "Wim" }], left: [] });
  socket.drop();
  await pass(200);
  FakeSocket.all[1].answer({ ...JOINED, you: { ...JOINED.you, role: "participant" }, resumed: true });
  await settle();
  assert.equal(call.waiters.size, 0);
});

const TEA = { rooms: [{ room_id: "r1", name: "Tea" }], choose: true };

test("breakout rooms are known from the join on, and each join sets them anew", async () => {
  const you = { ...JOINED.you, room_id: "r1" };
  const { call, socket } = await joined({ you, breakout: TEA });
  assert.deepEqual([call.breakout.ownRoom?.name, call.breakout.isNear("b")], ["Tea", false]);
  socket.say({ type: "breakout_moved", moves: [{ participant_id: "b", room_id: "r1" }] });
  assert.equal(call.breakout.isNear("b"), true);
  const near = [];
  call.participants.addEventListener("joined", ({ detail }) => near.push(call.breakout.isNear(detail.participant_id)));
  socket.say({ type: "participant_joined", participant: { participant_id: "c", room_id: "r1" } });
  socket.say({ type: "participant_joined", participant: { participant_id: "d" } });
  assert.deepEqual(near, [true, false]);
  socket.drop();
  await pass(200);
  FakeSocket.all[1].answer({ ...JOINED, resumed: true });
  await settle();
  assert.deepEqual([call.breakout.open, call.breakout.own, call.breakout.isNear("b")], [false, null, true]);
});

test("what is wished of breakout rooms goes by the socket as the server names it", async () => {
  const { call, socket } = await joined();
  const rooms = [{ name: "Tea", participant_ids: ["b"] }, { name: "Coffee" }];
  for (const [act, wanted] of [
    [() => call.createRooms({ rooms, evenly: true, choose: false, seconds: 300 }),
      { type: "breakout_create", rooms, evenly: true, choose: false, duration_s: 300 }],
    [() => call.createRooms({ rooms, evenly: false, choose: true, seconds: 0 }),
      { type: "breakout_create", rooms, evenly: false, choose: true }],
    [() => call.assignRoom("b", "r1"), { type: "breakout_assign", moves: [{ participant_id: "b", room_id: "r1" }] }],
    [() => call.assignRoom("b", null), { type: "breakout_assign", moves: [{ participant_id: "b", room_id: null }] }],
    [() => call.chooseRoom("r1"), { type: "breakout_choose", room_id: "r1" }],
    [() => call.chooseRoom(null), { type: "breakout_choose", room_id: null }],
    [() => call.tellRooms("Hi"), { type: "breakout_broadcast", text: "Hi" }],
    [() => call.speakToRooms(false), { type: "breakout_broadcast", voice: false }],
    [() => call.closeRooms(30), { type: "breakout_close", after_s: 30 }],
    [() => call.closeRooms(0), { type: "breakout_close" }],
    [() => call.sendChat({ text: "Hi", recipient: null, room: "r1", replyTo: null }), { type: "chat", text: "Hi", room: true }],
  ]) {
    const done = act();
    const { id, ...sent } = socket.sent.at(-1);
    assert.deepEqual(sent, wanted);
    socket.answer({ type: "ok" });
    await done;
  }
});
