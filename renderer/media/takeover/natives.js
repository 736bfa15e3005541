// Takes over <video> and <audio>: their time is a function of the virtual clock, and what a video
// shows is a picture that the worker decoded. The element itself never loads: it shows each picture
// as its poster, which has the element's own box, fit, filters and transforms, and is there as soon
// as it is set. `projection.py` makes one function of the files of this folder, adds the options and
// runs it in every document after `clock.js`.
//
// This part is what all others know, and what the browser itself does with media before any of it
// is replaced.

const clock = window[Symbol.for("framefarm.clock")];
const KEY = Symbol.for("framefarm.media");
const NOTHING = 0, METADATA = 1, ENOUGH = 4;
const EMPTY = 0, IDLE = 1, LOADING = 2, NO_SOURCE = 3;
const UPDATE_MS = 250;
const MAX_ROUNDS = 8; // an `ended` handler may play the next video, whose picture is wanted too
const GRID_PER_MS = 10;
const FORMATS = /^(video|audio)\/(x-)?(mp4|m4v|m4a|webm|ogg|mpeg|mp3|aac|wav|wave|flac|quicktime|matroska)\b/i;

const nativeFetch = window.fetch.bind(window);
const NativeRequest = window.XMLHttpRequest;
const NativeImage = window.Image;
const requests = { open: NativeRequest.prototype.open, send: NativeRequest.prototype.send };
const { createObjectURL, revokeObjectURL } = URL;
const media = HTMLMediaElement.prototype;
const video = HTMLVideoElement.prototype;
const native = (prototype, name) => Object.getOwnPropertyDescriptor(prototype, name);
const create = Document.prototype.createElement;
const native2d = HTMLCanvasElement.prototype.getContext;
const putPixels = CanvasRenderingContext2D.prototype.putImageData;
const nativeLoad = media.load;
const nativeState = native(media, "networkState").get;
const nativeStream = native(media, "srcObject");
const preloads = native(media, "preload");
const autoplays = native(media, "autoplay");
const controls = native(media, "controls");
const posters = native(video, "poster");

const states = new WeakMap();
const active = new Set();
// What `sounds.js` is told: that an element may be heard otherwise than before; and what it
// knows: the clip that an element's attributes say it plays by itself.
const hooks = { changed() {}, clipOf: () => null };
const now = () => clock.now() ?? 0;

/** Frames stand up to 0.1 ms after n / fps; which picture they show is a matter of n / fps. */
function exactNow() {
  const ms = now();
  const [numerator, denominator] = options.fps;
  const frame = Math.floor((ms * numerator) / (1000 * denominator));
  const exact = (frame * 1000 * denominator) / numerator;
  const grid = frame && (Math.floor(exact * GRID_PER_MS) + 1) / GRID_PER_MS;
  return Math.abs(ms - grid) < 1e-6 ? exact : ms;
}

const isMedia = (value) => value instanceof HTMLMediaElement;
const isVideo = (value) => value instanceof HTMLVideoElement;
