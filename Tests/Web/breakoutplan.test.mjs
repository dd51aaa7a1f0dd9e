import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./client.mjs";

const { BreakoutPlan } = await load("breakoutplan");
const { countdownWords, leftWords, movedWords, peopleWords, warningWords } = await load("breakoutwords");
const { namesWords } = await load("roomlist");

const guests = (...ids) => ids.map((id) => ({ id, name: id, controls: id === "host" }));
const rooms = (plan, ...ids) => ids.map((id) => plan.roomOf(id) ?? "-").join(" ");

function make(...ids) {
  const plan = new BreakoutPlan();
  plan.review(guests(...ids));
  return plan;
}

test("what is planned is what the server is asked for", () => {
  const plan = make("ada", "ben", "cy");
  assert.deepEqual(plan.wish, { rooms: [{ name: "Room 1" }, { name: "Room 2" }], evenly: false, choose: false, seconds: 0 });
  plan.rename(0, " Tea ");
  plan.assign("ada", 0);
  plan.assign("ben", 1);
  plan.assign("cy", 7);
  Object.assign(plan, { choose: true, minutes: "5" });
  assert.deepEqual(plan.wish, {
    rooms: [{ name: "Tea", participant_ids: ["ada"] }, { name: "Room 2", participant_ids: ["ben"] }],
    evenly: false, choose: true, seconds: 300,
  });
});

test("there are 1 to 50 rooms, and who was in one that goes is in none", () => {
  const plan = make("ada", "ben");
  for (const wrong of [0, 51, 1.5, Number.NaN, -1]) assert.equal(plan.resize(wrong), false);
  assert.equal(plan.resize(3), true);
  plan.assign("ada", 2);
  plan.assign("ben", 0);
  plan.rename(0, "Tea");
  assert.deepEqual([plan.resize(2), plan.names, rooms(plan, "ada", "ben")], [true, ["Tea", "Room 2"], "- 0"]);
  assert.deepEqual([plan.resize(50), plan.names.length, plan.names[49]], [true, 50, "Room 50"]);
});

test("people are spread evenly, hosts are not, and who comes later goes where the fewest are", () => {
  const plan = make("host", "a", "b", "c", "d", "e");
  plan.assign("host", 1);
  plan.spread();
  const sizes = [0, 1].map((room) => ["host", "a", "b", "c", "d", "e"].filter((id) => plan.roomOf(id) === room).length);
  assert.deepEqual([sizes, plan.roomOf("host")], [[3, 3], 1]);
  assert.equal(plan.wish.evenly, true);
  const other = make("host", "a");
  other.spread();
  assert.equal(rooms(other, "host", "a"), "- 0");
  plan.review(guests("host", "a", "b", "c", "d", "e", "f"));
  assert.notEqual(plan.roomOf("f"), null);
  plan.resize(1);
  assert.equal(rooms(plan, "a", "b", "c", "d", "e", "f"), "0 0 0 0 0 0");
});

test("one who is to stay in the main room stays there, whoever comes", () => {
  const plan = make("a", "b");
  plan.spread();
  plan.assign("a", null);
  plan.review(guests("a", "b", "c"));
  assert.deepEqual([rooms(plan, "a", "b", "c"), plan.wish.evenly], ["- 1 -", false]);
});

test("who has left is asked for in no room", () => {
  const plan = make("a", "b");
  plan.assign("a", 0);
  plan.review(guests("b"));
  assert.deepEqual(plan.wish.rooms, [{ name: "Room 1" }, { name: "Room 2" }]);
});

test("what is wrong is said before anything is asked", () => {
  const plan = make();
  assert.equal(plan.problem, "");
  plan.rename(1, "  ");
  assert.match(plan.problem, /needs a name/);
  plan.rename(1, "x".repeat(65));
  assert.match(plan.problem, /64 characters/);
  plan.rename(1, "😀".repeat(64));
  for (const wrong of ["0", "1441", "1.5", "?", "-3"]) {
    plan.minutes = wrong;
    assert.match(plan.problem, /1 to 1,440 minutes/, wrong);
  }
  for (const right of ["", "1", "1440"]) {
    plan.minutes = right;
    assert.equal(plan.problem, "", right);
  }
});

test("the time is told at 60, 30 and 10 seconds, once each", () => {
  const told = [];
  let before = 90_000;
  for (let left = 89_000; left >= -1_000; left -= 1_000) {
    const words = countdownWords(before, left);
    if (words) told.push(words.match(/\d+/)[0]);
    before = left;
  }
  assert.deepEqual(told, ["60", "30", "10"]);
  assert.match(countdownWords(null, 28_400), /29 seconds/);
  assert.equal(countdownWords(null, 90_000), "");
  assert.equal(countdownWords(null, 0), "");
});

test("the words for time, place and people", () => {
  assert.deepEqual([leftWords(null), leftWords(64_100), leftWords(-5)], ["", "1:05", "0:00"]);
  assert.deepEqual([warningWords(30_000), warningWords(0)], ["The breakout rooms close in 0:30", "The breakout rooms close now"]);
  assert.equal(movedWords({ id: "r1", name: "Room 1" }, false), "You are in Room 1");
  assert.equal(movedWords(null, false), "You are in the main room");
  assert.match(movedWords(null, true), /closed/);
  assert.deepEqual([0, 1, 2].map(peopleWords), ["nobody", "1 person", "2 people"]);
  assert.equal(namesWords(["Ana", "Ben"]), "2 people: Ana, Ben");
  assert.match(namesWords(Array.from({ length: 11 }, (_, place) => `p${place}`)), /p7 and 3 more$/);
});
