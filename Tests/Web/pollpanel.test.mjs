import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { lay } from "./elements.mjs";
import { reset, settle } from "./fakes.mjs";

const { Participants } = await load("participants");
const { PollPanel } = await load("pollpanel");
const { Polls } = await load("polls");
const { ServiceError } = await load("errors");

const byId = (id) => document.getElementById(id);
const cards = () => byId("poll-list").children;
const all = (element, tag) => [...(element.tag === tag ? [element] : []), ...element.children.flatMap((each) => all(each, tag))];
const inputs = (card) => all(card, "input");
const button = (card, words) => all(card, "button").find(({ textContent }) => textContent === words);
const heard = () => byId("announcer").children.map(({ textContent }) => textContent);
const titles = () => byId("notices").children.map((card) => card.querySelector("strong").textContent);
const meters = (card) => all(card, "span").filter((each) => each.getAttribute("role") === "meter");
const submit = async (card) => {
  all(card, "form")[0].dispatchEvent(new Event("submit", { cancelable: true }));
  await settle();
};
const choose = (input, on = true) => {
  input.checked = on;
  input.dispatchEvent(new Event("change"));
};

const raw = (id, more = {}) => ({
  poll_id: id, question: `${id}?`, options: ["Yes", "No"], multiple: false, anonymous: false, is_open: true,
  by: { participant_id: "ada", display_name: "Ada" }, counts: [0, 0], voters: 0, ...more,
});

class FakeCall extends EventTarget {
  you = { participant_id: "me", display_name: "Ana" };
  participants = new Participants();
  polls = new Polls();
  controls = false;
  asked = [];
  error = null;

  async #ask(...asked) {
    this.asked.push(asked);
    if (this.error) throw this.error;
  }

  createPoll(draft) {
    return this.#ask("create", draft.question);
  }

  votePoll(id, vote) {
    return this.#ask("vote", id, ...vote);
  }

  closePoll(id) {
    return this.#ask("close", id);
  }

  deletePoll(id) {
    return this.#ask("delete", id);
  }
}

function make({ controls = false, shut = true, polls = [] } = {}) {
  byId("polls-panel").hidden = shut;
  const call = new FakeCall();
  call.controls = controls;
  if (polls.length > 0) call.polls.take({ type: "polls", polls });
  let shown = 0;
  const panel = new PollPanel({ onShow: () => (shown += 1) });
  panel.open(call);
  return { call, panel, shown: () => shown };
}

beforeEach(() => {
  reset();
  lay({ "polls-panel": ["polls-title", "poll-new", "polls-empty", "poll-list"] });
  byId("poll-delete-dialog").showModal = () => (byId("poll-delete-dialog").open = true);
  byId("poll-delete-dialog").close = () => (byId("poll-delete-dialog").open = false);
  byId("poll-form").hidden = true;
});

test("who is no host has no button until there is a poll, and never the form", () => {
  const { call } = make();
  assert.equal(byId("show-polls").hidden, true);
  call.polls.take({ type: "poll", poll: raw("a") });
  assert.deepEqual([byId("show-polls").hidden, byId("poll-new").hidden], [false, true]);
  call.controls = true;
  call.dispatchEvent(new CustomEvent("role", { detail: "co_host" }));
  assert.equal(byId("poll-new").hidden, false);
});

test("a poll that opens behind a shut panel is told once, and the button counts what is to be answered", () => {
  const { call, shown } = make();
  call.polls.take({ type: "poll", poll: raw("a") });
  assert.deepEqual([titles(), byId("poll-count").textContent], [["Ada asks: a?"], "1"]);
  assert.equal(byId("notices").children[0].getAttribute("role"), "status");
  assert.equal(byId("show-polls").getAttribute("aria-label"), "Polls, 1 to answer");
  call.polls.take({ type: "poll_results", poll_id: "a", counts: [1, 0], voters: 1 });
  assert.equal(titles().length, 1);
  call.polls.take({ type: "poll", poll: raw("b") });
  assert.deepEqual([titles(), byId("poll-count").textContent], [["There are 2 polls to answer"], "2"]);
  button(byId("notices"), "Answer").click();
  assert.deepEqual([titles(), shown()], [[], 1]);
});

test("it is gone with its poll, or when the panel comes into view", () => {
  const { call, panel } = make({ polls: [raw("a")] });
  assert.deepEqual(titles(), ["Ada asks: a?"]);
  call.polls.take({ type: "poll_deleted", poll_id: "a" });
  assert.deepEqual([titles(), byId("poll-count").hidden], [[], true]);
  call.polls.take({ type: "poll", poll: raw("b") });
  panel.show();
  assert.deepEqual(titles(), []);
});

test("whoever asked is told nothing, and one who looks at the panel hears it", () => {
  const { call } = make({ shut: false });
  call.polls.take({ type: "poll", poll: raw("a", { by: { participant_id: "me", display_name: "Ana" } }) });
  assert.deepEqual([titles(), heard()], [[], []]);
  call.polls.take({ type: "poll", poll: raw("b") });
  assert.deepEqual([titles(), heard()], [[], ["Ada asks: b?"]]);
});

test("one chooses, votes, and changes it", async () => {
  const { call } = make({ polls: [raw("a"), raw("m", { multiple: true })] });
  const [several, one] = cards();
  assert.deepEqual(inputs(one).map((each) => each.getAttribute("type")), ["radio", "radio"]);
  assert.deepEqual(inputs(several).map((each) => each.getAttribute("type")), ["checkbox", "checkbox"]);
  assert.equal(button(one, "Vote").getAttribute("aria-disabled"), "true");
  await submit(one);
  assert.deepEqual(call.asked, []);
  choose(inputs(one)[1]);
  assert.equal(button(one, "Vote").getAttribute("aria-disabled"), "false");
  // What others choose meanwhile leaves it alone.
  call.polls.take({ type: "poll_results", poll_id: "a", counts: [3, 1], voters: 4 });
  assert.deepEqual(inputs(one).map(({ checked }) => checked), [false, true]);
  await submit(one);
  assert.deepEqual([call.asked, heard().at(-1)], [[["vote", "a", 1]], "Your vote counts"]);
  assert.ok(button(one, "Change vote"));
  assert.match(one.textContent, /4 people voted\. You may change your vote/);
  for (const input of inputs(several)) choose(input);
  await submit(several);
  assert.deepEqual(call.asked.at(-1), ["vote", "m", 0, 1]);
});

test("how it stands has words and widths", () => {
  make({ polls: [raw("a", { counts: [3, 1], voters: 4, vote: [1] })] });
  const [yes, no] = meters(cards()[0]);
  assert.deepEqual(["aria-label", "aria-valuenow", "aria-valuetext"].map((name) => yes.getAttribute(name)), ["Yes", "75", "3 votes, 75 percent"]);
  assert.equal(no.getAttribute("aria-valuetext"), "1 vote, 25 percent, your answer");
  assert.match(cards()[0].textContent, /3 · 75%/);
});

test("what is refused is said at the poll", async () => {
  const { call } = make({ polls: [raw("a")] });
  const { warn } = console;
  console.warn = () => {};
  call.error = new ServiceError({ status: 409, code: "poll_closed" });
  choose(inputs(cards()[0])[0]);
  await submit(cards()[0]);
  console.warn = warn;
  const problem = all(cards()[0], "p").find((each) => each.getAttribute("role") === "alert");
  assert.deepEqual([problem.hidden, problem.textContent], [false, "The poll is closed. What was chosen before counts."]);
  assert.equal(call.polls.get("a").vote, null);
});

test("hosts close and delete, and see who chose what; in an anonymous poll nobody does", async () => {
  const ballots = [{ participant_id: "ben", display_name: "Ben", options: [0] }];
  const { call } = make({ controls: true, polls: [raw("a", { ballots }), raw("s", { anonymous: true, voters: 1, counts: [1, 0] })] });
  const [secret, named] = cards();
  const details = (card) => all(card, "details")[0];
  assert.deepEqual([details(secret).hidden, details(named).hidden], [true, false]);
  assert.equal(details(named).textContent, "Who voted (1)");
  details(named).open = true;
  details(named).dispatchEvent(new Event("toggle"));
  assert.match(details(named).textContent, /Who voted \(1\)Ben: Yes/);
  button(named, "Close poll").click();
  await settle();
  call.polls.take({ type: "poll", poll: raw("a", { is_open: false }) });
  assert.deepEqual([call.asked, button(named, "Close poll").hidden], [[["close", "a"]], true]);
  assert.ok(inputs(named).every(({ disabled }) => disabled));
  button(named, "Delete").click();
  assert.equal(byId("poll-delete-dialog").open, true);
  byId("poll-delete-confirm").click();
  await settle();
  assert.deepEqual(call.asked.at(-1), ["delete", "a"]);
  // A guest sees nothing of that.
  call.controls = false;
  call.dispatchEvent(new CustomEvent("role", { detail: "participant" }));
  assert.deepEqual([details(named).hidden, button(named, "Delete").hidden], [true, true]);
});

test("a poll that goes gives the focus to the panel's title", () => {
  const { call } = make({ shut: false, polls: [raw("a"), raw("b")] });
  all(cards()[1], "h3")[0].focus();
  call.polls.take({ type: "poll_deleted", poll_id: "a" });
  assert.deepEqual([cards().length, document.activeElement], [1, byId("polls-title")]);
});

test("after the meeting nothing of it is shown", () => {
  const { call, panel } = make({ polls: [raw("a")] });
  panel.close();
  call.polls.take({ type: "poll", poll: raw("b") });
  assert.deepEqual([cards().length, titles()], [0, []]);
});
