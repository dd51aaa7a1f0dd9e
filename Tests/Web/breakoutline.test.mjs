import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { lay } from "./elements.mjs";
import { pass, reset } from "./fakes.mjs";

const { Breakout } = await load("breakout");
const { BreakoutLine } = await load("breakoutline");
const { Participants } = await load("participants");

const byId = (id) => document.getElementById(id);
const heard = () => byId("announcer").children.map((line) => line.textContent);
const titles = () => byId("notices").children.map((card) => card.querySelector("strong").textContent);
const NOON = Date.UTC(2026, 10, 30, 12);
const ROOMS = [{ room_id: "r1", name: "Room 1" }, { room_id: "r2", name: "Room 2" }];

/** What it says at the socket, to us who are "me", with Ada, a host. */
function make({ controls = false, room = null } = {}) {
  const call = new EventTarget();
  call.participants = new Participants();
  call.participants.add({ participant_id: "ada", display_name: "Ada", role: "host" });
  call.you = { participant_id: "me" };
  call.controls = controls;
  call.breakout = new Breakout(call.participants, () => "me");
  let hear;
  call.breakout.follow((type, act) => (hear = type === "breakout_message" ? act : hear));
  if (room) call.breakout.enter({ you: { participant_id: "me", room_id: room }, breakout: { rooms: ROOMS } });
  const began = performance.now();
  let stops = 0;
  const line = new BreakoutLine({ onStop: () => (stops += 1) }, () => NOON + performance.now() - began);
  line.open(call);
  const go = (to) => call.breakout.move([{ participant_id: "me", room_id: to }]);
  return { call, line, go, hear, stops: () => stops, take: (more) => call.breakout.take({ rooms: ROOMS, ...more }) };
}

beforeEach(() => {
  reset();
  lay({ "breakout-line": ["breakout-place", "breakout-time", "breakout-show", "breakout-return"], "breakout-time": ["breakout-left"] });
});

test("who is moved is told so once, and reads where they are", () => {
  const { take, go } = make();
  assert.equal(byId("breakout-line").hidden, true);
  take();
  assert.deepEqual([byId("breakout-line").hidden, heard()], [true, []]);
  go("r1");
  take();
  assert.deepEqual([heard(), byId("breakout-place").textContent], [["You are in Room 1"], "Room 1"]);
  assert.deepEqual(["line", "time", "show", "return"].map((id) => byId(`breakout-${id}`).hidden), [false, true, true, true]);
  take({ rooms: [] });
  assert.deepEqual(heard().slice(1), ["The breakout rooms are closed. You are in the main room."]);
  assert.equal(byId("breakout-line").hidden, true);
});

test("who comes back to a room is told where, and one who stays there is not", () => {
  const { call } = make({ room: "r2" });
  assert.deepEqual(heard(), ["You are in Room 2"]);
  call.breakout.enter({ you: { participant_id: "me", room_id: "r2" }, breakout: { rooms: ROOMS } });
  assert.equal(heard().length, 1);
});

test("where people choose, and for hosts, the way to the rooms and back is there", () => {
  const { take, go } = make();
  take({ choose: true });
  assert.deepEqual(["line", "show", "return"].map((id) => byId(`breakout-${id}`).hidden), [false, false, true]);
  assert.deepEqual([byId("breakout-place").textContent, heard()], ["Main room", ["The breakout rooms are open: you may choose one"]]);
  go("r1");
  assert.equal(byId("breakout-return").hidden, false);
  byId("breakout-return").focus();
  take();
  assert.deepEqual([byId("breakout-return").hidden, document.activeElement], [true, byId("topic-title")]);
});

test("the time runs, and in the last minute a warning counts down and is told", async () => {
  const { take, go } = make();
  take({ closes_at: new Date(NOON + 65_000).toISOString() });
  go("r1");
  assert.deepEqual([byId("breakout-left").textContent, byId("breakout-time").hidden, titles()], ["1:05", false, []]);
  await pass(6_000);
  assert.deepEqual([byId("breakout-left").textContent, titles()], ["0:59", ["The breakout rooms close in 0:59"]]);
  const [card] = byId("notices").children;
  assert.equal(card.getAttribute("role"), null, "a number that changes each second is not read out");
  await pass(30_000);
  assert.deepEqual([titles(), byId("notices").children[0] === card], [["The breakout rooms close in 0:29"], true]);
  assert.equal(heard().filter((words) => words.includes("close in")).length, 1, "the earlier one has gone");
  take({ closes_at: undefined });
  assert.deepEqual([titles(), byId("breakout-time").hidden], [[], true]);
});

test("a host who closes them soon is told, and people in the main room whom it does not concern are not", async () => {
  const soon = new Date(NOON + 30_000).toISOString();
  make({ controls: true }).take({ closes_at: soon });
  assert.deepEqual(titles(), ["The breakout rooms close in 0:30"]);
  lay();
  make().take({ closes_at: soon });
  assert.deepEqual(titles(), []);
});

test("a host's words stand there until they are put away, or for 20 seconds", async () => {
  const { call, hear } = make({ room: "r1" });
  hear({ participant_id: "ada", display_name: "Ada", text: "<b>Five minutes</b>" });
  hear({ participant_id: "me", display_name: "Me", text: "our own" });
  const [card] = byId("notices").children;
  assert.deepEqual([titles(), card.getAttribute("role")], [["Ada to all rooms"], "status"]);
  assert.match(card.textContent, /<b>Five minutes<\/b>/);
  card.querySelector("button").click();
  assert.deepEqual(titles(), []);
  hear({ participant_id: "ada", display_name: "Ada", text: "again" });
  await pass(19_000);
  assert.equal(titles().length, 1);
  await pass(1_200);
  assert.equal(titles().length, 0);
  for (let each = 0; each < 5; each += 1) hear({ participant_id: "ada", display_name: `Ada ${each}`, text: "more" });
  assert.deepEqual(titles(), ["Ada 2 to all rooms", "Ada 3 to all rooms", "Ada 4 to all rooms"]);
  assert.equal(call.breakout.own, "r1");
});

test("a host's voice is said as long as it is heard, and our own can be stopped", () => {
  const { take, stops, call } = make();
  take({ voice: "ada" });
  take({ voice: "ada" });
  assert.deepEqual(titles(), ["The host speaks to all rooms"]);
  assert.match(byId("notices").textContent, /Ada is heard/);
  call.participants.remove("ada");
  assert.deepEqual(titles(), []);
  take({ voice: "me" });
  assert.deepEqual(titles(), ["You are speaking to all rooms"]);
  byId("notices").children[0].querySelector("button").click();
  assert.equal(stops(), 1);
  take();
  assert.deepEqual(titles(), []);
});

test("after the meeting nothing of it is left, shown or heard", async () => {
  const { call, line, hear, take } = make({ room: "r1" });
  take({ voice: "ada", closes_at: new Date(NOON + 20_000).toISOString() });
  hear({ participant_id: "ada", text: "bye" });
  line.close();
  await pass(10_000);
  assert.deepEqual([titles(), byId("breakout-line").hidden, heard()], [[], true, []]);
  call.breakout.take({ rooms: [] });
  call.participants.remove("ada");
  assert.deepEqual(heard(), []);
});
