/**
 * Connection quality from getStats: our own, and of each participant whom we receive.
 */

/** @typedef {"good"|"unstable"|"poor"|"unknown"} Grade */

const EVERY_MS = 2_000;
const ORDER = ["unknown", "good", "unstable", "poor"];

/**
 * Grades one direction of media.
 *
 * @param {{loss?: number, rtt?: number, jitter?: number, frozen?: boolean}} seen
 *   loss: 0 to 1 over the last interval; rtt and jitter: seconds; frozen: no frame decoded though one is due
 * @returns {Grade}
 */
export function grade({ loss = 0, rtt = 0, jitter = 0, frozen = false }) {
  if (frozen || loss > 0.1 || rtt > 0.6 || jitter > 0.2) return "poor";
  if (loss > 0.03 || rtt > 0.3 || jitter > 0.08) return "unstable";
  return "good";
}

/** The worse of two grades. */
export function worse(one, other) {
  return ORDER.indexOf(one) >= ORDER.indexOf(other) ? one : other;
}

/** Asks the connection every two seconds and tells what it found. */
export class QualityWatch {
  #pc;
  #slots;
  #cameraOn;
  #report;
  #timer;
  #before = new Map();

  /**
   * @param {RTCPeerConnection} pc
   * @param {import("./slots.js").SlotMap} slots
   * @param {(participantId: string) => boolean} cameraOn  whether frames of this participant are due
   * @param {(own: object, others: Map<string, object>) => void} report  each {grade, loss, rtt?, height?, fps?, kbps}
   */
  constructor(pc, slots, cameraOn, report) {
    this.#pc = pc;
    this.#slots = slots;
    this.#cameraOn = cameraOn;
    this.#report = report;
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
  }

  close() {
    clearInterval(this.#timer);
  }

  async #look() {
    if (this.#pc.connectionState === "closed") return;
    const stats = await this.#pc.getStats();
    const own = { loss: 0, rtt: 0, jitter: 0, kbps: 0, height: 0, fps: 0, limited: "none" };
    const others = new Map();
    for (const entry of stats.values()) {
      if (entry.type === "candidate-pair" && entry.nominated) own.rtt = entry.currentRoundTripTime ?? own.rtt;
      else if (entry.type === "remote-inbound-rtp") own.loss = Math.max(own.loss, entry.fractionLost ?? 0);
      else if (entry.type === "outbound-rtp") this.#outbound(entry, own);
      else if (entry.type === "inbound-rtp") this.#inbound(entry, others);
    }
    for (const seen of others.values()) seen.grade = grade(seen);
    const connected = this.#pc.connectionState === "connected";
    own.grade = connected ? this.#ownGrade(own, others) : "poor";
    this.#report(own, others);
  }

  /** Loss that we see from everybody is our own line, not theirs. */
  #ownGrade(own, others) {
    const losses = [...others.values()].map((seen) => seen.loss).sort((a, b) => a - b);
    const common = losses.length > 1 ? losses[0] : 0;
    const sent = grade({ loss: own.loss, rtt: own.rtt });
    const squeezed = own.limited === "bandwidth" ? "unstable" : "good";
    return worse(worse(sent, squeezed), grade({ loss: common }));
  }

  #outbound(entry, own) {
    const { sent } = this.#delta(entry.id, { sent: entry.bytesSent ?? 0 }, entry.timestamp);
    own.kbps += sent / 125;
    if (entry.kind !== "video") return;
    if ((entry.frameHeight ?? 0) > own.height) own.height = entry.frameHeight;
    own.fps = Math.max(own.fps, entry.framesPerSecond ?? 0);
    if (entry.qualityLimitationReason === "bandwidth") own.limited = "bandwidth";
  }

  #inbound(entry, others) {
    const owner = this.#slots.ownerOf(entry.mid);
    const counters = {
      lost: entry.packetsLost ?? 0,
      received: entry.packetsReceived ?? 0,
      bytes: entry.bytesReceived ?? 0,
      frames: entry.framesDecoded ?? 0,
    };
    const rates = this.#delta(entry.id, counters, entry.timestamp, owner?.participant_id);
    if (!owner) return;
    const seen = others.get(owner.participant_id) ?? { loss: 0, jitter: 0, kbps: 0, height: 0, fps: 0, frozen: false };
    if (rates.frames > 0) this.#slots.flows(entry.mid);
    const expected = rates.lost + rates.received;
    seen.loss = Math.max(seen.loss, expected > 0 ? rates.lost / expected : 0);
    seen.jitter = Math.max(seen.jitter, entry.jitter ?? 0);
    seen.kbps += rates.bytes / 125;
    if (entry.kind === "video" && owner.source === "video") {
      seen.height = entry.frameHeight ?? 0;
      seen.fps = entry.framesPerSecond ?? 0;
      // What our own line has no room for is not their fault.
      const isSent = this.#cameraOn(owner.participant_id) && !this.#slots.isPaused(owner.participant_id, "video");
      const due = rates.known && isSent;
      seen.frozen = due && rates.frames === 0 && counters.frames > 0;
    }
    others.set(owner.participant_id, seen);
  }

  /** Rates per second since the last look; zeros at the first, and when the Slot has changed hands since. */
  #delta(key, counters, timestamp, owner) {
    const last = this.#before.get(key);
    this.#before.set(key, { counters, timestamp, owner });
    const seconds = last && last.owner === owner ? (timestamp - last.timestamp) / 1000 : 0;
    const rates = { known: seconds > 0 };
    for (const [name, value] of Object.entries(counters)) {
      rates[name] = seconds > 0 ? Math.max(0, (value - last.counters[name]) / seconds) : 0;
    }
    return rates;
  }
}

/** A grade in words. */
export const GRADE_WORDS = {
  good: "Good connection",
  unstable: "Unstable connection",
  poor: "Poor connection",
  unknown: "Connection not measured yet",
};

/**
 * What a support person wants to read.
 *
 * @param {object} seen  as QualityWatch reports
 * @returns {string} for example "720p · 30 fps · 640 kbit/s · 0.4 % lost · 23 ms"
 */
export function describe(seen) {
  const parts = [];
  if (seen.height) parts.push(`${seen.height}p`);
  if (seen.fps) parts.push(`${Math.round(seen.fps)} fps`);
  parts.push(`${Math.round(seen.kbps)} kbit/s`);
  parts.push(`${(seen.loss * 100).toFixed(1)} % lost`);
  if (seen.rtt) parts.push(`${Math.round(seen.rtt * 1000)} ms`);
  return parts.join(" · ");
}
