import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { pass, reset, settle } from "./fakes.mjs";

/** The page's window: tells that the network is back. */
const page = new EventTarget();
globalThis.addEventListener = page.addEventListener.bind(page);
globalThis.removeEventListener = page.removeEventListener.bind(page);

const { Recovery } = await load("recovery");

class FakeMedia extends EventTarget {
  connected = true;
  bytes = 0;
  /** In each look at it. */
  rate = 100;
  restarts = 0;
  answers = [];
  /** Whether a restart brings media back. */
  heals = true;

  async received() {
    this.bytes += this.rate;
    return new Map([["pair", this.bytes]]);
  }

  async restart() {
    this.restarts += 1;
    return `offer ${this.restarts}`;
  }

  async restarted(answer) {
    this.answers.push(answer);
    if (!this.heals) return;
    this.rate = 100;
    this.become("connected");
  }

  become(state) {
    this.connected = state === "connected";
    this.dispatchEvent(new CustomEvent("state", { detail: state }));
  }
}

class FakeSignaling {
  verified = 0;
  asked = [];
  error = null;
  replaced = false;
  /** Of a socket that has to come back first. */
  back = Promise.resolve();

  async verify() {
    this.verified += 1;
    await this.back;
    return this.replaced;
  }

  async request(type, fields) {
    this.asked.push([type, fields.sdp]);
    if (this.error) throw this.error;
    return { type: "answer", sdp: `answer to ${fields.sdp}` };
  }
}

async function connected() {
  const media = new FakeMedia();
  const signaling = new FakeSignaling();
  const recovery = new Recovery(media, signaling);
  const told = [];
  recovery.addEventListener("state", ({ detail }) => told.push(detail));
  media.become("connecting");
  media.become("connected");
  await pass(3_000);
  assert.deepEqual(told, ["connecting", "connected"]);
  told.length = 0;
  return { media, signaling, recovery, told };
}

function fall(media) {
  Object.assign(media, { rate: 0, heals: false });
}

beforeEach(reset);

test("media that stop are restarted by themselves, before a browser would say a word", async () => {
  const { media, signaling, told } = await connected();
  media.rate = 0;
  await pass(1_800);
  assert.deepEqual(signaling.asked, [["ice_restart", "offer 1"]]);
  assert.deepEqual(media.answers, ["answer to offer 1"]);
  await pass(500);
  assert.deepEqual(told, ["interrupted", "connected"]);
  await pass(10_000);
  assert.equal(media.restarts, 1);
});

test("the socket comes back first", async () => {
  const { media, signaling } = await connected();
  let comeBack;
  signaling.back = new Promise((resolve) => (comeBack = resolve));
  media.rate = 0;
  await pass(3_000);
  assert.deepEqual([signaling.verified > 0, signaling.asked.length], [true, 0]);
  comeBack();
  await settle();
  assert.deepEqual(signaling.asked, [["ice_restart", "offer 1"]]);
});

test("where the socket falls as well, nobody waits for more signs, and one restart is enough", async () => {
  const { media, signaling } = await connected();
  signaling.replaced = true;
  Object.assign(media, { rate: 0, heals: false });
  await pass(1_100);
  assert.equal(media.restarts, 1);
  await pass(900);
  media.rate = 100;
  await pass(5_000);
  assert.equal(media.restarts, 1);
});

test("the network that is back is reason enough", async () => {
  const { media, told } = await connected();
  page.dispatchEvent(new Event("online"));
  await pass(100);
  assert.deepEqual([media.restarts, media.answers.length, told], [1, 1, []]);
});

test("a short disconnection heals by itself, a longer one is restarted, a failed connection at once", async () => {
  const { media, told } = await connected();
  media.become("interrupted");
  await pass(1_500);
  media.become("connected");
  await pass(5_000);
  assert.deepEqual([media.restarts, told], [0, ["interrupted", "connected"]]);
  media.become("interrupted");
  await pass(2_600);
  assert.equal(media.restarts, 1);
  media.become("failed");
  await pass(100);
  assert.equal(media.restarts, 2);
  assert.equal(told.includes("failed"), false);
});

test("it tries less and less often, says trouble after twenty seconds, and comes back even then", async () => {
  const { media, told } = await connected();
  fall(media);
  media.connected = false;
  await pass(15_000);
  assert.deepEqual(told, ["interrupted"]);
  assert.ok(media.restarts >= 3 && media.restarts <= 6, `${media.restarts} restarts`);
  await pass(15_000);
  assert.deepEqual(told, ["interrupted", "failed"]);
  assert.ok(media.restarts <= 8, `${media.restarts} restarts`);
  media.heals = true;
  page.dispatchEvent(new Event("online"));
  await pass(4_000);
  assert.equal(told.at(-1), "connected");
});

test("where the server has no session any more a person is told at once", async () => {
  const { media, signaling, told } = await connected();
  signaling.error = Object.assign(new Error("gone"), { code: "no_session", status: 409 });
  fall(media);
  await pass(2_500);
  assert.deepEqual([told.at(-1), signaling.asked.length], ["failed", 1]);
});

test("a connection that never was is not restarted: it failed", async () => {
  const media = new FakeMedia();
  const recovery = new Recovery(media, new FakeSignaling());
  const told = [];
  recovery.addEventListener("state", ({ detail }) => told.push(detail));
  media.become("connecting");
  media.become("failed");
  page.dispatchEvent(new Event("online"));
  await pass(5_000);
  assert.deepEqual([told, media.restarts], [["connecting", "failed"], 0]);
});

test("after the call it does nothing more", async () => {
  const { media, recovery, told } = await connected();
  fall(media);
  await pass(1_800);
  const restarts = media.restarts;
  recovery.close();
  page.dispatchEvent(new Event("online"));
  await pass(20_000);
  assert.deepEqual([media.restarts, told], [restarts, ["interrupted"]]);
});
