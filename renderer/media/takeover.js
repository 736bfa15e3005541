// Takes over <video> and <audio>: their time is a function of the virtual clock, and what a video
// shows is a picture that the worker decoded. The element itself never loads: it shows each picture
// as its poster, which has the element's own box, fit, filters and transforms, and is there as soon
// as it is set. `projection.py` adds the options and runs it in every document after `clock.js`.
(options) => {
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

  function address(call, query) {
    const isOurs = self.origin.endsWith(options.domain);
    const base = isOurs ? self.origin : options.origin;
    return `${base}${options.path}/${call}?${new URLSearchParams(query)}`;
  }

  async function ask(call, query, request) {
    const reply = await nativeFetch(address(call, query), request);
    if (!reply.ok || reply.headers.has("X-Problem")) throw new Error(await reply.text());
    return reply;
  }

  const timesOf = (header) => {
    const us = (name) => (header(name) ? Number(header(name)) / 1e6 : null);
    return { start: us("X-Start"), stop: us("X-Stop") ?? Infinity, damage: header("X-Damaged") };
  };

  /** What an element is at, and all that it says of itself. */
  class State {
    constructor(element) {
      this.element = element;
      this.poster = isVideo(element) ? posters.get.call(element) : "";
      this.ownPoster = isVideo(element) ? element.getAttribute("poster") : null;
      this.autoplays = autoplays.get.call(element);
      this.preload = preloads.get.call(element);
      this.controls = controls.get.call(element);
      this.loading = null;
      this.callbacks = new Map();
      this.nextCallback = 1;
      this.presented = 0;
      this.rate = 1;
      this.defaultRate = 1;
      this.wasRead = false;
      this.calledFor = null;
      this.reset();
      this.key = undefined;
    }

    reset() {
      this.generation = (this.generation ?? 0) + 1;
      this.facts = null;
      this.url = "";
      this.readyState = NOTHING;
      this.networkState = EMPTY;
      this.error = null;
      this.offset = 0;
      this.since = null; // when it last began to play on from `offset`; null while it stands
      this.paused = true;
      this.seeking = null;
      this.hasMoved = false;
      this.hasSought = false;
      this.shown = "";
      this.picture = null;
      this.coming = null; // a promise of the next one
      this.updatedAt = 0;
      this.canAutoplay = true;
      this.isDriven = false; // a script plays it, whatever its attributes say
      this.starters = [];
    }

    get duration() {
      return this.facts ? this.facts.duration : NaN;
    }

    /** Seconds played from the source's beginning, loops and all. */
    get played() {
      const { since, offset, rate } = this;
      return since === null ? offset : Math.max(0, offset + (rate * (exactNow() - since)) / 1000);
    }

    /** Rounded up, so that what is due at a frame's exact time, or where a loop ends, is due. */
    get playedUs() {
      return Math.ceil(this.played * 1e6 - 1e-3);
    }

    get loops() {
      return this.element.loop && this.rate > 0;
    }

    get currentTime() {
      const { played, duration } = this;
      if (!(duration > 0)) return played;
      return this.loops ? played % duration : Math.min(played, duration);
    }

    get isOver() {
      return this.facts !== null && !this.loops && this.rate > 0 && this.played >= this.duration;
    }

    get showsOwnPoster() {
      return this.ownPoster !== null && !this.hasMoved;
    }

    fire(...types) {
      for (const type of types) this.element.dispatchEvent(new Event(type));
    }

    fireSoon(...types) {
      const { generation } = this;
      return Promise.resolve().then(() => {
        if (generation === this.generation) this.fire(...types);
      });
    }

    // -- loading

    candidates() {
      const { element } = this;
      if (element.hasAttribute("src")) {
        return [{ url: element.src, node: element }];
      }
      const sources = [...element.children].filter((child) => child.localName === "source");
      return sources
        .filter((node) => node.src && (!node.type || element.canPlayType(node.type)))
        .map((node) => ({ url: node.src, node }));
    }

    /** Load what the element names by now, if that is not what it has. */
    refresh() {
      if (nativeStream.get.call(this.element)) return;
      const found = this.candidates();
      const key = found.map(({ url }) => url).join("\n");
      if (key !== this.key) this.load(found, key);
    }

    load(found, key) {
      this.key = key;
      const hadSource = this.networkState !== EMPTY;
      const wasPlaying = !this.paused && !hadSource; // play() came before the source
      this.reset();
      hooks.changed(this);
      if (hadSource) this.fireSoon("emptied");
      if (!found.length) return;
      this.networkState = LOADING;
      if (wasPlaying) this.start();
      this.loading = this.choose(found, this.generation);
    }

    async choose(found, generation) {
      const isOld = () => generation !== this.generation;
      if (this.autoplays && this.paused && !hooks.clipOf(this.element)) this.start();
      const reasons = [];
      for (const { url, node } of found) {
        try {
          const facts = await factsOf(url);
          if (isOld()) return;
          return await this.accept(facts, url, generation);
        } catch (error) {
          if (isOld()) return;
          this.refuse(url, node, error);
          reasons.push(error.message);
        }
      }
      this.note(found[0].url, reasons[0]);
      this.fail(`${found[0].url} cannot be played`);
    }

    note(url, why) {
      window[Symbol.for("framefarm.ready")].note(this.element.localName, url, why);
    }

    refuse(url, node, error) {
      console.warn(`${this.element.localName} ${url} cannot be played: ${error.message}`);
      this.facts = null;
      if (node !== this.element) node.dispatchEvent(new Event("error"));
    }

    fail(message) {
      this.readyState = NOTHING;
      this.networkState = NO_SOURCE;
      this.error = { code: 4, message, MEDIA_ERR_SRC_NOT_SUPPORTED: 4 };
      this.paused = true;
      this.since = null;
      for (const { reject } of this.starters.splice(0)) {
        reject(new DOMException(message, "NotSupportedError"));
      }
      this.fire("error");
    }

    async accept(facts, url, generation) {
      const fragment = /#t=(?:npt:)?([\d.]+)/.exec(url);
      const clip = hooks.clipOf(this.element);
      if (clip && !this.isDriven) this.offset = clip.seek;
      if (fragment && !this.hasSought) this.offset = Number(fragment[1]);
      this.facts = facts;
      this.url = url;
      if (this.hasPictures) await this.update();
      if (generation !== this.generation) return;
      this.networkState = IDLE;
      this.readyState = METADATA;
      this.fire("durationchange", "loadedmetadata");
      this.readyState = ENOUGH;
      this.fire("loadeddata", "canplay", "canplaythrough");
      hooks.changed(this);
      if (!this.paused) this.fire("playing");
      for (const { resolve } of this.starters.splice(0)) resolve();
    }

    get hasPictures() {
      return isVideo(this.element) && Boolean(this.facts?.hasPictures);
    }

    // -- playing

    start() {
      this.paused = false;
      this.hasMoved = true;
      this.since = exactNow();
      this.updatedAt = now();
      this.fireSoon("play");
    }

    /** Play by its clip, from `offset` seconds of the timeline on. */
    follow({ offset, seek }) {
      this.start();
      this.since = offset * 1000;
      this.offset = seek;
    }

    play() {
      this.isDriven = true;
      this.refresh();
      if (this.error) {
        const refused = Promise.reject(new DOMException(this.error.message, "NotSupportedError"));
        refused.catch(() => {}); // it is told as a warning; a page that asks still learns of it
        return refused;
      }
      if (this.isOver) this.moveTo(0);
      if (this.paused) {
        this.start();
        hooks.changed(this);
        if (this.readyState === ENOUGH) return this.fireSoon("playing");
      }
      if (this.readyState === ENOUGH) return Promise.resolve();
      const started = new Promise((resolve, reject) => this.starters.push({ resolve, reject }));
      started.catch(() => {});
      return started;
    }

    pause() {
      this.canAutoplay = false;
      this.isDriven = true;
      if (this.paused) return;
      this.offset = this.currentTime;
      this.since = null;
      this.paused = true;
      hooks.changed(this);
      for (const { reject } of this.starters.splice(0)) {
        reject(new DOMException("interrupted by a call to pause()", "AbortError"));
      }
      this.fireSoon("timeupdate", "pause");
    }

    setRate(rate) {
      if (!(rate >= 0 && rate <= 16)) {
        throw new DOMException(`the playback rate ${rate} is not supported`, "NotSupportedError");
      }
      if (rate === this.rate) return;
      this.moveTo(this.currentTime);
      this.rate = rate;
      hooks.changed(this);
      this.fireSoon("ratechange");
    }

    moveTo(time) {
      this.offset = time;
      if (!this.paused) this.since = exactNow();
    }

    seek(time) {
      this.isDriven = true;
      this.refresh();
      const end = this.facts ? this.duration : Infinity;
      this.moveTo(Math.min(Math.max(0, Number(time)), end));
      if (!Number.isFinite(this.offset)) throw new TypeError(`currentTime is not finite: ${time}`);
      this.hasMoved = this.hasSought = true;
      hooks.changed(this);
      if (this.readyState === NOTHING) return;
      const seeking = {};
      this.seeking = seeking;
      this.fireSoon("seeking");
      if (home.isDrawing()) this.updateAtOnce();
      this.arrive(seeking);
    }

    async arrive(seeking) {
      const { generation } = this;
      if (this.hasPictures) await this.update();
      await null;
      if (generation !== this.generation || this.seeking !== seeking) return;
      this.seeking = null;
      this.fire("timeupdate", "seeked", "canplay");
    }

    /** What is due by the frame that comes. */
    tick() {
      if (this.since === null || this.readyState !== ENOUGH) return;
      if (this.isOver) {
        this.offset = this.duration;
        this.since = null;
        this.paused = true;
        hooks.changed(this);
        this.fire("timeupdate", "pause", "ended");
      } else if (now() - this.updatedAt >= UPDATE_MS) {
        this.updatedAt = now();
        this.fire("timeupdate");
      }
    }

    // -- pictures

    query() {
      return { source: this.facts.source, at: this.playedUs, loops: this.loops };
    }

    /** Where the wanted picture is in the source. */
    get place() {
      return this.placeOf(this.playedUs);
    }

    placeOf(us) {
      const { duration } = this;
      if (!this.loops || !(duration > 0)) return us / 1e6;
      const rounds = Math.floor((us + 0.5) / (duration * 1e6)); // the worker's are exact
      return Math.max(0, us / 1e6 - rounds * duration);
    }

    get isCurrent() {
      return this.shows(this.picture, this.place);
    }

    shows(picture, place) {
      return picture !== null && picture.start <= place && place < picture.stop;
    }

    /** Bring the picture that is due, if another is shown. */
    async update() {
      while (!this.isCurrent && this.hasPictures) {
        const { generation, place } = this;
        const query = this.query();
        const expected = await this.coming;
        this.coming = null;
        const isRight = expected && this.shows(expected, place);
        const picture = await developed(isRight ? expected : await bring(query));
        if (generation !== this.generation) return void revokeObjectURL(picture.source);
        this.present(picture);
        if (query.at === this.query().at) return;
      }
    }

    /** Ask for the next frame's picture, while this one is drawn. */
    lookAhead() {
      if (this.since === null || this.coming || this.isOver) return;
      const us = this.playedUs + Math.round((this.rate * 1e6 * options.fps[1]) / options.fps[0]);
      if (this.shows(this.picture, this.placeOf(us))) return;
      this.coming = bring({ ...this.query(), at: us });
      this.coming.catch(() => {}); // told when it is needed
    }

    /** The same, while the page waits: a script draws the video, or moves it, in this very frame. */
    updateAtOnce() {
      if (!this.hasPictures || this.isCurrent) return;
      const request = new NativeRequest();
      requests.open.call(request, "GET", address("picture", { ...this.query(), as: "text" }), false);
      requests.send.call(request);
      if (request.getResponseHeader("X-Problem")) throw new Error(request.responseText);
      const text = request.responseText;
      const times = timesOf((name) => request.getResponseHeader(name));
      // The poster is there when the frame is painted; an image to read from would be later.
      this.present({ ...times, text, image: null, source: `data:image/bmp;base64,${text}` });
    }

    present(picture) {
      const before = this.picture;
      this.picture = picture;
      this.presented += 1;
      this.showPoster();
      if (picture.damage) this.note(this.url, picture.damage);
      if (before?.source.startsWith("blob:")) revokeObjectURL(before.source);
    }

    showPoster() {
      const isOurs = this.picture && !this.showsOwnPoster;
      const source = isOurs ? this.picture.source : this.ownPoster;
      if (source === null || source === this.shown) return;
      this.shown = source;
      posters.set.call(this.element, source);
    }

    get isWatched() {
      return this.wasRead || this.callbacks.size > 0;
    }

    async show(isDrawn) {
      hooks.changed(this); // before what ends by now: a loop may have been switched off
      this.tick();
      await this.loading;
      hooks.changed(this);
      if (!this.hasPictures || !(this.isWatched || (isDrawn && this.element.isConnected))) return;
      await this.update();
      this.showPoster();
      if (this.picture !== this.calledFor) this.callBack();
      this.lookAhead();
    }

    callBack() {
      const { callbacks, facts } = this;
      this.callbacks = new Map();
      const stamp = now();
      this.calledFor = this.picture;
      for (const callback of callbacks.values()) {
        callback(stamp, {
          presentationTime: stamp,
          expectedDisplayTime: stamp,
          width: facts.width,
          height: facts.height,
          mediaTime: Math.max(0, this.picture.start + facts.tolerance),
          presentedFrames: this.presented,
          processingDuration: 0,
        });
      }
    }
  }

  async function bring(query) {
    const reply = await ask("picture", query);
    return { ...timesOf((name) => reply.headers.get(name)), blob: await reply.blob() };
  }

  async function developed({ start, stop, damage, blob }) {
    const source = createObjectURL(blob);
    const image = new NativeImage();
    image.src = source;
    await image.decode(); // an event would wait for time to go on
    return { start, stop, damage, image, source };
  }

  const known = new Map();

  /** Each source is asked for once; what only this page can read is handed over. */
  function factsOf(url) {
    const plain = url.replace(/#.*$/, "");
    if (!known.has(plain)) known.set(plain, askFacts(plain));
    return known.get(plain);
  }

  async function askFacts(url) {
    if (!/^(blob|data):/.test(url)) return (await ask("facts", { url })).json();
    const body = await (await nativeFetch(url)).blob();
    const name = `inline:${options.token}:${known.size}:${body.size}`;
    return (await ask("bytes", { url: name }, { method: "POST", body })).json();
  }

  // -- elements

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

  // -- the page and its frames: the outermost that can be reached asks all

  const members = [];
  let drawnAt = null;

  const ours = {
    join: (member) => void members.push(member),
    read(element) {
      const state = stateOf(element);
      if (nativeStream.get.call(element) || !state.hasPictures || state.readyState < ENOUGH) return;
      state.wasRead = true;
      state.updateAtOnce();
      state.picture.image ??= canvasOf(bytesOf(state.picture.text));
      return state.picture.image;
    },
    isDrawing: () => drawnAt !== null && drawnAt === now(),
    isSettled: () => [...active].every((state) => !state.loading || state.networkState !== LOADING),
    async showOwn(isDrawn) {
      await Promise.all([...active].map((state) => state.show(isDrawn)));
    },
    /** Bring what the coming frame shows; from its end until time goes on, the frame is made. */
    async show(frame) {
      if (!members.some((member) => member.hasElements())) return;
      const isDrawn = frame >= options.firstDrawn;
      drawnAt = null;
      for (let round = 0; round < MAX_ROUNDS; round++) {
        const present = members.filter((member) => !member.isGone());
        await Promise.all(present.map((member) => member.showOwn(isDrawn)));
        if (present.every((member) => member.isSettled())) break;
      }
      drawnAt = now();
    },
    /** Until this frame only scripts read pictures. */
    drawFrom: (frame) => void (options.firstDrawn = frame),
    ask,
    hooks,
    exactNow,
    find: (element) => states.get(element),
    states: () => active,
    hasElements: () => active.size > 0,
    isGone: () => window.closed,
  };

  let home = ours;
  try {
    for (let around = window; around !== around.parent; around = around.parent) {
      home = around.parent[KEY] ?? home;
    }
  } catch (error) {
    if (error.name !== "SecurityError") throw error; // of another origin: it is on its own
  }
  home.join(ours);

  replaceElements();
  watchMakers();
  readPictures();
  watch(document);
  Object.defineProperty(window, KEY, { value: ours });
}
