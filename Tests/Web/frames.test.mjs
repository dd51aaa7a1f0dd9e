import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { pass, reset } from "./fakes.mjs";

const { onFirstFrame } = await load("frames");

/** A video element whose frames come when the test says so. */
class FakeVideo extends EventTarget {
  #waiting = null;

  requestVideoFrameCallback(act) {
    this.#waiting = act;
  }

  present(frame = {}) {
    const act = this.#waiting;
    this.#waiting = null;
    act?.(0, frame);
  }
}

/** How often the first frame was told. */
function follow(video, since, rtpTimestamp) {
  const told = { count: 0 };
  told.stop = onFirstFrame(video, { since, rtpTimestamp }, () => (told.count += 1));
  return told;
}

beforeEach(reset);

test("the first frame is told, once; our own camera's has no time of arrival", () => {
  const video = new FakeVideo();
  const told = follow(video, 0);
  assert.equal(told.count, 0);
  video.present();
  video.present();
  assert.equal(told.count, 1);
});

test("frames that came before the Slot changed hands are passed over", () => {
  const video = new FakeVideo();
  const told = follow(video, 1_000);
  video.present({ receiveTime: 960 });
  video.present({ receiveTime: 999 });
  assert.equal(told.count, 0);
  video.present({ receiveTime: 1_000 });
  assert.equal(told.count, 1);
});

test("numbered frames are told apart by their numbers, which come round, whenever they were received", async () => {
  const video = new FakeVideo();
  const told = follow(video, 10_000, 5);
  video.present({ receiveTime: 10_040, rtpTimestamp: 2 ** 32 - 9_000 });
  await pass(1_000);
  assert.equal(told.count, 0);
  video.present({ receiveTime: 9_990, rtpTimestamp: 5 });
  assert.equal(told.count, 1);
});

test("numbers of long ago or long after say nothing", () => {
  const video = new FakeVideo();
  const told = follow(video, 100_000, 5);
  video.present({ receiveTime: 1_000, rtpTimestamp: 6 });
  assert.equal(told.count, 0);
  video.present({ receiveTime: 40_000_000, rtpTimestamp: 3_600_000_000 });
  assert.equal(told.count, 1);
});

test("a picture that stands still is shown all the same", async () => {
  const video = new FakeVideo();
  const told = follow(video, 1_000);
  video.present({ receiveTime: 999 });
  await pass(200);
  assert.equal(told.count, 0);
  await pass(200);
  assert.equal(told.count, 1);
  video.present({ receiveTime: 1_100 });
  assert.equal(told.count, 1);
});

test("who stops waiting is told nothing", async () => {
  const video = new FakeVideo();
  const told = follow(video, 1_000);
  video.present({ receiveTime: 999 });
  told.stop();
  video.present({ receiveTime: 1_100 });
  await pass(1_000);
  assert.equal(told.count, 0);
});

test("a browser that tells no frames tells the first data", () => {
  const video = new EventTarget();
  const told = follow(video, 0);
  video.dispatchEvent(new Event("loadeddata"));
  assert.equal(told.count, 1);
});
