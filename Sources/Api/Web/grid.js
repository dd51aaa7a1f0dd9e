/**
 * The grid: how n tiles fill a rectangle best. Pure arithmetic, no DOM, all lengths in CSS pixels.
 */

/** No page of the gallery shows more than this (as many as there are video Slots in the protocol). */
export const MAX_VISIBLE = 25;

const WIDEST = 16 / 9;

/**
 * @typedef {object} Grid
 * @property {number} columns
 * @property {number} rows
 * @property {number} width   of one tile
 * @property {number} height  of one tile
 */

/**
 * The columns and rows that give `count` tiles the largest area. A tile is 16:9; where that would leave
 * bands empty it may grow taller, down to the ratio `tallest`, as a camera picture loses little when its sides
 * are cropped.
 *
 * @param {number} count   tiles to place
 * @param {number} width   of the space
 * @param {number} height  of the space
 * @param {{gap?: number, tallest?: number}} [options]  gap between tiles; smallest width:height of a tile
 * @returns {Grid}
 */
export function bestGrid(count, width, height, { gap = 8, tallest = 4 / 3 } = {}) {
  let best = { columns: 1, rows: Math.max(1, count), width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const cell = fitCell((width - gap * (columns - 1)) / columns, (height - gap * (rows - 1)) / rows, tallest);
    const better = cell.width * cell.height > best.width * best.height * 1.001;
    if (better) best = { columns, rows, ...cell };
  }
  return best;
}

/** The largest tile in a cell whose ratio lies between `tallest` and 16:9, in whole pixels. */
function fitCell(cellWidth, cellHeight, tallest) {
  if (cellWidth <= 0 || cellHeight <= 0) return { width: 0, height: 0 };
  const width = Math.min(cellWidth, cellHeight * WIDEST);
  const height = Math.min(cellHeight, width / Math.min(tallest, WIDEST));
  return { width: Math.floor(width), height: Math.floor(height) };
}

/**
 * Where each tile lies, row by row, rows of a short last line centred, the whole centred in the space.
 *
 * @param {number} count
 * @param {number} width
 * @param {number} height
 * @param {{gap?: number, tallest?: number}} [options]
 * @returns {{x: number, y: number, width: number, height: number}[]}
 */
export function placeTiles(count, width, height, options = {}) {
  if (count === 0) return [];
  const gap = options.gap ?? 8;
  const grid = bestGrid(count, width, height, options);
  const top = (height - grid.rows * grid.height - (grid.rows - 1) * gap) / 2;
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / grid.columns);
    const inRow = Math.min(grid.columns, count - row * grid.columns);
    const left = (width - inRow * grid.width - (inRow - 1) * gap) / 2;
    return {
      x: Math.round(left + (index - row * grid.columns) * (grid.width + gap)),
      y: Math.round(top + row * (grid.height + gap)),
      width: grid.width,
      height: grid.height,
    };
  });
}

/**
 * How many tiles one page holds before they get too small to know a face.
 *
 * @param {number} width
 * @param {number} height
 * @param {{gap?: number, tallest?: number, smallest?: number}} [options]  smallest: least width of a tile
 * @returns {number} 1 to MAX_VISIBLE
 */
export function pageCapacity(width, height, { smallest = 136, ...options } = {}) {
  let capacity = 1;
  for (let count = 2; count <= MAX_VISIBLE; count += 1) {
    if (bestGrid(count, width, height, options).width >= smallest) capacity = count;
  }
  return capacity;
}

/**
 * A large picture beside a strip of small ones: the strip stands at the right of a wide space and lies below a
 * tall one.
 *
 * @param {number} strip   tiles in the strip
 * @param {number} width
 * @param {number} height
 * @param {{gap?: number}} [options]
 * @returns {{stage: object, tiles: object[], capacity: number}} capacity: how many of the strip's tiles fit
 */
export function placeStage(strip, width, height, { gap = 8 } = {}) {
  if (strip === 0) return { stage: { x: 0, y: 0, width, height }, tiles: [], capacity: 0 };
  const beside = width > height * 1.2;
  const tileWidth = Math.round(beside ? Math.min(240, width * 0.2) : Math.min(200, (width - gap) / 2.4));
  const tileHeight = Math.round(tileWidth / WIDEST);
  const along = beside ? height : width;
  const each = (beside ? tileHeight : tileWidth) + gap;
  const capacity = Math.max(1, Math.min(MAX_VISIBLE - 1, Math.floor((along + gap) / each)));
  const shown = Math.min(strip, capacity);
  const start = Math.round((along - shown * each + gap) / 2);
  const tiles = Array.from({ length: shown }, (_, index) => ({
    x: beside ? width - tileWidth : start + index * each,
    y: beside ? start + index * each : height - tileHeight,
    width: tileWidth,
    height: tileHeight,
  }));
  const stage = beside
    ? { x: 0, y: 0, width: width - tileWidth - gap, height }
    : { x: 0, y: 0, width, height: height - tileHeight - gap };
  return { stage, tiles, capacity };
}
