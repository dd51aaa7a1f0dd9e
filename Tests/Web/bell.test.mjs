import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { pass, reset } from "./fakes.mjs";

const { Bell, waitWords } = await load("bell");
const { Waiters } = await load("waiters");

const come = (waiters, ...names) =>
  waiters.take({ arrived: names.map((name) => ({ participant_id: name, display_name: name })) });

function make(...names) {
  const waiters = new Waiters();
  come(waiters, ...names);
  const rung = [];
  const bell = new Bell(waiters, (words) => rung.push(words));
  return { waiters, bell, rung };
}

beforeEach(reset);

test("one who comes is told by name, those who come together as a number", async () => {
  const { waiters, rung } = make();
  come(waiters, "Ada");
  await pass(1_000);
  assert.deepEqual(rung, ["Ada is waiting to be let in"]);
  await pass(20_000);
  come(waiters, "Ben");
  await pass(1_000);
  come(waiters, "Cy", "Dee");
  await pass(20_000);
  assert.deepEqual(rung.slice(1), ["Ben is waiting too: 2 in all", "4 people are waiting to be let in"]);
});

test("however many come, it rests between its words", async () => {
  const { waiters, rung } = make();
  for (let each = 0; each < 600; each += 1) {
    come(waiters, `p${each}`);
    await pass(100);
  }
  assert.ok(rung.length <= 7, `${rung.length} in a minute`);
  await pass(20_000);
  assert.equal(rung.at(-1), "600 people are waiting to be let in");
  const told = rung.length;
  await pass(60_000);
  assert.equal(rung.length, told, "nobody has come since");
});

test("who waits already when a host comes in is told", async () => {
  const { rung } = make("Ada", "Ben");
  await pass(1_000);
  assert.deepEqual(rung, ["2 people are waiting to be let in"]);
});

test("who was let in or has gone is no news", async () => {
  const { waiters, rung } = make();
  come(waiters, "Ada");
  waiters.remove("Ada");
  await pass(1_000);
  come(waiters, "Ben", "Cy");
  waiters.take({ left: ["Cy"] });
  await pass(1_000);
  assert.deepEqual(rung, ["Ben is waiting to be let in"]);
});

test("a list that is told again is no news", async () => {
  const { waiters, rung } = make("Ada");
  await pass(20_000);
  waiters.take({ whole: true, arrived: [{ participant_id: "Ada", display_name: "Ada" }], left: [] });
  await pass(20_000);
  assert.equal(rung.length, 1);
});

test("after the meeting it is silent", async () => {
  const { waiters, bell, rung } = make("Ada");
  bell.close();
  come(waiters, "Ben");
  await pass(20_000);
  assert.deepEqual(rung, []);
});

test("what stays in view says who, or how many", () => {
  const { waiters } = make("Ada");
  assert.equal(waitWords(waiters), "Ada is waiting to be let in");
  come(waiters, "Ben");
  assert.equal(waitWords(waiters), "2 people are waiting to be let in");
});
