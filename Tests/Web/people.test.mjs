import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./client.mjs";

const { Participants, initialsOf, toneOf } = await load("participants");
const { SlotMap } = await load("slots");
const { grade, worse } = await load("quality");
const { arrivalWords, drainWords, pageOf } = await load("notices");
const { meetingFrom } = await load("api");
const { clockWords, momentWords } = await load("clock");
const { stateWords } = await load("tiles");

const person = (id) => ({ participant_id: id, display_name: id.toUpperCase(), audio: true, video: true });
const ids = (participants) => participants.list().map((each) => each.participant_id);

test("a second list after a resumption tells only the differences", () => {
  const participants = new Participants();
  const told = [];
  for (const type of ["joined", "left"]) {
    participants.addEventListener(type, ({ detail }) => told.push(`${type} ${detail.participant_id}`));
  }
  participants.replace([person("a"), person("b"), person("me")], "me", true);
  assert.deepEqual([ids(participants), told], [["a", "b"], []]);
  participants.replace([person("c"), person("b")], "me", false);
  assert.deepEqual([ids(participants), told], [["b", "c"], ["left a", "joined c"]]);
});

test("a speaker from a later page takes the place of the one silent longest", () => {
  const participants = new Participants();
  participants.replace(["a", "b", "c", "d"].map(person), "me", true);
  participants.promote("b", 2, 10);
  assert.equal(participants.promote("d", 2, 20), true);
  assert.deepEqual(ids(participants), ["d", "b", "c", "a"]);
  assert.equal(participants.promote("b", 2, 30), false);
  assert.equal(participants.promote("nobody", 2, 40), false);
});

test("what a message leaves out stays as it was", () => {
  const participants = new Participants();
  participants.add(person("a"));
  participants.update("a", { audio: false });
  participants.update("a", { connection: "interrupted" });
  participants.update("a", { hand_raised: true });
  const { audio, video, away, hand_raised: hand, muted_by_host: muted } = participants.get("a");
  assert.deepEqual([audio, video, away, hand, muted], [false, true, true, true, false]);
  participants.add({ participant_id: 7 });
  assert.equal(participants.size, 1);
});

test("a Slot has one owner, and a change moves it", () => {
  const slots = new SlotMap();
  slots.update([
    { mid: "5", participant_id: "a", source: "video" },
    { mid: "30", participant_id: "b", source: "screen" },
  ]);
  assert.equal(slots.midOf("a", "video"), "5");
  assert.equal(slots.screenOwner(), "b");
  slots.update([
    { mid: "5", participant_id: "b", source: "video" },
    { mid: "30", participant_id: null, source: "screen" },
  ]);
  assert.deepEqual([slots.midOf("a", "video"), slots.midOf("b", "video"), slots.screenOwner()], [null, "5", null]);
  slots.release("b");
  slots.update("nonsense");
  assert.deepEqual(slots.toJSON(), {});
});

test("quality follows loss, delay and standing pictures", () => {
  assert.equal(grade({ loss: 0.01, rtt: 0.05 }), "good");
  assert.equal(grade({ loss: 0.05 }), "unstable");
  assert.equal(grade({ rtt: 0.7 }), "poor");
  assert.equal(grade({ frozen: true }), "poor");
  assert.equal(worse("good", "unstable"), "unstable");
  assert.equal(worse("unknown", "good"), "good");
});

test("who hears a tile is told that its picture is paused, not that the camera is off", () => {
  assert.equal(stateWords({ muted: true, stream: null, grade: "good" }), "muted, camera off");
  assert.equal(stateWords({ paused: true, stream: null, grade: "unknown" }), "paused: slow connection");
  assert.equal(stateWords({ screen: true, paused: true, stream: null }), "paused: slow connection");
  assert.equal(stateWords({ screen: true, paused: false, stream: {}, grade: "poor" }), "");
  assert.equal(stateWords({ hand: true, muted: true, stream: {} }), "hand raised, muted");
  assert.equal(stateWords({ reaction: "👏", stream: {} }), "reacted with applause");
  assert.equal(stateWords({ paused: false, stream: {}, speaking: true, grade: "poor" }), "speaking, poor connection");
});

test("names give initials and a steady colour in any script", () => {
  const names = ["Ada Lovelace", "ana", "  ", "李 小龙", "😀 Smith"];
  assert.deepEqual(names.map(initialsOf), ["AL", "A", "?", "李小", "😀S"]);
  assert.equal(toneOf("ada"), toneOf("ada"));
  for (const name of ["", "a", "李", "x".repeat(500)]) assert.ok(toneOf(name) >= 0 && toneOf(name) < 8);
});

test("arrivals that come together are told together", () => {
  assert.equal(arrivalWords(["Ana"], "joined"), "Ana joined");
  assert.equal(arrivalWords(["Ana", "Ben"], "left"), "Ana and Ben left");
  assert.equal(arrivalWords(["Ana", "Ben", "Cy"], "left"), "Ana, Ben and 1 other left");
  assert.equal(arrivalWords(["Ana"], "was removed"), "Ana was removed");
  assert.equal(arrivalWords(["Ana", "Ben", "Cy", "Dee"], "was removed"), "Ana, Ben and 2 others were removed");
});

test("a meeting is found in what people paste", () => {
  assert.equal(meetingFrom(" 123 456 789 "), "123-456-789");
  assert.equal(meetingFrom("https://meet.example/?meeting=123-456-789&name=x#y"), "123-456-789");
  assert.equal(meetingFrom("https://meet.example/?meeting=a%2Fb"), "a/b");
  assert.equal(meetingFrom("?meeting=%E0%A4%A"), "%E0%A4%A");
  assert.equal(meetingFrom("m_8fj2"), "m_8fj2");
});

test("the clock counts hours only when there are some", () => {
  assert.deepEqual([0, 65, 3_845].map(clockWords), ["0:00", "1:05", "1:04:05"]);
});

test("a moment of another day says which", () => {
  const moment = new Date(2026, 10, 29, 14, 5);
  const today = momentWords(moment.toISOString(), new Date(2026, 10, 29, 23, 0));
  assert.match(today, /05/);
  assert.doesNotMatch(today, /29/);
  assert.match(momentWords(moment.toISOString(), new Date(2026, 10, 30)), /29.*05/);
  assert.equal(momentWords("?"), "");
});

test("a server that is being emptied says until when, and where else to go", () => {
  assert.match(drainWords(300, false).detail, /for 5 minutes, then it ends/);
  assert.match(drainWords(45, true).detail, /for 45 seconds; another server/);
  assert.equal(pageOf("wss://b.example/api/v1/signal", "123-456-789"), "https://b.example/?meeting=123-456-789");
  assert.equal(pageOf("ws://[::1]:8080/api/v1/signal"), "http://[::1]:8080/");
  for (const wrong of [undefined, "", "javascript:alert(1)", "https://b.example/"]) assert.equal(pageOf(wrong), null);
});

test("a speaker comes onto the first page of those who are shown, past the others", () => {
  const participants = new Participants();
  participants.replace(["a", "far", "b", "c"].map(person), "me", true);
  const isShown = (id) => id !== "far";
  assert.equal(participants.promote("b", 2, 10, isShown), false);
  assert.equal(participants.promote("c", 2, 20, isShown), true);
  assert.deepEqual(ids(participants), ["c", "far", "b", "a"]);
  assert.equal(participants.promote("far", 2, 30, isShown), false);
});
