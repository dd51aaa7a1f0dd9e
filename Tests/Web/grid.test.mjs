import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./client.mjs";

const { bestGrid, placeTiles, placeStage, pageCapacity, MAX_VISIBLE } = await load("grid");

const SPACES = [[1280, 660], [1920, 940], [360, 560], [740, 220], [900, 900], [320, 1400]];

const overlaps = (a, b) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

test("tiles stay inside the space, never overlap, and keep their ratio", () => {
  for (const [width, height] of SPACES) {
    for (let count = 1; count <= MAX_VISIBLE; count += 1) {
      const tiles = placeTiles(count, width, height);
      assert.equal(tiles.length, count);
      for (const [index, tile] of tiles.entries()) {
        assert.ok(tile.x >= -1 && tile.y >= -1, `${count} in ${width}x${height}`);
        assert.ok(tile.x + tile.width <= width + 1 && tile.y + tile.height <= height + 1);
        const ratio = tile.width / tile.height;
        assert.ok(ratio > 1.28 && ratio < 1.84, `ratio ${ratio}`);
        for (const other of tiles.slice(index + 1)) assert.ok(!overlaps(tile, other));
      }
    }
  }
});

test("no other number of columns gives larger tiles", () => {
  const [gap, tallest] = [8, 4 / 3];
  for (const [width, height] of SPACES) {
    for (let count = 1; count <= MAX_VISIBLE; count += 1) {
      const best = bestGrid(count, width, height, { gap, tallest });
      for (let columns = 1; columns <= count; columns += 1) {
        const rows = Math.ceil(count / columns);
        const cellWidth = (width - gap * (columns - 1)) / columns;
        const cellHeight = (height - gap * (rows - 1)) / rows;
        if (cellWidth <= 0 || cellHeight <= 0) continue;
        const tileWidth = Math.floor(Math.min(cellWidth, (cellHeight * 16) / 9));
        const tileHeight = Math.floor(Math.min(cellHeight, tileWidth / tallest));
        assert.ok(best.width * best.height * 1.02 >= tileWidth * tileHeight, `${count}: ${columns} columns`);
      }
    }
  }
});

test("wide screens lay people side by side, tall ones one above the other", () => {
  assert.deepEqual([2, 4, 9, 25].map((count) => bestGrid(count, 1280, 700).columns), [2, 2, 3, 5]);
  assert.equal(bestGrid(2, 360, 640).columns, 1);
});

test("a short last row is centred", () => {
  const [first, second, third] = placeTiles(3, 1280, 700);
  assert.equal(first.y, second.y);
  assert.ok(third.y > first.y);
  assert.ok(Math.abs(third.x + third.width / 2 - 640) <= 1);
});

test("a page holds 25 people at most, fewer where they would be too small, and always one", () => {
  assert.equal(pageCapacity(1920, 1000), MAX_VISIBLE);
  const phone = pageCapacity(360, 560);
  assert.ok(phone > 1 && phone < MAX_VISIBLE, `phone ${phone}`);
  assert.equal(pageCapacity(10, 10), 1);
  assert.deepEqual(placeTiles(0, 100, 100), []);
});

test("the strip lies beside a wide stage and below a tall one, as far as it fits", () => {
  const wide = placeStage(30, 1280, 660);
  assert.equal(wide.tiles.length, wide.capacity);
  for (const tile of wide.tiles) assert.ok(!overlaps(tile, wide.stage) && tile.x > wide.stage.x);
  const tall = placeStage(30, 360, 600);
  for (const tile of tall.tiles) assert.ok(!overlaps(tile, tall.stage) && tile.y > tall.stage.y);
  assert.deepEqual(placeStage(0, 640, 360).stage, { x: 0, y: 0, width: 640, height: 360 });
});
