import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { lay } from "./elements.mjs";
import { reset } from "./fakes.mjs";

const { Lobby } = await load("lobby");
const { dropHostKey, keepHostKey } = await load("host");

const byId = (id) => document.getElementById(id);
const LINK = "https://meet.example/?meeting=123-456-789";

class FakeDevices extends EventTarget {
  tracks = { audio: null, video: null };
  problems = { audio: null, video: null };
  audioOn = true;
  videoOn = true;

  async list() {
    return [];
  }
}

/** The lobby's elements: a fieldset with the two purposes, and buttons with their words. */
function make({ meeting = "123-456-789", webinar = false, purpose = "join" } = {}) {
  const looked = [];
  const purposes = byId("purpose");
  let chosen = purpose;
  purposes.hidden = purpose !== "create";
  purposes.querySelector = (selector) => (selector === ":checked" ? { value: chosen } : { set checked(_) {} });
  byId("join-button").append(document.createElement("span"));
  for (const id of ["name", "meeting", "topic", "password"]) byId(id).value = "";
  const options = { meeting, webinar, name: "Ana", onInterest() {}, onLook: (looks) => looked.push(looks), onJoin() {} };
  const lobby = new Lobby(new FakeDevices(), options);
  const choose = (value) => {
    chosen = value;
    purposes.hidden = false;
    purposes.dispatchEvent(new Event("change"));
  };
  const paste = (text) => {
    byId("meeting").value = text;
    byId("meeting").dispatchEvent(new Event("input"));
  };
  return { lobby, looked, choose, paste };
}

const promise = () => byId("lobby-promise").textContent;

beforeEach(() => {
  reset();
  lay();
  document.body.dataset.view = "lobby";
  globalThis.matchMedia = () => ({ matches: false });
  dropHostKey("123-456-789");
});

test("who follows the link to a webinar is asked for a name, and for no devices", () => {
  const { lobby, looked } = make({ webinar: true });
  assert.deepEqual([lobby.looks, byId("look").hidden, looked], [false, true, []]);
  assert.equal(promise(), "You will watch. Nobody sees or hears you.");
  assert.equal(byId("waiting-promise").textContent, "You come in by yourself as soon as they let you in.");
});

test("who follows another link, or has the key of the webinar, looks into the mirror", () => {
  assert.equal(make().lobby.looks, true);
  keepHostKey("123-456-789", "k3y");
  const { lobby } = make({ webinar: true });
  assert.deepEqual([lobby.looks, byId("look").hidden], [true, false]);
  assert.match(promise(), /as the host/);
});

test("a link that is pasted, and another purpose, change what is asked for", () => {
  const { lobby, looked, choose, paste } = make({ meeting: "" });
  paste(`${LINK}&webinar=1`);
  assert.deepEqual([lobby.looks, looked], [false, [false]]);
  choose("create");
  assert.deepEqual([byId("webinar-field").hidden, looked], [false, [false, true]]);
  choose("join");
  paste("987-654-321");
  assert.deepEqual([lobby.looks, looked, byId("webinar-field").hidden], [true, [false, true, false, true], true]);
});

test("a webinar is made by choice", () => {
  const { lobby } = make({ meeting: "", purpose: "create" });
  assert.equal(lobby.wish().webinar, false);
  byId("webinar").checked = true;
  assert.deepEqual([lobby.wish().create, lobby.wish().webinar], [true, true]);
});
