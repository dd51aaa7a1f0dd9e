import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { lay } from "./elements.mjs";
import { reset, settle } from "./fakes.mjs";

const { Breakout } = await load("breakout");
const { BreakoutControls } = await load("breakoutcontrols");
const { Participants } = await load("participants");
const { ServiceError } = await load("errors");

const byId = (id) => document.getElementById(id);
const heard = () => byId("announcer").children.map((line) => line.textContent);

function make(controls = false) {
  const call = new EventTarget();
  Object.assign(call, { controls, you: { participant_id: "me" }, participants: new Participants(), asked: [], error: null });
  call.breakout = new Breakout(call.participants, () => "me");
  const ask = (type) => async (...given) => {
    call.asked.push([type, ...given]);
    if (call.error) throw call.error;
  };
  Object.assign(call, { chooseRoom: ask("choose"), speakToRooms: ask("speak") });
  const view = new BreakoutControls(() => 0);
  view.open(call);
  return { call, view };
}

beforeEach(() => {
  reset();
  lay();
  Object.assign(byId("breakout-dialog"), { open: false, showModal: () => (byId("breakout-dialog").open = true) });
});

test("the way back leads to the main room, and what is refused is said", async () => {
  const { call } = make();
  byId("breakout-return").click();
  await settle();
  assert.deepEqual([call.asked, heard()], [[["choose", null]], []]);
  const { warn } = console;
  console.warn = () => {};
  call.error = new ServiceError({ status: 403, code: "breakout_choose_forbidden" });
  byId("breakout-return").click();
  await settle();
  console.warn = warn;
  assert.deepEqual(heard(), ["A host decides who is in which room"]);
});

test("our voice in all rooms can be stopped where it is told", async () => {
  const { call } = make(true);
  call.breakout.take({ rooms: [{ room_id: "r1", name: "Tea" }], voice: "me" });
  byId("notices").children[0].querySelector("button").click();
  await settle();
  assert.deepEqual(call.asked, [["speak", false]]);
});

test("hosts and those who may choose come to the rooms by button and key, the others are told who does", () => {
  const { call, view } = make();
  view.show();
  assert.deepEqual([byId("breakout-dialog").open, heard()], [false, ["Hosts open breakout rooms, and put people into them"]]);
  call.breakout.take({ rooms: [{ room_id: "r1", name: "Tea" }], choose: true });
  const told = heard().length;
  view.show();
  assert.deepEqual([byId("breakout-dialog").open, heard().length], [true, told]);
  for (const id of ["show-breakout", "breakout-show"]) {
    byId("breakout-dialog").open = false;
    byId(id).click();
    assert.equal(byId("breakout-dialog").open, true, id);
  }
});

test("after the meeting nothing is asked any more", async () => {
  const { call, view } = make(true);
  view.close();
  byId("breakout-return").click();
  byId("show-breakout").click();
  await settle();
  assert.deepEqual([call.asked, byId("breakout-dialog").open], [[], false]);
});
