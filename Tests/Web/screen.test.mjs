import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./client.mjs";
import { settle } from "./fakes.mjs";

const { Sharing, barredWords, captureScreen, explainRefusal } = await load("screen");
const { ServiceError } = await load("errors");

/** A screen that was chosen, with sound. */
class FakeStream {
  constructor() {
    this.all = ["video", "audio"].map((kind) => Object.assign(new EventTarget(), { kind, stopped: 0, stop() { this.stopped += 1; } }));
  }

  getTracks() {
    return this.all;
  }

  getVideoTracks() {
    return [this.all[0]];
  }

  end() {
    this.all[0].dispatchEvent(new Event("ended"));
  }

  get ended() {
    return this.all.every(({ stopped }) => stopped > 0);
  }
}

/** What the browser's user and the server say is up to the test. */
function make() {
  const made = { captures: [], asks: [], states: [], refusals: [], stops: 0 };
  const wait = (list) => () => new Promise((resolve, reject) => list.push({ resolve, reject }));
  made.sharing = new Sharing(wait(made.captures), wait(made.asks));
  made.sharing.addEventListener("change", () => made.states.push(made.sharing.state));
  made.sharing.addEventListener("refused", ({ detail }) => made.refusals.push(detail));
  made.sharing.addEventListener("stopped", () => (made.stops += 1));
  return made;
}

async function chosen() {
  const made = make();
  const stream = new FakeStream();
  made.sharing.start();
  made.captures[0].resolve(stream);
  await settle();
  return { ...made, stream, made };
}

async function shared() {
  const all = await chosen();
  all.asks[0].resolve();
  await settle();
  return all;
}

test("first the browser is asked, then the server, and then it is shared", async () => {
  const { sharing, states, stream } = await shared();
  assert.deepEqual(states, ["asking", "starting", "sharing"]);
  assert.deepEqual(sharing.tracks, { picture: stream.all[0], sound: stream.all[1] });
});

test("nothing is to be sent before the server has said yes", async () => {
  const { sharing } = await chosen();
  assert.deepEqual([sharing.on, sharing.tracks], [false, { picture: null, sound: null }]);
});

test("two clicks ask once", async () => {
  const { sharing, captures, asks } = await chosen();
  sharing.start();
  await settle();
  assert.deepEqual([captures.length, asks.length], [1, 1]);
});

test("who chooses nothing hears nothing; who may not is told", async () => {
  const cases = [
    [Object.assign(new Error("Permission denied"), { name: "NotAllowedError" }), 0],
    [Object.assign(new Error("Permission denied by system"), { name: "NotAllowedError" }), 1],
    [Object.assign(new Error("Could not start"), { name: "NotReadableError" }), 1],
  ];
  for (const [error, told] of cases) {
    const { sharing, captures, refusals, states } = make();
    sharing.start();
    captures[0].reject(error);
    await settle();
    assert.deepEqual([states, refusals.length], [["asking", "idle"], told], error.message);
  }
});

test("what the server refuses is stopped at once, and the next attempt is a new one", async () => {
  const { sharing, asks, captures, refusals, states, stream } = await chosen();
  asks[0].reject(new ServiceError({ status: 403, code: "screen_share_forbidden" }));
  await settle();
  assert.deepEqual([stream.ended, states.at(-1), refusals[0].code], [true, "idle", "screen_share_forbidden"]);
  sharing.start();
  assert.deepEqual([sharing.state, captures.length], ["asking", 2]);
});

test("ended while the server is asked: nothing is shared, whatever it says", async () => {
  for (const answer of ["resolve", "reject"]) {
    const { sharing, asks, states, refusals, stream } = await chosen();
    stream.end();
    sharing.start();
    assert.equal(sharing.state, "stopping");
    asks[0][answer](new ServiceError({ status: 409, code: "screen_share_taken" }));
    await settle();
    assert.deepEqual([states.slice(-2), refusals, stream.ended], [["stopping", "idle"], [], true], answer);
  }
});

test("the browser ends it, and its second end is nobody's", async () => {
  const { sharing, made, stream } = await shared();
  stream.end();
  stream.end();
  assert.deepEqual([sharing.state, made.stops, stream.ended], ["idle", 1, true]);
});

test("given up from outside it says nothing, wherever it was", async () => {
  for (const make of [chosen, shared]) {
    const { sharing, asks, made, stream } = await make();
    sharing.close();
    asks[0].resolve();
    await settle();
    assert.deepEqual([sharing.state, made.stops, made.refusals, stream.ended], ["idle", 0, [], true]);
  }
});

test("an end of the screen before is not that of this one", async () => {
  const { sharing, captures, asks, stream } = await shared();
  sharing.stop();
  sharing.start();
  const other = new FakeStream();
  captures[1].resolve(other);
  await settle();
  asks[1].resolve();
  await settle();
  stream.end();
  assert.deepEqual([sharing.on, other.ended], [true, false]);
});

test("given up while the browser asks: what is chosen then is not shared", async () => {
  const { sharing, captures, asks } = make();
  sharing.start();
  sharing.stop();
  sharing.start();
  const [old, fresh] = [new FakeStream(), new FakeStream()];
  captures[0].resolve(old);
  captures[1].resolve(fresh);
  await settle();
  assert.deepEqual([old.ended, fresh.ended, asks.length, sharing.state], [true, false, 1, "starting"]);
});

test("why nobody can share now is said in words", () => {
  const people = (...list) => ({ list: () => list });
  const forbidden = { settings: { allow_screen_share: false } };
  const breakout = { isNear: (id) => id !== "far" };
  const words = (fields) => barredWords({ controls: false, meeting: {}, participants: people(), breakout, ...fields });
  assert.equal(words({}), null);
  assert.match(words({ meeting: forbidden }), /^Only hosts/);
  assert.equal(words({ meeting: forbidden, controls: true }), null);
  assert.equal(words({ controls: true, participants: people({ display_name: "Ben", screen: true }) }), "Ben is sharing a screen");
  assert.equal(words({ participants: people({ participant_id: "far", display_name: "Ben", screen: true }) }), null);
  const refusals = ["screen_share_taken", "screen_share_forbidden", ""].map((code) => new ServiceError({ status: code ? 409 : 0, code }));
  assert.equal(new Set([...refusals, new Error("x")].map(explainRefusal)).size, 4);
});

test("a screen is asked for with few pictures, and to be read", async () => {
  const stream = new FakeStream();
  let asked;
  const getDisplayMedia = async (options) => {
    asked = options;
    return stream;
  };
  Object.defineProperty(globalThis, "navigator", { value: { mediaDevices: { getDisplayMedia } }, configurable: true });
  await captureScreen();
  assert.deepEqual(asked.video, { frameRate: { ideal: 15, max: 15 } });
  assert.equal(stream.all[0].contentHint, "detail");
});
