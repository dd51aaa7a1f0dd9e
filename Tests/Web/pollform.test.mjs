import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { lay } from "./elements.mjs";
import { reset, settle } from "./fakes.mjs";

const { PollForm } = await load("pollform");
const { ServiceError } = await load("errors");

const byId = (id) => document.getElementById(id);
const fields = () => byId("poll-options").children.map((line) => line.querySelector("input"));
const removes = () => byId("poll-options").children.map((line) => line.querySelector("button"));
const names = () => byId("poll-options").children.map((line) => line.querySelector("label").querySelector("span").textContent);
const press = (field, more = {}) => field.dispatchEvent(Object.assign(new Event("keydown", { cancelable: true }), { key: "Enter", ...more }));
const submit = async () => {
  byId("poll-form").dispatchEvent(new Event("submit", { cancelable: true }));
  await settle();
};

/** A form, and what it asked; the test says what it is answered. */
function make() {
  const asked = [];
  const answer = { error: null };
  const form = new PollForm(async (draft) => {
    asked.push(draft);
    if (answer.error) throw answer.error;
  });
  form.toggle();
  return { form, asked, answer };
}

function fill(question, ...options) {
  byId("poll-question").value = question;
  while (fields().length < options.length) byId("poll-add").click();
  options.forEach((text, place) => {
    fields()[place].value = text;
  });
}

beforeEach(() => {
  reset();
  lay({ "poll-form": ["poll-question", "poll-options", "poll-add", "poll-ask", "poll-problem"] });
  for (const id of ["poll-question"]) byId(id).value = "";
  byId("poll-form").hidden = true;
});

test("it opens at the question, and what was written stays when it is folded away", () => {
  const { form } = make();
  assert.equal(document.activeElement, byId("poll-question"));
  assert.deepEqual([names(), byId("poll-new").getAttribute("aria-expanded")], [["Answer 1", "Answer 2"], "true"]);
  fill("Tea?", "Yes");
  byId("poll-cancel").click();
  assert.deepEqual([form.open, document.activeElement], [false, byId("poll-new")]);
  byId("poll-new").click();
  assert.deepEqual([form.open, fields()[0].value], [true, "Yes"]);
});

test("Enter goes from answer to answer, and makes another behind the last", () => {
  make();
  press(byId("poll-question"));
  assert.equal(document.activeElement, fields()[0]);
  press(fields()[0]);
  assert.equal(document.activeElement, fields()[1]);
  press(fields()[1]);
  assert.deepEqual([fields().length, document.activeElement], [2, byId("poll-ask")]);
  fields()[1].value = "No";
  press(fields()[1]);
  assert.deepEqual([fields().length, document.activeElement], [3, fields()[2]]);
  // The Enter of an input method is no wish for another.
  fields()[2].value = "x";
  press(fields()[2], { isComposing: true });
  assert.equal(fields().length, 3);
});

test("there are two to ten answers, each with its number", () => {
  make();
  assert.ok(removes().every(({ hidden }) => hidden));
  for (let each = 0; each < 12; each += 1) byId("poll-add").click();
  assert.deepEqual([fields().length, byId("poll-add").hidden, removes()[0].hidden], [10, true, false]);
  fields().forEach((field, place) => {
    field.value = String(place);
  });
  removes()[3].click();
  assert.deepEqual([fields().length, names()[3], fields()[3].value], [9, "Answer 4", "4"]);
  assert.deepEqual([document.activeElement, byId("poll-add").hidden], [fields()[3], false]);
  removes()[8].click();
  assert.equal(document.activeElement, fields()[7]);
});

test("what is missing or there twice is said where it is, and nothing is sent", async () => {
  const { asked } = make();
  for (const [question, options, words, field] of [
    [" ", ["Yes", "No"], "Write a question", () => byId("poll-question")],
    ["Tea?", ["Yes", " "], "Write two answers at least", () => fields()[1]],
    ["Tea?", ["Yes", "Yes "], "Two answers are the same", () => fields()[1]],
  ]) {
    fill(question, ...options);
    await submit();
    assert.deepEqual([byId("poll-problem").textContent, byId("poll-problem").hidden], [words, false]);
    assert.equal(document.activeElement, field());
  }
  assert.deepEqual(asked, []);
});

test("it is sent without what is empty, and empty afterwards", async () => {
  const { form, asked } = make();
  fill(" Tea? ", "Yes", "", " No ");
  byId("poll-anonymous").checked = true;
  await submit();
  assert.deepEqual(asked, [{ question: "Tea?", options: ["Yes", "No"], multiple: false, anonymous: true }]);
  assert.deepEqual([form.open, byId("poll-question").value, fields().map(({ value }) => value ?? "")], [false, "", ["", ""]]);
  assert.deepEqual([byId("poll-anonymous").checked, document.activeElement], [false, byId("polls-title")]);
});

test("what was refused stays, with the reason", async () => {
  const { form, asked, answer } = make();
  const { warn } = console;
  console.warn = () => {};
  answer.error = new ServiceError({ status: 409, code: "too_many_polls" });
  fill("Tea?", "Yes", "No");
  await submit();
  console.warn = warn;
  assert.match(byId("poll-problem").textContent, /as many polls/);
  assert.deepEqual([form.open, fields()[0].value, byId("poll-problem").hidden], [true, "Yes", false]);
  answer.error = null;
  await submit();
  assert.deepEqual([asked.length, form.open, byId("poll-problem").hidden], [2, false, true]);
});
