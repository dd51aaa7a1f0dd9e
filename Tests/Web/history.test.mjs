import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { load } from "./client.mjs";
import { settle } from "./fakes.mjs";

const { History } = await load("history");
const { ServiceError } = await load("errors");

const said = (number, more = {}) => ({
  chat_id: `c${number}`, sender_id: "b", sender_name: "Ben", text: `text ${number}`,
  sent_at: new Date(number * 1000).toISOString(), ...more,
});

class FakeCall extends EventTarget {
  you = { participant_id: "me" };
  rooms = { r1: "Tea" };
  breakout = { nameOf: (id) => this.rooms[id] ?? "" };
  place = { meeting: "m", participant: "me", token: "token", service: "https://pop2.example" };

  constructor(lastChat) {
    super();
    this.lastChat = lastChat;
  }

  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

let stored, asked, refusal;

/** A page as the server answers it. */
async function loadPage(place, fields) {
  asked.push(fields);
  const [answer, refused] = [pageOf(fields), refusal];
  await settle();
  await settle();
  if (refused) throw refused;
  return answer;
}

function pageOf(fields) {
  const { limit, before, after } = fields;
  const at = (id) => stored.findIndex(({ chat_id: each }) => each === id);
  if (after !== undefined) {
    const later = stored.slice(at(after) + 1);
    const messages = later.slice(0, limit);
    return { messages, ...(later.length > limit && { next: messages.at(-1).chat_id }) };
  }
  const earlier = before === undefined ? stored : stored.slice(0, at(before));
  const messages = earlier.slice(-limit);
  return { messages, ...(earlier.length > limit && { previous: messages[0].chat_id }) };
}

function open(count, last = count ? `c${count}` : null) {
  stored = Array.from({ length: count }, (_, place) => said(place + 1));
  const call = new FakeCall(last);
  const history = new History(call, loadPage);
  const news = [];
  history.addEventListener("news", ({ detail }) => news.push(...detail.map(({ chat_id: id }) => id)));
  const add = (from, to, told = false) => {
    for (let number = from; number <= to; number += 1) {
      stored.push(said(number));
      if (told) call.tell("chat", said(number));
    }
  };
  const back = async () => {
    call.lastChat = stored.at(-1)?.chat_id ?? null;
    call.tell("back");
    for (let turn = 0; turn < 100; turn += 1) await settle();
  };
  return { call, history, log: history.log, news, add, back };
}

const whole = (log) => {
  const numbers = log.list().map(({ chat_id: id }) => Number(id.slice(1)));
  numbers.forEach((number, place) => assert.equal(number, numbers[0] + place, "a gap, or another order"));
  return [numbers[0], numbers.at(-1)];
};

beforeEach(() => {
  asked = [];
  refusal = null;
});

test("nothing is asked for where there is nothing, nor before somebody looks", async () => {
  const { history, log } = open(0);
  await history.loadOlder();
  assert.deepEqual([asked, log.older, log.unopened], [[], false, false]);
  assert.equal(open(3).log.unopened, true);
  assert.deepEqual(asked, []);
});

test("who comes late has the newest page first, then those before", async () => {
  const { history, log, add } = open(120);
  const loading = history.loadOlder();
  await settle();
  // Not in the page, which is on its way.
  add(121, 121, true);
  await loading;
  assert.deepEqual(whole(log), [71, 121]);
  await history.loadOlder();
  await history.loadOlder();
  await history.loadOlder();
  assert.deepEqual([whole(log), log.older, asked.length], [[1, 121], false, 3]);
  assert.deepEqual(asked.map(({ before }) => before), [undefined, "c71", "c21"]);
});

test("what was missed is loaded behind the last one that we know, with what is told meanwhile", async () => {
  const { log, news, add, back } = open(0);
  add(1, 1, true);
  news.length = 0;
  add(2, 130);
  const loading = back();
  add(131, 131, true);
  await settle();
  add(132, 132, true);
  await loading;
  assert.deepEqual(whole(log), [1, 132]);
  assert.deepEqual([log.unread, log.newer, asked[0].after, asked.length], [132, false, "c1", 1]);
  assert.deepEqual([new Set(news).size, news.length], [131, 131]);
});

test("a socket that is lost again while that loads leaves no gap", async () => {
  const { log, add, back } = open(0);
  add(1, 1, true);
  add(2, 10);
  const first = back();
  await settle();
  add(11, 20);
  const second = back();
  add(21, 21, true);
  await Promise.all([first, second]);
  assert.deepEqual([whole(log), log.newer, log.unread], [[1, 21], false, 21]);
});

test("who looks at an earlier part stays there, and is told that there is more", async () => {
  const { history, log, add, back } = open(300);
  await history.loadOlder();
  await history.reach("c100");
  add(301, 305);
  await back();
  assert.deepEqual([whole(log), log.unopened, asked.length], [[51, 150], true, 3]);
  await history.toNewest();
  assert.deepEqual([whole(log), log.newer], [[256, 305], false]);
});

test("where nothing was missed nothing is loaded", async () => {
  const { add, back } = open(0);
  add(1, 2, true);
  await back();
  assert.deepEqual(asked, []);
});

test("who never looked hears of what was missed, and has the rest to load", async () => {
  const { history, log, add, back, news } = open(10);
  add(11, 12);
  await back();
  assert.deepEqual([whole(log), log.unread, log.older, news], [[11, 12], 2, true, ["c11", "c12"]]);
  await history.loadOlder();
  assert.deepEqual([whole(log), log.older], [[1, 12], false]);
});

test("the first messages of all may be missed too", async () => {
  const { log, add, back, news } = open(0);
  add(1, 60);
  await back();
  assert.deepEqual([whole(log), log.older, log.unread, news.length], [[11, 60], true, 50, 50]);
});

test("of very much only the newest is loaded", async () => {
  const { log, add, back } = open(0);
  add(1, 1, true);
  add(2, 3_000);
  await back();
  assert.deepEqual([whole(log), log.older, log.newer], [[2951, 3000], true, false]);
});

test("where it cannot be loaded somebody is told, and it comes when the end is looked at", async () => {
  const { history, log, add, back } = open(0);
  add(1, 1, true);
  history.seen();
  add(2, 5);
  refusal = new ServiceError({ status: 0 });
  await back();
  assert.deepEqual([log.unopened, log.newer, log.size], [true, true, 1]);
  add(6, 6, true);
  refusal = null;
  await history.loadNewer();
  assert.deepEqual([whole(log), log.newer], [[1, 6], false]);
});

test("what is told while the first page does not come is shown", async () => {
  const { history, log, add } = open(10);
  refusal = new ServiceError({ status: 503 });
  const loading = history.loadOlder();
  await settle();
  add(11, 11, true);
  await assert.rejects(loading, { status: 503 });
  assert.deepEqual([whole(log), log.older, log.newer, history.loading], [[11, 11], true, false, false]);
});

test("a message far away is reached, and the newest again", async () => {
  const { history, log, add } = open(500);
  await history.loadOlder();
  await history.reach("c100");
  assert.deepEqual([whole(log), log.older, log.newer], [[51, 150], true, true]);
  add(501, 501, true);
  assert.deepEqual([whole(log), log.unread], [[51, 150], 1]);
  await history.loadNewer();
  assert.deepEqual(whole(log), [51, 200]);
  await history.toNewest();
  assert.deepEqual([whole(log), log.newer, log.older], [[452, 501], false, true]);
  await history.reach("c501");
  await history.toNewest();
  assert.equal(asked.length, 5);
});

test("where the server knows no more of ours the log begins anew", async () => {
  const { history, log, add } = open(60);
  await history.loadOlder();
  stored = [];
  add(70, 72);
  refusal = new ServiceError({ status: 404, code: "chat_not_found" });
  const loading = history.loadOlder();
  await settle();
  refusal = null;
  await loading;
  assert.deepEqual([whole(log), log.older, log.newer], [[70, 72], false, false]);
});

test("a message that cannot be reached changes nothing, and what is told meanwhile is shown", async () => {
  const { history, log, add } = open(3);
  await history.loadOlder();
  refusal = new ServiceError({ status: 404, code: "chat_not_found" });
  const reaching = history.reach("gone");
  await settle();
  add(4, 4, true);
  await assert.rejects(reaching, { code: "chat_not_found" });
  assert.deepEqual([whole(log), log.newer, asked.length], [[1, 4], false, 2]);
});

test("a message of our own that no answer came to is told when it is loaded", async () => {
  const { history, add, back, call } = open(0);
  const own = [];
  history.addEventListener("own", ({ detail }) => own.push(detail.text));
  add(1, 1, true);
  stored.push(said(2, { sender_id: "me", text: "unsure" }));
  await back();
  assert.deepEqual([own, history.log.unread, call.lastChat], [["unsure"], 1, "c2"]);
});

test("our own messages are told apart", async () => {
  const { history, call, news } = open(0);
  const own = [];
  history.addEventListener("own", ({ detail }) => own.push(detail.chat_id));
  call.tell("chat", said(1, { sender_id: "me" }));
  call.tell("chat", undefined);
  assert.deepEqual([own, news, history.log.unread], [["c1"], [], 0]);
});

test("a message to a breakout room keeps the name that the room had when it came", async () => {
  const { call, history, log } = open(0);
  call.tell("chat", said(1, { room_id: "r1" }));
  call.rooms = { r1: "Juice" };
  call.tell("chat", said(1, { room_id: "r1", edited_at: new Date(5_000).toISOString() }));
  call.tell("chat", said(2, { room_id: "r1" }));
  call.rooms = {};
  call.tell("chat", said(3, { room_id: "r1" }));
  call.tell("chat", said(4));
  assert.deepEqual(log.list().map(({ room_name: name }) => name), ["Tea", "Juice", "", undefined]);
  stored = [said(1, { room_id: "r1" }), said(2, { room_id: "r1" }), said(3), said(4)];
  await history.reach("c1");
  assert.equal(log.get("c1").room_name, "Tea");
});
