import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { pass, reset } from "./fakes.mjs";

const { Tally } = await load("tally");

function make() {
  const told = [];
  const tally = new Tally((words) => told.push(words));
  return { tally, told };
}

beforeEach(reset);

test("one who reacts is told by name, with the spoken name of the emoji", async () => {
  const { tally, told } = make();
  tally.add("a", "Ada", "👍");
  await pass(1_900);
  assert.deepEqual(told, []);
  await pass(200);
  assert.deepEqual(told, ["Ada reacted with thumbs up"]);
  await pass(10_000);
  tally.add("b", "Ben", "🦄");
  await pass(2_000);
  assert.equal(told.at(-1), "Ben reacted with 🦄");
});

test("many within two seconds are told as a number", async () => {
  const { tally, told } = make();
  for (const id of "abcdefg") {
    tally.add(id, id, "🎉");
    await pass(200);
  }
  await pass(1_000);
  assert.deepEqual(told, ["7 people reacted"]);
});

test("one who reacts again and again is one, and the last one is told", async () => {
  const { tally, told } = make();
  for (const text of ["👍", "❤️", "😮"]) tally.add("a", "Ada", text);
  await pass(2_000);
  assert.deepEqual(told, ["Ada reacted with surprised"]);
});

test("however many react, it rests between its words, and the last are told too", async () => {
  const { tally, told } = make();
  for (let each = 0; each < 600; each += 1) {
    for (const id of ["x", `p${each}`]) tally.add(id, id, "👏");
    await pass(100);
  }
  assert.ok(told.length <= 16, `${told.length} in a minute`);
  const before = told.length;
  await pass(10_000);
  assert.equal(told.length, before + 1);
  assert.match(told.at(-1), /^\d+ people reacted$/);
  await pass(60_000);
  assert.equal(told.length, before + 1, "nobody has reacted since");
});

test("after the meeting nothing of it is told", async () => {
  const { tally, told } = make();
  tally.add("a", "Ada", "👍");
  tally.clear();
  await pass(1_000);
  tally.add("b", "Ben", "👍");
  await pass(1_500);
  assert.deepEqual(told, [], "the next meeting has its own two seconds");
  await pass(500);
  assert.deepEqual(told, ["Ben reacted with thumbs up"]);
});
