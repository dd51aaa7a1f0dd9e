/**
 * The page: lobby, meeting, and the end of it.
 *
 * Address: `/?meeting=<id or number>`, with `webinar=1` where newcomers only watch; for tests and kiosks also `name=`, `autojoin=1` (go in without a click, in a
 * new meeting when none is named and the server allows it) and `slots=N` (video Slots, 0 to 25). The fragment of a start
 * link, `#host_key=<key>`, makes its bearer host, and is taken out of the address at once.
 */

import { createMeeting, devToken, leaveMeeting, meetingFrom } from "./api.js";
import { Call } from "./call.js";
import { Devices } from "./devices.js";
import { byId, setText } from "./dom.js";
import { LEFT } from "./entrance.js";
import { ServiceError } from "./errors.js";
import { dropHostKey, hostKeyFrom, keepHostKey } from "./host.js";
import { Lobby } from "./lobby.js";
import { MediaConnection, VIDEO_SLOTS } from "./media.js";
import { MeetingView } from "./meeting.js";
import { whenThereIsPlace } from "./patience.js";
import { Signaling } from "./signaling.js";
import { WaitingView, waitingTitle } from "./waiting.js";

const SIGNALING = "/api/v1/signal";
const AUTOJOIN_PATIENCE_MS = 4_000;

const query = new URLSearchParams(location.search);
const slotsAsked = Number.parseInt(query.get("slots") ?? "", 10);
const videoSlots = Number.isNaN(slotsAsked) ? VIDEO_SLOTS : Math.min(VIDEO_SLOTS, Math.max(0, slotsAsked));

takeHostKey();
const devices = new Devices();
let call = null;
let wish = null;
let serviceToken = null;

const lobby = new Lobby(devices, {
  meeting: meetingFrom(query.get("meeting") ?? ""),
  webinar: query.get("webinar") === "1",
  name: query.get("name") ?? "",
  onInterest: () => call?.prepare(),
  onLook: (looks) => (looks ? devices.openBoth() : closeDevices()),
  onJoin: (asked) => join(asked),
});

const waitingView = new WaitingView({ onLeave: () => call?.leave() });

const view = new MeetingView(devices, {
  onLeave: () => leave(),
  onRetry: () => rejoin(),
  onEnded: (title, detail) => end(title, detail),
  onFrame: () => {
    if (call) call.timings.firstRemoteFrame ??= performance.now();
  },
});

/**
 * The hook for tests and support, in the console too:
 *   state         "lobby", or the state of the call: joining, knocking (a host has to let us in), meeting, reconnecting, ended
 *   pc            the RTCPeerConnection, null where the browser has none
 *   slots         {mid: {participant_id, source}} as the server last told
 *   participants  the others: [{participant_id, display_name, role, audio, video, screen, hand_raised, muted_by_host}]
 *   you           our own entry
 *   timings       performance.now() of joinClicked, asked (the join with the offer is sent), joined, described (both
 *                 descriptions are set), connected, firstRemoteFrame
 */
window.needletail = {
  get state() {
    const state = call?.state ?? "waiting";
    const entering = state === "joining" || state === "knocking";
    return state === "waiting" || (document.body.dataset.view === "lobby" && !entering) ? "lobby" : state;
  },
  get pc() {
    return call?.media.pc ?? null;
  },
  get slots() {
    return call?.slots.toJSON() ?? {};
  },
  get participants() {
    return call?.participants.list() ?? [];
  },
  get you() {
    return call?.you ?? null;
  },
  get timings() {
    return call?.timings ?? {};
  },
};

/** Goes in; on failure the lobby says why. */
async function join(asked) {
  wish = { ...asked };
  lobby.waiting();
  try {
    await whenThereIsPlace(() => attempt(), (seconds, error) => lobby.inLine(seconds, error));
  } catch (error) {
    console.warn("not joined", error);
    refused(error);
    return;
  }
  enter(call);
}

async function attempt() {
  prepareCall();
  call.timings = { joinClicked: performance.now() };
  if (wish.create) {
    serviceToken = (await devToken()) ?? serviceToken;
    const created = await createMeeting(serviceToken, wish.topic, wish.webinar);
    const meeting = created.meeting_number ?? created.meeting_id;
    Object.assign(wish, { create: false, meeting, hostKey: created.host_key });
    if (created.host_key) keepHostKey(meeting, created.host_key);
  }
  await call.join(wish.meeting, wish);
}

/** What the server answered may be mended in the form and tried again; anything else takes a new call. */
function refused(error) {
  if (error.code === "wrong_host_key") {
    dropHostKey(wish.meeting);
    wish.hostKey = "";
  }
  if (!(error instanceof ServiceError && error.status)) {
    call?.leave();
    tryToPrepareCall();
  }
  waitingView.close();
  show("lobby");
  setTitle();
  if (error.code === LEFT) lobby.open();
  else lobby.fail(error);
}

/** A host has to let us in. */
function wait({ meeting, away }) {
  const topic = meeting?.topic ?? "";
  waitingView.show({ topic, away });
  lobby.look();
  setTitle(waitingTitle(topic));
}

/**
 * Makes the next call while its user still looks into the mirror, with certificate and offer: less to wait for after
 * the click. Throws where the browser has no media connections.
 */
function prepareCall() {
  if (call && call.state !== "ended") return;
  call = null;
  call = new Call(devices, () => new MediaConnection({ videoSlots }), connect);
  call.addEventListener("waiting", ({ detail }) => wait(detail));
}

function connect(state, alive, address = SIGNALING) {
  return new Signaling(address, state, alive);
}

/** The lobby opens all the same; who wants to go in is told why not. */
function tryToPrepareCall() {
  try {
    prepareCall();
  } catch (error) {
    console.warn("no media connection", error);
  }
}

function enter(joined) {
  const link = linkTo(joined.meeting?.meeting_number ?? wish.meeting, joined.webinar.on);
  history.replaceState(null, "", link);
  waitingView.close();
  lobby.close();
  show("meeting");
  view.open(joined, link);
  setTitle(joined.meeting?.topic);
}

/** Joins the same meeting anew: a new place, socket and media connection. */
function rejoin() {
  call?.leave();
  view.close();
  show("lobby");
  return join(wish);
}

function leave() {
  call?.leave();
  end("You left the meeting", "Camera and microphone are off.");
}

function end(title, detail) {
  view.close();
  closeDevices();
  setText(byId("ended-title"), title);
  setText(byId("ended-detail"), detail);
  show("ended");
  setTitle();
  byId("ended-title").focus();
}

function closeDevices() {
  for (const kind of ["audio", "video"]) devices.close(kind);
}

function show(name) {
  document.body.dataset.view = name;
  for (const each of ["lobby", "meeting", "ended"]) byId(`${each}-view`).hidden = each !== name;
}

function setTitle(topic) {
  document.title = topic ? `${topic} · Needletail` : "Needletail";
}

/** Who follows the link to a webinar is asked for no devices. */
function linkTo(meeting, webinar) {
  const url = new URL(location.pathname, location.origin);
  url.searchParams.set("meeting", meeting);
  if (webinar) url.searchParams.set("webinar", "1");
  return url.href;
}

/** Keeps the key of a start link, and takes it out of the address bar and the history. */
function takeHostKey() {
  const key = hostKeyFrom(location.hash);
  const meeting = meetingFrom(new URLSearchParams(location.search).get("meeting") ?? "");
  if (!key) return false;
  history.replaceState(null, "", location.pathname + location.search);
  if (meeting) keepHostKey(meeting, key);
  return true;
}

async function backToLobby() {
  tryToPrepareCall();
  show("lobby");
  lobby.open();
  if (lobby.looks) await devices.openBoth();
}

byId("rejoin").addEventListener("click", async () => {
  await backToLobby();
  if (wish) await join(wish);
});
byId("to-lobby").addEventListener("click", backToLobby);
// A start link of the page that is open already.
window.addEventListener("hashchange", () => {
  if (takeHostKey()) lobby.invite(meetingFrom(new URLSearchParams(location.search).get("meeting") ?? ""));
});
window.addEventListener("pagehide", () => {
  const place = call?.place;
  if (place) leaveMeeting(place);
  if (document.body.dataset.view === "meeting") leave();
  else call?.leave();
});

async function start() {
  const opened = lobby.looks ? devices.openBoth() : Promise.resolve();
  tryToPrepareCall();
  const asked = devToken().then((token) => {
    serviceToken = token;
    if (token) lobby.allowCreate();
  });
  if (query.get("autojoin") !== "1") {
    lobby.open();
    return;
  }
  call?.prepare();
  const patience = new Promise((resolve) => setTimeout(resolve, AUTOJOIN_PATIENCE_MS));
  await Promise.all([asked, Promise.race([opened, patience])]);
  const form = lobby.wish();
  await join({ ...form, displayName: form.displayName || "Guest", create: !form.meeting && serviceToken !== null });
}

start();
