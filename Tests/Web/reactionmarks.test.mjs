import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { lay } from "./elements.mjs";
import { reset } from "./fakes.mjs";

globalThis.ResizeObserver = class {
  observe() {}
};

const { Breakout } = await load("breakout");
const { Models } = await load("models");
const { Participants } = await load("participants");
const { PeoplePanel } = await load("people");
const { TileBoard } = await load("tiles");

const byId = (id) => document.getElementById(id);

/** What the tiles and the list show of Ana, who is us, and Ben, by what each reacts with. */
function make() {
  const reacting = {};
  const own = { audioOn: true, videoOn: false, hand: false, speaking: false, stream: null };
  const grades = { of: () => "good", statsOf: () => null };
  const models = new Models(own, grades, { of: (id) => reacting[id] ?? "" });
  const participants = new Participants();
  participants.add({ participant_id: "ben", display_name: "Ben", audio: true });
  const slots = { pictureOf: () => null, isPaused: () => false, screenOwner: () => null };
  const you = { participant_id: "me", display_name: "Ana" };
  const breakout = new Breakout(participants, () => "me");
  models.open({ you, participants, breakout, slots, sharing: { on: false }, media: {} });
  const board = new TileBoard(byId("board"), { onPin() {}, onFrame() {}, onResize() {} });
  const panel = new PeoplePanel({ has: () => false, review() {}, toggleMenu() {} });
  const draw = (more) => {
    Object.assign(reacting, more);
    board.render([models.own(), ...models.others()], { stage: null, floating: null, page: 0 });
    panel.render(models.people());
  };
  return { draw };
}

const isMark = (element) => element.classList.contains("reaction");
const marks = (id) => byId(id).children.map((row) => row.children.find(isMark).textContent);
const words = (row) => row.children.find((each) => each.classList.contains("visually-hidden")).textContent;

beforeEach(() => {
  reset();
  lay();
  Object.assign(byId("board"), { clientWidth: 800, clientHeight: 600 });
});

test("what somebody reacts with is on their tile and beside their name, and what comes later is there instead", () => {
  const { draw } = make();
  draw({});
  assert.deepEqual([marks("board"), marks("people")], [["", ""], ["", ""]]);
  draw({ ben: "😂" });
  assert.deepEqual([marks("board"), marks("people")], [["", "😂"], ["", "😂"]]);
  draw({ ben: "❤️", me: "👍" });
  assert.deepEqual([marks("board"), marks("people")], [["👍", "❤️"], ["👍", "❤️"]]);
  assert.equal(byId("board").children[1].classList.contains("reacting"), true);
  draw({ ben: "", me: "" });
  assert.deepEqual([marks("board"), marks("people")], [["", ""], ["", ""]]);
  assert.equal(byId("board").children[1].classList.contains("reacting"), false);
});

test("who reads a tile or the list hears the spoken name, and the mark itself is not read", () => {
  const { draw } = make();
  draw({ ben: "🎉" });
  for (const id of ["board", "people"]) {
    const row = byId(id).children[1];
    assert.match(words(row), /reacted with celebration/);
    assert.equal(row.children.find(isMark).getAttribute("aria-hidden"), "true");
  }
});

test("what comes from the network is text", () => {
  const { draw } = make();
  draw({ ben: "<img src=x onerror=a()>" });
  for (const id of ["board", "people"]) {
    const mark = byId(id).children[1].children.find(isMark);
    assert.deepEqual([mark.children.length, mark.textContent], [0, "<img src=x onerror=a()>"]);
  }
});
