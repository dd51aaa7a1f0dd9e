import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { pass, reset, settle } from "./fakes.mjs";

const { ServiceError } = await load("errors");
const { PATIENCE_MS, waitOf, whenThereIsPlace } = await load("patience");

const refusal = (code, retryAfter, status = 429) => new ServiceError({ status, code, retryAfter });

beforeEach(reset);

/** Fails so many times, then answers "in". */
function attempts(...errors) {
  const times = [];
  const attempt = async () => {
    times.push(performance.now());
    if (errors.length) throw errors.shift();
    return "in";
  };
  return { attempt, times };
}

test("who is told when comes again then, by itself", async () => {
  const { attempt, times } = attempts(refusal("too_many_requests", 3), refusal("busy", 2, 503));
  const waits = [];
  const coming = whenThereIsPlace(attempt, (seconds, { code }) => waits.push([seconds, code]));
  await settle();
  assert.deepEqual(waits, [[3, "too_many_requests"]]);
  await pass(6_500);
  assert.equal(await coming, "in");
  const [first, second, third] = times;
  assert.ok(second - first >= 3_000 && second - first <= 3_600);
  assert.ok(third - second >= 2_000 && third - second <= 2_600);
  assert.deepEqual(waits.map(([seconds]) => seconds), [3, 2, 1, 2, 1]);
});

test("what waiting does not mend is told at once", async () => {
  const others = [
    refusal("wrong_password", 0, 403), refusal("meeting_full", 0, 503), refusal("draining", 5, 503),
    refusal("too_many_requests", 0), new TypeError("x"),
  ];
  for (const error of others) {
    assert.equal(waitOf(error), 0);
    const { attempt, times } = attempts(error);
    await assert.rejects(whenThereIsPlace(attempt, () => assert.fail()), error);
    assert.equal(times.length, 1);
  }
});

test("patience ends", async () => {
  const tries = Array.from({ length: 100 }, () => refusal("too_many_requests", 50));
  const { attempt, times } = attempts(...tries);
  const coming = assert.rejects(whenThereIsPlace(attempt, () => {}), { code: "too_many_requests" });
  await settle();
  await pass(PATIENCE_MS);
  await coming;
  assert.equal(times.length, 4);
});
