import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { FakeSocket, pass, reset, settle } from "./fakes.mjs";

const { Signaling, RESUME_WINDOW_MS } = await load("signaling");

const HELLO = { meeting: "123-456-789", display_name: "Ana", offer: "sdp" };

async function joined(state) {
  const signaling = new Signaling("/api/v1/signal", state);
  const joining = signaling.join(HELLO);
  await settle();
  const [socket] = FakeSocket.all;
  socket.answer({ type: "joined", you: {}, resume: "secret", session_token: "token" });
  await joining;
  return { signaling, socket };
}

beforeEach(reset);

test("a path becomes a secure socket of the same host, and the join goes first and alone", async () => {
  const { socket } = await joined();
  assert.equal(socket.url, "wss://meet.example/api/v1/signal");
  assert.deepEqual(socket.sent, [{ type: "join", id: "1", ...HELLO }]);
});

test("a socket opened ahead is the one that joins", async () => {
  const signaling = new Signaling("/api/v1/signal");
  signaling.prepare();
  signaling.prepare();
  await settle();
  assert.equal(FakeSocket.all.length, 1);
  assert.deepEqual(FakeSocket.all[0].sent, []);
  const joining = signaling.join(HELLO);
  await settle();
  FakeSocket.all[0].answer({ type: "joined", resume: "secret" });
  assert.equal((await joining).resume, "secret");
  assert.equal(FakeSocket.all.length, 1);
});

test("a join need not wait for the socket opened ahead to be open", async () => {
  const signaling = new Signaling("/api/v1/signal");
  signaling.prepare();
  signaling.join(HELLO);
  await settle();
  assert.deepEqual(FakeSocket.all.map(({ sent }) => sent.length), [1]);
});

test("who looks on is given a few sockets, one after the other", async () => {
  const signaling = new Signaling("/api/v1/signal");
  for (let turn = 0; turn < 20; turn += 1) {
    signaling.prepare();
    await settle();
    FakeSocket.all.at(-1).drop();
  }
  assert.equal(FakeSocket.all.length, 5);
  signaling.join(HELLO);
  await settle();
  assert.equal(FakeSocket.all.length, 6);
  assert.equal(FakeSocket.all[5].sent[0].type, "join");
});

test("a socket that the server is about to close is not joined by", async () => {
  const signaling = new Signaling("/api/v1/signal");
  signaling.prepare();
  await pass(8_500);
  signaling.join(HELLO);
  await settle();
  const [first, second] = FakeSocket.all;
  assert.deepEqual([first.sent.length, first.readyState, second.sent.length], [0, 3, 1]);
});

test("a socket opened ahead that falls under the join is replaced, once", async () => {
  const signaling = new Signaling("/api/v1/signal");
  signaling.prepare();
  await settle();
  const joining = signaling.join(HELLO);
  await settle();
  FakeSocket.all[0].drop();
  await settle();
  assert.deepEqual(FakeSocket.all[1].sent[0].meeting, HELLO.meeting);
  FakeSocket.all[1].drop();
  await assert.rejects(joining, { status: 0, code: "" });
  assert.equal(FakeSocket.all.length, 2);
});

test("a socket opened for the join itself is not tried twice", async () => {
  const joining = new Signaling("/api/v1/signal").join(HELLO);
  await settle();
  FakeSocket.all[0].drop();
  await assert.rejects(joining, { status: 0, code: "" });
  assert.equal(FakeSocket.all.length, 1);
});

test("after a refusal the same socket takes another join", async () => {
  const signaling = new Signaling("/api/v1/signal");
  const refused = signaling.join(HELLO);
  await settle();
  const [socket] = FakeSocket.all;
  socket.answer({ type: "error", code: "password_required", status: 403, message: "no" });
  await assert.rejects(refused, { code: "password_required", status: 403 });
  const joining = signaling.join({ ...HELLO, password: "x" });
  await settle();
  assert.equal(socket.sent[1].password, "x");
  socket.answer({ type: "joined" });
  await joining;
  assert.equal(FakeSocket.all.length, 1);
});

test("a refused socket that the server closes is nobody's loss", async () => {
  const signaling = new Signaling("/api/v1/signal");
  let events = 0;
  for (const type of ["interrupted", "lost"]) signaling.addEventListener(type, () => (events += 1));
  const refused = signaling.join(HELLO);
  await settle();
  FakeSocket.all[0].answer({ type: "error", code: "meeting_locked", status: 423 });
  await assert.rejects(refused, { status: 423 });
  FakeSocket.all[0].drop();
  await pass(5_000);
  assert.deepEqual([events, FakeSocket.all.length], [0, 1]);
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

test("a dropped socket comes back with its tokens, and says what has changed meanwhile", async () => {
  const { signaling, socket } = await joined(() => ({ media_state: { audio: false } }));
  const events = [];
  for (const type of ["interrupted", "resumed", "lost"]) signaling.addEventListener(type, () => events.push(type));
  FakeSocket.reachable = false;
  socket.drop();
  await pass(3_000);
  FakeSocket.reachable = true;
  await pass(3_000);
  const again = FakeSocket.all.at(-1);
  const { type, session_token: token, resume, media_state: state } = again.sent[0];
  assert.deepEqual([type, token, resume, state], ["join", "token", "secret", { audio: false }]);
  again.answer({ type: "joined", resume: "secret" });
  await settle();
  assert.deepEqual(events, ["interrupted", "resumed"]);
});

test("the address that joined names is where a dropped socket comes back", async () => {
  const signaling = new Signaling("/api/v1/signal");
  const joining = signaling.join(HELLO);
  await settle();
  const signalingUrl = "wss://pop1.example/api/v1/signal";
  FakeSocket.all[0].answer({ type: "joined", resume: "secret", signaling_url: signalingUrl });
  await joining;
  FakeSocket.all[0].drop();
  await pass(200);
  assert.equal(FakeSocket.all[1].url, signalingUrl);
  assert.equal(signaling.service, "", "we were where the page came from");
  FakeSocket.all[1].answer({ type: "joined", resume: "secret" });
  await settle();
  assert.equal(signaling.service, "https://pop1.example");
});

test("a resumption that is put off leaves no socket behind", async () => {
  const { socket } = await joined();
  socket.drop();
  await pass(200);
  const second = FakeSocket.all[1];
  second.answer({ type: "error", code: "too_many_requests", status: 429 });
  await pass(1_000);
  assert.equal(second.readyState, 3);
  assert.equal(FakeSocket.all[2].sent[0].resume, "secret");
});

for (const [code, status] of [["resume_expired", 409], ["removed", 403]]) {
  test(`a place that is gone is not asked for again: ${code}`, async () => {
    const { signaling, socket } = await joined();
    let lost = null;
    signaling.addEventListener("lost", ({ detail }) => (lost = detail));
    socket.drop();
    await pass(200);
    const again = FakeSocket.all.at(-1);
    again.say({ type: "error", id: again.sent[0].id, code, status });
    await settle();
    assert.equal(lost?.code, code);
    const attempts = FakeSocket.all.length;
    await pass(5_000);
    assert.equal(FakeSocket.all.length, attempts);
  });
}

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

test("while media flows the server is more patient, and so are we", async () => {
  let flows = true;
  const signaling = new Signaling("/api/v1/signal", undefined, () => flows);
  const joining = signaling.join(HELLO);
  await settle();
  const [socket] = FakeSocket.all;
  socket.answer({ type: "joined", resume: "secret", session_token: "token" });
  await joining;
  let lost = false;
  signaling.addEventListener("lost", () => (lost = true));
  FakeSocket.reachable = false;
  socket.drop();
  await pass(5 * RESUME_WINDOW_MS);
  assert.equal(lost, false);
  flows = false;
  await pass(RESUME_WINDOW_MS - 2_500);
  assert.equal(lost, false);
  await pass(5_000);
  assert.equal(lost, true);
});

test("how long to wait is told with the refusal", async () => {
  const signaling = new Signaling("/api/v1/signal");
  const joining = signaling.join(HELLO);
  await settle();
  FakeSocket.all[0].answer({ type: "error", code: "too_many_requests", status: 429, message: "", retry_after_s: 7 });
  await assert.rejects(joining, { code: "too_many_requests", status: 429, retryAfter: 7 });
});

test("an unanswered ping counts as a drop", async () => {
  const { signaling } = await joined();
  let interrupted = false;
  signaling.addEventListener("interrupted", () => (interrupted = true));
  await pass(12_000);
  assert.equal(interrupted, true);
});

test("a socket that answers is kept when the network is in doubt", async () => {
  const { signaling, socket } = await joined();
  const verified = signaling.verify();
  await settle();
  assert.equal(socket.sent.at(-1).type, "ping");
  socket.answer({ type: "pong" });
  assert.deepEqual([await verified, FakeSocket.all.length], [false, 1]);
});

test("one that does not is replaced within a second", async () => {
  const { signaling, socket } = await joined();
  let replaced = null;
  signaling.verify().then((answer) => (replaced = answer));
  signaling.verify().catch(() => {});
  await pass(1_000);
  const again = FakeSocket.all[1];
  assert.deepEqual([socket.readyState, again.sent[0].type, again.sent[0].resume], [3, "join", "secret"]);
  assert.equal(replaced, null);
  again.answer({ type: "joined", resume: "secret", resumed: true });
  await settle();
  assert.deepEqual([replaced, FakeSocket.all.length], [true, 2]);
});

test("the faster the socket was, the sooner its silence is told", async () => {
  const { signaling, socket } = await joined();
  await pass(5_000);
  assert.equal(socket.sent.at(-1).type, "ping");
  socket.answer({ type: "pong" });
  await settle();
  signaling.verify().catch(() => {});
  await pass(500);
  assert.equal(FakeSocket.all.length, 2);
});

test("while it comes back, a new doubt has the next attempt begin at once", async () => {
  const { signaling, socket } = await joined();
  FakeSocket.reachable = false;
  socket.drop();
  await pass(4_000);
  FakeSocket.reachable = true;
  const before = FakeSocket.all.length;
  signaling.verify().catch(() => {});
  await pass(100);
  assert.equal(FakeSocket.all.length, before + 1);
});

test("a place that is lost while the socket is in doubt is an error", async () => {
  const { signaling } = await joined();
  FakeSocket.reachable = false;
  const doubt = assert.rejects(signaling.verify());
  await pass(30_000);
  await doubt;
  await assert.rejects(signaling.verify());
});

test("who leaves is not brought back", async () => {
  const { signaling, socket } = await joined();
  signaling.leave();
  assert.equal(socket.sent.at(-1).type, "leave");
  socket.drop();
  await pass(5_000);
  assert.equal(FakeSocket.all.length, 1);
});

const ELSEWHERE = { type: "error", code: "elsewhere", status: 307, alternates: [] };
const socketOf = (pop) => `wss://${pop}.example/api/v1/signal`;

test("a join is sent on to the PoP that has the meeting, with the names of those that sent it", async () => {
  const signaling = new Signaling("/api/v1/signal");
  const joining = signaling.join(HELLO);
  await settle();
  FakeSocket.all[0].answer({ ...ELSEWHERE, signaling_url: socketOf("b"), via: ["a"] });
  await settle();
  const second = FakeSocket.all[1];
  assert.equal(FakeSocket.all[0].readyState, 3);
  assert.equal(second.url, socketOf("b"));
  assert.deepEqual(second.sent, [{ type: "join", id: "2", ...HELLO, via: ["a"] }]);
  second.answer({ type: "joined", resume: "secret", session_token: "token" });
  assert.equal((await joining).resume, "secret");
  assert.equal(signaling.service, "https://b.example");
  second.drop();
  await pass(100);
  assert.equal(FakeSocket.all[2].url, socketOf("b"));
});

test("a wrong password there is told, and the next join goes there", async () => {
  const signaling = new Signaling("/api/v1/signal");
  const joining = signaling.join(HELLO);
  await settle();
  FakeSocket.all[0].answer({ ...ELSEWHERE, signaling_url: socketOf("b"), via: ["a"] });
  await settle();
  FakeSocket.all[1].answer({ type: "error", code: "wrong_password", status: 403 });
  await assert.rejects(joining, { code: "wrong_password" });
  signaling.join(HELLO);
  await settle();
  assert.deepEqual(FakeSocket.all.map(({ sent }) => sent.length), [1, 2]);
});

test("nobody goes in a circle, nor further than four times, nor where there is no socket", async () => {
  const follow = async (ways) => {
    reset();
    const joining = new Signaling("/api/v1/signal").join(HELLO);
    const ended = assert.rejects(joining, { code: "elsewhere" });
    for (const way of ways) {
      await settle();
      FakeSocket.all.at(-1).answer({ ...ELSEWHERE, signaling_url: way, via: [] });
    }
    await ended;
    return FakeSocket.all.length;
  };
  assert.equal(await follow([socketOf("b"), socketOf("b")]), 2);
  assert.equal(await follow([socketOf("meet")]), 1);
  assert.equal(await follow(["b", "c", "d", "e", "f"].map(socketOf)), 5);
  assert.equal(await follow(["javascript:alert(1)"]), 1);
  assert.equal(await follow([7]), 1);
});
