// Reads a canvas at the end of a frame: in the last of its animation frame callbacks, when the page
// has drawn, and in the same task, so that a WebGL drawing is still there. Asked for before the
// frame is drawn (`request`), told after it (`take`). It runs before the page's own scripts: what
// those replace is not what reads. `backdrop` is the colour behind it, "" if there is none;
// `colorSpace` is that of the pixels.
(find, backdrop, colorSpace) => {
  const MARK_BYTES = 16; // at both ends of the pixels; the last ones bear the frame's number
  const LEAST_BYTES = 4 << 20; // what is smaller shares a large region with much else
  const nextFrame = window.requestAnimationFrame.bind(window);
  const { VideoFrame } = window;
  const copy = document.createElement("canvas");
  const context = copy.getContext("2d", { alpha: !backdrop, willReadFrequently: true, colorSpace });
  const asFile = copy.toDataURL.bind(copy, "image/png");
  const offscreens = new WeakMap();
  const clock = window[Symbol.for("framefarm.clock")];
  const fleeting = new WeakSet(); // what these show is gone when the callbacks have ended
  let isDrawnAgain = false;
  let canvas = null;
  let selector = "canvas";
  let outcome = null;
  let room = null;

  function noteOffscreens() {
    const transfer = HTMLCanvasElement.prototype.transferControlToOffscreen;
    HTMLCanvasElement.prototype.transferControlToOffscreen = function transferControlToOffscreen() {
      const offscreen = transfer.call(this);
      offscreens.set(this, offscreen);
      return offscreen;
    };
  }

  function noteFleetingOnes() {
    for (const { prototype } of [HTMLCanvasElement, OffscreenCanvas]) {
      const before = prototype.getContext;
      prototype.getContext = function getContext(type, attributes) {
        if (type === "webgpu") fleeting.add(this);
        return before.call(this, type, attributes);
      };
    }
  }

  /** A frame is drawn again when what it waited for has come, and the page may have drawn since. */
  function noteFramesDrawnAgain() {
    const { holdCallbacks } = clock;
    clock.holdCallbacks = () => {
      isDrawnAgain = true;
      holdCallbacks();
    };
  }

  /** What the page draws on: the element shows an offscreen canvas' drawing only a frame later. */
  function source() {
    const offscreen = offscreens.get(canvas);
    return offscreen?.width > 0 ? offscreen : canvas; // one that went to a worker has no width here
  }

  /** Its alpha is gone then, or wanted, and all that decides pixels is done: what follows only moves them. */
  function flatten(wantsPicture) {
    if (!canvas?.isConnected) canvas = find(selector);
    if (!(canvas instanceof HTMLCanvasElement)) {
      return { absent: canvas ? `it is a <${canvas.localName}>` : "no element matches it" };
    }
    const { width, height } = source();
    if (!wantsPicture || width === 0 || height === 0) return { width, height };
    if (copy.width !== width || copy.height !== height) Object.assign(copy, { width, height });
    context.clearRect(0, 0, width, height);
    if (backdrop) {
      context.fillStyle = backdrop;
      context.fillRect(0, 0, width, height);
    }
    context.drawImage(source(), 0, 0);
    context.getImageData(0, 0, 1, 1); // refuses when it is tainted
    return { width, height, isRead: true };
  }

  function tryToFlatten(wantsPicture) {
    try {
      return flatten(wantsPicture);
    } catch (error) {
      if (error.name === "SyntaxError") return { absent: error.message };
      if (error.name === "SecurityError") return { tainted: error.message };
      throw error;
    }
  }

  async function copyPixels(pixels) {
    // Which knows straight alpha, and what colours are of a wide gamut.
    if (!VideoFrame || !backdrop || colorSpace !== "srgb") return copySwapped(pixels);
    const frame = new VideoFrame(copy, { timestamp: 0 });
    try {
      await frame.copyTo(pixels, { format: "BGRA" });
    } finally {
      frame.close();
    }
  }

  function copySwapped(pixels) {
    const { data } = context.getImageData(0, 0, copy.width, copy.height);
    const from = new Uint32Array(data.buffer);
    const to = new Uint32Array(pixels.buffer, pixels.byteOffset, from.length);
    for (let i = 0; i < from.length; i++) {
      const abgr = from[i];
      to[i] = (abgr & 0xff00ff00) | ((abgr >>> 16) & 0xff) | ((abgr & 0xff) << 16);
    }
  }

  const reader = {
    aim: (given) => void (selector = given),
    request(wantsPicture) {
      outcome = {}; // no callback has run
      isDrawnAgain = false;
      nextFrame(() => (outcome = tryToFlatten(wantsPicture)));
    },
    /** What came of it, when `carry` has brought the pixels to where they are read. */
    async take(carry) {
      if (outcome.isRead && isDrawnAgain && !fleeting.has(source())) outcome = tryToFlatten(true);
      if (carry && outcome.isRead) outcome.file = await carry();
      return outcome;
    },
    /** Set memory apart for a picture, and mark its ends so that it can be found. */
    setApart(size, head, tail) {
      const length = MARK_BYTES + size + MARK_BYTES;
      room = new Uint8Array(new ArrayBuffer(Math.max(length, LEAST_BYTES)), 0, length);
      room.set(Uint8Array.from(head));
      room.set(Uint8Array.from(tail), MARK_BYTES + size);
    },
    async toMemory(frame) {
      const end = room.byteLength - MARK_BYTES;
      if (end - MARK_BYTES !== copy.width * copy.height * 4) return; // its size is told, and wrong
      await copyPixels(room.subarray(MARK_BYTES, end));
      new DataView(room.buffer).setUint32(end, frame, true);
    },
    toFile: () => asFile().split(",")[1],
  };

  noteOffscreens();
  noteFleetingOnes();
  noteFramesDrawnAgain();
  Object.defineProperty(window, Symbol.for("framefarm.canvas"), { value: reader });
}
