/**
 * The REST side of the service.
 */

import { ServiceError } from "./errors.js";

const BASE = "/api/v1";
const PATIENCE_MS = 10_000;

/** Calls the API and answers the parsed body; throws ServiceError for everything else. */
async function call(path, { method = "GET", token, body, keepalive = false, service = "" } = {}) {
  const headers = { Accept: "application/json" };
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(service + BASE + path, {
      method,
      headers,
      keepalive,
      cache: "no-store",
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch (cause) {
    throw new ServiceError({ status: 0, detail: cause.message });
  }
  const answer = await response.json().catch(() => null);
  if (response.ok) return answer ?? {};
  throw new ServiceError({
    status: response.status,
    code: typeof answer?.code === "string" ? answer.code : "",
    detail: typeof answer?.detail === "string" ? answer.detail : "",
    retryAfter: Number(response.headers.get("Retry-After")) || 0,
  });
}

/**
 * The service token that a server in --dev mode gives to anyone, or null in production.
 *
 * @returns {Promise<string|null>}
 */
export async function devToken() {
  try {
    return (await call("/dev/token")).token ?? null;
  } catch {
    return null;
  }
}

/**
 * Creates a meeting that starts at once.
 *
 * @param {string} token  service JWT with the grant `create`
 * @param {string} topic
 * @param {boolean} [webinar]  only the panel is seen and heard
 * @returns {Promise<{meeting_id: string, meeting_number: string, join_url: string}>}
 */
export function createMeeting(token, topic, webinar = false) {
  const body = { topic, type: "instant", ...(webinar && { settings: { webinar } }) };
  return call("/meetings", { method: "POST", token, body });
}

/**
 * Leaves for somebody whose page goes away: the request outlives the page, the last message of a socket may not.
 *
 * @param {{meeting: string, participant: string, token: string, service: string}} place  ids, the participant's session
 *   token, and the origin of the PoP that has the meeting ("": the page's own)
 */
export function leaveMeeting({ meeting, participant, token, service }) {
  const path = `/meetings/${encodeURIComponent(meeting)}/leave`;
  // By the socket it may have left already.
  call(path, { method: "POST", token, body: { participant_id: participant }, keepalive: true, service }).catch(() => {});
}

/**
 * A page of what was written in a meeting, oldest first; without `before` and `after` the newest one.
 *
 * @param {{meeting: string, token: string, service: string}} place  as for `leaveMeeting`
 * @param {{limit: number, before?: string, after?: string, query?: string}} fields
 * @returns {Promise<{messages: object[], previous?: string, next?: string}>}
 */
export function chatHistory({ meeting, token, service }, fields) {
  return call(`/meetings/${encodeURIComponent(meeting)}/chat?${new URLSearchParams(fields)}`, { token, service });
}

/**
 * The meeting in what a person typed or pasted: a link, a number with or without dashes, or an id.
 *
 * @param {string} text
 * @returns {string} "" when there is none
 */
export function meetingFrom(text) {
  const trimmed = text.trim();
  const linked = /[?&]meeting=([^&#\s]+)/.exec(trimmed);
  if (linked) return meetingFrom(safeDecode(linked[1]));
  const digits = trimmed.replace(/[\s-]/g, "");
  if (/^\d{9}$/.test(digits)) return `${digits.slice(0, 3)}-${digits.slice(3, 6)}-${digits.slice(6)}`;
  return trimmed;
}

/** Whether a link says that its meeting is a webinar, in which newcomers only watch. */
export function isWebinarLink(text) {
  return /[?&]webinar=1(?:[&#\s]|$)/.test(text);
}

/** Decodes a part of an address; a malformed one stays as it is. */
function safeDecode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
