import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./client.mjs";

const {
  ChatLog, beginsGroup, countWords, firstLineOf, heardWords, newsWords, partnerOf, partsOf,
} = await load("chat");

const at = (seconds) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
const said = (number, more = {}) => ({
  chat_id: `c${number}`, sender_id: "b", sender_name: "Ben", text: `text ${number}`, sent_at: at(number), ...more,
});
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, place) => said(from + place));
const ids = (log) => log.list().map(({ chat_id: id }) => Number(id.slice(1)));

test("a message is there once, and what is told of it again replaces it", () => {
  const log = new ChatLog("me", null);
  assert.equal(log.take(said(1)), true);
  assert.equal(log.take(said(2)), true);
  assert.equal(log.take(said(1, { text: "better", edited_at: at(3) })), false);
  assert.deepEqual([ids(log), log.get("c1").text, log.unread, log.latest], [[1, 2], "better", 2, "c2"]);
  log.take({ ...said(1), text: "still here", deleted: true });
  assert.deepEqual([log.get("c1").text, log.get("c1").deleted, log.unread], ["", true, 1]);
});

test("a message to a breakout room begins a group", () => {
  assert.equal(beginsGroup(said(1), said(2)), false);
  assert.equal(beginsGroup(said(1), said(2, { room_id: "r1" })), true);
  assert.equal(beginsGroup(said(1, { room_id: "r1" }), said(2, { room_id: "r1" })), false);
  assert.equal(beginsGroup(said(1, { room_id: "r1" }), said(2, { room_id: "r2" })), true);
});

test("our own messages are read, and looking reads the others", () => {
  const log = new ChatLog("me", null);
  log.take(said(1, { sender_id: "me" }));
  log.take(said(2));
  assert.deepEqual([log.unread, log.firstUnread], [1, "c2"]);
  assert.deepEqual([log.seen(), log.seen(), log.unread, log.firstUnread], [true, false, 0, undefined]);
});

test("who comes late is told that there is something, and has it when it is loaded", () => {
  const log = new ChatLog("me", "c60");
  assert.deepEqual([log.unopened, log.older, log.size, log.unread], [true, true, 0, 0]);
  log.take(said(61));
  log.takeOlder(range(11, 60), true);
  assert.deepEqual([ids(log)[0], ids(log).at(-1), log.size, log.unread], [11, 61, 51, 1]);
  log.takeOlder(range(1, 11), false);
  assert.deepEqual([ids(log), log.older], [range(1, 61).map((_, place) => place + 1), false]);
});

test("a change of an earlier message that is not here makes no line", () => {
  const log = new ChatLog("me", "c60");
  log.take(said(4, { edited_at: at(70) }));
  log.take(said(61));
  log.take(said(5, { deleted: true }));
  log.take(said(62, { edited_at: at(63) }));
  assert.deepEqual([ids(log), log.latest], [[61, 62], "c62"]);
});

test("the oldest go, and may be loaded again; then the newest go", () => {
  const log = new ChatLog("me", null, 10);
  for (const message of range(1, 12)) log.take(message);
  assert.deepEqual([ids(log)[0], log.size, log.older, log.newer], [3, 10, true, false]);
  log.takeOlder(range(1, 2), false);
  assert.deepEqual([ids(log), log.older, log.newer], [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], false, true]);
});

test("what is told while the run ends earlier comes behind the pages between", () => {
  const log = new ChatLog("me", null, 10);
  for (const message of range(1, 10)) log.take(message);
  log.part();
  log.take(said(15));
  log.take(said(16));
  assert.deepEqual([log.size, log.get("c15"), log.latest], [10, undefined, "c16"]);
  assert.deepEqual(log.takeNewer(range(11, 13), true, true).length, 3);
  // The server has one of those by now, not the other.
  log.takeNewer(range(14, 15), false, true);
  assert.deepEqual([ids(log), log.newer, log.older], [[7, 8, 9, 10, 11, 12, 13, 14, 15, 16], false, true]);
  assert.equal(log.unread, 10, "more are not counted");
});

test("later pages that one goes back to are not news", () => {
  const log = new ChatLog("me", null);
  log.part();
  log.replaceBy(range(1, 3), false, true);
  assert.deepEqual(log.takeNewer(range(4, 6), false), []);
  assert.deepEqual([ids(log), log.unread, log.newer], [[1, 2, 3, 4, 5, 6], 0, false]);
});

test("what is no message is none", () => {
  const log = new ChatLog("me", null);
  for (const wrong of [undefined, null, 7, {}, { chat_id: "c" }, { chat_id: 1, sender_id: "b" }]) log.take(wrong);
  log.takeOlder([null, {}], false);
  assert.equal(log.size, 0);
  log.take({ chat_id: "c", sender_id: "b", text: 7 });
  assert.deepEqual([log.get("c").text, log.get("c").sender_name], ["", "Guest"]);
});

test("a group is of one sender, to the same people, and not long after", () => {
  assert.equal(beginsGroup(undefined, said(1)), true);
  assert.equal(beginsGroup(said(1), said(2)), false);
  assert.equal(beginsGroup(said(1), said(2, { sender_id: "c" })), true);
  assert.equal(beginsGroup(said(1), said(2, { recipient_id: "me" })), true);
  assert.equal(beginsGroup(said(1, { recipient_id: "me" }), said(2, { recipient_id: "me" })), false);
  assert.equal(beginsGroup(said(1), said(302)), true);
  assert.equal(beginsGroup(said(1), said(2, { sent_at: "?" })), true);
  assert.equal(partnerOf(said(1), "me"), null);
  assert.equal(partnerOf(said(1, { recipient_id: "me" }), "me"), "b");
  assert.equal(partnerOf(said(1, { sender_id: "me", recipient_id: "c" }), "me"), "c");
});

test("counts have a bound, and a burst is read out as one", () => {
  assert.deepEqual([0, 1, 99, 100].map(countWords), ["", "1", "99", "99+"]);
  assert.deepEqual([newsWords(1), newsWords(2), newsWords(500)], ["1 new message", "2 new messages", "99+ new messages"]);
  assert.equal(heardWords([said(1, { text: "\n\nHello\nthere" })]), "Ben: Hello");
  assert.equal(heardWords([said(1, { recipient_id: "me" })]), "Ben, only to you: text 1");
  assert.equal(heardWords(range(1, 7)), "7 new messages");
  assert.equal([...firstLineOf("😀".repeat(500))].length, 120);
  assert.equal(firstLineOf("  \n "), "");
});

test("addresses of the web are links, and nothing else is", () => {
  const links = (text) => partsOf(text).filter(({ href }) => href).map(({ text: shown }) => shown);
  assert.deepEqual(partsOf("see https://a.example/x?y=1."), [
    { text: "see " }, { text: "https://a.example/x?y=1", href: "https://a.example/x?y=1" }, { text: "." },
  ]);
  assert.deepEqual(links("(http://a.example/b_(c)), HTTPS://b.example!"), ["http://a.example/b_(c)", "HTTPS://b.example"]);
  for (const text of ["javascript:alert(1)", "data:text/html,x", "ftp://a.example", "https://", "xhttps://a.example"]) {
    assert.deepEqual(links(text), [], text);
  }
  const markup = "<a href=\"https://a.example/\" onclick=x>";
  assert.equal(partsOf(markup).map(({ text }) => text).join(""), markup);
  assert.deepEqual(links(markup), ["https://a.example/"]);
  assert.deepEqual(partsOf(""), []);
});

test("a page brings back nothing that was changed since it was asked for", () => {
  const message = (id, more) => ({ chat_id: id, sender_id: "p_2", text: id, sent_at: "2026-01-01T00:00:00Z", ...more });
  const gone = message("c_1", { text: "", deleted: true, edited_at: "2026-01-01T00:01:00Z" });
  const log = new ChatLog("p_1", "c_2");
  log.take(gone);
  log.take(message("c_2", { text: "new", edited_at: "2026-01-01T00:02:00Z" }));
  log.takeOlder([message("c_1"), message("c_2", { text: "old", edited_at: "2026-01-01T00:01:30Z" })], false);
  assert.deepEqual(log.list().map(({ text, deleted }) => [text, deleted]), [["", true], ["new", false]]);
  log.take(message("c_3"));
  log.take(message("c_3", { text: "", deleted: true, edited_at: "2026-01-01T00:03:00Z" }));
  log.takeNewer([message("c_3")], false);
  assert.equal(log.get("c_3").deleted, true);
  log.part();
  log.replaceBy([message("c_1"), message("c_3")], false, false);
  assert.deepEqual(log.list().map(({ deleted }) => deleted), [true, true]);
});

test("a long link takes no longer than its length", () => {
  const text = `http://a${".".repeat(200_000)}x${")".repeat(200_000)}`;
  const [{ text: shown }] = partsOf(text).filter(({ href }) => href);
  assert.equal(shown, `http://a${".".repeat(200_000)}x`);
  assert.equal(partsOf("(see http://a.example/b_(c)).").find(({ href }) => href).text, "http://a.example/b_(c)");
});
