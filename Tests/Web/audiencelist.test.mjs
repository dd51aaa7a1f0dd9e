import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { lay } from "./elements.mjs";
import { reset } from "./fakes.mjs";

const { PeoplePanel } = await load("people");

const byId = (id) => document.getElementById(id);
const person = (id, more = {}) => ({
  id, name: id.toUpperCase(), role: "attendee", self: id === "me", audio: false, video: false, screen: false, hand: false,
  reaction: "", mutedByHost: false, speaking: false, away: false, grade: "good", stats: null, where: "", ...more,
});
const crowd = (count) => Array.from({ length: count }, (_, n) => person(`p${n}`));
const rows = () => byId("audience-list").children;
const names = () => rows().map((row) => row.children[1].children[0].textContent);
const more = (row) => row.children.find(({ tag }) => tag === "button");

/** A panel over a webinar with these people, that is drawn again when others are looked for. */
function make(audience, seen = []) {
  const view = { audience, panel: null, made: 0 };
  const { createElement } = document;
  view.powers = { has: () => true, review: (people) => (view.reviewed = people), toggleMenu() {} };
  view.draw = () => view.panel.render(seen, [], view.audience);
  view.panel = new PeoplePanel(view.powers, () => view.draw());
  view.count = () => {
    let made = 0;
    document.createElement = (tag) => {
      made += 1;
      return createElement(tag);
    };
    view.draw();
    document.createElement = createElement;
    return made;
  };
  view.draw();
  return view;
}

const whole = (people) => ({ people, count: people.length, whole: true });
const find = (words) => {
  byId("audience-find").value = words;
  byId("audience-find").dispatchEvent(new Event("input"));
};

beforeEach(() => {
  reset();
  lay({ panel: ["panel-title", "people-title", "people", "people-far", "audience"],
    audience: ["audience-title", "audience-find", "audience-list", "audience-rest"] });
});

test("a meeting that is no webinar has one list", () => {
  make(null, [person("me", { role: "participant" })]);
  assert.deepEqual([byId("audience").hidden, byId("people-title").hidden, byId("people").children.length], [true, true, 1]);
});

test("hosts see the panel and those who watch apart, and a mark of what these do not give", () => {
  const view = make(whole(crowd(3)), [person("me", { role: "host" })]);
  assert.deepEqual([byId("audience-title").textContent, names()], ["Attendees (3)", ["P0", "P1", "P2"]]);
  assert.deepEqual([byId("people").children.length, byId("people-title").hidden, view.reviewed.length], [1, false, 4]);
  const marks = (row) => row.children.filter((each) => each.classList.contains("none")).length;
  assert.deepEqual([marks(rows()[0]), marks(byId("people").children[0])], [3, 0]);
  const words = rows()[0].children.at(-2).textContent;
  assert.equal(words, "");
});

test("the others see how many watch, and themselves", () => {
  make({ people: [person("me")], count: 1_312, whole: false }, [person("host", { role: "host" })]);
  assert.deepEqual([byId("audience-title").textContent, names()], ["1,312 attendees", ["ME"]]);
  assert.equal(byId("audience-rest").hidden, true);
});

test("of a thousand a hundred have a row, and to draw them again makes none", () => {
  const view = make(whole(crowd(1_000)));
  assert.deepEqual([rows().length, byId("audience-rest").hidden], [100, false]);
  assert.equal(byId("audience-rest").textContent, "and 900 more");
  assert.equal(view.count(), 0);
  view.audience = whole(crowd(90));
  view.draw();
  assert.deepEqual([rows().length, byId("audience-rest").hidden], [90, true]);
});

test("with more than thirty one is found by the name, whichever place they have", () => {
  const view = make(whole(crowd(30)));
  assert.equal(byId("audience-find").hidden, true);
  view.audience = whole([...crowd(500), person("zoë")]);
  view.draw();
  assert.equal(byId("audience-find").hidden, false);
  find(" ZOË");
  assert.deepEqual([names(), byId("audience-title").textContent], [["ZOË"], "Attendees (501)"]);
  find("nobody");
  assert.deepEqual([names(), byId("audience-rest").textContent, byId("audience-rest").hidden], [[], "Nobody is called so.", false]);
  // The field stays while something is looked for.
  view.audience = whole(crowd(3));
  view.draw();
  assert.equal(byId("audience-find").hidden, false);
  const escape = Object.assign(new Event("keydown", { cancelable: true }), { key: "Escape" });
  byId("audience-find").dispatchEvent(escape);
  assert.deepEqual([escape.defaultPrevented, rows().length, byId("audience-find").hidden], [true, 3, true]);
  const again = Object.assign(new Event("keydown", { cancelable: true }), { key: "Escape" });
  byId("audience-find").dispatchEvent(again);
  assert.equal(again.defaultPrevented, false);
});

test("a row that moves to the panel takes the focus along, and one that goes gives it to the title", () => {
  const view = make(whole([person("a"), person("b")]));
  more(rows()[1]).focus();
  view.audience = whole([person("a")]);
  view.panel.render([person("b", { role: "panelist" })], [], view.audience);
  assert.deepEqual([names(), document.activeElement], [["A"], more(byId("people").children[0])]);
  more(rows()[0]).focus();
  view.panel.render([], [], whole([]));
  assert.equal(document.activeElement, byId("panel-title"));
});

test("after the meeting nothing of it is left", () => {
  const view = make(whole(crowd(40)));
  find("P1");
  view.panel.clear();
  assert.deepEqual([rows().length, byId("audience-find").value, byId("audience").hidden], [0, "", true]);
});
