// What the client's modules find in a browser, as far as the tests need it: a socket whose other end is the test, and a
// clock that the test moves.

/** A socket whose other end is the test. */
export class FakeSocket extends EventTarget {
  static OPEN = 1;
  static all = [];
  /** Whether new sockets open. */
  static reachable = true;
  readyState = 0;
  sent = [];

  constructor(url) {
    super();
    this.url = url;
    FakeSocket.all.push(this);
    queueMicrotask(() => {
      if (!FakeSocket.reachable) return this.drop("error");
      this.readyState = 1;
      this.dispatchEvent(new Event("open"));
    });
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }

  drop(type = "close") {
    this.readyState = 3;
    this.dispatchEvent(new Event(type));
  }

  say(message) {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(message) }));
  }

  /** Answers the last message. */
  answer(message) {
    this.say({ id: this.sent.at(-1).id, ...message });
  }
}

globalThis.WebSocket = FakeSocket;
globalThis.location = { href: "https://meet.example/?meeting=1" };
globalThis.CustomEvent ??= class extends Event {
  constructor(type, options) {
    super(type);
    this.detail = options?.detail ?? null;
  }
};

/** Virtual time, in ms: the timers that wait, and the clock that they share with the modules. */
let now = 0;
let timers = new Map();
let nextTimer = 0;
const start = (again) => (run, delay = 0) => {
  nextTimer += 1;
  const id = nextTimer;
  timers.set(id, { run, due: now + delay, again: again ? delay : 0 });
  return id;
};
globalThis.setTimeout = start(false);
globalThis.setInterval = start(true);
globalThis.clearTimeout = globalThis.clearInterval = (id) => timers.delete(id);
Object.defineProperty(performance, "now", { value: () => now });

/** Begins anew: no sockets, no timers. */
export function reset() {
  FakeSocket.all = [];
  FakeSocket.reachable = true;
  timers = new Map();
}

/** Lets every promise that can go on go on. */
export const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Lets time pass, in steps of 100 ms. */
export async function pass(ms) {
  for (let left = ms; left > 0; left -= 100) {
    now += 100;
    for (const [id, timer] of [...timers]) {
      if (timer.due > now || !timers.has(id)) continue;
      if (timer.again) timer.due += timer.again;
      else timers.delete(id);
      timer.run();
    }
    await settle();
  }
}
