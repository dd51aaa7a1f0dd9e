import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { lay } from "./elements.mjs";
import { pass, reset, settle } from "./fakes.mjs";

const { Participants } = await load("participants");
const { QuestionPanel } = await load("questionpanel");
const { ServiceError } = await load("errors");
const { Webinar } = await load("webinar");

const byId = (id) => document.getElementById(id);
const all = (element, tag) => [...(element.tag === tag ? [element] : []), ...element.children.flatMap((each) => all(each, tag))];
const heard = () => byId("announcer").children.map(({ textContent }) => textContent);
const cards = () => all(byId("question-lists"), "li");
const card = (text) => cards().find((each) => all(each, "h4")[0].textContent === text);
const shows = (element) => !element.closest("[hidden]");
const buttons = (element) => all(element, "button").filter(shows).map(({ textContent }) => textContent);
const press = async (element, words) => {
  all(element, "button").find((each) => each.textContent === words && shows(each)).click();
  await settle();
};
const submit = async (form) => {
  form.dispatchEvent(new Event("submit", { cancelable: true }));
  await settle();
};
/** The lists: their titles, and what is in them. */
const lists = () => byId("question-lists").children.map((section) => {
  return [section.children[0].textContent, ...all(section, "h4").map(({ textContent }) => textContent)].join(" ");
});
const type = (field, text) => {
  field.value = text;
  field.dispatchEvent(new Event("input"));
};

const raw = (id, more = {}) => ({
  question_id: id, text: `${id}?`, asked_at: "2026-11-30T11:00:00Z", state: "open", anonymous: false, display_name: "Ben", ...more,
});

class FakeCall extends EventTarget {
  you = { participant_id: "me", display_name: "Ana" };
  meeting = { settings: { webinar: true } };
  webinar = new Webinar(new Participants(), () => this.meeting);
  asked = [];
  error = null;
  controls = false;
  watching = false;

  async #ask(...asked) {
    this.asked.push(asked);
    if (this.error) throw this.error;
  }

  askQuestion(text, anonymous) {
    return this.#ask("ask", text, anonymous);
  }

  answerQuestion(id, text) {
    return this.#ask("answer", id, text);
  }

  settleQuestion(id, state) {
    return this.#ask("settle", id, state);
  }

  /** The server says what a question is now. */
  say(id, more) {
    this.webinar.questions.take({ type: "question", question: raw(id, more) });
  }

  become(ours) {
    Object.assign(this, ours);
    this.dispatchEvent(new CustomEvent("role"));
  }
}

function make({ shut = false, questions = [], ...ours } = {}) {
  byId("questions-panel").hidden = shut;
  const call = Object.assign(new FakeCall(), ours);
  call.webinar.questions.replace(questions);
  let hidden = 0;
  const panel = new QuestionPanel({ onHide: () => (hidden += 1) });
  panel.open(call);
  return { call, panel, hidden: () => hidden };
}

beforeEach(() => {
  reset();
  lay({ "questions-panel": ["questions-title", "questions-empty", "question-lists", "question-form"] });
  byId("questions-title");
  console.warn = () => {};
});

test("it is there in webinars alone", async () => {
  const { call, hidden } = make();
  assert.deepEqual([byId("show-questions").hidden, byId("questions-empty").hidden, hidden()], [false, false, 0]);
  call.meeting = { settings: {} };
  call.dispatchEvent(new CustomEvent("meeting"));
  await pass(100);
  assert.deepEqual([byId("show-questions").hidden, hidden()], [true, 1]);
});

test("hosts answer, say that it was answered live, dismiss, and open again", async () => {
  const { call } = make({ controls: true, questions: [raw("a"), raw("b", { state: "answered", answer: "So.", answered_by: "Pia" })] });
  assert.equal(byId("question-form").hidden, true);
  assert.deepEqual(lists(), ["Open (1) a?", "Answered (1) b?"]);
  assert.deepEqual(buttons(card("a?")), ["Answer", "Answered live", "Dismiss"]);
  assert.deepEqual(buttons(card("b?")), ["Open again"]);
  assert.match(card("b?").textContent, /So\.Answered by Pia/);
  await press(card("a?"), "Answered live");
  await press(card("a?"), "Dismiss");
  await press(card("b?"), "Open again");
  await press(card("a?"), "Answer");
  const [field] = all(card("a?"), "textarea");
  assert.equal(document.activeElement, field);
  await submit(all(card("a?"), "form")[0]);
  type(field, "x".repeat(1_001));
  await submit(all(card("a?"), "form")[0]);
  type(field, " Because. ");
  await submit(all(card("a?"), "form")[0]);
  assert.deepEqual(call.asked, [
    ["settle", "a", "answered"], ["settle", "a", "dismissed"], ["settle", "b", "open"], ["answer", "a", "Because."],
  ]);
  assert.deepEqual([field.value, shows(field)], ["", false]);
  call.say("a", { state: "answered", answer: "Because.", answered_by: "Ana" });
  call.say("b", { state: "dismissed" });
  await pass(100);
  assert.deepEqual(lists(), ["Answered (1) a?", "Dismissed (1) b?"]);
});

test("what is refused is said beside it, and what was written stays", async () => {
  const { call } = make({ questions: [raw("a")] });
  call.error = new ServiceError({ status: 404, code: "question_not_found" });
  await press(card("a?"), "Answer");
  const [field] = all(card("a?"), "textarea");
  type(field, "Because.");
  await submit(all(card("a?"), "form")[0]);
  const problem = all(card("a?"), "p").find((each) => each.getAttribute("role") === "alert");
  assert.deepEqual([shows(problem), shows(field), field.value], [true, true, "Because."]);
  assert.match(problem.textContent, /not there any more/);
});

test("a question that goes to another list takes the focus with it, and one that another has settled its answer's", async () => {
  const { call } = make({ questions: [raw("a"), raw("b", { state: "answered" })] });
  all(card("b?"), "button").find(({ textContent }) => textContent === "Open again").focus();
  await press(card("a?"), "Answer");
  type(all(card("a?"), "textarea")[0], "Because");
  call.say("a", { state: "answered", answered_by: "Pia" });
  await pass(100);
  assert.deepEqual([lists(), document.activeElement], [["Answered (2) a? b?"], all(card("a?"), "h4")[0]]);
  call.say("a", { state: "open" });
  await pass(100);
  assert.deepEqual([lists(), document.activeElement], [["Open (1) a?", "Answered (1) b?"], all(card("a?"), "h4")[0]]);
  const [field] = all(card("a?"), "textarea");
  assert.deepEqual([shows(field), field.value], [true, "Because"]);
  call.webinar.questions.replace([]);
  await pass(100);
  assert.equal(document.activeElement, byId("questions-title"));
});

test("attendees see their own and what was answered, and can do nothing with them", async () => {
  const { call } = make({ watching: true, questions: [raw("a", { own: true }), raw("b", { state: "answered" })] });
  assert.deepEqual(lists(), ["Your questions (1) a?", "Answered (1) b?"]);
  assert.deepEqual(cards().map(buttons), [[], []]);
  assert.match(card("a?").textContent, /You.*Not answered yet/);
  // Of whom it may not be: nothing is shown.
  call.say("c");
  await pass(100);
  assert.equal(card("c?"), undefined);
});

test("a question is asked once, with its name or without, and what is refused stays", async () => {
  const { call } = make({ watching: true });
  const [field, button] = [byId("question-text"), byId("question-ask")];
  assert.deepEqual([byId("question-length").textContent, button.getAttribute("aria-disabled")], ["0 of 500 characters", "true"]);
  for (const text of ["  ", "x".repeat(501)]) {
    type(field, text);
    await submit(byId("question-form"));
  }
  assert.deepEqual([call.asked, button.getAttribute("aria-disabled")], [[], "true"]);
  call.error = new ServiceError({ status: 429, code: "too_many_questions" });
  type(field, " Why? ");
  byId("question-anonymous").checked = true;
  await submit(byId("question-form"));
  assert.deepEqual([field.value, byId("question-problem").hidden], [" Why? ", false]);
  call.error = null;
  field.dispatchEvent(Object.assign(new Event("keydown", { cancelable: true }), { key: "Enter", shiftKey: true }));
  field.dispatchEvent(Object.assign(new Event("keydown", { cancelable: true }), { key: "Enter", isComposing: true }));
  assert.equal(call.asked.length, 1);
  field.dispatchEvent(Object.assign(new Event("keydown", { cancelable: true }), { key: "Enter" }));
  byId("question-form").dispatchEvent(new Event("submit", { cancelable: true }));
  await settle();
  assert.deepEqual(call.asked.slice(1), [["ask", "Why?", true]]);
  assert.deepEqual([field.value, byId("question-problem").hidden, heard().at(-1)], ["", true, "Your question is with the panel"]);
});

test("the panel has a number of what is new and not yet seen, and hears it together", async () => {
  const { call, panel } = make({ shut: true, controls: true, questions: [raw("old"), raw("done", { state: "answered" })] });
  const label = () => byId("show-questions").getAttribute("aria-label");
  assert.deepEqual([byId("question-count").textContent, label()], ["1", "Questions and answers, 1 new question"]);
  for (const id of ["a", "b"]) call.say(id);
  call.say("mine", { own: true });
  await pass(600);
  assert.deepEqual([byId("question-count").textContent, heard()], ["3", ["2 new questions"]]);
  // Somebody else has answered it.
  call.say("a", { state: "answered" });
  await pass(100);
  assert.equal(byId("question-count").textContent, "2");
  byId("questions-panel").hidden = false;
  assert.equal(panel.show(), "questions-title");
  assert.deepEqual([byId("question-count").hidden, label()], [true, "Questions and answers"]);
  call.say("c");
  await pass(100);
  assert.equal(byId("question-count").hidden, true);
});

test("many questions are read out as one, and then it rests", async () => {
  const { call } = make({ controls: true });
  for (let n = 0; n < 100; n += 1) call.say(`q${n}`);
  await pass(600);
  for (let n = 0; n < 100; n += 1) call.say(`r${n}`);
  await pass(3_000);
  assert.deepEqual(heard(), ["100 new questions"]);
});

test("an attendee hears what became of their question, and that others were answered", async () => {
  const { call } = make({ watching: true, shut: true, questions: [raw("a", { own: true })] });
  call.say("a", { state: "answered", answer: "So." });
  call.say("b", { state: "answered" });
  await pass(600);
  assert.deepEqual(heard(), ["Your question was answered: So.", "A question was answered"]);
  assert.equal(byId("show-questions").getAttribute("aria-label"), "Questions and answers, 1 answer to you");
});

test("of many a hundred have a card in each list", async () => {
  make({ controls: true, questions: Array.from({ length: 130 }, (_, n) => raw(`q${n}`)) });
  const [section] = byId("question-lists").children;
  assert.deepEqual([cards().length, section.children[0].textContent], [100, "Open (130)"]);
  assert.deepEqual([section.children[2].hidden, section.children[2].textContent], [false, "and 30 more"]);
});

test("who is promoted may answer, and who is demoted may not", async () => {
  const { call } = make({ watching: true, questions: [raw("a", { own: true }), raw("b", { state: "answered" })] });
  call.become({ watching: false });
  await pass(100);
  assert.deepEqual([lists()[0], buttons(card("a?"))], ["Open (1) a?", ["Answer", "Answered live", "Dismiss"]]);
  await press(card("a?"), "Answer");
  call.become({ watching: true });
  await pass(100);
  assert.deepEqual([lists()[0], buttons(card("a?"))], ["Your questions (1) a?", []]);
  assert.equal(document.activeElement, all(card("a?"), "h4")[0]);
  call.become({ watching: false, controls: true });
  await pass(100);
  assert.equal(byId("question-form").hidden, true);
});

test("text of people is text", async () => {
  make({ controls: true, questions: [raw("a", { text: "<b>x</b>", display_name: "<i>Ben</i>" })] });
  assert.equal(all(card("<b>x</b>"), "b").length + all(card("<b>x</b>"), "i").length, 0);
});

test("after the meeting nothing of it is shown", async () => {
  const { call, panel } = make({ controls: true, questions: [raw("a")] });
  panel.close();
  call.say("b");
  await pass(1_000);
  assert.deepEqual([cards().length, heard(), byId("show-questions").hidden], [0, [], true]);
});
