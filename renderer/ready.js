// What a page may say of itself, and what it still waits for; `ready.py` adds the options and runs
// it in every document after `clock.js`, before the document's own scripts.
(options) => {
  const clock = window[Symbol.for("framefarm.clock")];
  const awaited = new Map();
  const hooks = [];
  let contracts = null;
  let contractHooks = null;
  let isStableAsked = false;
  let runningHook = "";

  function wait(name, promise) {
    const key = Symbol(name);
    awaited.set(key, [name, promise]);
    // A rejection stays unhandled on purpose: it is a page error, and told as one.
    Promise.resolve(promise).then(() => awaited.delete(key));
  }

  const api = {
    props: JSON.parse(options.props),
    fps: options.fps[0] / options.fps[1],
    get frame() {
      const us = Math.round((clock.now() ?? 0) * 1000);
      return Math.floor((us * options.fps[0]) / (options.fps[1] * 1e6));
    },
    ready: (promise, name) => wait(`ready(${name ?? `promise ${awaited.size + 1}`})`, promise),
    onFrame: (hook) => void hooks.push(hook),
  };

  function loading() {
    const waits = document.readyState === "complete" ? [] : ["the load event"];
    if (document.body) void document.body.offsetHeight; // layout is what asks for fonts
    for (const font of document.fonts) {
      if (font.status === "loading") waits.push(`font ${font.family} ${font.weight}`);
    }
    for (const tree of clock.trees(document)) {
      for (const image of tree.querySelectorAll("img")) {
        image.loading = "eager"; // a lazy one waits for a frame, and frames wait for images
        if (!image.complete) waits.push(`image ${image.currentSrc || image.src}`);
      }
    }
    return waits;
  }

  // Pictures that came and cannot be read, and the like: no request tells of them.
  let broken = [];
  const outer = () => {
    try {
      return window === parent ? null : parent[Symbol.for("framefarm.ready")];
    } catch (error) {
      if (error.name !== "SecurityError") throw error;
      return null; // of another origin: nobody asks there
    }
  };
  const note = (element, url, why = "") => {
    const above = outer();
    if (above) above.note(element, url, why);
    else broken.push([element, url, why]);
  };
  // An element in a shadow root is heard there alone.
  const listen = (root) =>
    root.addEventListener(
      "error",
      ({ target }) => {
        if (!(target instanceof Element)) return;
        const url = target.currentSrc || target.src || target.href?.baseVal || target.href;
        if (url) note(target.tagName, String(new URL(url, document.baseURI)));
      },
      true
    );
  listen(window);
  clock.eachRoot(listen);

  /** This document and those within it, as far as they can be reached, in the page's order. */
  function* documents(view = window) {
    const own = readyOf(view);
    if (own) yield own;
    for (let i = 0; i < view.length; i++) yield* documents(view[i]);
  }

  function readyOf(view) {
    try {
      return view[Symbol.for("framefarm.ready")];
    } catch (error) {
      if (error.name !== "SecurityError") throw error;
      return null; // of another origin: it is not asked between frames
    }
  }

  const ready = {
    note,
    hooks,
    awaited,
    isWaiting: () => awaited.size > 0,
    /** What was broken since the last frame, and whether the page asks for patience. */
    news() {
      const found = broken;
      if (found.length) broken = [];
      return { broken: found, isWaiting: [...documents()].some((one) => one.isWaiting()) };
    },
    /** What stands between the page and frame 0: the browser's work, and the page's promises. */
    waits() {
      const browser = loading();
      if (!browser.length && !isStableAsked) {
        isStableAsked = true;
        if (typeof api.waitUntilStable === "function") {
          wait("waitUntilStable()", api.waitUntilStable());
        }
        for (const [name, stable] of contracts.stabilities()) wait(name, stable());
      }
      return { browser, page: [...awaited.values()].map(([name]) => name) };
    },
    /** The frame is about to be drawn; tells which one was drawn last. */
    async before(frame) {
      contractHooks ??= [...contracts.hooks()];
      for (const [name, hook] of contractHooks) {
        runningHook = name;
        await hook(frame);
      }
      for (const one of [...documents()]) {
        for (const hook of one.hooks) {
          runningHook = `onFrame ${hook.name || "anonymous"}`;
          await hook(frame);
        }
      }
      await ready.promises();
      runningHook = "of the page's videos";
      await window[Symbol.for("framefarm.media")]?.show(frame);
      runningHook = "";
      return clock.before(frame);
    },
    /** What the page has said `ready()` of since; one that asks for time would wait for ever. */
    async promises() {
      for (const one of [...documents()]) {
        for (const [name, promise] of one.awaited.values()) {
          runningHook = name;
          await promise;
        }
      }
      runningHook = "";
    },
    runningHook: () => runningHook,
    setContracts: (given) => void (contracts = given),
  };

  Object.defineProperty(window, "framefarm", {
    get: () => api,
    set: (given) => void (given !== api && Object.assign(api, given)),
  });
  Object.defineProperty(window, Symbol.for("framefarm.ready"), { value: ready });
}
