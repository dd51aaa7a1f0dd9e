import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./client.mjs";

const { Waiters } = await load("waiters");

const person = (id, name = id.toUpperCase()) => ({ participant_id: id, display_name: name });
const names = (waiters) => waiters.list().map(({ name }) => name).join(" ");

/** Waiters, and who was told to have come with each message. */
function make() {
  const waiters = new Waiters();
  const told = [];
  waiters.addEventListener("change", ({ detail }) => told.push(detail.join(" ")));
  return { waiters, told };
}

test("who comes is added, who goes is taken away, and only who is new has come", () => {
  const { waiters, told } = make();
  waiters.take({ arrived: [person("a"), person("b")], left: [] });
  waiters.take({ arrived: [person("b", "Ben"), person("c")], left: ["a"] });
  assert.deepEqual([names(waiters), waiters.size, told], ["Ben C", 2, ["a b", "c"]]);
  assert.deepEqual([waiters.nameOf("b"), waiters.nameOf("a")], ["Ben", undefined]);
});

test("a whole list replaces what was known, and tells of those alone who were not", () => {
  const { waiters, told } = make();
  waiters.take({ whole: true, arrived: [person("a"), person("b")], left: [] });
  waiters.take({ whole: true, arrived: [person("b"), person("c")], left: [] });
  assert.deepEqual([names(waiters), told], ["B C", ["a b", "c"]]);
  waiters.take({ whole: true, arrived: [], left: [] });
  assert.equal(waiters.size, 0);
});

test("who has come and gone at once has not come", () => {
  const { waiters, told } = make();
  waiters.take({ arrived: [person("a"), person("b")], left: ["a"] });
  assert.deepEqual([names(waiters), told], ["B", ["b"]]);
});

test("those who are let in are gone once, and a list that is not told any more is empty", () => {
  const { waiters, told } = make();
  waiters.take({ arrived: [person("a"), person("b")] });
  waiters.remove("a");
  waiters.remove("a");
  assert.deepEqual([names(waiters), told.length], ["B", 2]);
  waiters.clear();
  assert.deepEqual([waiters.size, told.at(-1)], [0, ""]);
});

test("those who wait longest are the first, and no more of them than asked for", () => {
  const { waiters } = make();
  waiters.take({ arrived: Array.from({ length: 250 }, (_, place) => person(`p${place}`)) });
  assert.deepEqual([waiters.size, waiters.list(100).length, waiters.list(100).at(-1).id], [250, 100, "p99"]);
});

test("what is no list and no person is passed over, and who has no name is a guest", () => {
  const { waiters } = make();
  waiters.take({ arrived: "all", left: 7 });
  waiters.take({ arrived: [null, 7, {}, person(""), { participant_id: 7 }, { participant_id: "a", display_name: " " }] });
  assert.deepEqual(waiters.list(), [{ id: "a", name: "Guest" }]);
});
