import assert from "node:assert/strict";
import test from "node:test";

import { LAYERS, LayerControl, activeLayers, addCamera, layersFor } from "../../Sources/Api/Web/layers.js";

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

const NAMED = LAYERS.map((layer) => ({ ...layer, active: true }));
const wantedOf = (height, wanted, encodings = NAMED) =>
  activeLayers(encodings, height, wanted).map(({ active }) => (active ? 1 : 0)).join("");

test("what nobody wants is not encoded, and what nobody has spoken of is", () => {
  assert.equal(wantedOf(720, null), "111");
  assert.equal(wantedOf(720, ["q", "f"]), "101");
  assert.equal(wantedOf(720, []), "000");
  assert.equal(wantedOf(720, ["unknown", "h"]), "010");
  assert.equal(wantedOf(0, ["h"]), "010", "before the camera's size is known");
  assert.equal(wantedOf(0, null), "111");
});

test("where the camera is smaller than what is wanted, its own size is encoded", () => {
  assert.equal(wantedOf(360, null), "110");
  assert.equal(wantedOf(360, ["f"]), "010");
  assert.equal(wantedOf(180, ["q", "f"]), "100");
  assert.equal(wantedOf(180, ["h"]), "100");
  assert.equal(wantedOf(180, []), "000");
  assert.equal(activeLayers(NAMED, 360, ["f"])[1].scaleResolutionDownBy, 1);
});

test("one encoding without a rid is wanted or not", () => {
  for (const height of [0, 180]) {
    assert.equal(wantedOf(height, true, [{ active: true }]), "1");
    assert.equal(wantedOf(height, false, [{ active: true }]), "0");
    assert.equal(wantedOf(height, null, [{ active: true }]), "1");
  }
});

/** A sender that takes one change at a time, and each only with the parameters that it gave last. */
class FakeSender {
  changes = [];
  #parameters = { transactionId: 0, codecs: ["VP8"], encodings: NAMED };
  #busy = null;

  getParameters() {
    this.#parameters = { ...structuredClone(this.#parameters), transactionId: this.#parameters.transactionId + 1 };
    return structuredClone(this.#parameters);
  }

  setParameters(parameters) {
    assert.equal(this.#busy, null, "two changes at once");
    assert.equal(parameters.transactionId, this.#parameters.transactionId);
    return new Promise((resolve, reject) => {
      this.#busy = { parameters, resolve, reject };
    });
  }

  /** What it is being asked for, as far as others changed. */
  get asked() {
    return this.#busy?.parameters.encodings.map(({ active }) => (active ? 1 : 0)).join("") ?? null;
  }

  async take() {
    const { parameters, resolve } = this.#busy;
    this.#busy = null;
    this.#parameters = parameters;
    this.changes.push(parameters);
    resolve();
    await new Promise(setImmediate);
  }

  async refuse() {
    const { reject } = this.#busy;
    this.#busy = null;
    reject(new DOMException("no", "InvalidModificationError"));
    await new Promise(setImmediate);
  }
}

test("changes follow one another, the last one stays, and all else of the sender too", async () => {
  const sender = new FakeSender();
  const control = new LayerControl(sender);
  control.want(["q"]);
  assert.equal(sender.asked, "100");
  control.want([]);
  control.fit(360);
  const done = control.want(["h", "f"]);
  await sender.take();
  assert.equal(sender.asked, "010");
  await sender.take();
  await done;
  assert.equal(sender.asked, null, "what was overtaken is not done");
  const [{ codecs, encodings }] = sender.changes.slice(-1);
  assert.deepEqual(codecs, ["VP8"]);
  assert.deepEqual(encodings, [
    { ...NAMED[0], active: false, scaleResolutionDownBy: 2 }, { ...NAMED[1], active: true, scaleResolutionDownBy: 1 },
    { ...NAMED[2], active: false, scaleResolutionDownBy: 1 },
  ]);
});

test("nothing is changed that is so already", async () => {
  const sender = new FakeSender();
  const control = new LayerControl(sender);
  await control.want(["q", "h", "f"]);
  await control.fit(720);
  await control.want(null);
  assert.deepEqual([sender.asked, sender.changes], [null, []]);
});

test("another camera keeps what is wanted", async () => {
  const sender = new FakeSender();
  const control = new LayerControl(sender);
  control.want(["f"]);
  await sender.take();
  control.fit(180);
  assert.equal(sender.asked, "100");
  await sender.take();
  control.fit(720);
  assert.equal(sender.asked, "001");
  await sender.take();
});

test("after a refusal the next change is tried all the same", async (context) => {
  const warn = context.mock.method(console, "warn", () => {});
  const sender = new FakeSender();
  const control = new LayerControl(sender);
  control.want([]);
  await sender.refuse();
  assert.equal(warn.mock.callCount(), 1);
  control.want(["h"]);
  assert.equal(sender.asked, "010");
  await sender.take();
});
