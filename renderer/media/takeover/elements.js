// Elements that say what their states say, and never load or play by themselves.

const observer = new MutationObserver((records) => {
  for (const { type, target, addedNodes, removedNodes } of records) {
    if (type === "attributes" || target.localName === "video" || target.localName === "audio") {
      if (isMedia(target)) stateOf(target).refresh();
    }
    for (const node of addedNodes) if (node.nodeType === Node.ELEMENT_NODE) takeWithin(node);
    for (const node of removedNodes) if (node.nodeType === Node.ELEMENT_NODE) stopWithin(node);
  }
});
const watched = { childList: true, subtree: true };

function takeWithin(root) {
  for (const element of [root, ...root.querySelectorAll("*")]) {
    if (isMedia(element)) stateOf(element).refresh();
    if (element.localName === "source" && isMedia(element.parentNode)) {
      stateOf(element.parentNode).refresh();
    }
    if (element.shadowRoot && !observedRoots.has(element.shadowRoot)) watch(element.shadowRoot);
  }
}

/** What is taken out of a document plays no more. */
function stopWithin(root) {
  for (const element of [root, ...root.querySelectorAll("*")]) {
    if (states.has(element) && !element.isConnected) states.get(element).pause();
    if (element.shadowRoot) for (const child of element.shadowRoot.children) stopWithin(child);
  }
}

const observedRoots = new WeakSet();

function watch(root) {
  observedRoots.add(root);
  observer.observe(root, watched);
  if (root !== document) for (const child of root.children) takeWithin(child);
}

function stateOf(element) {
  let state = states.get(element);
  if (state === undefined) {
    state = new State(element);
    states.set(element, state);
    active.add(state);
    take(element);
  }
  return state;
}

/** From now on the element itself neither loads nor plays. */
function take(element) {
  autoplays.set.call(element, false);
  controls.set.call(element, false); // they would lie over the picture, and show another time
  preloads.set.call(element, "none");
  if (nativeState.call(element) === LOADING) nativeLoad.call(element);
  observer.observe(element, { attributes: true, attributeFilter: ["src"], childList: true });
}

/** Describe a property by the state; what plays a stream of the page's own is left alone. */
function property(prototype, name, get, set) {
  const before = native(prototype, name);
  Object.defineProperty(prototype, name, {
    configurable: true,
    enumerable: true,
    get() {
      return nativeStream.get.call(this) ? before.get.call(this) : get(stateOf(this));
    },
    set: set && function (value) {
      nativeStream.get.call(this) ? before.set?.call(this, value) : set(stateOf(this), value);
    },
  });
}

function method(prototype, name, run) {
  const before = prototype[name];
  const value = function (...given) {
    return nativeStream.get.call(this) && before
      ? before.apply(this, given)
      : run(stateOf(this), ...given);
  };
  Object.defineProperty(prototype, name, { configurable: true, writable: true, value });
}

const ranges = (...pairs) => ({
  length: pairs.length,
  start: (at) => pairs[at][0],
  end: (at) => pairs[at][1],
});

function replaceElements() {
  const whole = (state) => (state.facts ? ranges([0, state.duration]) : ranges());
  property(media, "currentTime", (state) => state.currentTime, (state, time) => state.seek(time));
  property(media, "paused", (state) => state.paused);
  property(media, "ended", (state) => state.readyState === ENOUGH && state.isOver);
  property(media, "duration", (state) => state.duration);
  property(media, "readyState", (state) => state.readyState);
  property(media, "networkState", (state) => state.networkState);
  property(media, "seeking", (state) => state.seeking !== null);
  property(media, "error", (state) => state.error);
  property(media, "currentSrc", (state) => state.url);
  property(media, "buffered", whole);
  property(media, "seekable", whole);
  property(media, "played", (state) => ranges([0, state.currentTime]));
  property(media, "playbackRate", (state) => state.rate, (state, rate) => state.setRate(rate));
  property(
    media,
    "defaultPlaybackRate",
    (state) => state.defaultRate,
    (state, rate) => void (state.defaultRate = rate)
  );
  property(media, "preload", (state) => state.preload, (state, given) => (state.preload = given));
  property(media, "autoplay", (state) => state.autoplays, (state, given) => {
    state.autoplays = Boolean(given);
    if (state.autoplays && state.paused && state.canAutoplay && state.networkState !== EMPTY) {
      void state.play();
    }
  });
  property(media, "controls", (state) => state.controls, (state, given) => {
    state.controls = Boolean(given);
  });
  method(media, "play", (state) => state.play());
  method(media, "pause", (state) => state.pause());
  method(media, "fastSeek", (state, time) => state.seek(time));
  method(media, "load", (state) => state.load(state.candidates(), state.key));
  method(media, "canPlayType", (_, type) => {
    if (!FORMATS.test(type)) return "";
    return type.includes("codecs") ? "probably" : "maybe";
  });
  property(video, "videoWidth", (state) => state.facts?.width ?? 0);
  property(video, "videoHeight", (state) => state.facts?.height ?? 0);
  property(video, "poster", (state) => state.poster, (state, url) => {
    state.ownPoster = String(url);
    state.poster = new URL(url, document.baseURI).href;
    state.showPoster();
  });
  method(video, "requestVideoFrameCallback", (state, callback) => {
    state.callbacks.set(state.nextCallback, callback);
    return state.nextCallback++;
  });
  method(video, "cancelVideoFrameCallback", (state, id) => void state.callbacks.delete(id));
  method(video, "getVideoPlaybackQuality", (state) => ({
    creationTime: now(),
    totalVideoFrames: state.presented,
    droppedVideoFrames: 0,
    corruptedVideoFrames: 0,
  }));
}

/** Elements that scripts make work before they are in the document, and without it. */
function watchMakers() {
  Document.prototype.createElement = function (...given) {
    const element = create.apply(this, given);
    if (isMedia(element)) stateOf(element);
    return element;
  };
  const NativeAudio = window.Audio;
  window.Audio = new Proxy(NativeAudio, {
    construct(target, given, newTarget) {
      const element = Reflect.construct(target, given, newTarget);
      stateOf(element).refresh();
      return element;
    },
  });
  const attach = Element.prototype.attachShadow;
  Element.prototype.attachShadow = function (init) {
    const root = attach.call(this, init);
    watch(root);
    return root;
  };
}

/** Whoever reads a video's pixels gets those of the decoded picture. */
function readPictures() {
  const readers = [
    [window.CanvasRenderingContext2D, "drawImage createPattern"],
    [window.OffscreenCanvasRenderingContext2D, "drawImage createPattern"],
    [window.WebGLRenderingContext, "texImage2D texSubImage2D"],
    [window.WebGL2RenderingContext, "texImage2D texSubImage2D texImage3D texSubImage3D"],
    [{ prototype: window }, "createImageBitmap"],
  ];
  for (const [kind, names] of readers) {
    for (const name of names.split(" ")) {
      const before = kind.prototype[name];
      kind.prototype[name] = function (...given) {
        return before.apply(this, given.map(pixelsOf));
      };
    }
  }
  window.VideoFrame &&= new Proxy(window.VideoFrame, {
    construct(target, [source, init, ...rest], newTarget) {
      const picture = pixelsOf(source);
      if (picture === source) return Reflect.construct(target, [source, init, ...rest], newTarget);
      const timestamp = Math.round(source.currentTime * 1e6);
      return Reflect.construct(target, [picture, { timestamp, ...init }], newTarget);
    },
  });
}

const bytesOf = (text) =>
  Uint8Array.fromBase64?.(text) ?? Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0));

/** A canvas with the pixels of one of our BMP files, for those who cannot wait for an image. */
function canvasOf(bytes) {
  const header = new DataView(bytes.buffer, bytes.byteOffset);
  const width = header.getInt32(18, true);
  const height = -header.getInt32(22, true);
  const isOpaque = header.getUint32(66, true) === 0;
  const pixels = new Uint8ClampedArray(bytes.subarray(header.getUint32(10, true)));
  for (let at = 0; at < pixels.length; at += 4) {
    const blue = pixels[at];
    pixels[at] = pixels[at + 2];
    pixels[at + 2] = blue;
    if (isOpaque) pixels[at + 3] = 255;
  }
  const canvas = create.call(document, "canvas");
  canvas.width = width;
  canvas.height = height;
  const paint = native2d.call(canvas, "2d");
  putPixels.call(paint, new ImageData(pixels, width, height), 0, 0);
  return canvas;
}

function pixelsOf(value) {
  if (value?.localName !== "video" || value.nodeType !== Node.ELEMENT_NODE) return value;
  return value.ownerDocument.defaultView?.[KEY]?.read(value) ?? value;
}
