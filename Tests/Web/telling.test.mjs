import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./client.mjs";

const { Telling } = await load("telling");

const OFF = { audio: false, video: false };

test("a join tells all that is wanted, and nothing of it is news", () => {
  const telling = new Telling();
  assert.deepEqual(telling.greeting(), {});
  telling.want("media_state", OFF);
  assert.deepEqual(telling.greeting(), { media_state: OFF });
  telling.want("media_state", { ...OFF });
  assert.deepEqual(telling.news(), []);
});

test("of media only what has changed is told, of a view all of it", () => {
  const telling = new Telling();
  telling.want("media_state", OFF);
  telling.greeting();
  telling.want("media_state", { audio: false, video: true });
  telling.want("view", { layout: "gallery", visible: ["a"] });
  assert.deepEqual(telling.news(), [["media_state", { video: true }], ["view", { layout: "gallery", visible: ["a"] }]]);
  telling.want("view", { layout: "gallery", visible: ["b"] });
  assert.deepEqual(telling.news(), [["view", { layout: "gallery", visible: ["b"] }]]);
});

test("what the server has turned off is off at once, and is told so once more", () => {
  const telling = new Telling();
  telling.want("media_state", { audio: true, video: true });
  telling.greeting();
  telling.turnOff(["audio"]);
  // A view may be told before the device is off.
  telling.want("view", { layout: "gallery" });
  assert.deepEqual(telling.news(), [["media_state", { audio: false }], ["view", { layout: "gallery" }]]);
  telling.want("media_state", { audio: false, video: true });
  assert.deepEqual(telling.news(), []);
});
