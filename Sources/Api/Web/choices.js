/**
 * The selects for microphone and camera, in the lobby and in the meeting alike.
 */

import { explainDevice } from "./devicewords.js";
import { byId, make } from "./dom.js";
import { problemCard } from "./notices.js";

const NOUNS = { audio: "microphone", video: "camera" };

/**
 * Keeps two selects and a list of problems in step with the devices.
 *
 * @param {import("./devices.js").Devices} devices
 * @param {{audio: string, video: string, problems: string}} ids  of the elements
 */
export function bindChoices(devices, ids) {
  const refresh = async () => {
    await Promise.all(["audio", "video"].map((kind) => fill(byId(ids[kind]), devices, kind)));
    tellProblems(byId(ids.problems), devices);
  };
  for (const kind of ["audio", "video"]) {
    byId(ids[kind]).addEventListener("change", ({ target }) => devices.open(kind, target.value));
  }
  devices.addEventListener("change", refresh);
  devices.addEventListener("list", refresh);
  refresh();
}

/** Fills a select; without a device it says so and is disabled. */
async function fill(select, devices, kind) {
  const list = await devices.list(kind);
  const options = list.map(({ id, label, chosen }, index) =>
    make("option", { value: id, selected: chosen, text: label || `${NOUNS[kind]} ${index + 1}` }),
  );
  if (options.length === 0) options.push(make("option", { value: "", text: `No ${NOUNS[kind]}` }));
  select.replaceChildren(...options);
  select.disabled = list.length === 0 || devices.problems[kind] === "NotAllowedError";
}

/** One card for each device that does not open; one for both when the reason is the same. */
function tellProblems(root, devices) {
  const { audio, video } = devices.problems;
  const cards = [];
  if (audio && audio === video) {
    const words = explainDevice(audio, "both");
    cards.push(problemCard(words, words.again && { label: "Try again", run: () => devices.openBoth() }));
  } else {
    for (const kind of ["audio", "video"]) {
      if (!devices.problems[kind]) continue;
      const words = explainDevice(devices.problems[kind], kind);
      cards.push(problemCard(words, words.again && { label: "Try again", run: () => devices.open(kind) }));
    }
  }
  const key = `${audio} ${video}`;
  if (root.dataset.shown === key) return;
  root.dataset.shown = key;
  root.replaceChildren(...cards);
}
