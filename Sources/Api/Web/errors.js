/**
 * Errors in plain words: what happened, and what one can do about it. Pure, no DOM.
 */

/**
 * @typedef {object} Explanation
 * @property {string} title   one short sentence
 * @property {string} detail  what to do next
 * @property {"name"|"meeting"|"password"|null} [field]  the form field that the remedy is in
 * @property {boolean} [again]  trying again may help
 */

/** An answer of the API or of the signaling socket that is not a success. */
export class ServiceError extends Error {
  /**
   * @param {{status?: number, code?: string, detail?: string, retryAfter?: number}} problem
   *   status: HTTP status, 0 when no answer came; retryAfter: seconds; elsewhere: of the PoP that has the meeting, its
   *   `addresses` (those of sockets), and what the join there says as `via`
   */
  constructor({ status = 0, code = "", detail = "", retryAfter = 0, elsewhere = null }) {
    super(detail || code || `status ${status}`);
    this.name = "ServiceError";
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.retryAfter = retryAfter;
    this.elsewhere = elsewhere;
  }
}

const BY_KIND = {
  offline: {
    title: "The meeting service cannot be reached",
    detail: "Check your network connection, then try again.",
    again: true,
  },
  malformed: {
    title: "The service did not accept that",
    detail: "Check the name and the meeting number.",
    field: "meeting",
  },
  token_bad: {
    title: "Your pass for this meeting is not valid",
    detail: "Open the invitation link again, or ask the host for a new one.",
  },
  token_expired: {
    title: "Your pass for this meeting has expired",
    detail: "Join again to get a new one.",
    again: true,
  },
  password_required: {
    title: "This meeting needs a password",
    detail: "It is in the invitation, or ask the host.",
    field: "password",
  },
  password_wrong: {
    title: "That password is not right",
    detail: "Check upper and lower case, and try again.",
    field: "password",
  },
  forbidden: {
    title: "You may not do that in this meeting",
    detail: "Ask the host.",
  },
  removed: {
    title: "A host has removed you from this meeting",
    detail: "Ask the host whether you may come back.",
  },
  denied: {
    title: "A host did not let you in",
    detail: "Ask the host whether you may come in.",
  },
  unmute_forbidden: {
    title: "A host decides who unmutes",
    detail: "Raise your hand to speak.",
  },
  chat_forbidden: {
    title: "You may write to the hosts only",
    detail: "Choose one of them as the recipient.",
  },
  last_host: {
    title: "A meeting keeps one host at least",
    detail: "Make somebody else a host first.",
  },
  breakout_open: {
    title: "There are breakout rooms already",
    detail: "Close them before you open others.",
  },
  breakout_closed: {
    title: "No breakout rooms are open any more",
    detail: "Everybody is in the main room.",
  },
  breakout_not_found: {
    title: "There is no such breakout room any more",
    detail: "Choose another one.",
  },
  breakout_choose_forbidden: {
    title: "A host decides who is in which room",
    detail: "Raise your hand: hosts see it from every room.",
  },
  poll_closed: {
    title: "The poll is closed",
    detail: "What was chosen before counts.",
  },
  poll_not_found: {
    title: "That poll is not there any more",
    detail: "A host has deleted it.",
  },
  too_many_polls: {
    title: "There are as many polls as there may be",
    detail: "Close an open one, or delete one that is over.",
  },
  poll_full: {
    title: "The open polls cannot take more votes",
    detail: "A host may close one of them.",
  },
  not_webinar: {
    title: "This meeting is no webinar",
    detail: "Everybody in it is seen and heard.",
  },
  webinar_role: {
    title: "There is no such role in this kind of meeting",
    detail: "In a webinar one is on the panel or an attendee; elsewhere everybody is a participant.",
  },
  attendee_media: {
    title: "You are watching: nobody sees or hears you",
    detail: "A host can bring you on the panel. Raise your hand to speak.",
  },
  question_not_found: {
    title: "That question is not there any more",
    detail: "Nothing was changed.",
  },
  question_answered: {
    title: "This question was answered meanwhile",
    detail: "An answer can be changed, and is not taken back.",
  },
  too_many_questions: {
    title: "There are as many questions as there may be",
    detail: "Wait until some are answered, then ask again.",
    again: true,
  },
  not_found: {
    title: "There is no such meeting",
    detail: "Check the number. The meeting may also have ended.",
    field: "meeting",
  },
  ended: {
    title: "This meeting has ended",
    detail: "Ask the host for a new invitation.",
    field: "meeting",
  },
  conflict: {
    title: "The meeting is not open yet",
    detail: "Wait until the host has started it, then try again.",
    again: true,
  },
  invalid: {
    title: "Something in the form is not possible",
    detail: "Check the name and the meeting number.",
    field: "name",
  },
  locked: {
    title: "The meeting is locked",
    detail: "The host lets nobody else in at the moment. Ask the host to unlock it.",
    again: true,
  },
  too_many: {
    title: "Many people are joining at once",
    detail: "Wait a moment, then try again.",
    again: true,
  },
  guesses: {
    title: "Too many wrong passwords",
    detail: "Wait a moment, then try again.",
    field: "password",
    again: true,
  },
  host_key_wrong: {
    title: "This start link does not fit the meeting",
    detail: "It may be of another one. You can join without being its host.",
    again: true,
  },
  busy: {
    title: "This server is busy",
    detail: "Try again in a moment.",
    again: true,
  },
  full: {
    title: "The meeting is full",
    detail: "Try again when somebody has left.",
    again: true,
  },
  node_full: {
    title: "This server is full",
    detail: "It holds as many calls as it can. Try again in a few minutes.",
    again: true,
  },
  draining: {
    title: "This server takes no new calls at the moment",
    detail: "It is being maintained. Try again in a minute.",
    again: true,
  },
  resume_expired: {
    title: "You were away for too long",
    detail: "Your place in the meeting was given up. Join again to come back.",
    again: true,
  },
  media_refused: {
    title: "This browser and the server could not agree on audio and video",
    detail: "Update the browser, or try a current Chrome, Edge, Firefox or Safari.",
  },
  internal: {
    title: "The service had a problem",
    detail: "It is not your fault. Try again in a moment.",
    again: true,
  },
};

/** The API's codes that are kinds by themselves. */
const OWN_KINDS = new Set([
  "removed", "denied", "unmute_forbidden", "chat_forbidden", "last_host", "breakout_open", "breakout_not_found",
  "breakout_choose_forbidden", "poll_closed", "poll_not_found", "too_many_polls", "poll_full", "not_webinar", "webinar_role",
  "attendee_media", "question_not_found", "too_many_questions", "question_answered",
]);

/** Patterns over the API's stable codes; the first that matches wins, then the HTTP status decides. */
const CODE_PATTERNS = [
  [/^breakout/, "breakout_closed"],
  [/resume|participant_not_found/, "resume_expired"],
  [/expired/, "token_expired"],
  [/token|unauth|signature|claims/, "token_bad"],
  [/password.*(required|missing|needed)|(required|missing).*password/, "password_required"],
  [/password/, "password_wrong"],
  [/host_key/, "host_key_wrong"],
  [/locked/, "locked"],
  [/drain/, "draining"],
  [/^node_full|^full$/, "node_full"],
  [/full|capacity|limit_reached|max_participants/, "full"],
  [/guesses/, "guesses"],
  [/too_many/, "too_many"],
  [/busy|registry|store|unreachable/, "busy"],
  [/ended|gone|cancel/, "ended"],
  [/not_found|unknown_meeting|no_such/, "not_found"],
  [/offer|answer|unsupported/, "media_refused"],
  [/joined|timeout/, "internal"],
];

const BY_STATUS = {
  0: "offline",
  400: "malformed",
  401: "token_bad",
  403: "forbidden",
  404: "not_found",
  409: "conflict",
  410: "ended",
  413: "malformed",
  422: "invalid",
  423: "locked",
  429: "too_many",
  503: "full",
};

/**
 * The kind of a service error, from its code where it is known, from its status otherwise.
 *
 * @param {ServiceError} error
 * @returns {keyof typeof BY_KIND}
 */
export function kindOf({ status = 0, code = "" }) {
  if (OWN_KINDS.has(code)) return code;
  const known = CODE_PATTERNS.find(([pattern]) => pattern.test(code.toLowerCase()));
  if (known) return known[1];
  return (status === 0 && code ? null : BY_STATUS[status]) ?? "internal";
}

/**
 * What to tell a person about an error of the service.
 *
 * @param {unknown} error  a ServiceError, or anything thrown
 * @param {{passwordGiven?: boolean}} [context]
 * @returns {Explanation}
 */
export function explain(error, { passwordGiven = false } = {}) {
  if (!(error instanceof ServiceError)) return BY_KIND.internal;
  let kind = kindOf(error);
  if (kind === "password_wrong" && !passwordGiven) kind = "password_required";
  const words = BY_KIND[kind];
  if (!error.retryAfter) return words;
  return { ...words, detail: `Wait ${secondsWords(error.retryAfter)}, then try again.` };
}

const CHAT_ERRORS = {
  invalid: {
    title: "A message has 1 to 2,000 characters",
    detail: "Shorten it, or send it in parts.",
  },
  resume_expired: {
    title: "That person is not here any more",
    detail: "Nothing was sent: choose whom the message is for.",
  },
  not_found: {
    title: "That message is not there any more",
    detail: "Nothing was sent or changed.",
  },
  forbidden: {
    title: "You may not do that with this message",
    detail: "Your own messages you may change and delete; hosts may delete any.",
  },
  breakout_closed: {
    title: "You are in no breakout room any more",
    detail: "Nothing was sent: choose whom the message is for.",
  },
  too_many: {
    title: "That was too much at once",
    detail: "Wait a moment, then try again.",
    again: true,
  },
};

/** Whether nobody can say that it was not done: no answer came, or the PoP that leads the meeting may still do it. */
export function isUnsure(error) {
  return !error.status || error.code === "home_unreachable";
}

/** The answer did not come: the message may have arrived. */
const CHAT_UNSURE = {
  title: "The connection did not carry that",
  detail: "See whether it is in the list before you try again.",
  again: true,
};

/**
 * What to tell a person whose message, change or search in the chat was refused.
 *
 * @param {unknown} error  a ServiceError, or anything thrown
 * @returns {Explanation}
 */
export function explainChat(error) {
  if (!(error instanceof ServiceError)) return BY_KIND.internal;
  if (isUnsure(error)) return CHAT_UNSURE;
  const words = CHAT_ERRORS[kindOf(error)] ?? explain(error);
  if (!error.retryAfter) return words;
  return { ...words, detail: `Wait ${secondsWords(error.retryAfter)}, then try again.` };
}

/**
 * What to tell a host whose wish about somebody was refused.
 *
 * @param {unknown} error  a ServiceError, or anything thrown
 * @returns {string} one sentence
 */
export function explainPower(error) {
  if (!(error instanceof ServiceError)) return BY_KIND.internal.title;
  if (error.code === "participant_not_found") return "That person is not here any more";
  if (isUnsure(error)) return "The connection did not carry that. See whether it was done, then try again.";
  return explain(error).title;
}

/**
 * What to tell a person whose vote, or a host whose poll, was refused.
 *
 * @param {unknown} error  a ServiceError, or anything thrown
 * @returns {string} one or two sentences
 */
export function explainPoll(error) {
  if (!(error instanceof ServiceError)) return BY_KIND.internal.title;
  if (isUnsure(error)) return "The connection did not carry that. See whether it was done, then try again.";
  const kind = kindOf(error);
  if (kind === "invalid") return "A poll has a question of one line, and two to ten different answers";
  if (kind === "too_many") return "That was too much at once. Wait a moment, then try again.";
  const { title, detail } = explain(error);
  return `${title}. ${detail}`;
}

/**
 * What to tell a person who is in line and need not do anything.
 *
 * @param {ServiceError} error
 * @returns {Explanation}
 */
export function explainWait(error) {
  return { title: explain(error, { passwordGiven: true }).title, detail: "You are in line, and will come in by yourself." };
}

/** @param {number} seconds */
export function secondsWords(seconds) {
  if (seconds >= 90) return `${Math.round(seconds / 60)} minutes`;
  return seconds === 1 ? "1 second" : `${seconds} seconds`;
}
