import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { lay } from "./elements.mjs";

const { ReactionLines, chooseLines } = await load("reactionlines");

const people = (ids) => [...ids].map((id) => ({ id, name: id.toUpperCase(), text: "👍" }));
const chosen = (kept, ids) => chooseLines([...kept], people(ids)).map(({ id }) => id).join("");
const lines = () => document.getElementById("reaction-lines").children.map((line) => line.textContent);

beforeEach(() => lay());

test("three at most have a line, and where there are more one says how many", () => {
  assert.deepEqual(["", "a", "abc"].map((ids) => chosen("", ids)), ["", "a", "abc"]);
  assert.equal(chosen("", "abcd"), "cd");
  const view = new ReactionLines();
  view.render(people("abc"));
  assert.deepEqual(lines(), ["A👍", "B👍", "C👍"]);
  view.render(people(Array.from({ length: 1_000 }, (_, place) => `p${place}`)));
  assert.deepEqual(lines(), ["P998👍", "P999👍", "and 998 more"]);
  view.clear();
  assert.deepEqual(lines(), []);
});

test("a line stays until its reaction ends, also where many react behind it", () => {
  assert.equal(chosen("ab", "abcdefgh"), "ab");
  assert.equal(chosen("ab", "bcdefgh"), "bh", "the newest has the place that is free");
  assert.equal(chosen("ab", "cabd"), "ab", "one who reacts again keeps it");
  assert.equal(chosen("abc", "abcd"), "ab");
  assert.equal(chosen("abc", "bc"), "bc");
});

test("what is as before is not drawn again", () => {
  const view = new ReactionLines();
  view.render(people("ab"));
  const [first] = document.getElementById("reaction-lines").children;
  view.render(people("ab"));
  assert.equal(document.getElementById("reaction-lines").children[0], first);
  view.render([{ id: "a", name: "A", text: "🎉" }]);
  assert.deepEqual(lines(), ["A🎉"]);
});
