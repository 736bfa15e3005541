// The contracts of other renderers, so that pages made for those are rendered unchanged. `ready.py`
// adds the options and runs it after `ready.js`. What a page has of them is looked up at frame 0.
(options) => {
  const clock = window[Symbol.for("framefarm.clock")];
  const ready = window[Symbol.for("framefarm.ready")];
  const isFunction = (value) => typeof value === "function";
  // The clock's time and not n / fps, which may come out below n when it is multiplied again.
  const seconds = () => clock.now() / 1000;

  window.__HELIOS_PROPS__ = JSON.parse(options.props);
  Object.defineProperty(window, "__HELIOS_VIRTUAL_TIME__", {
    get: () => clock.now() ?? 0,
    set: () => {}, // time is not the page's to set
    configurable: true,
  });

  /** Paused timelines are put where the frame is; one that plays follows the clock by itself. */
  function seekTimelines() {
    for (const timeline of Object.values(window.__timelines)) {
      if (isFunction(timeline?.seek) && timeline.paused?.() !== false) {
        // With the callbacks on the way. What it returns is not awaited: GSAP's timelines are
        // promises of their own end.
        timeline.seek(seconds(), false);
      }
    }
  }

  ready.setContracts({
    /** Promises of the page to be ready, by name. */
    *stabilities() {
      const { helios } = window;
      if (isFunction(helios?.waitUntilStable)) {
        yield ["helios.waitUntilStable()", () => helios.waitUntilStable()];
      }
    },
    /** What the page wants to be called with each frame, by name. */
    *hooks() {
      const { helios } = window;
      if (isFunction(helios?.seek)) yield ["helios.seek", (frame) => helios.seek(frame)];
      if (isFunction(helios?.waitUntilStable)) {
        yield ["helios.waitUntilStable", () => helios.waitUntilStable()];
      }
      for (const name of ["renderAt", "seek"]) {
        if (isFunction(window[name])) yield [name, () => window[name](seconds())];
      }
      if (window.__timelines) yield ["__timelines", seekTimelines];
    },
  });
}
