/**
 * The lobby: who you are, which meeting, and how you look and sound.
 */

import { isWebinarLink, meetingFrom } from "./api.js";
import { bindChoices } from "./choices.js";
import { recall, remember } from "./devices.js";
import { byId, relabel, setText } from "./dom.js";
import { explain, explainWait, secondsWords } from "./errors.js";
import { hostKeyFrom, hostKeyOf, keepHostKey } from "./host.js";
import { LevelMeter, SPEAKING_LEVEL, wakeMeters } from "./level.js";
import { problemCard } from "./notices.js";
import { initialsOf, toneOf } from "./participants.js";

const NAME_KEY = "needletail.name";
const LEADS = { look: "Check how you look and sound, then step in.", watch: "Tell your name, and step in." };
const COMES_IN = "You come in by yourself as soon as they let you in";
const AS_SET = `${COMES_IN}, with camera and microphone as they are set here. Nobody sees or hears you before.`;

export class Lobby {
  #devices;
  #meter = null;
  #metered = null;
  #invited;
  #onLook;
  /** The meeting whose link says that it is a webinar. */
  #webinar;
  /** Whether camera and microphone are looked at here. */
  #looks = true;
  #busy = false;
  /** Why we wait, and not for the first second. */
  #wait = null;

  /**
   * @param {import("./devices.js").Devices} devices
   * @param {{meeting: string, webinar: boolean, name: string, onInterest: () => void, onLook: (looks: boolean) => void,
   *   onJoin: (wish: object) => void}} options  webinar: the link says that the meeting is one; onInterest: somebody is there,
   *   and moves or types; onLook: camera and microphone are wanted from now on, or not; onJoin gets {create, meeting, topic,
   *   webinar, displayName, password, hostKey}
   */
  constructor(devices, { meeting, webinar, name, onInterest, onLook, onJoin }) {
    this.#devices = devices;
    this.#invited = meeting;
    this.#onLook = onLook;
    this.#webinar = webinar ? meeting : "";
    this.#looks = !this.#watches;
    byId("name").value = name || recall(NAME_KEY) || "";
    byId("meeting").value = meeting;
    bindChoices(devices, { audio: "microphone-choice", video: "camera-choice", problems: "device-problems" });
    devices.addEventListener("change", () => this.#showDevices());
    byId("preview-microphone").addEventListener("click", () => devices.setMicrophone(!devices.audioOn));
    byId("preview-camera").addEventListener("click", () => devices.setCamera(!devices.videoOn));
    byId("name").addEventListener("input", () => this.#showAvatar());
    byId("meeting").addEventListener("input", () => this.#takeLink());
    byId("purpose").addEventListener("change", () => this.#showPurpose());
    for (const sign of ["pointermove", "pointerdown", "keydown"]) byId("lobby-view").addEventListener(sign, onInterest);
    byId("join-form").addEventListener("submit", (event) => {
      event.preventDefault();
      wakeMeters();
      this.#submit(onJoin);
    });
    this.#showAvatar();
    this.#showPurpose();
  }

  /** Whether camera and microphone are wanted: who only watches a webinar needs none. */
  get looks() {
    return this.#looks;
  }

  /** Lets people make meetings; the server gave us a token for it. */
  allowCreate() {
    byId("purpose").hidden = false;
    if (!this.#invited) byId("purpose").querySelector("[value=create]").checked = true;
    this.#showPurpose();
  }

  /** Shows the lobby and puts the focus where the next word is due. */
  open() {
    this.#setBusy(false);
    this.#showDevices();
    const first = ["name", "meeting"].map(byId).find((input) => !input.value && !input.closest("[hidden]"));
    (first ?? byId("join-button")).focus();
  }

  /** Stops measuring, as the meeting measures by itself. */
  close() {
    this.#meter?.close();
    this.#meter = null;
    this.#metered = null;
    byId("preview-video").srcObject = null;
    this.#setBusy(false);
  }

  /** Shows this meeting's number: of a link that was followed. */
  invite(meeting) {
    this.#invited = meeting;
    byId("meeting").value = meeting;
    this.#showPurpose();
  }

  /** Says that we are on our way in. */
  waiting() {
    this.#wait = null;
    byId("lobby-problem").replaceChildren();
    this.#setBusy(true);
  }

  /** Says that we are in line, and for how long. */
  inLine(seconds, error) {
    if (this.#wait !== error) {
      this.#wait = error;
      const card = problemCard(explainWait(error));
      card.classList.add("calm");
      byId("lobby-problem").replaceChildren(card);
    }
    setText(byId("join-button").firstElementChild, `In ${secondsWords(seconds)}…`);
  }

  /** Has the preview on, also where we came from a meeting. */
  look() {
    this.#showDevices();
  }

  /** The wish as the form has it now. */
  wish() {
    const meeting = meetingFrom(byId("meeting").value);
    return {
      create: this.#creating,
      meeting,
      hostKey: this.#creating ? "" : hostKeyOf(meeting),
      webinar: this.#creating && byId("webinar").checked,
      topic: byId("topic").value.trim() || `${byId("name").value.trim()}’s meeting`,
      displayName: byId("name").value.trim(),
      password: byId("password-field").hidden ? "" : byId("password").value,
    };
  }

  /** Says what went wrong, and puts the focus on the field that mends it. */
  fail(error) {
    const words = explain(error, { passwordGiven: Boolean(this.wish().password) });
    this.#setBusy(false);
    this.#showDevices();
    if (words.field === "password") byId("password-field").hidden = false;
    this.#complain(words);
  }

  /** Somebody pasted a start link: its key goes out of sight. */
  #takeLink() {
    const { value } = byId("meeting");
    if (isWebinarLink(value)) this.#webinar = meetingFrom(value);
    const key = hostKeyFrom(value);
    if (key) {
      const meeting = meetingFrom(value);
      keepHostKey(meeting, key);
      byId("meeting").value = meeting;
    }
    this.#review();
  }

  /** Whether we shall only watch, as far as one knows before the step. */
  get #watches() {
    const meeting = meetingFrom(byId("meeting").value || this.#invited);
    return !this.#creating && meeting !== "" && meeting === this.#webinar && hostKeyOf(meeting) === "";
  }

  /** Shows camera and microphone where they are wanted. */
  #review() {
    const looks = !this.#watches;
    byId("look").hidden = !looks;
    setText(byId("lobby-lead"), looks ? LEADS.look : LEADS.watch);
    setText(byId("waiting-promise"), looks ? AS_SET : `${COMES_IN}.`);
    this.#promise();
    if (looks === this.#looks) return;
    this.#looks = looks;
    this.#onLook(looks);
  }

  get #creating() {
    return !byId("purpose").hidden && byId("purpose").querySelector(":checked").value === "create";
  }

  #submit(onJoin) {
    if (this.#busy) return;
    const wish = this.wish();
    if (!wish.displayName) {
      return this.#complain({ title: "Please tell your name", detail: "The others will see it.", field: "name" });
    }
    if (!wish.create && !wish.meeting) {
      const detail = "It is in your invitation and looks like 123-456-789.";
      return this.#complain({ title: "Which meeting?", detail, field: "meeting" });
    }
    remember(NAME_KEY, wish.displayName);
    onJoin(wish);
  }

  #complain(words) {
    for (const input of document.querySelectorAll("#join-form [aria-invalid]")) input.removeAttribute("aria-invalid");
    byId("lobby-problem").replaceChildren(problemCard(words));
    const field = words.field && byId(words.field);
    if (!field || field.closest("[hidden]")) return;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", "lobby-problem");
    field.focus();
    field.select();
  }

  #setBusy(busy) {
    this.#busy = busy;
    const button = byId("join-button");
    button.setAttribute("aria-busy", String(busy));
    button.classList.toggle("busy", busy);
    this.#showPurpose();
  }

  #showPurpose() {
    const creating = this.#creating;
    byId("meeting-field").hidden = creating;
    byId("topic-field").hidden = byId("webinar-field").hidden = !creating;
    if (creating) byId("password-field").hidden = true;
    const verb = creating ? "Start the meeting" : "Join";
    byId("join-button").firstElementChild.textContent = this.#busy ? "Joining…" : verb;
    this.#review();
  }

  /** Says before the step how one will come in. */
  #promise() {
    if (this.#watches) return setText(byId("lobby-promise"), "You will watch. Nobody sees or hears you.");
    const heard = this.#devices.audioOn ? "heard" : "muted";
    const seen = this.#devices.videoOn ? "seen" : "with the camera off";
    const words = heard === "heard" && seen === "seen" ? "heard and seen" : `${heard} and ${seen}`;
    const role = this.#creating || hostKeyOf(meetingFrom(byId("meeting").value)) ? " as the host," : "";
    return setText(byId("lobby-promise"), `You will come in${role} ${words}.`);
  }

  #showDevices() {
    if (document.body.dataset.view !== "lobby") return;
    const { tracks, audioOn, videoOn, problems } = this.#devices;
    const video = byId("preview-video");
    if (video.srcObject?.getVideoTracks()[0] !== tracks.video) {
      video.srcObject = tracks.video ? new MediaStream([tracks.video]) : null;
    }
    byId("preview").classList.toggle("live", videoOn);
    setText(byId("preview-words"), problems.video ? "The others will see your initials" : "The camera is off");
    showToggle("preview-microphone", audioOn, "mic", "Mute microphone", "Turn microphone on");
    showToggle("preview-camera", videoOn, "camera", "Turn camera off", "Turn camera on");
    this.#measure(tracks.audio);
    this.#promise();
  }

  #measure(track) {
    if (track === this.#metered) return;
    this.#meter?.close();
    this.#metered = track;
    this.#meter = track && new LevelMeter(track, (level) => showLevel(this.#devices.audioOn ? level : 0));
    if (!track) showLevel(0);
  }

  #showAvatar() {
    const name = byId("name").value;
    setText(byId("preview-avatar"), name.trim() ? initialsOf(name) : "");
    byId("preview-avatar").dataset.tone = String(toneOf(name));
  }
}

/** A round toggle; pressed means "off", as its mark does. */
function showToggle(id, on, iconName, wordsOn, wordsOff) {
  const button = byId(id);
  relabel(button, on ? iconName : `${iconName}-off`, on ? wordsOn : wordsOff);
  button.title = on ? wordsOn : wordsOff;
  button.setAttribute("aria-pressed", String(!on));
  button.classList.toggle("off", !on);
}

function showLevel(level) {
  const meter = byId("meter");
  meter.style.setProperty("--level", level.toFixed(3));
  meter.classList.toggle("speaking", level > SPEAKING_LEVEL);
  meter.setAttribute("aria-valuenow", String(Math.round(level * 20) * 5));
}
