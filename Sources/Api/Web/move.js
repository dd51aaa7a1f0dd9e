/**
 * What a move to another PoP waits for.
 */

/** How long the new connection of a move may take until it shows something. */
export const MOVE_PATIENCE_MS = 2_500;
/**
 * How long a lost socket has to come back at the same PoP: where that one refuses it, and where no media has come for
 * so long either.
 */
export const RETURN_PATIENCE_MS = [300, 1_000];

const LOOK_MS = 50;

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const bytesOf = async (media) => {
  const received = await media.received().catch(() => new Map());
  return [...received.values()].reduce((sum, bytes) => sum + bytes, 0);
};

/**
 * Returns when something comes over a new connection, or after so long.
 *
 * @param {import("./media.js").MediaConnection} media
 */
export async function flowing(media, patience) {
  const until = performance.now() + patience;
  while (performance.now() < until) {
    if (media.connected && (await media.shows())) return;
    await wait(LOOK_MS);
  }
}

/**
 * Answers when nothing has come for so long; false as soon as something does.
 *
 * @param {import("./media.js").MediaConnection} media
 */
export async function whileSilent(media, patience) {
  const before = await bytesOf(media);
  const until = performance.now() + patience;
  while (performance.now() < until) {
    await wait(LOOK_MS);
    if ((await bytesOf(media)) > before) return false;
  }
  return true;
}
