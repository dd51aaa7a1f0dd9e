import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./client.mjs";

const { Breakout } = await load("breakout");
const { Participants } = await load("participants");

const TWO = { rooms: [{ room_id: "r1", name: "Tea" }, { room_id: "r2", name: "Coffee" }], choose: false };
const move = (...pairs) => pairs.map(([id, room]) => ({ participant_id: id, room_id: room }));

/** We are "me"; Ada, Ben and Cy are here. */
function make(...ids) {
  const participants = new Participants();
  for (const id of ["ada", "ben", "cy", ...ids]) participants.add({ participant_id: id });
  const breakout = new Breakout(participants, () => "me");
  const told = [];
  breakout.addEventListener("change", ({ detail }) => told.push(detail));
  const where = () => ["me", "ada", "ben", "cy"].map((id) => breakout.roomOf(id) ?? "-").join(" ");
  return { breakout, participants, told, where };
}

test("without rooms everybody is in the main room, and near", () => {
  const { breakout, where } = make();
  assert.deepEqual([breakout.open, breakout.own, breakout.ownRoom, where()], [false, null, null, "- - - -"]);
  assert.equal(breakout.isNear("ada"), true);
});

test("who is moved is there, and who is near follows from where we are", () => {
  const { breakout, told, where } = make();
  breakout.take(TWO);
  breakout.move(move(["ada", "r1"], ["ben", "r2"]));
  assert.deepEqual([where(), breakout.isNear("ada"), breakout.isNear("cy")], ["- r1 r2 -", false, true]);
  assert.deepEqual([told[0].opened, told[1].opened, told[1].moved, told[1].went, told[1].came], [true, false, false, ["ada", "ben"], []]);
  breakout.move(move(["me", "r1"]));
  assert.deepEqual([breakout.own, breakout.ownRoom.name, breakout.isNear("ada"), breakout.isNear("cy")], ["r1", "Tea", true, false]);
  assert.deepEqual([told[2].moved, told[2].came, told[2].went], [true, [], []]);
  breakout.move(move(["ben", "r1"], ["ada", null]));
  assert.deepEqual([where(), told[3].came, told[3].went], ["r1 - r1 -", ["ben"], ["ada"]]);
  breakout.move(move(["me", "r2"], ["ada", "r2"]));
  assert.deepEqual([told[4].moved, told[4].came, told[4].went], [true, [], []], "we have gone, not they");
});

test("rooms that close bring everybody back at once", () => {
  const { breakout, told, where } = make();
  breakout.take(TWO);
  breakout.move(move(["me", "r1"], ["ada", "r1"]));
  breakout.take({ rooms: [], choose: true, closes_at: "2026-11-30T10:00:00Z", voice: "ada" });
  assert.deepEqual([where(), breakout.open, breakout.choose, breakout.closesAt, breakout.voice], ["- - - -", false, false, null, null]);
  assert.deepEqual([told.at(-1).closed, told.at(-1).moved], [true, true]);
});

test("a room that is gone while others are open leaves nobody in it", () => {
  const { breakout, where } = make();
  breakout.take(TWO);
  breakout.move(move(["me", "r2"], ["ada", "r1"]));
  breakout.take({ rooms: TWO.rooms.slice(0, 1) });
  assert.equal(where(), "- r1 - -");
});

test("unknown people, unknown rooms and what is no message change nothing", () => {
  const { breakout, where } = make();
  breakout.take(TWO);
  breakout.move(move(["ada", "r1"]));
  breakout.move(move(["nobody", "r1"], ["ada", "r9"], ["ben", 7], [7, "r1"]));
  breakout.move("all");
  breakout.move([null, 7, {}]);
  breakout.take({ rooms: "all" });
  breakout.take(undefined);
  assert.deepEqual([where(), breakout.roomOf("nobody"), breakout.rooms.length], ["- r1 - -", null, 2]);
  breakout.take({ rooms: [null, {}, { room_id: 7 }, { room_id: "r1" }, { room_id: "r1", name: "again" }] });
  assert.deepEqual(breakout.rooms, [{ id: "r1", name: "Room" }]);
  breakout.take({ rooms: Array.from({ length: 80 }, (_, place) => ({ room_id: `r${place}`, name: "x" })) });
  assert.equal(breakout.rooms.length, 50);
});

test("moves that come before the rooms are taken when these come", () => {
  const { breakout, told, where } = make();
  breakout.move(move(["me", "r1"], ["ada", "r2"]));
  assert.equal(where(), "- - - -");
  breakout.take(TWO);
  assert.deepEqual([where(), told.at(-1).moved, told.at(-1).opened], ["r1 r2 - -", true, true]);
  breakout.take({ rooms: [] });
  breakout.move(move(["ada", "r2"]));
  breakout.move(move(["ada", null]));
  breakout.take(TWO);
  assert.equal(where(), "- - - -");
});

test("the time, the choice and the voice are those of the last message", () => {
  const { breakout } = make();
  breakout.take({ ...TWO, choose: true, closes_at: "2026-11-30T10:00:00Z", voice: "ada" });
  assert.deepEqual([breakout.closesAt, breakout.choose, breakout.voice], [Date.UTC(2026, 10, 30, 10), true, "ada"]);
  breakout.take({ ...TWO, closes_at: "soon", voice: "nobody" });
  assert.deepEqual([breakout.closesAt, breakout.choose, breakout.voice], [null, false, null]);
  breakout.take({ ...TWO, voice: "me" });
  assert.equal(breakout.voice, "me");
});

test("a join sets everything anew", () => {
  const { breakout, told, where } = make("eve");
  breakout.take(TWO);
  breakout.move(move(["me", "r1"], ["ada", "r1"], ["ben", "r1"], ["eve", "r1"]));
  const you = { participant_id: "me", room_id: "r1" };
  const others = [{ participant_id: "ada", room_id: "r2" }, { participant_id: "ben" }, { participant_id: "cy", room_id: "r7" }, null];
  breakout.enter({ you, participants: others, breakout: { ...TWO, choose: true } });
  assert.deepEqual([where(), breakout.choose, told.at(-1).moved, told.at(-1).opened], ["r1 r2 - -", true, false, false]);
  assert.equal(breakout.roomOf("eve"), null, "who has left meanwhile is nowhere");
  breakout.enter({ you: { participant_id: "me" }, participants: others });
  assert.deepEqual([where(), breakout.open, told.at(-1).closed, told.at(-1).moved], ["- - - -", false, true, true]);
});

test("what the socket says is heard, and who joins may be in a room already", () => {
  const { breakout, participants, where, told } = make();
  const acts = new Map();
  breakout.follow((type, act) => acts.set(type, act));
  acts.get("breakout")(TWO);
  acts.get("breakout_moved")({ moves: move(["me", "r2"]) });
  const count = told.length;
  acts.get("participant_joined")({ participant: { participant_id: "dee" } });
  acts.get("participant_joined")({});
  assert.equal(told.length, count, "nobody is in another room for that");
  participants.add({ participant_id: "eve" });
  acts.get("participant_joined")({ participant: { participant_id: "eve", room_id: "r2" } });
  assert.deepEqual([where(), breakout.isNear("eve"), breakout.isNear("dee")], ["r2 - - -", true, false]);
});

test("a host's words are text of a bounded length, with a name", () => {
  const { breakout } = make();
  const words = [];
  breakout.addEventListener("word", ({ detail }) => words.push(detail));
  let act;
  breakout.follow((type, each) => (act = type === "breakout_message" ? each : act));
  act({ participant_id: "ada", display_name: "Ada", text: "😀".repeat(600) });
  for (const text of ["", " ", 7, undefined]) act({ participant_id: "ada", text });
  act({ participant_id: "ada", display_name: 7, text: "<b>Hi</b>" });
  assert.deepEqual(words.map(({ id, name }) => `${id} ${name}`), ["ada Ada", "ada A host"]);
  assert.deepEqual([[...words[0].text].length, words[1].text], [500, "<b>Hi</b>"]);
});
