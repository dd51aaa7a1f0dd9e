import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { lay } from "./elements.mjs";
import { reset } from "./fakes.mjs";

const { Palette } = await load("palette");

const byId = (id) => document.getElementById(id);

function make() {
  lay({ controls: ["react", "mute"] });
  byId("palette").hidden = true;
  const chosen = [];
  const palette = new Palette((text) => chosen.push(text));
  byId("react").focus();
  return { palette, chosen, items: byId("palette").children };
}

/** Presses a key where the focus is; answers the event. */
function press(key, more = {}) {
  const event = Object.assign(new Event("keydown", { cancelable: true }), { key, ...more });
  byId("palette").dispatchEvent(event);
  return event;
}

const focused = () => document.activeElement.textContent;

beforeEach(reset);

test("the button shows six, each with a spoken name, and the first has the focus", () => {
  const { items } = make();
  byId("react").click();
  const names = items.map((item) => `${item.textContent} ${item.getAttribute("aria-label")}`);
  assert.deepEqual(names, ["👍 thumbs up", "👏 applause", "❤️ heart", "😂 laughing", "😮 surprised", "🎉 celebration"]);
  assert.deepEqual([byId("palette").hidden, byId("react").getAttribute("aria-expanded"), focused()], [false, "true", "👍"]);
});

test("it stays for another one", () => {
  const { palette, chosen, items } = make();
  palette.toggle();
  items[1].click();
  items[1].click();
  items[5].click();
  assert.deepEqual([chosen.join(" "), palette.open, focused()], ["👏 👏 🎉", true, "🎉"]);
});

test("arrow keys go around, Home and End to the ends, and one alone is in the way of Tab", () => {
  const { palette, items } = make();
  palette.toggle();
  const seen = ["ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowRight", "ArrowLeft", "Home"].map((key) => {
    assert.equal(press(key).defaultPrevented, true);
    assert.equal(items.filter((item) => item.getAttribute("tabindex") === "0").length, 1);
    return focused();
  });
  assert.equal(seen.join(" "), "👏 ❤️ 👏 🎉 👍 🎉 👍");
});

test("Escape closes it, the button has the focus again, and the last one is where it was", () => {
  const { palette } = make();
  palette.toggle();
  press("ArrowRight");
  press("Escape");
  assert.deepEqual([palette.open, document.activeElement], [false, byId("react")]);
  assert.equal(byId("react").getAttribute("aria-expanded"), "false");
  palette.toggle();
  assert.equal(focused(), "👏");
  assert.equal(press("Tab").defaultPrevented, false, "goes on from the button");
  assert.equal(document.activeElement, byId("react"));
});

test("a press elsewhere closes it and takes no focus; one on it does not", () => {
  const { palette, items } = make();
  const down = (target) => {
    const event = new Event("pointerdown");
    Object.defineProperty(event, "target", { value: target });
    document.dispatchEvent(event);
  };
  palette.toggle();
  down(items[2]);
  down(byId("react"));
  assert.equal(palette.open, true);
  down(byId("mute"));
  assert.equal(palette.open, false);
  assert.notEqual(document.activeElement, byId("react"), "the browser gives it to what was pressed");
});

test("a focus that goes elsewhere closes it", () => {
  const { palette, items } = make();
  palette.toggle();
  const leave = (relatedTarget) => byId("palette").dispatchEvent(Object.assign(new Event("focusout"), { relatedTarget }));
  leave(items[3]);
  leave(null);
  assert.equal(palette.open, true);
  byId("mute").focus();
  leave(byId("mute"));
  assert.deepEqual([palette.open, document.activeElement], [false, byId("mute")]);
});

test("a key that is held chooses once, and other keys are left to the meeting", () => {
  const { palette } = make();
  palette.toggle();
  assert.equal(press("Enter").defaultPrevented, false);
  assert.equal(press("Enter", { repeat: true }).defaultPrevented, true);
  for (const event of [press("m"), press("ArrowRight", { ctrlKey: true })]) assert.equal(event.defaultPrevented, false);
  assert.equal(focused(), "👍");
});
