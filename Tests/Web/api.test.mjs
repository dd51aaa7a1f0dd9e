import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./client.mjs";
import { settle } from "./fakes.mjs";

const { chatHistory, createMeeting, isWebinarLink, leaveMeeting } = await load("api");

test("the goodbye of a page that goes away outlives it, and is nobody's error", async () => {
  const asked = [];
  globalThis.fetch = async (...request) => {
    asked.push(request);
    throw new TypeError("the page is gone");
  };
  leaveMeeting({ meeting: "m/1", participant: "p", token: "token", service: "https://pop2.example" });
  await settle();
  const [[path, { method, keepalive, headers, body }]] = asked;
  assert.deepEqual([path, method, keepalive, body], [
    "https://pop2.example/api/v1/meetings/m%2F1/leave", "POST", true, '{"participant_id":"p"}',
  ]);
  assert.equal(headers.Authorization, "Bearer token");
});

test("a page of the chat is asked of the PoP that our socket is at, with our token", async () => {
  const asked = [];
  globalThis.fetch = async (...request) => {
    asked.push(request);
    return new Response(JSON.stringify({ messages: [], next: "c_9" }));
  };
  const place = { meeting: "m/1", token: "token", service: "https://pop2.example" };
  const page = await chatHistory(place, { limit: 50, after: "c_1", query: "tea & cake" });
  assert.deepEqual(page, { messages: [], next: "c_9" });
  const [[path, { method, headers }]] = asked;
  assert.equal(path, "https://pop2.example/api/v1/meetings/m%2F1/chat?limit=50&after=c_1&query=tea+%26+cake");
  assert.deepEqual([method, headers.Authorization], ["GET", "Bearer token"]);
});

test("a webinar is asked for where one was chosen, and known by its link", async () => {
  const bodies = [];
  globalThis.fetch = async (_, { body }) => {
    bodies.push(JSON.parse(body));
    return new Response("{}");
  };
  await createMeeting("token", "Tea");
  await createMeeting("token", "Tea", true);
  assert.deepEqual(bodies, [
    { topic: "Tea", type: "instant" }, { topic: "Tea", type: "instant", settings: { webinar: true } },
  ]);
  const link = "https://meet.example/?meeting=123-456-789";
  for (const text of [`${link}&webinar=1`, `${link}&webinar=1#host_key=k`, "?webinar=1&meeting=1"]) assert.ok(isWebinarLink(text));
  for (const text of [link, `${link}&webinar=10`, `${link}#webinar=1`, "webinar=1"]) assert.equal(isWebinarLink(text), false);
});
