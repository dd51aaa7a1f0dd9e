import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { lay } from "./elements.mjs";
import { reset } from "./fakes.mjs";

const { WaitingView, waitingTitle } = await load("waiting");

const LOBBY = {
  "lobby-view": ["preview-camera", "entry", "waiting"],
  entry: ["join-button"],
  waiting: ["waiting-title", "waiting-topic", "waiting-words", "waiting-leave"],
};
const byId = (id) => document.getElementById(id);
const said = () => byId("announcer").children.map(({ textContent }) => textContent);
const isFocused = (id) => document.activeElement === byId(id);

/** The view, with how often its user left. */
function make(focus = "join-button") {
  byId("waiting").hidden = true;
  byId(focus).focus();
  let left = 0;
  const view = new WaitingView({ onLeave: () => (left += 1) });
  return { view, left: () => left };
}

beforeEach(() => {
  reset();
  lay(LOBBY);
});

test("who waits sees for what in the place of the form, and may leave", () => {
  const { view, left } = make();
  view.show({ topic: "<i>Tea</i>", away: false });
  assert.deepEqual([byId("entry").hidden, byId("waiting").hidden], [true, false]);
  assert.deepEqual([byId("waiting-topic").textContent, byId("waiting-topic").children], ["<i>Tea</i>", []]);
  byId("waiting-leave").click();
  assert.equal(left(), 1);
  assert.deepEqual([waitingTitle("Tea"), waitingTitle("")], ["Waiting to be let in: Tea", "Waiting to be let in"]);
});

test("it is said once, by the focus where that has nowhere else to be", () => {
  const { view } = make();
  view.show({ topic: "Tea", away: false });
  assert.deepEqual([isFocused("waiting-title"), said()], [true, []]);
  byId("waiting-leave").focus();
  view.show({ topic: "Tea", away: true });
  view.show({ topic: "Tea", away: false });
  assert.deepEqual([isFocused("waiting-leave"), said()], [true, []]);
});

test("who is at the preview's buttons stays there, and is told", () => {
  const { view } = make("preview-camera");
  view.show({ topic: "Tea", away: false });
  view.show({ topic: "Tea", away: false });
  assert.deepEqual([isFocused("preview-camera"), said()], [true, ["Waiting to be let in: Tea"]]);
});

test("a connection that is interrupted is told, and that it is back", () => {
  const { view } = make();
  view.show({ topic: "Tea", away: true });
  assert.match(byId("waiting-words").textContent, /interrupted/);
  view.show({ topic: "Tea", away: false });
  assert.match(byId("waiting-words").textContent, /hosts can see/);
});

test("afterwards the form is back, with the focus of who was here", () => {
  const { view } = make();
  view.show({ topic: "Tea", away: false });
  view.close();
  assert.deepEqual([byId("entry").hidden, byId("waiting").hidden, isFocused("join-button")], [false, true, true]);
  assert.equal(byId("lobby-view").getAttribute("aria-labelledby"), "lobby-title");
});
