import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { lay } from "./elements.mjs";
import { pass, reset, settle } from "./fakes.mjs";

const { Door } = await load("door");
const { ServiceError } = await load("errors");
const { Waiters } = await load("waiters");

const PANEL = {
  panel: ["panel-title", "waiters"],
  waiters: ["waiters-title", "admit-all", "waiter-list", "waiters-more"],
};
const byId = (id) => document.getElementById(id);
const texts = (id) => byId(id).children.map(({ textContent }) => textContent);
const rows = () => byId("waiter-list").children;
const buttonOf = (row, label) => rows()[row].children.find(({ textContent }) => textContent === label);
const focused = () => document.activeElement.getAttribute("aria-label");

/** A call whose answers the test gives. */
class FakeCall extends EventTarget {
  controls = true;
  waiters = new Waiters();
  asked = [];

  #ask(...asked) {
    return new Promise((resolve, reject) => this.asked.push({ asked: asked.join(" "), resolve, reject }));
  }

  admit(id) {
    return this.#ask("admit", id);
  }

  admitAll() {
    return this.#ask("all");
  }

  deny(id) {
    return this.#ask("deny", id);
  }

  come(...names) {
    this.waiters.take({ arrived: names.map((name) => ({ participant_id: name, display_name: name })) });
  }
}

function open({ panel = true, names = [] } = {}) {
  byId("panel").hidden = !panel;
  const call = new FakeCall();
  let shown = 0;
  const onShow = () => {
    byId("panel").hidden = false;
    door.seen();
    shown += 1;
  };
  const door = new Door({ onShow, changed: () => {} });
  call.come(...names);
  door.open(call);
  return { call, door, shown: () => shown };
}

beforeEach(() => {
  reset();
  lay(PANEL);
});

test("those who wait are listed, with how many they are", async () => {
  const { call } = open();
  assert.deepEqual([byId("waiters").hidden, byId("wait-count").hidden], [true, true]);
  call.come("Ada");
  await pass(200);
  assert.deepEqual([texts("waiter-list"), byId("waiters-title").textContent], [["AdaAdmitDeny"], "1 waits to be let in"]);
  assert.equal(byId("admit-all").hidden, true);
  call.come("<b>Ben</b>");
  await pass(200);
  assert.deepEqual([texts("waiter-list")[1], byId("wait-count").textContent], ["<b>Ben</b>AdmitDeny", "2"]);
  assert.deepEqual([byId("waiters").hidden, byId("admit-all").hidden], [false, false]);
});

test("no more than a hundred are drawn, and the next come up", async () => {
  const { call } = open({ names: Array.from({ length: 130 }, (_, place) => `p${place}`) });
  assert.deepEqual([rows().length, byId("waiters-more").hidden, byId("waiters-more").textContent], [100, false, "and 30 more"]);
  assert.equal(byId("wait-count").textContent, "99+");
  call.waiters.take({ left: Array.from({ length: 30 }, (_, place) => `p${place}`) });
  await pass(200);
  assert.deepEqual([rows().length, byId("waiters-more").hidden, texts("waiter-list")[99]], [100, true, "p129AdmitDeny"]);
});

test("somebody is let in once, and gone when the server has done it", async () => {
  const { call } = open({ names: ["Ada", "Ben"] });
  buttonOf(0, "Admit").click();
  buttonOf(0, "Admit").click();
  buttonOf(0, "Deny").click();
  await pass(200);
  assert.deepEqual(call.asked.map(({ asked }) => asked), ["admit Ada"]);
  assert.equal(buttonOf(0, "Deny").getAttribute("aria-disabled"), "true");
  call.asked[0].resolve({});
  await pass(200);
  assert.deepEqual(texts("waiter-list"), ["BenAdmitDeny"]);
});

test("who was denied is gone too, and that is said", async () => {
  const { call } = open({ names: ["Ada"] });
  buttonOf(0, "Deny").click();
  call.asked[0].resolve({});
  await pass(200);
  assert.deepEqual([call.asked[0].asked, byId("waiters").hidden, texts("toasts")], ["deny Ada", true, ["Ada was not let in"]]);
});

test("what the server refuses is told, and may be asked again; who has gone is gone", async () => {
  const { call } = open({ names: ["Ada", "Ben"] });
  buttonOf(0, "Admit").click();
  call.asked[0].reject(new ServiceError({ status: 503, code: "meeting_full" }));
  await pass(200);
  assert.deepEqual([texts("toasts"), rows().length], [["The meeting is full"], 2]);
  buttonOf(0, "Admit").click();
  call.asked[1].reject(new ServiceError({ status: 404, code: "participant_not_found" }));
  await pass(200);
  assert.deepEqual(texts("waiter-list"), ["BenAdmitDeny"]);
});

test("all are let in by one message", async () => {
  const { call } = open({ names: ["Ada", "Ben"] });
  byId("admit-all").focus();
  byId("admit-all").click();
  assert.deepEqual(call.asked.map(({ asked }) => asked), ["all"]);
  call.waiters.take({ left: ["Ada", "Ben"] });
  await pass(200);
  assert.deepEqual([byId("waiters").hidden, document.activeElement === byId("panel-title")], [true, true]);
});

test("the focus goes on to the same button of the next one", async () => {
  const { call } = open({ names: ["Ada", "Ben", "Cy"] });
  buttonOf(1, "Deny").focus();
  call.come("Dee");
  await pass(200);
  assert.equal(focused(), "Deny Ben");
  call.waiters.take({ left: ["Ben"] });
  await pass(200);
  assert.equal(focused(), "Deny Cy");
  call.waiters.take({ left: ["Cy", "Dee"] });
  await pass(200);
  assert.equal(focused(), "Deny Ada");
  call.waiters.take({ left: ["Ada"] });
  await pass(200);
  assert.equal(document.activeElement, byId("panel-title"));
});

test("while the list is not in view a notice says who waits, the same one for all, and quietly", async () => {
  const { call, shown } = open({ panel: false });
  call.come("Ada");
  await pass(1_000);
  const [card] = byId("notices").children;
  assert.deepEqual([card.querySelector("strong").textContent, card.getAttribute("role")], ["Ada is waiting to be let in", null]);
  call.come("Ben", "Cy");
  await pass(200);
  assert.deepEqual([byId("notices").children, card.querySelector("strong").textContent], [[card], "3 people are waiting to be let in"]);
  assert.deepEqual(texts("announcer"), ["Ada is waiting to be let in"]);
  await pass(12_000);
  assert.deepEqual([byId("notices").children, texts("announcer")], [[card], ["3 people are waiting to be let in"]]);
  card.children.find(({ textContent }) => textContent === "Show").click();
  assert.deepEqual([shown(), byId("notices").children.length, document.activeElement], [1, 0, byId("waiters-title")]);
});

test("a notice that was put away comes back with the next one, and goes when nobody waits", async () => {
  const { call } = open({ panel: false, names: ["Ada"] });
  await pass(1_000);
  byId("notices").children[0].children.find(({ textContent }) => textContent === "Not now").click();
  await pass(20_000);
  assert.equal(byId("notices").children.length, 0);
  call.come("Ben");
  await pass(1_000);
  assert.equal(byId("notices").children.length, 1);
  call.waiters.take({ left: ["Ada", "Ben"] });
  await pass(200);
  assert.deepEqual([byId("notices").children.length, byId("wait-count").hidden], [0, true]);
});

test("where the list is in view nothing stands over the meeting", async () => {
  open({ names: ["Ada"] });
  await pass(1_000);
  assert.deepEqual([byId("notices").children.length, texts("announcer")], [0, ["Ada is waiting to be let in"]]);
});

test("who is no host any more sees nobody, and neither does the next meeting", async () => {
  const { call, door } = open({ panel: false, names: ["Ada"] });
  await pass(1_000);
  call.controls = false;
  call.dispatchEvent(new CustomEvent("role"));
  await pass(200);
  assert.deepEqual([door.count, byId("waiters").hidden, byId("notices").children.length], [0, true, 0]);
  call.controls = true;
  door.close();
  await settle();
  assert.deepEqual([door.count, rows().length], [0, 0]);
});
