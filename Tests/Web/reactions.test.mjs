import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { pass, reset } from "./fakes.mjs";

const { Reactions } = await load("reactions");

/** Reactions of a meeting with these people, and how often they were drawn. */
function make(...people) {
  const made = { drawn: 0 };
  const here = new Set(people);
  made.reactions = new Reactions((id) => here.has(id), () => (made.drawn += 1));
  made.say = (id, text) => made.reactions.take({ type: "reaction", participant_id: id, text });
  made.shown = () => made.reactions.list().map(({ id, text }) => id + text).join(" ");
  return made;
}

beforeEach(reset);

test("a reaction is shown for five seconds", async () => {
  const made = make("a", "b");
  assert.equal(made.say("a", "👍"), true);
  assert.deepEqual([made.reactions.of("a"), made.reactions.of("b")], ["👍", ""]);
  await pass(4_900);
  assert.deepEqual([made.shown(), made.drawn], ["a👍", 1]);
  await pass(300);
  assert.deepEqual([made.shown(), made.drawn], ["", 2]);
});

test("a later one replaces it, and is shown for as long", async () => {
  const made = make("a", "b");
  made.say("a", "👍");
  await pass(1_000);
  made.say("b", "😂");
  await pass(2_000);
  made.say("a", "🎉");
  assert.equal(made.shown(), "b😂 a🎉");
  await pass(3_100);
  assert.equal(made.shown(), "a🎉", "each ends at its own time");
  await pass(1_800);
  assert.equal(made.reactions.of("a"), "🎉");
  await pass(300);
  assert.equal(made.shown(), "");
});

test("of nobody who is not here, and of nothing that is no emoji, anything is kept", () => {
  const made = make("a");
  for (const id of ["x", "", undefined, null, 7, ["a"]]) assert.equal(made.say(id, "👍"), false);
  for (const text of ["", " ", "\n", undefined, null, 7, {}, "👍".repeat(9), "x".repeat(33), "é".repeat(17)]) {
    assert.equal(made.say("a", text), false, String(text));
  }
  assert.equal(made.shown(), "");
});

test("an emoji of many parts is one, up to 32 bytes", () => {
  const made = make("a");
  for (const text of ["👨‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "👍".repeat(8)]) {
    assert.equal(made.say("a", text), true);
    assert.equal(made.reactions.of("a"), text);
  }
});

test("a thousand who react at once are kept once each, and drawn ten times a second at most", async () => {
  const people = Array.from({ length: 1_000 }, (_, place) => `p${place}`);
  const made = make(...people);
  for (let each = 0; each < 20; each += 1) {
    for (const id of people) made.say(id, each % 2 ? "👍" : "❤️");
    await pass(100);
  }
  assert.equal(made.reactions.list().length, 1_000);
  assert.ok(made.drawn >= 10 && made.drawn <= 20, `${made.drawn} in two seconds`);
  await pass(5_200);
  assert.equal(made.shown(), "");
  assert.ok(made.drawn <= 22, `${made.drawn} drawn`);
});

test("those that end one after the other are drawn ten times a second at most", async () => {
  const people = Array.from({ length: 200 }, (_, place) => `p${place}`);
  const made = make(...people);
  for (const [place, id] of people.entries()) {
    made.say(id, "👍");
    if (place % 10 === 9) await pass(100);
  }
  await pass(2_900);
  made.drawn = 0;
  await pass(2_400);
  assert.equal(made.shown(), "");
  assert.ok(made.drawn <= 24, `${made.drawn} in 2.4 seconds`);
});

test("who leaves takes it along, and after the meeting nothing is left or drawn", async () => {
  const made = make("a", "b");
  made.say("a", "👍");
  made.say("b", "👍");
  made.reactions.remove("a");
  made.reactions.remove("a");
  assert.equal(made.shown(), "b👍");
  made.reactions.clear();
  await pass(10_000);
  assert.deepEqual([made.shown(), made.drawn], ["", 0]);
  made.say("a", "👍");
  await pass(5_200);
  assert.equal(made.shown(), "", "it ends in the next meeting too");
});
