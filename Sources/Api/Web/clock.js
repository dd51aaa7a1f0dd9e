/**
 * Times in words: how long a meeting lasts, and when something was.
 */

/**
 * @param {number} seconds
 * @returns {string} "4:05" or "1:04:05"
 */
export function clockWords(seconds) {
  const whole = Math.floor(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value) => String(value).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/**
 * @param {string} moment  ISO 8601
 * @param {Date} [now]
 * @returns {string} "14:05", on another day with the day before it; "" for what is no time
 */
export function momentWords(moment, now = new Date()) {
  const date = new Date(moment);
  if (Number.isNaN(date.getTime())) return "";
  const time = { hour: "2-digit", minute: "2-digit" };
  const day = date.toDateString() === now.toDateString() ? {} : { day: "numeric", month: "short" };
  return date.toLocaleString([], { ...day, ...time });
}
