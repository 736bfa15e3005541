// The half of the virtual clock that lives in the page; `clock.py` adds the options and runs it in
// every document before the document's own scripts. All clocks stand at 0 while the page loads,
// start at `zero()`, and read exactly a frame's time when that frame is drawn.
(options) => {
  const EPOCH_MS = options.epochMs;
  const GRID_PER_MS = 10; // Blink clamps its clocks to 100 µs; times on that grid survive unchanged
  const REHEARSED = -2; // no frame's number
  const FIRST_HELD_ID = 1 << 30; // no id that the browser gives out itself comes this far

  const NativeDate = Date;
  const nativeNow = performance.now.bind(performance);
  const nativeOrigin = performance.timeOrigin;
  const native = {};
  const ours =
    "setTimeout clearTimeout setInterval requestAnimationFrame cancelAnimationFrame " +
    "addEventListener removeEventListener";
  for (const name of ours.split(" ")) native[name] = window[name].bind(window);

  let zeroMs = null; // the browser's own performance.now() at time zero; null while loading

  const onGrid = (ms) => Math.round(ms * GRID_PER_MS) / GRID_PER_MS;
  const outer = outerClock();
  // A frame within the page has the very time of the one around it: its own browser clock may
  // begin beside the grid, where Blink rounds by chance.
  const now = () =>
    outer ? (outer.now() ?? 0) : zeroMs === null ? 0 : Math.max(0, onGrid(nativeNow() - zeroMs));
  // Many a page asks `if (!start) start = stamp`: frame 0 is the least there is above nothing.
  const told = () => now() || (zeroMs === null ? 0 : Number.MIN_VALUE);
  const sinceZero = (ms) => (zeroMs === null ? 0 : Math.max(0, onGrid(now() - (nativeNow() - ms))));

  // Date counts whole milliseconds. They are rounded up, as frame times are, so that what is due
  // by the clock (`Math.floor(seconds * fps)`) is due in the frame that shows it.
  const dateNow = () => EPOCH_MS + Math.ceil(now());

  function outerClock() {
    try {
      return window === parent ? null : (parent[Symbol.for("framefarm.clock")] ?? null);
    } catch (error) {
      if (error.name !== "SecurityError") throw error;
      return null; // of another origin: `join` tells it the time
    }
  }

  const replace = (target, name, value) =>
    Object.defineProperty(target, name, { value, writable: true, configurable: true });

  const replaceGetter = (prototype, name, wrap) => {
    const before = Object.getOwnPropertyDescriptor(prototype, name);
    const get = function () {
      return wrap(before.get.call(this));
    };
    Object.defineProperty(prototype, name, { ...before, get });
  };

  function replaceClocks() {
    const PageDate = new Proxy(NativeDate, {
      apply: () => new NativeDate(dateNow()).toString(),
      construct: (target, given, newTarget) =>
        Reflect.construct(target, given.length ? given : [dateNow()], newTarget),
    });
    NativeDate.now = dateNow;
    NativeDate.prototype.constructor = PageDate;
    replace(window, "Date", PageDate);
    replace(Performance.prototype, "now", told);
    replaceGetter(Performance.prototype, "timeOrigin", () => EPOCH_MS);
    replaceGetter(Event.prototype, "timeStamp", sinceZero);
    replaceGetter(PerformanceEntry.prototype, "startTime", sinceZero);
    replaceGetter(Document.prototype, "lastModified", () => zeroText());
    replace(window, "requestIdleCallback", (callback) =>
      window.setTimeout(() => callback({ didTimeout: false, timeRemaining: () => 0 }), 0)
    );
    replace(window, "cancelIdleCallback", (id) => window.clearTimeout(id));
  }

  /** When a document was last changed is nobody's business: time zero, as documents write it. */
  function zeroText() {
    const zero = new NativeDate(EPOCH_MS);
    const two = (number) => String(number).padStart(2, "0");
    const day = [two(zero.getMonth() + 1), two(zero.getDate()), zero.getFullYear()].join("/");
    const time = [zero.getHours(), zero.getMinutes(), zero.getSeconds()].map(two).join(":");
    return `${day} ${time}`;
  }

  /** What formats "now" unless told otherwise, and what came after Date. */
  function replaceDates() {
    const format = Intl.DateTimeFormat.prototype;
    const toParts = format.formatToParts;
    replace(format, "formatToParts", function formatToParts(date = dateNow()) {
      return toParts.call(this, date);
    });
    replaceGetter(format, "format", (before) => (date = dateNow()) => before(date));
    if (!window.Temporal) return;
    const present = Temporal.Now;
    const instant = () => Temporal.Instant.fromEpochMilliseconds(dateNow());
    const zoned = (zone = present.timeZoneId()) => instant().toZonedDateTimeISO(zone);
    replace(present, "instant", instant);
    replace(present, "zonedDateTimeISO", zoned);
    replace(present, "plainDateTimeISO", (zone) => zoned(zone).toPlainDateTime());
    replace(present, "plainDateISO", (zone) => zoned(zone).toPlainDate());
    replace(present, "plainTimeISO", (zone) => zoned(zone).toPlainTime());
  }

  // Animation frames. In a rehearsal the page's callbacks are put off, in their order: the browser
  // draws, to find out that it can, and the page does not notice.
  const putOff = new Map();
  let isRehearsal = false;
  let drawnFrame = -1;

  function requestFrame(callback) {
    const run = () => {
      if (isRehearsal) return void putOff.set(id, native.requestAnimationFrame(run));
      putOff.delete(id);
      return callback(told());
    };
    const id = native.requestAnimationFrame(run);
    return id;
  }

  function replaceAnimationFrames() {
    replace(window, "requestAnimationFrame", requestFrame);
    replace(window, "cancelAnimationFrame", (id) => {
      native.cancelAnimationFrame(putOff.get(id) ?? id);
      putOff.delete(id);
    });
  }

  // A picture that moves by itself is painted together with what the page changes in that frame,
  // but where the frame before had nothing to change: then Chromium paints the picture first, and
  // each of the two waits for the other for ever. So there is something in every frame, which sets
  // no pixel: whether somebody listens to these, and how. Hardly any page does all of it itself.
  const UNHEARD = [
    ["pointerrawupdate", { passive: true }],
    ["touchcancel", { passive: true }],
    ["touchcancel", { passive: false, capture: true }],
  ];
  const nobody = () => {};
  let isListening = false;

  function changeSomething() {
    if (window !== parent) return; // Chromium counts all documents as one
    isListening = !isListening;
    const listen = isListening ? native.addEventListener : native.removeEventListener;
    for (const [type, how] of UNHEARD) listen(type, nobody, how);
  }

  // Timers: no time passes while the page loads, so a timer set then starts to count at zero.
  const held = new Map();
  let isReleased = false;
  let nextHeldId = FIRST_HELD_ID;

  function hold(arm, handler, given, isRepeated) {
    const id = nextHeldId++;
    const run = () => {
      if (!isRepeated) held.delete(id);
      return typeof handler === "function" ? handler.apply(window, given) : (0, eval)(handler);
    };
    const timer = { arm: () => arm(run), nativeId: 0 };
    held.set(id, timer);
    if (isReleased) timer.nativeId = timer.arm();
    return id;
  }

  function clearTimer(id) {
    const timer = held.get(id);
    held.delete(id);
    native.clearTimeout(timer === undefined ? id : timer.nativeId);
  }

  function replaceTimers() {
    replace(window, "setTimeout", (handler, delay, ...given) =>
      zeroMs !== null || !(delay > 0)
        ? native.setTimeout(handler, delay, ...given)
        : hold((run) => native.setTimeout(run, delay), handler, given, false)
    );
    replace(window, "setInterval", (handler, delay, ...given) =>
      zeroMs !== null
        ? native.setInterval(handler, delay, ...given)
        : hold((run) => native.setInterval(run, delay), handler, given, true)
    );
    replace(AbortSignal, "timeout", (delay) => {
      const controller = new AbortController();
      const reason = new DOMException("signal timed out", "TimeoutError");
      window.setTimeout(() => controller.abort(reason), delay);
      return controller.signal;
    });
    const post = Scheduler.prototype.postTask;
    replace(Scheduler.prototype, "postTask", function postTask(task, options = {}) {
      const { delay = 0, ...others } = options;
      if (!(delay > 0)) return post.call(this, task, options);
      const due = new Promise((resolve) => void window.setTimeout(resolve, delay));
      return due.then(() => post.call(this, task, others));
    });
    replace(window, "clearTimeout", clearTimer);
    replace(window, "clearInterval", clearTimer);
  }

  function startTimers() {
    for (const timer of held.values()) {
      if (timer.nativeId) native.clearTimeout(timer.nativeId);
      timer.nativeId = timer.arm();
    }
  }

  const closedRoots = new WeakMap();

  function noteClosedRoots() {
    const attach = Element.prototype.attachShadow;
    replace(Element.prototype, "attachShadow", function (init) {
      const root = attach.call(this, init);
      closedRoots.set(this, root);
      listeners.eachRoot.forEach((listener) => listener(root));
      return root;
    });
  }

  function* trees(root) {
    yield root;
    for (const element of root.querySelectorAll("*")) {
      const within = element.shadowRoot ?? closedRoots.get(element);
      if (within) yield* trees(within);
    }
  }

  /** A dialog would stop the page for ever: nobody is there to answer it. */
  function replaceDialogs() {
    const answers = { alert: undefined, confirm: false, prompt: null, print: undefined };
    for (const [name, answer] of Object.entries(answers)) {
      replace(window, name, (text = "") => {
        console.info(`${name}: ${text}`);
        return answer;
      });
    }
  }

  const listeners = { beforeFrames: [], atZero: [], eachFrame: [], eachRoot: [] };
  const tell = (those) => those.forEach((listener) => listener());

  const clock = {
    /** The page waits for time itself: let its timers run before zero. */
    release() {
      tell(listeners.beforeFrames);
      isReleased = true;
      startTimers();
    },
    zero() {
      zeroMs = onGrid(nativeNow());
      tell(listeners.atZero);
      startTimers();
    },
    /** From now on frames are drawn without the page. */
    rehearse() {
      tell(listeners.beforeFrames);
      isRehearsal = true;
      changeSomething();
      native.requestAnimationFrame(() => (drawnFrame = REHEARSED));
    },
    wasRehearsed: () => drawnFrame === REHEARSED,
    /** A frame is drawn once more, for what has come since: its callbacks have run already. */
    holdCallbacks() {
      isRehearsal = true;
      changeSomething();
    },
    endRehearsal: () => void (isRehearsal = false),
    /** The frame is about to be drawn; tells which one was drawn last. */
    before(frame) {
      const last = drawnFrame;
      tell(listeners.eachFrame);
      changeSomething();
      native.requestAnimationFrame(() => (drawnFrame = frame));
      return last;
    },
    trees,
    now: () => (zeroMs === null ? null : now()),
    /** Time zero, by the clock that documents of all origins share. */
    zeroWallMs: () => nativeOrigin + zeroMs,
    join(zeroWallMs) {
      if (zeroMs === null) zeroMs = onGrid(zeroWallMs - nativeOrigin);
    },
    nativeNow,
    zeroMs: () => zeroMs,
    onGrid,
    sinceZero,
    /** What other scripts do before the first frame is drawn, and at time zero. */
    inNextFrame: (callback) => void native.requestAnimationFrame(callback),
    beforeFrames: (listener) => void listeners.beforeFrames.push(listener),
    atZero: (listener) => void listeners.atZero.push(listener),
    eachFrame: (listener) => void listeners.eachFrame.push(listener),
    eachRoot: (listener) => void listeners.eachRoot.push(listener),
  };

  const outerNow = outer ? outer.now() : null;
  if (outerNow !== null) zeroMs = onGrid(nativeNow() - outerNow); // made after zero
  replaceClocks();
  replaceDates();
  replaceAnimationFrames();
  replaceTimers();
  noteClosedRoots();
  replaceDialogs();
  Object.defineProperty(window, Symbol.for("framefarm.clock"), { value: clock });
}
