import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { pass, reset } from "./fakes.mjs";

const { SlotMap, SWITCH_PATIENCE_MS, TOLD_PATIENCE_MS } = await load("slots");

const video = (mid, participant) => ({ mid, participant_id: participant, source: "video" });

function slotsWith(...entries) {
  const slots = new SlotMap();
  slots.update(entries);
  return slots;
}

/** Counts the changes that are told from now on. */
function changes(slots) {
  const told = { count: 0 };
  slots.addEventListener("change", () => (told.count += 1));
  return told;
}

beforeEach(reset);

test("a Slot that nobody was in shows whoever comes first, at once", () => {
  const slots = slotsWith(video("5", "a"));
  assert.deepEqual(slots.pictureOf("a", "video"), { mid: "5", since: 0 });
});

test("a new name waits for the new picture", async () => {
  const slots = slotsWith(video("5", "a"));
  slots.update([video("5", "b")]);
  assert.equal(slots.midOf("b", "video"), "5");
  assert.deepEqual([slots.pictureOf("a", "video"), slots.pictureOf("b", "video")], [null, null]);
  await pass(400);
  const told = changes(slots);
  slots.switched(video(5, "b"));
  assert.equal(slots.pictureOf("b", "video").mid, "5");
  assert.equal(slots.pictureOf("b", "video").since, performance.now());
  assert.equal(told.count, 1);
  await pass(SWITCH_PATIENCE_MS * 2);
  assert.equal(told.count, 1);
});

test("without a word the picture counts as switched after a second", async () => {
  const slots = slotsWith(video("5", "a"));
  slots.update([video("5", "b")]);
  const told = changes(slots);
  await pass(SWITCH_PATIENCE_MS - 100);
  assert.deepEqual([slots.pictureOf("b", "video"), told.count], [null, 0]);
  await pass(100);
  assert.deepEqual([slots.pictureOf("b", "video").mid, told.count], ["5", 1]);
});

test("a server that says when it switches is waited for longer", async () => {
  const slots = slotsWith(video("5", "a"));
  slots.switched(video("5", "a"));
  slots.update([video("5", "b")]);
  await pass(TOLD_PATIENCE_MS - 100);
  assert.equal(slots.pictureOf("b", "video"), null);
  await pass(100);
  assert.equal(slots.pictureOf("b", "video").mid, "5");
});

test("a switch to somebody who was not announced takes the picture from its name", () => {
  const slots = slotsWith(video("5", "a"));
  const told = changes(slots);
  slots.switched(video("5", "b"));
  assert.deepEqual([slots.pictureOf("a", "video"), told.count], [null, 1]);
});

test("a switch that is out of date shows nobody wrong", async () => {
  const slots = slotsWith(video("5", "a"));
  slots.update([video("5", "b")]);
  slots.update([video("5", "c")]);
  slots.switched(video("5", "b"));
  for (const id of ["a", "b", "c"]) assert.equal(slots.pictureOf(id, "video"), null);
  slots.switched(video("5", "c"));
  assert.equal(slots.pictureOf("c", "video").mid, "5");
  await pass(SWITCH_PATIENCE_MS);
  assert.equal(slots.pictureOf("c", "video").mid, "5");
});

test("a switch may be told before the map, and one back needs none", () => {
  const slots = slotsWith(video("5", "a"));
  slots.switched(video("5", "b"));
  slots.update([video("5", "b")]);
  assert.equal(slots.pictureOf("b", "video").mid, "5");
  slots.update([video("5", "c")]);
  slots.update([video("5", "b")]);
  assert.equal(slots.pictureOf("b", "video").mid, "5");
});

test("a Slot that was emptied still shows who was in it", async () => {
  const slots = slotsWith(video("5", "a"));
  slots.release("a");
  slots.update([video("5", "b")]);
  assert.equal(slots.pictureOf("b", "video"), null);
  slots.release("b");
  const told = changes(slots);
  await pass(SWITCH_PATIENCE_MS * 2);
  assert.equal(told.count, 0);
});

test("a layer that changes is no other picture", async () => {
  const slots = slotsWith(video("5", "a"));
  const told = changes(slots);
  slots.switched({ ...video("5", "a"), layer: 2 });
  assert.deepEqual([slots.pictureOf("a", "video").since, told.count], [0, 0]);
});

test("a map that is closed or a message that says nothing changes nothing", async () => {
  const slots = slotsWith(video("5", "a"));
  slots.update([video("5", "b")]);
  slots.switched({ type: "slot_switched" });
  slots.switched({ mid: "5", participant_id: null, source: "video" });
  const told = changes(slots);
  slots.close();
  await pass(SWITCH_PATIENCE_MS * 2);
  assert.deepEqual([slots.pictureOf("b", "video"), told.count], [null, 0]);
});
