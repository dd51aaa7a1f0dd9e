/**
 * The level of our own microphone.
 */

let context = null;

/** Above this a person speaks rather than breathes (0 to 1, after `LevelMeter`'s scale). */
export const SPEAKING_LEVEL = 0.22;

/**
 * Measures a track about 20 times a second until closed. It listens to a clone, so that it still hears a muted
 * microphone and can tell people that they speak into one.
 */
export class LevelMeter {
  #clone;
  #source = null;
  #timer = 0;

  /**
   * @param {MediaStreamTrack} track
   * @param {(level: number) => void} report  0 to 1, on a decibel scale from -60 to 0 dBFS
   */
  constructor(track, report) {
    this.#clone = track.clone();
    this.#clone.enabled = true;
    try {
      context ??= new AudioContext();
      if (context.state === "suspended") context.resume().catch(() => {});
      const analyser = new AnalyserNode(context, { fftSize: 1024 });
      this.#source = context.createMediaStreamSource(new MediaStream([this.#clone]));
      this.#source.connect(analyser);
      const samples = new Float32Array(analyser.fftSize);
      this.#timer = setInterval(() => {
        analyser.getFloatTimeDomainData(samples);
        report(levelOf(samples));
      }, 50);
    } catch (error) {
      console.warn("no level meter", error);
    }
  }

  close() {
    clearInterval(this.#timer);
    this.#source?.disconnect();
    this.#clone.stop();
  }
}

/** Wakes the meters' clock after the first gesture; browsers start it asleep on a page just opened. */
export function wakeMeters() {
  if (context?.state === "suspended") context.resume().catch(() => {});
}

/**
 * @param {Float32Array} samples  -1 to 1
 * @returns {number} 0 (-60 dBFS and below) to 1 (0 dBFS)
 */
export function levelOf(samples) {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const decibels = 10 * Math.log10(sum / samples.length + 1e-12);
  return Math.min(1, Math.max(0, (decibels + 60) / 60));
}
