import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { lay } from "./elements.mjs";
import { reset } from "./fakes.mjs";

const { Breakout } = await load("breakout");
const { Participants } = await load("participants");
const { PeoplePanel } = await load("people");
const { sectionsOf } = await load("sections");

const byId = (id) => document.getElementById(id);
const person = (id, more = {}) => ({
  id, name: id.toUpperCase(), role: "participant", self: id === "me", audio: true, video: true, screen: false, hand: false,
  reaction: "", mutedByHost: false, speaking: false, away: false, grade: "good", stats: null, where: "", ...more,
});
const PLACES = { me: "r1", ada: "r1", ben: "r2", cy: null, dee: "r2" };

/** We and Ada are in Tea, Ben and Dee in Coffee, Cy is in the main room. */
function make(choose = false) {
  const participants = new Participants();
  for (const id of Object.keys(PLACES)) if (id !== "me") participants.add({ participant_id: id });
  const breakout = new Breakout(participants, () => "me");
  breakout.take({ rooms: [{ room_id: "r1", name: "Tea" }, { room_id: "r2", name: "Coffee" }, { room_id: "r3", name: "Juice" }], choose });
  breakout.move(Object.entries(PLACES).map(([id, room]) => ({ participant_id: id, room_id: room })));
  return breakout;
}

const people = (more = {}) => Object.keys(PLACES).map((id) => person(id, more[id]));
const ids = (list) => list.map(({ id }) => id).join(" ");
const look = ({ near, far }) => [ids(near), ...far.map(({ title, people: list }) => `${title}: ${ids(list)}`)];

test("people see those in their own room alone", () => {
  assert.deepEqual(look(sectionsOf(people({ ben: { hand: true } }), make(), false)), ["me ada"]);
});

test("hosts see all, by their rooms, and so does who may choose", () => {
  const all = ["me ada", "Main room: cy", "Coffee: ben dee"];
  assert.deepEqual(look(sectionsOf(people(), make(), true)), all);
  assert.deepEqual(look(sectionsOf(people(), make(true), false)), all);
});

test("hosts see raised hands of every room first, with the room's name", () => {
  const raised = [person("dee", { hand: true }), person("cy", { hand: true }), person("me"), person("ada"), person("ben")];
  const { near, far } = sectionsOf(raised, make(), true);
  assert.deepEqual(near.map(({ id, where }) => `${id} ${where}`), ["dee Coffee", "cy Main room", "me ", "ada "]);
  assert.deepEqual(look({ near: [], far }), ["", "Coffee: ben"]);
});

test("without rooms there is one list of all", () => {
  const breakout = new Breakout(new Participants(), () => "me");
  assert.deepEqual(look(sectionsOf(people(), breakout, true)), ["me ada ben cy dee"]);
});

const panel = () => new PeoplePanel({ has: () => true, review() {}, toggleMenu() {} });
const rows = (list) => list.children.map((row) => row.children[1].children.map((each) => each.textContent).filter(Boolean).join(", "));
const far = () => byId("people-far").children.map(({ children: [title, list] }) => [title.textContent, rows(list)]);

beforeEach(() => {
  reset();
  lay({ panel: ["panel-title", "people", "people-far"] });
});

test("the other rooms have lists of their own, whose rows keep the focus when they move", () => {
  const view = panel();
  const draw = (breakout, more) => {
    const { near, far: others } = sectionsOf(people(more), breakout, true);
    view.render(near, others);
  };
  const breakout = make();
  draw(breakout, {});
  assert.deepEqual([rows(byId("people")), far()], [["ME, You", "ADA"], [["Main room: 1 person", ["CY"]], ["Coffee: 2 people", ["BEN", "DEE"]]]]);
  const sections = [...byId("people-far").children];
  const button = sections[1].children[1].children[0].children.at(-1);
  button.focus();
  let inserted = 0;
  const { insertBefore } = byId("people-far");
  byId("people-far").insertBefore = function (...nodes) {
    inserted += 1;
    insertBefore.apply(this, nodes);
  };
  draw(breakout, {});
  assert.equal(inserted, 0, "what is in its place stays there");
  assert.deepEqual([byId("people-far").children, document.activeElement], [sections, button]);
  breakout.move([{ participant_id: "ben", room_id: "r1" }, { participant_id: "cy", room_id: "r1" }]);
  draw(breakout, {});
  assert.deepEqual([rows(byId("people")), far()], [["ME, You", "ADA", "BEN", "CY"], [["Coffee: 1 person", ["DEE"]]]]);
  assert.equal(document.activeElement, button);
  draw(breakout, { dee: { hand: true } });
  assert.deepEqual([rows(byId("people")).at(-1), byId("people-far").hidden], ["DEE, Coffee", true]);
  breakout.take({ rooms: [] });
  draw(breakout, {});
  assert.deepEqual([rows(byId("people")).length, byId("people-far").children], [5, []]);
  view.clear();
  assert.deepEqual([byId("people").children, byId("people-far").hidden], [[], true]);
});
