import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { lay } from "./elements.mjs";
import { pass, reset, settle } from "./fakes.mjs";

const { Participants } = await load("participants");
const { ReactionControls } = await load("reactioncontrols");
const { ServiceError } = await load("errors");

const byId = (id) => document.getElementById(id);
const lines = () => byId("reaction-lines").children.map((line) => line.textContent);
const heard = () => byId("announcer").children.map((line) => line.textContent);

class FakeCall extends EventTarget {
  you = { participant_id: "me", display_name: "Ana" };
  participants = new Participants();
  webinar = { on: false };
  asked = [];
  error = null;

  async react(text) {
    this.asked.push(text);
    if (this.error) throw this.error;
  }

  hear(id, text) {
    this.dispatchEvent(new CustomEvent("reaction", { detail: { type: "reaction", participant_id: id, text } }));
  }
}

function make() {
  const call = new FakeCall();
  for (const id of ["ada", "ben"]) call.participants.add({ participant_id: id, display_name: id });
  let drawn = 0;
  const view = new ReactionControls(() => (drawn += 1));
  view.open(call);
  return { call, view, drawn: () => drawn, items: byId("palette").children };
}

beforeEach(() => {
  reset();
  lay();
  byId("palette").hidden = true;
});

test("who has no tile on the screen has a line, also where a screen of theirs has one", async () => {
  const { call, view } = make();
  for (const id of ["me", "ada", "ben", "stranger"]) call.hear(id, "👍");
  await pass(100);
  view.draw([{ id: "me", screen: false }, { id: "ada", screen: false }, { id: "ben", screen: true }]);
  assert.deepEqual([lines(), view.of("ada"), view.of("me"), view.of("stranger")], [["ben👍"], "👍", "👍", ""]);
  view.draw([]);
  assert.deepEqual(lines(), ["ben👍", "You👍", "ada👍"]);
});

test("it is drawn when it comes and when it has gone, and told once", async () => {
  const { call, view, drawn } = make();
  call.hear("ada", "👏");
  call.hear("stranger", "👏");
  await pass(2_000);
  assert.deepEqual([drawn(), heard()], [1, ["ada reacted with applause"]]);
  await pass(3_200);
  assert.deepEqual([drawn(), view.of("ada")], [2, ""]);
});

test("who leaves is shown no more", () => {
  const { call, view } = make();
  call.hear("ada", "👍");
  call.participants.remove("ada");
  view.draw([]);
  assert.deepEqual([view.of("ada"), lines()], ["", []]);
});

test("what is chosen is sent; one who presses on is told once why nothing comes", async () => {
  const { call, view, items } = make();
  view.toggle();
  items[0].click();
  await settle();
  assert.deepEqual([call.asked, heard()], [["👍"], []]);
  call.error = new ServiceError({ status: 429, code: "too_many_requests" });
  const { warn } = console;
  console.warn = () => {};
  for (let each = 0; each < 5; each += 1) items[4].click();
  await settle();
  assert.deepEqual(heard(), ["Wait a moment before you react again"]);
  await pass(10_000);
  call.error = new ServiceError({ status: 0 });
  items[4].click();
  await settle();
  console.warn = warn;
  assert.deepEqual(heard(), ["Your reaction did not come through"]);
});

test("after the meeting nothing of it is shown, told or heard", async () => {
  const { call, view, drawn } = make();
  view.toggle();
  call.hear("ada", "👍");
  view.draw([]);
  view.close();
  call.hear("ben", "👍");
  await pass(3_000);
  assert.deepEqual([lines(), heard(), drawn(), byId("palette").hidden], [[], [], 0, true]);
  const next = new FakeCall();
  next.participants = call.participants;
  view.open(next);
  call.hear("ben", "👍");
  assert.equal(view.of("ben"), "");
  next.hear("ben", "👍");
  assert.equal(view.of("ben"), "👍");
});

test("in a webinar those react whom one is not told of, without a name", async () => {
  const { call, view } = make();
  call.webinar.on = true;
  for (const id of ["stranger", undefined]) call.hear(id, "👍");
  await pass(2_000);
  view.draw([]);
  assert.deepEqual([lines(), heard()], [["👍"], ["Somebody reacted with thumbs up"]]);
  assert.equal(byId("reaction-lines").children[0].children.length, 1);
});
