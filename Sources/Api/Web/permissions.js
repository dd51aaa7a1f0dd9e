/**
 * Who may do what in a meeting. No DOM.
 */

/** Whether a role comes with the host controls. */
export function isHost(role) {
  return role === "host" || role === "co_host";
}

/** Whether somebody with this role watches a webinar, and is neither seen nor heard. */
export function isAudience(role) {
  return role === "attendee";
}

/**
 * What people without host controls may do. `enter`: come in without being let in by a host.
 *
 * @param {object|null} meeting
 * @returns {{unmute: boolean, chat: boolean, screen: boolean, enter: boolean}}
 */
export function rightsIn(meeting) {
  const { allow_unmute: unmute, allow_chat: chat, allow_screen_share: screen, waiting_room: waits } = meeting?.settings ?? {};
  return { unmute: unmute !== false, chat: chat !== false, screen: screen !== false, enter: waits !== true };
}

/**
 * Whether we may open our microphone: we are a host, a host asked us to, or everybody may. Who watches a webinar never may.
 *
 * @param {{controls: boolean, watching?: boolean, invited: boolean, meeting: object|null}} call
 */
export function mayUnmute({ controls, watching = false, invited, meeting }) {
  return !watching && (controls || invited || rightsIn(meeting).unmute);
}

/**
 * Whether we may write to somebody, or to everybody. To hosts one always may; attendees of a webinar not to each other.
 *
 * @param {{controls: boolean, watching?: boolean, meeting: object|null}} call
 * @param {string|null} role  of the recipient; null: everybody
 */
export function mayWrite({ controls, watching = false, meeting }, role) {
  if (watching && isAudience(role)) return false;
  return controls || rightsIn(meeting).chat || isHost(role);
}

/**
 * What of ours a host has turned off that is on here. That the server has something else as off says nothing: what we have
 * just opened may not have come there yet.
 *
 * @param {{turned_off?: string[]}} told
 * @param {{audio: boolean, video: boolean, screen: boolean}} ours
 * @returns {("audio"|"video"|"screen")[]}
 */
export function turnedOff({ turned_off: told }, ours) {
  return Array.isArray(told) ? ["audio", "video", "screen"].filter((source) => told.includes(source) && ours[source]) : [];
}

const REFUSED = { unmute_forbidden: ["audio"], screen_share_taken: ["screen"], attendee_media: ["audio", "video", "screen"] };

/** What of ours the server does not take, by the code of its error. @returns {("audio"|"video"|"screen")[]} */
export function refusedBy(code) {
  return REFUSED[code] ?? [];
}

const OFF_WORDS = {
  audio: "The host muted you",
  video: "The host turned your camera off",
  screen: "The host stopped your screen",
};

/** What to tell a person of whose media a host turned something off. @param {string[]} sources */
export function offWords(sources) {
  return sources.map((source) => OFF_WORDS[source]);
}

/** Why the microphone stays off. */
export const MUST_STAY_MUTED = "The host has muted everybody. Raise your hand to speak.";

const ROLE_WORDS = {
  host: "You are a host now",
  co_host: "You are a co-host now",
  attendee: "You are watching now: your microphone, camera and screen are off",
};

/**
 * What to tell a person whose role is another one now.
 *
 * @param {string} role
 * @param {string} [before]
 */
export function roleWords(role, before) {
  if (isAudience(before) && role === "panelist") return "You are on the panel now: you may open your microphone and camera";
  return ROLE_WORDS[role] ?? "You have no host controls any more";
}

const RIGHT_WORDS = {
  unmute: ["You may unmute yourself again", "From now on, a host decides who unmutes"],
  chat: ["You may write to everybody again", "You may write to the hosts only now"],
  screen: ["You may share your screen again", "Only hosts may share their screens now"],
};

/**
 * What to tell a person without host controls of rights that have changed.
 *
 * @param {ReturnType<typeof rightsIn>} before
 * @param {ReturnType<typeof rightsIn>} after
 * @param {boolean} [watching]  whether they only watch: then what they may give is none of their concern
 * @returns {string[]}
 */
export function changeWords(before, after, watching = false) {
  const names = Object.keys(RIGHT_WORDS).filter((name) => before[name] !== after[name] && (!watching || name === "chat"));
  return names.map((name) => RIGHT_WORDS[name][after[name] ? 0 : 1]);
}

/**
 * @typedef {object} Action
 * @property {string} key      of its line in the menu
 * @property {string} label
 * @property {string} type     of the message that asks the server for it
 * @property {object} fields   of that message, beside who it is about
 * @property {string} [done]   what is said of it afterwards; the server tells the rest
 * @property {{title: string, detail: string, yes: string, no: string}} [confirm]  what is asked before
 */

/**
 * What we may do with somebody as they are now.
 *
 * @param {string} ownRole
 * @param {import("./people.js").Person} person
 * @param {boolean} [webinar]  whether the meeting is one
 * @returns {Action[]}
 */
export function actionsFor(ownRole, { self, name, role, audio, video, screen }, webinar = false) {
  if (self || !isHost(ownRole) || (ownRole === "co_host" && role === "host")) return [];
  if (isAudience(role)) {
    const done = `${name} is on the panel now`;
    return [{ key: "promote", label: "Bring on the panel", type: "promote", fields: {}, done }, removal(name)];
  }
  const mute = (source) => ({ key: source, type: "mute_participant", fields: { source } });
  const all = [
    audio
      ? { label: "Mute", ...mute("audio"), done: `${name} is muted` }
      : { key: "audio", label: "Ask to unmute", type: "ask_unmute", fields: {}, done: `${name} is asked to unmute` },
    video && { label: "Turn camera off", ...mute("video"), done: `${name}’s camera is off` },
    screen && { label: "Stop their screen", ...mute("screen"), done: `${name}’s screen is stopped` },
    role === "panelist" && {
      key: "demote", label: "Make an attendee", type: "demote", fields: {}, done: `${name} is watching now`,
    },
    ...(ownRole === "host" ? roleActions(name, role, webinar ? "panelist" : "participant") : []),
    removal(name),
  ];
  return all.filter(Boolean);
}

function removal(name) {
  return {
    key: "remove", label: "Remove", type: "remove_participant", fields: {},
    confirm: {
      title: `Remove ${name} from the meeting?`,
      detail: "They leave it at once, and may be kept from coming back.",
      yes: "Remove", no: "Let them stay",
    },
  };
}

/** @param {string} plain  the role of those who are seen and heard, and have no host controls */
function roleActions(name, role, plain) {
  if (role === "host") return [];
  const set = (key, to) => ({ key, type: "set_role", fields: { role: to } });
  const coHost = role === "co_host"
    ? { label: "Take co-host away", ...set("co_host", plain), done: `${name} is no co-host any more` }
    : { label: "Make co-host", ...set("co_host", "co_host"), done: `${name} is a co-host now` };
  const confirm = {
    title: `Make ${name} a host?`,
    detail: "They can then do all that you can, also remove people and end the meeting. You stay a host too.",
    yes: "Make host", no: "Leave it",
  };
  return [coHost, { label: "Make host", ...set("host", "host"), done: `${name} is a host now`, confirm }];
}
