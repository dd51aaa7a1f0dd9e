/**
 * The emoji that people react with, and how each is told to those who hear it.
 */

/** In the order in which they are offered. @type {{text: string, name: string}[]} */
export const OFFERED = [
  { text: "👍", name: "thumbs up" },
  { text: "👏", name: "applause" },
  { text: "❤️", name: "heart" },
  { text: "😂", name: "laughing" },
  { text: "😮", name: "surprised" },
  { text: "🎉", name: "celebration" },
];

/** The spoken name; of one that another client offers the emoji itself, which screen readers name. */
export function nameOf(text) {
  return OFFERED.find((each) => each.text === text)?.name ?? text;
}
