// Messages between a page and its workers wait in their sender until the renderer lets them go: so
// they arrive at the same moments, and in the same order, in every run. `page_workers.py` adds the
// options and runs it in every document, and in every worker, after the clock's script.
(options) => {
  const ring = globalThis[options.bell];
  delete globalThis[options.bell];
  const tell = (kind, detail = "") => ring?.(JSON.stringify([kind, detail, clock.now()]));
  const clone = globalThis.structuredClone;
  const clock = globalThis[Symbol.for("framefarm.clock")];
  const { place } = globalThis[Symbol.for("framefarm.chance")];
  // Who shares memory may wait for an answer without leaving the script that asked.
  const isShared = globalThis.crossOriginIsolated === true;

  const UP = "up"; // to the worker's maker
  const ANYBODY = "?"; // through a port

  const places = new WeakMap();
  let isAsked = false;
  let waiting = [];

  function ask() {
    if (!isAsked) tell("asked");
    isAsked = true;
  }

  // A port is near when its other end is here too; what it is told is nobody's business. A document
  // cannot tell where a port leads that it was sent: what it says there goes at once.
  const others = new WeakMap();
  const far = new WeakSet();
  const isFar = (port) => far.has(port) || (options.isWorker && !others.has(port));

  function markFar(transfer) {
    for (const one of transfer) {
      const other = others.get(one);
      if (other) far.add(other);
    }
  }

  function hold(target, post, message, given) {
    const whom = target === globalThis ? UP : (places.get(target) ?? ANYBODY);
    const transfer = [...((Array.isArray(given) ? given : given?.transfer) ?? [])];
    markFar(transfer);
    if (isShared) post.call(target, message, transfer);
    else {
      const copy = clone({ message, transfer }, { transfer });
      waiting.push([whom, () => post.call(target, copy.message, copy.transfer)]);
    }
    ask();
  }

  const replace = (target, name, value) =>
    Object.defineProperty(target, name, { value, writable: true, configurable: true });

  function replacePost(target, mayHold = () => true) {
    const post = target?.postMessage;
    if (!post) return;
    replace(target, "postMessage", function postMessage(message, given) {
      const target = this ?? globalThis;
      if (arguments.length && mayHold(target)) return hold(target, post, message, given);
      if (!options.isWorker && !others.has(target)) ask();
      return Reflect.apply(post, target, arguments);
    });
  }

  function replaceChannels() {
    const construct = (target, given, made) => {
      const channel = Reflect.construct(target, given, made);
      others.set(channel.port1, channel.port2).set(channel.port2, channel.port1);
      return channel;
    };
    replace(globalThis, "MessageChannel", new Proxy(MessageChannel, { construct }));
    replacePost(MessagePort.prototype, isFar);
    replacePost(globalThis.Client?.prototype);
    replacePost(globalThis.ServiceWorker?.prototype);
    if (options.isDedicated) replacePost(globalThis);
  }

  // A worker's name tells it, and the renderer, who it is; it reads its own again.
  let count = 0;
  const faults = [];

  function onError(event, id) {
    if (event.message === undefined) return tell("ended", id); // its script did not come
    if (options.isWorker) return; // the browser hands it on to whoever made us
    faults.push(event);
    ask();
  }

  /** An error of a worker is the page's, unless the page says otherwise. */
  function reportFaults() {
    for (const event of faults.splice(0)) {
      const { message, filename, lineno, colno } = event;
      if (event.defaultPrevented) continue;
      const error = new Error(message.replace(/^Uncaught (Error: )?/, ""));
      error.stack = `${error}\n    at ${filename}:${lineno}:${colno}`;
      reportError(error);
    }
  }

  function replaceWorkers() {
    const post = Worker.prototype.postMessage;
    const terminate = Worker.prototype.terminate;
    const construct = (target, [url, given], made) => {
      const id = [...place(), `w${count}`].join(".");
      const name = `framefarm ${id} ${given?.name ?? ""}`;
      const worker = Reflect.construct(target, [url, { ...given, name }], made);
      count++;
      places.set(worker, id);
      tell("made", id);
      post.call(worker, options.hello); // it comes when the worker's script has run
      worker.addEventListener("error", (event) => onError(event, id));
      return worker;
    };
    replacePost(Worker.prototype);
    replace(Worker.prototype, "terminate", function () {
      terminate.call(this);
      if (places.has(this)) tell("ended", places.get(this));
    });
    replace(globalThis, "Worker", new Proxy(Worker, { construct }));
  }

  function replaceSharedWorkers() {
    const construct = (target, given, made) => {
      const worker = Reflect.construct(target, given, made);
      tell("made", `shared_worker ${new URL(given[0], location.href).href}`);
      far.add(worker.port);
      return worker;
    };
    replace(globalThis, "SharedWorker", new Proxy(SharedWorker, { construct }));
  }

  // What leads past us is told once, for probes: nothing here puts it in order.
  function noteChannels() {
    const used = new Set();
    const note = (api) => {
      if (!used.has(api)) tell("used", api);
      used.add(api);
    };
    for (const name of ["WebSocket", "EventSource", "BroadcastChannel", "WebTransport"]) {
      if (!globalThis[name]) continue;
      const construct = (target, given, made) => {
        note(name);
        return Reflect.construct(target, given, made);
      };
      replace(globalThis, name, new Proxy(globalThis[name], { construct }));
    }
    const request = () => clock.now() > 0 && note("request after frame 0");
    for (const [target, name] of [
      [globalThis, "fetch"],
      [globalThis.XMLHttpRequest?.prototype, "open"],
    ]) {
      const before = target?.[name];
      if (!before) continue;
      replace(target, name, function (...given) {
        request();
        return Reflect.apply(before, this, given);
      });
    }
  }

  if (options.isWorker) noteChannels();
  if (globalThis.MessageChannel) replaceChannels();
  if (globalThis.Worker) replaceWorkers();
  if (globalThis.SharedWorker) replaceSharedWorkers();
  Object.defineProperty(globalThis, Symbol.for("framefarm.messages"), {
    value: {
      /** Send what waits; return who gets it. */
      release() {
        const those = waiting;
        waiting = [];
        isAsked = false;
        reportFaults();
        those.forEach(([, post]) => post());
        return [...new Set(those.map(([whom]) => whom))];
      },
    },
  });
}
