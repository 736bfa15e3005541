// Animations of a browser that draws whenever it likes; `screenshots.py` runs it in every document
// after `clock.js`, in the place of `animations.js`. The browser's own timeline stands still: before
// each frame every animation is moved to where the clock is, and between frames none moves.
() => {
  const clock = window[Symbol.for("framefarm.clock")];
  const frames = window[Symbol.for("framefarm.frames")];
  const property = (type, name) => Object.getOwnPropertyDescriptor(type.prototype, name);
  const startTime = property(Animation, "startTime");
  const currentTime = property(Animation, "currentTime");
  const timelineTime = property(AnimationTimeline, "currentTime");
  const isMs = (time) => typeof time === "number";
  const isOfTime = (timeline) => timeline instanceof DocumentTimeline;

  // Where running animations were put: by the clock they began at `start`.
  const courses = new WeakMap();
  const wanted = new WeakMap(); // the rates that take effect when they are ready
  let shownMs = 0; // the time that they stand at
  let releasedMs = null; // when a page that waits for time itself was given some, before zero

  const standsAt = (animation) => timelineTime.get.call(animation.timeline) ?? 0;
  const endOf = (animation) => animation.effect?.getComputedTiming().endTime ?? Infinity;

  const rateOf = (animation) =>
    (animation.pending ? wanted.get(animation) : undefined) ?? animation.playbackRate;

  function place(animation, start) {
    const from = courses.get(animation)?.from ?? currentTime.get.call(animation) ?? 0;
    startTime.set.call(animation, standsAt(animation) + start - shownMs);
    const [native, rate] = [startTime.get.call(animation), animation.playbackRate];
    courses.set(animation, { start, native, rate, from, at: currentTime.get.call(animation) });
    wanted.delete(animation);
  }

  /** The page has put it somewhere itself, by the time that animations stand at. */
  function keepPlace(animation) {
    const native = startTime.get.call(animation);
    const isPut = isMs(native) && isOfTime(animation.timeline);
    courses.delete(animation);
    if (isPut) place(animation, native - standsAt(animation) + shownMs);
  }

  /** How far an animation has come on its course when the clock is at `ms`. */
  function reached(animation, { start, rate }, ms) {
    const at = (ms - start) * rate;
    return rate < 0 ? Math.max(at, 0) : Math.min(at, endOf(animation));
  }

  /** When a running animation began, by the clock. One that began since the last frame begins now. */
  function beginning(animation) {
    const rate = rateOf(animation);
    const [native, course] = [startTime.get.call(animation), courses.get(animation)];
    const at = currentTime.get.call(animation);
    if (course && course.native === native && course.rate === rate) return course.start;
    const wasTurned = course && course.rate !== rate && course.at === at;
    const from = wasTurned ? reached(animation, course, shownMs) : at;
    return shownMs - from / rate;
  }

  function move(animation) {
    if (!isOfTime(animation.timeline)) return;
    const course = courses.get(animation);
    if (animation.playState === "running") {
      if (rateOf(animation) !== 0) place(animation, beginning(animation));
    } else if (course) {
      courses.delete(animation);
      const isStopped = animation.playState === "paused";
      if (isStopped && course.at === currentTime.get.call(animation)) {
        currentTime.set.call(animation, reached(animation, course, shownMs));
      }
    }
  }

  function* animations() {
    for (const tree of clock.trees(document)) yield* tree.getAnimations();
  }

  function moveAll() {
    if (clock.now() === null && releasedMs === null) return;
    shownMs = clock.now() ?? clock.nativeNow() - releasedMs;
    for (const animation of animations()) move(animation);
  }

  /** What ran before zero begins anew there. */
  function restart() {
    shownMs = 0;
    for (const animation of animations()) {
      const course = courses.get(animation);
      if (course && animation.playState === "running") place(animation, -course.from / course.rate);
    }
  }

  function noteRelease() {
    const { release } = clock;
    clock.release = () => {
      releasedMs ??= clock.nativeNow();
      release();
    };
  }

  function liveTime(animation) {
    const [shown, course] = [currentTime.get.call(animation), courses.get(animation)];
    const isOnCourse = course?.native === startTime.get.call(animation);
    if (!isOnCourse || animation.playState !== "running") return shown;
    return reached(animation, course, clock.now() ?? shownMs);
  }

  function replaceTimes() {
    Object.defineProperty(AnimationTimeline.prototype, "currentTime", {
      ...timelineTime,
      get() {
        const time = timelineTime.get.call(this);
        if (!isMs(time) || !isOfTime(this)) return time;
        return (clock.now() ?? 0) + time - (timelineTime.get.call(document.timeline) ?? 0);
      },
    });
    const stamp = property(AnimationPlaybackEvent, "timelineTime");
    Object.defineProperty(AnimationPlaybackEvent.prototype, "timelineTime", {
      ...stamp,
      get() {
        return isMs(stamp.get.call(this)) ? (clock.now() ?? 0) : null;
      },
    });
    Object.defineProperty(Animation.prototype, "startTime", {
      ...startTime,
      get() {
        const time = startTime.get.call(this);
        if (!isMs(time) || !isOfTime(this.timeline)) return time;
        const course = courses.get(this);
        const start = course?.native === time ? course.start : time - standsAt(this) + shownMs;
        return clock.onGrid(start);
      },
      set(time) {
        if (isMs(time) && isOfTime(this.timeline)) place(this, time);
        else startTime.set.call(this, time);
      },
    });
    Object.defineProperty(Animation.prototype, "currentTime", {
      ...currentTime,
      get() {
        return liveTime(this);
      },
      set(time) {
        currentTime.set.call(this, time);
        keepPlace(this);
      },
    });
    const rate = property(Animation, "playbackRate");
    Object.defineProperty(Animation.prototype, "playbackRate", {
      ...rate,
      set(given) {
        rate.set.call(this, given);
        keepPlace(this);
      },
    });
    for (const [name, rateAfter] of [
      ["reverse", (animation) => -rateOf(animation)],
      ["updatePlaybackRate", (_, given) => given],
    ]) {
      const before = Animation.prototype[name];
      Animation.prototype[name] = function (...given) {
        const after = rateAfter(this, ...given);
        before.apply(this, given);
        if (this.pending) wanted.set(this, after);
      };
    }
  }

  // SMIL has a clock for each outermost <svg>, which can be stopped and set.
  const svgs = SVGSVGElement.prototype;
  const native = {};
  for (const name of ["setCurrentTime", "pauseAnimations", "unpauseAnimations"]) native[name] = svgs[name];
  const offsets = new WeakMap(); // how far an <svg> is ahead of the clock, in ms
  const stops = new WeakMap(); // when the page stopped it

  function moveSvg(svg) {
    if (!offsets.has(svg)) offsets.set(svg, -shownMs);
    native.pauseAnimations.call(svg);
    native.setCurrentTime.call(svg, ((stops.get(svg) ?? shownMs) + offsets.get(svg)) / 1000);
  }

  function replaceSvgs() {
    svgs.setCurrentTime = function setCurrentTime(seconds) {
      offsets.set(this, seconds * 1000 - (stops.get(this) ?? shownMs));
      return native.setCurrentTime.call(this, seconds);
    };
    svgs.pauseAnimations = function pauseAnimations() {
      if (!stops.has(this)) stops.set(this, clock.now() ?? 0);
    };
    svgs.unpauseAnimations = function unpauseAnimations() {
      if (!stops.has(this)) return;
      offsets.set(this, (offsets.get(this) ?? 0) + stops.get(this) - (clock.now() ?? 0));
      stops.delete(this);
    };
    svgs.animationsPaused = function animationsPaused() {
      return stops.has(this);
    };
  }

  function moveSvgs() {
    if (clock.now() === null) return;
    for (const tree of clock.trees(document)) {
      for (const svg of tree.querySelectorAll("svg")) if (!svg.ownerSVGElement) moveSvg(svg);
    }
  }

  replaceTimes();
  replaceSvgs();
  noteRelease();
  clock.atZero(restart);
  frames.before(moveAll);
  frames.before(moveSvgs);
  frames.after(moveAll); // what the frame's callbacks have begun, or put elsewhere
  frames.after(moveSvgs);
}
