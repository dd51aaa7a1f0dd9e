/**
 * Questions and answers in words. Pure, no DOM.
 */

import { firstLineOf } from "./chat.js";
import { momentWords } from "./clock.js";
import { ServiceError, explain, isUnsure, kindOf } from "./errors.js";
import { MOST_ANSWER_CHARACTERS, MOST_QUESTION_CHARACTERS } from "./questions.js";

const STATE_WORDS = { open: "Not answered yet", answered: "Answered", dismissed: "Dismissed" };

/** Who asked, when, and of our own how it stands. @param {import("./questions.js").Question} question */
export function askedWords({ own, anonymous, asker, askedAt, state }) {
  const who = own ? (anonymous ? "You, anonymously" : "You") : asker || "Anonymous";
  return [who, momentWords(askedAt), own && STATE_WORDS[state]].filter(Boolean).join(" · ");
}

/** Who answered, and how; "" of a question that is not answered. @param {import("./questions.js").Question} question */
export function answeredWords({ state, answer, answeredBy, answeredAt }) {
  if (state !== "answered") return "";
  const how = answer ? "Answered" : "Answered live";
  return [answeredBy ? `${how} by ${answeredBy}` : how, momentWords(answeredAt)].filter(Boolean).join(" · ");
}

/** What is said of a question of ours. @param {import("./questions.js").Question} question */
export function settledWords({ state, answer }) {
  if (state === "dismissed") return "Your question was dismissed";
  return answer ? `Your question was answered: ${firstLineOf(answer)}` : "Your question was answered live";
}

/** What is read out of questions that came together. @param {import("./questions.js").Question[]} questions  some */
export function heardQuestions(questions) {
  const [{ state, asker, text }] = questions;
  const count = questions.length;
  if (state === "answered") return count === 1 ? "A question was answered" : `${count} questions were answered`;
  return count === 1 ? `${asker || "Somebody"} asks: ${firstLineOf(text)}` : `${count} new questions`;
}

/** What the button says beside its name. @param {boolean} panel  whether we are on it, and answer */
export function unreadWords(count, panel) {
  if (count === 0) return "";
  const noun = panel ? "new question" : "answer to you";
  return count === 1 ? `, 1 ${noun}` : `, ${count} ${noun.replace(/question|answer/, "$&s")}`;
}

/** "12 of 500 characters". */
export function lengthWords(count, most) {
  return `${count.toLocaleString("en")} of ${most.toLocaleString("en")} characters`;
}

/** How many characters a text has, as people count them at most, without the blanks around it. */
export function lengthOf(text) {
  return [...text.trim()].length;
}

/**
 * What to tell a person whose question or answer was refused.
 *
 * @param {unknown} error  a ServiceError, or anything thrown
 * @returns {string} one or two sentences
 */
export function explainQuestion(error) {
  if (!(error instanceof ServiceError)) return explain(error).title;
  if (isUnsure(error)) return "The connection did not carry that. See whether it is in the list, then try again.";
  const kind = kindOf(error);
  const [question, answer] = [MOST_QUESTION_CHARACTERS, MOST_ANSWER_CHARACTERS].map((most) => most.toLocaleString("en"));
  if (kind === "invalid") return `A question has 1 to ${question} characters, an answer 1 to ${answer}`;
  if (kind === "too_many" && !error.retryAfter) return "That was too much at once. Wait a moment, then try again.";
  const { title, detail } = explain(error);
  return `${title}. ${detail}`;
}
