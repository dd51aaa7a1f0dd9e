import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./client.mjs";

const { Breakout } = await load("breakout");
const { Models } = await load("models");
const { Participants } = await load("participants");

/** We and Ada are in one breakout room, Ben, who shares a screen, is in the main room. */
function make() {
  const participants = new Participants();
  for (const id of ["ada", "ben"]) participants.add({ participant_id: id, display_name: id, video: true, screen: id === "ben" });
  participants.add({ participant_id: "eve", display_name: "eve", role: "attendee", video: true });
  const breakout = new Breakout(participants, () => "me");
  breakout.take({ rooms: [{ room_id: "r1", name: "Tea" }] });
  breakout.move(["me", "ada"].map((id) => ({ participant_id: id, room_id: "r1" })));
  const own = { audioOn: true, videoOn: false, hand: false, speaking: false, stream: null };
  const models = new Models(own, { of: () => "good", statsOf: () => null }, { of: () => "" });
  const slots = { pictureOf: () => null, isPaused: () => false, screenOwner: () => "ben" };
  models.open({ you: { participant_id: "me" }, participants, breakout, slots, sharing: { on: false }, media: {} });
  return { breakout, models, participants };
}

const ids = (list) => list.map(({ id }) => id).join(" ");

test("those in our breakout room have tiles, and all are in the list", () => {
  const { breakout, models } = make();
  assert.deepEqual([ids(models.others()), ids(models.people())], ["ada", "me ada ben eve"]);
  breakout.take({ rooms: [] });
  assert.equal(ids(models.others()), "ada ben");
});

test("a screen that is shared in another room is not shown", () => {
  const { breakout, models } = make();
  assert.deepEqual([models.sharer, models.screen()], [null, null]);
  breakout.take({ rooms: [] });
  assert.deepEqual([models.sharer, models.screen().key], ["ben", "screen:ben"]);
});

test("what was pinned of somebody who went to another room is pinned no more", () => {
  const { breakout, models } = make();
  for (const pinned of ["ada", "screen:ada"]) {
    models.pinned = pinned;
    models.reviewPinned();
    assert.equal(models.pinned, pinned);
  }
  breakout.move([{ participant_id: "ada", room_id: null }]);
  models.reviewPinned();
  assert.equal(models.pinned, null);
});

test("who watches a webinar has no tile and is heard by nobody, ourselves too", () => {
  const { breakout, models, participants } = make();
  breakout.take({ rooms: [] });
  assert.deepEqual([models.isSeen("eve"), models.isSeen("ben"), models.isSeen("stranger")], [false, true, false]);
  models.pinned = "ben";
  participants.update("ben", { role: "attendee" });
  models.reviewPinned();
  assert.deepEqual([models.pinned, models.sharer, ids(models.others())], [null, null, "ada"]);
  assert.equal(models.own().id, "me");
  const call = { you: { participant_id: "me", role: "attendee" }, watching: true };
  models.open(call);
  assert.equal(models.own(), null);
});
