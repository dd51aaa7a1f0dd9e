import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./client.mjs";

const { Polls, ballotsOf, shareWords, sharesOf, stateWords, voterWords } = await load("polls");
const { ServiceError, explainPoll, kindOf } = await load("errors");

const raw = (id, more = {}) => ({
  poll_id: id, question: `${id}?`, options: ["Yes", "No"], multiple: false, anonymous: false, is_open: true,
  created_at: "2026-11-30T11:00:00Z", by: { participant_id: "ada", display_name: "Ada" }, counts: [0, 0], voters: 0, ...more,
});

/** Polls, and what they told. */
function make(...polls) {
  const all = new Polls();
  const told = [];
  all.addEventListener("change", () => told.push("change"));
  all.addEventListener("opened", ({ detail }) => told.push(detail.map(({ id }) => id).join(" ")));
  if (polls.length > 0) all.take({ type: "polls", polls });
  return { all, told };
}

const ids = (all) => all.list().map(({ id }) => id).join(" ");

test("a list replaces what was known, the newest comes first, and only what is new and unanswered is told", () => {
  const { all, told } = make(raw("a"), raw("b", { is_open: false }), raw("c", { vote: [1] }));
  assert.deepEqual([ids(all), told], ["c b a", ["change", "a"]]);
  all.take({ type: "polls", polls: [raw("c"), raw("d"), raw("e", { vote: [0] })] });
  assert.deepEqual([ids(all), told], ["e d c", ["change", "a", "change", "d"]]);
  all.take({ type: "polls", polls: [] });
  assert.equal(all.size, 0);
});

test("a new poll is told once; what it becomes keeps our vote and who voted", () => {
  const { all, told } = make();
  all.take({ type: "poll", poll: raw("a") });
  all.voted("a", [1]);
  all.take({ type: "poll_ballots", poll_id: "a", ballots: [{ participant_id: "ben", display_name: "Ben", options: [0] }] });
  all.take({ type: "poll", poll: raw("a", { is_open: false, counts: [1, 1], voters: 2 }) });
  const { open, vote, counts, ballots } = all.get("a");
  assert.deepEqual([open, vote, counts, [...ballots.keys()]], [false, [1], [1, 1], ["ben"]]);
  assert.deepEqual(told, ["change", "a", "change", "change", "change"]);
  // One that was closed before we heard of it is no news.
  all.take({ type: "poll", poll: raw("b", { is_open: false }) });
  assert.deepEqual(told.slice(5), ["change"]);
});

test("results and votes come one by one, and one who votes again is there once", () => {
  const { all } = make(raw("a"));
  all.take({ type: "poll_results", poll_id: "a", counts: [3, 1], voters: 4 });
  all.take({ type: "poll_ballots", poll_id: "a", ballots: [{ participant_id: "ben", display_name: "Ben", options: [0] }] });
  all.take({ type: "poll_ballots", poll_id: "a", ballots: [{ participant_id: "ben", options: [1] }] });
  const poll = all.get("a");
  assert.deepEqual([poll.counts, poll.voters, poll.ballots.get("ben")], [[3, 1], 4, { name: "", vote: [1] }]);
  all.take({ type: "poll_deleted", poll_id: "a" });
  for (const type of ["poll_deleted", "poll_results", "poll_ballots"]) all.take({ type, poll_id: "a" });
  assert.equal(all.size, 0);
});

test("after a resumption a closed poll keeps our vote, which the server may have forgotten, and an open one has the server's", () => {
  const { all } = make(raw("a"), raw("b"));
  for (const id of ["a", "b"]) all.voted(id, [0]);
  all.take({ type: "polls", polls: [raw("a", { is_open: false, anonymous: true }), raw("b")] });
  assert.deepEqual([all.get("a").vote, all.get("b").vote], [[0], null]);
});

test("what is no poll, tally or vote is passed over", () => {
  const { all } = make(raw("a"));
  for (const poll of [
    null, 7, {}, raw(""), raw(7), raw("b", { question: 7 }), raw("b", { options: ["x"] }), raw("b", { options: ["x", 7] }),
    raw("b", { options: Array(11).fill("x"), counts: Array(11).fill(0) }), raw("b", { counts: [0] }),
    raw("b", { counts: [0, -1] }), raw("b", { counts: "00" }), raw("b", { voters: 0.5 }),
  ]) all.take({ type: "poll", poll });
  for (const more of [{ counts: [1], voters: 1 }, { counts: [1, "1"], voters: 2 }, { counts: [1, 1] }]) {
    all.take({ type: "poll_results", poll_id: "a", ...more });
  }
  for (const ballots of [null, [null], [{}], [{ participant_id: "x", options: [2] }], [{ participant_id: "x", options: [] }]]) {
    all.take({ type: "poll_ballots", poll_id: "a", ballots });
  }
  all.take({ type: "polls" });
  all.take({ type: "poll" });
  const { counts, voters, ballots } = all.get("a");
  assert.deepEqual([ids(all), counts, voters, ballots.size], ["a", [0, 0], 0, 0]);
  all.take({ type: "poll", poll: raw("c", { vote: [5], multiple: "yes", by: 7 }) });
  const { vote, multiple, by } = all.get("c");
  assert.deepEqual([vote, multiple, by], [null, false, ""]);
  // Of an anonymous poll nobody is shown, whatever comes.
  all.take({ type: "poll", poll: raw("d", { anonymous: true, ballots: [{ participant_id: "x", options: [0] }] }) });
  assert.equal(all.get("d").ballots.size, 0);
});

test("shares are of those who voted", () => {
  const { all } = make(raw("a", { multiple: true, counts: [2, 3], voters: 3, vote: [1] }));
  const shares = sharesOf(all.get("a"));
  assert.deepEqual(shares.map(({ count, percent, mine }) => [count, percent, mine]), [[2, 67, false], [3, 100, true]]);
  assert.deepEqual(shares.map(shareWords), ["2 votes, 67 percent", "3 votes, 100 percent"]);
  assert.equal(shareWords(sharesOf(make(raw("b", { counts: [1, 0], voters: 1 })).all.get("b"))[0]), "1 vote, 100 percent");
  assert.equal(sharesOf(make(raw("c")).all.get("c"))[0].percent, 0);
});

test("words say what kind it is, how it stands, and who chose what", () => {
  const { all } = make(raw("a"), raw("b", { is_open: false, multiple: true, anonymous: true, by: undefined, voters: 1 }));
  assert.deepEqual(["a", "b"].map((id) => stateWords(all.get(id))), ["Open · one answer · by Ada", "Closed · several answers · anonymous"]);
  assert.deepEqual(["a", "b"].map((id) => voterWords(all.get(id))), ["Nobody has voted yet", "1 person voted"]);
  all.take({
    type: "poll_ballots", poll_id: "a",
    ballots: [{ participant_id: "zoe", options: [1] }, { participant_id: "ben", display_name: "Ben", options: [0] }],
  });
  const lines = ballotsOf(all.get("a"), () => "Zoe").map(({ name, answers }) => `${name}: ${answers}`);
  assert.deepEqual(lines, ["Ben: Yes", "Zoe: No"]);
});

test("each refusal has its own words", () => {
  const words = (status, code) => explainPoll(new ServiceError({ status, code }));
  for (const [code, status] of [["poll_closed", 409], ["poll_not_found", 404], ["too_many_polls", 409], ["poll_full", 409]]) {
    assert.equal(kindOf({ status, code }), code);
  }
  assert.match(words(409, "poll_closed"), /^The poll is closed\. /);
  assert.match(words(422, "invalid_field"), /two to ten/);
  assert.match(words(429, "too_many_requests"), /Wait a moment/);
  assert.match(words(503, "home_unreachable"), /See whether it was done/);
  assert.match(words(0, ""), /See whether it was done/);
  assert.match(words(403, "forbidden"), /may not do that/);
  assert.match(explainPoll(new Error("x")), /problem/);
});
