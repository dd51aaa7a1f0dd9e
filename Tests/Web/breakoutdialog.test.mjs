import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { lay } from "./elements.mjs";
import { pass, reset, settle } from "./fakes.mjs";

const { Breakout } = await load("breakout");
const { BreakoutDialog } = await load("breakoutdialog");
const { Participants } = await load("participants");
const { ServiceError } = await load("errors");

const LAYOUT = {
  "breakout-dialog": ["breakout-title", "breakout-problem", "breakout-plan", "breakout-now", "breakout-places", "breakout-terms",
    "breakout-host", "breakout-done"],
  "breakout-plan": ["breakout-count", "breakout-names"],
  "breakout-now": ["breakout-until", "breakout-rooms"],
  "breakout-places": ["breakout-where", "breakout-even", "breakout-find", "breakout-people", "breakout-rest"],
  "breakout-terms": ["breakout-choose", "breakout-minutes", "breakout-start"],
  "breakout-host": ["breakout-word", "breakout-voice", "breakout-soon", "breakout-end"],
  "breakout-word": ["breakout-text"],
};
const ROOMS = [{ room_id: "r1", name: "Tea" }, { room_id: "r2", name: "<b>Coffee</b>" }];
const byId = (id) => document.getElementById(id);
const shown = (...ids) => ids.filter((id) => !byId(`breakout-${id}`).hidden).join(" ");
const pickers = () => byId("breakout-people").children.map((row) => row.querySelector("select"));
const pickerOf = (name) => pickers().find((each) => each.getAttribute("aria-label") === `Room of ${name}`);
const choices = (select) => select.children.map((option) => option.textContent);
const roomRows = () => byId("breakout-rooms").children.map((row) => row.children[0].children.map((each) => each.textContent).join(" | "));
const joins = () => byId("breakout-rooms").children.map((row) => row.querySelector("button"));
const fire = (element, type, more = {}) => element.dispatchEvent(Object.assign(new Event(type), more));
const fields = () => byId("breakout-names").children.map((row) => row.children[0]);

class FakeCall extends EventTarget {
  you = { participant_id: "me" };
  participants = new Participants();
  breakout = new Breakout(this.participants, () => "me");
  asked = [];
  error = null;

  constructor(controls) {
    super();
    this.controls = controls;
    for (const type of ["createRooms", "assignRoom", "chooseRoom", "tellRooms", "speakToRooms", "closeRooms"]) {
      this[type] = async (...given) => {
        this.asked.push([type, ...given]);
        if (this.error) throw this.error;
      };
    }
  }

  come(...names) {
    for (const name of names) this.participants.add({ participant_id: name.toLowerCase(), display_name: name });
  }

  open(more) {
    this.breakout.take({ rooms: ROOMS, ...more });
  }
}

function make({ controls = true, names = ["Ben", "Ada"], rooms = null } = {}) {
  const call = new FakeCall(controls);
  call.come(...names);
  if (rooms) call.open(rooms);
  const dialog = new BreakoutDialog(() => 0);
  dialog.open(call);
  dialog.show();
  return { call, dialog };
}

async function choose(name, value) {
  pickerOf(name).value = value;
  fire(pickerOf(name), "change");
  await settle();
}

beforeEach(() => {
  reset();
  lay(LAYOUT);
  const dialog = byId("breakout-dialog");
  Object.assign(dialog, {
    open: false,
    showModal: () => (dialog.open = true),
    close() {
      dialog.open = false;
      fire(dialog, "close");
    },
  });
});

test("a host plans: names, who goes where, and for how long; then asks for it once", async () => {
  const { call } = make();
  assert.equal(shown("plan", "terms", "now", "host", "places", "even"), "plan terms places even");
  assert.equal(document.activeElement, byId("breakout-title"));
  assert.deepEqual(fields().map(({ value }) => value), ["Room 1", "Room 2"]);
  fields()[0].value = "Tea";
  fire(fields()[0], "input");
  await pass(200);
  assert.deepEqual(pickers().map((each) => each.getAttribute("aria-label")), ["Room of Ada", "Room of Ben"]);
  assert.deepEqual(choices(pickers()[0]), ["Main room", "Tea", "Room 2"]);
  await choose("Ben", "0");
  byId("breakout-choose").checked = true;
  fire(byId("breakout-choose"), "change");
  byId("breakout-minutes").value = "10";
  fire(byId("breakout-minutes"), "input");
  byId("breakout-start").click();
  await settle();
  assert.deepEqual(call.asked, [["createRooms", {
    rooms: [{ name: "Tea", participant_ids: ["ben"] }, { name: "Room 2" }], evenly: false, choose: true, seconds: 600,
  }]]);
});

test("the number of rooms is followed, and what is no number changes nothing", async () => {
  make();
  const resize = (count) => fire(Object.assign(byId("breakout-count"), { valueAsNumber: count }), "input");
  resize(4);
  assert.equal(fields().length, 4);
  resize(Number.NaN);
  resize(99);
  assert.equal(fields().length, 4);
  const [first] = fields();
  resize(1);
  assert.deepEqual([fields().length, fields()[0] === first, choices(pickers()[0])], [1, true, ["Main room", "Room 1"]]);
});

test("all are spread by one button, and who comes meanwhile is too", async () => {
  const { call } = make();
  byId("breakout-even").click();
  assert.deepEqual(pickers().map(({ value }) => value).sort(), ["0", "1"]);
  call.come("Cy");
  await pass(200);
  assert.notEqual(pickerOf("Cy").value, "");
  byId("breakout-start").click();
  await settle();
  assert.equal(call.asked[0][1].evenly, true);
});

test("what cannot be opened is said, and asked of nobody", async () => {
  const { call } = make();
  fields()[1].value = " ";
  fire(fields()[1], "input");
  byId("breakout-start").click();
  await settle();
  assert.deepEqual(call.asked, []);
  assert.match(byId("breakout-problem").textContent, /needs a name/);
});

test("what the server refuses is said, and the choice is what it was", async () => {
  const { warn } = console;
  console.warn = () => {};
  const { call } = make({ rooms: {} });
  call.error = new ServiceError({ status: 404, code: "breakout_not_found" });
  await choose("Ada", "r1");
  console.warn = warn;
  assert.deepEqual(call.asked, [["assignRoom", "ada", "r1"]]);
  assert.match(byId("breakout-problem").textContent, /no such breakout room/);
  assert.equal(pickerOf("Ada").value, "");
});

test("open rooms are listed with their people as text, and a host moves, wanders and closes", async () => {
  const { call } = make({ rooms: { closes_at: new Date(65_000).toISOString() } });
  call.breakout.move([{ participant_id: "ada", room_id: "r2" }]);
  await pass(200);
  assert.equal(shown("plan", "terms", "now", "host", "places", "even"), "now host places");
  assert.deepEqual(roomRows(), ["Main room | 2 people: You, Ben", "Tea | Nobody is in it", "<b>Coffee</b> | 1 person: Ada"]);
  assert.deepEqual(joins().map((each) => `${each.getAttribute("aria-label")} ${each.hidden}`), [
    "Return to main room true", "Join Tea false", "Join <b>Coffee</b> false",
  ]);
  assert.deepEqual([pickerOf("Ada").value, pickerOf("Ben").value], ["r2", ""]);
  assert.equal(byId("breakout-until").textContent, "The rooms close in 1:05");
  await choose("Ada", "");
  byId("breakout-soon").click();
  await settle();
  byId("breakout-end").click();
  await settle();
  joins()[1].click();
  await settle();
  assert.deepEqual(call.asked, [["assignRoom", "ada", null], ["closeRooms", 30], ["closeRooms", 0], ["chooseRoom", "r1"]]);
  assert.equal(byId("breakout-dialog").open, false, "who has gone somewhere is in the meeting");
});

test("all rooms are told and spoken to, and the button says which", async () => {
  const { call } = make({ rooms: {} });
  byId("breakout-text").value = "  ";
  fire(byId("breakout-word"), "submit");
  byId("breakout-text").value = " Five minutes ";
  fire(byId("breakout-word"), "submit");
  await settle();
  assert.deepEqual([byId("breakout-text").value, byId("breakout-done").textContent], ["", "All rooms have your message"]);
  byId("breakout-voice").click();
  await settle();
  call.open({ voice: "me" });
  await pass(200);
  assert.equal(byId("breakout-voice").getAttribute("aria-pressed"), "true");
  byId("breakout-voice").click();
  await settle();
  assert.deepEqual(call.asked, [["tellRooms", "Five minutes"], ["speakToRooms", true], ["speakToRooms", false]]);
});

test("what changes while it is open moves neither focus nor an open list", async () => {
  const { call } = make({ rooms: {} });
  const select = pickerOf("Ben");
  select.focus();
  const options = [...select.children];
  call.come("Cy", "Abe");
  call.breakout.move([{ participant_id: "ada", room_id: "r1" }]);
  await pass(200);
  assert.deepEqual([document.activeElement === select, select.children.every((each, place) => each === options[place])], [true, true]);
  call.open({ rooms: [...ROOMS, { room_id: "r3", name: "Juice" }] });
  await pass(200);
  assert.deepEqual([document.activeElement === select, choices(select).at(-1)], [true, "Juice"]);
  call.participants.update("ada", { display_name: "Zoe" });
  await pass(200);
  assert.deepEqual([document.activeElement === select, pickers().indexOf(select)], [true, 1]);
  call.participants.remove("ben");
  await pass(200);
  assert.equal(document.activeElement, byId("breakout-title"));
});

test("where people choose they join and return, and see nothing of the host's", async () => {
  const { call } = make({ controls: false, rooms: { choose: true } });
  assert.equal(shown("plan", "terms", "now", "host", "places"), "now");
  joins()[2].click();
  await settle();
  assert.deepEqual([call.asked, byId("breakout-dialog").open], [[["chooseRoom", "r2"]], false]);
});

test("it opens to those alone whom it concerns, and closes when it does not any more", async () => {
  const { call, dialog } = make({ controls: false, rooms: {} });
  assert.deepEqual([dialog.concerns, byId("breakout-dialog").open], [false, false]);
  call.open({ choose: true });
  dialog.show();
  assert.equal(byId("breakout-dialog").open, true);
  call.breakout.take({ rooms: [] });
  await pass(200);
  assert.equal(byId("breakout-dialog").open, false);
});

test("rooms that close while a host looks at them leave the plan, with the focus in it", async () => {
  const { call } = make({ rooms: {} });
  byId("breakout-soon").focus();
  call.breakout.take({ rooms: [] });
  await pass(200);
  assert.equal(shown("plan", "terms", "now", "host", "places"), "plan terms places");
  assert.equal(document.activeElement, byId("breakout-title"));
});

test("where the button that opened it is gone, the meeting has the focus", () => {
  make({ rooms: {} });
  document.activeElement = document.body;
  byId("breakout-dialog").close();
  assert.equal(document.activeElement, byId("topic-title"));
});

test("of very many people a hundred are shown, and the others are found by their names", async () => {
  make({ names: Array.from({ length: 130 }, (_, place) => `Guest ${1000 + place}`) });
  assert.deepEqual([pickers().length, byId("breakout-find").hidden], [100, false]);
  assert.match(byId("breakout-rest").textContent, /30 more/);
  byId("breakout-find").value = "guest 1129";
  fire(byId("breakout-find"), "input");
  assert.deepEqual([pickers().length, byId("breakout-rest").hidden], [1, true]);
});

test("after the meeting nothing of it is drawn", async () => {
  const { call, dialog } = make({ rooms: {} });
  dialog.close();
  call.come("Cy");
  await pass(2_000);
  assert.deepEqual([pickers(), byId("breakout-rooms").children, dialog.concerns], [[], [], false]);
});
