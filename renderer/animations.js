// Animations on the virtual clock; `clock.py` runs it in every document after `clock.js`, before
// the document's own scripts. What the page says of times while it loads is noted, and made true
// at time zero. Between frames an animation is where the clock is: Blink would tell an estimate.
() => {
  const clock = window[Symbol.for("framefarm.clock")];
  const property = (type, name) => Object.getOwnPropertyDescriptor(type.prototype, name);
  const startTime = property(Animation, "startTime");
  const currentTime = property(Animation, "currentTime");
  const timelineTime = property(AnimationTimeline, "currentTime");
  const givenStart = new Map();
  const givenCurrent = new Map();
  const isMs = (time) => typeof time === "number";
  const isOfTime = (timeline) => timeline instanceof DocumentTimeline;

  /** How far a timeline is ahead of the document's own: its `originTime`, negated. */
  function ahead(timeline) {
    const own = timelineTime.get.call(document.timeline);
    const other = timelineTime.get.call(timeline);
    return isMs(own) && isMs(other) ? other - own : 0;
  }

  function liveTime(animation) {
    const shown = currentTime.get.call(animation);
    const start = startTime.get.call(animation);
    const isLive = clock.now() !== null && isMs(shown) && isMs(start);
    if (!isLive || !isOfTime(animation.timeline) || animation.playState !== "running") return shown;
    const passed = clock.nativeNow() + ahead(animation.timeline) - start;
    const at = clock.onGrid(passed) * animation.playbackRate;
    const end = animation.effect?.getComputedTiming().endTime ?? Infinity;
    return animation.playbackRate < 0 ? Math.max(at, 0) : Math.min(at, end);
  }

  function replaceTimes() {
    Object.defineProperty(AnimationTimeline.prototype, "currentTime", {
      ...timelineTime,
      get() {
        const time = timelineTime.get.call(this);
        return isMs(time) && isOfTime(this) ? (clock.now() ?? 0) + ahead(this) : time;
      },
    });
    const stamp = property(AnimationPlaybackEvent, "timelineTime");
    Object.defineProperty(AnimationPlaybackEvent.prototype, "timelineTime", {
      ...stamp,
      get() {
        const time = stamp.get.call(this);
        return isMs(time) ? clock.sinceZero(time) : time;
      },
    });
    Object.defineProperty(Animation.prototype, "startTime", {
      ...startTime,
      get() {
        const time = startTime.get.call(this);
        if (!isMs(time)) return time;
        return clock.zeroMs() === null
          ? (givenStart.get(this) ?? 0)
          : clock.onGrid(time - clock.zeroMs());
      },
      set(time) {
        if (clock.zeroMs() === null && isMs(time)) givenStart.set(this, time);
        const base = clock.zeroMs() ?? timelineTime.get.call(document.timeline) ?? 0;
        startTime.set.call(this, isMs(time) ? base + time : time);
      },
    });
    Object.defineProperty(Animation.prototype, "currentTime", {
      ...currentTime,
      get() {
        return liveTime(this);
      },
      set(time) {
        if (clock.zeroMs() === null && isMs(time)) givenCurrent.set(this, time);
        currentTime.set.call(this, time);
      },
    });
  }

  function* animations() {
    for (const tree of clock.trees(document)) yield* tree.getAnimations();
  }

  /** What does not run yet stands where it was made to begin: at its end when it goes back. */
  function noteBeginnings() {
    for (const animation of animations()) {
      const at = currentTime.get.call(animation);
      const stands = !isMs(startTime.get.call(animation)) && isMs(at);
      if (stands && !givenCurrent.has(animation)) givenCurrent.set(animation, at);
    }
  }

  function beginning(animation) {
    const given = givenCurrent.get(animation);
    if (given !== undefined || animation.playbackRate >= 0) return given ?? 0;
    return animation.effect?.getComputedTiming().endTime ?? 0;
  }

  function restart() {
    const zeroMs = clock.zeroMs();
    for (const [animation, time] of givenStart) startTime.set.call(animation, zeroMs + time);
    for (const animation of animations()) {
      if (!isMs(startTime.get.call(animation)) || givenStart.has(animation)) continue;
      if (!isOfTime(animation.timeline)) continue; // begins where its scroller stands
      const at = beginning(animation) / (animation.playbackRate || 1);
      startTime.set.call(animation, zeroMs - at);
    }
  }

  // SMIL has a clock for each outermost <svg>. It can be set to the last frame's time only, so it
  // is set again in frame 0.
  const setSvgTime = SVGSVGElement.prototype.setCurrentTime;
  const givenSvgTime = new WeakMap();

  function noteSvgTimes() {
    SVGSVGElement.prototype.setCurrentTime = function setCurrentTime(seconds) {
      givenSvgTime.set(this, seconds);
      return setSvgTime.call(this, seconds);
    };
  }

  const knownSvgs = new WeakSet();

  function restartSvg(svg) {
    knownSvgs.add(svg);
    setSvgTime.call(svg, givenSvgTime.get(svg) ?? 0);
  }

  function restartSvgs() {
    for (const tree of clock.trees(document)) {
      for (const svg of tree.querySelectorAll("svg")) if (!svg.ownerSVGElement) restartSvg(svg);
    }
  }

  // One that comes later begins in the frame that shows it; left alone, Blink may not start it for
  // half a second. These lists are live: asking costs nothing where there is no SMIL.
  const SMIL = ["animate", "animateTransform", "animateMotion", "set"];
  const moving = SMIL.map((name) => document.getElementsByTagName(name));

  function startLateSvgs() {
    const late = new Set();
    for (const elements of moving) {
      for (const element of elements) {
        let svg = element.ownerSVGElement;
        while (svg?.ownerSVGElement) svg = svg.ownerSVGElement;
        if (svg && !knownSvgs.has(svg)) late.add(svg);
      }
    }
    if (late.size) clock.inNextFrame(() => late.forEach(restartSvg));
  }

  replaceTimes();
  clock.beforeFrames(noteBeginnings);
  clock.eachFrame(startLateSvgs);
  noteSvgTimes();
  clock.atZero(() => {
    restart();
    restartSvgs();
    clock.inNextFrame(restartSvgs);
  });
}
