import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { pass, reset } from "./fakes.mjs";

const { Throttle } = await load("throttle");

beforeEach(reset);

test("reasons that come without a pause are acted on in time, and the last one too", async () => {
  let told = 0;
  const throttle = new Throttle(300, () => (told += 1));
  for (let reason = 0; reason < 24; reason += 1) {
    throttle.call();
    await pass(100);
  }
  assert.equal(told, 8);
  throttle.call();
  await pass(300);
  assert.equal(told, 9);
});

test("what was cancelled is not acted on, and what comes behind it is", async () => {
  let told = 0;
  const throttle = new Throttle(300, () => (told += 1));
  throttle.call();
  throttle.cancel();
  await pass(1_000);
  assert.equal(told, 0);
  throttle.call();
  await pass(300);
  assert.equal(told, 1);
});
