import assert from "node:assert/strict";
import test from "node:test";

import { LAYERS, addCamera, layersFor } from "../../Sources/Api/Web/layers.js";

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

/** A connection that takes only encodings that `allows` allows. */
const connection = (allows) => ({
  addTransceiver: (kind, { direction, sendEncodings }) => {
    if (!sendEncodings.every(allows)) throw new DOMException("no", "OperationError");
    return { kind, direction, sendEncodings };
  },
});

test("each layer names its scalability mode, as VP9 and AV1 are sent in one without", () => {
  const { kind, direction, sendEncodings } = addCamera(connection(() => true));
  assert.deepEqual([kind, direction], ["video", "sendonly"]);
  assert.deepEqual(sendEncodings.map(({ rid, scalabilityMode }) => [rid, scalabilityMode]), [
    ["q", "L1T3"], ["h", "L1T3"], ["f", "L1T3"],
  ]);
});

test("a browser that does not know the mode sends the layers without", (context) => {
  context.mock.method(console, "warn", () => {});
  const { sendEncodings } = addCamera(connection(({ scalabilityMode }) => scalabilityMode === undefined));
  assert.deepEqual(sendEncodings.map(({ rid, maxBitrate }) => [rid, maxBitrate]), [
    ["q", 150_000], ["h", 500_000], ["f", 1_700_000],
  ]);
});
