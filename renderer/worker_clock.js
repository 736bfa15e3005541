// The virtual clock of a worker or worklet; `page_workers.py` adds the options and runs it before
// the worker's own script. The renderer says what time it is, once a frame, and what is due by then
// runs at its own time; all that waits for the processor alone is awaited.
(options) => {
  const FIRST_NESTED_MS = 4; // what browsers make of short timers within timers
  const NESTING = 5;
  const GRID_PER_MS = 10;
  const NativeDate = Date;
  const nativeNow = globalThis.performance?.now.bind(performance);
  const report = globalThis.reportError?.bind(globalThis);

  let nowMs = options.nowMs; // null while the page loads
  let loadingMs = 0; // how long timers have run before zero, in a page that waits for them
  let aheadMs = 0; // the browser's own clock, less ours
  let isStarted = !options.awaitsHello && !options.awaitsConnection;

  const now = () => nowMs ?? 0;
  const told = () => now() || (nowMs === null ? 0 : Number.MIN_VALUE);
  const passed = () => nowMs ?? loadingMs;
  const dateNow = () => options.epochMs + Math.ceil(now());
  const onGrid = (ms) => Math.round(ms * GRID_PER_MS) / GRID_PER_MS;
  const sinceZero = (ms) =>
    nowMs === null ? 0 : Math.min(now(), Math.max(0, onGrid(ms - aheadMs)));

  const replace = (target, name, value) =>
    Object.defineProperty(target, name, { value, writable: true, configurable: true });

  const replaceGetter = (prototype, name, wrap) => {
    const before = Object.getOwnPropertyDescriptor(prototype ?? {}, name);
    if (!before) return;
    const get = function () {
      return wrap(before.get.call(this));
    };
    Object.defineProperty(prototype, name, { ...before, get });
  };

  function replaceClocks() {
    const WorkerDate = new Proxy(NativeDate, {
      apply: () => new NativeDate(dateNow()).toString(),
      construct: (target, given, made) =>
        Reflect.construct(target, given.length ? given : [dateNow()], made),
    });
    NativeDate.now = dateNow;
    NativeDate.prototype.constructor = WorkerDate;
    replace(globalThis, "Date", WorkerDate);
    replaceGetter(globalThis.Event?.prototype, "timeStamp", sinceZero);
    if (!globalThis.performance) return;
    replace(Performance.prototype, "now", told);
    replaceGetter(Performance.prototype, "timeOrigin", () => options.epochMs);
    replaceGetter(PerformanceEntry.prototype, "startTime", sinceZero);
  }

  function replaceDates() {
    const format = globalThis.Intl?.DateTimeFormat.prototype;
    if (!format) return;
    const toParts = format.formatToParts;
    replace(format, "formatToParts", function formatToParts(date = dateNow()) {
      return toParts.call(this, date);
    });
    replaceGetter(format, "format", (before) => (date = dateNow()) => before(date));
    const present = globalThis.Temporal?.Now;
    if (!present) return;
    const instant = () => Temporal.Instant.fromEpochMilliseconds(dateNow());
    const zoned = (zone = present.timeZoneId()) => instant().toZonedDateTimeISO(zone);
    replace(present, "instant", instant);
    replace(present, "zonedDateTimeISO", zoned);
    replace(present, "plainDateTimeISO", (zone) => zoned(zone).toPlainDateTime());
    replace(present, "plainDateISO", (zone) => zoned(zone).toPlainDate());
    replace(present, "plainTimeISO", (zone) => zoned(zone).toPlainTime());
  }

  // Tasks: what is called by the clock runs as browsers run it, each in a task of its own, behind
  // the messages that have come before.
  const hops = [];
  let depth = 0; // how deep in timers of timers the present task is
  const channel = globalThis.MessageChannel ? new MessageChannel() : null;
  const post = channel?.port2.postMessage.bind(channel.port2);
  const hop = (run) => {
    if (!channel) return Promise.resolve(run?.());
    return new Promise((resolve) => {
      hops.push(() => {
        try {
          run?.();
        } catch (error) {
          report(error);
        }
        resolve();
      });
      post(0);
    });
  };
  if (channel) {
    channel.port1.onmessage = () => {
      depth = 0;
      hops.shift()();
    };
  }

  // Timers, by when they are due and in which order they were set.
  const timers = new Map();
  let nextId = 1;

  function setTimer(handler, given, rest, isRepeated) {
    const id = nextId++;
    const asked = Math.max(0, Number(given) | 0);
    const nesting = depth + 1;
    const delay = nesting > NESTING ? Math.max(FIRST_NESTED_MS, asked) : asked;
    timers.set(id, { id, due: passed() + delay, delay, handler, rest, isRepeated, nesting });
    return id;
  }

  function runTimer(timer) {
    if (timers.get(timer.id) !== timer) return;
    timers.delete(timer.id);
    depth = timer.nesting;
    if (timer.isRepeated) {
      const nesting = timer.nesting + 1;
      const delay = nesting > NESTING ? Math.max(FIRST_NESTED_MS, timer.delay) : timer.delay;
      timers.set(timer.id, { ...timer, due: timer.due + delay, delay, nesting });
    }
    if (typeof timer.handler === "function") timer.handler.apply(globalThis, timer.rest);
    else (0, eval)(String(timer.handler));
  }

  function nextTimer() {
    let next = null;
    for (const timer of timers.values()) if (!next || timer.due < next.due) next = timer;
    return next;
  }

  function replaceTimers() {
    const clear = (id) => void timers.delete(Number(id));
    replace(globalThis, "setTimeout", (run, delay, ...rest) => setTimer(run, delay, rest, false));
    replace(globalThis, "setInterval", (run, delay, ...rest) => setTimer(run, delay, rest, true));
    replace(globalThis, "clearTimeout", clear);
    replace(globalThis, "clearInterval", clear);
    replace(AbortSignal, "timeout", (delay) => {
      const controller = new AbortController();
      const reason = new DOMException("signal timed out", "TimeoutError");
      setTimer(() => controller.abort(reason), delay, [], false);
      return controller.signal;
    });
    const postTask = globalThis.Scheduler?.prototype.postTask;
    if (!postTask) return;
    replace(Scheduler.prototype, "postTask", function (task, given = {}) {
      const { delay = 0, ...others } = given;
      if (!(delay > 0)) return postTask.call(this, task, given);
      const due = new Promise((resolve) => void setTimer(resolve, delay, [], false));
      return due.then(() => postTask.call(this, task, others));
    });
  }

  const frames = new Map();
  let nextFrame = 1;

  function replaceFrames() {
    replace(globalThis, "requestAnimationFrame", (callback) => {
      frames.set(nextFrame, callback);
      return nextFrame++;
    });
    replace(globalThis, "cancelAnimationFrame", (id) => void frames.delete(id));
  }

  // What waits for the processor or the network and not for time.
  const own = (type) => globalThis[type]?.prototype;
  const bodies = [own("Response"), own("Request"), own("Blob")];
  const AWAITED = [
    ["fetch createImageBitmap", [globalThis]],
    ["convertToBlob", [own("OffscreenCanvas")]],
    ["decode", [own("ImageDecoder")]],
    ["load", [own("FontFace")]],
    ["compile compileStreaming instantiate instantiateStreaming", [globalThis.WebAssembly]],
    ["arrayBuffer blob bytes formData json text", bodies],
    [Object.getOwnPropertyNames(own("SubtleCrypto") ?? {}).join(" "), [own("SubtleCrypto")]],
  ];
  const pending = new Map();
  let onIdle = [];

  function noteAwaited(target, name) {
    const before = target?.[name];
    if (typeof before !== "function" || name === "constructor") return;
    replace(target, name, function (...given) {
      const promise = Reflect.apply(before, this, given);
      if (typeof promise?.then !== "function") return promise;
      const key = Symbol(name);
      const end = () => {
        pending.delete(key);
        if (!pending.size) onIdle.splice(0).forEach((tell) => tell());
      };
      pending.set(key, `${name} ${given[0]?.url ?? ""}`.trimEnd());
      promise.then(end, end);
      return promise;
    });
  }

  const idle = () => (pending.size ? new Promise((resolve) => onIdle.push(resolve)) : null);

  /** Run what is due until `until`, at its own time; and wait for what is not a matter of time. */
  async function run(until) {
    for (;;) {
      await hop();
      await idle();
      const timer = nextTimer();
      if (timer && timer.due <= until) {
        await hop(() => {
          if (nowMs === null) loadingMs = Math.max(loadingMs, timer.due);
          else nowMs = Math.max(nowMs, timer.due);
          runTimer(timer);
        });
      } else {
        await hop();
        if (!pending.size && !(nextTimer()?.due <= until)) return;
      }
    }
  }

  /** What has been said meanwhile goes now. */
  const tellAll = () => {
    const [up, elsewhere] = globalThis[Symbol.for("framefarm.messages")].release();
    return { up, elsewhere, hasFrames: frames.size > 0, isStarted };
  };

  const clock = {
    now: () => nowMs,
    /** Let what is due by `ms` run; it is then that time. Before zero, the clocks stay at 0. */
    async reach(ms, isLoading) {
      if (!isLoading && nowMs === null) {
        nowMs = 0;
        for (const timer of timers.values()) timer.due = timer.delay; // no time has passed yet
      }
      await run(ms);
      if (nowMs === null) loadingMs = Math.max(loadingMs, ms);
      else nowMs = Math.max(nowMs, ms);
      if (nativeNow) aheadMs = nativeNow() - now();
      return tellAll();
    },
    /** Let all run that needs no time. */
    async calm() {
      await run(passed());
      return tellAll();
    },
    /** Call what waits for the frame. */
    async draw() {
      const those = [...frames.values()];
      frames.clear();
      await hop(() => {
        for (const callback of those) {
          try {
            callback(told());
          } catch (error) {
            report(error);
          }
        }
      });
      return clock.calm();
    },
    waits: () => [...pending.values()],
  };

  function takeHello() {
    const take = (event) => {
      if (event.data !== options.hello) return;
      event.stopImmediatePropagation();
      isStarted = true;
      globalThis.removeEventListener("message", take);
    };
    globalThis.addEventListener("message", take);
    const [, name] = /^framefarm \S+ (.*)$/s.exec(globalThis.name) ?? [];
    if (name !== undefined) replace(globalThis, "name", name);
  }

  function takeConnect() {
    globalThis.addEventListener("connect", () => (isStarted = true), { once: true });
  }

  function replaceMachine() {
    const prototype = globalThis.WorkerNavigator?.prototype;
    const found = { hardwareConcurrency: options.processors, deviceMemory: options.memoryGib };
    for (const [name, value] of Object.entries(found)) {
      if (prototype && name in prototype) replaceGetter(prototype, name, () => value);
    }
  }

  replaceClocks();
  replaceDates();
  replaceMachine();
  if (globalThis.setTimeout) replaceTimers();
  if (globalThis.requestAnimationFrame) replaceFrames();
  for (const [names, targets] of AWAITED) {
    for (const name of names.split(" ")) targets.forEach((target) => noteAwaited(target, name));
  }
  if (options.awaitsHello) takeHello();
  if (options.awaitsConnection) takeConnect();
  Object.defineProperty(globalThis, Symbol.for("framefarm.clock"), { value: clock });
}
