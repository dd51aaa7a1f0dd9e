import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { pass, reset } from "./fakes.mjs";

const { PathWatch } = await load("path");

/** A path over which `rate` bytes come in each 100 ms. */
function make() {
  const path = { pairs: new Map([["a", 0]]), rate: 0, events: [] };
  const watch = new PathWatch(async () => new Map(path.pairs));
  for (const type of ["pause", "silent", "flowing"]) watch.addEventListener(type, () => path.events.push(type));
  path.pass = async (ms, pair = "a") => {
    for (let left = ms; left > 0; left -= 100) {
      if (path.rate) path.pairs.set(pair, (path.pairs.get(pair) ?? 0) + path.rate);
      await pass(100);
    }
  };
  path.watch = watch;
  return path;
}

beforeEach(reset);

test("what stops all at once is noticed within one and a half seconds, and what comes again at once", async () => {
  const path = make();
  path.rate = 1_000;
  await path.pass(4_000);
  path.rate = 0;
  await path.pass(700);
  assert.deepEqual(path.events, []);
  await path.pass(300);
  assert.deepEqual(path.events, ["pause"]);
  await path.pass(500);
  assert.deepEqual([path.events, path.watch.silent], [["pause", "silent"], true]);
  path.rate = 1_000;
  await path.pass(300, "b");
  assert.deepEqual([path.events.at(-1), path.watch.silent], ["flowing", false]);
});

test("a pair that is gone, or comes without a byte, is nothing heard", async () => {
  const path = make();
  path.rate = 1_000;
  await path.pass(4_000);
  path.rate = 0;
  await path.pass(1_600);
  path.pairs = new Map([["b", 0]]);
  await path.pass(1_000);
  assert.equal(path.watch.silent, true);
});

test("reports alone, once a second, are no path that could fall silent", async () => {
  const path = make();
  for (let second = 0; second < 5; second += 1) {
    path.rate = 100;
    await path.pass(100);
    path.rate = 0;
    await path.pass(900);
  }
  await path.pass(5_000);
  assert.deepEqual(path.events, []);
});

test("who stops talking leaves the reports, and they are enough", async () => {
  const path = make();
  path.rate = 1_000;
  await path.pass(4_000);
  for (let second = 0; second < 5; second += 1) {
    path.rate = 0;
    await path.pass(900);
    path.rate = 100;
    await path.pass(100);
  }
  assert.equal(path.events.includes("silent"), false);
});

test("a browser that does not tell is not asked to restart anything", async () => {
  const path = make();
  path.pairs = new Map();
  await path.pass(5_000);
  assert.deepEqual(path.events, []);
});

test("after its end it asks no more", async () => {
  const path = make();
  path.rate = 1_000;
  await path.pass(4_000);
  path.watch.close();
  path.rate = 0;
  await path.pass(4_000);
  assert.deepEqual(path.events, []);
});
