// The virtual clock of a worker or worklet; `page_worker.py` adds the options and runs it before
// the worker's own script. The renderer says what time it is: `worker_tasks.js` is told.
(options) => {
  const GRID_PER_MS = 10;
  const NativeDate = Date;
  const nativeNow = globalThis.performance?.now.bind(performance);

  let nowMs = options.nowMs; // null while the page loads
  let aheadMs = 0; // the browser's own clock, less ours
  let isStarted = !options.awaitsHello && !options.awaitsConnection;

  const now = () => nowMs ?? 0;
  const told = () => now() || (nowMs === null ? 0 : Number.MIN_VALUE);
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
    const found = {
      hardwareConcurrency: options.processors,
      deviceMemory: options.memoryGib,
      language: options.locale,
      languages: Object.freeze([options.locale]),
    };
    for (const [name, value] of Object.entries(found)) {
      if (prototype && name in prototype) replaceGetter(prototype, name, () => value);
    }
  }

  replaceClocks();
  replaceDates();
  replaceMachine();
  if (options.awaitsHello) takeHello();
  if (options.awaitsConnection) takeConnect();
  Object.defineProperty(globalThis, Symbol.for("framefarm.clock"), {
    value: {
      now: () => nowMs,
      told,
      /** It is this time now, if it was not later already. */
      set(ms) {
        nowMs = Math.max(now(), ms);
        if (nativeNow) aheadMs = nativeNow() - nowMs;
      },
      isStarted: () => isStarted,
    },
  });
}
