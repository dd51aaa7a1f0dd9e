import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { lay } from "./elements.mjs";
import { reset } from "./fakes.mjs";

globalThis.ResizeObserver = class {
  observe() {}
};

const { ChatList } = await load("chatlist");
const { Composer } = await load("composer");
const { Draft } = await load("draft");

const byId = (id) => document.getElementById(id);
const TEA = { id: "r1", name: "<i>Tea</i>" };
const choices = () => byId("chat-to").children.map((option) => option.textContent);
const chosen = () => byId("chat-to").children.find((option) => option.getAttribute("value") === byId("chat-to").value)?.textContent;

function compose() {
  const draft = new Draft("me");
  const composer = new Composer(async () => {});
  composer.use(draft);
  const offer = (room, everyone = true) => {
    draft.enter(room);
    draft.review(() => true, () => everyone);
    composer.offer([{ id: "b", name: "Ben" }], everyone, room);
  };
  const pick = (words) => {
    byId("chat-to").value = byId("chat-to").children.find((option) => option.textContent === words).getAttribute("value");
    byId("chat-to").dispatchEvent(new Event("change"));
  };
  return { draft, offer, pick };
}

beforeEach(() => {
  reset();
  lay({ "chat-form": ["chat-to", "chat-field", "chat-context"], "chat-context": ["chat-context-close"] });
  byId("chat-field").value = "";
  byId("chat-context-close").append(document.createElement("span"));
});

test("in a room one writes to it first, and may choose everybody or one", () => {
  const { draft, offer, pick } = compose();
  offer(null);
  assert.deepEqual([choices(), chosen()], [["Everyone", "Ben"], "Everyone"]);
  offer(TEA);
  assert.deepEqual(choices(), ["Everyone in <i>Tea</i>", "Everyone in the meeting", "Ben"]);
  assert.deepEqual([chosen(), byId("chat-field").placeholder], ["Everyone in <i>Tea</i>", "Message to <i>Tea</i>"]);
  pick("Everyone in the meeting");
  assert.deepEqual([draft.room, draft.recipient, chosen()], [null, null, "Everyone in the meeting"]);
  pick("Ben");
  assert.deepEqual([draft.room, draft.recipient], [null, "b"]);
  pick("Everyone in <i>Tea</i>");
  assert.deepEqual([draft.room, draft.recipient], [TEA, null]);
});

test("what was written for a room that was left waits for another choice", () => {
  const { draft, offer, pick } = compose();
  offer(TEA);
  draft.text = "Only for Tea";
  offer(null);
  assert.deepEqual([choices(), chosen()], [["<i>Tea</i> (left)", "Everyone", "Ben"], "<i>Tea</i> (left)"]);
  assert.equal(byId("chat-gone").textContent, "You are not in <i>Tea</i> any more. Choose whom this message is for.");
  assert.deepEqual([byId("chat-gone").hidden, byId("chat-send").disabled], [false, true]);
  pick("Everyone");
  assert.deepEqual([byId("chat-gone").hidden, byId("chat-send").disabled, choices()], [true, false, ["Everyone", "Ben"]]);
});

test("where people may write to hosts only a room is no way round it", () => {
  const { draft, offer } = compose();
  offer(TEA);
  draft.text = "Hello";
  offer(TEA, false);
  assert.deepEqual([draft.ready, byId("chat-barred").hidden], [false, false]);
});

test("a message to a room bears the room's name as text, and is answered in that room alone", () => {
  Object.assign(byId("chat-scroll"), { scrollHeight: 0, scrollTop: 0, clientHeight: 0 });
  const list = new ChatList(byId("chat-scroll"), byId("chat-list"), {});
  const said = (number, more) => ({
    chat_id: `c${number}`, sender_id: "b", sender_name: "Ben", text: "Hi", sent_at: new Date(number * 1000).toISOString(), ...more,
  });
  const messages = [said(1), said(2, { room_id: "r1", room_name: "<i>Tea</i>" }), said(3, { room_id: "r0", room_name: "" })];
  const log = { list: () => messages, get: () => undefined };
  const all = (element) => [element, ...element.children.flatMap(all)];
  const find = (name, row) => all(row).filter((each) => each.classList.contains(name)).map((each) => each.textContent);
  const titles = (row) => all(row).map((each) => each.getAttribute("title")).filter(Boolean);
  list.render(log, { own: "me", controls: false, nameOf: () => "", divider: null, room: "r1" });
  const rows = byId("chat-list").children;
  assert.deepEqual(rows.map((row) => find("in-room", row)), [[], ["<i>Tea</i>"], ["A breakout room"]]);
  assert.deepEqual(rows.map(titles), [["Reply"], ["Reply"], []]);
  list.render(log, { own: "me", controls: false, nameOf: () => "", divider: null, room: null });
  assert.deepEqual(rows.map(titles), [["Reply"], [], []]);
});

test("an attendee who is answered and not in the list stays the choice", () => {
  const { draft, offer, pick } = compose();
  offer(null);
  draft.address("eve", "Eve");
  offer(null);
  assert.deepEqual([choices(), chosen()], [["Everyone", "Eve", "Ben"], "Eve"]);
  pick("Ben");
  offer(null);
  assert.deepEqual([choices(), draft.recipient], [["Everyone", "Ben"], "b"]);
});
