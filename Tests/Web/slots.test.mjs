import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { pass, reset } from "./fakes.mjs";

const { PAUSE_END_MS, SlotMap, SWITCH_PATIENCE_MS, TOLD_PATIENCE_MS } = await load("slots");

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
  assert.deepEqual(slots.pictureOf("a", "video"), { mid: "5", start: { since: 0 } });
});

test("a new name waits for the new picture", async () => {
  const slots = slotsWith(video("5", "a"));
  slots.update([video("5", "b")]);
  assert.equal(slots.midOf("b", "video"), "5");
  assert.deepEqual([slots.pictureOf("a", "video"), slots.pictureOf("b", "video")], [null, null]);
  await pass(400);
  const told = changes(slots);
  slots.switched({ ...video(5, "b"), rtp_timestamp: 90_000 });
  assert.equal(slots.pictureOf("b", "video").mid, "5");
  assert.deepEqual(slots.pictureOf("b", "video").start, { since: performance.now(), rtpTimestamp: 90_000 });
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
  assert.deepEqual([slots.pictureOf("a", "video").start.since, told.count], [0, 0]);
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

test("a paused Slot shows no picture until it is switched, and then from there on", async () => {
  const slots = slotsWith(video("5", "a"), video("6", "b"));
  await pass(100);
  const told = changes(slots);
  slots.paused({ mid: 5 });
  assert.deepEqual([slots.pictureOf("a", "video"), slots.isPaused("a", "video"), told.count], [null, true, 1]);
  assert.deepEqual([slots.isPaused("b", "video"), slots.isPaused("a", "screen")], [false, false]);
  await pass(TOLD_PATIENCE_MS * 2);
  assert.equal(slots.pictureOf("a", "video"), null);
  slots.switched({ ...video("5", "a"), rtp_timestamp: 90_000 });
  const start = { since: performance.now(), rtpTimestamp: 90_000 };
  assert.deepEqual(slots.pictureOf("a", "video"), { mid: "5", start });
  assert.deepEqual([slots.isPaused("a", "video"), told.count], [false, 2]);
});

test("a pause waits for no patience, and ends with who was in the Slot", async () => {
  const slots = slotsWith(video("5", "a"));
  slots.update([video("5", "b")]);
  slots.paused({ mid: "5" });
  await pass(TOLD_PATIENCE_MS * 2);
  assert.deepEqual([slots.pictureOf("b", "video"), slots.isPaused("b", "video")], [null, true]);
  slots.update([video("5", "a")]);
  assert.deepEqual([slots.isPaused("a", "video"), slots.pictureOf("a", "video").mid], [false, "5"]);
  slots.paused({ mid: "5" });
  slots.replace([video("5", "a")]);
  assert.equal(slots.isPaused("a", "video"), false);
});

test("frames end a pause whose end was not told; those of its beginning do not", async () => {
  const slots = slotsWith(video("5", "a"));
  slots.flows("5");
  slots.paused({ mid: "5" });
  await pass(PAUSE_END_MS - 100);
  slots.flows("5");
  assert.equal(slots.pictureOf("a", "video"), null);
  await pass(100);
  slots.flows("5");
  assert.deepEqual(slots.pictureOf("a", "video"), { mid: "5", start: { since: performance.now(), rtpTimestamp: undefined } });
});

test("a pause of no Slot changes nothing", () => {
  const slots = slotsWith(video("5", "a"));
  const told = changes(slots);
  slots.paused({ type: "slot_paused" });
  slots.paused({ mid: "9" });
  assert.deepEqual([told.count, slots.pictureOf("a", "video").mid], [0, "5"]);
});
