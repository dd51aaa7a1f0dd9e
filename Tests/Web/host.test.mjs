import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./client.mjs";

const stored = new Map();
let forbidden = false;
const guard = (act) => (...given) => {
  if (forbidden) throw new DOMException("no", "SecurityError");
  return act(...given);
};
globalThis.sessionStorage = {
  getItem: guard((key) => stored.get(key) ?? null),
  setItem: guard((key, value) => void stored.set(key, value)),
  removeItem: guard((key) => void stored.delete(key)),
};

const { dropHostKey, hostKeyFrom, hostKeyOf, keepHostKey } = await load("host");

test("the key of a start link is read, wherever it stands in the fragment", () => {
  assert.equal(hostKeyFrom("https://meet.example.org/?meeting=123-456-789#host_key=k3y"), "k3y");
  assert.equal(hostKeyFrom("#a=b&host_key=k3y&c=d"), "k3y");
  assert.equal(hostKeyFrom("#host_key=a%20b"), "a b");
  assert.equal(hostKeyFrom("#host_key=a%zz"), "a%zz");
  for (const none of ["", "#", "#other=k", "https://meet.example.org/?host_key=k", "123-456-789", "#xhost_key=k"]) {
    assert.equal(hostKeyFrom(none), "", none);
  }
});

test("a key is one meeting's, and may be dropped", () => {
  for (forbidden of [false, true]) {
    keepHostKey("123-456-789", "k3y");
    assert.equal(hostKeyOf("123-456-789"), "k3y");
    assert.equal(hostKeyOf("987-654-321"), "");
    dropHostKey("123-456-789");
    assert.equal(hostKeyOf("123-456-789"), "");
  }
});
