/**
 * Webinars in words. Pure, no DOM.
 */

/** @returns {string} for example "1 attendee", "1,312 attendees" */
export function attendeeWords(count) {
  return count === 1 ? "1 attendee" : `${count.toLocaleString("en")} attendees`;
}

/** Why nothing of ours is given. */
export const WATCHING = "You are watching. Raise your hand: a host can bring you on the panel.";

/** What is said of a person who was brought on the panel, as a notice. */
export const ON_PANEL = { title: "You are on the panel now", detail: "You may open your microphone and camera." };

/**
 * The line above the meeting.
 *
 * @param {boolean} watching
 * @param {number} attendees
 */
export function lineWords(watching, attendees) {
  return `${watching ? "You are watching" : "You are on the panel"} · ${attendeeWords(attendees)}`;
}

/** What stands where nobody is seen. */
export const EMPTY_PANEL = {
  title: "Nobody is on the panel yet",
  detail: "You see and hear the panel as soon as it is here. Nobody sees or hears you.",
};

/** What stands where nobody else is. */
export const ALONE = {
  title: "You are the first one here",
  detail: "Send the others this link, and they will appear right away.",
};

/**
 * Who is here, in short.
 *
 * @param {number} here  in our room, those in the audience not
 * @param {{on: boolean, attendees: number}} webinar
 */
export function hereWords(here, { on, attendees }) {
  return on ? `${here} on the panel, ${attendeeWords(attendees)}` : `${here} here`;
}

/**
 * What is said to somebody who has just come in.
 *
 * @param {{participants: {onPanel: number}, webinar: {on: boolean, attendees: number}, watching: boolean}} call
 */
export function entranceWords({ participants, webinar, watching }) {
  const others = participants.onPanel;
  const company = others === 0 ? "nobody else yet" : others === 1 ? "one other person" : `${others} other people`;
  if (!webinar.on) return `You are in the meeting with ${company}.`;
  if (!watching) return `You are on the panel with ${company}. ${attendeeWords(webinar.attendees)}.`;
  const panel = others === 0 ? "Nobody is" : others === 1 ? "One person is" : `${others} people are`;
  return `You are watching. ${panel} on the panel. ${attendeeWords(webinar.attendees)}.`;
}
