import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./client.mjs";

const { Hands } = await load("hands");

const sorted = (hands, text) => hands.sort(text.split(" ").map((id) => ({ id }))).map(({ id }) => id).join(" ");

test("raised hands come first, in the order in which they went up", () => {
  const hands = new Hands();
  assert.equal(hands.set("c", true), true);
  assert.equal(hands.set("a", true), true);
  assert.equal(hands.set("c", true), false, "told once");
  assert.equal(hands.set("b", false), false);
  assert.equal(sorted(hands, "a b c d"), "c a b d");
});

test("a hand that goes down and up again is the last one", () => {
  const hands = new Hands();
  for (const [id, up] of [["a", true], ["b", true], ["a", false]]) hands.set(id, up);
  assert.equal(sorted(hands, "a b"), "b a");
  assert.equal(hands.set("a", true), true);
  assert.equal(sorted(hands, "a b"), "b a");
});

test("who is not in the list is not put into it", () => {
  const hands = new Hands();
  hands.set("x", true);
  assert.equal(sorted(hands, "a b"), "a b");
  hands.clear();
  assert.equal(sorted(hands, "a x"), "a x");
});
