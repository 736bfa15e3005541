// What a worker does when the renderer says so; `page_worker.py` runs it after `worker_clock.js`,
// before the worker's own script. What is due by a frame's time runs at its own time, and all that
// waits for the processor or the network alone is awaited.
() => {
  const FIRST_NESTED_MS = 4; // what browsers make of short timers within timers
  const NESTING = 5;
  const clock = globalThis[Symbol.for("framefarm.clock")];
  const report = globalThis.reportError?.bind(globalThis);
  let loadingMs = 0; // how long timers have run before zero, in a page that waits for them
  const passed = () => clock.now() ?? loadingMs;

  function pass(ms) {
    if (clock.now() === null) loadingMs = Math.max(loadingMs, ms);
    else clock.set(ms);
  }

  const replace = (target, name, value) =>
    Object.defineProperty(target, name, { value, writable: true, configurable: true });

  // What is called by the clock runs as browsers run it, each in a task of its own, behind the
  // messages that have come before.
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
  const pending = new Set();
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
      pending.add(key);
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
          pass(timer.due);
          runTimer(timer);
        });
      } else {
        await hop();
        if (!pending.size && !(nextTimer()?.due <= until)) return;
      }
    }
  }

  // One that closes itself answers no more: it tells first.
  const close = globalThis.close?.bind(globalThis);
  const rejections = [];
  let faults = 0;
  let isClosed = false;

  function replaceClose() {
    replace(globalThis, "close", () => {
      isClosed = true;
      timers.clear();
      frames.clear();
    });
  }

  /** The page hears of an error; and a promise that nobody catches is one like others. */
  function noteFaults() {
    globalThis.addEventListener("error", () => void faults++);
    globalThis.addEventListener("unhandledrejection", (event) => void rejections.push(event));
  }

  /** What has been said meanwhile goes now. */
  const tellAll = () => {
    for (const event of rejections.splice(0)) if (!event.defaultPrevented) report(event.reason);
    const told = globalThis[Symbol.for("framefarm.messages")].release();
    if (faults) told.push("up");
    faults = 0;
    if (isClosed) close();
    return { told, hasFrames: frames.size > 0, isClosed, isStarted: clock.isStarted() };
  };

  const tasks = {
    /** Let what is due by `ms` run; it is then that time. Before zero, the clocks stay at 0. */
    async reach(ms, isLoading) {
      if (!isLoading && clock.now() === null) {
        clock.set(0);
        for (const timer of timers.values()) timer.due = timer.delay; // no time has passed yet
      }
      await run(ms);
      pass(ms);
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
            callback(clock.told());
          } catch (error) {
            report(error);
          }
        }
      });
      return tasks.calm();
    },
  };

  if (globalThis.setTimeout) replaceTimers();
  if (globalThis.requestAnimationFrame) replaceFrames();
  if (close) replaceClose();
  if (report) noteFaults();
  for (const [names, targets] of AWAITED) {
    for (const name of names.split(" ")) targets.forEach((target) => noteAwaited(target, name));
  }
  Object.defineProperty(globalThis, Symbol.for("framefarm.tasks"), { value: tasks });
}
