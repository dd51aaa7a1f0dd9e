import assert from "node:assert/strict";
import test from "node:test";

import { LAYERS, layersFor } from "../../Sources/Api/Web/layers.js";

const shape = (height) => layersFor(height).map(({ active, scaleResolutionDownBy }) => (active ? scaleResolutionDownBy : 0));

test("a large camera is sent in three layers", () => {
  assert.deepEqual(shape(720), [4, 2, 1]);
  assert.deepEqual(shape(1080), [4, 2, 1]);
  assert.deepEqual(shape(540), [4, 2, 1]);
});

test("a small camera is sent in fewer, its own size always among them", () => {
  assert.deepEqual(shape(360), [2, 1, 0]);
  assert.deepEqual(shape(270), [2, 1, 0]);
  assert.deepEqual(shape(180), [1, 0, 0]);
});

test("every layer of the offer has a word", () => {
  for (const height of [90, 300, 2160]) assert.equal(layersFor(height).length, LAYERS.length);
});
