import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";

/** A socket whose other end is the test. */
class FakeSocket extends EventTarget {
  static OPEN = 1;
  static all = [];
  /** Whether new sockets open. */
  static reachable = true;
  readyState = 0;
  sent = [];

  constructor(url) {
    super();
    this.url = url;
    FakeSocket.all.push(this);
    queueMicrotask(() => {
      if (!FakeSocket.reachable) return this.drop("error");
      this.readyState = 1;
      this.dispatchEvent(new Event("open"));
    });
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  drop(type = "close") {
    this.readyState = 3;
    this.dispatchEvent(new Event(type));
  }

  say(message) {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(message) }));
  }
}

globalThis.WebSocket = FakeSocket;
globalThis.location = { href: "https://meet.example/?meeting=1" };
globalThis.CustomEvent ??= class extends Event {
  constructor(type, options) {
    super(type);
    this.detail = options?.detail ?? null;
  }
};

/** Virtual time, in ms: the timers that wait, and the clock that they share with the module. */
let now = 0;
let timers = new Map();
let nextTimer = 0;
const start = (again) => (run, delay = 0) => {
  nextTimer += 1;
  const id = nextTimer;
  timers.set(id, { run, due: now + delay, again: again ? delay : 0 });
  return id;
};
globalThis.setTimeout = start(false);
globalThis.setInterval = start(true);
globalThis.clearTimeout = globalThis.clearInterval = (id) => timers.delete(id);
Object.defineProperty(performance, "now", { value: () => now });

const { Signaling, RESUME_WINDOW_MS } = await load("signaling");

/** Lets every promise that can go on go on. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

async function pass(ms) {
  for (let left = ms; left > 0; left -= 100) {
    now += 100;
    for (const [id, timer] of [...timers]) {
      if (timer.due > now || !timers.has(id)) continue;
      if (timer.again) timer.due += timer.again;
      else timers.delete(id);
      timer.run();
    }
    await settle();
  }
}

async function joined() {
  const signaling = new Signaling("/api/v1/signal", "token");
  const opening = signaling.open();
  await settle();
  const [socket] = FakeSocket.all;
  socket.say({ type: "joined", id: socket.sent[0].id, you: {}, resume: "secret" });
  await opening;
  return { signaling, socket };
}

beforeEach(() => {
  FakeSocket.all = [];
  FakeSocket.reachable = true;
  timers = new Map();
});

test("a path becomes a secure socket of the same host, and the token goes first", async () => {
  const { socket } = await joined();
  assert.equal(socket.url, "wss://meet.example/api/v1/signal");
  assert.deepEqual(socket.sent[0], { type: "join", id: "1", session_token: "token" });
});

test("answers find their requests, errors reject them, the rest are events", async () => {
  const { signaling, socket } = await joined();
  const offer = signaling.request("offer", { sdp: "x" });
  const bad = signaling.request("view");
  const heard = [];
  signaling.addEventListener("slots", ({ detail }) => heard.push(detail.slots));
  socket.say({ type: "error", id: socket.sent[2].id, code: "invalid_field", status: 422, message: "no" });
  socket.say({ type: "slots", slots: [1] });
  socket.say({ type: "answer", id: socket.sent[1].id, sdp: "y" });
  assert.equal((await offer).sdp, "y");
  await assert.rejects(bad, { code: "invalid_field", status: 422 });
  assert.deepEqual(heard, [[1]]);
});

test("what is no JSON or no message is passed over", async () => {
  const { socket } = await joined();
  for (const data of ["{", "null", "[]", '{"type":7}']) socket.dispatchEvent(new MessageEvent("message", { data }));
});

test("a dropped socket comes back with its resume token", async () => {
  const { signaling, socket } = await joined();
  const events = [];
  for (const type of ["interrupted", "resumed", "lost"]) signaling.addEventListener(type, () => events.push(type));
  FakeSocket.reachable = false;
  socket.drop();
  await pass(3_000);
  FakeSocket.reachable = true;
  await pass(3_000);
  const again = FakeSocket.all.at(-1);
  assert.equal(again.sent[0].resume, "secret");
  again.say({ type: "joined", id: again.sent[0].id, resume: "secret" });
  await settle();
  assert.deepEqual(events, ["interrupted", "resumed"]);
});

test("a place that is gone is not asked for again", async () => {
  const { signaling, socket } = await joined();
  let lost = null;
  signaling.addEventListener("lost", ({ detail }) => (lost = detail));
  socket.drop();
  await pass(200);
  const again = FakeSocket.all.at(-1);
  again.say({ type: "error", id: again.sent[0].id, code: "resume_expired", status: 409 });
  await settle();
  assert.equal(lost?.code, "resume_expired");
  const attempts = FakeSocket.all.length;
  await pass(5_000);
  assert.equal(FakeSocket.all.length, attempts);
});

test("after the server's patience the socket is given up", async () => {
  const { signaling, socket } = await joined();
  let lost = false;
  signaling.addEventListener("lost", () => (lost = true));
  FakeSocket.reachable = false;
  socket.drop();
  await pass(RESUME_WINDOW_MS - 2_500);
  assert.equal(lost, false);
  await pass(5_000);
  assert.equal(lost, true);
});

test("an unanswered ping counts as a drop", async () => {
  const { signaling } = await joined();
  let interrupted = false;
  signaling.addEventListener("interrupted", () => (interrupted = true));
  await pass(12_000);
  assert.equal(interrupted, true);
});

test("who leaves is not brought back", async () => {
  const { signaling, socket } = await joined();
  signaling.leave();
  assert.equal(socket.sent.at(-1).type, "leave");
  socket.drop();
  await pass(5_000);
  assert.equal(FakeSocket.all.length, 1);
});
