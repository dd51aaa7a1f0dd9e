import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { FakeSocket, pass, reset, settle } from "./fakes.mjs";

const { Entrance, LEFT } = await load("entrance");
const { Signaling } = await load("signaling");

const ANA = { meeting: "123-456-789", displayName: "Ana", password: "tea" };
const HELLO = { type: "join", meeting: "123-456-789", display_name: "Ana", password: "tea", offer: "sdp" };
const BY_TOKEN = { type: "join", session_token: "first", offer: "sdp" };
const WAITING = { type: "waiting", participant_id: "p1", session_token: "first", meeting: { meeting_id: "m", topic: "Tea" } };
const JOINED = { type: "joined", you: {}, resume: "secret", session_token: "token" };

/** On the way in, with what is told of it. */
async function begin(who = ANA) {
  const signaling = new Signaling("/api/v1/signal");
  const entrance = new Entrance(signaling, who, async () => ({ offer: "sdp" }));
  const told = [];
  entrance.addEventListener("waiting", ({ detail }) => told.push(`${detail.meeting.topic}${detail.away ? ", away" : ""}`));
  const made = { signaling, entrance, told, joined: null, error: null };
  entrance.enter().then((joined) => (made.joined = joined), (error) => (made.error = error));
  await settle();
  return made;
}

/** In the waiting room. */
async function waiting() {
  const made = await begin();
  const [socket] = FakeSocket.all;
  socket.answer(WAITING);
  await settle();
  return Object.assign(made, { socket });
}

/** What a socket was asked, without the ids. */
const asked = ({ sent }) => sent.map(({ id, ...fields }) => fields);

beforeEach(reset);

test("where there is no waiting room we are in at once", async () => {
  const made = await begin();
  assert.deepEqual(asked(FakeSocket.all[0]), [HELLO]);
  FakeSocket.all[0].answer(JOINED);
  await settle();
  assert.deepEqual([made.joined?.resume, made.told], ["secret", []]);
});

test("a host's key goes in the place of a password", async () => {
  await begin({ ...ANA, hostKey: "k3y" });
  const { password, host_key: key } = FakeSocket.all[0].sent[0];
  assert.deepEqual([password, key], [undefined, "k3y"]);
});

test("who waits stays on the socket, says nothing but pings, and is told once", async () => {
  const { socket, told, joined, error } = await waiting();
  for (let turn = 0; turn < 60; turn += 1) {
    await pass(1_000);
    const { type, id } = socket.sent.at(-1);
    if (type === "ping") socket.say({ type: "pong", id });
  }
  assert.deepEqual([told, joined, error, FakeSocket.all.length, socket.readyState], [["Tea"], null, null, 1, 1]);
  assert.deepEqual([...new Set(asked(socket).slice(1).map(({ type }) => type))], ["ping"]);
});

test("who is let in joins by the same socket and the token, and comes back by itself from then on", async () => {
  const again = await waiting();
  again.socket.say({ type: "admitted" });
  await settle();
  assert.deepEqual(asked(again.socket).at(-1), BY_TOKEN);
  again.socket.answer(JOINED);
  await settle();
  assert.deepEqual([again.joined?.resume, FakeSocket.all.length], ["secret", 1]);
  again.socket.drop();
  await pass(100);
  const { session_token: token, resume } = FakeSocket.all[1].sent[0];
  assert.deepEqual([token, resume], ["token", "secret"]);
});

test("who is denied does not come back", async () => {
  const made = await waiting();
  made.socket.say({ type: "denied" });
  made.socket.drop();
  await settle();
  assert.deepEqual([made.error?.code, made.error?.status, made.joined], ["denied", 403, null]);
  await pass(20_000);
  assert.equal(FakeSocket.all.length, 1);
});

test("who is denied while asking again does not come back either", async () => {
  const made = await waiting();
  made.socket.say({ type: "admitted" });
  await settle();
  made.socket.say({ type: "denied" });
  made.socket.drop();
  await pass(20_000);
  assert.equal(made.error?.code, "denied");
  assert.deepEqual(FakeSocket.all.slice(1).flatMap(({ sent }) => sent), []);
});

for (const [reason, code] of [["ended", "meeting_ended"], ["shutdown", "draining"]]) {
  test(`a meeting may end before anybody let us in: ${reason}`, async () => {
    const made = await waiting();
    made.socket.say({ type: "meeting_ended", reason });
    made.socket.drop();
    await pass(20_000);
    assert.deepEqual([made.error?.code, FakeSocket.all.length], [code, 1]);
  });
}

test("who gives up says so and is gone", async () => {
  const made = await waiting();
  made.signaling.leave();
  made.entrance.leave();
  await pass(20_000);
  assert.equal(made.error?.code, LEFT);
  assert.deepEqual([made.socket.sent.at(-1).type, made.socket.readyState, FakeSocket.all.length], ["leave", 3, 1]);
});

test("a socket that is lost while we wait is replaced, and our place is kept", async () => {
  const made = await waiting();
  FakeSocket.reachable = false;
  made.socket.drop();
  assert.equal(made.told.at(-1), "Tea, away");
  await pass(4_000);
  FakeSocket.reachable = true;
  await pass(10_000);
  const another = FakeSocket.all.at(-1);
  assert.deepEqual(asked(another), [BY_TOKEN]);
  another.answer({ ...WAITING, session_token: "second" });
  await settle();
  assert.deepEqual([made.told.at(-1), made.error], ["Tea", null]);
  another.say({ type: "admitted" });
  await settle();
  assert.equal(another.sent.at(-1).session_token, "second");
  another.answer(JOINED);
  await settle();
  assert.equal(made.joined?.resume, "secret");
});

test("who was let in while the socket was lost is in", async () => {
  const made = await waiting();
  made.socket.drop();
  await settle();
  FakeSocket.all[1].answer(JOINED);
  await settle();
  assert.equal(made.joined?.resume, "secret");
});

test("a socket that does not answer any more is lost too", async () => {
  const made = await waiting();
  await pass(12_000);
  assert.equal(made.socket.readyState, 3);
  assert.deepEqual(asked(FakeSocket.all[1]), [BY_TOKEN]);
});

for (const code of ["participant_not_found", "token_expired"]) {
  test(`who has no place any more asks as at first: ${code}`, async () => {
    const made = await waiting();
    made.socket.drop();
    await settle();
    const another = FakeSocket.all[1];
    another.answer({ type: "error", status: 404, code });
    await settle();
    assert.deepEqual(asked(another), [BY_TOKEN, HELLO]);
    another.answer({ ...WAITING, session_token: "second" });
    await settle();
    another.say({ type: "admitted" });
    await settle();
    assert.equal(another.sent.at(-1).session_token, "second");
  });
}

test("a server that is busy when we are let in is asked again, with the same place", async () => {
  const made = await waiting();
  made.socket.say({ type: "admitted" });
  await settle();
  made.socket.answer({ type: "error", status: 429, code: "too_many_requests", retry_after_s: 2 });
  await pass(1_900);
  assert.equal(made.socket.sent.filter(({ type }) => type === "join").length, 2);
  await pass(1_200);
  assert.deepEqual(asked(made.socket).filter(({ type }) => type === "join"), [HELLO, BY_TOKEN, BY_TOKEN]);
});

test("a meeting that is full when we are let in is told, and the next try is by another socket", async () => {
  const made = await waiting();
  made.socket.say({ type: "admitted" });
  await settle();
  made.socket.answer({ type: "error", status: 503, code: "meeting_full" });
  await settle();
  assert.equal(made.error?.code, "meeting_full");
  assert.deepEqual([made.socket.sent.at(-1).type, made.socket.readyState], ["leave", 3]);
  made.signaling.join(HELLO);
  await settle();
  assert.equal(FakeSocket.all[1].sent.length, 1);
});

test("patience ends where nothing answers", async () => {
  const made = await waiting();
  FakeSocket.reachable = false;
  made.socket.drop();
  await pass(150_000);
  assert.equal(made.error, null);
  const attempts = FakeSocket.all.length;
  assert.ok(attempts < 30, `${attempts} sockets`);
  await pass(60_000);
  assert.equal(made.error?.status, 0);
});
