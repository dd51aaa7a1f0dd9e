import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./client.mjs";

const { actionsFor, changeWords, mayUnmute, mayWrite, offWords, rightsIn, roleWords, turnedOff } = await load("permissions");

const meeting = (settings) => ({ settings });
const closed = meeting({ allow_unmute: false, allow_chat: false, allow_screen_share: false });
const ADA = { name: "Ada", role: "participant", self: false, audio: false, video: false, screen: false };
const ada = (more = {}) => ({ ...ADA, ...more });
const labels = (role, more) => actionsFor(role, ada(more)).map(({ label }) => label);

test("a meeting that says nothing allows everything", () => {
  const all = { unmute: true, chat: true, screen: true, enter: true };
  for (const each of [null, {}, meeting({})]) assert.deepEqual(rightsIn(each), all);
  assert.deepEqual(rightsIn(closed), { unmute: false, chat: false, screen: false, enter: true });
});

test("a waiting room keeps people from coming in, and those who are in need not hear of it", () => {
  const open = meeting({ waiting_room: false });
  const guarded = meeting({ waiting_room: true });
  assert.deepEqual([open, guarded].map((each) => rightsIn(each).enter), [true, false]);
  assert.deepEqual(changeWords(rightsIn(open), rightsIn(guarded)), []);
});

test("who may unmute is a host, asked, or anybody", () => {
  const may = (more) => mayUnmute({ controls: false, invited: false, meeting: closed, ...more });
  assert.equal(may({}), false);
  for (const more of [{ controls: true }, { invited: true }, { meeting: null }]) assert.equal(may(more), true);
});

test("hosts can always be written to, and write to everybody", () => {
  const guest = { controls: false, meeting: closed };
  const roles = [null, "participant", "co_host", "host"];
  assert.deepEqual(roles.map((role) => mayWrite(guest, role)), [false, false, true, true]);
  assert.equal(mayWrite({ controls: true, meeting: closed }, null), true);
  assert.equal(mayWrite({ controls: false, meeting: null }, null), true);
});

test("what a host turned off is what was on here", () => {
  const ours = { audio: true, video: true, screen: false };
  assert.deepEqual(turnedOff({ audio: false, turned_off: ["audio"] }, ours), ["audio"]);
  assert.deepEqual(turnedOff({ turned_off: ["screen", "video", "smell"] }, ours), ["video"]);
  // What was opened a moment ago is not known there yet.
  assert.deepEqual(turnedOff({ audio: false, video: false, muted_by_host: true }, ours), []);
  assert.deepEqual(turnedOff({ turned_off: "audio" }, ours), []);
  assert.deepEqual(offWords(["audio", "video"]), ["The host muted you", "The host turned your camera off"]);
});

test("a menu has what applies to this person now", () => {
  assert.deepEqual(labels("host", { audio: true, video: true, screen: true }), [
    "Mute", "Turn camera off", "Stop their screen", "Make co-host", "Make host", "Remove",
  ]);
  assert.deepEqual(labels("host", { role: "co_host" }), ["Ask to unmute", "Take co-host away", "Make host", "Remove"]);
  assert.deepEqual(labels("host", { role: "host" }), ["Ask to unmute", "Remove"]);
  assert.deepEqual(labels("co_host", { audio: true }), ["Mute", "Remove"]);
});

test("nobody acts on a host but hosts, nor on themselves", () => {
  assert.deepEqual(labels("co_host", { role: "host" }), []);
  assert.deepEqual(labels("participant", {}), []);
  assert.deepEqual(labels("host", { self: true }), []);
});

test("what cannot be taken back is asked for once more, by name", () => {
  const asked = actionsFor("host", ada()).filter(({ confirm }) => confirm);
  assert.deepEqual(asked.map(({ label }) => label), ["Make host", "Remove"]);
  for (const { confirm } of asked) assert.match(confirm.title, /Ada/);
});

const webinarLabels = (role, more) => actionsFor(role, ada(more), true).map(({ label }) => label);

test("who watches a webinar is brought on the panel or removed, and nothing else", () => {
  for (const role of ["host", "co_host"]) {
    assert.deepEqual(webinarLabels(role, { role: "attendee", audio: true }), ["Bring on the panel", "Remove"]);
  }
  assert.deepEqual(webinarLabels("panelist", { role: "attendee" }), []);
});

test("who is on the panel may be made an attendee, and keeps off it what a co-host was", () => {
  assert.deepEqual(webinarLabels("host", { role: "panelist" }), [
    "Ask to unmute", "Make an attendee", "Make co-host", "Make host", "Remove",
  ]);
  assert.deepEqual(webinarLabels("co_host", { role: "panelist" }), ["Ask to unmute", "Make an attendee", "Remove"]);
  const roleAfter = (webinar) => actionsFor("host", ada({ role: "co_host" }), webinar).find(({ key }) => key === "co_host").fields.role;
  assert.deepEqual([roleAfter(true), roleAfter(false)], ["panelist", "participant"]);
  // The line that promotes never becomes the one that demotes, under a pointer that is on its way there.
  const keyOf = (role) => actionsFor("host", ada({ role }), true).find(({ type }) => type === "promote" || type === "demote").key;
  assert.notEqual(keyOf("attendee"), keyOf("panelist"));
});

test("attendees write to the panel and to everybody, not to each other, and open no microphone", () => {
  const attendee = { controls: false, watching: true, meeting: null };
  const roles = [null, "attendee", "panelist", "host"];
  assert.deepEqual(roles.map((role) => mayWrite(attendee, role)), [true, false, true, true]);
  assert.equal(mayWrite({ ...attendee, watching: false }, "attendee"), true);
  assert.equal(mayWrite({ ...attendee, meeting: closed }, "host"), true);
  for (const more of [{}, { invited: true }]) assert.equal(mayUnmute({ ...attendee, ...more }), false);
});

test("who watches hears of the chat alone when rights change", () => {
  assert.equal(changeWords(rightsIn(null), rightsIn(closed), true).join(), "You may write to the hosts only now");
});

test("a role that is ours now is told by what it was before", () => {
  assert.match(roleWords("panelist", "attendee"), /^You are on the panel now/);
  assert.match(roleWords("panelist", "co_host"), /no host controls/);
  assert.match(roleWords("co_host", "attendee"), /co-host/);
  assert.match(roleWords("attendee", "panelist"), /watching/);
});

test("rights that change are told, each by itself", () => {
  assert.deepEqual(changeWords(rightsIn(closed), rightsIn(closed)), []);
  assert.equal(changeWords(rightsIn(null), rightsIn(closed)).length, 3);
  const open = meeting({ ...closed.settings, allow_unmute: true });
  assert.match(changeWords(rightsIn(closed), rightsIn(open)).join(), /^You may unmute yourself again$/);
  for (const role of ["host", "co_host", "participant"]) assert.match(roleWords(role), /^You/);
});
