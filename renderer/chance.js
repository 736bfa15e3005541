// Chance: the same draws in every process for a seed. `chance.py` adds the options and runs it in
// every document after `clock.js`, and in every worker after its clock, before their own scripts.
//
// What is drawn depends on the seed, the document and the moment alone: the generator starts anew
// with each frame and with each stretch between two frames, so that nobody needs to know how many
// draws came before.
(options) => {
  const clock = globalThis[Symbol.for("framefarm.clock")];
  const [num, den] = options.fps;
  const LOADING = -1;
  const state = new Uint32Array(4);
  let moment = null; // where the generator was started last
  let isFresh = false; // no task has ended since

  /** A document's place in the page: the numbers of the frames that lead to it. */
  function place() {
    const numbers = [];
    for (let frame = globalThis; frame.parent && frame !== frame.parent; frame = frame.parent) {
      let number = 0;
      while (number < frame.parent.length && frame.parent[number] !== frame) number++;
      numbers.unshift(number);
    }
    return numbers;
  }

  const frameTimeUs = (frame) => (frame ? (Math.floor((frame * 1e4 * den) / num) + 1) * 100 : 0);

  /** Frame k is 2 k, and the time between it and the next one 2 k + 1. */
  function momentNow() {
    const ms = clock.now();
    if (ms === null) return LOADING;
    const us = Math.round(ms * 1000);
    const frame = Math.floor((us * num) / (den * 1e6));
    return 2 * frame + Math.sign(us - frameTimeUs(frame));
  }

  // murmur3's way of mixing: near seeds and frames give far states.
  function mix(hash, word) {
    let k = Math.imul(word, 0xcc9e2d51);
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    const h = hash ^ k;
    return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
  }

  function finish(hash) {
    let h = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return h ^ (h >>> 16);
  }

  const at = options.place ?? place();
  const codes = (part) => (typeof part === "number" ? part : [...part].map((c) => c.codePointAt(0)));
  const words = [...options.seed, ...at.flatMap(codes)];

  function start() {
    const hash = [...words, moment].reduce(mix, 0);
    for (let i = 0; i < state.length; i++) state[i] = finish(mix(hash, i + 1));
    if (state.every((word) => word === 0)) state[0] = 1; // the one state that it never leaves
  }

  /** Time passes between tasks only: within one, it is asked once. */
  function refresh() {
    isFresh = true;
    queueMicrotask(() => (isFresh = false));
    const now = momentNow();
    if (now === moment) return;
    moment = now;
    start();
  }

  // xorshift128
  function nextWord() {
    if (!isFresh) refresh();
    const t = state[0] ^ (state[0] << 11);
    state[0] = state[1];
    state[1] = state[2];
    state[2] = state[3];
    state[3] ^= (state[3] >>> 19) ^ t ^ (t >>> 8);
    return state[3];
  }

  const replace = (target, name, value) =>
    Object.defineProperty(target, name, { value, writable: true, configurable: true });

  function random() {
    const high = nextWord() >>> 5;
    return (high * 2 ** 26 + (nextWord() >>> 6)) / 2 ** 53;
  }

  // A worklet has neither tasks of its own to speak of, nor secrets.
  const queueMicrotask =
    globalThis.queueMicrotask?.bind(globalThis) ?? ((run) => void Promise.resolve().then(run));
  Object.defineProperty(globalThis, Symbol.for("framefarm.chance"), { value: { place: () => at } });
  replace(Math, "random", random);
  if (!globalThis.Crypto) return;
  const fill = Crypto.prototype.getRandomValues;
  replace(Crypto.prototype, "getRandomValues", function getRandomValues(array) {
    fill.call(this, array); // refuses what it must refuse
    const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    for (let i = 0; i < bytes.length; i++) bytes[i] = nextWord() >>> 8;
    return array;
  });
  if (!("randomUUID" in Crypto.prototype)) return; // not a secure context
  replace(Crypto.prototype, "randomUUID", function randomUUID() {
    const bytes = this.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  });
}
