import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const folder = new URL("../../Sources/Api/Web/", import.meta.url);
const read = (name) => readFileSync(new URL(name, folder), "utf8");
const files = readdirSync(folder);
const page = read("index.html");
/** Addresses that only name something; nobody goes there. */
const NAMES = [
  "http://www.w3.org/2000/svg",
  "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
  "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
];
const modules = files.filter((name) => name.endsWith(".js"));

test("every id is there once, and every id that a module asks for is there", () => {
  const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const name of modules) {
    for (const [, id] of read(name).matchAll(/byId\("([^"]+)"\)/g)) assert.ok(ids.includes(id), `${name}: ${id}`);
  }
  const named = page.matchAll(/\s(?:for|aria-labelledby|aria-controls)="([^"]+)"/g);
  for (const [, id] of named) assert.ok(ids.includes(id), id);
});

test("nothing inline that the content security policy would refuse", () => {
  assert.doesNotMatch(page, /\sstyle=|<style|\son[a-z]+=|javascript:/i);
  for (const [tag, rest] of page.matchAll(/<script([^>]*)>/g)) assert.match(rest, /src=/, tag);
  const unsafe = /innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function/;
  for (const name of modules) assert.doesNotMatch(read(name), unsafe, name);
});

test("every file, module and icon that is named exists, and no other host is", () => {
  for (const [, name] of page.matchAll(/(?:href|src)="([^"#]+)(?:#[^"]*)?"/g)) assert.ok(files.includes(name), name);
  for (const name of modules) {
    for (const [, other] of read(name).matchAll(/from "\.\/([^"]+)"/g)) assert.ok(files.includes(other), other);
  }
  const icons = [...page.matchAll(/<symbol id="([^"]+)"/g)].map(([, id]) => id);
  const used = [...page.matchAll(/<use href="#([a-z-]+)"/g)].map(([, id]) => id);
  assert.ok(used.length > 10);
  for (const id of used) assert.ok(icons.includes(id), id);
  const text = files.map(read).join("\n");
  assert.doesNotMatch(NAMES.reduce((rest, name) => rest.replaceAll(name, ""), text), /https?:\/\//);
});

test("every module is asked for at once, not one after the other", () => {
  const reached = new Set(["main.js"]);
  for (const name of reached) for (const [, other] of read(name).matchAll(/from "\.\/([^"]+)"/g)) reached.add(other);
  const preloaded = [...page.matchAll(/<link rel="modulepreload" href="([^"]+)">/g)].map(([, name]) => name);
  assert.deepEqual([...preloaded].sort(), [...reached].sort());
  assert.deepEqual(modules.filter((name) => !reached.has(name)), []);
});
