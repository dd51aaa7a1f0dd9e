/**
 * The list of people by breakout rooms: ours, and for those whom it concerns the others. No DOM.
 */

import { MAIN_ROOM } from "./breakoutwords.js";

/**
 * @typedef {import("./people.js").Person} Person
 * @typedef {{key: string, title: string, people: Person[]}} Section  key: the room's id, "" of the main room
 */

/**
 * Puts those first who are where we are. Hosts see all others too, and of these first the ones with raised hands, with the
 * names of their rooms; so does everybody who may choose a room, without the hands.
 *
 * @param {Person[]} people  in order, those with raised hands first
 * @param {import("./breakout.js").Breakout} breakout
 * @param {boolean} controls  whether we have the host controls
 * @returns {{near: Person[], far: Section[]}}
 */
export function sectionsOf(people, breakout, controls) {
  const isNear = ({ id }) => breakout.isNear(id);
  if (!controls && !breakout.choose) return { near: people.filter(isNear), far: [] };
  const isFirst = (each) => isNear(each) || (controls && each.hand);
  const named = (each) => (isNear(each) ? each : { ...each, where: breakout.nameOf(breakout.roomOf(each.id)) || MAIN_ROOM });
  const rest = people.filter((each) => !isFirst(each));
  const far = [{ id: null, name: MAIN_ROOM }, ...breakout.rooms].map(({ id, name }) => ({
    key: id ?? "", title: name, people: rest.filter((each) => breakout.roomOf(each.id) === id),
  }));
  return { near: people.filter(isFirst).map(named), far: far.filter((section) => section.people.length > 0) };
}
