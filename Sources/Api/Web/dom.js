/**
 * Small helpers for the page's elements.
 */

/** @returns {HTMLElement} the element with this id */
export const byId = (id) => document.getElementById(id);

/**
 * Makes an element.
 *
 * @param {string} tag
 * @param {{[attribute: string]: string|boolean}} [attributes]  `text` sets the text
 * @param {...Node} children
 */
export function make(tag, { text, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, value);
  }
  if (text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** An icon of the page; the words beside it carry the meaning. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

/** Hides a control of the meeting, or shows it; the focus goes to one that stays. */
export function hideControl(button, hidden) {
  if (hidden && document.activeElement === button) byId("hand").focus();
  button.hidden = hidden;
}

/** Changes the icon and the words of a button that has both. */
export function relabel(button, iconName, words) {
  button.querySelector("use").setAttribute("href", `#icon-${iconName}`);
  button.querySelector("span").textContent = words;
}

/** Sets text only where it differs, so that live regions and layout stay quiet. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Puts text on the clipboard; answers whether that worked. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
