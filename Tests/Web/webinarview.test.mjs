import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { lay } from "./elements.mjs";
import { reset } from "./fakes.mjs";

const { Participants } = await load("participants");
const { Webinar } = await load("webinar");
const { WebinarView } = await load("webinarview");
const { entranceWords, hereWords, lineWords } = await load("webinarwords");

const byId = (id) => document.getElementById(id);
const heard = () => byId("announcer").children.map(({ textContent }) => textContent);
const toasts = () => byId("toasts").children.map(({ textContent }) => textContent);
const notices = () => byId("notices").children.map((card) => card.querySelector("strong").textContent);

class FakeCall extends EventTarget {
  meeting = { settings: { webinar: true } };
  participants = new Participants();
  webinar = new Webinar(this.participants, () => this.meeting);

  constructor(role) {
    super();
    this.you = { participant_id: "me", role };
  }

  get watching() {
    return this.you.role === "attendee";
  }

  become(role) {
    this.you = { ...this.you, role };
    this.dispatchEvent(new CustomEvent("role", { detail: role }));
  }
}

function make(role, attendees = 312) {
  const call = new FakeCall(role);
  call.webinar.enter({ attendees });
  let changes = 0;
  const view = new WebinarView(() => (changes += 1));
  view.open(call);
  return { call, view, changes: () => changes };
}

beforeEach(() => {
  reset();
  lay();
});

test("a calm line says that one watches, and how many do", () => {
  const { call, changes } = make("attendee");
  const line = byId("webinar-line");
  assert.deepEqual([line.hidden, byId("webinar-words").textContent], [false, "You are watching · 312 attendees"]);
  const before = changes();
  call.webinar.enter({ attendees: 1 });
  assert.deepEqual([byId("webinar-words").textContent, changes() - before], ["You are watching · 1 attendee", 1]);
  assert.deepEqual(heard(), []);
  call.meeting = {};
  call.dispatchEvent(new CustomEvent("meeting"));
  assert.equal(line.hidden, true);
});

test("where nobody is seen an attendee is not asked to invite others", () => {
  const { call } = make("attendee");
  assert.deepEqual([byId("alone-title").textContent, byId("alone-share").hidden], ["Nobody is on the panel yet", true]);
  call.become("panelist");
  assert.deepEqual([byId("alone-title").textContent, byId("alone-share").hidden], ["You are the first one here", false]);
});

test("who is promoted has a notice, hears of it once, and needs it no more when something is open", () => {
  const { call, view } = make("attendee");
  call.become("panelist");
  assert.deepEqual([notices(), toasts()], [["You are on the panel now"], []]);
  assert.deepEqual(heard(), ["You are on the panel now: you may open your microphone and camera"]);
  assert.equal(byId("notices").children[0].getAttribute("role"), null, "read out by the announcement alone");
  assert.equal(byId("webinar-words").textContent, "You are on the panel · 312 attendees");
  view.review({ audioOn: false, videoOn: false });
  assert.equal(notices().length, 1);
  view.review({ audioOn: false, videoOn: true });
  assert.deepEqual(notices(), []);
});

test("who is demoted is told so, and the notice goes", () => {
  const { call } = make("attendee");
  call.become("panelist");
  call.become("attendee");
  assert.deepEqual([notices(), toasts()], [[], ["You are watching now: your microphone, camera and screen are off"]]);
  call.become("co_host");
  assert.equal(toasts().at(-1), "You are a co-host now");
  call.become("panelist");
  assert.equal(toasts().at(-1), "You have no host controls any more");
});

test("after the meeting nothing is told", () => {
  const { call, view } = make("attendee");
  view.close();
  call.become("panelist");
  assert.deepEqual([notices(), heard(), byId("webinar-line").hidden], [[], [], true]);
});

test("words say how many are on the panel, and how many watch", () => {
  const call = (onPanel, watching, on = true) => ({ participants: { onPanel }, watching, webinar: { on, attendees: on ? 1_312 : 0 } });
  assert.equal(entranceWords(call(2, true)), "You are watching. 2 people are on the panel. 1,312 attendees.");
  assert.equal(entranceWords(call(0, true)), "You are watching. Nobody is on the panel. 1,312 attendees.");
  assert.equal(entranceWords(call(1, false)), "You are on the panel with one other person. 1,312 attendees.");
  assert.equal(entranceWords(call(0, false, false)), "You are in the meeting with nobody else yet.");
  assert.equal(entranceWords(call(3, false, false)), "You are in the meeting with 3 other people.");
  assert.deepEqual([hereWords(3, call(2, false).webinar), hereWords(3, call(2, false, false).webinar)], [
    "3 on the panel, 1,312 attendees", "3 here",
  ]);
  assert.equal(lineWords(false, 0), "You are on the panel · 0 attendees");
});
