// The contracts of other renderers, so that pages made for those are rendered unchanged. `ready.py`
// adds the options and runs it after `ready.js`. What a page has of them is looked up at frame 0.
(options) => {
  const clock = window[Symbol.for("framefarm.clock")];
  const ready = window[Symbol.for("framefarm.ready")];
  const isFunction = (value) => typeof value === "function";
  const secondsOf = (frame) => (frame * options.fps[1]) / options.fps[0];

  window.__HELIOS_PROPS__ = JSON.parse(options.props);
  Object.defineProperty(window, "__HELIOS_VIRTUAL_TIME__", {
    get: () => clock.now() ?? 0,
    set: () => {}, // time is not the page's to set
    configurable: true,
  });

  /** Paused timelines are put where the frame is; one that plays follows the clock by itself. */
  async function seekTimelines(frame) {
    for (const timeline of Object.values(window.__timelines)) {
      if (isFunction(timeline?.seek) && timeline.paused?.() !== false) {
        await timeline.seek(secondsOf(frame), false); // with the callbacks on the way
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
        if (isFunction(window[name])) yield [name, (frame) => window[name](secondsOf(frame))];
      }
      if (window.__timelines) yield ["__timelines", seekTimelines];
    },
  });
}
