import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { load } from "./client.mjs";

const { ServiceError, explain, explainChat, explainPower, explainWait, kindOf, secondsWords } = await load("errors");
const { explainEnd } = await load("endwords");
const { explainRooms } = await load("breakoutwords");
const { explainDevice } = await load("devicewords");

const kind = (status, code) => kindOf(new ServiceError({ status, code }));

test("each code that joining may answer has its own words", () => {
  const expected = {
    password_required: [403, "password_required"],
    wrong_password: [403, "password_wrong"],
    meeting_not_found: [404, "not_found"],
    host_not_here: [409, "conflict"],
    meeting_locked: [423, "locked"],
    meeting_full: [503, "full"],
    node_full: [503, "node_full"],
    draining: [503, "draining"],
    token_invalid: [401, "token_bad"],
    token_expired: [401, "token_expired"],
    resume_invalid: [403, "resume_expired"],
    resume_expired: [409, "resume_expired"],
    participant_not_found: [404, "resume_expired"],
    invalid_field: [422, "invalid"],
    too_many_requests: [429, "too_many"],
    bad_offer: [400, "media_refused"],
    unsupported: [422, "media_refused"],
    removed: [403, "removed"],
    denied: [403, "denied"],
    unmute_forbidden: [403, "unmute_forbidden"],
    chat_forbidden: [403, "chat_forbidden"],
    last_host: [409, "last_host"],
    breakout_open: [409, "breakout_open"],
    breakout_closed: [409, "breakout_closed"],
    breakout_not_found: [404, "breakout_not_found"],
    breakout_choose_forbidden: [403, "breakout_choose_forbidden"],
    not_webinar: [409, "not_webinar"],
    webinar_role: [409, "webinar_role"],
    attendee_media: [403, "attendee_media"],
    question_not_found: [404, "question_not_found"],
    too_many_questions: [429, "too_many_questions"],
    internal: [500, "internal"],
  };
  for (const [code, [status, wanted]] of Object.entries(expected)) assert.equal(kind(status, code), wanted, code);
});

test("the meetings' own codes are all known by code or status", () => {
  const source = readFileSync(new URL("../../Sources/Meetings/MeetingError.swift", import.meta.url), "utf8");
  const codes = [...source.matchAll(/case \.\w+: "([a-z_]+)"/g)].map(([, code]) => code);
  assert.ok(codes.includes("meeting_full"));
  const statusOf = (code) => (code.includes("not_found") ? 404 : 403);
  for (const code of codes) assert.notEqual(kind(statusOf(code), code), "internal", code);
});

test("a status decides where the code is unknown", () => {
  const wanted = { 0: "offline", 401: "token_bad", 404: "not_found", 423: "locked", 429: "too_many", 503: "full" };
  for (const [status, name] of Object.entries(wanted)) assert.equal(kind(Number(status), ""), name);
  assert.equal(kind(418, "teapot"), "internal");
  assert.equal(kind(0, "something"), "internal");
});

test("a wrong password is told only to those who gave one", () => {
  const error = new ServiceError({ status: 403, code: "wrong_password" });
  assert.match(explain(error).title, /needs a password/);
  assert.match(explain(error, { passwordGiven: true }).title, /not right/);
  assert.equal(explain(error).field, "password");
});

test("waiting time is told where the server told it", () => {
  const error = new ServiceError({ status: 429, code: "too_many_requests", retryAfter: 7 });
  assert.match(explain(error).detail, /7 seconds/);
});

test("what is in line, guessed or of another meeting has words of its own", () => {
  const of = (code, status = 429) => explain(new ServiceError({ status, code, retryAfter: 1 }), { passwordGiven: true });
  assert.match(of("too_many_requests").title, /Many people/);
  assert.match(of("too_many_requests").detail, /Wait 1 second,/);
  assert.match(of("too_many_guesses").title, /wrong passwords/);
  assert.match(of("busy", 503).title, /busy/);
  assert.match(of("wrong_host_key", 403).title, /start link/);
  assert.match(explainWait(new ServiceError({ status: 429, code: "too_many_requests" })).detail, /by yourself/);
  assert.equal(secondsWords(300), "5 minutes");
});

test("words of the server never reach the page", () => {
  const error = new ServiceError({ status: 500, code: "internal", detail: "<img src=x>" });
  assert.doesNotMatch(JSON.stringify(explain(error)), /img/);
  assert.equal(explain(new TypeError("x")).again, true);
});

test("a refused device names itself and leaves the way in open", () => {
  assert.match(explainDevice("NotAllowedError", "video").title, /camera is blocked/);
  assert.match(explainDevice("NotAllowedError", "both").title, /Microphone and camera are blocked/);
  assert.match(explainDevice("NotFoundError", "audio").title, /No microphone/);
  assert.match(explainDevice("InsecureContext", "video").detail, /https/);
  for (const reason of ["NotAllowedError", "NotFoundError", "NotReadableError", "InsecureContext", "Odd"]) {
    assert.match(explainDevice(reason, "audio").detail, /join/i, reason);
  }
});

test("the end of a call says whose doing it was", () => {
  assert.match(explainEnd("removed", "replaced").title, /another window/);
  assert.match(explainEnd("removed", "no_media").title, /somebody else/);
  assert.match(explainEnd("removed").title, /removed/);
  assert.match(explainEnd("meeting_ended", "shutdown").title, /going down/);
  assert.match(explainEnd("meeting_ended", "constructor").title, /ended/);
  assert.match(explainEnd("lost", undefined, new ServiceError({ status: 0 })).title, /lost/);
  const late = new ServiceError({ status: 409, code: "resume_expired" });
  assert.match(explainEnd("lost", undefined, late).title, /too long/);
});

test("what is wrong with a message is told in words of the chat", () => {
  const of = (status, code, retryAfter = 0) => explainChat(new ServiceError({ status, code, retryAfter }));
  assert.match(of(422, "invalid_field").title, /2,000 characters/);
  assert.match(of(404, "participant_not_found").title, /not here any more/);
  assert.match(of(404, "chat_not_found").title, /message is not there/);
  assert.match(of(403, "forbidden").title, /may not/);
  assert.match(of(429, "too_many_requests", 4).detail, /4 seconds/);
  assert.match(of(401, "token_expired").title, /expired/);
  assert.match(of(503, "store_unavailable", 5).title, /busy/);
  for (const [status, code] of [[0, ""], [0, "timeout"]]) assert.match(of(status, code).detail, /in the list/);
  assert.equal(explainChat(new TypeError("x")).again, true);
});

test("a host's wish that was refused is told in one sentence", () => {
  const of = (status, code) => explainPower(new ServiceError({ status, code }));
  assert.match(of(404, "participant_not_found"), /not here any more/);
  assert.match(of(409, "last_host"), /one host at least/);
  assert.match(of(403, "forbidden"), /may not do that/);
  for (const unsure of [of(503, "home_unreachable"), of(0, "timeout")]) assert.match(unsure, /See whether it was done/);
  assert.match(explainPower(new TypeError("x")), /had a problem/);
});

test("who was removed is told so, and is not asked for a password", () => {
  const error = new ServiceError({ status: 403, code: "removed" });
  assert.match(explain(error, { passwordGiven: true }).title, /host has removed you/);
  assert.match(explainEnd("removed", "removed").title, /You were removed/);
  assert.match(explainEnd("lost", undefined, error).title, /host has removed you/);
  assert.match(explainChat(new ServiceError({ status: 403, code: "chat_forbidden" })).title, /hosts only/);
});

test("who was not let in is told whose doing it was, and is asked for no password", () => {
  const words = explain(new ServiceError({ status: 403, code: "denied" }), { passwordGiven: true });
  assert.match(words.title, /host did not let you in/);
  assert.equal(words.field, undefined);
});

test("what is wrong with a wish about breakout rooms has words of its own", () => {
  const of = (status, code) => explainRooms(new ServiceError({ status, code }));
  assert.match(of(409, "breakout_open").title, /breakout rooms already/);
  assert.match(of(409, "breakout_closed").title, /open any more/);
  assert.match(of(404, "breakout_not_found").title, /no such breakout room/);
  assert.match(of(403, "breakout_choose_forbidden").title, /host decides/);
  assert.match(of(403, "forbidden").title, /may not do that/);
  assert.match(of(404, "participant_not_found").title, /not here any more/);
  assert.match(of(422, "invalid_field").title, /not possible/);
  for (const unsure of [of(0, "timeout"), of(503, "home_unreachable")]) assert.match(unsure.detail, /See whether it was done/);
  assert.equal(explainRooms(new TypeError("x")).again, true);
  assert.match(explainChat(new ServiceError({ status: 409, code: "breakout_closed" })).title, /no breakout room/);
});
