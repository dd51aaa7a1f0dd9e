import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./client.mjs";

const { Draft } = await load("draft");

const ben = (more = {}) => ({ chat_id: "c1", sender_id: "b", sender_name: "Ben", text: "Hi", ...more });
const own = (more = {}) => ({ chat_id: "c2", sender_id: "me", sender_name: "Ana", text: "mine", ...more });

function write(text) {
  const draft = new Draft("me");
  draft.text = text;
  return draft;
}

test("there is something to send within the limit, and not twice", () => {
  assert.equal(write(" \n ").ready, false);
  assert.equal(write("x".repeat(2_001)).ready, false);
  assert.equal(write("😀".repeat(2_000)).ready, true);
  const draft = write(" Hello \n");
  assert.equal(draft.send().text, "Hello");
  assert.equal(draft.ready, false);
});

test("what was sent leaves the field, and what was typed meanwhile stays", () => {
  const draft = write("Hello");
  draft.answer(ben());
  const { replyTo, recipient, editing } = draft.send();
  assert.deepEqual([replyTo, recipient, editing], ["c1", null, null]);
  draft.text = "Hello and";
  draft.sent();
  assert.deepEqual([draft.text, draft.reply, draft.ready], [" and", null, true]);
});

test("what was not sent stays", () => {
  const draft = write("Hello");
  draft.address("b", "Ben");
  draft.send();
  draft.failed(true);
  assert.deepEqual([draft.text, draft.recipient, draft.ready], ["Hello", "b", true]);
  assert.equal(draft.arrived(own({ text: "Hello", recipient_id: "b" })), false);
});

test("what nobody knew of and came after all is not sent twice", () => {
  const draft = write("Hello");
  draft.address("b", "Ben");
  draft.send();
  draft.failed(false);
  assert.equal(draft.arrived(own({ text: "Hello" })), false, "that one was to everybody");
  assert.equal(draft.arrived(ben({ text: "Hello", recipient_id: "b" })), false, "that one was Ben's");
  assert.equal(draft.arrived(own({ text: "Hello", recipient_id: "b" })), true);
  assert.equal(draft.text, "");
});

test("who left is written to no more, and nobody reads it in their place", () => {
  const draft = write("Only you");
  draft.address("b", "Ben");
  draft.review((id) => id !== "b");
  assert.deepEqual([draft.gone, draft.ready, draft.recipient, draft.recipientName], [true, false, "b", "Ben"]);
  draft.review(() => true);
  assert.equal(draft.ready, true, "they are back");
  draft.review(() => false);
  draft.address(null);
  assert.deepEqual([draft.gone, draft.ready, draft.recipient], [false, true, null]);
});

test("an answer to a private message is private, or is no answer to it", () => {
  const draft = write("Yes");
  draft.answer(ben({ recipient_id: "me" }), "Ben");
  assert.deepEqual([draft.recipient, draft.reply.chat_id], ["b", "c1"]);
  draft.address(null);
  assert.deepEqual([draft.recipient, draft.reply], [null, null]);
  draft.answer(own({ recipient_id: "c" }), "Cyd");
  assert.equal(draft.recipient, "c");
  draft.address("b", "Ben");
  draft.answer(ben());
  assert.deepEqual([draft.recipient, draft.reply.chat_id], ["b", "c1"], "one to everybody may be answered in private");
});

test("what is taken back is not answered, and what is changed is as it is now", () => {
  const draft = write("Yes");
  draft.answer(ben());
  draft.refresh(ben({ chat_id: "c9", deleted: true }));
  draft.refresh(ben({ text: "Hi all" }));
  assert.equal(draft.reply.text, "Hi all");
  draft.refresh(ben({ deleted: true }));
  assert.deepEqual([draft.reply, draft.text], [null, "Yes"]);
});

test("to change a message puts aside what was being written", () => {
  const draft = write("half a thou");
  draft.answer(ben());
  draft.address("b", "Ben");
  draft.review(() => false);
  draft.edit(own());
  assert.deepEqual([draft.text, draft.reply, draft.ready], ["mine", null, true], "a change is for those who had it");
  draft.edit(own({ chat_id: "c3", text: "other" }));
  draft.text = "changed";
  const { editing, text, recipient } = draft.send();
  assert.deepEqual([editing, text, recipient], ["c3", "changed", null]);
  draft.sent();
  assert.deepEqual([draft.text, draft.reply.chat_id, draft.editing, draft.gone], ["half a thou", "c1", null, true]);
  draft.edit(own());
  draft.endEdit();
  assert.equal(draft.text, "half a thou");
});

test("a message that is taken while another one is changed leaves what was put aside", () => {
  const draft = write("Hello");
  draft.send();
  draft.edit(own());
  draft.sent();
  draft.endEdit();
  assert.deepEqual([draft.text, draft.editing], ["", null]);
});

test("who comes in again goes on writing, to nobody who may be another one", () => {
  const draft = write("Only you");
  draft.answer(ben({ recipient_id: "me" }), "Ben");
  draft.keepOver("me2");
  draft.review(() => false);
  assert.deepEqual([draft.text, draft.reply, draft.recipient, draft.ready], ["Only you", null, "b", false]);
});

test("where one may not write to everybody, a host is chosen first", () => {
  const draft = write("Hello");
  const isHost = (id) => id === "h";
  draft.review(() => true, isHost);
  assert.deepEqual([draft.barred, draft.ready], [true, false]);
  draft.address("b", "Ben");
  assert.equal(draft.ready, false);
  draft.address("h", "Hanna");
  assert.deepEqual([draft.barred, draft.ready], [false, true]);
  draft.review(() => false);
  assert.deepEqual([draft.gone, draft.barred, draft.ready], [true, false, false]);
  draft.edit(own());
  assert.equal(draft.ready, true, "what was written may be changed");
});

const TEA = { id: "r1", name: "Tea" };
const COFFEE = { id: "r2", name: "Coffee" };

test("what is written in a breakout room is for it, and outside for everybody", () => {
  const draft = write("");
  draft.enter(TEA);
  draft.text = "Hello";
  assert.deepEqual([draft.send().room, draft.recipient], ["r1", null]);
  draft.sent();
  draft.enter(null);
  draft.text = "Hello";
  assert.deepEqual([draft.gone, draft.ready, draft.send().room], [false, true, null]);
});

test("what was begun for a room goes to nobody else without its writer's word", () => {
  const draft = write("");
  draft.enter(TEA);
  draft.text = "Only for Tea";
  for (const room of [COFFEE, null]) {
    draft.enter(room);
    draft.review(() => true);
    assert.deepEqual([draft.gone, draft.ready, draft.room], [true, false, TEA]);
  }
  draft.enter(TEA);
  assert.deepEqual([draft.gone, draft.ready], [false, true]);
  draft.enter(COFFEE);
  draft.address(null, "", COFFEE);
  assert.deepEqual([draft.gone, draft.send().room], [false, "r2"]);
});

test("what was begun for everybody or for one stays so in a room", () => {
  const draft = write("For all");
  draft.enter(TEA);
  assert.deepEqual([draft.room, draft.ready, draft.send().room], [null, true, null]);
  const other = write("");
  other.address("b", "Ben");
  other.enter(TEA);
  assert.deepEqual([other.recipient, other.room], ["b", null]);
});

test("what was said in a room is answered there, and quoted nowhere else", () => {
  const draft = write("");
  draft.enter(TEA);
  draft.address(null);
  draft.answer(ben({ room_id: "r1" }), "", TEA);
  assert.deepEqual([draft.room, draft.reply?.chat_id], [TEA, "c1"]);
  draft.address(null);
  assert.equal(draft.reply, null);
  draft.answer(ben({ room_id: "r2" }), "", TEA);
  assert.equal(draft.reply, null);
});

test("while a message is changed, what was begun for a room is kept for it", () => {
  const draft = write("");
  draft.enter(TEA);
  draft.text = "Only for Tea";
  draft.edit(own());
  draft.enter(null);
  draft.endEdit();
  assert.deepEqual([draft.text, draft.room, draft.gone, draft.ready], ["Only for Tea", TEA, true, false]);
  const other = write("");
  other.enter(TEA);
  other.edit(own());
  other.enter(COFFEE);
  assert.deepEqual([other.room, other.gone], [COFFEE, false], "there was nothing for Tea");
});

test("what nobody knew of has arrived when it came to the same room", () => {
  const draft = write("");
  draft.enter(TEA);
  draft.text = "Hello";
  draft.send();
  draft.failed(false);
  assert.equal(draft.arrived(own({ text: "Hello" })), false, "that one was to everybody");
  assert.equal(draft.arrived(own({ text: "Hello", room_id: "r1" })), true);
});
