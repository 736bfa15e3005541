// What a page uses that no clock of ours reaches, or that is begun in one frame and seen in later
// ones. `probing.py` runs it, in probes only, in every document after `clock.js`. What workers use
// `messages.js` tells.
() => {
  const clock = window[Symbol.for("framefarm.clock")];
  const OBJECTS = "WebSocket EventSource RTCPeerConnection AudioContext BroadcastChannel";
  const MACHINE = "hardwareConcurrency deviceMemory connection plugins";
  const LONGEST_URL = 200;
  const uses = new Map();

  const above = () => {
    try {
      return window === parent ? null : (parent[Symbol.for("framefarm.watch")] ?? null);
    } catch (error) {
      if (error.name !== "SecurityError") throw error;
      return null; // of another site: nobody asks there
    }
  };

  function note(api, detail = "") {
    const outer = above();
    if (outer) return void outer.note(api, detail);
    const key = JSON.stringify([api, detail]);
    uses.set(key, (uses.get(key) ?? 0) + 1);
  }

  const isPlaying = () => (clock.now() ?? 0) > 0;
  const address = (url) => {
    if (!URL.canParse(url, document.baseURI)) return "";
    const { protocol, origin, pathname } = new URL(url, document.baseURI);
    return (/^http/.test(protocol) ? origin + pathname : protocol).slice(0, LONGEST_URL);
  };
  const request = (url) => note(isPlaying() ? "request after frame 0" : "request", address(url));

  const replace = (target, name, value) =>
    Object.defineProperty(target, name, { value, writable: true, configurable: true });

  const wrap = (target, name, told) => {
    const before = target?.[name];
    if (typeof before !== "function") return;
    replace(target, name, function (...given) {
      told(...given);
      return before.apply(this, given);
    });
  };

  const wrapGetter = (prototype, name, api) => {
    const before = Object.getOwnPropertyDescriptor(prototype ?? {}, name);
    if (!before?.get) return;
    const get = function () {
      note(api);
      return before.get.call(this);
    };
    Object.defineProperty(prototype, name, { ...before, get });
  };

  for (const name of OBJECTS.split(" ")) {
    if (!window[name]) continue;
    const construct = (target, given, made) => {
      note(name, typeof given[0] === "object" && !(given[0] instanceof URL) ? "" : address(given[0]));
      return Reflect.construct(target, given, made);
    };
    replace(window, name, new Proxy(window[name], { construct }));
  }
  for (const name of MACHINE.split(" ")) wrapGetter(Navigator.prototype, name, `navigator.${name}`);
  wrapGetter(Performance.prototype, "memory", "performance.memory");
  wrapGetter(Performance.prototype, "timing", "performance.timing");
  wrap(Performance.prototype, "toJSON", () => note("performance.timing"));
  wrap(window.SubtleCrypto?.prototype, "generateKey", () => note("crypto.subtle.generateKey"));
  for (const name of ["getEntries", "getEntriesByType", "getEntriesByName"]) {
    wrap(Performance.prototype, name, () => note("performance.getEntries"));
  }
  wrap(window.ServiceWorkerContainer?.prototype, "register", () => note("serviceWorker"));
  wrap(window, "fetch", (asked) => request(asked?.url ?? asked));
  wrap(XMLHttpRequest.prototype, "open", (_, url) => request(url));
  wrap(Navigator.prototype, "sendBeacon", request);

  function onAnimation({ target }) {
    const begun = target?.getAnimations?.({ subtree: true }) ?? [];
    if (begun.some((one) => one.timeline instanceof DocumentTimeline && one.startTime > 0)) {
      note("animation begun after frame 0");
    }
  }
  for (const event of ["transitionrun", "animationstart"]) {
    window.addEventListener(event, onAnimation, true);
  }
  const noteLate = () => isPlaying() && note("animation begun after frame 0");
  wrap(Element.prototype, "animate", noteLate);
  wrap(Animation.prototype, "play", noteLate);

  const isOfAnotherSite = (frame) => {
    try {
      return !frame.document;
    } catch (error) {
      if (error.name !== "SecurityError") throw error;
      return true;
    }
  };

  const watch = {
    note,
    /** What was used so far: `[api, detail, count]` each. */
    uses() {
      const found = [...uses].map(([key, count]) => [...JSON.parse(key), count]);
      const foreign = Array.from(window, (_, i) => window[i]).filter(isOfAnotherSite).length;
      return foreign ? [...found, ["iframe of another site", "", foreign]] : found;
    },
  };
  Object.defineProperty(window, Symbol.for("framefarm.watch"), { value: watch });
}
