import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./client.mjs";

const { MOST_QUESTIONS, Questions, questionSections } = await load("questions");
const {
  answeredWords, askedWords, explainQuestion, heardQuestions, lengthOf, lengthWords, settledWords, unreadWords,
} = await load("questionwords");
const { ServiceError } = await load("errors");

const at = (minute) => `2026-11-30T11:${String(minute).padStart(2, "0")}:00Z`;
const raw = (id, more = {}) => ({
  question_id: id, text: `${id}?`, asked_at: at(0), state: "open", anonymous: false, participant_id: "ben", display_name: "Ben",
  ...more,
});

/** Questions, and what they told. */
function make(...questions) {
  const all = new Questions();
  const told = [];
  for (const type of ["asked", "settled", "answered"]) {
    all.addEventListener(type, ({ detail }) => told.push(`${type} ${detail.id}`));
  }
  all.take({ type: "questions", questions });
  return { all, told, take: (id, more) => all.take({ type: "question", question: raw(id, more) }) };
}

const ids = (list) => list.map(({ id }) => id).join(" ");

test("a question that made room for others is gone, and one that nobody knows changes nothing", () => {
  const { all } = make(raw("a"), raw("b"));
  let changes = 0;
  all.addEventListener("change", () => (changes += 1));
  all.take({ type: "question_gone", question_id: "a" });
  all.take({ type: "question_gone", question_id: "z" });
  all.take({ type: "question_gone" });
  assert.deepEqual(all.list().map(({ id }) => id), ["b"]);
  assert.equal(changes, 1);
});

test("a list replaces what was known and is no news; what comes by itself is told once", () => {
  const { all, told, take } = make(raw("b", { asked_at: at(2) }), raw("a", { asked_at: at(1) }));
  assert.deepEqual([ids(all.list()), told], ["a b", []]);
  take("c", { asked_at: at(3) });
  take("c", { asked_at: at(3) });
  take("a", { state: "answered", answer: "So." });
  take("a", { state: "answered", answer: "So!" });
  assert.deepEqual(told, ["asked c", "answered a"]);
  all.take({ type: "questions", questions: [raw("a")] });
  all.replace(undefined);
  assert.equal(all.size, 0);
});

test("a question of ours stays ours, and we hear what becomes of it", () => {
  const { all, told, take } = make();
  take("a", { own: true });
  take("a", { state: "answered", answer: "So." });
  take("a", { state: "dismissed" });
  assert.deepEqual([all.get("a").own, all.get("a").answer, told], [true, "", ["asked a", "settled a", "settled a"]]);
});

test("who is not on the panel any more keeps their own, and what was answered", () => {
  const { all } = make(raw("a"), raw("b", { own: true }), raw("c", { state: "answered" }), raw("d", { state: "dismissed" }));
  all.narrow();
  assert.equal(ids(all.list()), "b c");
});

test("what is no question is passed over, and of an anonymous one nobody is named", () => {
  const { all } = make();
  for (const question of [null, 7, {}, raw(""), raw(7), raw("a", { text: 7 }), raw("a", { state: "odd" })]) {
    all.take({ type: "question", question });
  }
  all.take({ type: "questions", questions: "all" });
  all.take({ type: "question" });
  assert.equal(all.size, 0);
  all.take({ type: "question", question: raw("a", { anonymous: true }) });
  all.take({ type: "question", question: raw("b", { display_name: 7, answer: "not yet", asked_at: 7 }) });
  const [a, b] = ["a", "b"].map((id) => all.get(id));
  assert.deepEqual([a.asker, b.asker, b.answer, b.askedAt], ["", "Guest", "", ""]);
});

test("there is an end to what a page keeps, and the open ones stay longest", () => {
  const { all, take } = make(raw("done", { state: "answered" }), ...Array.from({ length: MOST_QUESTIONS - 1 }, (_, n) => raw(`q${n}`)));
  take("new", {});
  assert.deepEqual([all.size, all.get("done"), all.get("new") !== undefined], [MOST_QUESTIONS, undefined, true]);
  take("newer", {});
  assert.deepEqual([all.size, all.get("q0")], [MOST_QUESTIONS, undefined]);
});

test("the panel has the open ones first, the earliest in front; attendees their own first", () => {
  const { all } = make(
    raw("a", { asked_at: at(1), state: "answered", answered_at: at(8) }), raw("b", { asked_at: at(2) }),
    raw("c", { asked_at: at(3), own: true }), raw("d", { asked_at: at(4), state: "answered", answered_at: at(9) }),
    raw("e", { asked_at: at(5), own: true, state: "dismissed" }),
  );
  const look = (panel) => questionSections(all.list(), panel).map(({ title, questions }) => `${title}: ${ids(questions)}`);
  assert.deepEqual(look(true), ["Open: b c", "Answered: d a", "Dismissed: e"]);
  assert.deepEqual(look(false), ["Your questions: e c", "Answered: d a"]);
  assert.deepEqual(questionSections([], true), []);
});

test("words say who asked, how it stands, and who answered how", () => {
  const { all } = make(
    raw("a"), raw("b", { anonymous: true }), raw("c", { own: true }), raw("d", { own: true, anonymous: true, state: "dismissed" }),
    raw("e", { state: "answered", answer: "So.", answered_by: "Pia" }), raw("f", { state: "answered" }),
  );
  const asked = ["a", "b", "c", "d"].map((id) => askedWords({ ...all.get(id), askedAt: "" }));
  assert.deepEqual(asked, ["Ben", "Anonymous", "You · Not answered yet", "You, anonymously · Dismissed"]);
  assert.deepEqual(["a", "e", "f"].map((id) => answeredWords(all.get(id))), ["", "Answered by Pia", "Answered live"]);
  assert.deepEqual(["d", "e", "f"].map((id) => settledWords(all.get(id))), [
    "Your question was dismissed", "Your question was answered: So.", "Your question was answered live",
  ]);
  const heard = [["a"], ["b"], ["a", "b"], ["e"], ["e", "f"]].map((some) => heardQuestions(some.map((id) => all.get(id))));
  assert.deepEqual(heard, [
    "Ben asks: a?", "Somebody asks: b?", "2 new questions", "A question was answered", "2 questions were answered",
  ]);
  assert.deepEqual([0, 1, 3].map((count) => unreadWords(count, true)), ["", ", 1 new question", ", 3 new questions"]);
  assert.deepEqual([1, 2].map((count) => unreadWords(count, false)), [", 1 answer to you", ", 2 answers to you"]);
  assert.deepEqual([lengthOf("  😀a "), lengthWords(1200, 500)], [2, "1,200 of 500 characters"]);
});

test("each refusal has its own words", () => {
  const of = (status, code, retryAfter = 0) => explainQuestion(new ServiceError({ status, code, retryAfter }));
  assert.match(of(404, "question_not_found"), /not there any more/);
  assert.match(of(429, "too_many_questions"), /as many questions as there may be/);
  assert.match(of(429, "too_many_requests"), /too much at once/);
  assert.match(of(429, "too_many_requests", 4), /4 seconds/);
  assert.match(of(409, "not_webinar"), /no webinar/);
  assert.match(of(422, "invalid_field"), /1 to 500 characters, an answer 1 to 1,000/);
  assert.match(of(403, "forbidden"), /may not do that/);
  for (const unsure of [of(0, "timeout"), of(503, "home_unreachable")]) assert.match(unsure, /See whether it is in the list/);
  assert.match(explainQuestion(new TypeError("x")), /problem/);
});
